#!/bin/bash
# pipelines/market.yaml, small: profiles are worth more than no profiles, and so on, with intervals that do not meet; hidden interests
# are found again; the same bytes for any number of threads; decisions with sound propensities. What was spoilt in the logs, and what
# became of it, adds up to the row. pipelines/course.yaml does the same for an online school.
set -u
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
failed=0

say() {
  echo "$*"
  failed=1
}

run() { # run NAME ARGUMENTS...
  name=$1
  shift
  "$ADLOOM_BUILD/adloom" run "$ADLOOM_SRC/pipelines/market.yaml" --var ROWS=300000 --out "$here/$name" --store "$here/store" "$@" \
    >"$here/$name.txt" 2>"$here/$name.err" || { cat "$here/$name.err"; say "market.yaml does not run ($name)"; }
}

run first --threads 1
run other --threads 3 --memory 64M --fresh
for file in decisions.csv metrics.json rejects.jsonl models/segment.safetensors models/mixture.safetensors models/click.safetensors; do
  cmp "$here/first/$file" "$here/other/$file" || say "$file depends on threads or memory"
done

# value, low end and high end of the intervals, one policy after the other
awk '
  /^policies, held-out:/ { inside = 1; next }
  /^[a-z]/ { inside = 0 }
  inside && $1 ~ /\.value$/ { gsub(/[][,]/, ""); print $1, $2, $3, $4 }
' "$here/first.txt" >"$here/policies"
[ "$(cut -d. -f1 "$here/policies" | tr '\n' ' ')" = "chance popularity plain profiles oracle " ] || say "the policies are $(cat "$here/policies")"
awk 'NR > 1 && $3 <= high { print "the interval of " $1 " meets the one before"; bad = 1 } { high = $4 } END { exit bad }' "$here/policies" || say "$(cat "$here/policies")"
awk '$1 == "adjusted_rand" && found++ == 0 { clusters = $2 } $1 == "adjusted_rand" { tags = $2 } END { exit !(clusters > 0.25 && tags > 0.5) }' "$here/first.txt" || say "hidden interests are not found again"
awk '$1 == "profiles.share" { found = $2 } END { exit !(found > 0.35 && found < 1) }' "$here/first.txt" || say "profiles gain too little"

# Rows that leave a stage, by the manifest; what the source says it has spoilt, by the metrics; rows that were rejected there.
left() { awk -v name="\"$1\"," '$1 == "\"name\"" { inside = $3 == name } inside && $1 == "\"rows_out\"" { print $3 + 0 }' "$here/first/manifest.json"; }
spoilt() { # spoilt STAGE KIND
  awk -F' : ' -v stage="$1" -v kind="$2" '{ gsub(/[",]/, "") } $1 ~ /stage/ { here = $2 == stage } here && $1 ~ /name/ { named = $2 == kind } here && named && $1 ~ /value/ { print $2 + 0; exit }' "$here/first/metrics.json"
}
adds_up() { # adds_up WHAT LEFT RIGHT
  [ "$2" = "$3" ] || say "$1: $2 and $3"
}
rejected=$(grep -c '"stage":"impressions"' "$here/first/rejects.jsonl")
adds_up "torn impressions were rejected" "$rejected" "$(spoilt impressions torn)"
adds_up "all impressions are read or rejected" $(($(left impressions) + rejected)) "$(spoilt impressions records)"
adds_up "the filter takes out what is spoilt" $(($(left impressions) - $(left sound))) \
  $(($(spoilt impressions "null user") + $(spoilt impressions "position 0") + $(spoilt impressions "time 1970") + $(spoilt impressions "purchase without click")))
adds_up "dedupe takes out what is there twice" $(($(left sound) - $(left once))) "$(spoilt impressions duplicates)"
adds_up "join takes out unknown ads" $(($(left once) - $(left described))) "$(spoilt impressions "unknown ad")"
adds_up "what is left is clean" "$(left described)" $((300000 - $(spoilt impressions dirty)))

# Three ads a user, no ad twice; among n > 3 candidates a choice has the probability .95 + .05 / n, or .05 / n.
awk -F, '
  NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
  { users[$at["user"]]++; if (seen[$at["user"], $at["ad"]]++) bad = 1; p = $at["propensity"]; if (!(p > 0 && (p < .01 || p > .95) && p < 1)) bad = 1 }
  END { for (user in users) if (users[user] != 3) bad = 1; exit bad || NR < 3000 }
' "$here/first/decisions.csv" || say "decisions.csv is not sound"

"$ADLOOM_BUILD/adloom" run "$ADLOOM_SRC/pipelines/course.yaml" --out "$here/course" --store "$here/store" >"$here/course.txt" 2>"$here/course.err" ||
  { cat "$here/course.err"; say "course.yaml does not run"; }
awk '$1 == "model.share" { share = $2 } $1 == "adjusted_rand" { tags = $2 } END { exit !(share > 0.6 && tags > 0.8) }' "$here/course.txt" ||
  say "course.yaml: $(grep -E 'share|rand' "$here/course.txt")"
awk -F, 'NR > 1 && ++shown[$3] > 300 { bad = 1 } END { exit bad || NR < 10000 }' "$here/course/decisions.csv" || say "a course has more than its seats"
exit $failed
