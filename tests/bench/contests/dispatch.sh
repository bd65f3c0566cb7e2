#!/usr/bin/env bash
# What the engine does around plugins: a stage that does nothing, per batch.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

# noop_pipeline CLASS STAGES
noop_pipeline() {
  printf 'adloom: 1\nname: noop\nplugins: [%s]\nstages:\n' "$tools/.libs/noop.so"
  printf '  rows: {use: bench.rows, batches: %s, rows: 8}\n' "$batches"
  for i in $(seq "$2"); do printf '  n%s: {use: %s}\n' "$i" "$1"; done
  printf '  end: {use: bench.drop}\n'
}

# What one more stage costs each batch: the slope between 10 and 50 stages.
noop() { # CLASS THREADS
  local class=$1 threads=$2 stages wall_at=() processor_at=() steps plural=s
  [ "$threads" -gt 1 ] || plural=
  for stages in 0 10 50; do
    noop_pipeline "$class" $stages >noop-$stages.yaml
    measure "$runs" "$adloom" run noop-$stages.yaml --quiet --threads "$threads" --out "$work/out/noop" || return 0
    wall_at[stages]=$least processor_at[stages]=$processor
  done
  steps=$((40 * batches))
  [ "$class" != bench.noop ] || plain "source and sink alone, $threads thread$plural" "$(calculate '%.0f ns a batch' "${wall_at[0]} / $batches * 1e9")" \
    "small steps: ${limit[steps]} ns" "$(calculate '%.0f %%' "100 * ${limit[steps]} / (${wall_at[0]} / $batches * 1e9)")" "$peak" ''
  plain "$class, $threads thread$plural, a batch and stage" \
    "$(calculate '%.0f ns (processor %.0f)' "(${wall_at[50]} - ${wall_at[10]}) / $steps * 1e9, (${processor_at[50]} - ${processor_at[10]}) / $steps * 1e9")" \
    "small steps: ${limit[steps]} ns" "$(calculate '%.0f %%' "100 * ${limit[steps]} / ((${processor_at[50]} - ${processor_at[10]}) / $steps * 1e9)")" "$peak" ''
}

dispatch() {
  table "$heading"
  noop bench.noop 1
  noop bench.look 1
  noop bench.noop 2
}
