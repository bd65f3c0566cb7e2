#!/usr/bin/env bash
# How cost grows: twice the rows, twice the columns, twice the keys, two threads for one.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

# grows WORK WHAT YAML1 [ARGUMENTS...] --- YAML2 [ARGUMENTS...]
grows() {
  local work_text=$1 what=$2 first=() second=() both=0 lines
  shift 2
  for i in "$@"; do
    if [ "$i" = --- ]; then both=1; elif [ $both = 0 ]; then first+=("$i"); else second+=("$i"); fi
  done
  mapfile -t lines < <(turns "$runs" "$adloom" run --quiet --fresh --store "$work/store" --out "$work/out/growth1" "${first[@]}" \
    --- "$adloom" run --quiet --fresh --store "$work/store" --out "$work/out/growth2" "${second[@]}" || true)
  if [ ${#lines[@]} -lt 2 ] || [[ ${lines[*]} == *failed* ]]; then
    wrong "growth: $work_text failed"
    return 0
  fi
  local wall1 processor1 least1 peak1 wall2 processor2 least2 peak2
  read -r wall1 processor1 least1 peak1 <<<"${lines[0]}"
  read -r wall2 processor2 least2 peak2 <<<"${lines[1]}"
  printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$work_text" "$what" "$(calculate '%.3f s (processor %.3f)' "$wall1, $processor1")" \
    "$(calculate '%.3f s (processor %.3f)' "$wall2, $processor2")" "$(calculate '%.2f (%.2f)' "$wall2 / $wall1, $processor2 / $processor1")" "$peak1" "$peak2"
}

# The same job on half of its rows is the same file read with --limit.
growth() {
  local rows log half
  table 'work,what is twice as much,once,twice,factor of time (of processor time),peak MiB once,twice'
  data clicks "$(scaled 2000000)"
  log=$folder/clicks.tsv rows=$(fact rows) half=$(($(fact rows) / 2))
  grows 'clicks, learned online' rows "$source/click.yaml" --var "LOG=$log" --limit "$half" --- "$source/click.yaml" --var "LOG=$log"
  grows 'clicks, learned online' threads "$source/click.yaml" --var "LOG=$log" --threads 1 --- "$source/click.yaml" --var "LOG=$log" --threads 2
  growth_kmeans
  growth_text
  growth_keys
}

growth_kmeans() {
  local narrow=32 wide=64 width
  data dense "$(scaled 1000000)"
  for width in $narrow $wide; do
    local columns='' names=''
    for i in $(seq 0 $((width - 1))); do columns+=", x$i: float" names+=", x$i"; done
    printf 'adloom: 1\nstages:\n  rows: {use: read-csv, path: "%s", columns: {%s}}\n  cluster: {use: kmeans, features: [%s], clusters: 100, tol: 0, max_iter: 10}\n' \
      "$folder/dense.csv" "${columns#, }" "${names#, }" >"growth-$width.yaml"
  done
  grows 'k-means' rows growth-64.yaml --limit $(($(fact rows) / 2)) --- growth-64.yaml
  grows 'k-means' columns growth-32.yaml --- growth-64.yaml
  grows 'k-means' clusters growth-64.yaml --set cluster.clusters=50 --- growth-64.yaml
  grows 'k-means' threads growth-64.yaml --threads 1 --- growth-64.yaml --threads 2
}

growth_text() {
  data documents "$(scaled 500000)"
  cat >growth-text.yaml <<TEXT
adloom: 1
plugins: [$tools/.libs/noop.so]
stages:
  documents: {use: read-csv, path: "$folder/documents.txt", header: false, delimiter: tab, quote: "", columns: {text: string}}
  words: {use: tfidf, text: text}
  total: {use: bench.total, columns: [words]}
TEXT
  grows 'TF-IDF' rows growth-text.yaml --limit $(($(fact rows) / 2)) --- growth-text.yaml
  grows 'TF-IDF' threads growth-text.yaml --threads 1 --- growth-text.yaml --threads 2
}

# As many rows with half as many keys: the first row of each key's number without its last bit.
growth_keys() {
  data keyed "$(scaled 5000000)"
  cat >growth-group.yaml <<TEXT
adloom: 1
stages:
  rows: {use: read-csv, path: "$folder/keyed.csv", columns: {key: id, amount: float, token: id}}
  groups: {use: group, by: key, columns: {rows: count(), spend: sum(amount), tokens: "bag(token, amount)"}}
  out: {use: write-csv, path: groups.csv, columns: [key, rows, spend]}
TEXT
  sed 's/key: id, amount/key: id, amount/; s#keyed.csv#halved.csv#' growth-group.yaml >growth-halved.yaml
  [ -e "$folder/halved.csv" ] || awk -F, -v OFS=, 'NR > 1 { k = substr($1, 2); $1 = "k" (k - k % 2) } 1' "$folder/keyed.csv" >"$folder/halved.csv"
  grows 'group with a bag' rows growth-group.yaml --limit $(($(fact rows) / 2)) --- growth-group.yaml
  grows 'group with a bag' keys growth-halved.yaml --- growth-group.yaml
  grows 'group with a bag' threads growth-group.yaml --threads 1 --- growth-group.yaml --threads 2
}
