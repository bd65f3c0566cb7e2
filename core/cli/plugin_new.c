/*
 * `adloom plugin new`: writes the folder of a plugin that builds at once. The files are those of core/cli/templates, which
 * are plugins and tests of a class called acme.template; they are part of this program (GResource).
 */
#include "core/cli/plugin_new.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/cli/templates.h"
#include "core/plugin/note.h"
#include "core/plugin/registry.h"

/* The plugin to be. */
typedef struct new_plan {
  const char *kind, *id;
  char *identifier;   /* what names of its source begin with: of acme.click-rate it is click_rate */
  const char *suffix; /* "c" or "cc" */
} new_plan;

/* Which template becomes which file; ID, KIND and SUFFIX stand for those of the plan. */
static const struct {
  const char *from, *to;
} files[] = {{"KIND.SUFFIX", "ID.SUFFIX"},   {"KIND-test.c", "test.SUFFIX"}, {"SUFFIX.mk", "Makefile"},
             {"KIND.yaml", "pipeline.yaml"}, {"KIND.csv", "rows.csv"},       {"README.md", "README.md"}};

/* ---- what it is told ---- */

static int refuse(GString *why) {
  fprintf(stderr, "adloom plugin new: %s\n", why->str);
  g_string_free(why, TRUE);
  return ADL_EXIT_USAGE;
}

static bool kind_known(const char *kind, GString *why) {
  const char *names[16];
  size_t count = 0;
  for (uint32_t i = ADL_SOURCE; adl_kind_name(i) != NULL && count < G_N_ELEMENTS(names); i++) {
    names[count++] = adl_kind_name(i);
    if (strcmp(adl_kind_name(i), kind) == 0) return true;
  }
  g_string_append(why, "there is no kind ");
  adl_text_quote(why, kind);
  adl_text_suggest(why, kind, names, count);
  return false;
}

static bool name_good(const char *name, GString *why) {
  if (adl_id_valid(name) && strchr(name, '.') != NULL) return true;
  adl_text_quote(why, name);
  g_string_append(why, adl_id_valid(name)
                           ? " is a name for classes that come with adloom: put a prefix of your own and a "
                             "dot before it, as in acme.rate"
                           : " is no name for a class: it has a prefix and a dot, small letters, digits "
                             "and dashes, as in acme.click-rate, and at most 64 of them");
  return false;
}

static bool language_known(const char *language, new_plan *plan, GString *why) {
  plan->suffix = language == NULL || strcmp(language, "c") == 0 ? "c" : strcmp(language, "c++") == 0 ? "cc" : NULL;
  if (plan->suffix != NULL) return true;
  g_string_append(why, "--lang is c or c++, not ");
  adl_text_quote(why, language);
  return false;
}

/* What follows the prefix, as C writes names. Templates put an underscore and a word behind it, so that it is never a
 * keyword. */
static char *identifier_of(const char *id) {
  char *identifier = g_strdup(strchr(id, '.') + 1);
  return g_strdelimit(identifier, ".-", '_');
}

/* ---- writing ---- */

static void replace(GString *text, const char *what, const char *with) { g_string_replace(text, what, with, 0); }

static char *file_name(const char *pattern, const new_plan *plan) {
  GString *name = g_string_new(pattern);
  replace(name, "KIND", plan->kind);
  replace(name, "SUFFIX", plan->suffix);
  replace(name, "ID", plan->id);
  return g_string_free(name, FALSE);
}

/* The source of numbers reads a text file, and its pipeline says so. */
static const char *rows_name(const new_plan *plan, const char *name) {
  return strcmp(plan->kind, "source") == 0 && strcmp(name, "rows.csv") == 0 ? "rows.txt" : name;
}

