#!/usr/bin/env bash
# What a process of its own costs a stage: per batch of 4096 rows, a float32 column in, and a float32 column out.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

isolated_pipeline() { # STAGE
  printf 'adloom: 1\nname: isolate\nplugins: [%s]\nstages:\n' "$tools/.libs/noop.so"
  printf '  rows: {use: bench.rows, batches: %s, rows: 4096}\n' "$isolated_batches"
  [ -z "$1" ] || printf '  stage: {%s}\n' "$1"
  printf '  end: {use: bench.total}\n'
}

# The whole pipeline: into least (wall) and processor (of all its processes).
isolated_seconds() {
  isolated_pipeline "$1" >isolate.yaml
  measure "$runs" "$adloom" run isolate.yaml --quiet --threads "$2" --out "$work/out/isolate"
}

isolate_class() { # WORDS STAGE THREADS
  local without without_work here here_work
  isolated_seconds '' "$3" || return 0
  without=$least without_work=$processor
  isolated_seconds "$2" "$3" || return 0
  here=$least here_work=$processor
  isolated_seconds "$2, isolate: true" "$3" || return 0
  plain "$1, threads: $3, a batch" \
    "$(calculate '%.1f us isolated (processor %.1f), %.1f in process (%.1f)' \
      "($least - $without) / $isolated_batches * 1e6, ($processor - $without_work) / $isolated_batches * 1e6, ($here - $without) / $isolated_batches * 1e6, ($here_work - $without_work) / $isolated_batches * 1e6")" \
    '' '' "$peak" ''
}

isolate() {
  isolated_batches=$((batches / 2))
  table "$heading"
  isolate_class 'bench.look (16 KB in)' 'use: bench.look' 1
  isolate_class 'bench.give (16 KB in, 16 KB out)' 'use: bench.give, x: x' 1
  isolate_class 'bench.give (16 KB in, 16 KB out)' 'use: bench.give, x: x' 2
}
