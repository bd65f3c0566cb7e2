/*
 * Classes that can only end if something else goes on beside them: fits that wait for one another, sources that do, and one
 * that waits for a fit.
 * tests/engine/test_beside.c runs them.
 */
#include <adloom/plugin.h>

#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { PATIENCE = 20000 /* ms until something that waits gives up */, LOOPS = 64, PASSES = 5 };

static const adl_type number = {.element = ADL_FLOAT64, .shape = ADL_SCALAR, .role = ADL_NUMBER};

/* Comes to a place where `all` are expected, and waits for the others. */
static adl_status meet(const adl_call *call, _Atomic int *come, int64_t all) {
  atomic_fetch_add(come, 1);
  for (int ms = 0; atomic_load(come) < all; ms++) {
    if (ms == PATIENCE) return call->host->fail(call, NULL, -1, NULL, "nobody came");
    if (call->host->cancelled(call)) return ADL_FAILED;
    nanosleep(&(struct timespec){0, 1000000}, NULL);
  }
  return ADL_OK;
}

/* ---- test.meet: its fit waits until as many fits have begun as shall meet; then it counts its rows in some passes, and
 * adds up a loop. All that, `value` tells, if all passes saw the same ---- */

typedef struct meeting {
  int64_t fits;
  bool fails;
  adl_side with;
  adl_output value;
} meeting;

static _Atomic int fits_begun, fits_ended, batches_folded;

static const adl_param meeting_params[] = {
    {.name = "fits",
     .type = ADL_PARAM_INT,
     .offset = offsetof(meeting, fits),
     .default_value = "2",
     .range = "[0, 100]",
     .doc = "How many fits meet."},
    {.name = "fails",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(meeting, fails),
     .default_value = "false",
     .doc = "Whether the fit fails, when another has ended."},
    {.name = "with", .type = ADL_PARAM_STAGE, .offset = offsetof(meeting, with), .doc = "What it is fitted on."},
    {.name = "value",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(meeting, value),
     .default_value = "value",
     .doc = "A new column."},
};

static adl_status meeting_bind(const adl_call *call, void *instance) {
  return call->host->declare(call, &((meeting *)instance)->value, number);
}

static double *sum_of(const adl_call *call, adl_tensors *tensors) {
  return call->host->tensor(call, tensors, "sum", ADL_FLOAT64, 1, (const int64_t[]){1});
}

static adl_status count_rows(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  (void)instance, (void)context;
  atomic_fetch_add(&batches_folded, 1);
  *sum_of(call, partial) += (double)batch->rows;
  return ADL_OK;
}

static adl_status put_number(const adl_call *call, void *context, int64_t i) {
  (void)call;
  ((double *)context)[i] = (double)i;
  return ADL_OK;
}

static adl_status meeting_fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const meeting *self = instance;
  const adl_fold fold = {.struct_size = sizeof fold, .step = count_rows};
  double numbers[LOOPS] = {0}, first = 0, sum = 0;
  ADL_TRY(meet(call, &fits_begun, self->fits));
  for (int pass = 0; pass < PASSES; pass++) {
    adl_tensors *total = call->host->scratch_tensors(call);
    sum_of(call, total);
    ADL_TRY(call->host->fold(call, rows, &fold, total));
    ADL_TRY(call->host->parallel(call, LOOPS, put_number, numbers));
    if (pass == 0) first = *sum_of(call, total);
    if (*sum_of(call, total) != first) return call->host->fail(call, NULL, -1, NULL, "rows come and go");
  }
  if (self->fails) {
    for (int ms = 0; atomic_load(&fits_ended) == 0 && ms < PATIENCE; ms++)
      nanosleep(&(struct timespec){0, 1000000}, NULL);
    return call->host->fail(call, NULL, -1, NULL, "it was told to");
  }
  atomic_fetch_add(&fits_ended, 1);
  for (int i = 0; i < LOOPS; i++) sum += numbers[i];
  *sum_of(call, model->tensors) = first + sum;
  return ADL_OK;
}

static adl_status meeting_process(const adl_call *call, const void *instance, const adl_model *model,
                                  const adl_batch *batch, adl_out *out) {
  const meeting *self = instance;
  adl_buffers to;
  adl_tensor sum;
  if (!call->host->find_tensor(call, model->tensors, "sum", &sum)) return ADL_FAILED;
  ADL_TRY(call->host->reserve(call, out, self->value.slot, batch->rows, 0, 0, &to));
  for (int64_t i = 0; i < batch->rows; i++) ((double *)to.data)[i] = *(const double *)sum.data;
  return ADL_OK;
}

