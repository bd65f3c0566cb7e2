#include "core/cli/manual.h"

#include <stdbool.h>

#include "config.h"
#include "core/cli/command.h"

/* Text that troff takes as it stands; what is between `backquotes` becomes bold. */
static void append_text(GString *out, const char *text) {
  bool bold = false;
  if (*text == '.' || *text == '\'') g_string_append(out, "\\&");
  for (; *text != '\0'; text++) {
    if (*text == '`') {
      bold = !bold;
      g_string_append(out, bold ? "\\fB" : "\\fR");
    } else if (*text == '\\') {
      g_string_append(out, "\\e");
    } else if (*text == '-') {
      g_string_append(out, "\\-");
    } else {
      g_string_append_c(out, *text);
    }
  }
  g_string_append_c(out, '\n');
}

static void append_paragraphs(GString *out, const char *text) {
  char **paragraphs = g_strsplit(text, "\n\n", -1);
  for (int i = 0; paragraphs[i] != NULL; i++) {
    if (i > 0) g_string_append(out, ".PP\n");
    append_text(out, paragraphs[i]);
  }
  g_strfreev(paragraphs);
}

/* A tagged paragraph: the tag in bold, what it takes in italics. */
static void append_tagged(GString *out, const char *dashes, const char *tag, const char *argument, const char *doc) {
  char *bold = g_strconcat("`", dashes, tag, "`", NULL);
  g_string_append(out, ".TP\n");
  append_text(out, bold);
  g_free(bold);
  if (argument != NULL) {
    g_string_truncate(out, out->len - 1);
    g_string_append(out, " \\fI");
    append_text(out, argument);
    g_string_truncate(out, out->len - 1);
    g_string_append(out, "\\fR\n");
  }
  append_text(out, doc);
}

static void append_command(GString *out, const adl_command *command) {
  g_string_append(out, ".SS ");
  append_text(out, command->name);
  char *usage = g_strdup_printf("`adloom %s` %s", command->name, command->arguments);
  append_text(out, usage);
  g_free(usage);
  g_string_append(out, ".PP\n");
  append_paragraphs(out, command->doc);
  for (const adl_option *option = command->options; option->name != NULL; option++)
    append_tagged(out, "--", option->name, option->argument, option->doc);
}

static const struct {
  const char *tag, *doc;
} exits[] = {
    {"0", "Success."},
    {"1", "The run failed; nothing was published, unless the last line says what was."},
    {"2", "Something is wrong with the command line or the pipeline file; nothing was started."},
    {"130", "Interrupted by Ctrl-C or SIGTERM; models that were fitted before are kept, and nothing was published, "
            "unless the last line says what was."},
};

static const struct {
  const char *tag, *doc;
} environment[] = {
    {"ADLOOM_PLUGIN_PATH",
     "Folders, separated by colons, that are looked through for plugins before all others but those that the pipeline "
     "file names."},
    {"XDG_DATA_HOME", "Your own plugins are in adloom/plugins below it. Default: ~/.local/share."},
    {"NO_COLOR", "If it is set, and not empty, errors are not coloured on a terminal."},
    {"XDG_CACHE_HOME", "The model store is adloom/models below it, unless --store says otherwise. Default: ~/.cache."},
};

void adl_manual_page(GString *out) {
  g_string_append(out, ".\\\" Made by `make refresh-docs` from the tables in core/cli; do not edit.\n");
  g_string_append_printf(out, ".TH ADLOOM 1 \"\" \"adloom %s\" \"User Commands\"\n", PACKAGE_VERSION);
  g_string_append(out, ".SH NAME\nadloom \\- runs pipelines of personalised advertising\n.SH SYNOPSIS\n");
  for (const adl_command *const *command = adl_commands(); *command != NULL; command++) {
    char *usage = g_strdup_printf("`adloom %s` %s", (*command)->name, (*command)->arguments);
    if (command != adl_commands()) g_string_append(out, ".br\n");
    append_text(out, usage);
    g_free(usage);
  }
  g_string_append(out, ".SH DESCRIPTION\n");
  append_paragraphs(
      out,
      "A pipeline is a YAML file of named stages: where logs come from, how features are made of them, how users are "
      "profiled, how ads are chosen, how the outcome is measured. Every stage is an instance of a class that a plugin "
      "offers. `adloom plugin list` names the classes, `adloom plugin show NAME` tells what one does and its "
      "parameters.\n\nResults go to standard output, errors and progress to standard error. An option is given as "
      "--option VALUE or --option=VALUE; every command has --help.");
  g_string_append(out, ".SH COMMANDS\n");
  for (const adl_command *const *command = adl_commands(); *command != NULL; command++) append_command(out, *command);
  g_string_append(out, ".SH EXIT STATUS\n");
  for (size_t i = 0; i < G_N_ELEMENTS(exits); i++) append_tagged(out, "", exits[i].tag, NULL, exits[i].doc);
  g_string_append(out, ".SH ENVIRONMENT\n");
  for (size_t i = 0; i < G_N_ELEMENTS(environment); i++)
    append_tagged(out, "", environment[i].tag, NULL, environment[i].doc);
  g_string_append(out, ".SH EXAMPLES\n");
  append_tagged(out, "", "adloom check shop.yaml", NULL, "Says everything that is wrong with a pipeline file.");
  append_tagged(out, "", "adloom run shop.yaml --set segment.clusters=12", NULL, "Runs it with one parameter changed.");
  append_tagged(out, "", "adloom peek shop.yaml words --rows 3", NULL, "Shows three rows as they leave a stage.");
}
