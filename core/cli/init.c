/* adloom init LOG */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cli/command.h"
#include "core/cli/draft.h"

#define AT(member) offsetof(adl_cli_options, member)

enum { DEFAULT_ROWS = 5000 };

static const adl_option options_of_init[] = {
    {"out", ADL_OPTION_TEXT, AT(out), "FILE",
     "Writes the pipeline there instead of to standard output; a file that is there already is left alone."},
    {"rows", ADL_OPTION_COUNT, AT(rows), "N", "How many rows are looked at. Default: 5000."},
    {NULL, ADL_OPTION_FLAG, 0, NULL, NULL},
};

/* Never over a file that is there. */
static int write_new(const char *path, const GString *text) {
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) {
    fprintf(stderr, "adloom init: %s: %s%s\n", path, g_strerror(errno),
            errno == EEXIST ? "; it is left as it is, choose another name" : "");
    return ADL_EXIT_USAGE;
  }
  bool fine = write(file, text->str, text->len) == (gssize)text->len;
  if (close(file) != 0 || !fine) {
    fprintf(stderr, "adloom init: %s: %s\n", path, g_strerror(errno));
    unlink(path);
    return ADL_EXIT_FAILED;
  }
  return ADL_EXIT_OK;
}

/* As the pipeline shall name the log: relative paths begin at the file, which is written here or to --out. */
static char *name_log(const char *log, const char *out) {
  char *folder = out != NULL ? g_path_get_dirname(out) : g_strdup(".");
  bool here = strcmp(folder, ".") == 0 || g_path_is_absolute(log);
  char *name = here ? g_strdup(log) : g_canonicalize_filename(log, NULL);
  g_free(folder);
  return name;
}

/* A source that reads no column is none. */
static bool any_column(const adl_sample *sample, const adl_guess *guesses, GString *why) {
  for (guint c = 0; c < sample->columns->len; c++)
    if (guesses[c].kind != ADL_GUESS_SKIP) return true;
  g_string_append_printf(why,
                         "no column of it has values that can be read: in its first %u rows they are empty or of "
                         "several kinds; look at more of them with --rows",
                         sample->rows);
  return false;
}

static int write_draft(const char *log, const adl_cli_options *options, const adl_sample *sample, GString *why) {
  adl_guess *guesses = adl_guesses_new(sample);
  int status = ADL_EXIT_USAGE;
  if (any_column(sample, guesses, why)) {
    GString *text = g_string_new(NULL);
    char *name = name_log(log, options->out);
    adl_draft(name, sample, guesses, text);
    status = options->out != NULL ? write_new(options->out, text) : ADL_EXIT_OK;
    if (options->out == NULL) fputs(text->str, stdout);
    g_free(name);
    g_string_free(text, TRUE);
  }
  adl_guesses_free(guesses, sample);
  return status;
}

static int draft_for(const char *log, const adl_cli_options *options) {
  adl_sample sample;
  GString *why = g_string_new(NULL);
  int status = ADL_EXIT_USAGE;
  if (adl_sample_read(log, options->rows > 0 ? options->rows : DEFAULT_ROWS, &sample, why))
    status = write_draft(log, options, &sample, why);
  if (why->len > 0) fprintf(stderr, "adloom init: %s: %s\n", log, why->str);
  adl_sample_clear(&sample);
  g_string_free(why, TRUE);
  return status;
}

static int command_init(int argc, char **argv) {
  adl_cli_options options;
  int status = adl_cli_parse(&adl_command_init, argc, argv, &options, 1);
  if (status < 0) status = draft_for(options.operands->pdata[0], &options);
  adl_cli_clear(&options);
  return status;
}

const adl_command adl_command_init = {
    "init",
    "LOG [OPTION...]",
    "writes a first pipeline for a log",
    "Looks at the first rows of a log (CSV or other delimited text, or JSON Lines; packed or not) and writes a "
    "pipeline "
    "for it that runs as it is: types of columns, the time of a row, whose row it is, text (Chinese or not), and what "
    "may "
    "be predicted, with comments that say what was guessed. A log with nothing to predict gets profiles only.\n\n"
    "It is a beginning: look at the types above all, since they decide which rows can be read.",
    options_of_init,
    command_init};
