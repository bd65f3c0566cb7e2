/* It lets nulls pass, and crashes when one comes. */
#include "working.h"

typedef struct reading {
  working base;
  adl_input column;
} reading;

static const adl_param params[] = {WORKING_PARAMS,
                                   {.name = "column",
                                    .type = ADL_PARAM_COLUMN,
                                    .flags = ADL_REQUIRED | ADL_NULLS_PASS | ADL_NAN_PASS,
                                    .offset = offsetof(reading, column),
                                    .elements = ADL_MASK(ADL_FLOAT32),
                                    .doc = "What is read."}};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_column *column = batch->slots[((const reading *)self)->column.slot];
  if (column->null_count > 0) working_crash();
  return working_process(call, self, model, batch, out);
}

static const adl_class spoiled = {.struct_size = sizeof(adl_class),
                                  .kind = ADL_FEATURE,
                                  .title = "A number in every row",
                                  .doc = "Adds a column that holds the same number in every row.",
                                  .instance_size = sizeof(reading),
                                  .id = "test.crash-null",
                                  PARAMS(params),
                                  .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.crash-null");
