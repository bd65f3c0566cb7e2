#!/usr/bin/env bash
# Factorisation machines on the click log: fm (8 factors, 2^22 dimensions) and ffm (4 factors, 2^18): online in one pass; fitted to
# nine tenths and judged on the last tenth, with one thread and with two; a pass more.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

# The log in two files, and the pipelines: fm takes the hashed features of the main click log, ffm the columns themselves: each is
# a field.
factors_pipelines() {
  local columns='' names='' reading
  [ "$folder/learn.tsv" -nt "$log" ] || head -n $((learned + 1)) "$log" >"$folder/learn.tsv"
  [ "$folder/judge.tsv" -nt "$log" ] || { head -n 1 "$log" && tail -n +$((learned + 2)) "$log"; } >"$folder/judge.tsv"
  for i in $(seq 13); do columns+=", i$i: float" names+=", i$i"; done
  for i in $(seq 26); do columns+=", c$i: id" names+=", c$i"; done
  reading="    path: [$folder/learn.tsv, $folder/judge.tsv]\n    file_column: file\n    holdout: {where: \"file = 'judge.tsv'\"}"
  cat >ffm.yaml <<TEXT
adloom: 1
stages:
  log:
    use: read-csv
    path: \${LOG}
    columns: {label: int$columns}
  click: {use: ffm, columns: [${names#, }], label: label, learn: online, as: p_click}
  scores: {use: write-csv, path: scores.csv, columns: [label, p_click]}
TEXT
  sed -E 's/^  click: .*/  click: {use: fm, features: [x], label: label, learn: online, as: p_click}/' "$source/click.yaml" >fm.yaml
  for i in fm ffm; do
    sed -E -e "s#^    path: .*#$reading#" -e '/^  click: /s/learn: online/learn: fit, holdback: 0/' -e '/^  scores: /,$d' $i.yaml >$i-fit.yaml
    echo '  quality: {use: metrics, label: label, score: p_click}' >>$i-fit.yaml
    grep -q "use: $i,.*learn: fit" $i-fit.yaml || wrong "$i-fit.yaml is not made"
  done
}

# factors_online CLASS FACTORS UPDATES-A-VALUE
factors_online() {
  begin "$1, online"
  ours "$1.yaml" --var "LOG=$log" --set "click.factors=$2"
  bound random
  measured || return 0
  at_most "$(metric "$this" click logloss)" .57 "$this: logloss"
  show "$rows" "39 * $rows / 1e6 * $3 / random" "logloss $(calculate %.5f "$(metric "$this" click logloss)")"
}

# factors_fitted CLASS FACTORS UPDATES-A-VALUE THREADS: passes 1 and 3, their difference, and the quality after them.
factors_fitted() {
  local passes quality work_name="$1-threads-$4"
  for passes in $(slopes && echo 1) 3; do
    begin "$work_name"
    ours "$1-fit.yaml" --set "click.factors=$2" --set "click.epochs=$passes" --threads "$4"
    if [ "$1" = ffm ] && command -v ffm-train >/dev/null; then
      against 'libffm, k=4' bash "$source/peers/ffm.sh" "$fields/learn.ffm" "$fields/judge.ffm" "$work/out/libffm" $passes "$4"
    fi
    bound random
    measured || return 0
    [ $passes = 3 ] || keep
  done
  quality=$(metric "$work_name" quality logloss)
  at_most "$quality" .57 "$this: held-out logloss"
  for i in "${!peers[@]}"; do
    [ -z "${peer_wall[i]}" ] || at_most "$quality" "$(calculate %.5f "${peer_quality[i]} + .003")" "$this: held-out logloss, that of ${peers[i]} and .003"
  done
  [ "$4" = 1 ] || cmp -s "$work/out/$work_name/models/click.safetensors" "$work/out/$1-threads-1/models/click.safetensors" ||
    wrong "$1: one thread gives another model"
  this="$1, 3 passes, threads: $4"
  show "$learned" '' "held-out logloss $(calculate %.5f "$quality")"
  slopes || return 0
  this=$1 # published figures are told of two threads, as they were measured
  [ "$4" = 2 ] || this+=', a pass, one thread'
  slope 2
  show "$learned" "39 * $learned / 1e6 * $3 / random" "a pass, threads: $4"
}

factors_one() { # CLASS FACTORS UPDATES-A-VALUE
  if ! has "$1"; then
    not_built "$1"
    return 0
  fi
  factors_online "$@"
  factors_fitted "$@" 1
  factors_fitted "$@" 2
}

factors() {
  local log rows learned fields
  rows=$(scaled 2000000)
  learned=$((rows * 9 / 10))
  if command -v ffm-train >/dev/null; then
    data clicks-ffm "$rows"
    fields=$folder
    [ "$fields/learn.ffm" -nt "$fields/clicks.ffm" ] || head -n $learned "$fields/clicks.ffm" >"$fields/learn.ffm"
    [ "$fields/judge.ffm" -nt "$fields/clicks.ffm" ] || tail -n +$((learned + 1)) "$fields/clicks.ffm" >"$fields/judge.ffm"
  fi
  data clicks "$rows"
  log=$folder/clicks.tsv
  factors_pipelines
  table "$heading"
  factors_one fm 8 1
  factors_one ffm 4 39
}
