#include "core/engine/manifest.h"

#include <errno.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "config.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/engine/internal.h"
#include "core/engine/outputs.h"
#include "core/engine/reports.h"
#include "core/model/digest.h"

static void text_member(JsonBuilder *builder, const char *name, const char *text) {
  json_builder_set_member_name(builder, name);
  if (text != NULL)
    json_builder_add_string_value(builder, text);
  else
    json_builder_add_null_value(builder);
}

static void int_member(JsonBuilder *builder, const char *name, int64_t value) {
  json_builder_set_member_name(builder, name);
  json_builder_add_int_value(builder, value);
}

static bool write_file(const adl_engine *engine, const char *name, const char *text, gssize size, char **why) {
  char *path = g_build_filename(engine->options->directory, name, NULL);
  GError *error = NULL;
  bool ok = g_file_set_contents(path, text, size, &error);
  if (!ok) *why = g_strdup_printf("cannot write %s: %s", path, error->message);
  g_clear_error(&error);
  g_free(path);
  return ok;
}

/* The builder goes. */
static bool write_json(const adl_engine *engine, const char *name, JsonBuilder *builder, char **why) {
  char *text = adl_json_built(builder, true);
  bool ok = write_file(engine, name, text, -1, why);
  g_free(text);
  return ok;
}

/* ---- rejects ---- */

static void reject_line(void *data, const char *stage, const char *source, int64_t position, const char *column,
                        const char *reason) {
  GString *out = data;
  g_string_append(out, "{\"stage\":");
  adl_text_json_string(out, stage);
  g_string_append(out, ",\"file\":");
  adl_text_json_string(out, source);
  g_string_append_printf(out, ",\"line\":%" G_GINT64_FORMAT, position);
  if (column != NULL) {
    g_string_append(out, ",\"column\":");
    adl_text_json_string(out, column);
  }
  g_string_append(out, ",\"reason\":");
  adl_text_json_string(out, reason);
  g_string_append(out, "}\n");
}

/* ---- manifest ---- */

typedef struct file_list {
  const adl_engine *engine;
  JsonBuilder *builder;
} file_list;

static void add_file(void *data, const adl_param *param, const char *path) {
  file_list *list = data;
  char hex[ADL_FILE_DIGEST_HEX];
  int64_t size = 0;
  json_builder_begin_object(list->builder);
  text_member(list->builder, "parameter", param->name);
  text_member(list->builder, "path", path);
  if (strcmp(path, "-") != 0 && adl_file_digests_get(list->engine->file_digests, path, hex, &size, NULL)) {
    int_member(list->builder, "bytes", size);
    text_member(list->builder, "xxh3_128", hex);
  }
  json_builder_end_object(list->builder);
}

static void add_parameters(JsonBuilder *builder, const adl_stage *stage) {
  GString *text = g_string_new(NULL);
  adl_args_json(stage->args, ADL_ARGS_FOR_MANIFEST, text);
  JsonParser *parser = json_parser_new();
  json_builder_set_member_name(builder, "parameters");
  if (json_parser_load_from_data(parser, text->str, (gssize)text->len, NULL))
    json_builder_add_value(builder, json_node_copy(json_parser_get_root(parser)));
  else
    json_builder_add_string_value(builder, text->str);
  g_object_unref(parser);
  g_string_free(text, TRUE);
}

static void add_stage(const adl_engine *engine, JsonBuilder *builder, const adl_node_run *node) {
  static const char *const modes[] = {NULL, "fit", "online", "frozen"};
  const adl_stage *stage = node->stage;
  json_builder_begin_object(builder);
  text_member(builder, "name", stage->name);
  text_member(builder, "class", stage->class->id);
  text_member(builder, "plugin", stage->loaded->path);
  text_member(builder, "version", stage->loaded->plugin.version);
  text_member(builder, "build", stage->loaded->build);
  json_builder_set_member_name(builder, "from");
  json_builder_begin_array(builder);
  for (guint i = 0; i < stage->from->len; i++)
    json_builder_add_string_value(builder, ((adl_stage *)stage->from->pdata[i])->name);
  json_builder_end_array(builder);
  add_parameters(builder, stage);
  if (modes[stage->learn] != NULL) text_member(builder, "learn", modes[stage->learn]);
  if (node->digest[0] != '\0') text_member(builder, "digest", node->digest);
  if (stage->learn == ADL_LEARN_FIT) {
    json_builder_set_member_name(builder, "fitted_in_this_run");
    json_builder_add_boolean_value(builder, node->fitted_here);
  }
  json_builder_set_member_name(builder, "inputs");
  json_builder_begin_array(builder);
  file_list list = {engine, builder};
  adl_args_each_file(stage->args, add_file, &list);
  json_builder_end_array(builder);
  adl_tally tally = adl_node_tally(node);
  int_member(builder, "rows_in", tally.rows_in);
  int_member(builder, "rows_out", tally.rows_out);
  json_builder_set_member_name(builder, "seconds");
  json_builder_add_double_value(builder, (double)tally.nanoseconds / 1e9);
  json_builder_end_object(builder);
}

