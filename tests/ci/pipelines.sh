#!/bin/sh
# The example pipelines on real data do what their first comments say, on rows that they never learned from, and the same bytes with
# another number of threads. Skipped where the data are not there (ADLOOM_DATA).
set -u
if [ -z "${ADLOOM_DATA:-}" ]; then
  echo "skipped: ADLOOM_DATA is not set"
  exit 77
fi
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
failed=0

say() {
  echo "$*"
  failed=1
}

# judged NAME FILE NUMBER LOW HIGH [ARGUMENTS...]: runs the pipeline, and holds a held-out number of its summary to a range.
judged() {
  name=$1 file=$2 number=$3 low=$4 high=$5
  shift 5
  if [ ! -f "$here/$name.txt" ]; then
    "$ADLOOM_BUILD/adloom" run "$ADLOOM_SRC/pipelines/$file" --out "$here/$name" --store "$here/store" "$@" \
      >"$here/$name.txt" 2>"$here/$name.err" || { cat "$here/$name.err"; say "$file does not run"; }
    grep -q 'held-out:' "$here/$name.txt" || say "$file says nothing of held-out rows"
    "$ADLOOM_BUILD/adloom" run "$ADLOOM_SRC/pipelines/$file" --out "$here/$name-3" --store "$here/store" "$@" --threads 3 \
      --fresh --quiet || say "$file does not run with three threads"
    for path in "$here/$name"/metrics.json "$here/$name"/models/*.safetensors $(ls "$here/$name"/*.csv 2>/dev/null); do
      cmp "$path" "$here/$name-3${path#"$here/$name"}" || say "$file: ${path##*/} depends on the number of threads"
    done
  fi
  value=$(awk -v name="$number" '/held-out:/ { held = 1 } held && $1 == name { print $2; exit }' "$here/$name.txt")
  awk -v value="$value" -v low="$low" -v high="$high" 'BEGIN { exit !(value != "" && value >= low && value <= high) }' ||
    say "$file: held-out $number is '$value', not within [$low, $high]"
}

if [ -d "$ADLOOM_DATA/adult" ]; then
  judged insurance insurance.yaml auc 0.898 0.92
  judged insurance insurance.yaml logloss 0.30 0.33
  [ "$(wc -l <"$here/insurance/propensities.csv")" = 48843 ] || say "insurance.yaml: not everybody has a propensity"
fi
if [ -d "$ADLOOM_DATA/online_shoppers" ]; then
  judged shoppers shoppers.yaml auc 0.90 0.95
  judged shoppers shoppers.yaml logloss 0.20 0.26
fi
if [ -d "$ADLOOM_DATA/a9a" ]; then # liblinear (L2, C = 1): logloss .324102, AUC .902196
  judged a9a a9a.yaml rows 16281 16281
  judged a9a a9a.yaml logloss 0.3 0.3261
  judged a9a a9a.yaml auc 0.9 0.95
fi
if [ -d "$ADLOOM_DATA/zh_shopping" ]; then
  judged reviews article-reviews.yaml auc 0.95 0.98
  judged reviews article-reviews.yaml nmi 0.35 0.9
  [ "$(grep -c . "$here/reviews/clusters.csv")" = 11 ] || say "article-reviews.yaml: there are not ten clusters"
fi
exit $failed
