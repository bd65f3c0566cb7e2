/* Arrays to a file and back: the engine's spool of rows that do not fit in memory. Written and read by one process; the
 * header is checked all the same, since a disk may be full or a file cut. */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/aligned.h"
#include "core/data/array.h"
#include "core/data/blocks.h"

#define SPOOL_MAGIC UINT64_C(0x31304c4f4f505341) /* "ASPOOL01" */

/* 64 bytes in front of the blocks, which follow in order, each padded to 64. */
typedef struct spool_header {
  uint64_t magic;
  adl_type type;
  int64_t rows, items, bytes;
  int32_t null_count;
  uint32_t has_validity;
  uint64_t reserved;
} spool_header;
G_STATIC_ASSERT(sizeof(spool_header) == 64);

static bool write_all(int fd, struct iovec *parts, int count, int64_t offset) {
  while (count > 0) {
    ssize_t written = pwritev(fd, parts, count, (off_t)offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    offset += written;
    while (count > 0 && (size_t)written >= parts->iov_len) {
      written -= (ssize_t)parts->iov_len;
      parts++;
      count--;
    }
    if (count == 0) break;
    parts->iov_base = (char *)parts->iov_base + written;
    parts->iov_len -= (size_t)written;
  }
  return true;
}

static bool read_all(int fd, void *to, int64_t size, int64_t offset) {
  while (size > 0) {
    ssize_t got = pread(fd, to, (size_t)MIN(size, INT64_C(1) << 30), (off_t)offset);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = EIO; /* the file ends too early */
    if (got <= 0) return false;
    to = (char *)to + got;
    size -= got;
    offset += got;
  }
  return true;
}

bool adl_array_write(const adl_array *array, int fd, int64_t *offset) {
  static const char zeros[ADL_ALIGNMENT];
  int64_t sizes[ADL_BLOCK_COUNT], total = sizeof(spool_header);
  adl_extent extent = adl_column_extent(&array->view);
  spool_header header = {.magic = SPOOL_MAGIC,
                         .type = array->view.type,
                         .rows = extent.rows,
                         .items = extent.items,
                         .bytes = extent.bytes,
                         .null_count = array->view.null_count,
                         .has_validity = array->view.validity != NULL};
  struct iovec parts[1 + 2 * ADL_BLOCK_COUNT];
  int count = 0;
  if (!adl_block_sizes(array->view.type, extent, sizes)) {
    errno = EOVERFLOW;
    return false;
  }
  parts[count++] = (struct iovec){&header, sizeof header};
  for (int b = 0; b < ADL_BLOCK_COUNT; b++) {
    if (sizes[b] == 0 || array->blocks[b] == NULL) continue;
    int64_t padding = adl_aligned_size(sizes[b]) - sizes[b];
    parts[count++] = (struct iovec){array->blocks[b], (size_t)sizes[b]};
    if (padding > 0) parts[count++] = (struct iovec){(void *)zeros, (size_t)padding};
    total += sizes[b] + padding;
  }
  if (!write_all(fd, parts, count, *offset)) return false;
  *offset += total;
  return true;
}

/* Do the offsets stay within what was read? */
static bool sound(const adl_array *array, adl_extent extent) {
  const adl_column *column = &array->view;
  adl_extent found = {.rows = extent.rows};
  int64_t texts = extent.rows;
  if (column->offsets != NULL) {
    for (int64_t i = 0; i < extent.rows; i++)
      if (column->offsets[i] > column->offsets[i + 1]) return false;
    texts = found.items = column->offsets[extent.rows];
    if (column->offsets[0] != 0 || found.items != extent.items) return false;
  }
  if (column->string_offsets != NULL) {
    for (int64_t i = 0; i < texts; i++)
      if (column->string_offsets[i] > column->string_offsets[i + 1]) return false;
    found.bytes = column->string_offsets[texts];
    if (column->string_offsets[0] != 0) return false;
  }
  return found.bytes == extent.bytes;
}

adl_array *adl_array_read(int fd, int64_t *offset) {
  spool_header header;
  int64_t sizes[ADL_BLOCK_COUNT], at = *offset + (int64_t)sizeof header;
  if (!read_all(fd, &header, sizeof header, *offset)) return NULL;
  adl_extent extent = {.rows = header.rows, .items = header.items, .bytes = header.bytes};
  if (header.magic != SPOOL_MAGIC || !adl_type_valid(header.type, NULL) || header.null_count < 0 ||
      header.null_count > header.rows || !adl_block_sizes(header.type, extent, sizes)) {
    errno = EIO;
    return NULL;
  }
  adl_array *array = adl_array_allocate(header.type, extent, header.has_validity != 0);
  if (array == NULL) return NULL;
  for (int b = 0; b < ADL_BLOCK_COUNT; b++) {
    if (sizes[b] == 0 || array->blocks[b] == NULL) continue;
    if (!read_all(fd, array->blocks[b], sizes[b], at)) {
      adl_array_unref(array);
      return NULL;
    }
    at += adl_aligned_size(sizes[b]);
  }
  array->view.null_count = header.null_count;
  if (!sound(array, extent)) {
    adl_array_unref(array);
    errno = EIO;
    return NULL;
  }
  *offset = at;
  return array;
}
