#!/bin/sh
# What a program of tests tells when tests fail: each alone, with the file and the line, and by its exit status.
set -u
: "${ADLOOM_BUILD:?run this by make check}"
program=$ADLOOM_BUILD/tests/stand/test_harness
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
failed=0
say() {
  echo "$1"
  cat "$here/out"
  failed=1
}

"$program" fails crashes asks_for_nothing looks_at_rows >"$here/out" 2>"$here/err"
[ $? = 1 ] || say "a program with failed tests does not exit with 1"
[ "$(sed -n 1p "$here/out")" = 1..4 ] || say "there is no plan of four tests"
grep -q '^ok 1 - looks_at_rows$' "$here/out" || say "the test that passes is not told of"
grep -q '^not ok 2 - fails$' "$here/out" || say "the test that fails is not told of"
grep -q '^# .*test_harness\.c:[0-9][0-9]*: this does not hold: 1 == 2$' "$here/out" || say "where it fails is not told"
grep -q '^not ok 3 - crashes # crashed: ' "$here/out" || say "the crash is not told of"
grep -q '^not ok 4 - asks_for_nothing # crashed: ' "$here/out" || say "wrong use is not told of"
grep -q '^# wrong use of the harness: nothing has run' "$here/out" || say "what is wrong about it is not told"

"$program" writes_down_nonsense >"$here/out" 2>"$here/err"
grep -q '^# wrong use of the harness: the rows: line 2: `v` is no value of type vector float32\[3\]$' "$here/out" ||
  say "what is wrong with a row is not told"

ADL_TEST_FORK=no "$program" looks_at_rows >"$here/out" 2>"$here/err" || say "tests in one process do not run"
"$program" looks_at_row >"$here/out" 2>"$here/err"
[ $? = 2 ] || say "an unknown test is not refused"
grep -q 'there is no test `looks_at_row`; there are: looks_at_rows ' "$here/err" || say "the tests there are, are not told"
exit $failed
