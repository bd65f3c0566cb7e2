/* Arrays to a file and back: the engine's spool of rows that do not fit in memory. Written and read by one process; the
 * header is checked all the same, since a disk may be full or a file cut. */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/aligned.h"
#include "core/data/pack.h"

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
  adl_array_header header;
  struct iovec parts[ADL_ARRAY_PARTS];
  int64_t total = 0;
  int count = adl_array_parts(array, &header, parts, &total);
  if (count == 0 || !write_all(fd, parts, count, *offset)) return false;
  *offset += total;
  return true;
}

typedef struct place {
  int fd;
  int64_t offset;
} place;

static bool get_from_file(void *data, void *to, int64_t size) {
  place *at = data;
  if (!read_all(at->fd, to, size, at->offset)) return false;
  at->offset += adl_aligned_size(size);
  return true;
}

adl_array *adl_array_read(int fd, int64_t *offset) {
  place at = {fd, *offset};
  adl_array *array = adl_array_of_parts(get_from_file, &at);
  if (array != NULL) *offset = at.offset;
  return array;
}
