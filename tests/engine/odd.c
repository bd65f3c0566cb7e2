/*
 * Classes that use what no class of the tree uses yet, each in the smallest way that a test can tell right from wrong:
 * rows of a table made of rows, whole groups, a learner over groups, several sides, a source without positions, a merge
 * that minds empty partials, a fit of many passes, rows that come late, and one that takes its time. tests/engine/test_odd.c
 * runs them.
 */
#include <adloom/plugin.h>

#include <math.h>
#include <string.h>
#include <time.h>

#define COLUMN(struct_name, field, more)                                                                               \
  {                                                                                                                    \
    .name = #field, .type = ADL_PARAM_COLUMN, .flags = ADL_REQUIRED | (more), .offset = offsetof(struct_name, field),  \
    .elements = ADL_ANY_NUMERIC, .doc = "A column."                                                                    \
  }
#define NEW_COLUMN(struct_name, field)                                                                                 \
  {                                                                                                                    \
    .name = #field, .type = ADL_PARAM_NEW_COLUMN, .flags = ADL_PLAIN_NAME, .offset = offsetof(struct_name, field),     \
    .default_value = #field, .doc = "A new column."                                                                    \
  }
#define COUNT(struct_name, field, value)                                                                               \
  {                                                                                                                    \
    .name = #field, .type = ADL_PARAM_INT, .offset = offsetof(struct_name, field), .default_value = value,             \
    .range = "[0, 1000000]", .doc = "A number."                                                                        \
  }

static const adl_type number = {.element = ADL_FLOAT64, .shape = ADL_SCALAR, .role = ADL_NUMBER};

static double *reserve(const adl_call *call, adl_out *out, int32_t slot, int64_t rows) {
  adl_buffers to;
  if (call->host->reserve(call, out, slot, rows, 0, 0, &to) != ADL_OK) return NULL;
  return to.data;
}

/* ---- test.explode: two rows of each row, in a table of its own; finish adds one row: how many there were ---- */

typedef struct explode {
  adl_input x;
  adl_output value;
} explode;

static const adl_param explode_params[] = {COLUMN(explode, x, 0), NEW_COLUMN(explode, value)};

static adl_status explode_bind(const adl_call *call, void *instance) {
  return call->host->declare(call, &((explode *)instance)->value, number);
}

static adl_status explode_process(const adl_call *call, const void *instance, const adl_model *model,
                                  const adl_batch *batch, adl_out *out) {
  const explode *self = instance;
  const int64_t one = 1;
  double *value = reserve(call, out, self->value.slot, 2 * batch->rows);
  int64_t *rows = call->host->tensor(call, model->tensors, "rows", ADL_INT64, 1, &one);
  rows[0] += batch->rows;
  for (int64_t i = 0; i < batch->rows; i++) {
    value[2 * i] = adl_number_at(batch->slots[self->x.slot], i);
    value[2 * i + 1] = -value[2 * i];
  }
  return call->host->commit(call, out, 2 * batch->rows);
}

static adl_status explode_finish(const adl_call *call, const void *instance, const adl_model *model, adl_out *out) {
  const explode *self = instance;
  adl_tensor rows;
  double *value = reserve(call, out, self->value.slot, 1);
  value[0] = call->host->find_tensor(call, model->tensors, "rows", &rows) ? (double)((int64_t *)rows.data)[0] : 0;
  return call->host->commit(call, out, 1);
}

/* ---- test.top: of each whole group the row with the greatest score ---- */

typedef struct top {
  adl_input by, score;
  adl_output size;
} top;

static const adl_param top_params[] = {COLUMN(top, by, ADL_GROUP_KEY), COLUMN(top, score, 0), NEW_COLUMN(top, size)};

static adl_status top_bind(const adl_call *call, void *instance) {
  return call->host->declare(call, &((top *)instance)->size, number);
}

