#!/bin/sh
# pipelines/a9a.yaml on real data: as good on the test file as liblinear (logloss .324102, AUC .902196), and the same bytes
# for any number of threads.
set -u
if [ ! -d "${ADLOOM_DATA:-}/a9a" ]; then
  echo "skipped: ADLOOM_DATA does not name a folder with a9a in it"
  exit 77
fi
here=$(mktemp -d "${TMPDIR:-/tmp}/adloom-XXXXXX") || exit 1
trap 'rm -rf "$here"' EXIT
export ADLOOM_DATA

for threads in 1 3; do
  "$ADLOOM_BUILD/adloom" run "$ADLOOM_SRC/pipelines/a9a.yaml" --out "$here/$threads" --store "$here/store" --fresh \
    --threads $threads >"$here/$threads.txt" 2>"$here/$threads.err" || {
    cat "$here/$threads.err"
    exit 1
  }
done

# What is printed first is held out.
value() { awk -v name="$1" '$1 == name { print $2; exit }' "$here/1.txt"; }
[ "$(value rows)" = 16281 ] || {
  echo "$(value rows) rows were judged"
  exit 1
}
awk -v logloss="$(value logloss)" -v auc="$(value auc)" \
  'BEGIN { exit !(logloss > 0.3 && logloss < 0.3261 && auc > 0.9 && auc < 0.95) }' || {
  echo "held-out logloss is $(value logloss), auc $(value auc)"
  exit 1
}
for file in metrics.json rejects.jsonl models/income.safetensors; do
  cmp "$here/1/$file" "$here/3/$file" || exit 1
done
