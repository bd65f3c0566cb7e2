#!/bin/sh
# Makes again what the documents take from the program's tables: the manual page and the plugin reference. `make
# refresh-docs` writes them into the source tree; tests/ci/documents.sh tells when that is due.
#
# Usage: docs/refresh.sh ADLOOM FOLDER
set -eu
adloom=$1 folder=$2
# Plugins of the user's own do not belong here.
unset ADLOOM_PLUGIN_PATH
XDG_DATA_HOME=/nonexistent
export XDG_DATA_HOME

"$adloom" help --man >"$folder/adloom.1.new"
{
  printf '# Plugin reference\n\n'
  printf 'Every stage class that comes with adloom. `adloom plugin show NAME` says the same in the terminal.\n\n'
  printf '<!-- Made by `make refresh-docs` from the tables of the plugins; do not edit. -->\n\n'
  "$adloom" plugin show --all --markdown
} >"$folder/plugins.md.new"
for name in adloom.1 plugins.md; do
  mv "$folder/$name.new" "$folder/$name"
done