static adl_status top_process(const adl_call *call, const void *instance, const adl_model *model,
                              const adl_batch *batch, adl_out *out) {
  const top *self = instance;
  const adl_column *score = batch->slots[self->score.slot];
  int64_t *index = call->host->alloc(call, ((size_t)batch->group_count + 1) * sizeof *index);
  double *size = reserve(call, out, self->size.slot, batch->group_count);
  (void)model;
  for (int64_t g = 0; g < batch->group_count; g++) {
    index[g] = batch->groups[g];
    size[g] = batch->groups[g + 1] - batch->groups[g];
    for (int64_t i = batch->groups[g]; i < batch->groups[g + 1]; i++)
      if (adl_number_at(score, i) > adl_number_at(score, index[g])) index[g] = i;
  }
  return call->host->pick(call, out, index, batch->group_count);
}

/* ---- test.sizes, test.sized: folds over whole groups. By key: how many groups it had in how many parts, how many rows,
 * and the sums of x in the first and the last row of each ---- */

enum { PARTS, ROWS, FIRST, LAST, SIZES_WIDTH };

static adl_status sizes_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  const top *self = instance;
  const adl_column *x = batch->slots[self->score.slot];
  adl_table *table = call->host->table(call, partial, "sizes", SIZES_WIDTH);
  (void)context;
  for (int64_t g = 0; g < batch->group_count; g++) {
    int64_t first = batch->groups[g], end = batch->groups[g + 1];
    double key = adl_number_at(batch->slots[self->by.slot], first);
    double *row = call->host->table_row(table, call->host->table_insert(table, &key, sizeof key));
    row[PARTS] += 1;
    row[ROWS] += (double)(end - first);
    row[FIRST] += adl_number_at(x, first);
    row[LAST] += adl_number_at(x, end - 1);
  }
  return ADL_OK;
}

static adl_status sizes_fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const adl_fold fold = {.struct_size = sizeof fold, .step = sizes_step};
  (void)instance;
  call->host->table(call, model->tensors, "sizes", SIZES_WIDTH);
  return call->host->fold(call, rows, &fold, model->tensors);
}

static adl_status sizes_report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report) {
  static const char *const names[SIZES_WIDTH] = {"parts", "rows", "first", "last"};
  const adl_table *table = call->host->find_table(call, model->tensors, "sizes");
  double sums[SIZES_WIDTH] = {0};
  (void)instance;
  for (int64_t i = 0; i < call->host->table_count(table); i++)
    for (int k = 0; k < SIZES_WIDTH; k++) sums[k] += call->host->table_row(table, i)[k];
  call->host->report_number(call, report, "", "keys", (double)call->host->table_count(table), NAN, NAN);
  for (int k = 0; k < SIZES_WIDTH; k++) call->host->report_number(call, report, "", names[k], sums[k], NAN, NAN);
  return ADL_OK;
}

/* How many rows the group of each row had in the fold. */
static adl_status sized_process(const adl_call *call, const void *instance, const adl_model *model,
                                const adl_batch *batch, adl_out *out) {
  const top *self = instance;
  const adl_table *table = call->host->find_table(call, model->tensors, "sizes");
  double *size = reserve(call, out, self->size.slot, batch->rows);
  for (int64_t i = 0; i < batch->rows; i++) {
    double key = adl_number_at(batch->slots[self->by.slot], i);
    int64_t at = call->host->table_find(table, &key, sizeof key);
    size[i] = at < 0 ? 0 : call->host->table_row(table, at)[ROWS];
  }
  return ADL_OK;
}

/* ---- test.bandit: the first row of each whole group, with how many rows have been learned from before ---- */

static adl_status bandit_init(const adl_call *call, const void *instance, adl_model *model) {
  const int64_t one = 1;
  (void)instance;
  call->host->tensor(call, model->tensors, "learned", ADL_FLOAT64, 1, &one);
  return ADL_OK;
}

