#!/bin/sh
# The code in README.md and docs/plugin-author.md is what it says: the pipeline is pipelines/shop.yaml, and the plugins compile
# without a warning against the public header alone, load, and do what their documentation says.
set -u
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
adloom=$ADLOOM_BUILD/adloom
unset ADLOOM_PLUGIN_PATH
failed=0

say() {
  echo "$*"
  failed=1
}

# block FILE LANGUAGE NUMBER: the text of a block of code.
block() {
  awk -v start="\`\`\`$2" -v wanted="$3" '
    $0 == "```" { inside = 0 }
    inside == wanted && inside { print }
    $0 == start { inside = ++count }' "$1"
}

build() { # build NAME
  ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Wno-unused-parameter -Werror -O2 -shared -fPIC -fvisibility=hidden \
    -I"$ADLOOM_SRC/include" "$here/$1.c" -o "$here/$1.so" || say "$1.c does not compile"
}

# The pipeline of the README, whole; the file may begin with comments.
block "$ADLOOM_SRC/README.md" yaml 1 >"$here/shop.yaml"
grep -v '^#' "$ADLOOM_SRC/pipelines/shop.yaml" >"$here/expected.yaml"
diff -u "$here/expected.yaml" "$here/shop.yaml" || say "README.md shows another pipeline than pipelines/shop.yaml"

# README.zh.md has the same code, block by block, and links to what there is.
code() { awk '/^```/ { inside = !inside; print; next } inside { print }' "$1"; }
code "$ADLOOM_SRC/README.md" >"$here/code"
code "$ADLOOM_SRC/README.zh.md" | diff -u "$here/code" - || say "README.zh.md has other code than README.md"

cat >"$here/log.csv" <<'TEXT'
user,text,at,clicked
a,tea,2024-03-01,1
b,茶叶,2024-03-02,0
a,,2024-03-03,1
a,Käse,2024-03-04,0
c,bread,2024-03-05,1
TEXT

# 30 lines, the same as the sketch: a column with the length of a text; a row without one is rejected.
block "$ADLOOM_SRC/README.md" c 1 >"$here/length.c"
sed 's| // clang-format off$||' "$ADLOOM_SRC/tests/sketches/readme.c" | diff -u - "$here/length.c" ||
  say "README.md shows another plugin than tests/sketches/readme.c"
[ "$(grep -c . "$here/length.c")" -le 30 ] || say "the plugin in README.md has more than 30 lines"
build length
{
  block "$ADLOOM_SRC/README.md" yaml 2
  echo "  out: {use: write-csv, path: out.csv, columns: [text, length]}"
} | sed 's/^stages:/max_rejects: 0.5\nstages:/' >"$here/length.yaml"
"$adloom" run "$here/length.yaml" --quiet --out "$here/length" --store "$here/store" || say "length.yaml does not run"
cat >"$here/expected" <<'TEXT'
text,length
tea,3
茶叶,6
Käse,5
bread,5
TEXT
diff -u "$here/expected" "$here/length/out.csv" || say "acme.length counts wrong"
ADLOOM_PLUGIN_PATH=$here "$adloom" plugin show acme.length >"$here/shown" || say "acme.length cannot be shown"
grep -q 'its length in bytes' "$here/shown" || say "acme.length does not say what it does"
"$adloom" plugin check "$here/length.so" >"$here/checked" || say "acme.length fails checks: $(grep -A 3 '^not ok' "$here/checked")"

# A class that learns: a has 2 of 3 positive among the training rows, b 0 of 1; c was never seen.
(cd "$here" && "$adloom" plugin new feature acme.rate >new.log) || say "acme.rate cannot be begun"
cp "$here/acme.rate/acme.rate.c" "$here/acme.rate.c"
build acme.rate
{
  echo "adloom: 1"
  block "$ADLOOM_SRC/docs/plugin-author.md" yaml 1 | sed 's/path: shop.csv/path: log.csv/; s/habit: {/habit: {prior: 2, /'
  echo "  out: {use: write-csv, from: habit, path: out.csv, columns: [user, p]}"
} >"$here/rate.yaml"
"$adloom" run "$here/rate.yaml" --quiet --out "$here/rate" --store "$here/store" || say "rate.yaml does not run"
cat >"$here/expected" <<'TEXT'
user,p
a,0.6
b,0.33333334
a,0.6
a,0.6
c,0.5
TEXT
diff -u "$here/expected" "$here/rate/out.csv" || say "acme.rate computes something else"
exit $failed
