#!/bin/bash
# pipelines/reviews.yaml: of the reviews that nothing was learned from at least nine in ten are put into their category; its
# report says how pure the clusters are. Skipped where the data are not there (ADLOOM_DATA).
set -u
if [ -z "${ADLOOM_DATA:-}" ]; then
  echo "skipped: ADLOOM_DATA is not set"
  exit 77
fi
if [ ! -d "$ADLOOM_DATA/zh_shopping" ]; then
  echo "skipped: there is no zh_shopping in ADLOOM_DATA"
  exit 77
fi
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
failed=0

say() {
  echo "$*"
  failed=1
}

"$ADLOOM_BUILD/adloom" run "$ADLOOM_SRC/pipelines/reviews.yaml" --out "$here/run" --store "$here/store" >"$here/run.txt" 2>"$here/run.err" || {
  cat "$here/run.err"
  exit 1
}
grep -q 'warning' "$here/run.err" && say "warnings: $(cat "$here/run.err")"

# held STAGE NAME: a number over held-out rows, with its interval if it has one.
held() {
  awk -v stage="$1" -v name="$2" '/:$/ { held = $0 == stage ", held-out:" } held && $1 == name { $1 = ""; gsub(/[][,]/, " "); print; exit }' "$here/run.txt"
}

read -r accuracy low high <<<"$(held topics accuracy)"
awk -v a="$accuracy" -v l="$low" -v h="$high" 'BEGIN { exit !(a >= 0.9 && a < 0.95 && l < a && a < h && h >= 0.9 && h - l < 0.012) }' ||
  say "accuracy is '$accuracy', from '$low' to '$high'"
read -r rows <<<"$(held topics rows)"
[ "${rows:-0}" -gt 12000 ] || say "only '$rows' reviews were held out"
read -r purity <<<"$(held clusters purity)"
awk -v p="$purity" 'BEGIN { exit !(p >= 0.4 && p <= 1) }' || say "purity of the clusters is '$purity'"
grep -q purity "$here/run/report.html" || say "the report does not mention purity"
grep -q '>酒店<' "$here/run/report.html" || say "the report has no table of categories"
exit $failed