static adl_status bandit_process(const adl_call *call, const void *instance, const adl_model *model,
                                 const adl_batch *batch, adl_out *out) {
  const top *self = instance;
  adl_tensor learned;
  int64_t *index = call->host->alloc(call, ((size_t)batch->group_count + 1) * sizeof *index);
  double *size = reserve(call, out, self->size.slot, batch->group_count);
  call->host->find_tensor(call, model->tensors, "learned", &learned);
  for (int64_t g = 0; g < batch->group_count; g++) {
    index[g] = batch->groups[g];
    size[g] = ((double *)learned.data)[0];
  }
  return call->host->pick(call, out, index, batch->group_count);
}

static adl_status bandit_learn(const adl_call *call, const void *instance, adl_model *model, const adl_batch *batch,
                               adl_out *out) {
  adl_tensor learned;
  if (out != NULL) ADL_TRY(bandit_process(call, instance, model, batch, out));
  call->host->find_tensor(call, model->tensors, "learned", &learned);
  ((double *)learned.data)[0] += (double)batch->rows;
  return ADL_OK;
}

/* ---- test.sides: row i of the main input gets row i of five other stages ---- */

enum { SIDES = 5 };

typedef struct sides {
  adl_side a, b, c, d, e;
} sides;

#define SIDE(field)                                                                                                    \
  {                                                                                                                    \
    .name = #field, .type = ADL_PARAM_STAGE, .flags = ADL_REQUIRED, .offset = offsetof(sides, field),                  \
    .doc = "A stage."                                                                                                  \
  }
static const adl_param sides_params[] = {SIDE(a), SIDE(b), SIDE(c), SIDE(d), SIDE(e)};

static adl_status sides_bind(const adl_call *call, void *instance) {
  const adl_side *side = instance;
  for (int i = 0; i < SIDES; i++) {
    char name[] = {(char)('a' + i), '\0'};
    ADL_TRY(call->host->bring(call, name, &side[i], "x", name));
  }
  return ADL_OK;
}

static adl_status sides_process(const adl_call *call, const void *instance, const adl_model *model,
                                const adl_batch *batch, adl_out *out) {
  const adl_side *side = instance;
  adl_tensor none;
  const int64_t one = 1;
  int64_t *index = call->host->alloc(call, (size_t)batch->rows * sizeof *index);
  int64_t *row = call->host->alloc(call, (size_t)batch->rows * sizeof *row);
  (void)call->host->find_tensor(call, model->tensors, "seen", &none);
  int64_t *seen = call->host->tensor(call, model->tensors, "seen", ADL_INT64, 1, &one);
  for (int64_t i = 0; i < batch->rows; i++) {
    index[i] = i;
    row[i] = seen[0] + i;
  }
  seen[0] += batch->rows;
  ADL_TRY(call->host->pick(call, out, index, batch->rows));
  for (int i = 0; i < SIDES; i++) ADL_TRY(call->host->gather(call, out, &side[i], row, batch->rows));
  return ADL_OK;
}

/* ---- test.count: a source of two parts that counts, and does not say where a row came from ---- */

typedef struct count {
  int64_t rows;
  adl_output x;
  int64_t next;
} count;

static const adl_param count_params[] = {COUNT(count, rows, "10"), NEW_COLUMN(count, x)};

static adl_status count_bind(const adl_call *call, void *instance) {
  return call->host->declare(call, &((count *)instance)->x, number);
}

static adl_status count_shards(const adl_call *call, void *instance, int32_t *shards) {
  (void)call, (void)instance;
  *shards = 2;
  return ADL_OK;
}

static adl_status count_open(const adl_call *call, void *instance, int32_t shard, void **cursor) {
  (void)call, (void)shard, (void)cursor;
  ((count *)instance)->next = 0;
  return ADL_OK;
}

