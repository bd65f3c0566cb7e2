/* Names of files as a column; see file_names.h. */
#include "common/file_names.h"

#include <stdlib.h>
#include <string.h>

#include "common/convert.h"

const char **adl_file_names(const adl_strings *paths) {
  const char *first = paths->items[0], *slash = strrchr(first, '/');
  size_t common = slash != NULL ? (size_t)(slash + 1 - first) : 0;
  for (int64_t i = 1; i < paths->count; i++) {
    const char *path = paths->items[i];
    size_t same = 0, folder = 0;
    for (; same < common && path[same] == first[same]; same++)
      if (path[same] == '/') folder = same + 1;
    common = folder < common ? folder : common;
  }
  const char **names = calloc((size_t)paths->count, sizeof *names);
  for (int64_t i = 0; names != NULL && i < paths->count; i++) names[i] = paths->items[i] + common;
  return names;
}

adl_status adl_file_name_fill(const adl_call *call, adl_out *out, int32_t slot, const char *name, int64_t rows) {
  const adl_host *host = call->host;
  if (slot < 0 || !host->wanted(call, slot)) return ADL_OK;
  size_t size = strlen(name);
  adl_buffers buffers;
  if (!adl_utf8_valid(name, size))
    return host->fail(call, "file_column", -1, "rename it, or leave out `file_column`",
                      "the name of the file %s is not UTF-8, so it cannot be a value", name);
  ADL_TRY(host->reserve(call, out, slot, rows, 0, (int64_t)size * rows, &buffers));
  for (int64_t i = 0; i < rows; i++) {
    memcpy((char *)buffers.data + i * (int64_t)size, name, size);
    buffers.string_offsets[i + 1] = (int32_t)((i + 1) * (int64_t)size);
  }
  return ADL_OK;
}
