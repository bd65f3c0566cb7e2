/* Model files, the writing side. See safetensors.h. */
#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "core/base/aligned.h"
#include "core/base/json.h"
#include "core/data/table.h"
#include "core/model/safetensors.h"

#if G_BYTE_ORDER != G_LITTLE_ENDIAN
#error "model files are little-endian, and nobody has taught this file to swap bytes"
#endif

/* One array of the file: up to two stretches of memory. */
typedef struct piece {
  char *name;
  const char *dtype;
  int32_t dimensions;
  int64_t size[ADL_MAX_DIMENSIONS];
  struct {
    const void *data;
    int64_t bytes;
  } parts[2];
  int64_t begin, end; /* within the data */
} piece;

static const char zeros[ADL_ALIGNMENT];

static void clear_piece(gpointer data) { g_free(((piece *)data)->name); }

static const char *dtype_of(int32_t element) {
  static const char *const names[] = {"BOOL", "I32", "I64", "U32", "F32", "F64", "I64", "U8", "U8"};
  return names[element];
}

/* ---- what goes into the file ---- */

static int64_t data_end(const GArray *pieces) {
  return pieces->len > 0 ? g_array_index(pieces, piece, pieces->len - 1).end : 0;
}

/* Appends a piece, and in front of it the padding that its alignment takes. */
static void add_piece(GArray *pieces, piece *added, int32_t *pads) {
  int64_t end = data_end(pieces), begin = adl_aligned_size(end);
  if (begin > end) {
    piece pad = {
        .name = g_strdup_printf("_pad.%d", (*pads)++), .dtype = "U8", .dimensions = 1, .begin = end, .end = begin};
    pad.size[0] = begin - end;
    pad.parts[0].data = zeros;
    pad.parts[0].bytes = begin - end;
    g_array_append_val(pieces, pad);
  }
  added->begin = begin;
  added->end = begin + added->parts[0].bytes + added->parts[1].bytes;
  g_array_append_vals(pieces, added, 1);
}

static void add_tensor(GArray *pieces, const char *name, const adl_tensor *tensor, int32_t *pads) {
  piece one = {.name = g_strdup(name), .dtype = dtype_of(tensor->element), .dimensions = tensor->dimensions};
  memcpy(one.size, tensor->size, sizeof one.size);
  one.parts[0].data = tensor->data;
  one.parts[0].bytes = tensor->count * adl_tensor_element_size((adl_element)tensor->element);
  add_piece(pieces, &one, pads);
}

static void add_table(GArray *pieces, const char *name, const adl_table *table, int32_t *pads) {
  const char *keys;
  const int64_t *ends;
  const double *rows;
  int64_t count = adl_table_count(table), width = adl_table_width(table);
  adl_table_parts(table, &keys, &ends, &rows);
  int64_t key_bytes = count > 0 ? ends[count - 1] : 0;
  piece key = {.name = g_strconcat(name, ".keys", NULL), .dtype = "U8", .dimensions = 1, .size = {key_bytes}};
  key.parts[0].data = keys;
  key.parts[0].bytes = key_bytes;
  add_piece(pieces, &key, pads);
  piece offset = {
      .name = g_strconcat(name, ".key_offsets", NULL), .dtype = "I64", .dimensions = 1, .size = {count + 1}};
  offset.parts[0].data = zeros;
  offset.parts[0].bytes = 8;
  offset.parts[1].data = ends;
  offset.parts[1].bytes = count * 8;
  add_piece(pieces, &offset, pads);
  piece row = {.name = g_strconcat(name, ".rows", NULL), .dtype = "F64", .dimensions = 2, .size = {count, width}};
  row.parts[0].data = rows;
  row.parts[0].bytes = count * width * 8;
  add_piece(pieces, &row, pads);
}

