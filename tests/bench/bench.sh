#!/usr/bin/env bash
# Measures adloom: starting, a stage that does nothing, the main job, a large click log. Run by `make bench-small` (a
# minute at most) and `make bench` (2 GB of CSV), which set ADLOOM_SRC and ADLOOM_BUILD. Prints one row of a table for each
# figure, beside what the machine could do at that moment; ends with status 1 when a result is wrong or too much memory was
# taken, never because of time.
#
# BENCH_DIR is where logs and results go (3 GB for the full size; default: bench-data in the build folder), BENCH_RUNS how
# often each is run (default 3; the median counts). ADLOOM_DATA is the folder of real data for the main job.
set -euo pipefail
export LC_ALL=C

size=${1:-small}
case $size in
  small) log_bytes=20000000 batches=50000 ;;
  full) log_bytes=2000000000 batches=200000 ;;
  *)
    echo "usage: bench.sh [small|full]" >&2
    exit 2
    ;;
esac
runs=${BENCH_RUNS:-3}
adloom=$ADLOOM_BUILD/adloom
tools=$ADLOOM_BUILD/tests/bench
source=$ADLOOM_SRC/tests/bench
work=${BENCH_DIR:-$ADLOOM_BUILD/bench-data}
most_memory=300 # MiB, for a log of any size
status=0
mkdir -p "$work"
cd "$work"

wrong() {
  echo "bench: $*" >&2
  status=1
}

calculate() { awk "BEGIN { printf \"$1\", $2 }"; }

# measure RUNS COMMAND...: sets wall, processor and least (seconds) and peak (MiB). False: the command failed.
measure() {
  local line
  line=$("$tools/measure" "$@") || {
    wrong "failed: ${*:2}"
    return 1
  }
  read -r wall processor least peak <<<"$line"
}

# row FIGURE RESULT LIMIT RATIO MEMORY COMMAND
row() { printf '| %s | %s | %s | %s | %s | `%s` |\n' "$@"; }

# ---- the machine ----

# The log is made once; its number of rows stands beside it.
make_log() {
  log=$work/log-$log_bytes.csv
  if [ ! -e "$log.rows" ] || [ "$tools/click-log" -nt "$log.rows" ]; then
    "$tools/click-log" $log_bytes >"$log.part" 2>"$log.rows.part"
    mv "$log.part" "$log"
    mv "$log.rows.part" "$log.rows"
  fi
  rows=$(<"$log.rows")
  log_size=$(stat -c %s "$log")
}

tell_machine() {
  read -r read_rate copy_rate scan_rate small_steps <<<"$("$tools/limits" "$log")"
  printf '%s, %s, %s, %s cores, load %s\n\n' "$(date -u +%F)" "$("$adloom" --version)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
  printf 'One thread of this machine, just now: read(2) of cached files %s GB/s, memory copied %s GB/s, line ends found %s GB/s;\n' \
    "$read_rate" "$copy_rate" "$scan_rate"
  printf 'malloc and free, a mutex, the clock twice: %s ns.\n\n' "$small_steps"
  printf '| figure | result | limit | result / limit | peak MiB | command |\n| --- | --- | --- | --- | --- | --- |\n'
}

# ---- starting ----

