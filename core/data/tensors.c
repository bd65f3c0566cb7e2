/* Sets of named arrays and keyed tables, see tensors.h. Arrays are zeroed storage that grows; lent ones are copied when
 * somebody wants to write. */
#include "core/data/tensors.h"

#include <glib.h>
#include <string.h>

#include "core/base/aligned.h"
#include "core/data/table.h"

typedef struct named_array {
  char *name;
  adl_tensor tensor;
  adl_zeroed storage; /* data NULL: lent */
} named_array;

typedef struct named_table {
  char *name;
  adl_table *table;
} named_table;

typedef struct keeper {
  void *owner;
  void (*release)(void *owner);
} keeper;

struct adl_tensors {
  GPtrArray *arrays;    /* of named_array */
  GPtrArray *tables;    /* of named_table */
  GHashTable *array_of; /* name to named_array */
  GHashTable *table_of; /* name to named_table */
  GArray *keepers;
};

static void free_array(gpointer data) {
  named_array *array = data;
  adl_zeroed_clear(&array->storage);
  g_free(array->name);
  g_free(array);
}

static void free_table(gpointer data) {
  named_table *table = data;
  adl_table_free(table->table);
  g_free(table->name);
  g_free(table);
}

adl_tensors *adl_tensors_new(void) {
  adl_tensors *tensors = g_new0(adl_tensors, 1);
  tensors->arrays = g_ptr_array_new_with_free_func(free_array);
  tensors->tables = g_ptr_array_new_with_free_func(free_table);
  tensors->array_of = g_hash_table_new(g_str_hash, g_str_equal);
  tensors->table_of = g_hash_table_new(g_str_hash, g_str_equal);
  tensors->keepers = g_array_new(FALSE, FALSE, sizeof(keeper));
  return tensors;
}

void adl_tensors_free(adl_tensors *tensors) {
  if (tensors == NULL) return;
  g_hash_table_destroy(tensors->array_of);
  g_hash_table_destroy(tensors->table_of);
  g_ptr_array_free(tensors->arrays, TRUE);
  g_ptr_array_free(tensors->tables, TRUE);
  for (guint i = 0; i < tensors->keepers->len; i++) {
    keeper *keep = &g_array_index(tensors->keepers, keeper, i);
    keep->release(keep->owner);
  }
  g_array_free(tensors->keepers, TRUE);
  g_free(tensors);
}

void adl_tensors_keep(adl_tensors *tensors, void *owner, void (*release)(void *owner)) {
  keeper keep = {owner, release};
  g_array_append_val(tensors->keepers, keep);
}

/* ---- arrays ---- */

int64_t adl_tensor_element_size(adl_element element) {
  static const uint8_t sizes[] = {1, 4, 8, 4, 4, 8, 8, 1, 1};
  return (unsigned)element < sizeof sizes ? sizes[element] : 0;
}

static int64_t bytes_of(const adl_tensor *tensor) {
  return tensor->count * adl_tensor_element_size((adl_element)tensor->element);
}

/* Product of the sizes; false: one is negative, or it is more than memory has addresses. */
static bool count_elements(int32_t dimensions, const int64_t *size, int64_t *count) {
  *count = 1;
  for (int32_t i = 0; i < dimensions; i++) {
    if (size[i] < 0 || __builtin_mul_overflow(*count, size[i], count) || *count > (INT64_C(1) << 47)) return false;
  }
  return true;
}

static named_array *new_array(adl_tensors *tensors, const char *name, const adl_tensor *tensor) {
  named_array *array = g_new0(named_array, 1);
  array->name = g_strdup(name);
  array->tensor = *tensor;
  g_ptr_array_add(tensors->arrays, array);
  g_hash_table_insert(tensors->array_of, array->name, array);
  return array;
}

static void *fail(const char **why, const char *reason) {
  if (why != NULL) *why = reason;
  return NULL;
}

static void *make(adl_tensors *tensors, const char *name, const adl_tensor *shape, const char **why) {
  adl_zeroed storage;
  if (g_hash_table_contains(tensors->table_of, name)) return fail(why, "There is a keyed table of that name.");
  if (!adl_zeroed_init(&storage, bytes_of(shape))) return fail(why, "That much memory cannot be had.");
  named_array *array = new_array(tensors, name, shape);
  array->storage = storage;
  return array->tensor.data = storage.data;
}

