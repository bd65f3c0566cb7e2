/* Model files, the reading side: trusts nothing in the file. See safetensors.h. */
#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "core/base/aligned.h"
#include "core/model/safetensors.h"

typedef struct mapping {
  void *data;
  size_t size;
} mapping;

/* An array as the header tells of it. */
typedef struct entry {
  const char *name; /* the parser's */
  adl_tensor tensor;
  int64_t begin, end; /* within the data */
} entry;

/* A file while it is read. */
typedef struct model_reader {
  const char *path;
  mapping *map; /* until the tensors own it */
  JsonParser *parser;
  const char *data; /* behind the header */
  int64_t data_size;
  GArray *entries;     /* of entry, in the header's order */
  GHashTable *by_name; /* name to entry */
  GPtrArray *tables;
  GHashTable *elements;
  adl_model_meta *meta;
  GError **error;
} model_reader;

#define REFUSE(reader, ...) adl_model_fail((reader)->error, ADL_MODEL_ERROR_FORMAT, (reader)->path, __VA_ARGS__)

static void release_mapping(void *owner) {
  mapping *map = owner;
  munmap(map->data, map->size);
  g_free(map);
}

/* ---- the file ---- */

static bool map_file(model_reader *reader) {
  struct stat state;
  int fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return adl_model_fail(reader->error, errno == ENOENT ? ADL_MODEL_ERROR_ABSENT : ADL_MODEL_ERROR_IO, reader->path,
                          "cannot be opened: %s", g_strerror(errno));
  bool fine = false;
  if (fstat(fd, &state) != 0) {
    adl_model_fail(reader->error, ADL_MODEL_ERROR_IO, reader->path, "cannot be read: %s", g_strerror(errno));
  } else if (!S_ISREG(state.st_mode)) {
    REFUSE(reader, "is no regular file");
  } else if (state.st_size < 8) {
    REFUSE(reader, "has %" G_GINT64_FORMAT " bytes: too short for a model file", (int64_t)state.st_size);
  } else {
    void *data = mmap(NULL, (size_t)state.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
      adl_model_fail(reader->error, ADL_MODEL_ERROR_IO, reader->path, "cannot be mapped: %s", g_strerror(errno));
    } else {
      reader->map = g_new(mapping, 1);
      *reader->map = (mapping){data, (size_t)state.st_size};
      fine = true;
    }
  }
  close(fd);
  return fine;
}

/* The header's JSON object; NULL: refused. */
static JsonObject *parse_header(model_reader *reader) {
  uint64_t length;
  const char *header = (const char *)reader->map->data + 8;
  GError *json_error = NULL;
  memcpy(&length, reader->map->data, sizeof length);
  length = GUINT64_FROM_LE(length);
  if (length > ADL_MODEL_HEADER_LIMIT || length > reader->map->size - 8) {
    REFUSE(reader, "is no model file, or was cut: it says that its header has %" G_GUINT64_FORMAT " bytes", length);
    return NULL;
  }
  if (length == 0 || header[0] != '{' || !g_utf8_validate(header, (gssize)length, NULL) ||
      !adl_json_harmless(header, length)) {
    REFUSE(reader, "is no model file: its header is not a flat JSON object in UTF-8");
    return NULL;
  }
  reader->data = header + length;
  reader->data_size = (int64_t)(reader->map->size - 8 - length);
  reader->parser = json_parser_new();
  if (!json_parser_load_from_data(reader->parser, header, (gssize)length, &json_error)) {
    REFUSE(reader, "its header is not JSON: %s", json_error->message);
    g_clear_error(&json_error);
    return NULL;
  }
  JsonNode *root = json_parser_get_root(reader->parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
    REFUSE(reader, "its header is not a JSON object");
    return NULL;
  }
  return json_node_get_object(root);
}

/* ---- the arrays ---- */

/* Members of a list of whole numbers that are not negative; -1: it is not one, or longer than `most`. */
static int32_t read_counts(JsonObject *object, const char *member, int32_t most, int64_t *to) {
  JsonNode *node = json_object_get_member(object, member);
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node)) return -1;
  JsonArray *list = json_node_get_array(node);
  guint count = json_array_get_length(list);
  if (count > (guint)most) return -1;
  for (guint i = 0; i < count; i++) {
    JsonNode *item = json_array_get_element(list, i);
    if (!JSON_NODE_HOLDS_VALUE(item) || json_node_get_value_type(item) != G_TYPE_INT64) return -1;
    to[i] = json_node_get_int(item);
    if (to[i] < 0) return -1;
  }
  return (int32_t)count;
}

