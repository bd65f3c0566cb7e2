/* adloom explain FILE STAGE */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/cli/pipeline.h"
#include "core/engine/engine.h"

#define AT(member) offsetof(adl_cli_options, member)

static const adl_option options_of_explain[] = {
    {"set", ADL_OPTION_TEXTS, AT(sets), "STAGE.PARAM=VALUE", "Replaces a value of the file, as if it stood there."},
    {"var", ADL_OPTION_TEXTS, AT(vars), "NAME=VALUE", "Value of ${NAME} in the file."},
    {"models", ADL_OPTION_TEXT, AT(models), "RUN", "As for a run that applies the models of an earlier one."},
    {"limit", ADL_OPTION_COUNT, AT(limit), "ROWS", "As for a run that reads only the first rows of each source."},
    {"store", ADL_OPTION_TEXT, AT(store), "DIR",
     "The model store to look into. Default: adloom/models in the user's cache directory."},
    {NULL, ADL_OPTION_FLAG, 0, NULL, NULL},
};

/* ---- a table of texts ---- */

/* Cells by rows; columns as wide as their widest cell. The rows are indented by two. */
typedef struct table {
  int columns;
  GPtrArray *cells; /* of char *, owned */
} table;

static table table_new(int columns) { return (table){columns, g_ptr_array_new_with_free_func(g_free)}; }

static void cell(table *t, const char *text) { g_ptr_array_add(t->cells, g_strdup(text)); }

static void table_end(table *t, GString *out) {
  guint columns = (guint)t->columns;
  for (guint i = 0; i < t->cells->len; i += columns) {
    g_string_append(out, "  ");
    for (guint c = 0; c < columns; c++) {
      int width = 0;
      for (guint k = c; k < t->cells->len; k += columns) width = MAX(width, adl_text_width(t->cells->pdata[k]));
      const char *text = t->cells->pdata[i + c];
      g_string_append_printf(out, "%s%*s", text, width - adl_text_width(text) + 2, "");
    }
    while (out->str[out->len - 1] == ' ') g_string_truncate(out, out->len - 1);
    g_string_append_c(out, '\n');
  }
  g_ptr_array_free(t->cells, TRUE);
}

/* ---- values as they are written ---- */

static void append_node(GString *out, const adl_node *node) {
  if (node->kind == ADL_NODE_SCALAR) {
    g_string_append(out, node->text[0] != '\0' ? node->text : "\"\"");
    return;
  }
  bool list = node->kind == ADL_NODE_SEQUENCE;
  g_string_append_c(out, list ? '[' : '{');
  for (int i = 0; i < node->count; i++) {
    if (i > 0) g_string_append(out, ", ");
    if (!list) g_string_append_printf(out, "%s: ", node->pairs[i].key);
    append_node(out, list ? node->items[i] : node->pairs[i].value);
  }
  g_string_append_c(out, list ? ']' : '}');
}

static char *value_text(const adl_arg *arg) {
  if ((arg->param->flags & ADL_SECRET) != 0) return g_strdup("(secret)");
  GString *out = g_string_new(NULL);
  append_node(out, arg->node);
  for (char *c = out->str; *c != '\0'; c++)
    if (g_ascii_iscntrl(*c)) *c = ' ';
  return g_string_free(out, FALSE);
}

/* "--set" or "shop.yaml:12"; an alias stands where it is used. */
static char *place_text(const adl_arg *arg) {
  adl_place place = arg->node->alias != NULL ? *arg->node->alias : arg->node->place;
  if (g_strcmp0(place.file, "--set") == 0) return g_strdup("--set");
  return g_strdup_printf("%s:%d", place.file, place.line);
}

/* ---- what it gets ---- */

static const char BROUGHT[] = "brought along"; /* a column of a side that leaves with the rows */

/* Names of the parameters that read a column of an input, joined; NULL: none. side -1: the main input. */
static char *readers(const adl_stage *stage, int32_t side, int32_t column) {
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < stage->slots->len; i++) {
    const adl_slot *slot = stage->slots->pdata[i];
    bool reads = false;
    for (int32_t c = 0; slot->side == side && c < slot->column_count; c++) reads = reads || slot->columns[c] == column;
    char *name = g_strndup(slot->parameter, strcspn(slot->parameter, "["));
    if (reads && !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
      g_ptr_array_add(names, name);
    else
      g_free(name);
  }
  for (int32_t i = 0; side >= 0 && names->len == 0 && i < stage->schema.count; i++)
    if (stage->leaving[i].kind == ADL_FROM_SIDE && stage->leaving[i].side == side && stage->leaving[i].number == column)
      g_ptr_array_add(names, g_strdup(BROUGHT));
  g_ptr_array_add(names, NULL);
  char *text = names->len > 1 ? g_strjoinv(", ", (char **)names->pdata) : NULL;
  g_ptr_array_free(names, TRUE);
  return text;
}

