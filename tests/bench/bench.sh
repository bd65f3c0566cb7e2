#!/usr/bin/env bash
# Measures adloom beside its peers and beside what the machine can do at that moment, all in one run and in turns; medians of
# several. Run by `make bench-small` (under a minute) and `make bench`, which set ADLOOM_SRC and ADLOOM_BUILD. Prints the
# tables of docs/performance.md and keeps them in results.md; ends with status 1 when a result is wrong or too much memory
# was taken, never because of time.
#
#   BENCH=name,name    only these contests (files of contests/); all: those of the list below
#   BENCH_SCALE=0.1    size of the data, 1 being the size at which peers are published (small: 0.005)
#   BENCH_RUNS=3       how often each is run
#   BENCH_DIR=DIR      where data and results go (6 GB for size 1; default: bench-data in the build folder)
#   BENCH_PYTHON=...   Python interpreters in which peers are looked for, with blanks between (default: python3)
#   BENCH_ADLOOM=FILE  another adloom, for comparing builds
#   ADLOOM_DATA=DIR    real data, for the main job
# shellcheck disable=SC2034,SC2154,SC1090,SC1091 # contests and lib.sh share variables
set -Eeuo pipefail
export LC_ALL=C

size=${1:-small}
case $size in
  small) scale=${BENCH_SCALE:-0.005} runs=${BENCH_RUNS:-1} batches=10000 ;;
  full) scale=${BENCH_SCALE:-1} runs=${BENCH_RUNS:-3} batches=200000 ;;
  *)
    echo "usage: bench.sh [small|full]" >&2
    exit 2
    ;;
esac
adloom=${BENCH_ADLOOM:-$ADLOOM_BUILD/adloom}
tools=$ADLOOM_BUILD/tests/bench
source=$ADLOOM_SRC/tests/bench
work=${BENCH_DIR:-$ADLOOM_BUILD/bench-data}
contests=start,dispatch,isolate,reading,clicks,factors,linear,text,kmeans,gmm,als,keyed,journey,market,growth,memory
[ "$size" = full ] || contests=${contests/linear,/} # its peer alone takes seconds, however few the rows are
[ -z "${BENCH:-}" ] || contests=$BENCH
mkdir -p "$work/out"
cd "$work"
. "$source/lib.sh"

tell_machine() {
  local name value
  data documents "$(scaled 500000)"
  while read -r name value; do limit["$name"]=$value; done < <("$tools/limits" "read:$folder/documents.txt" "lines:$folder/documents.txt" \
    load load2 copy copy2 sgemm sgemm2 block block2 random random2 steps)
  printf '%s, %s, %s, %s cores, %s, load %s; size %s, medians of %s: make bench%s%s\n\n' "$(date -u +%F)" "$("$adloom" --version)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)" \
    "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)" "$(cut -d' ' -f1 /proc/loadavg)" "$scale" "$runs" \
    "$([ "$size" = full ] || echo -small)" "${BENCH:+, BENCH=$BENCH}"
  printf '| limit of the machine, just now | 1 thread | 2 threads |\n| --- | --- | --- |\n'
  printf '| memory read; copied (read and written), GB/s | %s; %s | %s; %s |\n' "${limit[load]}" "${limit[copy]}" "${limit[load2]}" "${limit[copy2]}"
  printf '| sgemm n = 1024; blocks of 4096 x 100 x 64, GFLOP/s | %s; %s | %s; %s |\n' "${limit[sgemm]}" "${limit[block]}" "${limit[sgemm2]}" "${limit[block2]}"
  printf '| random 4-byte updates in 64 MiB, M/s | %s | %s |\n' "${limit[random]}" "${limit[random2]}"
  printf '| read(2) of cached files; line ends found, GB/s | %s; %s | |\n' "${limit[read]}" "${limit[lines]}"
  printf '| malloc and free, a mutex, the clock twice, ns | %s | |\n' "${limit[steps]}"
}

run_contests() {
  local each
  tell_machine
  for each in ${contests//,/ }; do
    if [ ! -e "$source/contests/$each.sh" ]; then
      wrong "there is no contest $each; there are: $(cd "$source/contests" && echo *.sh | sed 's/\.sh//g')"
      continue
    fi
    . "$source/contests/$each.sh"
    "$each"
  done
  [ ${#commands_shown[@]} = 0 ] || printf '\nCommands, in bench-data (adloom also with --quiet --fresh --store and --out):\n\n'
  for each in "${commands_shown[@]}"; do printf -- '- %s\n' "$each"; done
}

trap 'echo "bench: stopped by line $LINENO of ${BASH_SOURCE[0]}" >&2' ERR
exec 3>&1 > >(tee results.md)
kept_by=$!
run_contests
exec >&3
wait "$kept_by"
exit "$status"
