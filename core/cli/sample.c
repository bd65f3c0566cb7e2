#include "core/cli/sample.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/cli/pipeline.h"
#include "core/engine/engine.h"

enum { MOST_COLUMNS = 2000 };

static void free_column(gpointer data) {
  adl_sample_column *column = data;
  g_ptr_array_free(column->values, TRUE);
  g_free(column->name);
  g_free(column->path);
  g_free(column);
}

void adl_sample_clear(adl_sample *sample) {
  g_ptr_array_free(sample->columns, TRUE);
  g_free(sample->delimiter);
}

static adl_sample_column *add_column(adl_sample *sample, const char *name, const char *path) {
  adl_sample_column *column = g_new0(adl_sample_column, 1);
  column->name = g_strdup(name);
  column->path = g_strdup(path);
  column->values = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(sample->columns, column);
  return column;
}

/* ---- a run of read-csv ---- */

/* Cells of the first rows, row by row, as texts (NULL: null), of a file read with these parameters of read-csv. Returns the
 * number of columns, 0 when it cannot be read. */
typedef struct probe {
  GPtrArray *cells;
  guint columns;
  int64_t rejected;
} probe;

static void take_frames(probe *p, const adl_stage *stage, const GPtrArray *frames) {
  p->columns = (guint)stage->schema.count;
  for (guint f = 0; f < frames->len; f++) {
    const adl_frame *frame = frames->pdata[f];
    for (int64_t row = 0; row < frame->rows; row++)
      for (guint c = 0; c < p->columns; c++) {
        const adl_column *column = frame->columns[c] != NULL ? &frame->columns[c]->view : NULL;
        adl_text text = column == NULL || adl_is_null(column, row) ? (adl_text){NULL, 0} : adl_text_at(column, row);
        g_ptr_array_add(p->cells, text.data != NULL ? g_strndup(text.data, (gsize)text.size) : NULL);
      }
  }
}

static bool run_probe(const char *file, int64_t rows, probe *p, GString *why) {
  adl_cli_options options = {.sets = g_ptr_array_new(), .vars = g_ptr_array_new()};
  g_ptr_array_add(options.sets, NULL);
  g_ptr_array_add(options.vars, NULL);
  adl_pipeline pipeline;
  adl_pipeline_open(&pipeline, file, &options, NULL);
  adl_stage *stage = adl_graph_find(pipeline.graph, "log");
  bool fine = adl_problems_errors(pipeline.problems) == 0 && stage != NULL;
  if (fine) {
    adl_run_options run = {.threads = 1, .limit = rows};
    adl_graph_mark_needed(pipeline.graph, stage);
    adl_engine *engine = adl_engine_new(pipeline.graph, &run);
    fine = adl_engine_peek(engine, stage, rows) == ADL_RUN_OK;
    if (fine) take_frames(p, stage, adl_engine_peeked(engine));
    p->rejected = adl_engine_rejected(engine);
    adl_engine_free(engine);
  }
  if (!fine) {
    GString *text = g_string_new(NULL);
    adl_problems_print(pipeline.problems, text, false);
    const char *message = strstr(text->str, "error: ");
    message = message != NULL ? message + strlen("error: ") : text->str;
    g_string_append_len(why, message, (gssize)strcspn(message, "\n"));
    g_string_free(text, TRUE);
  }
  adl_pipeline_close(&pipeline);
  g_ptr_array_free(options.sets, TRUE);
  g_ptr_array_free(options.vars, TRUE);
  return fine;
}

/* `parameters`: more of read-csv, in YAML. */
static bool read_cells(const char *path, const char *parameters, int64_t rows, probe *p, GString *why) {
  *p = (probe){.cells = g_ptr_array_new_with_free_func(g_free)};
  char *file = NULL;
  int handle = g_file_open_tmp("adloom-init-XXXXXX.yaml", &file, NULL);
  if (handle < 0) {
    g_string_append(why, "no temporary file can be made");
    return false;
  }
  char *absolute = g_canonicalize_filename(path, NULL);
  GString *text = g_string_new("adloom: 1\nmax_rejects: 1\nstages:\n  log:\n    use: read-csv\n    path: ");
  adl_text_json_string(text, absolute);
  g_string_append_printf(text, "\n%s", parameters);
  bool fine = write(handle, text->str, text->len) == (gssize)text->len;
  if (close(handle) != 0 || !fine) g_string_append(why, "the temporary file cannot be written");
  fine = fine && run_probe(file, rows, p, why);
  g_unlink(file);
  g_string_free(text, TRUE);
  g_free(absolute);
  g_free(file);
  return fine;
}

/* Each line as one text: between characters that no text has. */
static bool read_lines(const char *path, int64_t rows, probe *p, GString *why) {
  return read_cells(path,
                    "    header: false\n    delimiter: \"\\x01\"\n    quote: ''\n    nulls: []\n"
                    "    columns: {line: string}\n",
                    rows, p, why);
}

