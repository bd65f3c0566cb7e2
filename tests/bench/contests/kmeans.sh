#!/usr/bin/env bash
# k-means: a million rows of 64 numbers, 100 clusters, 20 iterations of Lloyd from given centres; the whole process, and one
# iteration.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

kmeans_pipeline() { # FILE CENTRES
  cat <<TEXT
adloom: 1
stages:
  rows: {use: read-npy, path: "$1", as: x}
  cluster: {use: kmeans, features: [x], clusters: 100, init: file, init_file: "$2", tol: 0, max_iter: 20}
  out: {use: write-csv, path: clusters.csv, columns: [cluster]}
TEXT
}

kmeans_measured() { # WORK ITERATIONS
  begin "$1"
  ours kmeans.yaml --set "cluster.max_iter=$2"
  for peer in sklearn faiss; do
    if python_with "$peer,pandas"; then against "$peer, Lloyd" "$python" "$source/peers/kmeans.py" $peer "$folder/dense.npy" "$folder/dense-centres.txt" "$2" "$work/out/$peer.labels"; fi
  done
  bound "read:$folder/dense.npy" block2
  measured
}

kmeans() {
  local rows inertia
  data dense "$(scaled 1000000)"
  rows=$(fact rows)
  kmeans_pipeline "$folder/dense.npy" "$folder/dense-centres.txt" >kmeans.yaml
  table "$heading"
  if slopes; then
    kmeans_measured kmeans-few 2 || return 0
    keep
  fi
  kmeans_measured kmeans 20 || return 0
  inertia=$(metric kmeans cluster inertia)
  for i in "${!peers[@]}"; do
    [ -z "${peer_wall[i]}" ] || close_to "$inertia" "${peer_quality[i]}" .002 "kmeans: inertia of ${peers[i]}"
  done
  # 20 iterations and the last assignment, each 2 x rows x 100 x 64 operations.
  show "$rows" "$(megabytes "$folder/dense.npy") / 1e3 / read + 21 * 12800e-9 * $rows / block2" "inertia $(calculate %.0f "$inertia")"
  slopes || return 0
  this='kmeans, an iteration'
  slope 18
  show "$rows" "12800e-9 * $rows / block2" ''
}
