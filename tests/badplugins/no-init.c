/* Learns, but has no init to start from. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

static adl_status learn(const adl_call *call, const void *self, adl_model *model, const adl_batch *batch,
                        adl_out *out) {
  return out != NULL ? working_process(call, self, model, batch, out) : ADL_OK;
}

static const adl_class spoiled = {WORKING_CLASS,  .id = "test.no-init", PARAMS(params),
                                  .learn = learn, .bind = working_bind, .process = working_process};
WORKING_ENTRY("test.no-init");
