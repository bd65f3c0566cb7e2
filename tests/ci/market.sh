#!/bin/bash
# pipelines/market.yaml, small: profiles are worth more than no profiles, and so on, with intervals that do not meet; hidden interests
# are found again; the same bytes for any number of threads; decisions with sound propensities.
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
awk '$1 == "adjusted_rand" { found = $2 } END { exit !(found > 0.25) }' "$here/first.txt" || say "hidden interests are not found again"
awk '$1 == "profiles.share" { found = $2 } END { exit !(found > 0.35 && found < 1) }' "$here/first.txt" || say "profiles gain too little"

# Three ads a user, no ad twice; among n > 3 candidates a choice has the probability .95 + .05 / n, or .05 / n.
awk -F, '
  NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
  { users[$at["user"]]++; if (seen[$at["user"], $at["ad"]]++) bad = 1; p = $at["propensity"]; if (!(p > 0 && (p < .01 || p > .95) && p < 1)) bad = 1 }
  END { for (user in users) if (users[user] != 3) bad = 1; exit bad || NR < 3000 }
' "$here/first/decisions.csv" || say "decisions.csv is not sound"
exit $failed