static GArray *list_pieces(const adl_tensors *tensors) {
  GArray *pieces = g_array_new(FALSE, TRUE, sizeof(piece));
  const char *name;
  adl_tensor tensor;
  const adl_table *table;
  int32_t pads = 0;
  g_array_set_clear_func(pieces, clear_piece);
  for (int32_t i = 0; adl_tensors_at(tensors, i, &name, &tensor); i++) add_tensor(pieces, name, &tensor, &pads);
  for (int32_t i = 0; adl_tensors_table_at(tensors, i, &name, &table); i++) add_table(pieces, name, table, &pads);
  return pieces;
}

/* Would a reader take it? False: *error says why not. */
static bool check_pieces(const GArray *pieces, const char *path, GError **error) {
  GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
  bool fine = true;
  int32_t pads = 0;
  for (guint i = 0; i < pieces->len && fine; i++) {
    const piece *p = &g_array_index(pieces, piece, i);
    char pad[32];
    g_snprintf(pad, sizeof pad, "_pad.%d", pads);
    bool is_pad = p->parts[0].data == zeros && strcmp(p->name, pad) == 0;
    pads += is_pad;
    if (!g_utf8_validate(p->name, -1, NULL))
      fine = adl_model_fail(error, ADL_MODEL_ERROR_CONTENT, path, "a tensor's name is not UTF-8");
    else if ((!is_pad && g_str_has_prefix(p->name, "_pad.")) || strcmp(p->name, "__metadata__") == 0)
      fine = adl_model_fail(error, ADL_MODEL_ERROR_CONTENT, path, "`%s` is a name that model files keep for themselves",
                            p->name);
    else if (!g_hash_table_add(seen, p->name))
      fine = adl_model_fail(error, ADL_MODEL_ERROR_CONTENT, path,
                            "there are two arrays `%s` (a keyed table NAME is saved as NAME.keys, NAME.key_offsets and "
                            "NAME.rows)",
                            p->name);
    if (!fine || strcmp(p->dtype, "BOOL") != 0) continue;
    for (int64_t b = 0; b < p->parts[0].bytes && fine; b++)
      if (((const uint8_t *)p->parts[0].data)[b] > 1)
        fine = adl_model_fail(error, ADL_MODEL_ERROR_CONTENT, path,
                              "tensor `%s` of bool holds a byte that is not 0 or 1", p->name);
  }
  g_hash_table_destroy(seen);
  return fine;
}

static bool check_meta(const adl_model_meta *meta, const char *path, GError **error) {
  bool valid = g_utf8_validate(meta->stage_class, -1, NULL) && g_utf8_validate(meta->plugin_version, -1, NULL) &&
               g_utf8_validate(meta->plugin_build, -1, NULL) && g_utf8_validate(meta->parameters, -1, NULL);
  for (int32_t i = 0; i < meta->input_count; i++)
    valid = valid && g_utf8_validate(meta->inputs[i].name, -1, NULL) && g_utf8_validate(meta->inputs[i].type, -1, NULL);
  return valid || adl_model_fail(error, ADL_MODEL_ERROR_CONTENT, path, "the model's metadata are not UTF-8");
}

/* ---- bytes ---- */

static char *checksum_of(const GArray *pieces) {
  XXH3_state_t *state = XXH3_createState();
  XXH3_128bits_reset(state);
  for (guint i = 0; i < pieces->len; i++) {
    const piece *p = &g_array_index(pieces, piece, i);
    for (int part = 0; part < 2; part++)
      if (p->parts[part].bytes > 0) XXH3_128bits_update(state, p->parts[part].data, (size_t)p->parts[part].bytes);
  }
  XXH128_hash_t hash = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  return g_strdup_printf("xxh3-128:%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", hash.high64, hash.low64);
}

