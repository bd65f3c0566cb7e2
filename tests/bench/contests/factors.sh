#!/usr/bin/env bash
# Factorisation machines on the click log, where they are built: fm and ffm, online in one pass, as the click log by FTRL.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

# ffm takes the columns themselves: each is a field.
fields_pipeline() {
  local columns='' names=''
  for i in $(seq 13); do columns+=", i$i: float" names+=", i$i"; done
  for i in $(seq 26); do columns+=", c$i: id" names+=", c$i"; done
  cat <<TEXT
adloom: 1
stages:
  log: {use: read-csv, path: "\${LOG}", columns: {label: int$columns}}
  click: {use: ffm, columns: [${names#, }], label: label, learn: online, as: p_click}
  scores: {use: write-csv, path: scores.csv, columns: [label, p_click]}
TEXT
}

# factors_one CLASS FACTORS TABLE-CELLS-A-VALUE
factors_one() {
  begin "$1"
  if ! has "$1"; then
    not_built "$1"
    return 0
  fi
  if [ "$1" = ffm ]; then fields_pipeline >ffm.yaml; else sed -E "s/^  click: .*/  click: {use: $1, features: [x], label: label, learn: online, as: p_click}/" "$source/click.yaml" >"$1.yaml"; fi
  grep -q "use: $1," "$1.yaml" || wrong "$1.yaml is not made"
  ours "$1.yaml" --var "LOG=$log" --set "click.factors=$2"
  bound random
  measured || return 0
  at_most "$(metric "$1" click logloss)" .57 "$1: logloss"
  show "$rows" "39 * $rows / 1e6 * $3 / random" "logloss $(calculate %.5f "$(metric "$1" click logloss)")"
}

factors() {
  local log rows
  data clicks "$(scaled 2000000)"
  log=$folder/clicks.tsv rows=$(fact rows)
  table "$heading"
  factors_one fm 8 1
  factors_one ffm 4 39
}
