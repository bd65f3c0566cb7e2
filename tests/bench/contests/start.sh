#!/usr/bin/env bash
# Starting: the program alone, checking a pipeline, and checking one that maps large libraries.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

# Asks the kernel to forget the program and its plugins, as after a restart.
forget_files() {
  local file
  for file in "$adloom" "$ADLOOM_BUILD"/plugins/*/.libs/*.so; do
    [ ! -e "$file" ] || dd if="$file" iflag=nocache count=0 status=none || true
  done
}

start_up() { # WORK ARGUMENTS... of adloom
  local first
  forget_files
  measure 1 "$adloom" "${@:2}" || return 0
  first=$wall
  measure 21 "$adloom" "${@:2}" || return 0
  plain "$1" "$(calculate '%.1f ms (files forgotten: %.1f)' "$wall * 1e3, $first * 1e3")" "$(calculate 'true: %.1f ms' "$true_wall * 1e3")" \
    "$(calculate '%.0f %%' "100 * $true_wall / $wall")" "$peak" ''
}

start() {
  data clicks "$(scaled 2000000)"
  measure 21 true
  true_wall=$wall
  table "$heading"
  start_up 'start, adloom --version' --version
  start_up 'check, five stages' check "$source/click.yaml" --var "LOG=$folder/clicks.tsv"
  start_up 'check, five stages with ICU and OpenBLAS' check "$source/five.yaml" --var "LOG=$folder/clicks.tsv"
}
