#!/bin/sh
# Arrow arrays of the core read by an independent reader, pyarrow, and arrays that it made read by the core. Skipped where
# there is no pyarrow; PYTHON names another interpreter.
set -u
: "${ADLOOM_SRC:?run this by make check}" "${ADLOOM_BUILD:?run this by make check}"
python=${PYTHON:-python3}
library=$ADLOOM_BUILD/tests/data/.libs/arrow_bridge.so

if ! "$python" -c 'import pyarrow' 2>&1; then
  echo "skipped: $python has no module pyarrow"
  exit 77
fi
if [ ! -f "$library" ]; then
  echo "skipped: $library has not been built (Check is needed)"
  exit 77
fi
if grep -qE '__(asan|ubsan|tsan)_' "$library"; then
  echo "skipped: a library with a sanitizer cannot be loaded into $python"
  exit 77
fi
exec "$python" "$ADLOOM_SRC/tests/data/arrow.py" "$library"
