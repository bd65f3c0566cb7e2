#!/usr/bin/env bash
# What contests share; sourced by bench.sh. A contest is a file contests/NAME.sh with a function NAME, which makes its data,
# says what is to be measured, has it measured, checks the results and shows them:
#
#   data WHAT ROWS              data of `generate`, made once: sets folder
#   begin WORK                  a new measurement
#   ours YAML ARGUMENTS...      adloom run, with its results in $work/out/WORK
#   against NAME COMMAND...     a peer: one that is found on this machine
#   bound LIMIT...              limits of the machine that are measured in turn with the rest (see limits.c)
#   measured                    measures; false when adloom failed
#   show ROWS FLOOR QUALITY     rows of the table; FLOOR is what the limits allow, in seconds, as an awk expression in which
#                               limits stand by their names (`read`, `block2`, ...)
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables
set -euo pipefail

status=0
declare -A limit=()
commands_shown=()

wrong() {
  echo "bench: $*" >&2
  status=1
}

# calculate FORMAT EXPRESSIONS: by awk.
calculate() { awk "BEGIN { printf \"$1\", $2 }"; }

# scaled ROWS: so many rows at this size of the benchmark.
scaled() { awk -v rows="$1" -v scale="$scale" 'BEGIN { rows = int(rows * scale); print (rows < 100 ? 100 : rows) }'; }

# close_to VALUE EXPECTED TOLERANCE WHAT: within this part of what is expected.
close_to() {
  awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; if (d < 0) d = -d; if (b < 0) b = -b; exit !(a != "" && d <= t * b) }' ||
    wrong "$4: $1, not $2 (within $3)"
}

# at_most VALUE BOUND WHAT
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 <= b + 0) }' || wrong "$3: $1 is more than $2"; }

# ---- data ----

data() {
  local what=$1 rows=$2
  folder=$work/data/$what-$rows
  [ ! -e "$folder/facts" ] || [ "$tools/generate" -nt "$folder/facts" ] || return 0
  mkdir -p "$folder"
  "$tools/generate" "$what" "$rows" 1 "$folder" >"$folder/facts.part"
  mv "$folder/facts.part" "$folder/facts"
}

# fact NAME: what the generator said about the data of the last `data`.
fact() { awk -v name="$1" '$1 == name { print $2 }' "$folder/facts"; }

# megabytes FILE...
megabytes() { stat -c %s "$@" | awk '{ bytes += $1 } END { printf "%.3f", bytes / 1e6 }'; }

# ---- what is there ----