static adl_status count_next(const adl_call *call, void *instance, void *cursor, adl_out *out) {
  count *self = instance;
  int64_t rows = self->rows - self->next < 1000 ? self->rows - self->next : 1000;
  (void)cursor;
  if (rows == 0) return ADL_END;
  double *x = reserve(call, out, self->x.slot, rows);
  for (int64_t i = 0; i < rows; i++) x[i] = (double)self->next++;
  ADL_TRY(call->host->commit(call, out, rows));
  return self->next == self->rows ? ADL_END : ADL_OK; /* the last rows may come with the end */
}

static adl_status count_fingerprint(const adl_call *call, void *instance, uint8_t digest[32]) {
  (void)call;
  memcpy(digest, &((count *)instance)->rows, sizeof(int64_t));
  return ADL_OK;
}

/* ---- test.mean: the mean of the training rows, merged in a way that cannot do with an empty partial ---- */

typedef struct mean {
  adl_input x;
  adl_output as;
} mean;

static const adl_param mean_params[] = {COLUMN(mean, x, 0), NEW_COLUMN(mean, as)};

static adl_status mean_bind(const adl_call *call, void *instance) {
  return call->host->declare(call, &((mean *)instance)->as, number);
}

static double *mean_of(const adl_call *call, adl_tensors *tensors) {
  const int64_t two = 2; /* rows, mean */
  return call->host->tensor(call, tensors, "mean", ADL_FLOAT64, 1, &two);
}

static adl_status mean_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                            adl_tensors *partial) {
  const mean *self = instance;
  double *m = mean_of(call, partial);
  (void)context;
  if (batch->rows == 0) return call->host->fail(call, NULL, -1, NULL, "a step without rows");
  for (int64_t i = 0; i < batch->rows; i++) {
    m[0]++;
    m[1] += (adl_number_at(batch->slots[self->x.slot], i) - m[1]) / m[0];
  }
  return ADL_OK;
}

static adl_status mean_merge(const adl_call *call, const void *instance, const void *context, adl_tensors *into,
                             adl_tensors *from) {
  double *a = mean_of(call, into), *b = mean_of(call, from);
  (void)instance, (void)context;
  if (a[0] == 0 || b[0] == 0) return call->host->fail(call, NULL, -1, NULL, "a partial without rows was merged");
  a[1] += (b[1] - a[1]) * b[0] / (a[0] + b[0]);
  a[0] += b[0];
  return ADL_OK;
}

static adl_status mean_fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  adl_fold fold = {.struct_size = sizeof fold, .step = mean_step, .merge = mean_merge};
  (void)instance;
  mean_of(call, model->tensors);
  return call->host->fold(call, rows, &fold, model->tensors);
}

static adl_status mean_process(const adl_call *call, const void *instance, const adl_model *model,
                               const adl_batch *batch, adl_out *out) {
  const mean *self = instance;
  double *to = reserve(call, out, self->as.slot, batch->rows), value = mean_of(call, model->tensors)[1];
  for (int64_t i = 0; i < batch->rows; i++) to[i] = value;
  return ADL_OK;
}

/* ---- test.passes: a fit of four passes, the last of which refuses the row whose x is `value`. It tells how many rows there
 * were in each and their sum, and how many batches stood in the last pass where they had stood in the one before, and no
 * other batch did ---- */

typedef struct passes {
  adl_input x, y;
  int64_t value;
} passes;

enum { PASSES = 4, PASS_ROWS = 0, PASS_SUM, PASS_HELD, PASS_CELLS, PASS_PLACES = 512 };

/* Where the rows from 64 i on stood in each pass. */
typedef struct passing {
  int pass;
  const void *place[PASSES][PASS_PLACES];
} passing;

static const adl_param passes_params[] = {COLUMN(passes, x, 0), COLUMN(passes, y, 0), COUNT(passes, value, "7")};

static double *pass_cells(const adl_call *call, adl_tensors *tensors, int pass) {
  const int64_t size[2] = {PASSES, PASS_CELLS};
  return (double *)call->host->tensor(call, tensors, "passes", ADL_FLOAT64, 2, size) + pass * PASS_CELLS;
}