/* A lent array becomes the set's own. */
static bool own(named_array *array) {
  if (array->storage.data != NULL) return true;
  if (!adl_zeroed_init(&array->storage, bytes_of(&array->tensor))) return false;
  if (array->tensor.count > 0) memcpy(array->storage.data, array->tensor.data, (size_t)bytes_of(&array->tensor));
  array->tensor.data = array->storage.data;
  return true;
}

static bool resize(named_array *array, const adl_tensor *shape) {
  if (shape->count == array->tensor.count && shape->size[0] == array->tensor.size[0]) return true;
  if (!adl_zeroed_resize(&array->storage, bytes_of(shape))) return false;
  array->tensor = *shape;
  array->tensor.data = array->storage.data;
  return true;
}

void *adl_tensors_get(adl_tensors *tensors, const char *name, adl_element element, int32_t dimensions,
                      const int64_t *size, const char **why) {
  adl_tensor shape = {.element = (int32_t)element, .dimensions = dimensions};
  if (why != NULL) *why = NULL;
  if (name == NULL || name[0] == '\0') return fail(why, "A tensor must have a name.");
  if (adl_tensor_element_size(element) == 0) return fail(why, "There is no such element.");
  if (dimensions < 0 || dimensions > ADL_MAX_DIMENSIONS) return fail(why, "A tensor has 0 to 4 dimensions.");
  if (!count_elements(dimensions, size, &shape.count)) return fail(why, "A size is negative, or the tensor too large.");
  for (int32_t i = 0; i < dimensions; i++) shape.size[i] = size[i];
  named_array *array = g_hash_table_lookup(tensors->array_of, name);
  if (array == NULL) return make(tensors, name, &shape, why);
  if (array->tensor.element != shape.element) return fail(why, "The tensor is there with another element.");
  if (array->tensor.dimensions != dimensions) return fail(why, "The tensor is there with other dimensions.");
  for (int32_t i = 1; i < dimensions; i++)
    if (array->tensor.size[i] != size[i]) return fail(why, "Only the first size of a tensor can change.");
  if (!own(array) || !resize(array, &shape)) return fail(why, "That much memory cannot be had.");
  return array->tensor.data;
}

bool adl_tensors_find(const adl_tensors *tensors, const char *name, adl_tensor *tensor) {
  const named_array *array = g_hash_table_lookup(tensors->array_of, name);
  *tensor = array != NULL ? array->tensor : (adl_tensor){0};
  return array != NULL;
}

void adl_tensors_lend(adl_tensors *tensors, const char *name, const adl_tensor *tensor) {
  adl_tensors_drop(tensors, name);
  new_array(tensors, name, tensor);
}

bool adl_tensors_at(const adl_tensors *tensors, int32_t number, const char **name, adl_tensor *tensor) {
  if (number < 0 || (guint)number >= tensors->arrays->len) return false;
  const named_array *array = g_ptr_array_index(tensors->arrays, number);
  *name = array->name;
  *tensor = array->tensor;
  return true;
}

/* ---- tables ---- */

static adl_table *new_table(adl_tensors *tensors, const char *name, adl_table *table) {
  named_table *named = g_new0(named_table, 1);
  named->name = g_strdup(name);
  named->table = table;
  g_ptr_array_add(tensors->tables, named);
  g_hash_table_insert(tensors->table_of, named->name, named);
  return table;
}

adl_table *adl_tensors_table(adl_tensors *tensors, const char *name, int64_t width) {
  if (name == NULL || name[0] == '\0' || width < 0 || width > INT32_MAX) return NULL;
  named_table *named = g_hash_table_lookup(tensors->table_of, name);
  if (named != NULL) return named->table != NULL && adl_table_width(named->table) == width ? named->table : NULL;
  if (g_hash_table_contains(tensors->array_of, name)) return NULL;
  return new_table(tensors, name, adl_table_new(width));
}

