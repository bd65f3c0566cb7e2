/*
 * acme.template, a profiler: sorts rows into low, middle and high by how far a number is from the mean of all.
 * To read: what users may say (params), what the model is (fit), what rows get of it (process), and the class.
 * <adloom/plugin.h> tells more of every name here; `make check` tests it.
 */
#include <adloom/plugin.h>

#include <math.h>
#include <string.h>

/* The instance: the core fills in the parameters, at the offsets that the table below says. */
typedef struct template_stage {
  adl_input of;
  double width;
  adl_output as;
} template_stage;

/* What users may say. Reading and checking it, errors with a place in the file, and the manual come from this table. */
static const adl_param params[] = {
    {.name = "of", .type = ADL_PARAM_COLUMN, .flags = ADL_REQUIRED, .offset = offsetof(template_stage, of),
     .elements = ADL_ANY_NUMERIC, .doc = "The number, for example what a user has spent."},
    {.name = "width", .type = ADL_PARAM_FLOAT, .offset = offsetof(template_stage, width), .default_value = "0.5",
     .range = "[0, inf)", .unit = "standard deviations", .doc = "How far from the mean the middle reaches."},
    {.name = "as", .type = ADL_PARAM_NEW_COLUMN, .flags = ADL_PLAIN_NAME, .offset = offsetof(template_stage, as),
     .default_value = "level", .doc = "New column: low, middle or high (string)."}};

/* Before any row moves: types of inputs are known (call->host->fail refuses them), and new columns are declared. */
static adl_status bind(const adl_call *call, void *self) {
  const adl_type category = {.element = ADL_STRING, .role = ADL_CATEGORY};
  return call->host->declare(call, &((template_stage *)self)->as, category);
}

/* Number of rows, sum and sum of squares: what is made on many threads and added up must be sums. */
static double *sums_of(const adl_call *call, adl_tensors *tensors) {
  static const int64_t three = 3;
  return call->host->tensor(call, tensors, "sums", ADL_FLOAT64, 1, &three);
}

/* Adds a batch to a partial result. Many threads do so at once, each to a partial of its own: no locks, no statics. */
static adl_status step(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  const adl_column *of = batch->slots[((const template_stage *)self)->of.slot];
  double *sums = sums_of(call, partial);
  (void)context;
  for (int64_t row = 0; row < batch->rows; row++) {
    double value = adl_number_at(of, row);
    sums[0] += 1;
    sums[1] += value;
    sums[2] += value * value;
  }
  return ADL_OK;
}

/* Learns the model, which the core saves, loads and hashes: named arrays and tables. Held-out rows never get here. */
static adl_status fit(const adl_call *call, const void *self, adl_rows *rows, adl_model *model) {
  const adl_fold fold = {.struct_size = sizeof fold, .step = step}; /* without a merge, partials are added up */
  const double *sums = sums_of(call, model->tensors);
  (void)self;
  ADL_TRY(call->host->fold(call, rows, &fold, model->tensors));
  if (sums[0] > 0) return ADL_OK;
  return call->host->fail(call, NULL, -1, "look at `holdout` and at rejects.jsonl", "there are no training rows");
}

/* Rows in, rows out, on many threads. Rows with a null in `of` were refused before: a flag would let them in. */
static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  static const char *const names[] = {"low", "middle", "high"};
  const template_stage *own = self;
  adl_tensor learned;
  adl_buffers to;
  if (!call->host->find_tensor(call, model->tensors, "sums", &learned) || learned.count != 3)
    return call->host->fail(call, NULL, -1, "fit the stage again", "the model is not complete");
  const double *sums = learned.data, mean = sums[1] / sums[0];
  const double reach = own->width * sqrt(fmax(0, sums[2] / sums[0] - mean * mean));
  ADL_TRY(call->host->reserve(call, out, own->as.slot, batch->rows, 0, 6 * batch->rows, &to)); /* 6 bytes are enough */
  for (int64_t row = 0; row < batch->rows; row++) {
    double value = adl_number_at(batch->slots[own->of.slot], row);
    const char *name = names[value < mean - reach ? 0 : value > mean + reach ? 2 : 1];
    int32_t begin = to.string_offsets[row], size = (int32_t)strlen(name);
    memcpy((char *)to.data + begin, name, (size_t)size);
    to.string_offsets[row + 1] = begin + size;
  }
  return ADL_OK;
}

static const adl_class template_class = {
    .struct_size = sizeof(adl_class), .kind = ADL_PROFILE, .id = "acme.template", .title = "Low, middle or high",
    .doc = "Learns the mean and the standard deviation of a number, and sorts rows by them.\n\n"
           "Rows without the number are refused.",
    .flags = ADL_SINGLE_PASS, /* fit folds once: rows need not be kept */
    .instance_size = sizeof(template_stage), .state_version = 1, ADL_PARAMS(params),
    .bind = bind, .fit = fit, .process = process};
ADL_PLUGIN_OF("acme.template", "0.1.0", "profile:acme.template", &template_class);
