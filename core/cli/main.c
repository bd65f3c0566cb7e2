/*
 * The adloom command: finds the subcommand in a table and runs it. Results go to standard output, errors to standard
 * error.
 */
#include "core/cli/command.h"

#include <stdio.h>
#include <string.h>

#include "config.h"

static const adl_command commands[] = {
    {"plugin", "list | show NAME", "what plugins there are, and what they offer", adl_command_plugin},
    {NULL, NULL, NULL, NULL},
};

static void usage(FILE *to) {
  fprintf(to, "Usage: adloom COMMAND ...\n\n");
  for (const adl_command *command = commands; command->name != NULL; command++)
    fprintf(to, "  adloom %s %s\n        %s\n", command->name, command->arguments, command->summary);
  fprintf(to, "\n  adloom --help, adloom --version\n");
}

int main(int argc, char **argv) {
  if (argc < 2) {
    usage(stderr);
    return ADL_EXIT_USAGE;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
    usage(stdout);
    return ADL_EXIT_OK;
  }
  if (strcmp(argv[1], "--version") == 0) {
    printf("adloom %s\n", PACKAGE_VERSION);
    return ADL_EXIT_OK;
  }
  for (const adl_command *command = commands; command->name != NULL; command++)
    if (strcmp(argv[1], command->name) == 0) return command->run(argc - 1, argv + 1);
  fprintf(stderr, "adloom: there is no command '%s'; adloom --help lists them\n", argv[1]);
  return ADL_EXIT_USAGE;
}
