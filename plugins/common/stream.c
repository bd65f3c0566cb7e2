/* Byte streams, see stream.h. A packed stream may consist of several members (gzip) or frames (zstd), one behind the
 * other; it has to end where one of them ends. */
#include "common/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { INPUT_SIZE = 256 * 1024 };

typedef enum packing { PLAIN, GZIP, ZSTD } packing;

struct adl_stream {
  int file;
  packing packing;
  const char *misnamed; /* see the header */
  int64_t limit;        /* size of a regular file when it was opened; -1: not known */
  int64_t taken;        /* bytes read from the file */
  bool ended;           /* the file has no more bytes */
  bool failed;
  uint8_t *input; /* read from the file, not yet used: [input_at, input_end) */
  size_t input_at, input_end;
  bool member; /* inside a gzip member or a zstd frame */
  z_stream inflater;
  ZSTD_DCtx *zstd;
  char message[ADL_STREAM_MESSAGE];
};

static int64_t fail(adl_stream *stream, int64_t offset, const char *what) {
  stream->failed = true;
  snprintf(stream->message, sizeof stream->message, "at byte %lld: %s", (long long)offset, what);
  return -1;
}

/* read(2) up to the size at the beginning; -1 after fail. */
static int64_t read_file(adl_stream *stream, void *buffer, size_t size) {
  if (stream->ended) return 0;
  if (stream->limit >= 0 && (int64_t)size > stream->limit - stream->taken)
    size = (size_t)(stream->limit - stream->taken);
  ssize_t got = 0;
  if (size > 0) do {
      got = read(stream->file, buffer, size);
    } while (got < 0 && errno == EINTR);
  if (got < 0) return fail(stream, stream->taken, strerror(errno));
  stream->taken += got;
  stream->ended = got == 0;
  if (stream->ended && stream->limit > stream->taken) {
    char what[160];
    snprintf(what, sizeof what, "the file became shorter while it was read (it had %lld bytes)",
             (long long)stream->limit);
    return fail(stream, stream->taken, what);
  }
  return got;
}

/* At least one byte of packed input; 0: there is none. */
static int64_t refill(adl_stream *stream) {
  if (stream->input_at < stream->input_end) return (int64_t)(stream->input_end - stream->input_at);
  int64_t got = read_file(stream, stream->input, INPUT_SIZE);
  stream->input_at = 0;
  stream->input_end = got > 0 ? (size_t)got : 0;
  return got;
}

static int64_t position(const adl_stream *stream) {
  return stream->taken - (int64_t)(stream->input_end - stream->input_at);
}

/* Whether what is left of the file is padding of zeros, as tapes and some tools leave it. */
static int64_t only_zeros(adl_stream *stream) {
  for (;;) {
    for (; stream->input_at < stream->input_end; stream->input_at++)
      if (stream->input[stream->input_at] != 0)
        return fail(stream, position(stream), "there is something else behind the end of the gzip data");
    int64_t got = refill(stream);
    if (got <= 0) return got;
  }
}

static int64_t read_gzip(adl_stream *stream, uint8_t *buffer, size_t size) {
  size_t done = 0;
  while (done < size) {
    int64_t got = refill(stream);
    if (got < 0) return -1;
    if (got == 0)
      return stream->member ? fail(stream, stream->taken, "the gzip data ends too early: the file is not complete")
                            : (int64_t)done;
    if (!stream->member) {
      if (stream->input[stream->input_at] == 0) return only_zeros(stream) < 0 ? -1 : (int64_t)done;
      if (inflateReset(&stream->inflater) != Z_OK) return fail(stream, position(stream), "zlib cannot start");
      stream->member = true;
    }
    z_stream *z = &stream->inflater;
    size_t room = size - done < (1u << 30) ? size - done : 1u << 30;
    z->next_in = stream->input + stream->input_at;
    z->avail_in = (unsigned)got;
    z->next_out = buffer + done;
    z->avail_out = (unsigned)room;
    int status = inflate(z, Z_NO_FLUSH);
    stream->input_at = stream->input_end - z->avail_in;
    done += room - z->avail_out;
    if (status == Z_STREAM_END)
      stream->member = false;
    else if (status != Z_OK && status != Z_BUF_ERROR)
      return fail(stream, position(stream), z->msg != NULL ? z->msg : "corrupt gzip data");
  }
  return (int64_t)done;
}

static int64_t read_zstd(adl_stream *stream, uint8_t *buffer, size_t size) {
  ZSTD_outBuffer out = {buffer, size, 0};
  while (out.pos < out.size) {
    int64_t got = refill(stream);
    if (got < 0) return -1;
    size_t before = out.pos;
    ZSTD_inBuffer in = {stream->input, stream->input_end, stream->input_at};
    size_t status = got > 0 || stream->member ? ZSTD_decompressStream(stream->zstd, &out, &in) : 0;
    stream->input_at = in.pos;
    if (ZSTD_isError(status)) return fail(stream, position(stream), ZSTD_getErrorName(status));
    stream->member = status != 0;
    if (got == 0 && out.pos == before) /* nothing came in, nothing went out */
      return stream->member ? fail(stream, stream->taken, "the zstd data ends too early: the file is not complete")
                            : (int64_t)out.pos;
  }
  return (int64_t)out.pos;
}

