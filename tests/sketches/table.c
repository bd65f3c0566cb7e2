/* A class that makes a table of its own: sketch.census gives one row for each value of a column, with the number of
 * training rows that have it. fit counts while the rows pass by; finish gives the table, of a loaded model
 * as well. */
#include <adloom/plugin.h>

#include <string.h>

typedef struct census {
  adl_input of;
  int32_t value, rows; /* output slots */
} census;

static const adl_param params[] = {
    {.name = "of",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(census, of),
     .elements = ADL_MASK(ADL_STRING),
     .doc = "Column whose values are counted."},
};

static adl_status bind(const adl_call *call, void *instance) {
  census *self = instance;
  ADL_TRY(call->host->declare_named(call, "of", self->of.name, self->of.type, &self->value));
  return call->host->declare_named(call, NULL, "rows", (adl_type){.element = ADL_INT64}, &self->rows);
}

static adl_status count(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                        adl_tensors *partial) {
  const adl_column *of = batch->slots[((const census *)instance)->of.slot];
  adl_table *counts = call->host->table(call, partial, "counts", 1);
  (void)context;
  for (int64_t row = 0; row < batch->rows; row++) {
    adl_text value = adl_text_at(of, row);
    call->host->table_row(counts, call->host->table_insert(counts, value.data, value.size))[0] += 1;
  }
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  adl_fold fold = {.struct_size = sizeof fold, .step = count};
  (void)instance;
  call->host->table(call, model->tensors, "counts", 1);
  return call->host->fold(call, rows, &fold, model->tensors);
}

static adl_status finish(const adl_call *call, const void *instance, const adl_model *model, adl_out *out) {
  const census *self = instance;
  const adl_table *counts = call->host->find_table(call, model->tensors, "counts");
  int64_t rows = counts == NULL ? 0 : call->host->table_count(counts), bytes = 0;
  adl_buffers value, number;
  for (int64_t row = 0; row < rows; row++) bytes += call->host->table_key(counts, row).size;
  ADL_TRY(call->host->reserve(call, out, self->value, rows, 0, bytes, &value));
  ADL_TRY(call->host->reserve(call, out, self->rows, rows, 0, 0, &number));
  bytes = 0;
  for (int64_t row = 0; row < rows; row++) {
    adl_text key = call->host->table_key(counts, row);
    memcpy((char *)value.data + bytes, key.data, (size_t)key.size);
    value.string_offsets[row + 1] = (int32_t)(bytes += key.size);
    ((int64_t *)number.data)[row] = (int64_t)call->host->table_row(counts, row)[0];
  }
  return call->host->commit(call, out, rows);
}

static const adl_class census_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "sketch.census",
    .title = "How many rows have each value",
    .doc = "Gives a table of the values of a column, in order of first appearance, and their numbers of training rows.",
    .flags = ADL_SINGLE_PASS,
    .form = ADL_NEW,
    .instance_size = sizeof(census),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .fit = fit,
    .finish = finish,
};
ADL_PLUGIN_OF("sketch.census", "1.0.0", "transform:sketch.census", &census_class);
