#!/usr/bin/env bash
# Memory: data ten times as large as --memory give the same bytes as with all memory, and the peak says what they took.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

# bounded WORK YAML BYTES OUTPUT: BYTES are those of the rows that the stages keep.
bounded() {
  local megabytes=$(($3 / 10 / 1048576 + 1)) free_peak name=${2%.yaml}
  measure 1 "$adloom" run "$2" --quiet --fresh --store "$work/store" --out "$work/out/$name-free" || return 0
  free_peak=$peak
  measure 1 "$adloom" run "$2" --quiet --fresh --store "$work/store" --out "$work/out/$name-tight" --memory "${megabytes}M" || return 0
  cmp -s "$work/out/$name-free/$4" "$work/out/$name-tight/$4" || wrong "memory: $1: --memory ${megabytes}M gives another $4"
  [ -s "$work/out/$name-tight/$4" ] || wrong "memory: $1: $4 is empty"
  # What is not rows: the program and its libraries, batches on their way, what is learned.
  at_most "$peak" $((megabytes + 120 + ${5:-0})) "memory: $1: peak MiB with --memory ${megabytes}M"
  printf '| %s | %s | %s M | %s | %s | the same bytes |\n' "$1" "$(($3 / 1048576))" "$megabytes" "$free_peak" "$peak"
}

memory() {
  local columns='' names='' rows
  table 'work,rows that are kept (MiB),--memory,peak MiB without a bound,peak MiB,result'
  data dense "$(scaled 1000000)"
  rows=$(fact rows)
  for i in $(seq 0 63); do columns+=", x$i: float" names+=", x$i"; done
  cat >memory-kmeans.yaml <<TEXT
adloom: 1
stages:
  rows: {use: read-csv, path: "$folder/dense.csv", columns: {${columns#, }}}
  cluster: {use: kmeans, features: [${names#, }], clusters: 20, tol: 0, max_iter: 3}
  out: {use: write-csv, path: clusters.csv, columns: [cluster]}
TEXT
  bounded 'k-means, 64 numbers a row' memory-kmeans.yaml $((rows * 64 * 4)) clusters.csv
  data documents "$(scaled 500000)"
  cat >memory-text.yaml <<TEXT
adloom: 1
stages:
  documents: {use: read-csv, path: "$folder/documents.txt", header: false, delimiter: tab, quote: "", columns: {text: string}}
  words: {use: tfidf, text: text}
  out: {use: write-jsonl, path: words.jsonl, columns: [words]}
TEXT
  bounded 'TF-IDF' memory-text.yaml "$(stat -c %s "$folder/documents.txt")" words.jsonl
  data keyed "$(scaled 10000000)"
  cat >memory-group.yaml <<TEXT
adloom: 1
stages:
  rows: {use: read-csv, path: "$folder/keyed.csv", columns: {key: id, amount: float, token: id}}
  groups: {use: group, by: token, columns: {rows: count(), spend: sum(amount), most: max(amount)}}
  shares: {use: join, from: rows, with: groups, on: token, columns: [spend]}
  share: {use: derive, columns: {share: amount / spend}}
  out: {use: write-csv, path: shares.csv, columns: [key, share]}
TEXT
  bounded 'group, and a join of its sums to all rows' memory-group.yaml "$(stat -c %s "$folder/keyed.csv")" shares.csv
}
