/* A join: sketch.lookup brings all columns of another stage to the rows with the same key. Its model, made by fit from
 * the rows of that stage, says which of them a key stands in; the core fetches the columns. */
#include <adloom/plugin.h>

#include <string.h>

typedef struct lookup {
  adl_side with;
  adl_input on;
  adl_input key; /* the column of that name on the side */
} lookup;

static const adl_param params[] = {
    {.name = "with",
     .type = ADL_PARAM_STAGE,
     .flags = ADL_REQUIRED,
     .offset = offsetof(lookup, with),
     .doc = "Stage whose rows are looked up."},
    {.name = "on",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED | ADL_NULLS_PASS,
     .offset = offsetof(lookup, on),
     .elements = ADL_MASK(ADL_STRING),
     .doc = "Key: a column of that name in both."},
};

static adl_status bind(const adl_call *call, void *instance) {
  lookup *self = instance;
  const char *name;
  adl_type type;
  ADL_TRY(call->host->side_input(call, "on", &self->with, self->on.name, &self->key));
  if (self->key.type.element != ADL_STRING || self->key.type.shape != ADL_SCALAR)
    return call->host->fail(call, "on", -1, "derive a string from it", "`%s` of `%s` is no string", self->on.name,
                            self->with.name);
  for (int32_t i = 0; call->host->side_column(call, &self->with, i, &name, &type); i++)
    if (strcmp(name, self->on.name) != 0) ADL_TRY(call->host->bring(call, "with", &self->with, name, name));
  return ADL_OK;
}

/* The first row of a key counts; its number is kept one too high, so that 0 means none. */
static adl_status index_rows(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *total) {
  const adl_column *key = batch->slots[((const lookup *)instance)->key.slot];
  adl_table *rows = call->host->table(call, total, "rows", 1);
  (void)context;
  for (int64_t r = 0; r < batch->rows; r++) {
    if (adl_is_null(key, r)) continue;
    adl_text text = adl_text_at(key, r);
    double *row = call->host->table_row(rows, call->host->table_insert(rows, text.data, text.size));
    if (*row == 0) *row = (double)(batch->ordinal + r + 1);
  }
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  adl_fold fold = {.struct_size = sizeof fold, .flags = ADL_FOLD_IN_ORDER, .step = index_rows};
  (void)instance;
  call->host->table(call, model->tensors, "rows", 1);
  return call->host->fold(call, rows, &fold, model->tensors);
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const lookup *self = instance;
  const adl_column *key = batch->slots[self->on.slot];
  const adl_table *rows = call->host->find_table(call, model->tensors, "rows");
  int64_t *main = call->host->alloc(call, (size_t)batch->rows * sizeof *main);
  int64_t *side = call->host->alloc(call, (size_t)batch->rows * sizeof *side);
  for (int64_t r = 0; r < batch->rows; r++) {
    adl_text text = adl_text_at(key, r);
    int64_t at = adl_is_null(key, r) ? -1 : call->host->table_find(rows, text.data, text.size);
    main[r] = r;
    side[r] = at < 0 ? -1 : (int64_t)call->host->table_row(rows, at)[0] - 1;
  }
  ADL_TRY(call->host->pick(call, out, main, batch->rows));
  return call->host->gather(call, out, &self->with, side, batch->rows);
}

static const adl_class lookup_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "sketch.lookup",
    .title = "Columns of another stage",
    .doc = "Brings the columns of the first row of another stage that has the same key; nulls where there is none.",
    .flags = ADL_TRANSIENT | ADL_SINGLE_PASS,
    .form = ADL_PICKED,
    .instance_size = sizeof(lookup),
    ADL_PARAMS(params),
    .bind = bind,
    .fit = fit,
    .process = process,
};
ADL_PLUGIN_OF("sketch.lookup", "1.0.0", "transform:sketch.lookup", &lookup_class);
