#!/usr/bin/env bash
# The simulated market: making its impressions alone, and the whole loop over them.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

market() {
  local rows made
  rows=$(scaled 1000000)
  table "$heading"
  cat >impressions.yaml <<TEXT
adloom: 1
stages:
  log: {use: market, table: impressions, world: 7, rows: $rows}
  out: {use: write-csv, path: /dev/null, columns: [user, ad, clicked]}
TEXT
  begin 'market, impressions made'
  ours impressions.yaml
  measured || return 0
  made=$wall
  show "$rows" '' ''
  begin 'market'
  ours "$ADLOOM_SRC/pipelines/market.yaml" --var "ROWS=$rows"
  measured || return 0
  show "$rows" "$made" "oracle's share of clicks $(calculate %.3f "$(metric market policies profiles.share)")"
}