static bool write_one(const char *folder, const char *from, const char *to, const new_plan *plan, GError **error) {
  char *resource = g_strconcat("/adloom/new/", from, NULL);
  GBytes *bytes = g_resources_lookup_data(resource, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
  g_free(resource);
  if (bytes == NULL) return false;
  GString *text = g_string_new_len(g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes));
  g_bytes_unref(bytes);
  replace(text, "acme.template", plan->id);
  replace(text, "template_", plan->identifier);
  replace(text, "@SUFFIX@", plan->suffix);
  char *path = g_build_filename(folder, rows_name(plan, to), NULL);
  bool ok = g_file_set_contents(path, text->str, (gssize)text->len, error);
  g_string_free(text, TRUE);
  g_free(path);
  return ok;
}

static bool write_all(const char *folder, const new_plan *plan, GError **error) {
  bool ok = true;
  adl_templates_register_resource();
  for (size_t i = 0; i < G_N_ELEMENTS(files) && ok; i++) {
    char *from = file_name(files[i].from, plan), *to = file_name(files[i].to, plan);
    ok = write_one(folder, from, to, plan, error);
    g_free(from);
    g_free(to);
  }
  adl_templates_unregister_resource();
  return ok;
}

static void remove_folder(const char *folder) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  for (const char *name = dir != NULL ? g_dir_read_name(dir) : NULL; name != NULL; name = g_dir_read_name(dir)) {
    char *path = g_build_filename(folder, name, NULL);
    g_unlink(path);
    g_free(path);
  }
  if (dir != NULL) g_dir_close(dir);
  g_rmdir(folder);
}

/* Made under another name beside it and renamed when all is written: there is never half a folder. */
static bool make_folder(const char *folder, const new_plan *plan, GString *why) {
  char *made = g_strconcat(folder, ".XXXXXX", NULL);
  GError *error = NULL;
  if (g_mkdtemp(made) == NULL) {
    g_string_append_printf(why, "%s cannot be made: %s", folder, g_strerror(errno));
    g_free(made);
    return false;
  }
  mode_t mask = umask(0);
  umask(mask);
  bool ok = write_all(made, plan, &error);
  if (!ok) {
    g_string_append(why, error->message);
    g_error_free(error);
  } else if (chmod(made, 0777 & ~mask) != 0 || rename(made, folder) != 0) {
    g_string_append_printf(why, "%s cannot be made: %s", folder, g_strerror(errno));
    ok = false;
  }
  if (!ok) remove_folder(made);
  g_free(made);
  return ok;
}

static int make(const char *folder, const new_plan *plan) {
  GString *why = g_string_new(NULL);
  if (g_file_test(folder, G_FILE_TEST_EXISTS) || g_file_test(folder, G_FILE_TEST_IS_SYMLINK)) {
    g_string_append_printf(why, "%s is there already: remove it, or name another folder with --dir", folder);
    return refuse(why);
  }
  if (!make_folder(folder, plan, why)) {
    refuse(why);
    return ADL_EXIT_FAILED;
  }
  g_string_free(why, TRUE);
  printf("%s/: ", folder);
  for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
    char *name = file_name(files[i].to, plan);
    printf("%s%s", i > 0 ? ", " : "", rows_name(plan, name));
    g_free(name);
  }
  printf("\nThe source tells how it works. To build and test it: make -C %s check\n", folder);
  return ADL_EXIT_OK;
}

int adl_plugin_new(const adl_cli_options *options) {
  GString *why = g_string_new(NULL);
  if (options->operands->len != 3) {
    g_string_append(why, "write `plugin new KIND NAME`, for example `plugin new feature acme.rate`");
    return refuse(why);
  }
  new_plan plan = {.kind = options->operands->pdata[1], .id = options->operands->pdata[2]};
  if (!kind_known(plan.kind, why) || !name_good(plan.id, why) || !language_known(options->lang, &plan, why))
    return refuse(why);
  g_string_free(why, TRUE);
  plan.identifier = identifier_of(plan.id);
  char *folder = g_strdup(options->dir != NULL ? options->dir : plan.id);
  for (size_t size = strlen(folder); size > 1 && folder[size - 1] == '/'; size--) folder[size - 1] = '\0';
  int status = make(folder, &plan);
  g_free(folder);
  g_free(plan.identifier);
  return status;
}