static int32_t element_of(const char *dtype) {
  static const char *const names[] = {"BOOL", "I32", "I64", "U32", "F32", "F64", NULL, NULL, "U8"};
  for (int32_t i = 0; i <= ADL_BYTES; i++)
    if (names[i] != NULL && g_strcmp0(names[i], dtype) == 0) return i;
  return -1;
}

static bool read_entry(model_reader *reader, const char *name, JsonNode *node, entry *into) {
  if (!JSON_NODE_HOLDS_OBJECT(node)) return REFUSE(reader, "tensor `%s` is not described by a JSON object", name);
  JsonObject *object = json_node_get_object(node);
  JsonNode *dtype = json_object_get_member(object, "dtype");
  if (dtype == NULL || !JSON_NODE_HOLDS_VALUE(dtype) || json_node_get_value_type(dtype) != G_TYPE_STRING)
    return REFUSE(reader, "tensor `%s` has no dtype", name);
  *into = (entry){.name = name, .tensor.element = element_of(json_node_get_string(dtype)), .tensor.count = 1};
  adl_tensor *tensor = &into->tensor;
  if (tensor->element < 0)
    return REFUSE(reader, "tensor `%s` has dtype `%s`; adloom reads BOOL, I32, I64, U32, F32, F64 and U8", name,
                  json_node_get_string(dtype));
  tensor->dimensions = read_counts(object, "shape", ADL_MAX_DIMENSIONS, tensor->size);
  if (tensor->dimensions < 0)
    return REFUSE(reader, "tensor `%s` has no shape of at most %d sizes", name, ADL_MAX_DIMENSIONS);
  int64_t place[2], bytes;
  if (read_counts(object, "data_offsets", 2, place) != 2)
    return REFUSE(reader, "tensor `%s` has no data_offsets of two numbers", name);
  bool overflow = false;
  for (int32_t i = 0; i < tensor->dimensions; i++)
    overflow |=
        tensor->size[i] > (INT64_C(1) << 47) || __builtin_mul_overflow(tensor->count, tensor->size[i], &tensor->count);
  overflow |= __builtin_mul_overflow(tensor->count, adl_tensor_element_size((adl_element)tensor->element), &bytes);
  if (place[0] > place[1] || place[1] > reader->data_size)
    return REFUSE(reader,
                  "tensor `%s` lies at bytes %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                  " of data that have %" G_GINT64_FORMAT,
                  name, place[0], place[1], reader->data_size);
  if (overflow || bytes != place[1] - place[0])
    return REFUSE(reader, "tensor `%s` has a shape that does not go with its %" G_GINT64_FORMAT " bytes", name,
                  place[1] - place[0]);
  into->begin = place[0];
  into->end = place[1];
  return true;
}

static gint by_place(gconstpointer a, gconstpointer b) {
  const entry *first = a, *second = b;
  if (first->begin != second->begin) return first->begin < second->begin ? -1 : 1;
  return (first->end > second->end) - (first->end < second->end);
}

/* Every byte of the data belongs to exactly one array. */
static bool check_tiling(model_reader *reader) {
  GArray *placed = g_array_sized_new(FALSE, FALSE, sizeof(entry), reader->entries->len);
  g_array_append_vals(placed, reader->entries->data, reader->entries->len);
  g_array_sort(placed, by_place);
  int64_t end = 0;
  const char *before = "";
  bool fine = true;
  for (guint i = 0; i < placed->len && fine; i++) {
    const entry *e = &g_array_index(placed, entry, i);
    if (e->begin < end)
      fine = REFUSE(reader, "tensors `%s` and `%s` overlap", before, e->name);
    else if (e->begin > end)
      fine = REFUSE(reader, "bytes %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " of its data belong to no tensor", end,
                    e->begin);
    end = e->end;
    before = e->name;
  }
  g_array_free(placed, TRUE);
  if (fine && end != reader->data_size)
    fine = REFUSE(reader, "its data have %" G_GINT64_FORMAT " bytes, but its tensors only %" G_GINT64_FORMAT,
                  reader->data_size, end);
  return fine;
}

