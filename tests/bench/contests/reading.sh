#!/usr/bin/env bash
# Reading alone: every field is parsed, checked and made a column; nothing else is done with it.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

read_pipelines() {
  local columns=''
  for i in $(seq 13); do columns+=", i$i: float"; done
  for i in $(seq 26); do columns+=", c$i: id"; done
  cat >read-csv.yaml <<TEXT
adloom: 1
plugins: [$tools/.libs/noop.so]
stages:
  log: {use: read-csv, path: "$1", columns: {label: int$columns}}
  total: {use: bench.total}
TEXT
  cat >read-jsonl.yaml <<TEXT
adloom: 1
plugins: [$tools/.libs/noop.so]
stages:
  log:
    use: read-jsonl
    path: $2
    columns: {id: id, at: timestamp unix, user: id, age: int, device: category, price: float, tags: strings, clicked: bool}
    paths: {user: user.id, age: user.age, device: device.type}
  total: {use: bench.total}
TEXT
}

# read_one WORK YAML FILE ROWS PEER
read_one() {
  begin "$1"
  ours "$2"
  if python_with pandas; then against "$5" "$python" "$source/peers/read.py" "$3"; fi
  bound "read:$3" "lines:$3"
  measured || return 0
  close_to "$(metric "$1" total rows)" "$4" 0 "$1: rows"
  for i in "${!peers[@]}"; do
    [ -z "${peer_wall[i]}" ] || close_to "$(metric "$1" total nulls)" "${peer_quality[i]}" 0 "$1: nulls, by ${peers[i]}"
  done
  show "$4" "$(megabytes "$3") / 1e3 * (1 / read + 1 / lines)" \
    "$(calculate '%d nulls, %.0f MB/s, %.0f MB/s a core' "$(metric "$1" total nulls), $(megabytes "$3") / $wall, $(megabytes "$3") / $processor")"
}

reading() {
  local log rows events
  data clicks "$(scaled 2000000)"
  log=$folder/clicks.tsv rows=$(fact rows)
  data events "$(scaled 2000000)"
  events=$folder/events.jsonl
  read_pipelines "$log" "$events"
  table "$heading"
  read_one read-csv read-csv.yaml "$log" "$rows" 'pandas, read_csv'
  read_one read-jsonl read-jsonl.yaml "$events" "$(fact rows)" 'Python, json and pandas'
}