/* ---- delimited text ---- */

/* How often a character stands in a line outside of quotes. */
static guint count_outside(const char *line, char wanted) {
  bool quoted = false;
  guint count = 0;
  for (const char *c = line; *c != '\0'; c++) {
    if (*c == '"') quoted = !quoted;
    if (*c == wanted && !quoted) count++;
  }
  return count;
}

static char find_delimiter(const char *first) {
  static const char candidates[] = ",\t;|";
  char best = ',';
  guint most = 0;
  for (const char *c = candidates; *c != '\0'; c++)
    if (count_outside(first, *c) > most) {
      most = count_outside(first, *c);
      best = *c;
    }
  return best;
}

static bool like_a_value(const char *text) {
  return text[0] == '\0' || g_regex_match_simple("^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$|^[0-9]{4}-[0-9]{2}-[0-9]{2}", text,
                                                 G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT);
}

/* Row numbers, as data frames write them, in front of the rows, have no name. */
static bool is_index(const GPtrArray *cells, guint columns) {
  const char *name = cells->pdata[0];
  return columns > 1 && (name == NULL || name[0] == '\0');
}

/* Names: there are any, no two are the same, none is a number or a date. */
static bool is_header(const GPtrArray *cells, guint columns) {
  GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
  bool names = true;
  for (guint c = is_index(cells, columns); c < columns; c++) {
    char *name = cells->pdata[c];
    names = names && name != NULL && !like_a_value(name) && g_hash_table_add(seen, name);
  }
  g_hash_table_destroy(seen);
  return names;
}

static bool read_delimited(const char *path, const char *first, int64_t rows, adl_sample *sample, GString *why) {
  char delimiter = find_delimiter(first);
  guint columns = count_outside(first, delimiter) + 1;
  const char *word = delimiter == '\t' ? "tab" : delimiter == ';' ? "semicolon" : delimiter == '|' ? "pipe" : "comma";
  bool tabs = g_regex_match_simple("\\.(tsv|tab)(\\.[a-z0-9]+)?$", path, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT);
  if (delimiter != (tabs ? '\t' : ',')) sample->delimiter = g_strdup(word);
  if (columns > MOST_COLUMNS) {
    g_string_append_printf(why, "its first line has %u fields, which is more than a log has", columns);
    return false;
  }
  GString *parameters = g_string_new(NULL);
  g_string_append_printf(parameters, "    header: false\n    nulls: []\n    delimiter: %s\n    columns:\n", word);
  for (guint c = 0; c < columns; c++) g_string_append_printf(parameters, "      c%u: string\n", c + 1);
  probe p;
  bool fine = read_cells(path, parameters->str, rows + 1, &p, why);
  g_string_free(parameters, TRUE);
  if (fine && (p.columns == 0 || p.cells->len < p.columns)) {
    g_string_append(why, "no line of it can be read as delimited text");
    fine = false;
  }
  if (fine) {
    sample->header = is_header(p.cells, p.columns);
    guint lines = MIN(p.cells->len / p.columns, (guint)rows + sample->header), end = lines * p.columns;
    for (guint c = sample->header && is_index(p.cells, p.columns); c < p.columns; c++) {
      char *made = g_strdup_printf("c%u", c + 1);
      adl_sample_column *column = add_column(sample, sample->header ? p.cells->pdata[c] : made, NULL);
      for (guint i = c + (sample->header ? p.columns : 0); i < end; i += p.columns)
        g_ptr_array_add(column->values, g_strdup(p.cells->pdata[i]));
      g_free(made);
    }
    sample->rows = lines - sample->header;
  }
  g_ptr_array_free(p.cells, TRUE);
  return fine;
}

/* ---- JSON Lines ---- */

static uint32_t kind_of(JsonNode *node) {
  if (JSON_NODE_HOLDS_ARRAY(node)) {
    JsonArray *array = json_node_get_array(node);
    uint32_t kinds = 0;
    for (guint i = 0; i < json_array_get_length(array); i++) kinds |= kind_of(json_array_get_element(array, i));
    return kinds == 0 || kinds == ADL_SAMPLE_TEXT ? ADL_SAMPLE_TEXTS
           : kinds == ADL_SAMPLE_NUMBER           ? ADL_SAMPLE_NUMBERS
                                                  : ADL_SAMPLE_OTHER;
  }
  if (!JSON_NODE_HOLDS_VALUE(node)) return ADL_SAMPLE_OTHER;
  GType type = json_node_get_value_type(node);
  return type == G_TYPE_STRING ? ADL_SAMPLE_TEXT : type == G_TYPE_BOOLEAN ? ADL_SAMPLE_BOOL : ADL_SAMPLE_NUMBER;
}