static bool read_entries(model_reader *reader, JsonObject *header) {
  JsonObjectIter iterator;
  const char *name;
  JsonNode *node;
  json_object_iter_init_ordered(&iterator, header);
  while (json_object_iter_next_ordered(&iterator, &name, &node)) {
    entry one;
    if (strcmp(name, "__metadata__") == 0) continue;
    if (name[0] == '\0') return REFUSE(reader, "a tensor has no name");
    if (!read_entry(reader, name, node, &one)) return false;
    g_array_append_val(reader->entries, one);
  }
  for (guint i = 0; i < reader->entries->len; i++) {
    entry *e = &g_array_index(reader->entries, entry, i);
    g_hash_table_insert(reader->by_name, (char *)e->name, e);
  }
  return check_tiling(reader);
}

/* ---- metadata ---- */

static bool read_meta(model_reader *reader, JsonObject *header) {
  JsonNode *node = json_object_get_member(header, "__metadata__");
  JsonNode *text = NULL;
  char *why = NULL;
  if (node != NULL && JSON_NODE_HOLDS_OBJECT(node)) text = json_object_get_member(json_node_get_object(node), "adloom");
  if (text == NULL || !JSON_NODE_HOLDS_VALUE(text) || json_node_get_value_type(text) != G_TYPE_STRING)
    return REFUSE(reader, "is a safetensors file, but no model of adloom's: it has no metadata `adloom`");
  reader->meta = adl_model_meta_parse(json_node_get_string(text), reader->tables, reader->elements, &why);
  if (reader->meta != NULL) return true;
  REFUSE(reader, "%s", why);
  g_free(why);
  return false;
}

static bool check_sum(model_reader *reader) {
  char sum[64];
  XXH128_hash_t hash = XXH3_128bits(reader->data, (size_t)reader->data_size);
  g_snprintf(sum, sizeof sum, "xxh3-128:%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", hash.high64, hash.low64);
  return strcmp(sum, reader->meta->checksum) == 0 ||
         REFUSE(reader, "is damaged: the checksum of its data is %s, and should be %s", sum, reader->meta->checksum);
}

/* ---- the set of tensors ---- */

static const entry *find_entry(const model_reader *reader, const char *name, const char *suffix) {
  char *full = g_strconcat(name, suffix, NULL);
  const entry *found = g_hash_table_lookup(reader->by_name, full);
  g_free(full);
  return found;
}

/* An int64 of a file whose arrays may lie anywhere. */
static int64_t int_at(const char *from, int64_t at) {
  int64_t value;
  memcpy(&value, from + at * 8, sizeof value);
  return value;
}

static bool fill_table(model_reader *reader, adl_tensors *tensors, const char *name) {
  const entry *keys = find_entry(reader, name, ".keys"), *offsets = find_entry(reader, name, ".key_offsets");
  const entry *rows = find_entry(reader, name, ".rows");
  bool fits = keys != NULL && offsets != NULL && rows != NULL && keys->tensor.element == ADL_BYTES &&
              offsets->tensor.element == ADL_INT64 && rows->tensor.element == ADL_FLOAT64 &&
              keys->tensor.dimensions == 1 && offsets->tensor.dimensions == 1 && rows->tensor.dimensions == 2 &&
              offsets->tensor.count - 1 == rows->tensor.size[0];
  adl_table *table = fits ? adl_tensors_table(tensors, name, rows->tensor.size[1]) : NULL;
  if (table == NULL || adl_table_count(table) > 0)
    return REFUSE(reader, "keyed table `%s` lacks its arrays .keys, .key_offsets and .rows, or they do not match",
                  name);
  const char *key_data = reader->data + keys->begin, *offset_data = reader->data + offsets->begin;
  const char *row_data = reader->data + rows->begin;
  int64_t count = rows->tensor.size[0], row_bytes = rows->tensor.size[1] * 8, begin = int_at(offset_data, 0);
  bool sound = begin == 0;
  for (int64_t row = 0; row < count && sound; row++) {
    int64_t end = int_at(offset_data, row + 1);
    sound = end >= begin && end <= keys->tensor.count && adl_table_insert(table, key_data + begin, end - begin) == row;
    if (sound && row_bytes > 0) memcpy(adl_table_row(table, row), row_data + row * row_bytes, (size_t)row_bytes);
    begin = end;
  }
  if (!sound || begin != keys->tensor.count)
    return REFUSE(reader, "keyed table `%s` has keys that lie outside it, or the same key twice", name);
  return true;
}

