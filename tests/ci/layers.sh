#!/bin/sh
# A folder of core/ includes only those below it, and plugins include nothing of core/.
set -u
cd "$ADLOOM_SRC" || exit 1
failed=0
below=
for layer in base data config expr plugin graph model engine stand conform report compare cli; do
  below="$below $layer"
  [ -d core/$layer ] || {
    echo "there is no core/$layer"
    failed=1
  }
  for included in $(cat core/$layer/*.[ch] | sed -n 's|^ *# *include "core/\([a-z]*\)/.*|\1|p' | sort -u); do
    case " $below " in
      *" $included "*) ;;
      *)
        echo "core/$layer includes core/$included, which is not below it:"
        grep -n "include \"core/$included/" core/$layer/*.[ch]
        failed=1
        ;;
    esac
  done
done
for layer in core/*/; do
  case " $below " in
    *" $(basename "$layer") "*) ;;
    *)
      echo "$layer has no place among the layers"
      failed=1
      ;;
  esac
done
if grep -nE '# *include ["<](\.\./|core/)' plugins/*/*.[ch] include/adloom/*.h; then
  echo "plugins and public headers include nothing of core/"
  failed=1
fi
exit $failed
