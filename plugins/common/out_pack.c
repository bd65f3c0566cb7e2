#include "common/out_pack.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { GZIP_LEVEL = 6, GZIP_WINDOW = 15 + 16 /* a gzip header; no name and no time are in it */, ZSTD_LEVEL = 3 };

static bool ends_in(const char *path, const char *ending) {
  size_t size = strlen(path), tail = strlen(ending);
  return size > tail && strcmp(path + size - tail, ending) == 0;
}

adl_out_packing adl_out_packing_of(const char *path) {
  return ends_in(path, ".gz") ? ADL_OUT_GZIP : ends_in(path, ".zst") ? ADL_OUT_ZSTD : ADL_OUT_PLAIN;
}

/* -1: failed. */
static int64_t gzip(const void *block, int64_t size, void *to, size_t room) {
  z_stream stream = {0};
  if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) return -1;
  stream.next_in = (Bytef *)(uintptr_t)block;
  stream.avail_in = (uInt)size;
  stream.next_out = to;
  stream.avail_out = (uInt)room;
  bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  int64_t written = (int64_t)(room - stream.avail_out);
  deflateEnd(&stream);
  return done ? written : -1;
}

adl_status adl_out_pack(const adl_call *call, adl_out_packing packing, const void *block, int64_t size,
                        const void **packed, int64_t *packed_size) {
  *packed = block;
  *packed_size = size;
  if (packing == ADL_OUT_PLAIN) return ADL_OK;
  size_t room = packing == ADL_OUT_GZIP ? compressBound((uLong)size) + 64 : ZSTD_compressBound((size_t)size);
  if (size > INT32_MAX || room > UINT32_MAX)
    return call->host->fail(call, "path", -1, "write a plain file", "a block of more than 2 GiB cannot be packed");
  void *to = call->host->alloc(call, room);
  if (packing == ADL_OUT_GZIP) {
    *packed_size = gzip(block, size, to, room);
  } else {
    size_t written = ZSTD_compress(to, room, block, (size_t)size, ZSTD_LEVEL);
    *packed_size = ZSTD_isError(written) ? -1 : (int64_t)written;
  }
  *packed = to;
  return *packed_size < 0 ? call->host->fail(call, "path", -1, NULL, "packing failed: out of memory") : ADL_OK;
}

adl_status adl_out_pack_cells(adl_cells *cells, adl_out_packing packing) {
  const adl_host *host = cells->call->host;
  const void *packed;
  int64_t size;
  ADL_TRY(adl_out_pack(cells->call, packing, cells->data, cells->size, &packed, &size));
  if (packed != cells->data) memcpy(host->block(cells->call, cells->out, size), packed, (size_t)size);
  return host->block_commit(cells->call, cells->out, size, 0);
}
