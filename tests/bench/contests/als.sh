#!/usr/bin/env bash
# Implicit feedback: 200,000 users, 50,000 items, about 9 million pairs; 64 factors by alternating least squares.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

als() {
  local many=5 iterations
  table "$heading"
  if ! has als; then
    not_built als
    return 0
  fi
  data implicit "$(scaled 200000)"
  cat >als.yaml <<TEXT
adloom: 1
stages:
  log: {use: read-csv, path: "$folder/implicit.csv", columns: {user: id, item: id, count: float}}
  taste: {use: als, user: user, item: item, weight: count, factors: 64, iterations: $many, reg: 0.01, alpha: 1}
  out: {use: write-csv, path: factors.csv}
TEXT
  for iterations in $(slopes && echo 1) $many; do
    begin als
    ours als.yaml --set "taste.iterations=$iterations"
    if python_with implicit,scipy; then
      against 'implicit, conjugate gradient' "$python" "$source/peers/als.py" "$folder" "$iterations" "$work/out/implicit"
    fi
    bound block2
    measured || return 0
    [ "$iterations" != 1 ] || keep
  done
  show "$(fact users)" '' "loss $(metric als taste loss)"
  slopes || return 0
  this='als, an iteration'
  slope $((many - 1))
  # 3 steps of conjugate gradient and the right side: 4 products with each pair's factors, twice (users, items).
  show "$(fact rows)" "16 * 64 * $(fact rows) / 1e9 / block2" ''
}
