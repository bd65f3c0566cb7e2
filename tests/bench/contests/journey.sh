#!/usr/bin/env bash
# The main job on real data, beside the same steps in pandas and scikit-learn. ADLOOM_DATA is where the data are.

journey() {
  local file=$ADLOOM_SRC/pipelines/journey.yaml bytes=0 input auc
  table "$heading"
  if [ -z "${ADLOOM_DATA:-}" ] || [ ! -d "${ADLOOM_DATA:-}/complete_journey" ]; then
    plain 'journey' 'skipped: ADLOOM_DATA is not set' '' '' '' ''
    return 0
  fi
  for input in "$ADLOOM_DATA"/complete_journey/*.csv*; do bytes=$((bytes + $(gzip -cdf <"$input" | wc -c))); done
  begin journey
  ours "$file"
  if python_with sklearn,pandas; then against 'pandas and scikit-learn' "$python" "$source/peers/journey.py" "$ADLOOM_DATA/complete_journey" "$work/out/journey.csv"; fi
  bound "read:$(ls "$ADLOOM_DATA"/complete_journey/transactions_sample.csv* | head -1)"
  measured || return 0
  auc=$(metric journey quality auc)
  for i in "${!peers[@]}"; do
    [ -z "${peer_wall[i]}" ] || at_most "$(calculate %.4f "${peer_quality[i]} - .02")" "$auc" "journey: AUC of ${peers[i]} less .02, and ours"
  done
  show '' "$bytes / 1e9 / read" "held-out AUC $(calculate %.4f "$auc")"
}
