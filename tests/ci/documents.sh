#!/bin/sh
# What the documents take from the program's tables is what the program says today, and the manual page is sound.
set -u
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
failed=0

"$ADLOOM_SRC/docs/refresh.sh" "$ADLOOM_BUILD/adloom" "$here" || exit 1
for name in adloom.1 plugins.md; do
  if ! diff -u "$ADLOOM_SRC/docs/$name" "$here/$name"; then
    echo "docs/$name is not what the program says: run make refresh-docs, and commit it"
    failed=1
  fi
done

if command -v man >/dev/null && command -v groff >/dev/null; then
  warnings=$(LC_ALL=C.UTF-8 MANROFFSEQ='' man --warnings -E UTF-8 -l "$ADLOOM_SRC/docs/adloom.1" 2>&1 >/dev/null)
  if [ -n "$warnings" ]; then
    echo "man has something to say about docs/adloom.1: $warnings"
    failed=1
  fi
fi

# Every command and option stands in the page.
for command in $("$ADLOOM_BUILD/adloom" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
  for option in $("$ADLOOM_BUILD/adloom" $command --help | sed -n 's/^  --\([a-z-]*\).*/\1/p'); do
    tag=$(printf '%s' "--$option" | sed 's/-/\\\\-/g')
    grep -q -- "^\\\\fB$tag\\\\fR" "$ADLOOM_SRC/docs/adloom.1" || {
      echo "docs/adloom.1 lacks --$option of adloom $command"
      failed=1
    }
  done
done

# Every class that comes with adloom stands in the tables of both READMEs.
for class in $("$ADLOOM_BUILD/adloom" plugin list | awk -v built="$ADLOOM_BUILD/" 'index($4, built) || $4 == "built" { print $2 }'); do
  for file in README.md README.zh.md; do
    grep '^| ' "$ADLOOM_SRC/$file" | grep -qw -- "$class" || {
      echo "$file does not name the class $class"
      failed=1
    }
  done
done

# Links within the documents lead somewhere.
cd "$ADLOOM_SRC" || exit 1
for file in README.md README.zh.md docs/*.md; do
  for target in $(grep -o '](\([^)#:]*\))' "$file" | sed 's/^](//; s/)$//'); do
    [ -e "$(dirname "$file")/$target" ] || {
      echo "$file links to $target, which is not there"
      failed=1
    }
  done
done
exit $failed
