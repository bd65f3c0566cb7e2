/* A feature extractor that learns: sketch.popularity, how often a value occurred in the training rows. Three
 * parameters, the manual and a saved model, in at most 90 lines: the test counts them. */
#include <adloom/plugin.h>

#include <math.h>

typedef struct popularity {
  adl_input column;
  int64_t rare;
  adl_output as;
} popularity;

static const adl_param params[] = {
    {.name = "column",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(popularity, column),
     .elements = ADL_MASK(ADL_STRING),
     .doc = "Column whose values are counted."},
    {.name = "rare",
     .type = ADL_PARAM_INT,
     .offset = offsetof(popularity, rare),
     .default_value = "2",
     .range = "[1, 1000000]",
     .unit = "rows",
     .doc = "A value in fewer training rows than this counts as never seen."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(popularity, as),
     .default_value = "popularity",
     .doc = "New column: ln(1 + number of training rows with that value) (float32)."},
};

static adl_status bind(const adl_call *call, void *self) {
  return call->host->declare(call, &((popularity *)self)->as, (adl_type){.element = ADL_FLOAT32});
}

static adl_status count(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                        adl_tensors *partial) {
  const adl_column *column = batch->slots[((const popularity *)self)->column.slot];
  adl_table *counts = call->host->table(call, partial, "counts", 1);
  (void)context;
  for (int64_t row = 0; row < batch->rows; row++) {
    adl_text value = adl_text_at(column, row);
    call->host->table_row(counts, call->host->table_insert(counts, value.data, value.size))[0] += 1;
  }
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *self, adl_rows *rows, adl_model *model) {
  adl_fold fold = {.struct_size = sizeof fold, .step = count};
  (void)self;
  call->host->table(call, model->tensors, "counts", 1);
  return call->host->fold(call, rows, &fold, model->tensors);
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const popularity *self = instance;
  const adl_table *counts = call->host->find_table(call, model->tensors, "counts");
  adl_buffers to;
  if (counts == NULL) return call->host->fail(call, NULL, -1, "fit the stage again", "the model holds no counts");
  ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &to));
  for (int64_t row = 0; row < batch->rows; row++) {
    adl_text value = adl_text_at(batch->slots[self->column.slot], row);
    int64_t at = call->host->table_find(counts, value.data, value.size);
    double seen = at < 0 ? 0 : call->host->table_row(counts, at)[0];
    ((float *)to.data)[row] = seen < (double)self->rare ? 0 : (float)log1p(seen);
  }
  return ADL_OK;
}

static const adl_class popularity_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_FEATURE,
    .id = "sketch.popularity",
    .title = "How common a value is",
    .doc = "Gives each value the logarithm of how often it occurred in the training rows. Values never seen give 0. "
           "Rows without a value are rejected.\n\nThe model is a table from values to numbers of rows.",
    .flags = ADL_SINGLE_PASS,
    .instance_size = sizeof(popularity),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .fit = fit,
    .process = process,
};
ADL_PLUGIN_OF("sketch.popularity", "1.0.0", "feature:sketch.popularity", &popularity_class);
