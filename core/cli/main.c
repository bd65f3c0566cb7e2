/*
 * The adloom command: finds the subcommand in the table and runs it. Results go to standard output, errors to standard
 * error.
 */
#include <errno.h>
#include <glib.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "core/base/text.h"
#include "core/cli/command.h"
#include "core/cli/manual.h"

static void usage(FILE *to) {
  fprintf(to, "Usage: adloom COMMAND ...\n\n");
  for (const adl_command *const *command = adl_commands(); *command != NULL; command++)
    fprintf(to, "  %-10s  %s\n", (*command)->name, (*command)->summary);
  fprintf(to, "\n`adloom COMMAND --help` tells more; `adloom --version` tells the version.\n");
}

/* `adloom help`, `adloom help COMMAND`; and --man, which docs/refresh.sh uses. */
static int help(const char *about) {
  const adl_command *command = about != NULL ? adl_command_find(about) : NULL;
  GString *text = g_string_new(NULL);
  if (about != NULL && strcmp(about, "--man") == 0)
    adl_manual_page(text);
  else if (command != NULL)
    adl_cli_help(command, text);
  else
    usage(stdout);
  fputs(text->str, stdout);
  g_string_free(text, TRUE);
  return ADL_EXIT_OK;
}

static int unknown_command(const char *name) {
  const char *names[32];
  size_t count = 0;
  for (const adl_command *const *command = adl_commands(); *command != NULL && count < 32; command++)
    names[count++] = (*command)->name;
  const char *near = adl_text_nearest(name, names, count);
  fprintf(stderr, "adloom: there is no command `%s`", name);
  if (near != NULL) fprintf(stderr, "; did you mean `%s`?", near);
  fprintf(stderr, "\n`adloom --help` lists them.\n");
  return ADL_EXIT_USAGE;
}

static int run_command(int argc, char **argv) {
  if (argc < 2) {
    usage(stderr);
    return ADL_EXIT_USAGE;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return help(NULL);
  if (strcmp(argv[1], "help") == 0) return help(argc > 2 ? argv[2] : NULL);
  if (strcmp(argv[1], "--version") == 0) {
    printf("adloom %s\n", PACKAGE_VERSION);
    return ADL_EXIT_OK;
  }
  const adl_command *command = adl_command_find(argv[1]);
  return command != NULL ? command->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}

int main(int argc, char **argv) {
  setlocale(LC_CTYPE, "");
  int status = run_command(argc, argv);
  errno = 0;
  if (fflush(stdout) == 0 && !ferror(stdout)) return status;
  fprintf(stderr, "adloom: cannot write to standard output%s%s\n", errno != 0 ? ": " : "",
          errno != 0 ? g_strerror(errno) : "");
  return status == ADL_EXIT_OK ? ADL_EXIT_FAILED : status;
}
