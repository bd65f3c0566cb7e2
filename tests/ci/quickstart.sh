#!/bin/bash
# ./quickstart names exactly the packages that are missing, and touches nothing when it is told to install nothing.
set -u
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
failed=0

say() {
  echo "$*"
  failed=1
}

# A copy of the script in an empty folder, and a machine that has little: only what is linked below.
mkdir -p "$here/tree" "$here/bin"
cp "$ADLOOM_SRC/quickstart" "$here/tree/"
for program in bash dirname cat sort tr printf env; do
  ln -s "$(command -v $program)" "$here/bin/$program" 2>/dev/null
done
for program in gcc make autoconf automake libtoolize awk; do
  printf '#!/bin/sh\nexit 0\n' >"$here/bin/$program"
  chmod +x "$here/bin/$program"
done
# A pkg-config that knows every module but zstd and an old check.
cat >"$here/bin/pkg-config" <<'TEXT'
#!/bin/sh
case "$*" in
  *libzstd* | *"check >= 0.15"*) exit 1 ;;
esac
TEXT
chmod +x "$here/bin/pkg-config"

PATH=$here/bin "$here/tree/quickstart" --no-install >"$here/out" 2>&1
[ $? = 1 ] || say "quickstart goes on although packages are missing"
grep -qx 'quickstart: these Debian packages are missing: check libzstd-dev' "$here/out" || {
  cat "$here/out"
  say "quickstart does not name the missing packages"
}
rm "$here/bin/libtoolize"
PATH=$here/bin "$here/tree/quickstart" check --no-install >"$here/out" 2>&1
grep -qx 'Install them with: apt install check libtool libzstd-dev' "$here/out" || {
  cat "$here/out"
  say "quickstart does not say how to install what is missing"
}
[ ! -e "$here/tree/build" ] || say "quickstart made files although packages are missing"
"$ADLOOM_SRC/quickstart" --install >/dev/null 2>&1
[ $? = 2 ] || say "quickstart takes an option that does not exist"
exit $failed
