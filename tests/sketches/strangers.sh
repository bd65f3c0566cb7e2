#!/bin/sh
# Plugins built as a stranger builds them, with a compiler and the headers alone, and used by the program: the one of
# readme.c by the command in its first line, and the one in C++, where there is a C++ compiler.
set -u
: "${ADLOOM_SRC:?run this by make check}" "${ADLOOM_BUILD:?run this by make check}"
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
failed=0
say() {
  echo "$1"
  failed=1
}

export ADLOOM_PLUGIN_PATH="$here/plugins" XDG_DATA_HOME="$here/nowhere" XDG_CACHE_HOME="$here/cache"
mkdir "$here/plugins" || exit 1
cd "$here/plugins" || exit 1

# ---- C ----
cp "$ADLOOM_SRC/tests/sketches/readme.c" length.c
command=$(sed -n '1s/.*Build it with \(.*\) \*\/$/\1/p' length.c)
[ -n "$command" ] || say "readme.c does not say how it is built"
# Instead of the installed headers, those of the tree.
# shellcheck disable=SC2086 # it is a command line
set -- $command
[ "$1" = cc ] || say "readme.c is not built with cc"
shift
# shellcheck disable=SC2086
C_INCLUDE_PATH=$ADLOOM_SRC/include ${CC:-cc} "$@" || say "readme.c cannot be built with: $command"

# ---- C++ ----
cxx=
for compiler in ${CXX:-} c++ g++ clang++; do
  [ -z "$cxx" ] && command -v "$compiler" >"$here/found" && cxx=$compiler
done
if [ -n "$cxx" ]; then
  $cxx -std=c++17 -shared -fPIC -I"$ADLOOM_SRC/include" "$ADLOOM_SRC/tests/sketches/plusplus.cc" -o ratio.so ||
    say "plusplus.cc cannot be built"
fi

cd "$here" || exit 1
printf 'text,spend,visits\nadloom,10,4\nab,,2\nabc,3,0\n' >rows.csv
cat >shop.yaml <<'END'
adloom: 1
name: shop
stages:
  rows: {use: read-csv, path: rows.csv, columns: {text: string, spend: float, visits: int}}
  length: {use: acme.length, text: text}
END
[ -z "$cxx" ] || echo '  ratio: {use: sketch.ratio, of: spend, to: visits}' >>shop.yaml
echo '  out: {use: write-csv, path: out.csv}' >>shop.yaml
"$ADLOOM_BUILD/adloom" run --quiet --out run shop.yaml || say "the plugins do not run"
if [ -n "$cxx" ]; then
  printf 'text,spend,visits,length,ratio\nadloom,10,4,6,2.5\nab,,2,2,\nabc,3,0,3,\n' >expected
else
  echo "no C++ compiler: the plugin in C++ is not tried (apt install g++)"
  printf 'text,spend,visits,length\nadloom,10,4,6\nab,,2,2\nabc,3,0,3\n' >expected
fi
diff -u expected run/out.csv || say "the plugins compute something else"

"$ADLOOM_BUILD/adloom" plugin show acme.length >shown || say "acme.length cannot be shown"
grep -q 'its length in bytes' shown || say "plugin show does not tell what acme.length does"
exit $failed
