#!/usr/bin/env bash
# ffm.sh LEARN JUDGE OUT EPOCHS THREADS: libffm with 4 factors and its defaults, scores the rows to judge by; tells their logloss.
set -eu
cd "$(dirname "$3")" # where it keeps a binary copy of what it has read
begin=${EPOCHREALTIME/./}
ffm-train --quiet -k 4 -t "$4" -s "$5" "$1" "$3.model" >&2
loss=$(ffm-predict "$2" "$3.model" "$3.scores" | sed -n 's/^logloss = //p')
awk -v micros=$((${EPOCHREALTIME/./} - begin)) -v loss="$loss" 'BEGIN { printf "result %.6f %s\n", micros / 1e6, loss }'
