/* A source with decode: sketch.lines reads text files. next, one call at a time, cuts the files into blocks of whole
 * lines; decode, on any thread, makes rows of a block. */
#include <adloom/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct lines {
  adl_strings paths;
  int64_t block;
  int32_t line; /* output slot */
} lines;

typedef struct cursor {
  FILE *file;
  const char *path;
  int64_t number; /* of the next line, from 1 */
  char *rest;     /* read, but not given: the beginning of a line */
  size_t rest_size;
} cursor;

static const adl_param params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_IN,
     .flags = ADL_REQUIRED | ADL_LIST_OF,
     .offset = offsetof(lines, paths),
     .doc = "Files, or patterns of their names."},
    {.name = "block",
     .type = ADL_PARAM_SIZE,
     .offset = offsetof(lines, block),
     .default_value = "64K",
     .range = "[1, 64M]",
     .doc = "Bytes read at a time."},
};

static adl_status bind(const adl_call *call, void *instance) {
  return call->host->declare_named(call, NULL, "line", (adl_type){.element = ADL_STRING, .role = ADL_CATEGORY},
                                   &((lines *)instance)->line);
}

static adl_status shards(const adl_call *call, void *instance, int32_t *count) {
  (void)call;
  *count = (int32_t)((const lines *)instance)->paths.count;
  return ADL_OK;
}

static adl_status open_file(const adl_call *call, void *instance, int32_t shard, void **opened) {
  cursor *at = calloc(1, sizeof *at);
  if (at == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  at->number = 1;
  at->path = ((const lines *)instance)->paths.items[shard];
  at->file = fopen(at->path, "rb");
  if (at->file == NULL) {
    adl_status status = call->host->fail(call, "path", -1, NULL, "%s: %s", at->path, strerror(errno));
    free(at);
    return status;
  }
  call->host->shard_name(call, at->path);
  *opened = at;
  return ADL_OK;
}

static void close_file(const adl_call *call, void *instance, void *opened) {
  cursor *at = opened;
  (void)call, (void)instance;
  fclose(at->file);
  free(at->rest);
  free(at);
}

/* Keeps what stands behind the last line end for the next block. */
static adl_status keep_rest(const adl_call *call, cursor *at, const uint8_t *data, size_t size) {
  char *rest = realloc(at->rest, size + 1);
  if (rest == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  memcpy(rest, data, size);
  at->rest = rest;
  at->rest_size = size;
  return ADL_OK;
}

static adl_status next(const adl_call *call, void *instance, void *opened, adl_out *out) {
  const lines *self = instance;
  cursor *at = opened;
  size_t size = at->rest_size, whole = 0;
  int64_t first = at->number;
  uint8_t *data = call->host->block(call, out, (int64_t)size + self->block);
  if (size > 0) memcpy(data, at->rest, size);
  while (whole == 0) {
    data = call->host->block(call, out, (int64_t)size + self->block);
    size_t got = fread(data + size, 1, (size_t)self->block, at->file);
    if (got == 0 && ferror(at->file)) return call->host->fail(call, "path", -1, NULL, "%s cannot be read", at->path);
    if (got == 0 && size == 0) return ADL_END;
    for (size_t i = size; i < size + got; i++)
      if (data[i] == '\n') whole = i + 1, at->number++;
    size += got;
    if (got == 0) whole = size;
  }
  ADL_TRY(keep_rest(call, at, data + whole, size - whole));
  return call->host->block_commit(call, out, (int64_t)whole, first);
}

static adl_status decode(const adl_call *call, const void *instance, const void *block, int64_t size, int64_t position,
                         adl_out *out) {
  const lines *self = instance;
  const char *at = block, *end = at + size;
  int64_t rows = 0, bytes = 0, most = 1;
  for (int64_t i = 0; i < size; i++) most += at[i] == '\n';
  adl_buffers to;
  ADL_TRY(call->host->reserve(call, out, self->line, most, 0, size, &to));
  int64_t *positions = call->host->positions(call, out, most);
  for (; at < end; position++) {
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    int64_t length = (line_end != NULL ? line_end : end) - at;
    if (length == 0) {
      call->host->reject_record(call, position, "line", "is empty");
    } else {
      memcpy((char *)to.data + bytes, at, (size_t)length);
      positions[rows++] = position;
      to.string_offsets[rows] = (int32_t)(bytes += length);
    }
    at += length + 1;
  }
  return call->host->commit(call, out, rows);
}

static const adl_class lines_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SOURCE,
    .id = "sketch.lines",
    .title = "Lines of text files",
    .doc = "Gives each line of the files as a string. Empty lines are rejected.",
    .form = ADL_NEW,
    .instance_size = sizeof(lines),
    ADL_PARAMS(params),
    .bind = bind,
    .shards = shards,
    .open = open_file,
    .next = next,
    .decode = decode,
    .close = close_file,
};
ADL_PLUGIN_OF("sketch.lines", "1.0.0", "source:sketch.lines", &lines_class);
