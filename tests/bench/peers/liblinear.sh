#!/usr/bin/env bash
# liblinear.sh LEARN JUDGE OUT C: trains logistic regression (-s 0), scores the rows to judge by; tells their logloss.
set -eu
begin=${EPOCHREALTIME/./}
liblinear-train -q -s 0 -c "$4" -e 0.01 "$1" "$3.model"
liblinear-predict -q -b 1 "$2" "$3.model" "$3.scores" >&2
micros=$((${EPOCHREALTIME/./} - begin))
# The scores: a line `labels A B`, then the label that is predicted and the probabilities of A and B.
cut -d' ' -f1 "$2" | paste -d' ' - <(tail -n +2 "$3.scores") | awk -v micros=$micros -v order="$(head -1 "$3.scores")" '
  BEGIN { split(order, names, " "); at = names[2] + 0 > 0 ? 3 : 4 }
  { p = $1 + 0 > 0 ? $at : 1 - $at; loss -= log(p > 1e-15 ? p : 1e-15); rows++ }
  END { printf "result %.6f %.5f\n", micros / 1e6, loss / rows }'
