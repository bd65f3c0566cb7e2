/* Rows in memory as a source, see rows.h: the tables that there are, by name, and the classes stand.rows, which gives one
 * out, stand.splits, which holds out what is to be held out and takes the column that says so away, and stand.end, which
 * reads every column and keeps nothing. */
#include "core/stand/rows.h"

#include <string.h>

/* More than any batch of the engine (ADL_BATCH_ROWS) would be cut. */
enum { LARGEST_BATCH = 4096 };

/* The column that says what a row may be used for. */
static const char split_column[] = "stand-split";

struct adl_stand_rows {
  char *name;
  int64_t count;       /* of rows; -1: no column yet */
  GPtrArray *names;    /* of char * */
  GPtrArray *columns;  /* of adl_array * */
  GArray *cut;         /* of int64_t */
  bool validate, test; /* some rows are held out */
};

/* By name. Pipelines are loaded and run by one thread at a time. */
static GHashTable *tables;

adl_stand_rows *adl_stand_rows_new(const char *name) {
  adl_stand_rows *rows = g_new0(adl_stand_rows, 1);
  rows->name = g_strdup(name);
  rows->count = -1;
  rows->names = g_ptr_array_new_with_free_func(g_free);
  rows->columns = g_ptr_array_new_with_free_func((GDestroyNotify)adl_array_unref);
  rows->cut = g_array_new(FALSE, FALSE, sizeof(int64_t));
  if (tables == NULL) tables = g_hash_table_new(g_str_hash, g_str_equal);
  if (!g_hash_table_insert(tables, rows->name, rows)) g_error("there are rows called `%s` already", name);
  return rows;
}

void adl_stand_rows_free(adl_stand_rows *rows) {
  if (rows == NULL) return;
  g_hash_table_remove(tables, rows->name);
  if (g_hash_table_size(tables) == 0) g_clear_pointer(&tables, g_hash_table_unref);
  g_ptr_array_free(rows->names, TRUE);
  g_ptr_array_free(rows->columns, TRUE);
  g_array_free(rows->cut, TRUE);
  g_free(rows->name);
  g_free(rows);
}

void adl_stand_rows_column(adl_stand_rows *rows, const char *name, adl_array *array) {
  if (rows->count < 0) rows->count = array->view.rows;
  if (array->view.rows != rows->count) g_error("column `%s` is not as long as the others", name);
  g_ptr_array_add(rows->names, g_strdup(name));
  g_ptr_array_add(rows->columns, array);
}

void adl_stand_rows_splits(adl_stand_rows *rows, const uint8_t *splits) {
  int64_t count = adl_stand_rows_count(rows);
  adl_builder *builder = adl_builder_new(adl_type_scalar(ADL_INT32, ADL_CATEGORY));
  adl_buffers to;
  if (!adl_builder_reserve(builder, count, 0, 0, &to)) g_error("out of memory");
  for (int64_t i = 0; i < count; i++) {
    ((int32_t *)to.data)[i] = splits[i];
    rows->validate |= splits[i] == ADL_VALIDATE;
    rows->test |= splits[i] == ADL_TEST;
  }
  adl_stand_rows_column(rows, split_column, adl_builder_finish(builder, count, NULL));
}

void adl_stand_rows_cut(adl_stand_rows *rows, const int64_t *sizes, int64_t count) {
  g_array_set_size(rows->cut, 0);
  for (int64_t i = 0; i < count; i++)
    if (sizes[i] > 0) g_array_append_val(rows->cut, sizes[i]);
}

int64_t adl_stand_rows_count(const adl_stand_rows *rows) { return MAX(rows->count, 0); }

void adl_stand_rows_yaml(const adl_stand_rows *rows, const char *stage, GString *yaml) {
  bool split = adl_stand_rows_count(rows) > 0 && g_strcmp0(rows->names->pdata[rows->names->len - 1], split_column) == 0;
  if (!split) {
    g_string_append_printf(yaml, "  %s: {use: stand.rows, table: %s}\n", stage, rows->name);
    return;
  }
  static const char *const held_out[] = {"validate", "test"};
  g_string_append_printf(yaml, "  %s-read: {use: stand.rows, table: %s", stage, rows->name);
  for (int i = 0; i < 2; i++) {
    if (i == 1) g_string_append_printf(yaml, "}\n  %s-held: {use: stand.splits, from: %s-read", stage, stage);
    if (i == 0 ? rows->validate : rows->test)
      g_string_append_printf(yaml, ", holdout: {where: \"`%s` == %d\", as: %s}", split_column, i + 1, held_out[i]);
  }
  g_string_append_printf(yaml, "}\n  %s: {use: stand.splits, from: %s-held, done: true}\n", stage, stage);
}

/* ---- stand.rows ---- */

typedef struct source {
  const char *table;
  const adl_stand_rows *rows;
  int32_t *slots; /* by column */
} source;

/* How far a pass over the rows is. */
typedef struct cursor {
  int64_t row, batch;
} cursor;