static char *value_of(JsonNode *node, uint32_t kind) {
  if (kind == ADL_SAMPLE_TEXT) return g_strdup(json_node_get_string(node));
  if (kind == ADL_SAMPLE_BOOL) return g_strdup(json_node_get_boolean(node) ? "true" : "false");
  if (kind != ADL_SAMPLE_NUMBER) return g_strdup("");
  return json_to_string(node, FALSE);
}

static bool is_taken(const adl_sample *sample, const char *name) {
  for (guint c = 0; c < sample->columns->len; c++)
    if (strcmp(((const adl_sample_column *)sample->columns->pdata[c])->name, name) == 0) return true;
  return false;
}

static adl_sample_column *column_at(adl_sample *sample, GHashTable *by_path, const char *path) {
  adl_sample_column *column = g_hash_table_lookup(by_path, path);
  if (column != NULL) return column;
  char *name = g_strdelimit(g_strdup(path), ".", '_');
  while (is_taken(sample, name)) { /* a.b beside a_b */
    char *longer = g_strconcat(name, "_", NULL);
    g_free(name);
    name = longer;
  }
  column = add_column(sample, name, strcmp(name, path) != 0 ? path : NULL);
  g_hash_table_insert(by_path, g_strdup(path), column);
  g_free(name);
  return column;
}

/* A member that is an object here and something else there is no column. */
static void note_object(GHashTable *by_path, GHashTable *objects, const char *path) {
  adl_sample_column *column = g_hash_table_lookup(by_path, path);
  if (column != NULL) column->kinds |= ADL_SAMPLE_OTHER;
  g_hash_table_add(objects, g_strdup(path));
}

static void take_object(adl_sample *sample, GHashTable *by_path, GHashTable *objects, JsonObject *object,
                        const char *prefix, int depth) {
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;
  json_object_iter_init(&iter, object);
  while (json_object_iter_next(&iter, &name, &node)) {
    if (JSON_NODE_HOLDS_NULL(node) || strchr(name, '.') != NULL) continue;
    char *path = g_strconcat(prefix, name, NULL), *below = g_strconcat(path, ".", NULL);
    if (JSON_NODE_HOLDS_OBJECT(node) && depth < 3) {
      note_object(by_path, objects, path);
      take_object(sample, by_path, objects, json_node_get_object(node), below, depth + 1);
    } else if (sample->columns->len < MOST_COLUMNS) {
      adl_sample_column *column = column_at(sample, by_path, path);
      uint32_t kind = g_hash_table_contains(objects, path) ? ADL_SAMPLE_OTHER : kind_of(node);
      column->kinds |= kind;
      g_ptr_array_set_size(column->values, (gint)sample->rows); /* the rows before had none */
      g_ptr_array_add(column->values, value_of(node, kind));
    }
    g_free(path);
    g_free(below);
  }
}

static bool read_json(const GPtrArray *lines, adl_sample *sample, GString *why) {
  GHashTable *by_path = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GHashTable *objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  sample->json = true;
  for (guint i = 0; i < lines->len; i++) {
    JsonNode *root = lines->pdata[i] != NULL ? json_from_string(lines->pdata[i], NULL) : NULL;
    if (root != NULL && JSON_NODE_HOLDS_OBJECT(root)) {
      take_object(sample, by_path, objects, json_node_get_object(root), "", 0);
      sample->rows++;
    }
    g_clear_pointer(&root, json_node_unref);
  }
  for (guint c = 0; c < sample->columns->len; c++)
    g_ptr_array_set_size(((adl_sample_column *)sample->columns->pdata[c])->values, (gint)sample->rows);
  g_hash_table_destroy(by_path);
  g_hash_table_destroy(objects);
  if (sample->columns->len == 0) g_string_append(why, "no line of it is a JSON object with members");
  return sample->columns->len > 0;
}

/* ---- both ---- */

bool adl_sample_read(const char *path, int64_t rows, adl_sample *sample, GString *why) {
  *sample = (adl_sample){.columns = g_ptr_array_new_with_free_func(free_column)};
  if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
    g_string_append(why, g_file_test(path, G_FILE_TEST_EXISTS) ? "it is no regular file" : "there is no such file");
    return false;
  }
  probe p;
  bool fine = read_lines(path, rows, &p, why);
  if (fine && p.rejected > (int64_t)p.cells->len) {
    g_string_append(why, "it does not look like text (UTF-8) in lines");
    fine = false;
  }
  const char *first = NULL;
  for (guint i = 0; fine && first == NULL && i < p.cells->len; i++) first = p.cells->pdata[i];
  if (fine && first == NULL) {
    g_string_append(why, "it is empty");
    fine = false;
  }
  if (fine) fine = first[0] == '{' ? read_json(p.cells, sample, why) : read_delimited(path, first, rows, sample, why);
  if (fine && sample->rows == 0) {
    g_string_append(why, "it has a line of names and no rows");
    fine = false;
  }
  g_ptr_array_free(p.cells, TRUE);
  return fine;
}