# has KIND-LESS CLASS [PARAMETER]: whether this adloom has it.
has() {
  local text
  text=$("$adloom" plugin show "$1" 2>/dev/null) || return 1
  [ $# -lt 2 ] || grep -qE "^ +$2( |\$)" <<<"$text"
}

# python_with MODULES: sets python to an interpreter that has these (with commas between). BENCH_PYTHON lists interpreters.
python_with() {
  local each
  for each in ${BENCH_PYTHON:-python3}; do
    if "$each" -c 'import importlib.util, sys; sys.exit(any(importlib.util.find_spec(m) is None for m in sys.argv[1].split(",")))' \
      "$1" >/dev/null 2>&1; then
      python=$each
      return 0
    fi
  done
  return 1
}

# metric RUN STAGE NAME: what a stage reported, from metrics.json.
metric() {
  awk -F' : ' -v stage="$2" -v name="$3" '
    { gsub(/[",]/, "") }
    $1 ~ /^ *stage$/ { here = $2 == stage; named = 0 }
    $1 ~ /^ *name$/ { named = $2 == name }
    here && named && $1 ~ /^ *value$/ { print $2; exit }' "$work/out/$1/metrics.json"
}

# ---- measuring ----

# turns ARGUMENTS... of the program measure. What the commands say on standard error (warnings that iterations are few) is shown
# only when one of them fails.
turns() {
  "$tools/measure" "$@" 2>"$work/out/errors" && ! grep -q '^measure: ' "$work/out/errors" && return 0
  local failed=$?
  cat "$work/out/errors" >&2
  return $failed
}

# measure RUNS COMMAND...: sets wall, processor and least (seconds) and peak (MiB). False: the command failed. For what has no
# peer and no limit of its own.
measure() {
  local line
  line=$(turns "$@") || {
    wrong "failed: ${*:2}"
    return 1
  }
  read -r wall processor least peak <<<"$line"
}

begin() {
  this=$1 our=() peers=() peer_commands=() peer_words=() bounds=()
  pattern="$work/out/$this"
}

ours() {
  our=("$adloom" run "$1" --quiet --fresh --store "$work/store" --out "$pattern" "${@:2}")
  our_words="adloom run $*"
}

against() {
  peers+=("$1")
  peer_commands+=(--- "${@:2}")
  peer_words+=("${*:2}")
}

bound() { bounds+=("$@"); }

# The last lines of measure's output, one for each of peers; a peer tells its own seconds and its quality in lines `result
# SECONDS QUALITY`, and in lines `started SECONDS` what starting the interpreter and importing its libraries took before that.
read_peer() { # NUMBER LINE
  local told
  if [[ $2 == failed* ]]; then
    echo "bench: $this: ${peers[$1]} failed" >&2
    peer_wall[$1]='' peer_processor[$1]='' peer_peak[$1]='' peer_start[$1]='' peer_quality[$1]=failed
    return 0
  fi
  read -r "peer_wall[$1]" "peer_processor[$1]" _ "peer_peak[$1]" <<<"$2"
  told=$(median_of "$work/out/said$(($1 + 1))" result)
  peer_wall[$1]=${told:-${peer_wall[$1]}}
  peer_start[$1]=$(median_of "$work/out/said$(($1 + 1))" started)
  peer_quality[$1]=$(awk '$1 == "result" { quality = $3 } END { print quality }' "$work/out/said$(($1 + 1))")
}

# median_of FILE NAME: of the numbers behind this name.
median_of() { awk -v name="$2" '$1 == name { print $2 }' "$1" | sort -g | awk '{ v[NR] = $1 } END { if (NR > 0) print v[int((NR + 1) / 2)] }'; }

measured() {
  local all=("${our[@]}" "${peer_commands[@]}") lines=() i
  mkdir -p "$work/out"
  [ ${#bounds[@]} = 0 ] || all+=(--- "$tools/limits" "${bounds[@]}")
  peer_wall=() peer_processor=() peer_peak=() peer_start=() peer_quality=()
  mapfile -t lines < <(turns -o "$work/out/said" "$runs" "${all[@]}" || true)
  if [ ${#lines[@]} = 0 ] || [[ ${lines[0]} == failed* ]]; then
    wrong "failed: $our_words"
    return 1
  fi
  read -r wall processor least peak <<<"${lines[0]}"
  for i in "${!peers[@]}"; do read_peer "$i" "${lines[i + 1]}"; done
  for i in "${bounds[@]}"; do limit[${i%%:*}]=$(median_of "$work/out/said$((${#peers[@]} + 1))" "${i%%:*}"); done
}

# Whether this run can tell what one more iteration costs: at a small size it is less than what starting costs more or less.
slopes() { [ "$size" = full ]; }

# What one more unit of work costs: keep after measuring with few units, slope ADDED after measuring with more.
keep() { kept_wall=$wall kept_processor=$processor kept_peer_wall=("${peer_wall[@]}"); }
slope() {
  local i
  wall=$(calculate %.6f "($wall - $kept_wall) / $1") processor=$(calculate %.6f "($processor - $kept_processor) / $1")
  for i in "${!peers[@]}"; do
    [ -z "${peer_wall[i]}" ] || [ -z "${kept_peer_wall[i]}" ] || peer_wall[i]=$(calculate %.6f "(${peer_wall[i]} - ${kept_peer_wall[i]}) / $1")
    peer_quality[i]='' peer_start[i]=''
  done
}

# ---- showing ----

table() { # HEADING,HEADING,...
  local dashes=${1//[^,]/} heads=${1//,/ | }
  printf '\n| %s |\n| ---%s |\n' "$heads" "${dashes//,/ | ---}"
}

# The expression with the values of limits in place of their names.
with_limits() {
  local expression=" $1 " name
  for name in "${!limit[@]}"; do expression=$(sed -E "s#([^a-z0-9_])$name([^a-z0-9_])#\1${limit[$name]}\2#g" <<<"$expression"); done
  printf %s "$expression"
}

heading='work,adloom,peer,its time (with its start),peer / adloom,limit,share of the limit,peak MiB (adloom; peer),quality (adloom; peer)'

# row WORK PEER SECONDS PEAK QUALITY STARTING: one line of the table, after `measured`.
row() {
  local ratio='' peer_text='' work_text=$1
  [ -z "$3" ] || ratio=$(calculate %.2f "$3 / $own") peer_text=$(calculate '%.3g s' "$3")
  [ -z "$3" ] || [ -z "${6:-}" ] || ratio+=$(calculate ' (%.2f)' "($3 + $6) / $own") peer_text+=$(calculate ' (%.3g s)' "$3 + $6")
  printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$work_text" "$own_text" "$2" "$peer_text" "$ratio" "$floor_text" "$share" \
    "$own_peak${4:+; $4}" "$own_quality${5:+; $5}"
}

show() { # ROWS FLOOR QUALITY
  local i work_text=$this units=$1
  own=$wall own_peak=$peak own_quality=$3 floor_text='' share=''
  own_text=$(calculate '%.3g s (processor %.3g)' "$wall, $processor")
  [ -z "$1" ] || own_text+=$(calculate ', %.3g/s' "$1 / $wall")
  if [ -n "$2" ]; then
    local floor
    floor=$(calculate %.6f "$(with_limits "$2")")
    floor_text=$(calculate '%.3g s' "$floor") share=$(calculate '%.0f %%' "100 * $floor / $wall")
  fi
  for i in $(in_order); do
    row "$work_text" "${peers[i]}" "${peer_wall[i]}" "${peer_peak[i]}" "${peer_quality[i]}" "${peer_start[i]}"
    work_text='same'
  done
  show_published "$work_text"
  tell_commands
}

# What was run, without the folders; a command that is there already (of a slope) is not told again.
tell_commands() {
  local text="\`$our_words\`" i
  for i in "${!peers[@]}"; do text+=", ${peers[i]%%,*}: \`${peer_words[i]}\`"; done
  text=${text//"$work/"/} text=${text//"$ADLOOM_SRC/"/}
  for i in ${BENCH_PYTHON:-}; do text=${text//"$i "/python3 }; done
  [[ "${commands_shown[*]}" == *"$text"* ]] || commands_shown+=("$this: $text")
}

# Numbers of the peers, the fastest first; those that failed last.
in_order() {
  local i
  for i in "${!peers[@]}"; do echo "${peer_wall[i]:-1e99} $i"; done | sort -g | cut -d' ' -f2
}

# Figures of peers that are not here, from published.tsv: scaled by size and by the limit that binds them, there and now.
show_published() {
  local contest peer seconds size peak_there quality bound_by there now scaled_seconds shown=${#peers[@]} work_text=$1
  while IFS=$'\t' read -r contest peer seconds size peak_there quality bound_by there; do
    [ "$contest" = "$this" ] && [ -n "$units" ] || continue
    [[ " ${peers[*]} " != *" ${peer%%,*}"* ]] || continue
    now=${limit[$bound_by]:-}
    [ -n "$now" ] || continue
    scaled_seconds=$(calculate %.4f "$seconds * $units / $size * $there / $now")
    row "$work_text" "$peer (published, scaled by $bound_by)" "$scaled_seconds" "$peak_there" "$quality"
    work_text='same' shown=$((shown + 1))
  done < <(grep -v '^#' "$source/published.tsv")
  [ "$shown" -gt 0 ] || row "$work_text" '' '' '' ''
}

# plain WORK RESULT LIMIT SHARE PEAK QUALITY: a line without a peer, of what `measure` measured.
plain() { printf '| %s | %s | | | | %s | %s | %s | %s |\n' "$@"; }

not_built() { printf '| %s | not built | | | | | | | |\n' "$1"; }
