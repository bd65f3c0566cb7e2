#!/usr/bin/env bash
# Logistic regression to convergence on the hashed click log in LIBSVM's format: nine tenths to learn from, the last tenth to
# judge by. liblinear minimises C x loss + |w|^2 / 2: l2 is 1 / (C x rows).
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

linear() {
  local rows learned class=lbfgs
  rows=$(scaled 2000000)
  learned=$((rows * 9 / 10))
  data clicks-svm "$rows"
  table "$heading"
  has $class || class=sgd
  [ -e "$folder/learn.svm" ] || head -n $learned "$folder/clicks.svm" >"$folder/learn.svm"
  [ -e "$folder/judge.svm" ] || tail -n +$((learned + 1)) "$folder/clicks.svm" >"$folder/judge.svm"
  cat >linear.yaml <<TEXT
adloom: 1
stages:
  log:
    use: read-libsvm
    path: ["$folder/learn.svm", "$folder/judge.svm"]
    width: 4194304
    labels: binary
    file_column: file
    holdout: {where: "file = 'judge.svm'"}
  click: {use: $class, features: [x], label: label, l2: $(calculate %.9f "1 / (.1 * $learned)"), as: p_click}
  quality: {use: metrics, label: label, score: p_click}
  judged: {use: filter, from: click, where: "file = 'judge.svm'"}
  scores: {use: write-csv, path: scores.csv, columns: [label, p_click]}
TEXT
  begin linear
  ours linear.yaml
  if command -v liblinear-train >/dev/null; then
    against 'liblinear, -s 0' bash "$source/peers/liblinear.sh" "$folder/learn.svm" "$folder/judge.svm" "$work/out/liblinear" 0.1
  fi
  bound random
  measured || return 0
  for i in "${!peers[@]}"; do
    [ -z "${peer_wall[i]}" ] || at_most "$(metric linear quality logloss)" "$(calculate %.5f "${peer_quality[i]} + .003")" "linear: logloss, that of ${peers[i]} and .003"
  done
  show "$rows" '' "held-out logloss $(calculate %.5f "$(metric linear quality logloss)"), by $class"
}