const adl_table *adl_tensors_find_table(const adl_tensors *tensors, const char *name) {
  const named_table *named = g_hash_table_lookup(tensors->table_of, name);
  return named != NULL ? named->table : NULL;
}

bool adl_tensors_table_at(const adl_tensors *tensors, int32_t number, const char **name, const adl_table **table) {
  if (number < 0 || (guint)number >= tensors->tables->len) return false;
  const named_table *named = g_ptr_array_index(tensors->tables, number);
  *name = named->name;
  *table = named->table;
  return true;
}

/* ---- whole sets ---- */

void adl_tensors_drop(adl_tensors *tensors, const char *name) {
  named_array *array = g_hash_table_lookup(tensors->array_of, name);
  named_table *table = g_hash_table_lookup(tensors->table_of, name);
  if (array != NULL) {
    g_hash_table_remove(tensors->array_of, name);
    g_ptr_array_remove(tensors->arrays, array);
  }
  if (table != NULL) {
    g_hash_table_remove(tensors->table_of, name);
    g_ptr_array_remove(tensors->tables, table);
  }
}

/* Out of memory ends the program: sets are copied by the core, for no caller who could go on without. */
static named_array *make_like(adl_tensors *tensors, const char *name, const adl_tensor *shape) {
  const char *why = NULL;
  if (make(tensors, name, shape, &why) == NULL) g_error("tensor %s: %s", name, why);
  return g_ptr_array_index(tensors->arrays, tensors->arrays->len - 1);
}

adl_tensors *adl_tensors_like(const adl_tensors *tensors) {
  adl_tensors *like = adl_tensors_new();
  for (guint i = 0; i < tensors->arrays->len; i++) {
    const named_array *array = g_ptr_array_index(tensors->arrays, i);
    make_like(like, array->name, &array->tensor);
  }
  for (guint i = 0; i < tensors->tables->len; i++) {
    const named_table *table = g_ptr_array_index(tensors->tables, i);
    new_table(like, table->name, adl_table_new(adl_table_width(table->table)));
  }
  return like;
}

static void copy_array(adl_tensors *into, const named_array *array) {
  named_array *copy = make_like(into, array->name, &array->tensor);
  if (array->tensor.count > 0) memcpy(copy->tensor.data, array->tensor.data, (size_t)bytes_of(&array->tensor));
}

adl_tensors *adl_tensors_copy(const adl_tensors *tensors) {
  adl_tensors *copy = adl_tensors_new();
  for (guint i = 0; i < tensors->arrays->len; i++) copy_array(copy, g_ptr_array_index(tensors->arrays, i));
  for (guint i = 0; i < tensors->tables->len; i++) {
    const named_table *table = g_ptr_array_index(tensors->tables, i);
    new_table(copy, table->name, adl_table_copy(table->table));
  }
  return copy;
}

/* Why the two sets cannot be added; NULL: they can. */
static const char *cannot_add(const adl_tensors *into, const adl_tensors *from) {
  for (guint i = 0; i < from->arrays->len; i++) {
    const named_array *b = g_ptr_array_index(from->arrays, i);
    const named_array *a = g_hash_table_lookup(into->array_of, b->name);
    if (b->tensor.element == ADL_BYTES || b->tensor.element == ADL_STRING)
      return "Tensors of bytes cannot be added; such a fold needs a merge of its own.";
    if (g_hash_table_contains(into->table_of, b->name)) return "A name is a tensor here and a keyed table there.";
    if (a == NULL) continue;
    if (a->tensor.element != b->tensor.element) return "Tensors of one name have different elements.";
    if (a->tensor.dimensions != b->tensor.dimensions ||
        memcmp(a->tensor.size, b->tensor.size, sizeof(int64_t) * (size_t)a->tensor.dimensions) != 0)
      return "Tensors of one name have different sizes.";
  }
  for (guint i = 0; i < from->tables->len; i++) {
    const named_table *b = g_ptr_array_index(from->tables, i);
    const named_table *a = g_hash_table_lookup(into->table_of, b->name);
    if (g_hash_table_contains(into->array_of, b->name)) return "A name is a keyed table here and a tensor there.";
    if (a != NULL && adl_table_width(a->table) != adl_table_width(b->table))
      return "Keyed tables of one name have different widths.";
  }
  return NULL;
}

