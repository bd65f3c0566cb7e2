#!/usr/bin/env bash
# The click log: read, hashed to 2^22 and learned from online by FTRL; a pass more over it; scored only. Vowpal Wabbit reads
# the same rows in its own text format and learns by FTRL with the same parameters.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

# against_vw NAME ARGUMENTS...: its own driver, by the program or by its Python package.
against_vw() {
  if command -v vw >/dev/null; then
    against "$1" bash "$source/peers/vw.sh" "${@:2}"
  elif python_with vowpalwabbit; then
    against "$1" "$python" "$source/peers/vw.py" "${@:2}"
  fi
}

# What can be had at best: bytes through read(2) and memchr, and an update in random memory for each value of a row.
clicks_floor() { echo "$(megabytes "$log") / 1e3 * (1 / read + 1 / lines) + 39 * $rows / 1e6 / random"; }

check_scores() { # RUN
  local loss lines
  loss=$(metric "$1" click logloss) lines=$(wc -l <"$work/out/$1/scores.csv")
  close_to "$(metric "$1" click rows_learned)" "$rows" 0 "$1: rows learned from"
  [ "$lines" = $((rows + 1)) ] || wrong "$1: scores.csv has $lines lines, not $((rows + 1))"
  at_most "$least_loss" "$loss" "$1: least logloss that can be reached"
  at_most "$loss" .57 "$1: logloss"
}

clicks_online() {
  begin clicks
  ours "$source/click.yaml" --var "LOG=$log"
  against_vw 'Vowpal Wabbit, FTRL from text' -d "$text" -b 22 --loss_function logistic --ftrl --ftrl_alpha .1 -p "$work/out/vw.scores" -f "$work/out/vw.model"
  if python_with sklearn; then against 'scikit-learn, FeatureHasher and SGD' "$python" "$source/peers/clicks.py" "$log" "$work/out/sklearn.scores"; fi
  bound "read:$log" "lines:$log" random
  measured || return 0
  check_scores clicks
  at_most "$peak" 300 'clicks: MiB of memory'
  for i in "${!peers[@]}"; do
    [ -z "${peer_wall[i]}" ] || at_most "$(metric clicks click logloss)" "$(calculate %.5f "${peer_quality[i]} + .003")" "clicks: logloss, that of ${peers[i]} and .003"
  done
  show "$rows" "$(clicks_floor)" "logloss $(calculate %.5f "$(metric clicks click logloss)")"
}

# The same bytes with one thread, and with little memory.
clicks_same() {
  begin clicks-single
  ours "$source/click.yaml" --var "LOG=$log" --threads 1 --memory 64M
  measured || return 0
  cmp -s "$work/out/clicks/scores.csv" "$work/out/clicks-single/scores.csv" || wrong 'clicks: one thread and little memory give other scores'
  this='clicks, one thread, --memory 64M'
  show "$rows" "$(clicks_floor)" 'the same scores'
}

clicks_pass() {
  local passes vw_passes
  slopes || return 0
  for passes in 1 3; do
    begin 'clicks, a pass more'
    ours "$source/click.yaml" --var "LOG=$log" --set click.learn=fit --set "click.epochs=$passes"
    vw_passes=(-d "$text" -b 22 --loss_function logistic --ftrl --ftrl_alpha .1 --holdout_off --passes "$passes" --cache_file "$work/out/vw.cache" -k)
    against_vw 'Vowpal Wabbit, FTRL from its cache' "${vw_passes[@]}"
    bound random
    measured || return 0
    [ $passes = 3 ] || keep
  done
  slope 2
  show "$rows" "39 * $rows / 1e6 / random" ''
}

# Scores of the rows by the model that has seen them all: better than the progressive ones.
check_scored() {
  local loss
  loss=$(awk -F, 'NR > 1 { p = $1 ? $2 : 1 - $2; loss -= log(p > 1e-15 ? p : 1e-15) } END { print loss / (NR - 1) }' "$work/out/$this/scores.csv")
  at_most "$loss" "$(metric clicks click logloss)" 'clicks, scored: logloss, that while learning'
}

clicks_scored() {
  begin 'clicks, scored'
  ours "$source/click.yaml" --var "LOG=$log" --models "$work/out/clicks"
  [ ! -e "$work/out/vw.model" ] || against_vw 'Vowpal Wabbit, FTRL' -d "$text" --loss_function logistic -t -i "$work/out/vw.model" -p "$work/out/vw.scores"
  bound "read:$log" "lines:$log" random
  measured || return 0
  check_scored
  peer_quality=('')
  show "$rows" "$(clicks_floor)" ''
}

clicks() {
  local log rows text least_loss
  rows=$(scaled 2000000)
  data clicks-vw "$rows"
  text=$folder/clicks.vw
  data clicks "$rows"
  log=$folder/clicks.tsv least_loss=$(fact least_logloss)
  table "$heading"
  clicks_online
  clicks_same
  clicks_pass
  clicks_scored
}
