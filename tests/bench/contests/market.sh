#!/usr/bin/env bash
# The simulated market: making its impressions alone; the whole loop over them, as the pipeline makes them and from files, which
# is what pandas and scikit-learn can be compared with.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

tables='items users ads browse impressions'

# The market's tables as files, made once: sets folder.
market_files() {
  folder=$work/data/market-$rows
  [ ! -e "$folder/impressions.csv" ] || [ "$adloom" -nt "$folder/impressions.csv" ] || return 0
  {
    printf 'adloom: 1\nx-world: &world %s\nstages:\n' "$(sed -n 's/^x-world: &world //p' "$pipeline")"
    for table in $tables; do
      printf '  %s: {use: market, table: %s, rows: %s, <<: *world}\n  %s_file: {use: write-csv, path: %s.csv}\n' $table $table "$rows" $table $table
    done
  } >market-data.yaml
  "$adloom" run market-data.yaml --quiet --fresh --store "$work/store" --out "$folder"
}

# The pipeline with files in place of the stages that make the tables, up to where the truth comes in, which no file tells.
market_from_files() {
  local table columns edits=()
  for table in $tables; do
    case $table in
      items) columns='item: id, title: string, category: category' ;;
      users) columns='user: id, age: int, gender: category, city: category, device: category' ;;
      ads) columns='ad: id, category: category, target_gender: string, target_city: string' ;;
      browse) columns='at: timestamp, user: id, item: id, seconds: int' ;;
      impressions) columns='at: timestamp, user: id, ad: id, position: int, device: category, clicked: bool, purchased: bool' ;;
    esac
    edits+=(-e "s#^  $table: {use: market,.*#  $table: {use: read-csv, path: \"$folder/$table.csv\", columns: {$columns}}#")
  done
  sed "${edits[@]}" -e '/^  # --- the truth/,$d' "$pipeline" >market-files.yaml
  [ "$(grep -c 'use: read-csv' market-files.yaml)" = 5 ] || wrong 'market-files.yaml: not all tables are read from files'
}

market() {
  local rows made pipeline=$ADLOOM_SRC/pipelines/market.yaml auc tolerance
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
  ours "$pipeline" --var "ROWS=$rows"
  measured || return 0
  show "$rows" "$made" "oracle's share of clicks $(calculate %.3f "$(metric market policies profiles.share)")"
  market_files
  market_from_files
  begin 'market, from files'
  ours market-files.yaml
  if python_with sklearn,pandas; then against 'pandas and scikit-learn' "$python" "$source/peers/market.py" "$folder" "$work/out/market.csv"; fi
  bound "read:$folder/impressions.csv"
  measured || return 0
  auc=$(metric "$this" click_quality auc)
  # Two learners are compared that are not the same: ours must not be worse, the peer's not so bad that its time tells nothing.
  # .82 / root of the clicks is two standard errors of the difference of two AUCs near .5.
  tolerance=$(calculate %.3f ".01 + .82 / sqrt($(metric "$this" click_quality positives))")
  for i in "${!peers[@]}"; do
    [ -n "${peer_wall[i]}" ] || continue
    at_most "$(calculate %.4f "${peer_quality[i]} - $tolerance")" "$auc" "market: AUC of ${peers[i]} less $tolerance, and ours"
    at_most "$(calculate %.4f "$auc - $tolerance - .02")" "${peer_quality[i]}" "market: our AUC less $tolerance and .02, and that of ${peers[i]}"
  done
  show "$rows" "$(megabytes "$folder"/*.csv) / 1e3 / read" "held-out AUC $(calculate %.4f "$auc")"
}
