#!/usr/bin/env bash
# Grouping and joining: 10 million rows, a million keys; the same again with little memory.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

keyed_pipelines() {
  cat >group.yaml <<TEXT
adloom: 1
stages:
  rows: {use: read-csv, path: "$folder/keyed.csv", columns: {key: id, amount: float, token: id}}
  groups: {use: group, by: key, columns: {rows: count(), spend: sum(amount), tokens: "bag(token, amount)"}}
  out: {use: write-csv, path: groups.csv}
TEXT
  cat >join.yaml <<TEXT
adloom: 1
stages:
  keys: {use: read-csv, path: "$folder/keys.csv", columns: {key: id, city: id, factor: float}}
  rows: {use: read-csv, path: "$folder/keyed.csv", columns: {key: id, amount: float, token: skip}}
  joined: {use: join, with: keys, on: key, missing: drop}
  worth: {use: derive, columns: {worth: amount * factor}}
  cities: {use: group, by: city, columns: {rows: count(), worth: sum(worth)}}
  out: {use: write-csv, path: cities.csv}
TEXT
}

# keyed_one NAME OUTPUT COLUMN EXPECTED-ROWS: checks that the sum of a column of the output is that of the peer.
keyed_one() {
  local sum
  begin "$1"
  ours "$1.yaml"
  if python_with pandas; then against 'pandas' "$python" "$source/peers/keyed.py" "$1" "$folder" "$work/out/pandas-$1"; fi
  bound "read:$folder/keyed.csv" "lines:$folder/keyed.csv" random
  measured || return 0
  sum=$(awk -F, -v at="$3" 'NR > 1 { sum += $at } END { printf "%.4f", sum }' "$work/out/$1/$2")
  [ "$4" = '' ] || close_to "$(($(wc -l <"$work/out/$1/$2") - 1))" "$4" 0 "$1: rows of $2"
  [ "$5" = '' ] || close_to "$sum" "$5" 1e-9 "$1: sum of $2"
  for i in "${!peers[@]}"; do
    [ -z "${peer_wall[i]}" ] || close_to "$sum" "${peer_quality[i]}" 1e-9 "$1: sum of ${peers[i]}"
  done
  show "$rows" "$(megabytes "$folder/keyed.csv") / 1e3 * (1 / read + 1 / lines) + $rows / 1e6 / random" "sum $sum"
  begin "$1, --memory 64M"
  ours "$1.yaml" --memory 64M
  measured || return 0
  cmp -s "$work/out/$1/$2" "$pattern/$2" || wrong "$this gives another $2"
  show "$rows" '' 'the same bytes'
}

keyed() {
  local rows keys
  data keyed "$(scaled 10000000)"
  rows=$(fact rows)
  # Not every key comes: each row draws one.
  keys=$(awk -F, 'NR > 1 { seen[$1] } END { print length(seen) }' "$folder/keyed.csv")
  keyed_pipelines
  table "$heading"
  keyed_one group groups.csv 3 "$keys" "$(calculate %.2f "$(fact cents) / 100")"
  keyed_one join cities.csv 3 '' ''
}