/* Does the entry belong to a keyed table, or is it padding? */
static bool is_inner(GHashTable *inner, const entry *e) {
  return g_str_has_prefix(e->name, "_pad.") || g_hash_table_contains(inner, e->name);
}

static bool add_array(model_reader *reader, adl_tensors *tensors, const entry *e) {
  adl_tensor tensor = e->tensor;
  const char *bytes = reader->data + e->begin;
  gpointer told;
  if (g_hash_table_lookup_extended(reader->elements, e->name, NULL, &told)) {
    int32_t element = GPOINTER_TO_INT(told);
    if (!(tensor.element == ADL_INT64 && element == ADL_TIMESTAMP) &&
        !(tensor.element == ADL_BYTES && element == ADL_STRING))
      return REFUSE(reader, "tensor `%s` cannot be of %s", e->name, adl_element_name(element));
    tensor.element = element;
  }
  if (tensor.element == ADL_BOOL)
    for (int64_t i = 0; i < tensor.count; i++)
      if ((uint8_t)bytes[i] > 1) return REFUSE(reader, "tensor `%s` of BOOL holds a byte that is not 0 or 1", e->name);
  if ((uintptr_t)bytes % ADL_ALIGNMENT == 0) {
    tensor.data = (void *)bytes;
    adl_tensors_lend(tensors, e->name, &tensor);
    return true;
  }
  const char *why = NULL;
  void *data = adl_tensors_get(tensors, e->name, (adl_element)tensor.element, tensor.dimensions, tensor.size, &why);
  if (data == NULL) return REFUSE(reader, "tensor `%s`: %s", e->name, why);
  if (e->end > e->begin) memcpy(data, bytes, (size_t)(e->end - e->begin));
  return true;
}

static adl_tensors *make_tensors(model_reader *reader) {
  static const char *const suffixes[] = {".keys", ".key_offsets", ".rows"};
  adl_tensors *tensors = adl_tensors_new();
  GHashTable *inner = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  bool fine = true;
  for (guint i = 0; i < reader->tables->len; i++)
    for (int s = 0; s < 3; s++)
      g_hash_table_add(inner, g_strconcat(g_ptr_array_index(reader->tables, i), suffixes[s], NULL));
  for (guint i = 0; i < reader->entries->len && fine; i++) {
    const entry *e = &g_array_index(reader->entries, entry, i);
    if (!is_inner(inner, e)) fine = add_array(reader, tensors, e);
  }
  for (guint i = 0; i < reader->tables->len && fine; i++)
    fine = fill_table(reader, tensors, g_ptr_array_index(reader->tables, i));
  g_hash_table_destroy(inner);
  if (!fine) {
    adl_tensors_free(tensors);
    return NULL;
  }
  adl_tensors_keep(tensors, reader->map, release_mapping);
  reader->map = NULL;
  return tensors;
}

adl_tensors *adl_model_read(const char *path, adl_model_meta **meta, GError **error) {
  model_reader reader = {.path = path, .error = error};
  adl_tensors *tensors = NULL;
  if (meta != NULL) *meta = NULL;
  if (!map_file(&reader)) return NULL;
  reader.entries = g_array_new(FALSE, FALSE, sizeof(entry));
  reader.by_name = g_hash_table_new(g_str_hash, g_str_equal);
  reader.tables = g_ptr_array_new_with_free_func(g_free);
  reader.elements = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  JsonObject *header = parse_header(&reader);
  if (header != NULL && read_entries(&reader, header) && read_meta(&reader, header) && check_sum(&reader))
    tensors = make_tensors(&reader);
  if (tensors != NULL && meta != NULL) {
    *meta = reader.meta;
    reader.meta = NULL;
  }
  adl_model_meta_free(reader.meta);
  g_hash_table_destroy(reader.by_name);
  g_array_free(reader.entries, TRUE);
  g_ptr_array_free(reader.tables, TRUE);
  g_hash_table_destroy(reader.elements);
  if (reader.parser != NULL) g_object_unref(reader.parser);
  if (reader.map != NULL) release_mapping(reader.map);
  return tensors;
}
