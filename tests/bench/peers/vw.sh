#!/usr/bin/env bash
# vw.sh ARGUMENTS...: the program vw; tells its average loss as peers/vw.py does.
set -eu
begin=${EPOCHREALTIME/./}
said=$(vw -P 1000000000 "$@" 2>&1)
loss=$(sed -n 's/^average loss = \([^ ]*\).*/\1/p' <<<"$said")
awk -v micros=$((${EPOCHREALTIME/./} - begin)) -v loss="$loss" 'BEGIN { printf "result %.6f %s\n", micros / 1e6, loss }'
