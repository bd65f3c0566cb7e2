/*
 * A plugin that does nothing, for measuring what the engine does around plugins: bench.rows makes rows in memory,
 * bench.noop hands them on as they are, bench.look does so too but reads a column, bench.give adds a copy of it, bench.drop
 * ends the pipeline, and so
 * does bench.total, which reads all of some columns and reports what they hold: for measuring the stages before it without
 * what writing costs, and for comparing results.
 */
#include <adloom/plugin.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- bench.rows ---- */

typedef struct rows_source {
  int64_t batches, rows;
  adl_output as;
} rows_source;

static const adl_param rows_params[] = {
    {.name = "batches",
     .type = ADL_PARAM_INT,
     .offset = offsetof(rows_source, batches),
     .default_value = "1000",
     .range = "[1, 1000000000]",
     .unit = "batches",
     .doc = "How many batches there are."},
    {.name = "rows",
     .type = ADL_PARAM_INT,
     .offset = offsetof(rows_source, rows),
     .default_value = "8",
     .range = "[1, 4096]",
     .unit = "rows",
     .doc = "Rows in each of them."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(rows_source, as),
     .default_value = "x",
     .doc = "The one column, float32."},
};

static adl_status rows_bind(const adl_call *call, void *instance) {
  rows_source *self = instance;
  return call->host->declare(call, &self->as, (adl_type){.element = ADL_FLOAT32, .shape = ADL_SCALAR});
}

static adl_status rows_open(const adl_call *call, void *instance, int32_t shard, void **cursor) {
  (void)instance;
  (void)shard;
  int64_t *made = calloc(1, sizeof *made);
  if (made == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  *cursor = made;
  return ADL_OK;
}

static adl_status rows_next(const adl_call *call, void *instance, void *cursor, adl_out *out) {
  const rows_source *self = instance;
  int64_t *made = cursor;
  if (*made >= self->batches) return ADL_END;
  adl_buffers column;
  ADL_TRY(call->host->reserve(call, out, self->as.slot, self->rows, 0, 0, &column));
  for (int64_t row = 0; row < self->rows; row++) ((float *)column.data)[row] = (float)(*made + row);
  *made += 1;
  return call->host->commit(call, out, self->rows);
}

static void rows_close(const adl_call *call, void *instance, void *cursor) {
  (void)call;
  (void)instance;
  free(cursor);
}

static const adl_class rows_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SOURCE,
    .id = "bench.rows",
    .title = "Rows made in memory",
    .doc = "Makes batches of rows that count upwards, as cheaply as can be.",
    .form = ADL_NEW,
    .instance_size = sizeof(rows_source),
    .state_version = 0,
    ADL_PARAMS(rows_params),
    .bind = rows_bind,
    .open = rows_open,
    .next = rows_next,
    .close = rows_close,
};

/* ---- bench.noop, bench.look ---- */

typedef struct nothing {
  adl_input column; /* bench.look */
} nothing;

static const adl_param look_params[] = {
    {.name = "column",
     .type = ADL_PARAM_COLUMN,
     .offset = offsetof(nothing, column),
     .elements = ADL_ANY_NUMERIC,
     .default_value = "x",
     .doc = "A column that is checked for nulls and NaN, and not used."},
};

static adl_status do_nothing(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                             adl_out *out) {
  (void)call;
  (void)instance;
  (void)model;
  (void)batch;
  (void)out;
  return ADL_OK;
}

static const adl_class noop_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "bench.noop",
    .title = "Nothing",
    .doc = "Rows leave as they came.",
    .form = ADL_SAME,
    .instance_size = sizeof(nothing),
    .process = do_nothing,
};

static const adl_class look_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "bench.look",
    .title = "Nothing, with a column",
    .doc = "Rows leave as they came; a column is asked for.",
    .form = ADL_SAME,
    .instance_size = sizeof(nothing),
    .state_version = 0,
    ADL_PARAMS(look_params),
    .process = do_nothing,
};

/* ---- bench.give ---- */

typedef struct give {
  adl_input x;
  adl_output as;
} give;

static const adl_param give_params[] = {
    {.name = "x",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(give, x),
     .elements = ADL_MASK(ADL_FLOAT32),
     .doc = "A column."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(give, as),
     .default_value = "copy",
     .doc = "The same again."},
};

static adl_status give_bind(const adl_call *call, void *instance) {
  give *self = instance;
  return call->host->declare(call, &self->as, (adl_type){.element = ADL_FLOAT32, .shape = ADL_SCALAR});
}

static adl_status give_rows(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                            adl_out *out) {
  const give *self = instance;
  adl_buffers column;
  (void)model;
  ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &column));
  memcpy(column.data, batch->slots[self->x.slot]->data, (size_t)batch->rows * sizeof(float));
  return ADL_OK;
}

static const adl_class give_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "bench.give",
    .title = "A column again",
    .doc = "Adds a copy of a column.",
    .form = ADL_SAME,
    .instance_size = sizeof(give),
    .state_version = 0,
    ADL_PARAMS(give_params),
    .bind = give_bind,
    .process = give_rows,
};

/* ---- bench.drop ---- */

typedef struct nowhere {
  adl_inputs columns;
} nowhere;

static const adl_param drop_params[] = {
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(nowhere, columns),
     .elements = ADL_ANY_ELEMENT,
     .shapes = ADL_ANY_SHAPE,
     .doc = "Columns that are asked for, so that the stages before make them."},
};

