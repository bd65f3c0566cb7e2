#!/bin/sh
# The YAML language server completes, explains and checks pipeline files with the schema that adloom schema writes. Skipped without
# node or the server: `npm install -g yaml-language-server`, or YAML_LANGUAGE_SERVER=.../bin/yaml-language-server.
set -u
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
command -v node >/dev/null || {
  echo "skipped: there is no node"
  exit 77
}
server=${YAML_LANGUAGE_SERVER:-$(command -v yaml-language-server)}
[ -n "$server" ] && [ -e "$server" ] || {
  echo "skipped: there is no yaml-language-server (npm has it; or say YAML_LANGUAGE_SERVER=.../bin/yaml-language-server)"
  exit 77
}
"$ADLOOM_BUILD/adloom" schema >"$here/schema.json" || exit 1
node "$ADLOOM_SRC/tests/editor/language_server.mjs" "$(readlink -f "$server")" "$here/schema.json" "$ADLOOM_SRC"/pipelines/*.yaml