static void append_names(GString *out, const adl_stage *from) {
  if (from->role == ADL_STAGE_CONCAT) {
    for (guint i = 0; i < from->from->len; i++) {
      g_string_append(out, i > 0 ? ", then " : "");
      append_names(out, from->from->pdata[i]);
    }
    return;
  }
  const adl_stage *stage = from->role == ADL_STAGE_HOLDOUT ? from->from->pdata[0] : from;
  if (stage->role != ADL_STAGE_CLASS)
    append_names(out, stage);
  else
    g_string_append_printf(out, "`%s` (%s)", stage->name, stage->class->id);
}

static void append_input(GString *out, const adl_stage *stage, const adl_stage *from, int32_t side) {
  g_string_append(out, side < 0 ? "\ngets rows from " : "\nlooks up rows of ");
  append_names(out, from);
  g_string_append_c(out, '\n');
  table t = table_new(4);
  GString *rest = g_string_new(NULL);
  for (int32_t i = 0; i < from->schema.count; i++) {
    const adl_schema_column *column = &from->schema.columns[i];
    char *by = readers(stage, side, i), type[96];
    if (by == NULL) {
      g_string_append_printf(rest, "%s%s", rest->len > 0 ? ", " : "", column->name);
      continue;
    }
    cell(&t, column->name);
    cell(&t, adl_type_name(column->field->type, type, sizeof type));
    char *maker = column->field->producer != NULL ? g_strdup_printf("made by %s", column->field->producer->name) : NULL;
    cell(&t, maker != NULL ? maker : "");
    char *use = strcmp(by, BROUGHT) == 0 ? g_strdup(by) : g_strdup_printf("read as %s", by);
    cell(&t, use);
    g_free(maker);
    g_free(use);
    g_free(by);
  }
  table_end(&t, out);
  if (rest->len > 0) g_string_append_printf(out, "  not read here: %s\n", rest->str);
  g_string_free(rest, TRUE);
}

/* ---- what it adds ---- */

static void append_output(GString *out, const adl_stage *stage) {
  if (!stage->rows_leave) {
    g_string_append(out, "\nno rows leave it\n");
    return;
  }
  table t = table_new(3);
  guint added = 0;
  for (int32_t i = 0; i < stage->schema.count; i++) {
    const adl_schema_column *column = &stage->schema.columns[i];
    if (stage->leaving[i].kind == ADL_FROM_INPUT) continue;
    char type[96];
    cell(&t, column->name);
    cell(&t, adl_type_name(column->field->type, type, sizeof type));
    cell(&t, stage->needed[i] ? "" : "read by nobody");
    added++;
  }
  g_string_append(out, added == 0 ? "\nadds no column\n" : stage->class->form == ADL_NEW ? "\ngives\n" : "\nadds\n");
  table_end(&t, out);
  if (stage->hidden->len == 0) return;
  g_string_append(out, "drops");
  for (guint i = 0; i < stage->hidden->len; i++)
    g_string_append_printf(out, "%s %s", i > 0 ? "," : "", (const char *)stage->hidden->pdata[i]);
  g_string_append_c(out, '\n');
}

/* ---- parameters ---- */

static void append_params(GString *out, const adl_args *args) {
  table set = table_new(3), defaults = table_new(2);
  GString *absent = g_string_new(NULL);
  for (int i = 0; i < args->count; i++) {
    const adl_arg *arg = &args->items[i];
    if (arg->node == NULL) {
      g_string_append_printf(absent, "%s%s", absent->len > 0 ? ", " : "", arg->param->name);
      continue;
    }
    table *t = arg->given ? &set : &defaults;
    char *value = value_text(arg), *place = arg->given ? place_text(arg) : NULL;
    cell(t, arg->param->name);
    cell(t, value);
    if (place != NULL) cell(t, place);
    g_free(value);
    g_free(place);
  }
  if (set.cells->len > 0) g_string_append(out, "\nparameters set\n");
  table_end(&set, out);
  if (defaults.cells->len > 0) g_string_append(out, "\ndefaults\n");
  table_end(&defaults, out);
  if (absent->len > 0) g_string_append_printf(out, "\nnot given: %s\n", absent->str);
  g_string_free(absent, TRUE);
}

/* ---- what it learns from ---- */

static void append_holdouts(GString *out, const adl_stage *at, GHashTable *seen) {
  if (!g_hash_table_add(seen, (gpointer)at)) return;
  const GPtrArray *lists[] = {at->from, at->sides};
  for (int l = 0; l < 2; l++)
    for (guint i = 0; i < lists[l]->len; i++) append_holdouts(out, lists[l]->pdata[i], seen);
  if (at->role == ADL_STAGE_HOLDOUT && at->holdout != NULL && at->holdout->canonical != NULL)
    g_string_append_printf(out, "  held out at `%s` (%s): %s\n", at->name,
                           at->holdout->split == ADL_VALIDATE ? "validate" : "test", at->holdout->canonical);
}

static bool has_side(const adl_class *class) {
  for (uint32_t i = 0; i < class->param_count; i++)
    if (class->params[i].type == ADL_PARAM_STAGE) return true;
  return false;
}

