/* A class that does all its work on Arrow arrays, as one around a library for them would: sketch.size counts what stands in
 * the cells of a row, and can give its first column back under another name. */
#include <adloom/arrow.h>

#include <stdlib.h>
#include <string.h>

typedef struct size {
  adl_inputs of;
  adl_output as, same;
  int32_t spoil;

  const adl_arrow_extension *arrow;
} size;

enum { SPOIL_NOTHING, SPOIL_TYPE, SPOIL_ROLE, SPOIL_ROWS, SPOIL_NULLS, SPOIL_RELEASED, SPOIL_FLAGS, SPOIL_SLOT };

static const adl_param params[] = {
    {.name = "of",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED | ADL_LIST_OF | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(size, of),
     .elements = ADL_ANY_ELEMENT,
     .shapes = ADL_ANY_SHAPE,
     .doc = "Columns whose cells are measured."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(size, as),
     .default_value = "size",
     .doc = "New column: bytes of strings, items of lists, 1 for anything else; null where all cells are (int32)."},
    {.name = "same",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(size, same),
     .doc = "New column: the first one, as it is."},
    {.name = "spoil",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(size, spoil),
     .default_value = "nothing",
     .choices = "nothing|type|role|rows|nulls|released|flags|slot",
     .doc = "What is to be wrong with the array that is given."},
};

static adl_status bind(const adl_call *call, void *instance) {
  size *self = instance;
  self->arrow = (const adl_arrow_extension *)call->host->extension(call, ADL_ARROW_EXTENSION);
  if (self->arrow == NULL)
    return call->host->fail(call, NULL, -1, "use a newer adloom", "this host has no Arrow arrays");
  ADL_TRY(call->host->declare(call, &self->as, (adl_type){.element = ADL_INT32}));
  return call->host->declare(call, &self->same, self->of.items[0].type);
}

static adl_status start(const adl_call *call, void *instance) {
  size *self = instance;
  adl_type type = self->of.items[0].type;
  if (self->same.slot < 0 || (type.shape != ADL_VECTOR && type.shape != ADL_SPARSE)) return ADL_OK;
  return call->host->set_width(call, self->same.slot, type.width);
}

/* ---- an array of int32 ---- */

typedef struct sizes {
  const void *buffers[2];
  uint8_t *validity;
  int32_t *values;
} sizes;

static void release_sizes(struct ArrowArray *array) {
  sizes *own = array->private_data;
  free(own->validity);
  free(own->values);
  free(own);
  array->release = NULL;
}

static void *padded(int64_t bytes) {
  size_t room = ((size_t)bytes + 64) / 64 * 64;
  void *memory = aligned_alloc(64, room);
  if (memory == NULL) abort();
  return memset(memory, 0, room);
}

static sizes *new_sizes(int64_t rows, struct ArrowArray *array) {
  sizes *own = calloc(1, sizeof *own);
  if (own == NULL) abort();
  own->buffers[0] = own->validity = padded((rows + 7) / 8);
  own->buffers[1] = own->values = padded(rows * (int64_t)sizeof(int32_t));
  *array = (struct ArrowArray){.length = rows,
                               .null_count = -1,
                               .n_buffers = 2,
                               .buffers = own->buffers,
                               .release = release_sizes,
                               .private_data = own};
  return own;
}

static void release_nothing(struct ArrowSchema *schema) { schema->release = NULL; }

/* ---- measuring ---- */

static int32_t cell(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row) {
  const int32_t *offsets = array->buffers[array->n_buffers > 1 ? 1 : 0];
  switch (schema->format[0]) {
    case 'u':
    case 'z': return offsets[row + 1] - offsets[row];
    case '+':
      return schema->format[1] == 'w' ? (int32_t)strtol(schema->format + 3, NULL, 10) : offsets[row + 1] - offsets[row];
    default: return 1;
  }
}

static void measure(const struct ArrowSchema *schema, const struct ArrowArray *batch, sizes *to) {
  for (int64_t c = 0; c < batch->n_children; c++) {
    const struct ArrowArray *column = batch->children[c];
    const uint8_t *validity = column->buffers[0];
    for (int64_t row = 0; row < column->length; row++) {
      if (validity != NULL && !adl_bit(validity, row)) continue;
      to->values[row] += cell(schema->children[c], column, row);
      adl_bit_set(to->validity, row, true);
    }
  }
}

static adl_status give(const adl_call *call, const size *self, struct ArrowArray *result, adl_out *out) {
  static const char category[] = "\1\0\0\0\13\0\0\0adloom.role\10\0\0\0category";
  struct ArrowSchema schema = {.format = "i", .flags = ARROW_FLAG_NULLABLE, .release = release_nothing};
  if (self->spoil == SPOIL_TYPE) schema.format = "f";
  if (self->spoil == SPOIL_ROLE) schema.metadata = category;
  if (self->spoil == SPOIL_ROWS) result->length++;
  if (self->spoil == SPOIL_NULLS) result->null_count = result->length;
  if (self->spoil == SPOIL_RELEASED) result->release(result);
  uint32_t flags = self->spoil == SPOIL_FLAGS ? 6 : ADL_ARROW_PADDED;
  int32_t slot = self->spoil == SPOIL_SLOT ? 99 : self->as.slot;
  return self->arrow->import_column(call, out, slot, &schema, result, flags);
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const size *self = instance;
  struct ArrowSchema schema, first_schema;
  struct ArrowArray array, first, result;
  adl_status status = ADL_OK;
  (void)model;
  ADL_TRY(self->arrow->export_batch(call, batch, self->of.items, self->of.count, &schema, &array));
  measure(&schema, &array, new_sizes(array.length, &result));
  if (self->same.slot >= 0) {
    status = self->arrow->export_column(call, batch, &self->of.items[0], &first_schema, &first);
    if (status == ADL_OK) status = self->arrow->import_column(call, out, self->same.slot, &first_schema, &first, 0);
    if (first_schema.release != NULL) first_schema.release(&first_schema);
  }
  if (status == ADL_OK)
    status = give(call, self, &result, out);
  else
    result.release(&result);
  array.release(&array);
  schema.release(&schema);
  return status;
}

static const adl_class size_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_FEATURE,
    .id = "sketch.size",
    .title = "Size of a row",
    .doc = "Counts what stands in the cells of a row: bytes of strings, items of lists.",
    .instance_size = sizeof(size),
    ADL_PARAMS(params),
    .bind = bind,
    .start = start,
    .process = process,
};
ADL_PLUGIN_OF("sketch.size", "1.0.0", "feature:sketch.size", &size_class);