static adl_status drop_rows(const adl_call *call, void *instance, const adl_batch *batch, const void *block,
                            int64_t size) {
  (void)call;
  (void)instance;
  (void)batch;
  (void)block;
  (void)size;
  return ADL_OK;
}

static const adl_class drop_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SINK,
    .id = "bench.drop",
    .title = "Nowhere",
    .doc = "Rows end here.",
    .instance_size = sizeof(nowhere),
    .state_version = 0,
    ADL_PARAMS(drop_params),
    .write = drop_rows,
};

/* ---- bench.total ---- */

enum { ROWS, NULLS, ITEMS, BYTES, SUM, TOTALS };

typedef struct total {
  adl_inputs columns;
} total;

static const adl_param total_params[] = {
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(total, columns),
     .elements = ADL_ANY_ELEMENT,
     .shapes = ADL_ANY_SHAPE,
     .default_value = "*",
     .doc = "The columns that are read."},
};

/* Sum of numbers, four at a time, so that no addition waits for the one before: reading them must cost little. What is under
 * null rows is zero. */
#define SUM_OF(type, data, count)                                                                                      \
  do {                                                                                                                 \
    const type *values = (const type *)(data);                                                                         \
    double sums[4] = {0, 0, 0, 0};                                                                                     \
    int64_t at = 0;                                                                                                    \
    for (; at + 4 <= (count); at += 4)                                                                                 \
      for (int lane = 0; lane < 4; lane++) sums[lane] += (double)values[at + lane];                                    \
    for (; at < (count); at++) sums[0] += (double)values[at];                                                          \
    return sums[0] + sums[1] + sums[2] + sums[3];                                                                      \
  } while (0)

static double sum_of(const adl_column *column, int64_t items) {
  double sum = 0;
  switch (column->type.element) {
    case ADL_FLOAT32: SUM_OF(float, column->data, items);
    case ADL_FLOAT64: SUM_OF(double, column->data, items);
    case ADL_INT64: SUM_OF(int64_t, column->data, items);
    case ADL_TIMESTAMP: return 0;
    default: break;
  }
  if (column->type.shape == ADL_SCALAR)
    for (int64_t row = 0; row < items; row++)
      if (!adl_is_null(column, row)) sum += adl_number_at(column, row);
  return sum;
}

/* Of a column: what is null, how many items (values, list items, entries that are stored), bytes of text, sum of numbers. */
static void add_column(const adl_column *column, double *totals) {
  const bool text = column->type.element == ADL_STRING || column->type.element == ADL_BYTES,
             many = column->type.shape == ADL_LIST || column->type.shape == ADL_SPARSE || column->type.shape == ADL_BAG;
  int64_t items = many                               ? column->offsets[column->rows]
                  : column->type.shape == ADL_VECTOR ? column->rows * column->type.width
                                                     : column->rows;
  double sum = 0;
  totals[NULLS] += column->null_count;
  totals[ITEMS] += (double)(many ? items : items - column->null_count);
  if (text) {
    totals[BYTES] += column->string_offsets[items];
    for (int64_t i = 0; column->type.shape == ADL_BAG && i < items; i++) sum += (double)column->weights[i];
  } else {
    sum = sum_of(column, items);
  }
  if (isfinite(sum)) totals[SUM] += sum;
}

static adl_status total_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  const total *self = instance;
  const int64_t size = TOTALS;
  double *totals = call->host->tensor(call, partial, "totals", ADL_FLOAT64, 1, &size);
  (void)context;
  totals[ROWS] += (double)batch->rows;
  for (int64_t i = 0; i < self->columns.count; i++) add_column(batch->slots[self->columns.items[i].slot], totals);
  return ADL_OK;
}

static adl_status total_fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const adl_fold fold = {.struct_size = sizeof fold, .step = total_step};
  const int64_t size = TOTALS;
  (void)instance;
  call->host->tensor(call, model->tensors, "totals", ADL_FLOAT64, 1, &size);
  return call->host->fold(call, rows, &fold, model->tensors);
}

static adl_status total_report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report) {
  static const char *const names[TOTALS] = {"rows", "nulls", "items", "bytes", "sum"};
  adl_tensor totals;
  (void)instance;
  if (!call->host->find_tensor(call, model->tensors, "totals", &totals)) return ADL_OK;
  for (int i = 0; i < TOTALS; i++)
    call->host->report_number(call, report, "", names[i], ((const double *)totals.data)[i], NAN, NAN);
  return ADL_OK;
}

static const adl_class total_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_EVALUATE,
    .id = "bench.total",
    .title = "Totals",
    .doc =
        "Reads columns whole and reports how many rows, nulls, items and bytes of text they hold, and the sum of their "
        "numbers.",
    .flags = ADL_ALL_ROWS | ADL_SINGLE_PASS | ADL_TRANSIENT,
    .form = ADL_NEW,
    .instance_size = sizeof(total),
    .state_version = 1,
    ADL_PARAMS(total_params),
    .fit = total_fit,
    .report = total_report,
};

static const adl_class *const classes[] = {&rows_class, &noop_class, &look_class,
                                           &give_class, &drop_class, &total_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "bench.noop",
    .version = "1.0.0",
    .licence = "the same as adloom's",
    .class_count = sizeof classes / sizeof classes[0],
    .classes = classes,
};

ADL_PLUGIN("bench.noop", "1.0.0",
           "source:bench.rows transform:bench.noop transform:bench.look transform:bench.give sink:bench.drop "
           "evaluate:bench.total",
           &plugin);
