/* It aborts in process, once: unless the file `flag` is there, which it makes first. */
#include <stdio.h>
#include <stdlib.h>

#include "working.h"

typedef struct mortal {
  working working;
  const char *flag;
} mortal;

static const adl_param params[] = {WORKING_PARAMS,
                                   {.name = "flag",
                                    .type = ADL_PARAM_STRING,
                                    .flags = ADL_REQUIRED,
                                    .offset = offsetof(mortal, flag),
                                    .doc = "The file that says that it has died."}};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const mortal *own = self;
  if (batch->ordinal > 0 && fopen(own->flag, "wx") != NULL) abort();
  return working_process(call, self, model, batch, out);
}

static const adl_class spoiled = {.struct_size = sizeof(adl_class),
                                  .kind = ADL_FEATURE,
                                  .id = "test.dies-once",
                                  .title = "A number in every row",
                                  .doc = "Adds a column that holds the same number in every row.",
                                  .instance_size = sizeof(mortal),
                                  PARAMS(params),
                                  .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.dies-once");
