/* It crashes in create. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

static adl_status create(const adl_call *call, void *self) {
  (void)call, (void)self;
  working_crash();
  return ADL_OK;
}

static const adl_class spoiled = {WORKING_CLASS,    .id = "test.crash-create", PARAMS(params),
                                  .create = create, .bind = working_bind,      .process = working_process};
WORKING_ENTRY("test.crash-create");
