/* `adloom plugin new`, called by core/cli/plugin.c. */
#ifndef ADLOOM_CORE_CLI_PLUGIN_NEW_H
#define ADLOOM_CORE_CLI_PLUGIN_NEW_H

#include "core/cli/command.h"

/* Writes the folder of a new plugin as the operands (new KIND NAME), --lang and --dir say. Returns an exit status. */
int adl_plugin_new(const adl_cli_options *options);

#endif
