#!/bin/bash
# docs/tutorial.md builds up pipelines/newsletter.yaml: every stage that it shows (but for the steps on the way) stands in that file,
# the steps can be checked as they come, and the decisions are what the tutorial says they are.
set -u
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
adloom=$ADLOOM_BUILD/adloom failed=0

say() {
  echo "$*"
  failed=1
}

# block N: the N-th yaml block of the tutorial.
block() { awk -v want="$1" '$0 == "```" { inside = 0 } inside && count == want { print } $0 == "```yaml" { inside = 1; count++ }' "$ADLOOM_SRC/docs/tutorial.md"; }

mkdir "$here/build"
awk -f "$ADLOOM_SRC/pipelines/shop-log.awk" >"$here/build/shop.csv"
cd "$here" || exit 1
: >mine.yaml
for step in 1 2 3 4; do
  block $step >>mine.yaml
  "$adloom" check mine.yaml >check.txt 2>&1 || { cat check.txt; say "step $step is not a sound pipeline"; }
done
"$adloom" run mine.yaml --out mine --store store >mine.txt 2>mine.err || { cat mine.err; say "the pipeline of step 4 does not run"; }
"$adloom" run mine.yaml --out plain --store store --set 'inputs.crosses=[]' >plain.txt 2>plain.err || { cat plain.err; say "without crosses it does not run"; }
logloss() { awk '/held-out:/ { held = 1 } held && $1 == "logloss" { print $2; exit }' "$1"; }
awk -v with="$(logloss mine.txt)" -v without="$(logloss plain.txt)" 'BEGIN { exit !(with > 0 && with < without - 0.01) }' ||
  say "the cross is worth nothing: logloss $(logloss mine.txt) with it, $(logloss plain.txt) without"
grep -q '^loaded topic' plain.err || say "a change of inputs fitted the topics again"

# Lines of stages, without `from`, which differs on the way.
stages() { sed -E 's/#.*//; s/from: ([a-z_]+|\[[^]]*\]), //; s/[[:space:]]+$//' | grep -E '[a-z]' | grep -vE '^ +from:|path: |^adloom|^stages|^ +holdout: \{newest'; }
stages <"$ADLOOM_SRC/pipelines/newsletter.yaml" >whole
for step in 3 4 5 6 7 8; do
  block $step | stages | while IFS= read -r line; do
    grep -qxF -- "$line" whole || echo "pipelines/newsletter.yaml lacks: $line"
  done
done >lacking
[ ! -s lacking ] || { cat lacking; say "the tutorial and its pipeline differ"; }

"$adloom" run "$ADLOOM_SRC/pipelines/newsletter.yaml" --var "SHOP_LOG=$here/build/shop.csv" --out run --store store >run.txt 2>run.err || { cat run.err; say "newsletter.yaml does not run"; }
awk -F, '
  NR == 1 { next }
  { rows[$1]++; ads[$3]++; sum += $5; if ($NF <= 0 || $NF > 1) bad = 1; if (rows[$1] != $2) bad = 1 }
  END {
    for (user in rows) if (rows[user] > 2) bad = 1
    for (ad in ads) { if (ads[ad] > 60) bad = 1; kinds++ }
    exit bad || kinds != 8 || NR < 380
  }' run/decisions.csv || say "decisions.csv is not what the tutorial says"
awk '/held-out:/ { held = 1 } held && $1 == "rows" { exit $2 != 3999 }' run.txt || say "the offers were judged as if they had been shown"
# Step 8, by its own command.
command=$(sed -n 's|^build/adloom \(compare pipelines/newsletter.yaml .*\)$|\1|p' "$ADLOOM_SRC/docs/tutorial.md")
# shellcheck disable=SC2086 # it is a command line
set -- $command
shift 2
"$adloom" compare "$ADLOOM_SRC/pipelines/newsletter.yaml" "$@" --var "SHOP_LOG=$here/build/shop.csv" --store store --out compared >compare.txt 2>compare.err ||
  { cat compare.err; say "the comparison does not run"; }
awk '$1 == 1 { best = $2 " " $3 } / real$/ { real++ } END { exit !(best == "ftrl 10" && real == 3) }' compare.txt ||
  { cat compare.txt; say "the comparison does not tell what the tutorial says"; }
exit $failed