static void append_learning(GString *out, const adl_stage *stage) {
  const adl_class *class = stage->class;
  bool all = (class->flags & ADL_ALL_ROWS) != 0;
  if (stage->learn == ADL_LEARN_NONE) {
    g_string_append(out, "\nlearns nothing\n");
    return;
  }
  if (stage->learn == ADL_LEARN_FROZEN) {
    g_string_append(out, "\nlearns nothing here: it is frozen\n");
    return;
  }
  const GPtrArray *inputs = has_side(class) && stage->sides->len > 0 && class->fit != NULL ? stage->sides : stage->from;
  g_string_append_printf(out, "\nlearns %sfrom %s rows", stage->learn == ADL_LEARN_ONLINE ? "online " : "",
                         all ? "all" : "the training");
  if (inputs->len > 0) {
    g_string_append(out, " of ");
    append_names(out, inputs->pdata[0]);
  }
  bool passes = class->fit != NULL && (class->flags & ADL_SINGLE_PASS) != 0;
  g_string_append_printf(out, "%s%s\n", passes ? ", in one pass" : "",
                         stage->learn == ADL_LEARN_ONLINE ? ", each scored before it is learned from" : "");
  GHashTable *seen = g_hash_table_new(NULL, NULL);
  if (!all && inputs->len > 0) append_holdouts(out, inputs->pdata[0], seen);
  g_hash_table_destroy(seen);
}

/* ---- the model ---- */

static void append_model(GString *out, const adl_pipeline *pipeline, const adl_stage *stage,
                         const adl_cli_options *options) {
  if (stage->learn == ADL_LEARN_NONE) return;
  if ((stage->class->flags & ADL_TRANSIENT) != 0) {
    g_string_append(out, "model: belongs to the run, and is not kept\n");
    return;
  }
  if (stage->learn == ADL_LEARN_FROZEN || stage->model_path != NULL)
    g_string_append_printf(out, "model: %s %s\n", stage->learn == ADL_LEARN_FROZEN ? "loaded from" : "begins with",
                           stage->model_path);
  if (stage->learn != ADL_LEARN_FIT) return;
  adl_run_options run = {.limit = options->limit, .models = options->store != NULL ? options->store : ""};
  adl_engine *engine = adl_engine_new(pipeline->graph, &run);
  bool known;
  char *path = adl_engine_stored_model(engine, stage, &known);
  if (path != NULL)
    g_string_append_printf(out, "model: a run would load it from the model store: %s\n", path);
  else
    g_string_append(out, known ? "model: a run would fit it; the model store has none for these rows and parameters\n"
                               : "model: a run would fit it; what stands before it is not the same each time\n");
  g_free(path);
  adl_engine_free(engine);
}

/* ---- the command ---- */

static void explain(const adl_pipeline *pipeline, const adl_stage *stage, const adl_cli_options *options) {
  const adl_class *class = stage->class;
  GString *out = g_string_new(NULL);
  g_string_append_printf(out, "%s: %s (%s), %s\n  %s:%d\n", stage->name, class->id, adl_kind_name(class->kind),
                         class->title, stage->place.file, stage->place.line);
  for (guint i = 0; i < stage->from->len; i++) append_input(out, stage, stage->from->pdata[i], -1);
  for (guint i = 0; i < stage->sides->len; i++) append_input(out, stage, stage->sides->pdata[i], (int32_t)i);
  if (stage->from->len == 0) g_string_append(out, "\nrows begin here\n");
  append_output(out, stage);
  const adl_stage *last = adl_stage_last((adl_stage *)(uintptr_t)stage);
  if (last != stage && last->holdout != NULL)
    g_string_append_printf(out, "holds out (%s): %s\n", last->holdout->split == ADL_VALIDATE ? "validate" : "test",
                           last->holdout->canonical);
  append_params(out, stage->args);
  append_learning(out, stage);
  append_model(out, pipeline, stage, options);
  fputs(out->str, stdout);
  g_string_free(out, TRUE);
}

static int command_explain(int argc, char **argv) {
  adl_cli_options options;
  int status = adl_cli_parse(&adl_command_explain, argc, argv, &options, 2);
  if (status < 0) {
    adl_pipeline pipeline;
    const char *file = options.operands->pdata[0], *name = options.operands->pdata[1];
    adl_pipeline_open(&pipeline, file, &options, NULL);
    adl_pipeline_print(&pipeline, "nothing was explained");
    bool fine = adl_problems_errors(pipeline.problems) == 0;
    const adl_stage *stage = fine ? adl_pipeline_stage(&pipeline, &adl_command_explain, file, name) : NULL;
    status = stage != NULL ? ADL_EXIT_OK : ADL_EXIT_USAGE;
    if (stage != NULL) explain(&pipeline, stage, &options);
    adl_pipeline_close(&pipeline);
  }
  adl_cli_clear(&options);
  return status;
}

const adl_command adl_command_explain = {
    "explain",
    "FILE STAGE [OPTION...]",
    "tells what a stage gets, adds and learns",
    "Tells of one stage which columns it gets, of what type, who made them and which parameter reads them; which it "
    "adds; which parameters were set, and where (line of the file, or --set), and which are defaults; which rows it "
    "learns from; and whether a run would fit its model or load it.\n\n"
    "No row is read, but to know about the model the contents of the input files are hashed.",
    options_of_explain,
    command_explain};
