/* Arrow arrays made by hand, as another library would make them, which count how often they are released. For the tests of
 * Arrow import. */
#ifndef ADLOOM_TESTS_DATA_ARROW_SAMPLE_H
#define ADLOOM_TESTS_DATA_ARROW_SAMPLE_H

#include <check.h>
#include <string.h>

#include "core/base/aligned.h"
#include "core/data/arrow.h"
#include "tests/data/sample.h"

/* A schema and an array with room for everything; nothing is allocated, so it stays where it is and is used once. */
typedef struct made {
  struct ArrowSchema schema, schemas[4], *schema_children[4][2];
  struct ArrowArray array, arrays[4], *array_children[4][2];
  const void *buffers[5][3];
  int used;     /* of the structs below the first */
  int released; /* how often the array was */
} made;

static inline void made_release_schema(struct ArrowSchema *schema) { schema->release = NULL; }

/* Also of children: only the root counts. */
static inline void made_release_array(struct ArrowArray *array) {
  made *m = array->private_data;
  if (m != NULL) m->released++;
  array->release = NULL;
}

static inline void made_node(struct ArrowSchema *schema, struct ArrowArray *array, const void **buffers,
                             const char *format, int64_t length, int64_t buffer_count) {
  *schema = (struct ArrowSchema){.format = format, .name = "", .flags = 2, .release = made_release_schema};
  *array = (struct ArrowArray){
      .length = length, .n_buffers = buffer_count, .buffers = buffers, .release = made_release_array};
}

static inline made *made_new(const char *format, int64_t length, int64_t buffer_count) {
  made *m = g_new0(made, 1);
  made_node(&m->schema, &m->array, m->buffers[4], format, length, buffer_count);
  m->array.private_data = m;
  return m;
}

/* One more child of the root (parent -1) or of child number `parent`; its number. */
static inline int made_child(made *m, int parent, const char *format, int64_t length, int64_t buffer_count) {
  int number = m->used++;
  struct ArrowSchema *schema = parent < 0 ? &m->schema : &m->schemas[parent];
  struct ArrowArray *array = parent < 0 ? &m->array : &m->arrays[parent];
  struct ArrowSchema **schemas = m->schema_children[parent < 0 ? 3 : parent];
  struct ArrowArray **arrays = m->array_children[parent < 0 ? 3 : parent];
  made_node(&m->schemas[number], &m->arrays[number], m->buffers[number], format, length, buffer_count);
  schemas[schema->n_children++] = &m->schemas[number];
  arrays[array->n_children++] = &m->arrays[number];
  schema->children = schemas;
  array->children = arrays;
  return number;
}

/* Imports it, with the width and role that its schema says. NULL and *why: refused. */
static inline adl_array *made_import(made *m, bool padded, char **why) {
  adl_arrow_layout layout;
  *why = NULL;
  if (!adl_arrow_read_schema(&m->schema, &layout, why)) return NULL;
  return adl_arrow_import(&layout, layout.type, &m->array, padded, why);
}

static inline adl_array *made_take(made *m) {
  char *why = NULL;
  adl_array *array = made_import(m, false, &why);
  ck_assert_msg(array != NULL, "%s", why);
  ck_assert_ptr_null(m->array.release);
  return array;
}

/* The array is refused with a sentence that has `words` in it, and released once. */
static inline void made_refused(made *m, const char *words) {
  char *why = NULL;
  adl_array *array = made_import(m, false, &why);
  ck_assert_msg(array == NULL, "not refused: %s", words);
  ck_assert_msg(why != NULL && strstr(why, words) != NULL, "`%s` does not say `%s`", why, words);
  ck_assert_int_eq(m->released, 1);
  ck_assert_ptr_null(m->array.release);
  g_free(why);
  g_free(m);
}

/* The same for a schema, which is read before the array is touched. */
static inline void made_schema_refused(made *m, const char *words) {
  char *why = NULL;
  adl_arrow_layout layout;
  ck_assert_msg(!adl_arrow_read_schema(&m->schema, &layout, &why), "not refused: %s", words);
  ck_assert_msg(why != NULL && strstr(why, words) != NULL, "`%s` does not say `%s`", why, words);
  g_free(why);
  g_free(m);
}

#endif
