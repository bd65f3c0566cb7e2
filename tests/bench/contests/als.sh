#!/usr/bin/env bash
# Implicit feedback: 200,000 users, 50,000 items, about 9 million pairs; 64 factors by alternating least squares.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

als() {
  local many=5 iterations hits its_hits quality tolerance
  table "$heading"
  if ! has als; then
    not_built als
    return 0
  fi
  data implicit "$(scaled 200000)"
  cat >als.yaml <<TEXT
adloom: 1
plugins: [$tools/.libs/noop.so]
stages:
  log: {use: read-csv, path: "$folder/implicit.csv", columns: {user: id, item: id, count: float}}
  taste: {use: als, user: user, item: item, weight: count, factors: 64, iterations: $many, reg: 0.01, alpha: 1}
  end: {use: bench.drop} # the model is what is wanted
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
  # The same loss from other random starts: about the same, and not worse.
  for i in "${!peers[@]}"; do
    [ -z "${peer_wall[i]}" ] || at_most "$(metric als taste loss)" "$(calculate %.6f "1.03 * ${peer_quality[i]#*/loss:}")" "als: loss, that of ${peers[i]} and 3 %"
  done
  quality=$(calculate 'loss %.5f' "$(metric als taste loss)")
  if python_with numpy; then
    hits=$("$python" "$source/peers/hits.py" "$work/out/als/models/taste.safetensors" "$folder")
    quality+=", HR@20:$hits"
    # .71 / root of the users is one standard error of the difference of two rates of a half.
    tolerance=$(calculate %.3f ".01 + 2 * .71 / sqrt($(fact held_out))")
    for i in "${!peers[@]}"; do
      its_hits=${peer_quality[i]#HR@20:}
      [ -z "${peer_wall[i]}" ] || at_most "$(calculate %.4f "${its_hits%/*} - $tolerance")" "$hits" "als: HR@20 of ${peers[i]} less $tolerance, and ours"
    done
  fi
  show "$(fact rows)" '' "$quality"
  slopes || return 0
  this='als, an iteration'
  slope $((many - 1))
  # 3 steps of conjugate gradient and the right side: 4 products with each pair's factors, twice (users, items).
  show "$(fact rows)" "16 * 64 * $(fact rows) / 1e9 / block2" ''
}
