/*
 * One subcommand of adloom, as main's table lists it. A file core/cli/<command>.c holds its function.
 */
#ifndef ADLOOM_CORE_CLI_COMMAND_H
#define ADLOOM_CORE_CLI_COMMAND_H

/* Exit statuses of the adloom command. */
enum { ADL_EXIT_OK = 0, ADL_EXIT_FAILED = 1, ADL_EXIT_USAGE = 2, ADL_EXIT_INTERRUPTED = 130 };

typedef struct adl_command {
  const char *name;
  const char *arguments;             /* "FILE [OPTION...]", for the usage line */
  const char *summary;               /* one line, without a full stop */
  int (*run)(int argc, char **argv); /* argv[0] is the subcommand; returns an exit status */
} adl_command;

int adl_command_plugin(int argc, char **argv);

#endif
