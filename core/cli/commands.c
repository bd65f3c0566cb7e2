/* The table of subcommands. */
#include <string.h>

#include "core/cli/command.h"

const adl_command *const *adl_commands(void) {
  static const adl_command *const commands[] = {&adl_command_init,
                                                &adl_command_run,
                                                &adl_command_check,
                                                &adl_command_compare,
                                                &adl_command_peek,
                                                &adl_command_explain,
                                                &adl_command_graph,
                                                &adl_command_plugin,
                                                &adl_command_model,
                                                &adl_command_store,
                                                &adl_command_schema,
                                                &adl_command_completion,
                                                NULL};
  return commands;
}

const adl_command *adl_command_find(const char *name) {
  for (const adl_command *const *command = adl_commands(); *command != NULL; command++)
    if (strcmp((*command)->name, name) == 0) return *command;
  return NULL;
}
