/*
 * acme.template, a sink: writes numbers of each row into a line of a text file, with blanks between them.
 * To read: what users may say (params), how the file is opened, written and closed, and the class. <adloom/plugin.h>
 * tells more of every name here; `make check` tests it.
 */
#include <adloom/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The instance: the core fills in the parameters, at the offsets that the table below says; a class's own fields stand
 * behind them. */
typedef struct template_stage {
  const char *path;
  adl_inputs columns;
  FILE *file;
} template_stage;

/* What users may say. Reading and checking it, errors with a place in the file, and the manual come from this table. */
static const adl_param params[] = {
    {.name = "path", .type = ADL_PARAM_PATH_OUT, .flags = ADL_REQUIRED, .offset = offsetof(template_stage, path),
     .doc = "The file to write. It has its name when the run has succeeded."},
    {.name = "columns", .type = ADL_PARAM_COLUMN, .flags = ADL_LIST_OF | ADL_REQUIRED | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(template_stage, columns), .elements = ADL_ANY_NUMERIC,
     .doc = "What to write, in this order: numbers. A null is written as a dash."}};

/* When everything before it is ready. `path` is a temporary file beside the one that the user named: the core renames
 * it in the end, so that nobody ever sees half a file. */
static adl_status start(const adl_call *call, void *self) {
  template_stage *own = self;
  own->file = strcmp(own->path, "-") == 0 ? NULL : fopen(own->path, "w");
  if (own->file != NULL) return ADL_OK;
  return call->host->fail(call, "path", -1, NULL, "%s: %s", own->path,
                          strcmp(own->path, "-") == 0 ? "name a file" : strerror(errno));
}

/* One call at a time, in row order. (With `encode` beside it, bytes are made on many threads, and written here.) */
static adl_status write_rows(const adl_call *call, void *self, const adl_batch *batch, const void *block,
                             int64_t size) {
  const template_stage *own = self;
  (void)block, (void)size;
  for (int64_t row = 0; row < batch->rows; row++)
    for (int64_t i = 0; i < own->columns.count; i++) {
      const adl_column *column = batch->slots[own->columns.items[i].slot];
      if (i > 0) fputc(' ', own->file);
      if (adl_is_null(column, row))
        fputc('-', own->file);
      else
        fprintf(own->file, "%.15g", adl_number_at(column, row));
      if (i == own->columns.count - 1) fputc('\n', own->file);
    }
  if (!ferror(own->file)) return ADL_OK;
  return call->host->fail(call, "path", -1, NULL, "cannot be written: %s", strerror(errno));
}

/* After the last row: everything must be safe. */
static adl_status commit(const adl_call *call, void *self) {
  template_stage *own = self;
  int failed = fclose(own->file);
  own->file = NULL;
  return failed ? call->host->fail(call, "path", -1, NULL, "cannot be written: %s", strerror(errno)) : ADL_OK;
}

/* Always called; without commit before it, the run has failed, and the core removes the temporary file. */
static void destroy(void *self) {
  template_stage *own = self;
  if (own->file != NULL) fclose(own->file);
}

static const adl_class template_class = {
    .struct_size = sizeof(adl_class), .kind = ADL_SINK, .id = "acme.template", .title = "Numbers in lines of text",
    .doc = "Writes a line for each row: numbers, with blanks between them.",
    .instance_size = sizeof(template_stage), ADL_PARAMS(params),
    .destroy = destroy, .start = start, .write = write_rows, .commit = commit};
ADL_PLUGIN_OF("acme.template", "0.1.0", "sink:acme.template", &template_class);
