#!/usr/bin/env bash
# The main job on real data, beside the same steps in pandas and scikit-learn. ADLOOM_DATA is where the data are.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

journey() {
  local file=$ADLOOM_SRC/pipelines/journey.yaml bytes=0 input inputs auc
  table "$heading"
  if [ -z "${ADLOOM_DATA:-}" ] || [ ! -d "${ADLOOM_DATA:-}/complete_journey" ]; then
    plain 'journey' 'skipped: ADLOOM_DATA is not set' '' '' '' ''
    return 0
  fi
  inputs=("$ADLOOM_DATA"/complete_journey/*.csv*)
  for input in "${inputs[@]}"; do bytes=$((bytes + $(gzip -cdf <"$input" | wc -c))); done
  begin journey
  ours "$file"
  if python_with sklearn,pandas; then against 'pandas and scikit-learn' "$python" "$source/peers/journey.py" "$ADLOOM_DATA/complete_journey" "$work/out/journey.csv"; fi
  bound "read:${inputs[0]}"
  measured || return 0
  auc=$(metric journey quality auc)
  for i in "${!peers[@]}"; do
    [ -z "${peer_wall[i]}" ] || at_most "$(calculate %.4f "${peer_quality[i]} - .01")" "$auc" "journey: AUC of ${peers[i]} less .01, and ours"
  done
  show '' "$bytes / 1e9 / read" "held-out AUC $(calculate %.4f "$auc")"
}