/* Length, JSON and blanks. */
static GString *make_header(const GArray *pieces, const char *meta) {
  JsonBuilder *builder = json_builder_new();
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "__metadata__");
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "adloom");
  json_builder_add_string_value(builder, meta);
  json_builder_end_object(builder);
  for (guint i = 0; i < pieces->len; i++) {
    const piece *p = &g_array_index(pieces, piece, i);
    json_builder_set_member_name(builder, p->name);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "dtype");
    json_builder_add_string_value(builder, p->dtype);
    json_builder_set_member_name(builder, "shape");
    json_builder_begin_array(builder);
    for (int32_t d = 0; d < p->dimensions; d++) json_builder_add_int_value(builder, p->size[d]);
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "data_offsets");
    json_builder_begin_array(builder);
    json_builder_add_int_value(builder, p->begin);
    json_builder_add_int_value(builder, p->end);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
  }
  json_builder_end_object(builder);
  char *json = adl_json_built(builder, false);
  GString *header = g_string_new_len("\0\0\0\0\0\0\0\0", 8);
  g_string_append(header, json);
  while (header->len % ADL_ALIGNMENT != 0) g_string_append_c(header, ' ');
  uint64_t length = GUINT64_TO_LE((uint64_t)header->len - 8);
  memcpy(header->str, &length, sizeof length);
  g_free(json);
  return header;
}

static bool write_all(int fd, const void *data, int64_t size) {
  while (size > 0) {
    ssize_t written = write(fd, data, (size_t)MIN(size, INT64_C(1) << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data = (const char *)data + written;
    size -= written;
  }
  return true;
}

static bool write_content(int fd, const GString *header, const GArray *pieces) {
  if (!write_all(fd, header->str, (int64_t)header->len)) return false;
  for (guint i = 0; i < pieces->len; i++) {
    const piece *p = &g_array_index(pieces, piece, i);
    if (!write_all(fd, p->parts[0].data, p->parts[0].bytes) || !write_all(fd, p->parts[1].data, p->parts[1].bytes))
      return false;
  }
  return true;
}

static void sync_directory_of(const char *path) {
  char *directory = g_path_get_dirname(path);
  int fd = open(directory, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    (void)fsync(fd); /* not every file system syncs directories */
    close(fd);
  }
  g_free(directory);
}

static bool write_file(const char *path, const GString *header, const GArray *pieces, bool sync, GError **error) {
  static gint number;
  char *beside = g_strdup_printf("%s.tmp-%ld-%d", path, (long)getpid(), g_atomic_int_add(&number, 1));
  int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), failure = 0;
  if (fd < 0) {
    failure = errno;
  } else {
    if (!write_content(fd, header, pieces) || (sync && fsync(fd) != 0)) failure = errno;
    if (close(fd) != 0 && failure == 0) failure = errno;
    if (failure == 0 && rename(beside, path) != 0) failure = errno;
    if (failure != 0) unlink(beside);
    if (failure == 0 && sync) sync_directory_of(path);
  }
  g_free(beside);
  return failure == 0 || adl_model_fail(error, ADL_MODEL_ERROR_IO, path, "cannot be written: %s", g_strerror(failure));
}

static bool write_model(const char *path, const adl_tensors *tensors, const adl_model_meta *meta, bool sync,
                        GError **error) {
  GArray *pieces = list_pieces(tensors);
  bool written = check_meta(meta, path, error) && check_pieces(pieces, path, error);
  if (written) {
    char *checksum = checksum_of(pieces), *text = adl_model_meta_text(meta, tensors, checksum);
    GString *header = make_header(pieces, text);
    if (header->len - 8 > ADL_MODEL_HEADER_LIMIT)
      written =
          adl_model_fail(error, ADL_MODEL_ERROR_CONTENT, path,
                         "its header would have %" G_GSIZE_FORMAT " bytes, and %d is the limit: too many tensors, "
                         "or parameters that are too long",
                         header->len - 8, ADL_MODEL_HEADER_LIMIT);
    else
      written = write_file(path, header, pieces, sync, error);
    g_string_free(header, TRUE);
    g_free(text);
    g_free(checksum);
  }
  g_array_free(pieces, TRUE);
  return written;
}

bool adl_model_write(const char *path, const adl_tensors *tensors, const adl_model_meta *meta, GError **error) {
  return write_model(path, tensors, meta, true, error);
}

bool adl_model_write_unsynced(const char *path, const adl_tensors *tensors, const adl_model_meta *meta,
                              GError **error) {
  return write_model(path, tensors, meta, false, error);
}
