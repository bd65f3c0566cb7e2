/* It learns from rows that are held out. */
#include "working.h"

typedef struct reading {
  working base;
  adl_input column;
} reading;

static const int64_t one = 1;

/* Sums up the column. */
static adl_status step(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  const adl_column *column = batch->slots[((const reading *)self)->column.slot];
  double *sum = call->host->tensor(call, partial, "rows", ADL_FLOAT64, 1, &one);
  (void)context;
  for (int64_t i = 0; i < batch->rows; i++) *sum += adl_number_at(column, i);
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *self, adl_rows *rows, adl_model *model) {
  adl_fold fold = {.struct_size = sizeof fold, .step = step};
  (void)self;
  call->host->tensor(call, model->tensors, "rows", ADL_FLOAT64, 1, &one);
  return call->host->fold(call, rows, &fold, model->tensors);
}

static const adl_param params[] = {WORKING_PARAMS,
                                   {.name = "column",
                                    .type = ADL_PARAM_COLUMN,
                                    .flags = ADL_REQUIRED,
                                    .offset = offsetof(reading, column),
                                    .elements = ADL_MASK(ADL_FLOAT32),
                                    .doc = "What is read."}};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  adl_tensor rows;
  working learned = *(const working *)self;
  if (!call->host->find_tensor(call, model->tensors, "rows", &rows))
    return call->host->fail(call, NULL, -1, "fit it again", "the model holds no rows");
  learned.number += (int64_t) * (const double *)rows.data;
  return working_process(call, &learned, model, batch, out);
}

static const adl_class spoiled = {.struct_size = sizeof(adl_class),
                                  .kind = ADL_FEATURE,
                                  .title = "A number in every row",
                                  .doc = "Adds a column that holds the same number in every row.",
                                  .instance_size = sizeof(reading),
                                  .id = "test.learns-all",
                                  PARAMS(params),
                                  .flags = ADL_ALL_ROWS,
                                  .state_version = 1,
                                  .fit = fit,
                                  .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.learns-all");
