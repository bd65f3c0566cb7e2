/*
 * `adloom plugin`: lists plugins and shows what a class offers. Called by main.
 */
#include "core/cli/command.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/terminal.h"
#include "core/cli/plugin_new.h"
#include "core/cli/replay.h"
#include "core/plugin/describe.h"

/* Columns of the terminal within reason; 80 when the output goes elsewhere. */
static int page_width(void) {
  int columns, lines;
  return adl_terminal_size(STDOUT_FILENO, &columns, &lines) ? CLAMP(columns, 60, 100) : 80;
}

static void print(GString *text) {
  fwrite(text->str, 1, text->len, stdout);
  g_string_truncate(text, 0);
}

static int list(adl_registry *registry) {
  GString *out = g_string_new(NULL);
  adl_describe_list(registry, out);
  print(out);
  g_string_free(out, TRUE);
  return ADL_EXIT_OK;
}

/* Appends one class to `out`. */
static bool show_class(adl_registry *registry, const char *id, bool markdown, GString *out, GString *why) {
  const adl_loaded *loaded = adl_registry_find(registry, id, why);
  if (loaded == NULL) return false;
  if (out->len > 0 && !markdown) g_string_append_c(out, '\n');
  if (markdown)
    adl_describe_markdown(loaded, 2, out);
  else
    adl_describe_class(loaded, page_width(), out);
  return true;
}

/* A plugin of that id whose classes have other names. */
static const adl_plugin_file *find_plugin(const adl_registry *registry, const char *id) {
  for (uint32_t i = 0; i < adl_registry_file_count(registry); i++) {
    const adl_plugin_file *file = adl_registry_file(registry, i);
    if (file->refused == NULL && strcmp(file->id, id) == 0) return file;
  }
  return NULL;
}

static bool show_name(adl_registry *registry, const char *name, bool markdown, GString *out, GString *why) {
  const adl_plugin_file *file = adl_registry_offers(registry, name) ? NULL : find_plugin(registry, name);
  if (file == NULL) return show_class(registry, name, markdown, out, why);
  for (uint32_t i = 0; i < file->offer_count; i++)
    if (!show_class(registry, file->offers[i].id, markdown, out, why)) return false;
  return true;
}

static bool show_all(adl_registry *registry, bool markdown, GString *out, GString *why) {
  if (markdown) return adl_describe_reference(registry, out, why);
  const char **ids = adl_registry_ids(registry);
  bool fine = true;
  for (const char **id = ids; fine && *id != NULL; id++)
    if (strchr(*id, '.') == NULL) fine = show_class(registry, *id, false, out, why);
  g_free(ids);
  return fine;
}

/* "first line" and notes below it. */
static void print_reason(const GString *why) {
  char **lines = g_strsplit(why->str, "\n", -1);
  for (int i = 0; lines[i] != NULL; i++) fprintf(stderr, "%s%s\n", i == 0 ? "adloom: " : "   note: ", lines[i]);
  g_strfreev(lines);
}

static int show(adl_registry *registry, const adl_cli_options *options) {
  bool fine = true;
  guint names = options->operands->len - 1;
  if (options->all == (names > 0)) {
    fprintf(stderr, "adloom plugin: write `plugin show NAME...` or `plugin show --all`\n");
    return ADL_EXIT_USAGE;
  }
  GString *out = g_string_new(NULL), *why = g_string_new(NULL);
  if (options->all) fine = show_all(registry, options->markdown, out, why);
  for (guint i = 1; i <= names && fine; i++)
    fine = show_name(registry, options->operands->pdata[i], options->markdown, out, why);
  if (fine)
    print(out);
  else
    print_reason(why);
  g_string_free(out, TRUE);
  g_string_free(why, TRUE);
  return fine ? ADL_EXIT_OK : ADL_EXIT_USAGE;
}