# Asks the kernel to forget the program and its plugins, as after a restart.
forget_files() {
  local file
  for file in "$adloom" "$ADLOOM_BUILD"/plugins/*/.libs/*.so; do
    [ ! -e "$file" ] || dd if="$file" iflag=nocache count=0 status=none || true
  done
}

start_up() { # FIGURE ARGUMENTS... of adloom
  local figure=$1 command="adloom ${*:2}" first
  command=${command//$source/tests\/bench} command=${command//$work\//}
  shift
  forget_files
  measure 1 "$adloom" "$@" || return 0
  first=$wall
  measure 21 "$adloom" "$@" || return 0
  row "$figure" "$(calculate '%.1f ms (from disk %.1f)' "$wall * 1e3, $first * 1e3")" "$(calculate 'true: %.1f ms' "$true_wall * 1e3")" \
    "$(calculate '%.1f' "$wall / $true_wall")" "$peak" "$command"
}

start_ups() {
  measure 21 true
  true_wall=$wall
  start_up 'start' --version
  start_up 'check, five stages' check "$source/click.yaml" --var "LOG=$log"
  start_up 'check, five stages with ICU and OpenBLAS' check "$source/five.yaml" --var "LOG=$log"
}

# ---- a stage that does nothing ----

# noop_pipeline CLASS STAGES
noop_pipeline() {
  printf 'adloom: 1\nname: noop\nplugins: [%s]\nstages:\n' "$tools/.libs/noop.so"
  printf '  rows: {use: bench.rows, batches: %s, rows: 8}\n' $batches
  for i in $(seq "$2"); do printf '  n%s: {use: %s}\n' "$i" "$1"; done
  printf '  end: {use: bench.drop}\n'
}

# What one more stage costs each batch: the slope between 10 and 50 stages.
noop() { # CLASS THREADS
  local class=$1 threads=$2 stages wall_at=() processor_at=() steps plural=s
  [ "$threads" -gt 1 ] || plural=
  for stages in 0 10 50; do
    noop_pipeline "$class" $stages >noop-$stages.yaml
    measure "$runs" "$adloom" run noop-$stages.yaml --quiet --threads "$threads" --out noop || return 0
    wall_at[stages]=$least processor_at[stages]=$processor
  done
  steps=$((40 * batches))
  [ "$class" != bench.noop ] || row "source and sink alone, $threads thread$plural" "$(calculate '%.0f ns a batch' "${wall_at[0]} / $batches * 1e9")" \
    "small steps: $small_steps ns" "$(calculate '%.1f' "${wall_at[0]} / $batches * 1e9 / $small_steps")" "$peak" "adloom run noop-0.yaml --threads $threads"
  row "$class, $threads thread$plural" \
    "$(calculate '%.0f ns a batch and stage (processor %.0f)' "(${wall_at[50]} - ${wall_at[10]}) / $steps * 1e9, (${processor_at[50]} - ${processor_at[10]}) / $steps * 1e9")" \
    "small steps: $small_steps ns" "$(calculate '%.1f' "(${processor_at[50]} - ${processor_at[10]}) / $steps * 1e9 / $small_steps")" "$peak" \
    "adloom run noop-{10,50}.yaml --threads $threads"
}

# ---- the main job ----

journey() {
  local file=$ADLOOM_SRC/pipelines/journey.yaml bytes=0 input
  if [ -z "${ADLOOM_DATA:-}" ] || [ ! -d "${ADLOOM_DATA:-}/complete_journey" ]; then
    row 'main job' 'skipped: ADLOOM_DATA is not set' '' '' '' 'adloom run pipelines/journey.yaml --fresh'
    return 0
  fi
  for input in "$ADLOOM_DATA"/complete_journey/*.csv*; do bytes=$((bytes + $(gzip -cdf <"$input" | wc -c))); done
  measure "$runs" "$adloom" run "$file" --quiet --fresh --store store --out journey || return 0
  row 'main job' "$(calculate '%.2f s' "$wall")" "$(calculate 'reading its %.0f MB: %.3f s' "$bytes / 1e6, $bytes / 1e9 / $read_rate")" \
    "$(calculate '%.0f' "$wall / ($bytes / 1e9 / $read_rate)")" "$peak" 'adloom run pipelines/journey.yaml --fresh'
}

# The simulated market: making its impressions alone, and the whole loop over them.
market() {
  local file=$ADLOOM_SRC/pipelines/market.yaml rows=1000000 made
  [ "$size" = full ] || rows=200000
  cat >impressions.yaml <<TEXT
adloom: 1
stages:
  log: {use: market, table: impressions, world: 7, rows: $rows}
  out: {use: write-csv, path: /dev/null, columns: [user, ad, clicked]}
TEXT
  measure "$runs" "$adloom" run impressions.yaml --quiet --out impressions || return 0
  made=$wall
  row "market, $rows impressions made" "$(calculate '%.2f s (processor %.2f)' "$wall, $processor")" '' '' "$peak" 'adloom run impressions.yaml'
  measure "$runs" "$adloom" run "$file" --var "ROWS=$rows" --quiet --fresh --store store --out market || return 0
  row "market.yaml, $rows impressions" "$(calculate '%.2f s (processor %.2f)' "$wall, $processor")" "$(calculate 'making its impressions: %.2f s' "$made")" \
    "$(calculate '%.0f' "$wall / $made")" "$peak" "adloom run pipelines/market.yaml --var ROWS=$rows --fresh"
}

# ---- the click log ----

# What a stage reported, from metrics.json.
metric() { # RUN NAME
  awk -v name="\"$2\"" '$1 == "\"name\"" { here = $3 == name "," } here && $1 == "\"value\"" { print $3 + 0; exit }' "$1/metrics.json"
}

check_scores() { # RUN
  local learned loss lines
  learned=$(metric "$1" rows_learned) loss=$(metric "$1" logloss) lines=$(wc -l <"$1/scores.csv")
  [ "${learned%.*}" = "$rows" ] || wrong "$1: learned from $learned of $rows rows"
  [ "$lines" = $((rows + 1)) ] || wrong "$1: scores.csv has $lines lines, not $((rows + 1))"
  awk -v loss="$loss" 'BEGIN { exit !(loss > .3 && loss < .53) }' || wrong "$1: logloss $loss; it learns nothing, or too much"
}

clicks() { # FIGURE RUN ARGUMENTS...
  local figure=$1 run=$2
  shift 2
  measure "$runs" "$adloom" run "$source/click.yaml" --quiet --var "LOG=$log" --out "$run" --fresh --store store "$@" || return 0
  row "$figure" "$(calculate '%.0f rows/s, %.0f MB/s, %.2f s (processor %.2f)' "$rows / $wall, $log_size / $wall / 1e6, $wall, $processor")" \
    "read(2): $read_rate GB/s" "$(calculate '%.3f' "$log_size / $wall / 1e9 / $read_rate")" "$peak" \
    "adloom run tests/bench/click.yaml --var LOG=... $*"
  check_scores "$run"
  awk -v peak="$peak" -v most=$most_memory 'BEGIN { exit peak > most }' || wrong "$figure: $peak MiB of memory; $most_memory are allowed"
}

click_logs() {
  local megabytes=$((log_bytes / 1000000))
  clicks "clicks, online, $megabytes MB" online
  clicks "the same, one thread" single --threads 1
  clicks "the same, 64 MB for rows" tight --memory 64M
  clicks "clicks, fitted, then scored" fitted --set click.learn=fit --memory 64M
  clicks "the same, one thread" fitted-single --set click.learn=fit --memory 64M --threads 1
  cmp -s online/scores.csv single/scores.csv || wrong "one thread gives other scores"
  cmp -s online/scores.csv tight/scores.csv || wrong "less memory gives other scores"
  cmp -s fitted/scores.csv fitted-single/scores.csv || wrong "one thread gives other scores when fitting"
}

make_log
tell_machine
start_ups
noop bench.noop 1
noop bench.look 1
noop bench.noop 2
journey
market
click_logs
exit $status
