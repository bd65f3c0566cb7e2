/* `adloom plugin check FILE.so`: the conformance checks of a plugin. Called by plugin.c. */
#include <stdio.h>
#include <stdlib.h>

#include "core/cli/command.h"
#include "core/conform/conform.h"

int adl_plugin_check(const adl_cli_options *options) {
  if (options->list) {
    adl_conform_list(stdout);
    return ADL_EXIT_OK;
  }
  if (options->operands->len != 2) {
    fprintf(stderr, "adloom plugin: write `plugin check FILE.so` or `plugin check --list`\n");
    return ADL_EXIT_USAGE;
  }
  char *path = g_canonicalize_filename(options->operands->pdata[1], NULL);
  adl_conform_options request = {.path = path,
                                 .seed = options->seed > 0 ? (uint64_t)options->seed : 1,
                                 .only = (const char *const *)options->only->pdata,
                                 .sets = (const char *const *)options->sets->pdata};
  static const int statuses[] = {ADL_EXIT_OK, ADL_EXIT_FAILED, ADL_EXIT_USAGE};
  int status = statuses[adl_conform_run(&request, stdout)];
  g_free(path);
  return status;
}
