#!/usr/bin/env bash
# Gaussian mixtures: 200,000 rows of 32 numbers, 20 components from given centres; one iteration of EM, and the likelihood.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

gmm_measured() { # WORK COVARIANCE ITERATIONS
  begin "$1"
  ours gmm.yaml --set "mixture.max_iter=$3" --set "mixture.covariance=$2"
  if python_with sklearn,pandas; then against 'scikit-learn' "$python" "$source/peers/gmm.py" "$2" "$folder/mixture.npy" "$folder/mixture-centres.txt" "$3" "$work/out/gmm.shares"; fi
  bound block2
  measured
}

gmm() {
  local covariance rows many=20
  data mixture "$(scaled 200000)"
  rows=$(fact rows)
  cat >gmm.yaml <<TEXT
adloom: 1
stages:
  rows: {use: read-npy, path: "$folder/mixture.npy", as: x}
  mixture: {use: gmm, features: [x], components: 20, init: file, init_file: "$folder/mixture-centres.txt", tol: 0, max_iter: 20, component: component}
  out: {use: write-csv, path: components.csv, columns: [component]}
TEXT
  table "$heading"
  for covariance in diag full; do
    if slopes; then
      gmm_measured "gmm-few-$covariance" $covariance 2 || return 0
      keep
    fi
    gmm_measured "gmm-$covariance" $covariance $many || return 0
    for i in "${!peers[@]}"; do
      [ -z "${peer_wall[i]}" ] || close_to "$(metric "gmm-$covariance" mixture log-likelihood)" "${peer_quality[i]}" 1e-6 "gmm $covariance: log-likelihood of ${peers[i]}"
    done
    show "$rows" '' "log-likelihood $(calculate %.7f "$(metric "gmm-$covariance" mixture log-likelihood)")"
    slopes || continue
    this="gmm $covariance, an iteration"
    slope $((many - 2))
    # Densities and sums of 20 components, 2 operations each for every number (diag) or pair of numbers (full).
    show "$rows" "80 * 32 * $([ $covariance = full ] && echo 32 || echo 2) * $rows / 1e9 / block2" ''
  done
}