/* ---- test.gate: a source of one row, which it gives when all such sources have been opened ---- */

typedef struct gate {
  int64_t sources;
  adl_output x;
} gate;

static _Atomic int gates_opened;

static const adl_param gate_params[] = {
    {.name = "sources",
     .type = ADL_PARAM_INT,
     .offset = offsetof(gate, sources),
     .default_value = "2",
     .range = "[1, 100]",
     .doc = "How many there are."},
    {.name = "x",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(gate, x),
     .default_value = "x",
     .doc = "A new column."},
};

static adl_status gate_bind(const adl_call *call, void *instance) {
  return call->host->declare(call, &((gate *)instance)->x, number);
}

static adl_status gate_shards(const adl_call *call, void *instance, int32_t *shards) {
  (void)call, (void)instance;
  *shards = 1;
  return ADL_OK;
}

static adl_status gate_open(const adl_call *call, void *instance, int32_t shard, void **cursor) {
  (void)call, (void)instance, (void)shard, (void)cursor;
  return ADL_OK;
}

static adl_status gate_next(const adl_call *call, void *instance, void *cursor, adl_out *out) {
  const gate *self = instance;
  adl_buffers to;
  (void)cursor;
  ADL_TRY(meet(call, &gates_opened, self->sources));
  ADL_TRY(call->host->reserve(call, out, self->x.slot, 1, 0, 0, &to));
  *(double *)to.data = 1;
  ADL_TRY(call->host->commit(call, out, 1));
  return ADL_END;
}

/* ---- test.ask: a source that gives 4096 rows, and 4096 more when somebody has folded the first ---- */

enum { ASKED_ROWS = 4096 };

typedef struct ask {
  adl_output x;
  int64_t given;
} ask;

static const adl_param ask_params[] = {
    {.name = "x",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(ask, x),
     .default_value = "x",
     .doc = "A new column."},
};

static adl_status ask_bind(const adl_call *call, void *instance) {
  return call->host->declare(call, &((ask *)instance)->x, number);
}

static adl_status ask_next(const adl_call *call, void *instance, void *cursor, adl_out *out) {
  ask *self = instance;
  adl_buffers to;
  (void)cursor;
  if (self->given > 0) ADL_TRY(meet(call, &batches_folded, 2)); /* this call counts as one */
  ADL_TRY(call->host->reserve(call, out, self->x.slot, ASKED_ROWS, 0, 0, &to));
  for (int64_t i = 0; i < ASKED_ROWS; i++) ((double *)to.data)[i] = (double)self->given++;
  ADL_TRY(call->host->commit(call, out, ASKED_ROWS));
  return self->given > ASKED_ROWS ? ADL_END : ADL_OK;
}

/* ---- the plugin ---- */

#define CLASS(name, kind_of, form_of, params_of, instance)                                                             \
  .struct_size = sizeof(adl_class), .kind = (kind_of), .id = (name), .title = "It waits for another",                  \
  .doc = "A class for tests.", .form = (form_of), .instance_size = sizeof(instance), .state_version = 1,               \
  ADL_PARAMS(params_of)

static const adl_class meeting_class = {CLASS("test.meet", ADL_PROFILE, ADL_SAME, meeting_params, meeting),
                                        .bind = meeting_bind, .fit = meeting_fit, .process = meeting_process};
static const adl_class gate_class = {CLASS("test.gate", ADL_SOURCE, ADL_NEW, gate_params, gate), .bind = gate_bind,
                                     .shards = gate_shards, .open = gate_open, .next = gate_next};

static const adl_class ask_class = {CLASS("test.ask", ADL_SOURCE, ADL_NEW, ask_params, ask), .bind = ask_bind,
                                    .shards = gate_shards, .open = gate_open, .next = ask_next};

static const adl_class *const classes[] = {&meeting_class, &gate_class, &ask_class};

static const adl_plugin plugin = {.struct_size = sizeof(adl_plugin),
                                  .abi_major = ADL_ABI_MAJOR,
                                  .abi_minor = ADL_ABI_MINOR,
                                  .id = "test.beside",
                                  .version = "1.0.0",
                                  .class_count = sizeof classes / sizeof classes[0],
                                  .classes = classes};

ADL_PLUGIN("test.beside", "1.0.0", "profile:test.meet source:test.gate source:test.ask", &plugin);
