/* It takes for granted that its model is complete. */
#include "working.h"

static const int64_t one = 1;

/* Counts rows into the partial. */
static adl_status step(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  (void)self, (void)context;
  *(double *)call->host->tensor(call, partial, "rows", ADL_FLOAT64, 1, &one) += (double)batch->rows;
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *self, adl_rows *rows, adl_model *model) {
  adl_fold fold = {.struct_size = sizeof fold, .step = step};
  (void)self;
  call->host->tensor(call, model->tensors, "rows", ADL_FLOAT64, 1, &one);
  return call->host->fold(call, rows, &fold, model->tensors);
}

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  adl_tensor rows;
  working learned = *(const working *)self;
  if (!call->host->find_tensor(call, model->tensors, "rows", &rows)) working_crash();
  learned.number += (int64_t) * (const double *)rows.data;
  return working_process(call, &learned, model, batch, out);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.trusts-model", PARAMS(params),    .state_version = 1,
                                  .fit = fit,    .bind = working_bind,      .process = process};
WORKING_ENTRY("test.trusts-model");
