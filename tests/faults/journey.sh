#!/bin/sh
# The main job on real data, pipelines/journey.yaml, 24 times: 1, 2, 3 and 8 threads, with 64M for kept rows and without a
# limit, three times each. Models, outputs, metrics and rejects must be the same to the byte every time. And once more
# with the models of the first run taken from the store.
set -u

if [ -z "${ADLOOM_DATA:-}" ] || [ ! -d "$ADLOOM_DATA/complete_journey" ]; then
  echo "skipped: ADLOOM_DATA does not name a folder with complete_journey in it"
  exit 77
fi
pipeline=$ADLOOM_SRC/pipelines/journey.yaml
if [ ! -f "$pipeline" ]; then
  echo "skipped: there is no $pipeline"
  exit 77
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/adloom-XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

# Everything that a run publishes but its manifest, its log and its report, which tell times.
digest() {
  (cd "$1" && find . -type f ! -name manifest.json ! -name log.txt ! -name report.html -print | LC_ALL=C sort | xargs sha256sum | sha256sum)
}

first=
number=0
check() {
  number=$((number + 1))
  if ! "$ADLOOM_BUILD/adloom" run "$pipeline" --out "$folder/run" --store "$folder/store" --quiet "$@"; then
    echo "failed: adloom run $*"
    exit 1
  fi
  now=$(digest "$folder/run")
  rm -rf "$folder/run"
  if [ -z "$first" ]; then
    first=$now
  elif [ "$now" != "$first" ]; then
    echo "other results: adloom run $*"
    exit 1
  fi
}

for repeat in 1 2 3; do
  for threads in 1 2 3 8; do
    check --fresh --threads $threads --memory 64M
    check --fresh --threads $threads
  done
done
check --threads 2
check --threads 3 --memory 1M
echo "$number runs, the same bytes each time"
