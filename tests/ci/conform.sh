#!/bin/sh
# Every plugin of the tree passes `adloom plugin check`, as many at a time as there are processors.
set -u
cd "$ADLOOM_BUILD" || exit 1
set -- plugins/*/.libs/*.so
[ -f "$1" ] || exit 77 # they are part of the program
grep -q -e -fsanitize config.status && exit 77 # their allocations and signals are the sanitizer's
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

# What cannot be guessed from tables: a database, and the parts of a date.
cat >"$folder/database.yaml" <<'END'
adloom: 1
stages:
  rows: {use: market, table: users, users: 50, items: 20, ads: 20}
  out: {use: write-sqlite, path: users.db, table: users}
END
./adloom run "$folder/database.yaml" --out "$folder/run" --quiet || exit 1
cat >"$folder/one" <<'END'
name=$(basename "$2" .so)
case $name in
  time) set -- "$1" "$2" --set 'time.parts=[hour, weekday]' ;;
  read-sqlite) set -- "$1" "$2" --set "read-sqlite.path=$1/run/users.db" --set 'table=users' --set 'columns={user: id}' ;;
esac
folder=$1
shift
./adloom plugin check "$@" >"$folder/$name.tap" 2>&1 || {
  echo "$name does not pass:"
  cat "$folder/$name.tap"
  exit 1
}
echo "$name: $(grep -c '^ok' "$folder/$name.tap") checks"
END
printf '%s\n' "$@" | xargs -n 1 -P "$(nproc)" sh "$folder/one" "$folder"
