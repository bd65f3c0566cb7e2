/*
 * acme.template, a feature extractor that learns: how often rows with the same category had a positive label.
 * To read: what users may say (params), what the model is (fit), what rows get of it (process), and the class.
 * <adloom/plugin.h> tells more of every name here; `make check` tests it.
 */
#include <adloom/plugin.h>

/* The instance: the core fills in the parameters, at the offsets that the table below says. */
typedef struct template_stage {
  adl_input category, label;
  double prior;
  adl_output as;
} template_stage;

/* What users may say. Reading and checking it, errors with a place in the file, and the manual come from this table. */
static const adl_param params[] = {
    {.name = "category", .type = ADL_PARAM_COLUMN, .flags = ADL_REQUIRED, .offset = offsetof(template_stage, category),
     .elements = ADL_MASK(ADL_STRING), .doc = "The category, for example the user."},
    {.name = "label", .type = ADL_PARAM_COLUMN, .flags = ADL_REQUIRED | ADL_LEARN_ONLY, /* not needed to apply it */
     .offset = offsetof(template_stage, label), .elements = ADL_ANY_NUMERIC, .doc = "What happened: 0 or 1."},
    {.name = "prior", .type = ADL_PARAM_FLOAT, .offset = offsetof(template_stage, prior), .default_value = "10",
     .range = "(0, inf)", .unit = "rows", .doc = "So many rows with the mean of all are added to each category."},
    {.name = "as", .type = ADL_PARAM_NEW_COLUMN, .flags = ADL_PLAIN_NAME, .offset = offsetof(template_stage, as),
     .default_value = "rate", .doc = "New column: the rate (float32)."}};

/* Before any row moves: types of inputs are known (call->host->fail refuses them), and new columns are declared. */
static adl_status bind(const adl_call *call, void *self) {
  return call->host->declare(call, &((template_stage *)self)->as, (adl_type){.element = ADL_FLOAT32});
}

/* Adds a batch to a partial result. Many threads do so at once, each to a partial of its own: no locks, no statics. */
static adl_status step(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  const template_stage *own = self;
  const adl_column *category = batch->slots[own->category.slot], *label = batch->slots[own->label.slot];
  adl_table *counts = call->host->table(call, partial, "counts", 2); /* by key: rows, and the sum of labels */
  (void)context;
  for (int64_t row = 0; row < batch->rows; row++) {
    adl_text key = adl_text_at(category, row);
    double *count = call->host->table_row(counts, call->host->table_insert(counts, key.data, key.size));
    count[0] += 1;
    count[1] += adl_number_at(label, row);
  }
  return ADL_OK;
}

/* Learns the model, which the core saves, loads and hashes: named arrays and tables. Held-out rows never get here. */
static adl_status fit(const adl_call *call, const void *self, adl_rows *rows, adl_model *model) {
  const adl_fold fold = {.struct_size = sizeof fold, .step = step}; /* without a merge, partials are added up */
  const int64_t two = 2;
  (void)self;
  const adl_table *counts = call->host->table(call, model->tensors, "counts", 2);
  double *all = call->host->tensor(call, model->tensors, "all", ADL_FLOAT64, 1, &two);
  ADL_TRY(call->host->fold(call, rows, &fold, model->tensors));
  for (int64_t i = 0; i < call->host->table_count(counts); i++)
    for (int k = 0; k < 2; k++) all[k] += call->host->table_row(counts, i)[k];
  if (all[0] > 0) return ADL_OK;
  return call->host->fail(call, NULL, -1, "look at `holdout` and at rejects.jsonl", "there are no training rows");
}

/* Rows in, rows out, on many threads. Rows with a null category were refused before: a flag would let them in. */
static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const template_stage *own = self;
  const adl_table *counts = call->host->find_table(call, model->tensors, "counts");
  adl_tensor all;
  adl_buffers to;
  if (counts == NULL || !call->host->find_tensor(call, model->tensors, "all", &all))
    return call->host->fail(call, NULL, -1, "fit the stage again", "the model is not complete");
  const double mean = ((double *)all.data)[1] / ((double *)all.data)[0], none[2] = {0, 0};
  ADL_TRY(call->host->reserve(call, out, own->as.slot, batch->rows, 0, 0, &to));
  for (int64_t row = 0; row < batch->rows; row++) {
    adl_text key = adl_text_at(batch->slots[own->category.slot], row);
    int64_t at = call->host->table_find(counts, key.data, key.size);
    const double *count = at < 0 ? none : call->host->table_row(counts, at);
    ((float *)to.data)[row] = (float)((count[1] + own->prior * mean) / (count[0] + own->prior));
  }
  return ADL_OK;
}

static const adl_class template_class = {
    .struct_size = sizeof(adl_class), .kind = ADL_FEATURE, .id = "acme.template", .title = "Rate of a category",
    .doc = "Learns how often rows with the same category had a positive label.\n\n"
           "A category that was not seen has the mean of all rows. Rows without a category are refused.",
    .flags = ADL_SINGLE_PASS, /* fit folds once: rows need not be kept */
    .instance_size = sizeof(template_stage), .state_version = 1, ADL_PARAMS(params),
    .bind = bind, .fit = fit, .process = process};
ADL_PLUGIN_OF("acme.template", "0.1.0", "feature:acme.template", &template_class);
