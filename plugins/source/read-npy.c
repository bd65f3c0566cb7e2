/* read-npy: NumPy's array files, each row of a matrix as a vector. A block is only a place in a file: the numbers are read
 * straight into the column, by as many workers as there are. */
#include <adloom/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file_names.h"

#define BLOCK_ROWS 4096
#define BLOCK_BYTES (INT64_C(4) << 20)
#define MOST_HEADER 65536
#define MOST_WIDTH (INT64_C(1) << 28)

/* What the head of a file says. */
typedef struct matrix {
  int64_t rows, width;
  int64_t begin; /* offset of the first number */
  bool wide;     /* float64 */
} matrix;

typedef struct read_npy {
  adl_strings path;
  adl_output as, file_column;
  matrix *files;
  const char **names;
} read_npy;

typedef struct cursor {
  int32_t file;
  int64_t row; /* the next one */
} cursor;

/* A block. */
typedef struct place {
  int64_t file, row, count;
} place;

/* -------------------------------------------------------------------------------------------------- headers ---- */

static adl_status bad(const adl_call *call, const char *path, const char *what) {
  return call->host->fail(call, "path", -1, "write it with numpy.save: a matrix (or one column) of float32 or float64",
                          "%s %s", path, what);
}

/* What stands behind a key of the header, which is the text of a Python dictionary; NULL: no such key. */
static const char *value_of(const char *header, const char *key) {
  const char *at = strstr(header, key);
  if (at == NULL) return NULL;
  at += strlen(key);
  return at + strspn(at, " :");
}

/* "(1000, 64)", or "(1000,)": one number a row. */
static bool read_shape(const char *text, matrix *into) {
  char *end;
  if (text == NULL || *text != '(' || text[1] < '0' || text[1] > '9') return false;
  errno = 0;
  into->rows = strtoll(text + 1, &end, 10);
  into->width = 1;
  end += strspn(end, ", ");
  if (*end >= '0' && *end <= '9') into->width = strtoll(end, &end, 10);
  end += strspn(end, ", ");
  return *end == ')' && errno == 0;
}

static adl_status read_header(const adl_call *call, const char *path, char *header, matrix *into) {
  const char *type = value_of(header, "'descr'"), *order = value_of(header, "'fortran_order'");
  if (type == NULL || order == NULL) return bad(call, path, "has a header without descr or fortran_order");
  into->wide = strncmp(type, "'<f8'", 5) == 0;
  if (!into->wide && strncmp(type, "'<f4'", 5) != 0)
    return bad(call, path, "holds something else than float32 or float64 of little-endian byte order");
  if (!read_shape(value_of(header, "'shape'"), into)) return bad(call, path, "has not one or two dimensions");
  if (into->width < 1 || into->width > MOST_WIDTH)
    return bad(call, path, "has rows without numbers, or too many of them");
  if (strncmp(order, "False", 5) != 0 && into->width > 1)
    return bad(call, path, "is stored column by column (numpy.ascontiguousarray makes it row by row)");
  return ADL_OK;
}

static adl_status read_file(const adl_call *call, const char *path, int file, char *header, matrix *into) {
  unsigned char head[12];
  struct stat about;
  if (fstat(file, &about) != 0) return call->host->fail(call, "path", -1, NULL, "%s: %s", path, strerror(errno));
  if (!S_ISREG(about.st_mode)) return bad(call, path, "is no file that can be read at any place");
  if (pread(file, head, sizeof head, 0) != (ssize_t)sizeof head || memcmp(head, "\x93NUMPY", 6) != 0)
    return bad(call, path, "does not begin as an .npy file does");
  if (head[6] < 1 || head[6] > 3) return bad(call, path, "has a version of the format that is not known");
  size_t size = head[8] + ((size_t)head[9] << 8), at = 10;
  if (head[6] > 1) {
    size += ((size_t)head[10] << 16) + ((size_t)head[11] << 24);
    at = 12;
  }
  if (size >= MOST_HEADER || pread(file, header, size, (off_t)at) != (ssize_t)size)
    return bad(call, path, "has a header that cannot be read");
  header[size] = '\0';
  ADL_TRY(read_header(call, path, header, into));
  into->begin = (int64_t)(at + size);
  int64_t each = into->width * (into->wide ? 8 : 4);
  if (into->rows > (about.st_size - into->begin) / each) return bad(call, path, "is shorter than its header says");
  return ADL_OK;
}

static adl_status start(const adl_call *call, void *instance) {
  read_npy *self = instance;
  char *header = call->host->alloc(call, MOST_HEADER);
  for (int64_t f = 0; f < self->path.count; f++) {
    const char *path = self->path.items[f];
    int file = strcmp(path, "-") == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (strcmp(path, "-") == 0) return bad(call, path, "is no file that can be read at any place");
    if (file < 0) return call->host->fail(call, "path", -1, NULL, "%s: %s", path, strerror(errno));
    adl_status status = read_file(call, path, file, header, &self->files[f]);
    close(file);
    ADL_TRY(status);
    if (self->files[f].width != self->files[0].width)
      return call->host->fail(call, "path", -1, "read files of one width at a time",
                              "%s has %lld numbers a row, %s has %lld", path, (long long)self->files[f].width,
                              self->path.items[0], (long long)self->files[0].width);
  }
  return self->as.slot >= 0 ? call->host->set_width(call, self->as.slot, self->files[0].width) : ADL_OK;
}

/* -------------------------------------------------------------------------------------------------- reading ---- */

static adl_status shards(const adl_call *call, void *instance, int32_t *count) {
  (void)call;
  *count = (int32_t)((read_npy *)instance)->path.count;
  return ADL_OK;
}

