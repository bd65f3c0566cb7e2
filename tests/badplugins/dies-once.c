/* It aborts once: unless the file `flag` is there, which it makes first. One class does so in process; the other learns
 * how many batches there were, which every row gets, and aborts in learn, at batch 100. */
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

static adl_status init(const adl_call *call, const void *self, adl_model *model) {
  int64_t one = 1;
  (void)self;
  call->host->tensor(call, model->tensors, "batches", ADL_INT64, 1, &one);
  return ADL_OK;
}

static adl_status give_count(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                             adl_out *out) {
  adl_tensor count;
  working told = ((const mortal *)self)->working;
  call->host->find_tensor(call, model->tensors, "batches", &count);
  told.number = *(const int64_t *)count.data;
  return working_process(call, &told, model, batch, out);
}

static adl_status learn(const adl_call *call, const void *self, adl_model *model, const adl_batch *batch,
                        adl_out *out) {
  int64_t one = 1, *count = call->host->tensor(call, model->tensors, "batches", ADL_INT64, 1, &one);
  if (*count == 100 && fopen(((const mortal *)self)->flag, "wx") != NULL) abort();
  if (out != NULL) ADL_TRY(give_count(call, self, model, batch, out));
  *count += 1;
  return ADL_OK;
}

#define MORTAL(class_id)                                                                                               \
  .struct_size = sizeof(adl_class), .kind = ADL_FEATURE, .id = (class_id), .title = "A number in every row",           \
  .doc = "Adds a column that holds the same number in every row.", .instance_size = sizeof(mortal), PARAMS(params),    \
  .bind = working_bind

static const adl_class once = {MORTAL("test.dies-once"), .process = process};
static const adl_class learning = {MORTAL("test.dies-learning"), .state_version = 1, .init = init,
                                   .process = give_count, .learn = learn};
static const adl_class *const classes[] = {&once, &learning};
static const adl_plugin plugin = {WORKING_PLUGIN("test.dies-once", classes)};
ADL_PLUGIN("test.dies-once", "1.0.0", "feature:test.dies-once feature:test.dies-learning", &plugin);
