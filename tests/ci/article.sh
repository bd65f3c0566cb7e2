#!/bin/bash
# pipelines/article.yaml: its five clusters are the five things that its texts are about, each says so in words, and the losses are
# those of the predictions beside them.
set -u
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
failed=0

say() {
  echo "$*"
  failed=1
}

"$ADLOOM_BUILD/adloom" run "$ADLOOM_SRC/pipelines/article.yaml" --out "$here/run" --store "$here/store" >"$here/run.txt" 2>"$here/run.err" || {
  cat "$here/run.err"
  exit 1
}
[ "$(head -n 1 "$here/run/contents.csv")" = user,content,cluster ] || say "contents.csv is another table"
[ "$(wc -l <"$here/run/contents.csv")" = 61 ] || say "there are 60 contents"

# One word that only texts about one thing have, and the cluster that is about it.
for word in 手机 酒店 款式 新鲜 故事; do
  clusters=$(grep "$word" "$here/run/contents.csv" | cut -d, -f3 | sort -u)
  [ "$(echo "$clusters" | wc -l)" = 1 ] || say "texts with $word are in several clusters"
  grep -q "^$clusters,\"[^\"]*$word" "$here/run/clusters.csv" || say "cluster $clusters does not say that it is about $word: $(cat "$here/run/clusters.csv")"
done
[ "$(cut -d, -f1 "$here/run/clusters.csv" | sort -u | wc -l)" = 6 ] || say "there are not five clusters"

awk -F, '
  NR == 1 { if ($0 != "user,ad,content,clicked,p_click,loss") exit bad = 1; next }
  { p = $(NF - 2) == "true" ? $(NF - 1) : 1 - $(NF - 1); d = $NF + log(p); if (d < -1e-6 || d > 1e-6) bad = 1; sum += $NF }
  END { if (NR != 121 || sum / 120 > 0.6) bad = 1; exit bad }' "$here/run/losses.csv" || say "losses.csv is not what it says"
exit $failed