static void add_outputs(const adl_engine *engine, JsonBuilder *builder) {
  json_builder_set_member_name(builder, "outputs");
  json_builder_begin_array(builder);
  const GPtrArray *targets = engine->outputs != NULL ? adl_outputs_targets(engine->outputs) : NULL;
  for (guint i = 0; targets != NULL && i < targets->len; i++) json_builder_add_string_value(builder, targets->pdata[i]);
  json_builder_end_array(builder);
}

static void add_arguments(const adl_engine *engine, JsonBuilder *builder) {
  json_builder_set_member_name(builder, "arguments");
  json_builder_begin_array(builder);
  for (const char *const *a = engine->options->arguments; a != NULL && *a != NULL; a++)
    json_builder_add_string_value(builder, *a);
  json_builder_end_array(builder);
}

bool adl_manifest_write(const adl_engine *engine, adl_outcome outcome, char **why) {
  JsonBuilder *builder = json_builder_new();
  json_builder_begin_object(builder);
  text_member(builder, "adloom", PACKAGE_VERSION);
  text_member(builder, "outcome",
              outcome == ADL_RUN_OK            ? "success"
              : outcome == ADL_RUN_INTERRUPTED ? "interrupted"
                                               : "failed");
  text_member(builder, "pipeline", engine->graph->name);
  text_member(builder, "file", engine->graph->path);
  int_member(builder, "seed", (int64_t)engine->graph->seed);
  int_member(builder, "threads", engine->threads);
  int_member(builder, "memory", engine->budget.limit);
  int_member(builder, "limit", engine->options->limit);
  add_arguments(engine, builder);
  GDateTime *started = g_date_time_new_from_unix_utc(engine->started_us / 1000000);
  char *text = g_date_time_format(started, "%Y-%m-%dT%H:%M:%SZ");
  text_member(builder, "started", text);
  g_free(text);
  g_date_time_unref(started);
  json_builder_set_member_name(builder, "seconds");
  json_builder_add_double_value(builder, (double)(g_get_real_time() - engine->started_us) / 1e6);
  int_member(builder, "rows_read", adl_engine_rows_read(engine));
  int_member(builder, "rows_rejected", adl_engine_rejected(engine));
  add_outputs(engine, builder);
  json_builder_set_member_name(builder, "stages");
  json_builder_begin_array(builder);
  for (int32_t i = 0; i < engine->node_count; i++)
    if (engine->nodes[i].stage->class != NULL) add_stage(engine, builder, &engine->nodes[i]);
  json_builder_end_array(builder);
  json_builder_end_object(builder);
  return write_json(engine, "manifest.json", builder, why);
}

bool adl_page_write(const adl_engine *engine, const GString *page, char **why) {
  return write_file(engine, ADL_PAGE_NAME, page->str, (gssize)page->len, why);
}

bool adl_results_write(const adl_engine *engine, bool success, char **why) {
  GString *rejects = g_string_new(NULL);
  adl_engine_each_reject(engine, reject_line, rejects);
  bool ok = write_file(engine, "rejects.jsonl", rejects->str, (gssize)rejects->len, why);
  g_string_free(rejects, TRUE);
  if (!ok || !success) return ok;
  JsonBuilder *builder = json_builder_new();
  adl_report_json(engine->reports, builder);
  return write_json(engine, "metrics.json", builder, why);
}
