#!/bin/sh
# The promise of ABI 1.x (docs/abi.md), kept: plugins built from the headers of 1.0, which stand here unchanged, work in
# today's core; a plugin of a later minor is refused by a host that is older, in words; and a later host works with a
# plugin of 1.0. "Later" is a copy of today's headers with a minor more and grown structs.
set -u
: "${ADLOOM_SRC:?run this by make check}" "${ADLOOM_BUILD:?run this by make check}"
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
failed=0
say() {
  echo "$1"
  failed=1
}
museum=$ADLOOM_SRC/tests/museum/1.0/include
sketches=$ADLOOM_SRC/tests/sketches

# build INCLUDE-FOLDER SKETCH FILE: as strangers do.
build() { ${CC:-cc} -O1 -shared -fPIC -fvisibility=hidden -I"$1" "$sketches/$2.c" -o "$3" -lm || say "$2.c does not compile with $1"; }

# The headers of 1.0 stay what they were; where today's are still those of 1.0, they are the same.
minor=$(sed -n 's/^#define ADL_ABI_MINOR  *//p' "$ADLOOM_SRC/include/adloom/plugin.h")
for header in "$museum"/adloom/*.h; do
  [ "$minor" != 0 ] || diff "$header" "$ADLOOM_SRC/include/adloom/$(basename "$header")" || say "ABI 1.0 has changed"
done

# ---- plugins of 1.0 in today's core: the tests of the sketches, with these builds of them ----
mkdir "$here/old"
for sketch in bandit blocks expression extractor join kmeans online readme sink source table; do
  build "$museum" $sketch "$here/old/$sketch.so"
done
for program in test_groups test_models test_rows test_server; do
  ADLOOM_SKETCHES=$here/old CK_VERBOSITY=minimal "$ADLOOM_BUILD/tests/sketches/$program" >"$here/log" 2>&1 || {
    cat "$here/log"
    say "$program fails with plugins of 1.0"
  }
done

# ---- what may come ----
mkdir -p "$here/later/adloom" "$here/new"
cp "$ADLOOM_SRC"/include/adloom/*.h "$here/later/adloom/"
awk '/^#define ADL_ABI_MINOR/ { print "#define ADL_ABI_MINOR " $3 + 1; next }
  /^} adl_class;/ { print "  adl_status (*later)(const adl_call *call, void *self);" }
  /^} adl_param;/ { print "  const char *later;" }
  /^} adl_plugin;/ { print "  const char *later;" }
  /^struct adl_host \{/ { inside = 1 }
  inside && /^};/ { print "  void (*later_still)(const adl_call *call);"; inside = 0 }
  { print }' "$ADLOOM_SRC/include/adloom/plugin.h" >"$here/later/adloom/plugin.h"
cmp -s "$here/later/adloom/plugin.h" "$ADLOOM_SRC/include/adloom/plugin.h" && say "the later header is today's"

# A later plugin, today's core.
build "$here/later" online "$here/new/online.so"
printf 'x,y,c\n1,2,1\n2,1,0\n' >"$here/rows.csv"
cat >"$here/a.yaml" <<END
adloom: 1
plugins: [new/online.so]
stages:
  rows: {use: read-csv, path: rows.csv, columns: {x: float, y: float, c: float}}
  click: {use: sketch.online, features: [x, y], label: c}
END
XDG_DATA_HOME=$here "$ADLOOM_BUILD/adloom" check "$here/a.yaml" >"$here/said" 2>&1 && say "a plugin of a later ABI is not refused"
grep -q "it was built for plugin ABI 1\.$((minor + 1)), this adloom has 1\.$minor; use a newer adloom" "$here/said" || {
  cat "$here/said"
  say "the refusal of a later plugin does not say what to do"
}

# A later host, a plugin of 1.0; and a host of 1.0, a later plugin.
cat >"$here/host.c" <<'END'
#include <adloom/plugin.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
int main(int count, char **arguments) {
  const adl_host host = {.struct_size = sizeof host, .abi_major = ADL_ABI_MAJOR, .abi_minor = ADL_ABI_MINOR};
  void *symbol = dlsym(dlopen(arguments[count - 1], RTLD_NOW | RTLD_LOCAL), "adl_plugin_entry");
  adl_plugin_entry_function entry;
  memcpy(&entry, &symbol, sizeof entry);
  const adl_plugin *plugin = entry(&host);
  puts(plugin == NULL ? "declines" : plugin->classes[0]->id);
  return 0;
}
END
${CC:-cc} -I"$here/later" "$here/host.c" -o "$here/later-host" -ldl || say "the later host does not compile"
${CC:-cc} -I"$museum" "$here/host.c" -o "$here/old-host" -ldl || say "the host of 1.0 does not compile"
[ "$("$here/later-host" "$here/old/online.so")" = sketch.online ] || say "a later host cannot use a plugin of 1.0"
[ "$("$here/old-host" "$here/old/online.so")" = sketch.online ] || say "a host of 1.0 cannot use its own plugins"
[ "$("$here/old-host" "$here/new/online.so")" = declines ] || say "a later plugin does not decline a host of 1.0"
exit $failed
