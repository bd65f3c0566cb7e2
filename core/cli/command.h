/*
 * The subcommands of adloom and their options: one table each, from which parsing, --help and the manual page come. A file
 * core/cli/<command>.c holds a command's function.
 */
#ifndef ADLOOM_CORE_CLI_COMMAND_H
#define ADLOOM_CORE_CLI_COMMAND_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Exit statuses of the adloom command. */
enum { ADL_EXIT_OK = 0, ADL_EXIT_FAILED = 1, ADL_EXIT_USAGE = 2, ADL_EXIT_INTERRUPTED = 130 };

typedef enum adl_option_type {
  ADL_OPTION_FLAG,
  ADL_OPTION_TEXT,
  ADL_OPTION_TEXTS,
  ADL_OPTION_COUNT,
  ADL_OPTION_SIZE
} adl_option_type;

/* One option; tables end with a NULL name. `offset` is into adl_cli_options. */
typedef struct adl_option {
  const char *name; /* "threads", given as --threads N or --threads=N */
  adl_option_type type;
  size_t offset;
  const char *argument; /* "N"; NULL for a flag */
  const char *doc;      /* one sentence */
} adl_option;

/* What all commands together may be told. */
typedef struct adl_cli_options {
  GPtrArray *sets, *vars, *swaps, *only; /* of char *, NULL-terminated once read */
  char *models, *out, *store, *format, *from, *by, *unused, *record, *lang, *dir;
  int64_t threads, memory, limit, rows, repeat, keep, seed;
  bool fresh, json, quiet, all, markdown, explain, list;
  GPtrArray *operands; /* of char * */
} adl_cli_options;

typedef struct adl_command {
  const char *name;
  const char *arguments; /* "FILE [OPTION...]", for the usage line */
  const char *summary;   /* one line, without a full stop */
  const char *doc;       /* paragraphs for --help and the manual page */
  const adl_option *options;
  int (*run)(int argc, char **argv); /* argv[0] is the subcommand; returns an exit status */
} adl_command;

/* NULL-terminated, in the order of the manual. */
const adl_command *const *adl_commands(void);
const adl_command *adl_command_find(const char *name);

extern const adl_command adl_command_run, adl_command_check, adl_command_compare, adl_command_peek, adl_command_graph,
    adl_command_plugin, adl_command_model, adl_command_store, adl_command_schema, adl_command_explain, adl_command_init,
    adl_command_completion;

/* Reads options and operands. Returns -1: go on; else an exit status (after --help, or an error that has been told). */
int adl_cli_parse(const adl_command *command, int argc, char **argv, adl_cli_options *options, int operands_wanted);
void adl_cli_clear(adl_cli_options *options);
/* plugin_check.c: `adloom plugin check`. */
int adl_plugin_check(const adl_cli_options *options);
void adl_cli_help(const adl_command *command, GString *out);

#endif
