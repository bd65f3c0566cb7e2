/* It looks at the batch before. */
#include "working.h"

typedef struct reading {
  working base;
  adl_input column;
} reading;

static const float *before;

static const adl_param params[] = {WORKING_PARAMS,
                                   {.name = "column",
                                    .type = ADL_PARAM_COLUMN,
                                    .flags = ADL_REQUIRED,
                                    .offset = offsetof(reading, column),
                                    .elements = ADL_MASK(ADL_FLOAT32),
                                    .doc = "What is read."}};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_column *column = batch->slots[((const reading *)self)->column.slot];
  working changed = *(const working *)self;
  if (before != NULL && before[0] > 1) changed.number++;
  before = column->data;
  return working_process(call, &changed, model, batch, out);
}

static const adl_class spoiled = {.struct_size = sizeof(adl_class),
                                  .kind = ADL_FEATURE,
                                  .title = "A number in every row",
                                  .doc = "Adds a column that holds the same number in every row.",
                                  .instance_size = sizeof(reading),
                                  .id = "test.keeps-batch",
                                  PARAMS(params),
                                  .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.keeps-batch");
