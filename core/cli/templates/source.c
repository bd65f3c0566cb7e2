/*
 * acme.template, a source: reads a file with one number a line.
 * To read: what users may say (params), how the file is opened, read and closed, and the class. <adloom/plugin.h> tells
 * more of every name here; `make check` tests it.
 */
#define _POSIX_C_SOURCE 200809L /* getline */
#include <adloom/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The instance: the core fills in the parameters, at the offsets that the table below says. */
typedef struct template_stage {
  const char *path;
  adl_output as;
} template_stage;

/* What users may say. Reading and checking it, errors with a place in the file, and the manual come from this table. */
static const adl_param params[] = {
    {.name = "path", .type = ADL_PARAM_PATH_IN, .flags = ADL_REQUIRED, .offset = offsetof(template_stage, path),
     .doc = "The file to read: a number a line."},
    {.name = "as", .type = ADL_PARAM_NEW_COLUMN, .flags = ADL_PLAIN_NAME, .offset = offsetof(template_stage, as),
     .default_value = "value", .doc = "New column: the numbers (float64)."}};

/* Before any row moves: the columns are declared. No file is read here: `adloom check` works without the data. */
static adl_status bind(const adl_call *call, void *self) {
  return call->host->declare(call, &((template_stage *)self)->as, (adl_type){.element = ADL_FLOAT64});
}

/* How far it has read; open makes one, close frees it. */
typedef struct cursor {
  FILE *file;
  char *line; /* getline's */
  size_t room;
  int64_t number;
} cursor;

static adl_status open_file(const adl_call *call, void *self, int32_t shard, void **opened) {
  const template_stage *own = self;
  cursor *at = calloc(1, sizeof *at);
  (void)shard; /* there is one, as the class has no function `shards` */
  if (at == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  *opened = at;
  at->file = fopen(own->path, "r");
  if (at->file == NULL) return call->host->fail(call, "path", -1, NULL, "%s: %s", own->path, strerror(errno));
  call->host->shard_name(call, own->path); /* for messages about rows */
  return ADL_OK;
}

static void close_file(const adl_call *call, void *self, void *opened) {
  cursor *at = opened;
  (void)call, (void)self;
  if (at == NULL) return;
  if (at->file != NULL) fclose(at->file);
  free(at->line);
  free(at);
}

/* Some rows; called until it says ADL_END. One call at a time, so that the cursor needs no lock. */
static adl_status next(const adl_call *call, void *self, void *opened, adl_out *out) {
  enum { ROWS = 4096 };
  const template_stage *own = self;
  cursor *at = opened;
  adl_buffers to;
  int64_t rows = 0;
  ADL_TRY(call->host->reserve(call, out, own->as.slot, ROWS, 0, 0, &to));
  int64_t *positions = call->host->positions(call, out, ROWS);
  while (rows < ROWS && getline(&at->line, &at->room, at->file) >= 0) {
    char *end;
    double value = strtod(at->line, &end);
    at->number++;
    if (end == at->line || (*end != '\n' && *end != '\0')) { /* put aside, and the run goes on */
      call->host->reject_record(call, at->number, own->as.name, "is not a number");
      continue;
    }
    ((double *)to.data)[rows] = value;
    positions[rows++] = at->number;
  }
  if (ferror(at->file)) return call->host->fail(call, "path", -1, NULL, "%s cannot be read", own->path);
  return rows > 0 ? call->host->commit(call, out, rows) : ADL_END;
}

static const adl_class template_class = {
    .struct_size = sizeof(adl_class), .kind = ADL_SOURCE, .id = "acme.template", .title = "A number a line",
    .doc = "Reads a file with a number in each line. Lines that are something else are refused.",
    .form = ADL_NEW, .instance_size = sizeof(template_stage), ADL_PARAMS(params),
    .bind = bind, .open = open_file, .next = next, .close = close_file};
ADL_PLUGIN_OF("acme.template", "0.1.0", "source:acme.template", &template_class);
