#include "core/cli/replay.h"

#include <stdio.h>

#include "core/stand/replay.h"

int adl_cli_replay(const adl_cli_options *options) {
  static const int statuses[] = {
      [ADL_REPLAY_SAME] = ADL_EXIT_OK, [ADL_REPLAY_DIFFERS] = ADL_EXIT_FAILED, [ADL_REPLAY_REFUSED] = ADL_EXIT_USAGE};
  if (options->operands->len != 3) {
    fprintf(stderr, "adloom plugin: write `plugin replay FILE.so RECORD`\n");
    return ADL_EXIT_USAGE;
  }
  GString *said = g_string_new(NULL);
  adl_replay_outcome outcome = adl_replay(options->operands->pdata[1], options->operands->pdata[2], said);
  bool refused = outcome == ADL_REPLAY_REFUSED;
  fprintf(refused ? stderr : stdout, "%s%s", refused ? "adloom: " : "", said->str);
  g_string_free(said, TRUE);
  return statuses[outcome];
}
