/* A source whose rows are Arrow arrays, as a reader of Arrow files would have them: sketch.series gives a column of the type
 * that an Arrow format says. */
#include <adloom/arrow.h>

#include <stdlib.h>
#include <string.h>

typedef struct series {
  const char *format;
  int64_t rows, lacking;

  const adl_arrow_extension *arrow;
  adl_type type;
  int32_t slot;
} series;

static const adl_param params[] = {
    {.name = "format",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(series, format),
     .default_value = "g",
     .doc = "The column's Arrow format: g, tsu: with a time zone, or +w:N of g."},
    {.name = "rows",
     .type = ADL_PARAM_INT,
     .offset = offsetof(series, rows),
     .default_value = "100",
     .range = "[1, 100000]",
     .doc = "Rows given, 640 at a time."},
    {.name = "lacking",
     .type = ADL_PARAM_INT,
     .offset = offsetof(series, lacking),
     .default_value = "0",
     .range = "[0, 1]",
     .doc = "Rows that the array has less than are committed."},
};

static void release_nothing(struct ArrowSchema *schema) { schema->release = NULL; }

static adl_status bind(const adl_call *call, void *instance) {
  series *self = instance;
  struct ArrowSchema item = {.format = "g", .release = release_nothing}, *children[] = {&item};
  struct ArrowSchema schema = {.format = self->format, .release = release_nothing};
  self->arrow = (const adl_arrow_extension *)call->host->extension(call, ADL_ARROW_EXTENSION);
  if (self->arrow == NULL)
    return call->host->fail(call, NULL, -1, "use a newer adloom", "this host has no Arrow arrays");
  if (self->format[0] == '+') {
    schema.n_children = 1;
    schema.children = children;
  }
  ADL_TRY(self->arrow->import_type(call, "format", &schema, &self->type));
  return call->host->declare_named(call, "format", "value", self->type, &self->slot);
}

static adl_status shards(const adl_call *call, void *self, int32_t *count) {
  (void)call, (void)self;
  *count = 1;
  return ADL_OK;
}

static adl_status open_shard(const adl_call *call, void *self, int32_t shard, void **given) {
  (void)self, (void)shard;
  *given = calloc(1, sizeof(int64_t));
  return *given != NULL ? ADL_OK : call->host->fail(call, NULL, -1, NULL, "out of memory");
}

static void close_shard(const adl_call *call, void *self, void *given) {
  (void)call, (void)self;
  free(given);
}

/* ---- an array of 64-bit values, alone or as the items of vectors ---- */

typedef struct values {
  const void *buffers[2], *none[1];
  void *block; /* begins at a multiple of 64 bytes */
  struct ArrowArray item, *children[1];
} values;

static void release_item(struct ArrowArray *array) { array->release = NULL; }

static void release_values(struct ArrowArray *array) {
  values *own = array->private_data;
  if (own->item.release != NULL) own->item.release(&own->item);
  free(own->block);
  free(own);
  array->release = NULL;
}

static adl_status make(const adl_call *call, const series *self, int64_t first, int64_t rows,
                       struct ArrowArray *array) {
  bool vector = self->type.shape == ADL_VECTOR;
  int64_t width = vector ? self->type.width : 1;
  values *own = calloc(1, sizeof *own);
  size_t room = ((size_t)(rows * width) * 8 + 64) / 64 * 64;
  if (own != NULL) own->block = aligned_alloc(64, room);
  if (own == NULL || own->block == NULL) {
    free(own);
    return call->host->fail(call, NULL, -1, NULL, "out of memory");
  }
  for (int64_t i = 0; i < rows * width; i++) {
    if (self->type.element == ADL_TIMESTAMP)
      ((int64_t *)own->block)[i] = (first + i) * 1000000;
    else
      ((double *)own->block)[i] = (double)(first * width + i) / 2;
  }
  own->buffers[1] = own->block;
  own->children[0] = &own->item;
  own->item = (struct ArrowArray){
      .length = rows * width, .n_buffers = 2, .buffers = own->buffers, .release = release_item, .private_data = own};
  *array = own->item;
  array->release = release_values;
  if (!vector) return ADL_OK;
  array->length = rows;
  array->n_buffers = 1;
  array->buffers = own->none;
  array->n_children = 1;
  array->children = own->children;
  return ADL_OK;
}

static adl_status next(const adl_call *call, void *instance, void *given, adl_out *out) {
  const series *self = instance;
  int64_t *at = given, left = self->rows - *at, count = left < 640 ? left : 640;
  struct ArrowSchema schema;
  struct ArrowArray array;
  if (left == 0) return ADL_END;
  ADL_TRY(make(call, self, *at, count - self->lacking, &array));
  if (self->arrow->export_type(call, self->type, "value", &schema) != ADL_OK) {
    array.release(&array);
    return ADL_FAILED;
  }
  adl_status status = self->arrow->import_column(call, out, self->slot, &schema, &array, 0);
  schema.release(&schema);
  *at += count;
  return status == ADL_OK ? call->host->commit(call, out, count) : status;
}

static const adl_class series_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SOURCE,
    .id = "sketch.series",
    .title = "A column of Arrow arrays",
    .doc = "Gives rows whose values rise.",
    .form = ADL_NEW,
    .instance_size = sizeof(series),
    ADL_PARAMS(params),
    .bind = bind,
    .shards = shards,
    .open = open_shard,
    .next = next,
    .close = close_shard,
};
ADL_PLUGIN_OF("sketch.series", "1.0.0", "source:sketch.series", &series_class);
