/* Digests, see digest.h. */
#include "core/model/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "core/model/error.h"

/* Where the buffer lies matters: reading a page to one that begins a few bytes further into its own takes three times as
 * long on some processors, which take the one for the other. malloc puts large blocks just there. */
enum { READ_SIZE = 1 << 18, PAGE = 4096 };

struct adl_digest {
  GChecksum *sum;
  GPtrArray *fields; /* NULL: not wanted */
};

adl_digest *adl_digest_new(void) {
  adl_digest *digest = g_new0(adl_digest, 1);
  digest->sum = g_checksum_new(G_CHECKSUM_SHA256);
  return digest;
}

void adl_digest_free(adl_digest *digest) {
  if (digest == NULL) return;
  g_checksum_free(digest->sum);
  g_free(digest);
}

static void update(adl_digest *digest, const void *bytes, size_t size) {
  const guchar *from = bytes;
  while (size > 0) { /* GChecksum counts in a signed long */
    size_t part = MIN(size, (size_t)1 << 30);
    g_checksum_update(digest->sum, from, (gssize)part);
    from += part;
    size -= part;
  }
}

static void field(adl_digest *digest, char kind, const char *tag, const void *bytes, size_t size) {
  uint64_t lengths[2] = {GUINT64_TO_LE((uint64_t)strlen(tag)), GUINT64_TO_LE((uint64_t)size)};
  update(digest, &kind, 1);
  update(digest, lengths, sizeof lengths);
  update(digest, tag, strlen(tag));
  if (size > 0) update(digest, bytes, size);
}

void adl_digest_record(adl_digest *digest, GPtrArray *fields) { digest->fields = fields; }

static void record(adl_digest *digest, const char *tag, char *value) {
  if (digest->fields != NULL) g_ptr_array_add(digest->fields, g_strconcat(tag, "\t", value, NULL));
  g_free(value);
}

void adl_digest_text(adl_digest *digest, const char *tag, const char *text) {
  record(digest, tag, g_strdup(text != NULL ? text : ""));
  if (text == NULL)
    field(digest, '0', tag, NULL, 0);
  else
    field(digest, 't', tag, text, strlen(text));
}

void adl_digest_int(adl_digest *digest, const char *tag, int64_t value) {
  uint64_t bytes = GUINT64_TO_LE((uint64_t)value);
  record(digest, tag, g_strdup_printf("%" G_GINT64_FORMAT, value));
  field(digest, 'i', tag, &bytes, sizeof bytes);
}

void adl_digest_double(adl_digest *digest, const char *tag, double value) {
  uint64_t bytes;
  memcpy(&bytes, &value, sizeof bytes);
  record(digest, tag, g_strdup_printf("%.17g", value));
  bytes = GUINT64_TO_LE(bytes);
  field(digest, 'd', tag, &bytes, sizeof bytes);
}

void adl_digest_bytes(adl_digest *digest, const char *tag, const void *bytes, size_t size) {
  GString *hex = g_string_new(NULL);
  for (size_t i = 0; digest->fields != NULL && i < size; i++)
    g_string_append_printf(hex, "%02x", ((const uint8_t *)bytes)[i]);
  record(digest, tag, g_string_free(hex, FALSE));
  field(digest, 'b', tag, bytes, size);
}

void adl_digest_finish(adl_digest *digest, char hex[ADL_DIGEST_HEX]) {
  g_strlcpy(hex, g_checksum_get_string(digest->sum), ADL_DIGEST_HEX);
  adl_digest_free(digest);
}

/* ---- files ---- */

typedef struct known_file {
  struct stat state;
  char hex[ADL_FILE_DIGEST_HEX];
} known_file;

struct adl_file_digests {
  pthread_mutex_t mutex;
  GHashTable *known; /* path to known_file */
};

adl_file_digests *adl_file_digests_new(void) {
  adl_file_digests *digests = g_new0(adl_file_digests, 1);
  pthread_mutex_init(&digests->mutex, NULL);
  digests->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return digests;
}

void adl_file_digests_free(adl_file_digests *digests) {
  if (digests == NULL) return;
  g_hash_table_destroy(digests->known);
  pthread_mutex_destroy(&digests->mutex);
  g_free(digests);
}

static bool same_state(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
         a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Digest of what is left to read of fd. False with errno. */
static bool read_digest(int fd, char hex[ADL_FILE_DIGEST_HEX]) {
  char *buffer = g_malloc(READ_SIZE + PAGE);
  char *page = buffer + (PAGE - (uintptr_t)buffer % PAGE) % PAGE;
  XXH3_state_t *state = XXH3_createState();
  XXH3_128bits_reset(state);
  ssize_t got;
  for (;;) {
    got = read(fd, page, READ_SIZE);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    XXH3_128bits_update(state, page, (size_t)got);
  }
  int saved = errno;
  XXH128_hash_t hash = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  g_free(buffer);
  g_snprintf(hex, ADL_FILE_DIGEST_HEX, "%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", hash.high64, hash.low64);
  errno = saved;
  return got == 0;
}

/* False: *error says why. */
static bool digest_open_file(int fd, const char *path, const struct stat *before, char hex[ADL_FILE_DIGEST_HEX],
                             GError **error) {
  struct stat after;
  if (!S_ISREG(before->st_mode))
    return adl_model_fail(error, ADL_MODEL_ERROR_IO, path, "is no regular file, so its contents have no digest");
  if (!read_digest(fd, hex) || fstat(fd, &after) != 0)
    return adl_model_fail(error, ADL_MODEL_ERROR_IO, path, "cannot be read: %s", g_strerror(errno));
  if (!same_state(before, &after)) return adl_model_fail(error, ADL_MODEL_ERROR_IO, path, "changed while it was read");
  return true;
}

bool adl_file_digests_get(adl_file_digests *digests, const char *path, char hex[ADL_FILE_DIGEST_HEX], int64_t *size,
                          GError **error) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* opening a FIFO must not wait */
  known_file now = {.hex = ""};
  if (fd < 0 || fstat(fd, &now.state) != 0) {
    adl_model_fail(error, ADL_MODEL_ERROR_IO, path, "cannot be opened: %s", g_strerror(errno));
    if (fd >= 0) close(fd);
    return false;
  }
  pthread_mutex_lock(&digests->mutex);
  const known_file *known = g_hash_table_lookup(digests->known, path);
  bool found = known != NULL && same_state(&known->state, &now.state);
  if (found) memcpy(now.hex, known->hex, sizeof now.hex);
  pthread_mutex_unlock(&digests->mutex);
  bool ok = found || digest_open_file(fd, path, &now.state, now.hex, error);
  close(fd);
  if (!ok) return false;
  if (!found) {
    pthread_mutex_lock(&digests->mutex);
    g_hash_table_replace(digests->known, g_strdup(path), g_memdup2(&now, sizeof now));
    pthread_mutex_unlock(&digests->mutex);
  }
  memcpy(hex, now.hex, ADL_FILE_DIGEST_HEX);
  if (size != NULL) *size = now.state.st_size;
  return true;
}
