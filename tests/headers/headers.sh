#!/bin/sh
# The public headers as strangers meet them: each alone, as C11 and as C++17, with all warnings as errors; their layout;
# and the sketches, which use every macro in them. Without a C++ compiler only C is tried.
set -u
: "${ADLOOM_SRC:?run this by make check}"
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
include=$ADLOOM_SRC/include
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
failed=0

# try WHAT COMMAND...: the command must succeed.
try() {
  what=$1
  shift
  "$@" || { echo "$what: does not compile"; failed=1; }
}

c="${CC:-cc} -std=c11 $warnings -I$include -fsyntax-only -x c"
cxx=
for compiler in ${CXX:-} c++ g++ clang++; do
  [ -z "$cxx" ] && command -v "$compiler" >"$here/found" && cxx="$compiler -std=c++17"
done
[ -z "$cxx" ] || cxx="$cxx $warnings -I$include -fsyntax-only -x c++"
[ -n "$cxx" ] || echo "no C++ compiler: C++ is not tried (apt install g++)"

for header in "$include"/adloom/*.h; do
  name=$(basename "$header")
  printf '#include <adloom/%s>\n#include <adloom/%s>\nextern int nothing;\n' "$name" "$name" >"$here/alone"
  # shellcheck disable=SC2086 # lists of words
  try "$name as C11" $c "$here/alone"
  # shellcheck disable=SC2086
  [ -z "$cxx" ] || try "$name as C++17" $cxx "$here/alone"
done

# shellcheck disable=SC2086
try "the layout as C11" $c "$ADLOOM_SRC/tests/headers/layout.c"
# shellcheck disable=SC2086
[ -z "$cxx" ] || try "the layout as C++17" $cxx "$ADLOOM_SRC/tests/headers/layout.c"

for sketch in "$ADLOOM_SRC"/tests/sketches/*.c; do
  case $sketch in
    */test_* | */server_host.c) continue ;;
  esac
  # shellcheck disable=SC2086
  try "$(basename "$sketch") as C11" $c "$sketch"
done
# shellcheck disable=SC2086
[ -z "$cxx" ] || try "plusplus.cc as C++17" $cxx "$ADLOOM_SRC/tests/sketches/plusplus.cc"

# A header that has stopped being checked is noticed.
[ "$(ls "$include"/adloom/*.h | wc -l)" -ge 2 ] || { echo "there are no headers in $include/adloom"; failed=1; }
exit $failed
