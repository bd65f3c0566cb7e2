/* Files of one record a line; see lines.h. */
#include "common/lines.h"

#include <stdlib.h>
#include <string.h>

#include "common/file_names.h"

typedef struct cursor {
  adl_csv_reader reader;
  int32_t shard;
} cursor;

/* Stands before the text of a block. */
typedef struct head {
  int32_t file;
  uint32_t records, size;
} head;
enum { HEAD_SIZE = 64 };

static adl_status file_failed(const adl_call *call, const char *path, const char *message) {
  return call->host->fail(call, "path", -1, NULL, "%s: %s", strcmp(path, "-") == 0 ? "standard input" : path, message);
}

adl_status adl_lines_bind(const adl_call *call, adl_lines *lines) {
  lines->names = adl_file_names(&lines->path);
  return lines->names != NULL ? ADL_OK : call->host->fail(call, NULL, -1, NULL, "out of memory");
}

void adl_lines_destroy(void *instance) { free((void *)((adl_lines *)instance)->names); }

adl_status adl_lines_shards(const adl_call *call, void *instance, int32_t *count) {
  (void)call;
  *count = (int32_t)((adl_lines *)instance)->path.count;
  return ADL_OK;
}

adl_status adl_lines_open(const adl_call *call, void *instance, int32_t shard, void **state) {
  const adl_lines *lines = instance;
  const char *path = lines->path.items[shard];
  adl_csv_dialect dialect = {.delimiter = ' ', .max_field = 1 << 20}; /* no quotes: a record is a line */
  cursor *file = calloc(1, sizeof *file);
  call->host->shard_name(call, strcmp(path, "-") == 0 ? "standard input" : path);
  if (file == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  file->shard = shard;
  adl_status status = ADL_OK;
  if (!adl_csv_reader_open(&file->reader, path, &dialect, 0)) {
    status = file_failed(call, path, file->reader.message);
    adl_lines_close(call, instance, file);
  } else {
    *state = file;
  }
  return status;
}

adl_status adl_lines_next(const adl_call *call, void *instance, void *state, adl_out *out) {
  const adl_lines *lines = instance;
  cursor *file = state;
  head about = {.file = file->shard};
  uint8_t *block;
  int64_t line;
  adl_status status =
      adl_csv_reader_block(&file->reader, call, out, HEAD_SIZE, &block, &about.size, &about.records, &line);
  if (status == ADL_FAILED) return file_failed(call, lines->path.items[file->shard], file->reader.message);
  if (status != ADL_OK) return status;
  memset(block, 0, HEAD_SIZE);
  memcpy(block, &about, sizeof about);
  return call->host->block_commit(call, out, (int64_t)HEAD_SIZE + about.size + ADL_CSV_PAD, line);
}

void adl_lines_close(const adl_call *call, void *instance, void *state) {
  cursor *file = state;
  (void)call, (void)instance;
  if (file == NULL) return;
  adl_csv_reader_close(&file->reader);
  free(file);
}

void adl_line_block_begin(adl_line_block *block, const void *data, int64_t position) {
  head about;
  memcpy(&about, data, sizeof about);
  const char *text = (const char *)data + HEAD_SIZE;
  *block = (adl_line_block){
      .file = about.file, .records = about.records, .at = text, .end = text + about.size, .line = position};
}

bool adl_line_block_next(adl_line_block *block, adl_line *line) {
  if (block->at == block->end) return false;
  const char *feed = memchr(block->at, '\n', (size_t)(block->end - block->at));
  const char *end = feed != NULL ? feed : block->end;
  *line = (adl_line){.text = block->at, .size = (uint32_t)(end - block->at), .number = block->line++};
  if (line->size > 0 && end[-1] == '\r') line->size--;
  block->at = feed != NULL ? feed + 1 : end;
  return true;
}
