/* What create allocates is freed by commit, which is not always called. */
#include "working.h"

#include <stdlib.h>

typedef struct holding {
  working base;
  void *memory;
} holding;

static adl_status create(const adl_call *call, void *self) {
  holding *own = self;
  own->memory = malloc(64);
  return own->memory != NULL ? ADL_OK : call->host->fail(call, NULL, -1, NULL, "no memory");
}

static adl_status start(const adl_call *call, void *self) {
  (void)call;
  free(((holding *)self)->memory);
  return ADL_OK;
}

static const adl_param params[] = {WORKING_PARAMS};

static const adl_class spoiled = {.struct_size = sizeof(adl_class),
                                  .kind = ADL_FEATURE,
                                  .title = "A number in every row",
                                  .doc = "Adds a column that holds the same number in every row.",
                                  .instance_size = sizeof(holding),
                                  .id = "test.leaks-bound",
                                  PARAMS(params),
                                  .create = create,
                                  .start = start,
                                  .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.leaks-bound");