static int command_plugin(int argc, char **argv) {
  adl_cli_options options;
  int status = adl_cli_parse(&adl_command_plugin, argc, argv, &options, -1);
  if (status < 0) {
    const char *what = options.operands->len > 0 ? options.operands->pdata[0] : "";
    bool wants_check = strcmp(what, "check") == 0, wants_new = strcmp(what, "new") == 0;
    bool wants_list = strcmp(what, "list") == 0 && options.operands->len == 1, wants_show = strcmp(what, "show") == 0;
    if (strcmp(what, "replay") == 0) {
      status = adl_cli_replay(&options);
    } else if (wants_check) {
      status = adl_plugin_check(&options);
    } else if (wants_new) {
      status = adl_plugin_new(&options);
    } else if (!wants_list && !wants_show) {
      fprintf(stderr, "Usage: adloom plugin %s\n`adloom plugin --help` tells more.\n", adl_command_plugin.arguments);
      status = ADL_EXIT_USAGE;
    } else {
      adl_registry *registry = adl_registry_new(NULL);
      adl_registry_scan(registry);
      status = wants_list ? list(registry) : show(registry, &options);
      adl_registry_free(registry);
    }
  }
  adl_cli_clear(&options);
  return status;
}

static const adl_option options_of_plugin[] = {
    {"all", ADL_OPTION_FLAG, offsetof(adl_cli_options, all), NULL, "show: every class that comes with adloom."},
    {"markdown", ADL_OPTION_FLAG, offsetof(adl_cli_options, markdown), NULL, "show: as Markdown, for the reference."},
    {"set", ADL_OPTION_TEXTS, offsetof(adl_cli_options, sets), "PARAMETER=VALUE",
     "check: a value that cannot be guessed; CLASS.PARAMETER=VALUE for one class of several."},
    {"only", ADL_OPTION_TEXTS, offsetof(adl_cli_options, only), "NAME", "check: this check only; may be repeated."},
    {"seed", ADL_OPTION_COUNT, offsetof(adl_cli_options, seed), "N", "check: what is made up follows from it."},
    {"list", ADL_OPTION_FLAG, offsetof(adl_cli_options, list), NULL, "check: only say which checks there are."},
    {"lang", ADL_OPTION_TEXT, offsetof(adl_cli_options, lang), "LANGUAGE", "new: c (without this option) or c++."},
    {"dir", ADL_OPTION_TEXT, offsetof(adl_cli_options, dir), "DIR",
     "new: the folder to make; NAME without this option."},
    {NULL, ADL_OPTION_FLAG, 0, NULL, NULL},
};

const adl_command adl_command_plugin = {
    "plugin",
    "list | show NAME... | check FILE.so | new KIND NAME | replay FILE.so RECORD",
    "lists plugins, shows what they offer, checks them and begins new ones",
    "list: every class that can be used, with its kind, version and file; which files were passed over, and why.\n\n"
    "show: what classes do, and their parameters; NAME is a class, or a plugin with several.\n\n"
    "check: is a plugin fit for everybody? Every check has a process of its own, and feeds the plugin what its own "
    "tables "
    "say that it takes. What was found is written in the Test Anything Protocol; the status is 0 where all is well, 1 "
    "where a check has failed, 2 where there is no plugin.\n\n"
    "replay: feeds a record that `run --record` has written to the plugin in a file, and compares what it gives with "
    "what "
    "was recorded, bit for bit. The first difference is told with batch, column, row and both values. The status is 0 "
    "where all is the same, 1 where it differs or the plugin died, 2 where the record or the plugin cannot be used.\n\n"
    "new: writes the folder of a plugin that builds and passes its tests at once, and explains itself: source, "
    "Makefile, tests, a pipeline with some rows. KIND is source, transform, feature, profile, optimize, evaluate or "
    "sink; NAME is the id of its class, with a prefix of yours and a dot: acme.rate.",
    options_of_plugin,
    command_plugin};