static adl_status passes_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                              adl_tensors *partial) {
  const passes *self = instance;
  passing *state = (passing *)(uintptr_t)context;
  double *cells = pass_cells(call, partial, state->pass);
  const adl_column *x = batch->slots[self->x.slot], *y = batch->slots[self->y.slot];
  cells[PASS_ROWS] += (double)batch->rows;
  state->place[state->pass][batch->ordinal / 64 % PASS_PLACES] = x->data;
  for (int64_t i = 0; i < batch->rows; i++) {
    cells[PASS_SUM] += adl_number_at(x, i) + adl_number_at(y, i);
    if (state->pass == PASSES - 1 && adl_number_at(x, i) == (double)self->value)
      call->host->reject(call, i, "x", "unwanted");
  }
  return ADL_OK;
}

static double count_held(const passing *state) {
  const void *const *now = state->place[PASSES - 1], *const *before = state->place[PASSES - 2];
  double held = 0;
  for (int i = 0; i < PASS_PLACES; i++) {
    int others = 0;
    for (int j = 0; j < PASS_PLACES; j++) others += j != i && now[j] == now[i];
    held += now[i] != NULL && now[i] == before[i] && others == 0;
  }
  return held;
}

static adl_status passes_fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  (void)instance;
  adl_tensors *total = call->host->scratch_tensors(call);
  passing *state = call->host->alloc(call, sizeof *state);
  *state = (passing){0};
  for (; state->pass < PASSES; state->pass++) {
    adl_fold fold = {.struct_size = sizeof fold, .step = passes_step, .context = state};
    pass_cells(call, total, 0);
    ADL_TRY(call->host->fold(call, rows, &fold, total));
    memcpy(pass_cells(call, model->tensors, state->pass), pass_cells(call, total, state->pass),
           PASS_CELLS * sizeof(double));
  }
  pass_cells(call, model->tensors, PASSES - 1)[PASS_HELD] = count_held(state);
  return ADL_OK;
}

static adl_status passes_process(const adl_call *call, const void *instance, const adl_model *model,
                                 const adl_batch *batch, adl_out *out) {
  (void)call, (void)instance, (void)model, (void)batch, (void)out;
  return ADL_OK;
}

/* ---- test.refuse: rejects the rows whose x is `value`, and picks all ---- */

typedef struct refuse {
  adl_input x;
  int64_t value;
} refuse;

static const adl_param refuse_params[] = {COLUMN(refuse, x, 0), COUNT(refuse, value, "3")};

static adl_status refuse_process(const adl_call *call, const void *instance, const adl_model *model,
                                 const adl_batch *batch, adl_out *out) {
  const refuse *self = instance;
  int64_t *index = call->host->alloc(call, (size_t)batch->rows * sizeof *index);
  (void)model;
  for (int64_t i = 0; i < batch->rows; i++) {
    index[i] = batch->rows - 1 - i;
    if (adl_number_at(batch->slots[self->x.slot], i) == (double)self->value)
      call->host->reject(call, i, "x", "unwanted");
  }
  return call->host->pick(call, out, index, batch->rows);
}

/* ---- test.slow: lets rows pass, after a while ---- */

typedef struct slow {
  int64_t milliseconds;
} slow;

static const adl_param slow_params[] = {COUNT(slow, milliseconds, "10")};

static adl_status slow_process(const adl_call *call, const void *instance, const adl_model *model,
                               const adl_batch *batch, adl_out *out) {
  int64_t left = ((const slow *)instance)->milliseconds;
  struct timespec time = {left / 1000, (long)(left % 1000) * 1000000};
  (void)call, (void)model, (void)batch, (void)out;
  nanosleep(&time, NULL);
  return ADL_OK;
}

/* ---- the plugin ---- */

