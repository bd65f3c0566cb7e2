/* `adloom plugin replay FILE.so RECORD`. Called by the command plugin. */
#ifndef ADLOOM_CORE_CLI_REPLAY_H
#define ADLOOM_CORE_CLI_REPLAY_H

#include "core/cli/command.h"

int adl_cli_replay(const adl_cli_options *options); /* an exit status */

#endif