static int64_t read_plain(adl_stream *stream, uint8_t *buffer, size_t size) {
  size_t done = stream->input_end - stream->input_at; /* what detection has read */
  done = done < size ? done : size;
  memcpy(buffer, stream->input + stream->input_at, done);
  stream->input_at += done;
  while (done < size) {
    int64_t got = read_file(stream, buffer + done, size - done);
    if (got < 0) return -1;
    if (got == 0) break;
    done += (size_t)got;
  }
  return (int64_t)done;
}

int64_t adl_stream_read(adl_stream *stream, void *buffer, size_t size) {
  if (stream->failed) return -1;
  switch (stream->packing) {
    case GZIP: return read_gzip(stream, buffer, size);
    case ZSTD: return read_zstd(stream, buffer, size);
    default: return read_plain(stream, buffer, size);
  }
}

/* A frame of zstd, or one that a reader is to pass over (pzstd begins with such): 0x184d2a50 to 0x184d2a5f. */
static bool begins_zstd(const uint8_t begin[4]) {
  static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd}, other[] = {0x2a, 0x4d, 0x18};
  return memcmp(begin, frame, 4) == 0 || ((begin[0] & 0xf0) == 0x50 && memcmp(begin + 1, other, 3) == 0);
}

/* Reads the first bytes and sets up what they ask for. */
static bool detect(adl_stream *stream) {
  static const uint8_t gzip[] = {0x1f, 0x8b};
  while (stream->input_end < 4) {
    int64_t got = read_file(stream, stream->input + stream->input_end, INPUT_SIZE - stream->input_end);
    if (got < 0) return false;
    if (got == 0) break;
    stream->input_end += (size_t)got;
  }
  if (stream->input_end >= 2 && memcmp(stream->input, gzip, 2) == 0) {
    if (inflateInit2(&stream->inflater, 15 + 16) != Z_OK) return fail(stream, 0, "out of memory") == 0;
    stream->packing = GZIP;
  } else if (stream->input_end >= 4 && begins_zstd(stream->input)) {
    stream->zstd = ZSTD_createDCtx();
    if (stream->zstd == NULL) return fail(stream, 0, "out of memory") == 0;
    stream->packing = ZSTD;
  }
  return true;
}

/* Text is read whatever its name says. Anything else under such a name was packed by something else, or not at all. */
static bool check_name(adl_stream *stream, const char *path) {
  static const char *const endings[] = {".gz", ".zst"}, *const names[] = {"gzip", "zstd"};
  size_t length = strlen(path);
  for (int i = 0; i < 2 && stream->packing == PLAIN && stream->input_end > 0; i++)
    if (length > strlen(endings[i]) && strcmp(path + length - strlen(endings[i]), endings[i]) == 0) {
      stream->misnamed = endings[i];
      if (memchr(stream->input, 0, stream->input_end) == NULL) return true;
      snprintf(stream->message, sizeof stream->message,
               "its name ends in %s, but it does not begin as %s does, and is no text either; if something else has "
               "packed it, unpack it first",
               endings[i], names[i]);
      return false;
    }
  return true;
}

adl_stream *adl_stream_open(const char *path, char message[ADL_STREAM_MESSAGE]) {
  bool standard = strcmp(path, "-") == 0;
  int file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  struct stat facts;
  if (file < 0 || fstat(file, &facts) != 0) {
    snprintf(message, ADL_STREAM_MESSAGE, "%s", strerror(errno));
    if (file > STDERR_FILENO) close(file);
    return NULL;
  }
  adl_stream *stream = calloc(1, sizeof *stream);
  uint8_t *input = malloc(INPUT_SIZE);
  if (stream == NULL || input == NULL) {
    snprintf(message, ADL_STREAM_MESSAGE, "out of memory");
    free(stream);
    free(input);
    if (!standard) close(file);
    return NULL;
  }
  stream->file = file;
  stream->input = input;
  stream->limit = !standard && S_ISREG(facts.st_mode) && facts.st_size > 0 ? (int64_t)facts.st_size : -1;
#ifdef POSIX_FADV_SEQUENTIAL
  posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
  if (!detect(stream) || !check_name(stream, path)) {
    snprintf(message, ADL_STREAM_MESSAGE, "%s", stream->message);
    adl_stream_close(stream);
    return NULL;
  }
  return stream;
}

const char *adl_stream_misnamed(const adl_stream *stream) { return stream->misnamed; }

int64_t adl_stream_taken(const adl_stream *stream) { return stream->taken; }

const char *adl_stream_message(const adl_stream *stream) { return stream->message; }

void adl_stream_close(adl_stream *stream) {
  if (stream == NULL) return;
  if (stream->packing == GZIP) inflateEnd(&stream->inflater);
  ZSTD_freeDCtx(stream->zstd);
  if (stream->file != STDIN_FILENO) close(stream->file);
  free(stream->input);
  free(stream);
}
