/* A sink with nothing but write: sketch.tally adds up columns of numbers, and writes a line for each in the end. */
#include <adloom/plugin.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct tally {
  const char *path;
  adl_inputs columns;
  double *sums; /* own: of each column */
  int64_t rows;
} tally;

static const adl_param params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_OUT,
     .flags = ADL_REQUIRED,
     .offset = offsetof(tally, path),
     .doc = "File to write."},
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_REQUIRED | ADL_NULLS_PASS,
     .offset = offsetof(tally, columns),
     .elements = ADL_ANY_NUMERIC,
     .doc = "Columns to add up. A null counts as nothing."},
};

static adl_status bind(const adl_call *call, void *instance) {
  tally *self = instance;
  self->sums = calloc((size_t)self->columns.count + 1, sizeof *self->sums);
  return self->sums != NULL ? ADL_OK : call->host->fail(call, NULL, -1, NULL, "out of memory");
}

static void destroy(void *instance) { free(((tally *)instance)->sums); }

static adl_status write_rows(const adl_call *call, void *instance, const adl_batch *batch, const void *block,
                             int64_t size) {
  tally *self = instance;
  (void)call, (void)block, (void)size;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_column *column = batch->slots[self->columns.items[i].slot];
    for (int64_t r = 0; r < batch->rows; r++)
      if (!adl_is_null(column, r)) self->sums[i] += adl_number_at(column, r);
  }
  self->rows += batch->rows;
  return ADL_OK;
}

static adl_status commit(const adl_call *call, void *instance) {
  const tally *self = instance;
  FILE *file = fopen(self->path, "w");
  if (file == NULL) return call->host->fail(call, "path", -1, NULL, "%s: %s", self->path, strerror(errno));
  fprintf(file, "rows %" PRId64 "\n", self->rows);
  for (int64_t i = 0; i < self->columns.count; i++)
    fprintf(file, "%s %.17g\n", self->columns.items[i].name, self->sums[i]);
  bool ok = ferror(file) == 0;
  if (fclose(file) != 0 || !ok) return call->host->fail(call, "path", -1, NULL, "%s cannot be written", self->path);
  return ADL_OK;
}

static const adl_class tally_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SINK,
    .id = "sketch.tally",
    .title = "Sums of columns",
    .doc = "Writes the number of rows, and a line with the sum of each column.",
    .instance_size = sizeof(tally),
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .write = write_rows,
    .commit = commit,
};
ADL_PLUGIN_OF("sketch.tally", "1.0.0", "sink:sketch.tally", &tally_class);