#define CLASS(name, kind_of, form_of, params_of, instance)                                                             \
  .struct_size = sizeof(adl_class), .kind = (kind_of), .id = (name), .title = "An odd class",                          \
  .doc = "A class for tests.", .form = (form_of), .instance_size = sizeof(instance), .state_version = 1,               \
  ADL_PARAMS(params_of)

static const adl_class explode_class = {CLASS("test.explode", ADL_TRANSFORM, ADL_NEW, explode_params, explode),
                                        .flags = ADL_ORDERED, .bind = explode_bind, .process = explode_process,
                                        .finish = explode_finish};
static const adl_class top_class = {CLASS("test.top", ADL_OPTIMIZE, ADL_PICKED, top_params, top),
                                    .flags = ADL_WHOLE_GROUPS, .bind = top_bind, .process = top_process};
static const adl_class bandit_class = {CLASS("test.bandit", ADL_OPTIMIZE, ADL_PICKED, top_params, top),
                                       .flags = ADL_WHOLE_GROUPS,
                                       .bind = top_bind,
                                       .init = bandit_init,
                                       .process = bandit_process,
                                       .learn = bandit_learn};
static const adl_class sizes_class = {CLASS("test.sizes", ADL_EVALUATE, ADL_NEW, top_params, top),
                                      .flags = ADL_WHOLE_GROUPS | ADL_ALL_ROWS | ADL_SPLIT_ROWS | ADL_SINGLE_PASS,
                                      .bind = top_bind, .fit = sizes_fit, .report = sizes_report};
static const adl_class sized_class = {CLASS("test.sized", ADL_PROFILE, ADL_SAME, top_params, top),
                                      .flags = ADL_WHOLE_GROUPS,
                                      .bind = top_bind,
                                      .fit = sizes_fit,
                                      .process = sized_process,
                                      .report = sizes_report};
static const adl_class sides_class = {CLASS("test.sides", ADL_TRANSFORM, ADL_PICKED, sides_params, sides),
                                      .flags = ADL_ORDERED, .bind = sides_bind, .process = sides_process};
static const adl_class count_class = {CLASS("test.count", ADL_SOURCE, ADL_NEW, count_params, count),
                                      .bind = count_bind,
                                      .shards = count_shards,
                                      .open = count_open,
                                      .next = count_next,
                                      .fingerprint = count_fingerprint};
static const adl_class mean_class = {CLASS("test.mean", ADL_PROFILE, ADL_SAME, mean_params, mean), .bind = mean_bind,
                                     .fit = mean_fit, .process = mean_process};
static const adl_class passes_class = {CLASS("test.passes", ADL_PROFILE, ADL_SAME, passes_params, passes),
                                       .fit = passes_fit, .process = passes_process};
static const adl_class refuse_class = {CLASS("test.refuse", ADL_TRANSFORM, ADL_PICKED, refuse_params, refuse),
                                       .process = refuse_process};
static const adl_class slow_class = {CLASS("test.slow", ADL_TRANSFORM, ADL_SAME, slow_params, slow),
                                     .process = slow_process};

static const adl_class *const classes[] = {&explode_class, &top_class,    &bandit_class, &sizes_class,
                                           &sized_class,   &sides_class,  &count_class,  &mean_class,
                                           &passes_class,  &refuse_class, &slow_class};

static const adl_plugin plugin = {.struct_size = sizeof(adl_plugin),
                                  .abi_major = ADL_ABI_MAJOR,
                                  .abi_minor = ADL_ABI_MINOR,
                                  .id = "test.odd",
                                  .version = "1.0.0",
                                  .class_count = sizeof classes / sizeof classes[0],
                                  .classes = classes};

ADL_PLUGIN("test.odd", "1.0.0",
           "transform:test.explode optimize:test.top optimize:test.bandit evaluate:test.sizes profile:test.sized "
           "transform:test.sides source:test.count profile:test.mean profile:test.passes transform:test.refuse "
           "transform:test.slow",
           &plugin);