#define ADD(type)                                                                                                      \
  do {                                                                                                                 \
    type *to = into->data;                                                                                             \
    const type *values = from->data;                                                                                   \
    for (int64_t i = 0; i < into->count; i++) to[i] = (type)(to[i] + values[i]);                                       \
  } while (0)

static void add_array(adl_tensor *into, const adl_tensor *from) {
  switch (from->element) {
    case ADL_FLOAT32: ADD(float); break;
    case ADL_FLOAT64: ADD(double); break;
    case ADL_INT32:
    case ADL_UINT32: ADD(uint32_t); break; /* wraps, in either reading of the bits */
    case ADL_INT64:
    case ADL_TIMESTAMP: ADD(uint64_t); break;
    default: /* bool: either */
      for (int64_t i = 0; i < into->count; i++) ((uint8_t *)into->data)[i] |= ((const uint8_t *)from->data)[i];
  }
}

bool adl_tensors_add(adl_tensors *into, const adl_tensors *from, const char **why) {
  const char *reason = cannot_add(into, from);
  if (why != NULL) *why = reason;
  if (reason != NULL) return false;
  for (guint i = 0; i < from->arrays->len; i++) {
    const named_array *b = g_ptr_array_index(from->arrays, i);
    named_array *a = g_hash_table_lookup(into->array_of, b->name);
    if (a == NULL)
      copy_array(into, b);
    else if (own(a))
      add_array(&a->tensor, &b->tensor);
    else
      g_error("tensor %s: out of memory", a->name);
  }
  for (guint i = 0; i < from->tables->len; i++) {
    const named_table *b = g_ptr_array_index(from->tables, i);
    const named_table *a = g_hash_table_lookup(into->table_of, b->name);
    if (a == NULL)
      new_table(into, b->name, adl_table_copy(b->table));
    else
      adl_table_add(a->table, b->table);
  }
  return true;
}

int64_t adl_tensors_bytes(const adl_tensors *tensors) {
  int64_t bytes = (int64_t)sizeof *tensors;
  for (guint i = 0; i < tensors->arrays->len; i++)
    bytes += bytes_of(&((const named_array *)g_ptr_array_index(tensors->arrays, i))->tensor);
  for (guint i = 0; i < tensors->tables->len; i++)
    bytes += adl_table_bytes(((const named_table *)g_ptr_array_index(tensors->tables, i))->table);
  return bytes;
}

bool adl_tensors_empty(const adl_tensors *tensors) { return tensors->arrays->len == 0 && tensors->tables->len == 0; }

/* `to` moves into the memory of `from`'s, and the other way round: pointers to `to`'s values are still good. */
static void keep_place(named_array *to, named_array *from) {
  adl_zeroed storage = to->storage;
  memcpy(storage.data, from->tensor.data, (size_t)bytes_of(&from->tensor));
  to->storage = from->storage;
  to->tensor.data = to->storage.data;
  from->storage = storage;
  from->tensor.data = storage.data;
}

static bool same_shape(const adl_tensor *a, const adl_tensor *b) {
  return a->element == b->element && a->dimensions == b->dimensions && memcmp(a->size, b->size, sizeof a->size) == 0;
}

void adl_tensors_replace(adl_tensors *into, adl_tensors *from) {
  for (guint i = 0; i < from->arrays->len; i++) {
    named_array *array = g_ptr_array_index(from->arrays, i), *old = g_hash_table_lookup(into->array_of, array->name);
    bool own = array->storage.data != NULL && old != NULL && old->storage.data != NULL;
    if (own && same_shape(&array->tensor, &old->tensor)) keep_place(old, array);
  }
  for (guint i = 0; i < from->tables->len; i++) {
    named_table *table = g_ptr_array_index(from->tables, i), *old = g_hash_table_lookup(into->table_of, table->name);
    if (old == NULL || adl_table_width(old->table) != adl_table_width(table->table)) continue;
    adl_table_swap(old->table, table->table);
    adl_table *content = table->table;
    table->table = old->table;
    old->table = content;
  }
  adl_tensors content = *into;
  *into = *from;
  *from = content;
}
