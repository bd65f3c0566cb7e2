#!/bin/sh
# The model store as people meet it: what a change re-fits and nothing else, what `run --explain` says of it, `store list` and
# `store prune`, and entries that are torn or corrupted.
set -u
: "${ADLOOM_SRC:?run this by make check}" "${ADLOOM_BUILD:?run this by make check}"
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
failed=0
adloom=$ADLOOM_BUILD/adloom
export XDG_CACHE_HOME="$here/cache" XDG_DATA_HOME="$here/nowhere" SHOP_LOG="$here/shop.csv"
say() {
  echo "$1"
  failed=1
}
awk -f "$ADLOOM_SRC/pipelines/shop-log.awk" >"$here/all.csv"
head -n 3000 "$here/all.csv" >"$SHOP_LOG"
cp "$ADLOOM_SRC/pipelines/shop.yaml" "$here/shop.yaml"
cd "$here" || exit 1

# explained WHAT EXPECTED ARGUMENTS...: the lines of --explain, and that what they call fitted is what was fitted.
explained() {
  what=$1 expected=$2
  shift 2
  "$adloom" run shop.yaml --explain --out run "$@" >out 2>err || { cat err; say "$what: the run failed"; }
  grep -E '^(words|segment|click): (fitted|reused)' err >told
  printf '%s\n' "$expected" | diff - told || say "$what: another explanation"
  sed -n 's/^\([a-z]*\): fitted: .*/\1/p' told >claimed
  sed -n 's/^fitting \([a-z]*\)$/\1/p' err >fitted
  diff claimed fitted || say "$what: what was fitted is not what was explained"
}

same='nothing that it depends on has changed'
explained first "words: fitted: this stage was not run before
segment: fitted: this stage was not run before
click: fitted: this stage was not run before"
# What was kept is a file of its own: who writes over the run's model changes nothing for later runs.
[ -z "$(find "$XDG_CACHE_HOME" -name '*.safetensors' -samefile run/models/words.safetensors)" ] ||
  say "the model of a run is the very file that is kept for later runs"
explained again "words: reused: $same
segment: reused: $same
click: reused: $same"
cp run/metrics.json first.json
explained parameter "words: reused: $same
segment: fitted: \`clusters\` was 10, is 7
click: fitted: upstream, segment: \`clusters\` was 10, is 7" --set segment.clusters=7
explained 'last stage' "words: reused: $same
segment: reused: $same
click: fitted: \`alpha\` was 0.3, is 0.2" --set segment.clusters=7 --set click.alpha=0.2
explained back "words: reused: $same
segment: reused: a model of just this is in the store
click: reused: a model of just this is in the store"
cmp -s run/metrics.json first.json || say "other results from the store"
explained fresh "words: fitted: --fresh
segment: fitted: --fresh
click: fitted: --fresh" --fresh
explained seed "words: fitted: seed was 42, is 3
segment: fitted: seed was 42, is 3
click: fitted: seed was 42, is 3" --set seed=3
head -n 2900 all.csv >"$SHOP_LOG"
explained file "words: fitted: seed was 3, is 42; upstream, log: the file of \`path\` has changed
segment: fitted: seed was 3, is 42; upstream, log: the file of \`path\` has changed
click: fitted: seed was 3, is 42; upstream, log: the file of \`path\` has changed"
cp run/metrics.json second.json

# Another build of a plugin.
mkdir plugins
cp "$ADLOOM_BUILD"/plugins/profile/.libs/kmeans.so plugins/ 2>/dev/null && {
  printf 'another build' >>plugins/kmeans.so
  objcopy --remove-section .note.gnu.build-id plugins/kmeans.so 2>/dev/null
  sed 's|^stages:|plugins: [plugins/kmeans.so]\nstages:|' "$ADLOOM_SRC/pipelines/shop.yaml" >shop.yaml
  explained build "words: reused: $same
segment: fitted: the plugin of kmeans is another build
click: fitted: upstream, segment: the plugin of kmeans is another build"
  cp "$ADLOOM_SRC/pipelines/shop.yaml" shop.yaml
}

# Torn and corrupted entries are told, removed, and made again.
"$adloom" store list >list || say "store list fails"
grep -q 'kmeans 1' list && grep -q ' models, ' list || say "store list does not show the models"
ls cache/adloom/models/*.safetensors | while read -r entry; do
  case $entry in
    *[0-7].safetensors) truncate -s 300 "$entry" ;;
    *) printf '\377\377\377\377' | dd of="$entry" bs=1 seek=$(($(stat -c %s "$entry") - 8)) conv=notrunc 2>/dev/null ;;
  esac
done
"$adloom" run shop.yaml --out run >out 2>err || say "the run with a spoilt store failed"
grep -q 'entry that cannot be used and is removed' err || say "spoilt entries are not told"
cmp -s run/metrics.json second.json || say "other results with a spoilt store"
"$adloom" run shop.yaml --out run >out 2>err
grep -q '^fitting' err && say "the spoilt entries were not made again"

# A comparison that is interrupted goes on from the models that were fitted.
cp all.csv "$SHOP_LOG"
sweep="--swap segment.clusters=3,4,5,6,7,8,9,11,12,13 --threads 1 --out compared"
# shellcheck disable=SC2086 # a list of words
"$adloom" compare shop.yaml $sweep >out 2>err &
running=$!
while kill -0 $running 2>/dev/null && ! grep -q '^fitting segment~3' err; do sleep 0.02; done
kill -INT $running 2>/dev/null
wait $running
[ $? = 130 ] || say "an interrupted comparison does not say so"
grep -q 'the same command goes on from there' err || say "an interrupted comparison does not say how to go on"
[ ! -e compared ] || say "an interrupted comparison leaves results"
# shellcheck disable=SC2086
"$adloom" compare shop.yaml $sweep >out 2>err || say "the comparison does not go on"
grep -q '^loaded segment$' err && grep -q '^loaded segment~2$' err && grep -q '^fitting segment~9$' err ||
  say "the comparison does not go on from what was fitted"
[ "$(grep -c '^ *[0-9]' out)" -ge 10 ] || say "the comparison has not all versions"

# Looking at a model is not using it.
touch -a -d '2 years ago' cache/adloom/models/*.safetensors
"$adloom" store list >list || say "store list fails"
"$adloom" store prune --unused 365d >out
"$adloom" store list >list
grep -q '^0 models, ' list || say "what is listed counts as used"
"$adloom" run shop.yaml --out run >out 2>err || say "the run after prune fails"

"$adloom" store prune >out 2>err && say "prune removes without being told what"
"$adloom" store prune --unused soon >out 2>err && say "prune takes a time that is none"
"$adloom" store prune --unused 30d >out || say "prune --unused fails"
grep -q '^0 models removed' out || say "prune --unused 30d removes what was just used"
"$adloom" store prune --all >out || say "prune --all fails"
"$adloom" store list >list
grep -q '^0 models, ' list || say "prune --all leaves models"
exit $failed
