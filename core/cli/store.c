/* adloom store list | prune */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/base/grid.h"
#include "core/cli/command.h"
#include "core/config/value.h"
#include "core/model/store.h"

#define AT(member) offsetof(adl_cli_options, member)

static const adl_option options_of_store[] = {
    {"store", ADL_OPTION_TEXT, AT(store), "DIR", "The store. Default: adloom/models in the user's cache directory."},
    {"unused", ADL_OPTION_TEXT, AT(unused), "TIME",
     "prune: removes models that were not used for so long, as 30d or 12h."},
    {"keep", ADL_OPTION_SIZE, AT(keep), "SIZE",
     "prune: removes what was unused for longest until no more than this is left, as 500M."},
    {"all", ADL_OPTION_FLAG, AT(all), NULL, "prune: removes every model."},
    {NULL, ADL_OPTION_FLAG, 0, NULL, NULL},
};

static char *time_text(int64_t seconds) {
  GDateTime *time = g_date_time_new_from_unix_local(seconds);
  char *text = g_date_time_format(time, "%Y-%m-%d %H:%M");
  g_date_time_unref(time);
  return text;
}

/* Read whole: a damaged one is found, told, and removed. */
static void add_entry(adl_model_store *store, const adl_stored *one, GPtrArray *cells) {
  adl_model_meta *meta = NULL;
  char *warning = NULL;
  adl_tensors *tensors = adl_model_store_look(store, one->hash, &meta, &warning);
  if (warning != NULL) fprintf(stderr, "adloom store: %s\n", warning);
  if (tensors != NULL) {
    GString *parameters = g_string_new(meta->parameters);
    if (parameters->len > 60) g_string_append(g_string_truncate(parameters, 57), "...");
    if (!g_utf8_validate(parameters->str, -1, NULL)) g_string_truncate(parameters, 0);
    g_ptr_array_add(cells, g_strndup(one->hash, 12));
    g_ptr_array_add(cells, time_text(one->used));
    g_ptr_array_add(cells, g_format_size((guint64)one->bytes));
    g_ptr_array_add(cells, g_strdup_printf("%s %s", meta->stage_class, meta->plugin_version));
    g_ptr_array_add(cells, g_string_free(parameters, FALSE));
    adl_model_meta_free(meta);
    adl_tensors_free(tensors);
  }
  g_free(warning);
}

static int list(adl_model_store *store) {
  static const char *const titles[] = {"model", "last used", "size", "class", "parameters"};
  static const bool right[] = {false, false, true, false, false};
  GPtrArray *entries = adl_model_store_list(store), *cells = g_ptr_array_new_with_free_func(g_free);
  GString *out = g_string_new(NULL);
  int64_t bytes = 0;
  for (guint i = 0; i < G_N_ELEMENTS(titles); i++) g_ptr_array_add(cells, g_strdup(titles[i]));
  for (guint i = entries->len; i-- > 0;) {
    const adl_stored *one = entries->pdata[i];
    bytes += one->bytes;
    add_entry(store, one, cells);
  }
  if (entries->len > 0) adl_grid_append(out, cells, G_N_ELEMENTS(titles), right);
  char *size = g_format_size((guint64)bytes);
  printf("%s%u model%s, %s, in %s\n", out->str, entries->len, entries->len == 1 ? "" : "s", size,
         adl_model_store_directory(store));
  g_free(size);
  g_string_free(out, TRUE);
  g_ptr_array_free(cells, TRUE);
  g_ptr_array_free(entries, TRUE);
  return ADL_EXIT_OK;
}

static int prune(const adl_model_store *store, const adl_cli_options *options) {
  int64_t unused = INT64_MAX / 2, count, bytes;
  if ((options->unused != NULL) + (options->keep > 0) + options->all == 0) {
    fprintf(stderr, "adloom store prune: say what goes: --unused TIME, --keep SIZE or --all\n");
    return ADL_EXIT_USAGE;
  }
  GString *why = g_string_new(NULL);
  bool read = options->unused == NULL || adl_value_duration(options->unused, &unused, why);
  if (!read) fprintf(stderr, "adloom store prune: --unused %s: %s\n", options->unused, why->str);
  g_string_free(why, TRUE);
  if (!read) return ADL_EXIT_USAGE;
  if (options->unused != NULL) unused /= 1000000;
  if (!adl_model_store_prune(store, unused,
                             options->all        ? 0
                             : options->keep > 0 ? options->keep
                                                 : -1,
                             &count, &bytes)) {
    fprintf(stderr,
            "adloom store prune: another adloom is removing models from %s just now, or it cannot be written to\n",
            adl_model_store_directory(store));
    return ADL_EXIT_FAILED;
  }
  char *size = g_format_size((guint64)bytes);
  printf("%" PRId64 " model%s removed, %s\n", count, count == 1 ? "" : "s", size);
  g_free(size);
  return ADL_EXIT_OK;
}

static int command_store(int argc, char **argv) {
  adl_cli_options options;
  int status = adl_cli_parse(&adl_command_store, argc, argv, &options, 1);
  if (status < 0) {
    const char *what = options.operands->pdata[0];
    adl_model_store *store = adl_model_store_new(options.store, 0);
    if (strcmp(what, "list") == 0) {
      status = list(store);
    } else if (strcmp(what, "prune") == 0) {
      status = prune(store, &options);
    } else {
      fprintf(stderr, "adloom store: there is no `%s`; write `adloom store list` or `adloom store prune`\n", what);
      status = ADL_EXIT_USAGE;
    }
    adl_model_store_free(store);
  }
  adl_cli_clear(&options);
  return status;
}

const adl_command adl_command_store = {
    "store",
    "list | prune",
    "shows the models kept for later runs, and removes some",
    "Fitted models are kept under the hash of all that determined them, so that a run fits only what has changed "
    "(`adloom run "
    "--explain` says why). The store keeps itself below 2 GB by dropping what was unused for longest.\n\n"
    "list: every model, last used first: the beginning of its hash, when it was used, its size, class and parameters. "
    "Each is "
    "read whole; one that is damaged is told and removed, and fitted again by the next run that needs it.\n\n"
    "prune: removes models, never the results of runs.",
    options_of_store,
    command_store};
