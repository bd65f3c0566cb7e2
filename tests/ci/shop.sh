#!/bin/sh
# The generated log is the same bytes everywhere, and pipelines/shop.yaml learns from it: better than a constant on rows that it never
# saw, the same bytes a second time (from the model store) and with other threads.
set -u
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
adloom=$ADLOOM_BUILD/adloom
failed=0

say() {
  echo "$*"
  failed=1
}

awk -f "$ADLOOM_SRC/pipelines/shop-log.awk" >"$here/shop.csv"
sum=$(cksum <"$here/shop.csv")
[ "$sum" = "2924520882 1273761" ] || say "the log has the checksum $sum"

run() { # run NAME ARGUMENTS...
  name=$1
  shift
  SHOP_LOG=$here/shop.csv "$adloom" run "$ADLOOM_SRC/pipelines/shop.yaml" --out "$here/$name" --store "$here/store" "$@" \
    >"$here/$name.txt" 2>"$here/$name.err" || { cat "$here/$name.err"; say "shop.yaml does not run ($name)"; }
}

run first --threads 1
run again
run fresh --threads 3 --memory 16M --fresh

# Line numbers of the rows that cannot be read: those with a month 13 or 14.
grep -n ',2024-1[0-9]-' "$here/shop.csv" | cut -d: -f1 >"$here/expected"
sed -n 's/.*"line":\([0-9]*\).*/\1/p' "$here/first/rejects.jsonl" >"$here/rejected"
diff -u "$here/expected" "$here/rejected" || say "other rows were rejected than those that cannot be read"

value() { awk -v name="$1" '$1 == name { print $2 }' "$here/first.txt"; }
awk -v auc="$(value auc)" -v entropy="$(value normalised_entropy)" 'BEGIN { exit !(auc > 0.7 && entropy < 0.95) }' ||
  say "held-out auc is $(value auc), normalised entropy $(value normalised_entropy)"

for name in again fresh; do
  for file in decisions.csv rejects.jsonl metrics.json models/words.safetensors models/segment.safetensors models/click.safetensors; do
    cmp "$here/first/$file" "$here/$name/$file" || say "$file differs in the run $name"
  done
done
[ "$(grep -c '^loaded' "$here/again.err")" = 3 ] || say "the second run did not take its three models from the store"
[ "$(wc -l <"$here/first/decisions.csv")" -gt 19900 ] || say "decisions are missing"

# The guide's examples of --set are of this pipeline.
sed -n '/^### Variables and --set/,/^### Strictness/s/`--set \([^`]*\)`/\n\1\n/gp' "$ADLOOM_SRC/docs/guide.md" |
  grep '^[a-z0-9.]*=[^ ]*$' | grep -v '^stage\.parameter=' >"$here/sets"
[ "$(wc -l <"$here/sets")" -ge 4 ] || say "the guide has no examples of --set"
while read -r set; do
  SHOP_LOG=$here/shop.csv "$adloom" check "$ADLOOM_SRC/pipelines/shop.yaml" --set "$set" >"$here/check.txt" 2>&1 || {
    cat "$here/check.txt"
    say "the guide's --set $set does not go with shop.yaml"
  }
done <"$here/sets"
exit $failed
