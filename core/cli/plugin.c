/*
 * `adloom plugin`: lists plugins and shows what a class offers. Called by main.
 */
#include "core/cli/command.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/plugin/describe.h"

static void usage(FILE *to) {
  fprintf(to, "Usage: adloom plugin list\n"
              "       adloom plugin show [--markdown] NAME...\n"
              "       adloom plugin show [--markdown] --all\n\n"
              "list  every class that can be used, with its kind, version and file; which files were passed over, and\n"
              "      why\n"
              "show  what classes do, and their parameters; NAME is a class, or a plugin with several; --all: every\n"
              "      class that comes with adloom\n");
}

/* Columns of the terminal within reason; 80 when the output goes elsewhere. */
static int page_width(void) {
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col < 60 ? 60 : size.ws_col > 100 ? 100 : size.ws_col;
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

static int show(adl_registry *registry, int argc, char **argv) {
  bool markdown = false, all = false, fine = true;
  int names = 0;
  for (int i = 0; i < argc; i++) {
    markdown = markdown || strcmp(argv[i], "--markdown") == 0;
    all = all || strcmp(argv[i], "--all") == 0;
    if (argv[i][0] != '-') names++;
    if (argv[i][0] == '-' && strcmp(argv[i], "--markdown") != 0 && strcmp(argv[i], "--all") != 0) {
      fprintf(stderr, "adloom: plugin show has no option '%s'\n", argv[i]);
      return ADL_EXIT_USAGE;
    }
  }
  if (all == (names > 0)) {
    usage(stderr);
    return ADL_EXIT_USAGE;
  }
  GString *out = g_string_new(NULL), *why = g_string_new(NULL);
  if (all) fine = show_all(registry, markdown, out, why);
  for (int i = 0; i < argc && fine; i++)
    if (argv[i][0] != '-') fine = show_name(registry, argv[i], markdown, out, why);
  if (fine)
    print(out);
  else
    print_reason(why);
  g_string_free(out, TRUE);
  g_string_free(why, TRUE);
  return fine ? ADL_EXIT_OK : ADL_EXIT_USAGE;
}

int adl_command_plugin(int argc, char **argv) {
  bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
  bool wants_list = argc == 2 && strcmp(argv[1], "list") == 0, wants_show = argc > 2 && strcmp(argv[1], "show") == 0;
  if (!wants_list && !wants_show) {
    usage(help ? stdout : stderr);
    return help ? ADL_EXIT_OK : ADL_EXIT_USAGE;
  }
  adl_registry *registry = adl_registry_new(NULL);
  adl_registry_scan(registry);
  int status = wants_list ? list(registry) : show(registry, argc - 2, argv + 2);
  adl_registry_free(registry);
  return status;
}