static adl_status bind(const adl_call *call, void *self) {
  source *s = self;
  s->rows = tables != NULL ? g_hash_table_lookup(tables, s->table) : NULL;
  if (s->rows == NULL) return call->host->fail(call, "table", -1, NULL, "there are no rows called `%s`", s->table);
  s->slots = g_new0(int32_t, s->rows->columns->len + 1);
  for (guint i = 0; i < s->rows->columns->len; i++) {
    const adl_array *array = s->rows->columns->pdata[i];
    ADL_TRY(call->host->declare_named(call, "table", s->rows->names->pdata[i], array->view.type, &s->slots[i]));
  }
  return ADL_OK;
}

static void destroy(void *self) { g_free(((source *)self)->slots); }

static adl_status open_shard(const adl_call *call, void *self, int32_t shard, void **opened) {
  (void)call, (void)self, (void)shard;
  *opened = g_new0(cursor, 1);
  return ADL_OK;
}

static void close_shard(const adl_call *call, void *self, void *opened) {
  (void)call, (void)self;
  g_free(opened);
}

static adl_status next(const adl_call *call, void *self, void *opened, adl_out *out) {
  const source *s = self;
  const adl_stand_rows *rows = s->rows;
  cursor *at = opened;
  int64_t left = adl_stand_rows_count(rows) - at->row, size = LARGEST_BATCH;
  if (left == 0) return ADL_END;
  if (rows->cut->len > 0) size = g_array_index(rows->cut, int64_t, at->batch++ % rows->cut->len);
  size = MIN(left, MIN(size, LARGEST_BATCH));
  for (guint i = 0; i < rows->columns->len; i++) {
    if (!call->host->wanted(call, s->slots[i])) continue;
    adl_array *slice = adl_array_slice(rows->columns->pdata[i], at->row, size);
    if (slice == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
    adl_status status = call->host->pass(call, out, s->slots[i], &slice->view);
    adl_array_unref(slice);
    ADL_TRY(status);
  }
  int64_t *positions = call->host->positions(call, out, size);
  for (int64_t i = 0; i < size; i++) positions[i] = at->row + i;
  at->row += size;
  return call->host->commit(call, out, size);
}

static const adl_param source_params[] = {{.name = "table",
                                           .type = ADL_PARAM_STRING,
                                           .flags = ADL_REQUIRED,
                                           .offset = offsetof(source, table),
                                           .doc = "The name of the rows."}};

static const adl_class source_class = {.struct_size = sizeof(adl_class),
                                       .kind = ADL_SOURCE,
                                       .id = "stand.rows",
                                       .title = "Rows in memory",
                                       .form = ADL_NEW,
                                       .instance_size = sizeof(source),
                                       ADL_PARAMS(source_params),
                                       .destroy = destroy,
                                       .bind = bind,
                                       .open = open_shard,
                                       .next = next,
                                       .close = close_shard};

/* ---- stand.splits ---- */

typedef struct splits {
  bool done;
} splits;

static adl_status bind_splits(const adl_call *call, void *self) {
  return ((splits *)self)->done ? call->host->hide(call, NULL, split_column) : ADL_OK;
}

static const adl_param splits_params[] = {{.name = "done",
                                           .type = ADL_PARAM_BOOL,
                                           .offset = offsetof(splits, done),
                                           .doc = "The column that tells the split does not leave."}};

static const adl_class splits_class = {.struct_size = sizeof(adl_class),
                                       .kind = ADL_TRANSFORM,
                                       .id = "stand.splits",
                                       .title = "Rows held out",
                                       .form = ADL_SAME,
                                       .instance_size = sizeof(splits),
                                       ADL_PARAMS(splits_params),
                                       .bind = bind_splits};

/* ---- stand.end ---- */

typedef struct end {
  adl_inputs columns;
} end;

static adl_status forget(const adl_call *call, void *self, const adl_batch *batch, const void *block, int64_t size) {
  (void)call, (void)self, (void)batch, (void)block, (void)size;
  return ADL_OK;
}

static const adl_param end_params[] = {{.name = "columns",
                                        .type = ADL_PARAM_COLUMN,
                                        .flags = ADL_LIST_OF | ADL_NULLS_PASS | ADL_NAN_PASS,
                                        .offset = offsetof(end, columns),
                                        .shapes = ADL_ANY_SHAPE,
                                        .default_value = "*",
                                        .doc = "What is read, and forgotten."}};

static const adl_class end_class = {.struct_size = sizeof(adl_class),
                                    .kind = ADL_SINK,
                                    .id = "stand.end",
                                    .title = "Rows end here",
                                    .instance_size = sizeof(end),
                                    ADL_PARAMS(end_params),
                                    .write = forget};

/* ---- the plugin that offers them ---- */

static const adl_plugin *entry(const adl_host *host) {
  static const adl_class *const classes[] = {&source_class, &splits_class, &end_class};
  static const adl_plugin plugin = {.struct_size = sizeof(adl_plugin),
                                    .abi_major = ADL_ABI_MAJOR,
                                    .abi_minor = ADL_ABI_MINOR,
                                    .id = "stand",
                                    .version = "1.0.0",
                                    .class_count = G_N_ELEMENTS(classes),
                                    .classes = classes};
  (void)host;
  return &plugin;
}

void adl_stand_offer(adl_registry *registry) { adl_registry_add_linked(registry, entry); }
