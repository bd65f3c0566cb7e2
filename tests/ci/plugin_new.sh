#!/bin/sh
# `adloom plugin new`: what it writes builds without a warning, passes its tests and runs, for every kind and language,
# and what cannot be is refused and leaves nothing behind.
#
#   plugin_new.sh             with the program, the header and the harness of the tree (run by make check)
#   plugin_new.sh PREFIX      with those that are installed there, and nothing else
set -u
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
export XDG_DATA_HOME="$here/data" XDG_CACHE_HOME="$here/cache"
if [ $# = 1 ]; then
  adloom=$1/bin/adloom
  export PKG_CONFIG_PATH=$1/lib/pkgconfig
  unset ADLOOM_BUILD ADLOOM_SRC ADLOOM_PLUGIN_PATH
else
  adloom=${ADLOOM_BUILD:?run this by make check}/adloom
  export PKG_CONFIG_PATH=$ADLOOM_BUILD
  # --enable-static-plugins builds none, and a sanitizer's library must come first in a program.
  if [ ! -e "$ADLOOM_BUILD/.libs/libadloom-test.so" ] || grep -q '^SANITIZE_FLAGS = .*fsanitize' "$ADLOOM_BUILD/Makefile"; then
    echo "this build has no harness for other programs"
    exit 77
  fi
fi
cd "$here" || exit 1
failed=0
say() {
  echo "$1"
  [ ! -f "$here/log" ] || sed 's/^/  /' "$here/log"
  failed=1
}

# ---- every kind, in both languages ----
languages=c
if command -v "${CXX:-g++}" >"$here/found"; then languages="c c++"; else echo "no C++ compiler: C++ is not tried"; fi
warnings="-O1 -Wall -Wextra -Wshadow -Wpedantic -Werror"
for kind in source transform feature profile optimize evaluate sink; do
  for language in $languages; do
    name=acme.my-$kind
    folder=$kind-$language
    if ! "$adloom" plugin new "$kind" "$name" --lang "$language" --dir "$folder" >log 2>&1; then
      say "$folder is not written"
      continue
    fi
    make -C "$folder" check ADLOOM="$adloom" CFLAGS="-std=c11 $warnings" CXX="${CXX:-g++}" CXXFLAGS="-std=c++17 $warnings" >log 2>&1 || {
      say "$folder does not build and pass its tests"
      continue
    }
    [ "$(grep -c '^ok ' log)" -ge 2 ] || say "$folder has hardly any tests"
    [ -s "$folder/run/manifest.json" ] || say "the pipeline of $folder has not run"
    case $kind in
      evaluate) grep -q brier "$folder/run/metrics.json" || say "the pipeline of $folder measures nothing" ;;
      *) [ "$(cat "$folder"/run/out.* | wc -l)" -ge 3 ] || say "the pipeline of $folder writes nothing" ;;
    esac
    grep -rnI 'template\|@SUFFIX@' "$folder" --include='*.c' --include='*.cc' --include='*.md' --include=Makefile >log &&
      say "$folder still has names of the template"
    ADLOOM_PLUGIN_PATH=$here/$folder "$adloom" plugin show "$name" >log 2>&1 || say "$name cannot be shown"
    make -C "$folder" clean >log 2>&1
    [ "$(ls "$folder" | wc -l)" = 6 ] || say "make clean leaves something in $folder, or takes too much"
    rm -f log
  done
done
[ "$(wc -l <feature-c/acme.my-feature.c)" -le 90 ] || say "a feature extractor takes more than 90 lines"
[ "$(wc -l <feature-c/Makefile)" -le 24 ] || say "the Makefile is long"

# ---- installed for one user, without `plugins:` ----
make -C transform-c install ADLOOM="$adloom" >log 2>&1 || say "make install fails"
"$adloom" plugin list >log 2>&1
grep -q "acme.my-transform.*$here/data/adloom/plugins/acme.my-transform.so" log || say "what is installed is not found"
rm -f log

# ---- odd names ----
"$adloom" plugin new feature acme.switch >log 2>&1 && make -C acme.switch check ADLOOM="$adloom" >log 2>&1 ||
  say "a keyword of C is no good name"
"$adloom" plugin new transform acme.template-2.test --lang c++ >log 2>&1 &&
  make -C acme.template-2.test check ADLOOM="$adloom" CXX="${CXX:-g++}" >log 2>&1 || say "acme.template-2.test is no good name"
rm -f log

# refused TEXT ARGUMENTS...: the command fails, says the text and leaves nothing.
refused() {
  text=$1
  shift
  ls -A >before
  "$adloom" plugin new "$@" >log 2>&1 && say "not refused: plugin new $*"
  grep -qF -e "$text" log || say "plugin new $* does not say: $text"
  rm -f log
  ls -A >after
  sed -i /^after$/d after
  cmp -s before after || say "plugin new $* leaves something behind"
  rm -f before after
}
touch before
refused 'did you mean `feature`?' featur acme.rate
refused 'put a prefix of your own' feature rate
refused 'is no name for a class' feature Acme.rate
refused 'is no name for a class' feature acme.rate_2
refused 'is no name for a class' feature ../acme.rate
refused 'is no name for a class' feature ''
refused '--lang is c or c++' feature acme.rate --lang rust
refused 'is there already' feature acme.rate --dir feature-c
refused 'plugin new KIND NAME' feature
refused 'No such file or directory' feature acme.rate --dir nowhere/rate
: >file
refused 'is there already' feature acme.rate --dir file
ln -s nowhere link
refused 'is there already' feature acme.rate --dir link

# ---- a disk that is full ----
mkdir small
if unshare -rm true 2>log; then
  unshare -rm sh -c 'mount -t tmpfs -o size=16k none small && "$1" plugin new feature acme.rate --dir small/rate 2>told; echo $? >status; ls -A small >left' - "$adloom"
  [ "$(cat status)" = 1 ] || say "a full disk does not make it fail"
  grep -q 'No space left on device' told || say "a full disk is not told of"
  [ ! -s left ] || say "half a folder is left on a full disk"
else
  echo "no namespaces of one's own: a full disk is not tried"
fi
exit $failed