static adl_status open_file(const adl_call *call, void *instance, int32_t shard, void **into) {
  read_npy *self = instance;
  cursor *at = malloc(sizeof *at);
  if (at == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  *at = (cursor){.file = shard};
  call->host->shard_name(call, self->path.items[shard]);
  *into = at;
  return ADL_OK;
}

static void close_file(const adl_call *call, void *instance, void *at) {
  (void)call;
  (void)instance;
  free(at);
}

static adl_status next(const adl_call *call, void *instance, void *opened, adl_out *out) {
  const read_npy *self = instance;
  cursor *at = opened;
  const matrix *file = &self->files[at->file];
  int64_t most = BLOCK_BYTES / (4 * file->width), left = file->rows - at->row;
  if (left == 0) return ADL_END;
  most = most < 1 ? 1 : most > BLOCK_ROWS ? BLOCK_ROWS : most;
  place now = {at->file, at->row, left < most ? left : most};
  memcpy(call->host->block(call, out, sizeof now), &now, sizeof now);
  ADL_TRY(call->host->block_commit(call, out, sizeof now, now.row));
  at->row += now.count;
  if (self->path.count == 1) call->host->progress(call, "rows", (double)at->row, (double)file->rows);
  return ADL_OK;
}

/* `size` bytes at `offset`. */
static adl_status read_bytes(const adl_call *call, const char *path, int64_t offset, int64_t size, char *to) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = file < 0 ? -1 : 1;
  while (size > 0 && got > 0) {
    got = pread(file, to, (size_t)size, (off_t)offset);
    if (got < 0 && errno == EINTR) {
      got = 1;
      continue;
    }
    size -= got > 0 ? got : 0;
    offset += got > 0 ? got : 0;
    to += got > 0 ? got : 0;
  }
  int error = errno;
  if (file >= 0) close(file);
  if (got < 0) return call->host->fail(call, "path", -1, NULL, "%s: %s", path, strerror(error));
  return size == 0 ? ADL_OK : bad(call, path, "was cut while it was read");
}

static adl_status decode(const adl_call *call, const void *instance, const void *block, int64_t size, int64_t position,
                         adl_out *out) {
  const adl_host *host = call->host;
  const read_npy *self = instance;
  place at;
  adl_buffers to;
  (void)size;
  memcpy(&at, block, sizeof at);
  const matrix *file = &self->files[at.file];
  const char *path = self->path.items[at.file];
  int64_t count = at.count * file->width, each = file->wide ? 8 : 4;
  int64_t offset = file->begin + at.row * file->width * each;
  if (host->wanted(call, self->as.slot)) {
    ADL_TRY(host->reserve(call, out, self->as.slot, at.count, 0, 0, &to));
    if (!file->wide) {
      ADL_TRY(read_bytes(call, path, offset, count * each, to.data));
    } else {
      double *wide = host->alloc(call, (size_t)count * sizeof *wide);
      ADL_TRY(read_bytes(call, path, offset, count * each, (char *)wide));
      for (int64_t i = 0; i < count; i++) ((float *)to.data)[i] = (float)wide[i];
    }
  }
  int64_t *positions = host->positions(call, out, at.count);
  for (int64_t r = 0; r < at.count; r++) positions[r] = position + r + 1;
  ADL_TRY(adl_file_name_fill(call, out, self->file_column.slot, self->names[at.file], at.count));
  return host->commit(call, out, at.count);
}

/* -------------------------------------------------------------------------------------------------- binding ---- */

static adl_status bind(const adl_call *call, void *instance) {
  read_npy *self = instance;
  self->files = calloc((size_t)self->path.count, sizeof *self->files);
  self->names = adl_file_names(&self->path);
  if (self->files == NULL || self->names == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  ADL_TRY(call->host->declare(call, &self->as, (adl_type){.element = ADL_FLOAT32, .shape = ADL_VECTOR}));
  return call->host->declare(call, &self->file_column, (adl_type){.element = ADL_STRING, .role = ADL_CATEGORY});
}

static void destroy(void *instance) {
  read_npy *self = instance;
  free(self->files);
  free((void *)self->names);
}

static const adl_param params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_IN,
     .flags = ADL_LIST_OF | ADL_REQUIRED,
     .offset = offsetof(read_npy, path),
     .doc = "The file, or several, or globs: read one after the other. All have rows of the same width."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(read_npy, as),
     .default_value = "x",
     .doc = "Name of the column of vectors (float32)."},
    {.name = "file_column",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(read_npy, file_column),
     .doc = "Name of a new column that says which file a row is from, without the folders that all files have in "
            "common."},
};

static const char doc[] =
    "Reads matrices that NumPy has saved (numpy.save, files .npy): each row becomes a row with one vector. For "
    "embeddings, and for any numbers too many for text. The format is NEP 1 of NumPy, versions 1 to 3.\n\n"
    "Numbers are float32 or float64 (rounded to float32), little-endian, row by row. An array of one dimension is a "
    "matrix of one column. What another program wrote column by column (fortran_order), of other types, packed, or to "
    "a pipe is refused. NaN and infinities are read as they are; stages that cannot use them reject the row.\n\n"
    "A file of no rows gives none. A file that is shorter than its header says ends the run.";

static const adl_class read_npy_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SOURCE,
    .id = "read-npy",
    .title = "Matrices of NumPy",
    .doc = doc,
    .form = ADL_NEW,
    .instance_size = sizeof(read_npy),
    .state_version = 0,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .start = start,
    .shards = shards,
    .open = open_file,
    .next = next,
    .decode = decode,
    .close = close_file,
};

ADL_PLUGIN_OF("read-npy", "1.0.0", "source:read-npy", &read_npy_class);
