/* Arrow arrays and schemas that are wrong, each in one way: refused with a sentence, released once. And a great many that
 * were changed at random, of which each is either refused or makes a column that is sound. */
#include <stdlib.h>

#include "tests/data/arrow_sample.h"

static const int32_t three[] = {0, 1, 3, 4, 4};
static const uint32_t indices[] = {0, 2, 5, 1};
static const float values[] = {1, 2, 3, 4};

/* Sound arrays to spoil. */

static made *ints(void) {
  made *m = made_new("i", 4, 2);
  m->buffers[4][1] = three;
  return m;
}

static made *texts(void) {
  made *m = made_new("u", 3, 3);
  m->buffers[4][1] = three;
  m->buffers[4][2] = "abcd";
  return m;
}

/* Children: 0 */
static made *list(void) {
  made *m = made_new("+l", 3, 2);
  m->buffers[4][1] = three;
  int items = made_child(m, -1, "f", 4, 2);
  m->buffers[items][1] = values;
  return m;
}

static made *vector(void) {
  made *m = made_new("+w:2", 2, 1);
  int items = made_child(m, -1, "f", 4, 2);
  m->buffers[items][1] = values;
  return m;
}

/* Children: 0, the structs; 1 and 2, their fields. */
static made *sparse(void) {
  made *m = made_new("+l", 3, 2);
  m->buffers[4][1] = three;
  int items = made_child(m, -1, "+s", 4, 1);
  int first = made_child(m, items, "I", 4, 2), second = made_child(m, items, "f", 4, 2);
  m->buffers[first][1] = indices;
  m->buffers[second][1] = values;
  return m;
}

static made *dictionary(const void *keys) {
  made *m = made_new("c", 3, 2);
  made_node(&m->schemas[0], &m->arrays[0], m->buffers[0], "u", 3, 3);
  m->buffers[0][1] = three;
  m->buffers[0][2] = "abcd";
  m->schema.dictionary = &m->schemas[0];
  m->array.dictionary = &m->arrays[0];
  m->buffers[4][1] = keys;
  return m;
}

START_TEST(the_unspoilt_are_taken) {
  static const int8_t keys[] = {0, 2, 1};
  made *all[] = {ints(), texts(), list(), vector(), sparse(), dictionary(keys)};
  for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
    adl_array_unref(made_take(all[i]));
    ck_assert_int_eq(all[i]->released, 1);
    g_free(all[i]);
  }
}
END_TEST

/* ---- schemas ---- */

#define SPOILT_SCHEMA(make, change, words)                                                                             \
  do {                                                                                                                 \
    made *m = make;                                                                                                    \
    change;                                                                                                            \
    made_schema_refused(m, words);                                                                                     \
  } while (0)

START_TEST(schemas_that_are_no_schemas) {
  SPOILT_SCHEMA(ints(), m->schema.release = NULL, "the schema of the column has been released");
  SPOILT_SCHEMA(list(), m->schemas[0].release = NULL, "the schema of its items has been released");
  SPOILT_SCHEMA(list(), m->schema_children[3][0] = NULL, "the schema of its items has been released");
  SPOILT_SCHEMA(ints(), m->schema.format = NULL, "the schema of the column has no format");
  SPOILT_SCHEMA(ints(), m->schema.flags = 8, "has flags 8; only 1 (ordered dictionary)");
  SPOILT_SCHEMA(ints(), m->schema.flags = -1, "has flags -1");
  SPOILT_SCHEMA(sparse(), m->schemas[2].flags = 16, "the schema of the second field of its items has flags 16");
  SPOILT_SCHEMA(list(), m->schema.n_children = -1, "has -1 children");
  SPOILT_SCHEMA(list(), m->schema.n_children = 2, "has 2 children; its format needs 1");
  SPOILT_SCHEMA(list(), m->schema.children = NULL, "has 1 children, but where they are it does not say");
  SPOILT_SCHEMA(ints(), made_child(m, -1, "i", 0, 2), "has 1 children; its format needs 0");
  SPOILT_SCHEMA(sparse(), m->schemas[0].n_children = 1, "the schema of its items has 1 children; its format needs 2");
}
END_TEST

START_TEST(formats_that_are_not_known) {
  static const char *const unknown[] = {"",    "n",     "c",   "C",   "s",    "S",       "L",       "e",   "vu", "vz",
                                        "w:8", "d:9,2", "tdD", "tts", "tsu:", "tss:UTC", "tsn:UTC", "tiM", "ii", "u "};
  for (size_t i = 0; i < G_N_ELEMENTS(unknown); i++)
    SPOILT_SCHEMA(ints(), m->schema.format = unknown[i], "; known are b (bool), i (int32)");
  static const char *const nested[] = {"+s", "+m", "+ud:0,1", "+r", "+vl", "+", "+l "};
  for (size_t i = 0; i < G_N_ELEMENTS(nested); i++)
    SPOILT_SCHEMA(list(), m->schema.format = nested[i], "; of the nested ones, +l, +L and +w:N are known");
  static const char *const widths[] = {"+w:", "+w:0", "+w:-1", "+w:2147483648", "+w:2 ", "+w:x", "+w: 2"};
  for (size_t i = 0; i < G_N_ELEMENTS(widths); i++)
    SPOILT_SCHEMA(vector(), m->schema.format = widths[i], "a vector has a width from 1 to 2147483647");
  SPOILT_SCHEMA(ints(), m->schema.format = "a\nb\x1b[1m", "the format of the column is 'a\\nb");
  SPOILT_SCHEMA(list(), m->schemas[0].format = "+l", "the format of its items is '+l'");
  SPOILT_SCHEMA(list(), m->schemas[0].format = "b", "There are no lists of bool.");
  SPOILT_SCHEMA(vector(), m->schemas[0].format = "i", "Vectors hold float32 or float64.");
  SPOILT_SCHEMA(sparse(), m->schemas[1].format = "l", "its items are structs of l and f; known are I and f");
  SPOILT_SCHEMA(sparse(), m->schemas[2].format = "u", "its items are structs of I and u");
  SPOILT_SCHEMA(sparse(), m->schema.format = "+w:2", "the format of its items is '+s'");
}
END_TEST

START_TEST(dictionaries_that_are_none) {
  SPOILT_SCHEMA(dictionary(NULL), m->schema.format = "f", "keys of a dictionary are integers");
  SPOILT_SCHEMA(dictionary(NULL), m->schema.format = "", "keys of a dictionary are integers");
  SPOILT_SCHEMA(dictionary(NULL), m->schemas[0].release = NULL, "the schema of the dictionary has been released");
  SPOILT_SCHEMA(dictionary(NULL), m->schemas[0].format = "+l", "the format of the dictionary is '+l'");
  SPOILT_SCHEMA(dictionary(NULL), m->schemas[0].dictionary = &m->schemas[1],
                "the schema of the dictionary has a dictionary");
  SPOILT_SCHEMA(list(), m->schemas[0].dictionary = &m->schemas[1],
                "the schema of its items has a dictionary; decode it first");
  SPOILT_SCHEMA(sparse(), m->schemas[2].dictionary = &m->schemas[3], "second field of its items has a dictionary");
}
END_TEST

START_TEST(metadata_that_are_wrong) {
  static const struct {
    const char *bytes, *words;
  } wrong[] = {
      {"\377\377\377\377", "the metadata say that there are -1 of them"},
      {"\1\0\0\0\377\377\377\377", "the metadata have a text of -1 bytes"},
      {"\1\0\0\0\1\0\0\0x\376\377\377\377", "the metadata have a text of -2 bytes"},
      {"\1\0\0\0\13\0\0\0adloom.role\4\0\0\0none", "adloom.role in the metadata is number or category, not 'none'"},
      {"\1\0\0\0\13\0\0\0adloom.role\0\0\0\0", "not ''"},
      {"\2\0\0\0\13\0\0\0adloom.role\6\0\0\0number\13\0\0\0adloom.role\6\0\0\0number", "have adloom.role twice"},
      {"\1\0\0\0\14\0\0\0adloom.width\1\0\0\0x",
       "adloom.width in the metadata is a number from 1 to 4294967296, not 'x'"},
      {"\1\0\0\0\14\0\0\0adloom.width\1\0\0\0000", "not '0'"},
      {"\1\0\0\0\14\0\0\0adloom.width\2\0\0\0-3", "not '-3'"}};
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
    SPOILT_SCHEMA(sparse(), m->schema.metadata = wrong[i].bytes, wrong[i].words);
  SPOILT_SCHEMA(texts(), m->schema.metadata = "\1\0\0\0\13\0\0\0adloom.role\6\0\0\0number",
                "Strings are always categories.");
  SPOILT_SCHEMA(sparse(), m->schema.metadata = "\1\0\0\0\13\0\0\0adloom.role\10\0\0\0category",
                "Vectors and sparse columns are always numbers.");
}
END_TEST

/* ---- arrays ---- */

#define SPOILT(make, change, words)                                                                                    \
  do {                                                                                                                 \
    made *m = make;                                                                                                    \
    change;                                                                                                            \
    made_refused(m, words);                                                                                            \
  } while (0)

START_TEST(arrays_that_have_been_released) {
  made *gone = ints();
  adl_arrow_layout layout;
  char *why = NULL;
  ck_assert(adl_arrow_read_schema(&gone->schema, &layout, &why));
  gone->array.release = NULL;
  ck_assert_ptr_null(adl_arrow_import(&layout, layout.type, &gone->array, false, &why));
  ck_assert_str_eq(why, "the array of the column has been released");
  g_free(why);
  ck_assert_ptr_null(adl_arrow_import(&layout, layout.type, NULL, false, &why));
  ck_assert_str_eq(why, "the array of the column has been released");
  g_free(why);
  ck_assert_int_eq(gone->released, 0);
  g_free(gone);
  SPOILT(list(), m->arrays[0].release = NULL, "the array of its items has been released");
  SPOILT(sparse(), m->array_children[0][1] = NULL, "the array of the second field of its items has been released");
  SPOILT(dictionary(three), m->arrays[0].release = NULL, "the array of the dictionary has been released");
}
END_TEST

START_TEST(counts_that_are_wrong) {
  SPOILT(ints(), m->array.length = -1, "has a length of -1");
  SPOILT(ints(), m->array.length = INT64_MIN, "has a length of -9223372036854775808");
  SPOILT(ints(), m->array.length = INT64_MAX, "has 9223372036854775807 rows; a column of one batch has at most");
  SPOILT(ints(), m->array.length = INT64_C(1) << 31,
         "has 2147483648 rows; a column of one batch has at most 2147483647");
  SPOILT(ints(), m->array.offset = -1, "has an offset of -1");
  SPOILT(ints(), m->array.offset = INT64_MAX, "has an offset of 9223372036854775807");
  SPOILT(ints(), m->array.null_count = -2, "has a null count of -2 in 4 rows");
  SPOILT(ints(), m->array.null_count = 5, "has a null count of 5 in 4 rows");
  SPOILT(ints(), m->array.n_buffers = 1, "has 1 buffers; its format needs 2");
  SPOILT(ints(), m->array.n_buffers = -1, "has -1 buffers; its format needs 2");
  SPOILT(texts(), m->array.n_buffers = 2, "has 2 buffers; its format needs 3");
  SPOILT(vector(), m->array.n_buffers = 2, "has 2 buffers; its format needs 1");
  SPOILT(sparse(), m->arrays[0].n_buffers = 0, "the array of its items has 0 buffers; its format needs 1");
  SPOILT(ints(), m->array.n_children = 1, "has 1 children; its format needs 0");
  SPOILT(list(), m->array.n_children = 0, "has 0 children; its format needs 1");
  SPOILT(sparse(), m->arrays[0].n_children = -2, "the array of its items has -2 children; its format needs 2");
  SPOILT(list(), m->array.children = NULL, "does not say where its children are");
  SPOILT(ints(), m->array.buffers = NULL, "does not say where its buffers are");
  SPOILT(ints(), m->array.dictionary = &m->arrays[0], "has a dictionary, its schema has none");
  SPOILT(dictionary(three), m->array.dictionary = NULL, "has no dictionary, its schema has one");
  SPOILT(list(), m->arrays[0].offset = -3, "the array of its items has an offset of -3");
}
END_TEST

START_TEST(buffers_that_are_missing) {
  SPOILT(ints(), m->buffers[4][1] = NULL, "the array of the column lacks buffer 1");
  SPOILT(texts(), m->buffers[4][1] = NULL, "the array of the column lacks buffer 1");
  SPOILT(texts(), m->buffers[4][2] = NULL, "has texts, but lacks buffer 2");
  SPOILT(list(), m->buffers[0][1] = NULL, "the array of its items lacks buffer 1");
  SPOILT(sparse(), m->buffers[1][1] = NULL, "the array of the first field of its items lacks buffer 1");
  SPOILT(ints(), m->array.null_count = 1, "has 1 nulls, but no validity buffer");
}
END_TEST

START_TEST(nulls_that_are_wrong) {
  static const uint8_t two_nulls[] = {0x0a};
  SPOILT(ints(), (m->array.null_count = 1, m->buffers[4][0] = two_nulls), "says it has 1 nulls; there are 2");
  SPOILT(ints(), (m->array.null_count = 0, m->buffers[4][0] = two_nulls), "says it has 0 nulls; there are 2");
  SPOILT(list(), (m->arrays[0].null_count = 2, m->buffers[0][0] = two_nulls),
         "there is a null among the values of its items, in row 0");
  SPOILT(vector(), (m->arrays[0].null_count = -1, m->buffers[0][0] = two_nulls),
         "there is a null among the values of its items, in row 0");
  SPOILT(sparse(), (m->arrays[0].null_count = -1, m->buffers[0][0] = two_nulls),
         "there is a null among the values of its items, in row 0");
  SPOILT(sparse(), (m->arrays[2].null_count = -1, m->buffers[2][0] = two_nulls),
         "there is a null among the values of the second field of its items, in row 0");
}
END_TEST

START_TEST(offsets_that_are_wrong) {
  static const int32_t below[] = {-1, 1, 3, 4}, fall[] = {0, 3, 2, 4}, past[] = {0, 1, 3, 5};
  static const int64_t far[] = {0, 1, 3, INT64_C(1) << 31}, farther[] = {0, 1, 3, INT64_MAX};
  SPOILT(texts(), m->buffers[4][1] = below, "the first offset of the column is -1");
  SPOILT(texts(), m->buffers[4][1] = fall, "the offsets of the column fall from 3 to 2 at place 2");
  SPOILT(list(), m->buffers[4][1] = below, "the first offset of the column is -1");
  SPOILT(list(), m->buffers[4][1] = fall, "the offsets of the column fall from 3 to 2 at place 2");
  SPOILT(list(), m->buffers[4][1] = past, "its items has a length of 4, but places 0 to 5 are used");
  SPOILT(sparse(), m->buffers[4][1] = past, "its items has a length of 4, but places 0 to 5 are used");
  SPOILT(sparse(), m->arrays[2].length = 3, "second field of its items has a length of 3, but places 0 to 4 are used");
  SPOILT(sparse(), m->arrays[0].offset = 1, "first field of its items has a length of 4, but places 1 to 5 are used");
  SPOILT(vector(), m->arrays[0].length = 3, "its items has a length of 3, but places 0 to 4 are used");
  SPOILT(vector(), m->array.offset = 1, "its items has a length of 4, but places 2 to 6 are used");
  SPOILT(vector(), (m->schema.format = "+w:2147483647", m->array.offset = INT64_C(1) << 40),
         "more items than there are");
  SPOILT(texts(), (m->schema.format = "U", m->buffers[4][1] = far),
         "the offsets of the column span 2147483648; a column of one batch has at most 2147483647");
  SPOILT(texts(), (m->schema.format = "U", m->buffers[4][1] = farther),
         "the offsets of the column span 9223372036854775807");
  SPOILT(list(), (m->schema.format = "+L", m->buffers[4][1] = far), "the offsets of the column span 2147483648");
}
END_TEST

START_TEST(texts_that_are_not_utf8) {
  SPOILT(texts(),
         m->buffers[4][2] = "ab\xff"
                            "d",
         "the text of row 1 is not valid UTF-8");
  SPOILT(texts(),
         m->buffers[4][2] = "\xc3\xbc"
                            "cd",
         "the text of row 0 is not valid UTF-8"); /* cut in the middle */
  SPOILT(texts(), m->buffers[4][2] = "abc\xc3", "the text of row 2 is not valid UTF-8");
  SPOILT(texts(),
         m->buffers[4][2] = "a\xc0\x80"
                            "d",
         "the text of row 1 is not valid UTF-8");
  SPOILT(texts(),
         m->buffers[4][2] = "a\0\xff"
                            "d",
         "the text of row 1 is not valid UTF-8");
  made *raw = texts();
  raw->schema.format = "z"; /* bytes are bytes */
  raw->buffers[4][2] = "ab\xff"
                       "d";
  adl_array_unref(made_take(raw));
  g_free(raw);
}
END_TEST

START_TEST(indices_that_are_wrong) {
  static const uint32_t falls[] = {0, 5, 2, 1}, repeats[] = {0, 2, 2, 1};
  const char *width = "\1\0\0\0\14\0\0\0adloom.width\1\0\0\0005";
  SPOILT(sparse(), m->buffers[1][1] = falls, "row 1 has the index 2 behind 5; the indices of a row rise");
  SPOILT(sparse(), m->buffers[1][1] = repeats, "row 1 has the index 2 behind 2");
  SPOILT(sparse(), m->schema.metadata = width, "row 1 has the index 5; the column's width is 5");
}
END_TEST

START_TEST(keys_that_are_wrong) {
  static const int8_t past[] = {0, 3, 1}, below[] = {0, 1, -1};
  static const uint64_t huge[] = {0, UINT64_MAX, 1};
  SPOILT(dictionary(past), (void)m, "row 1 has the key 3; the dictionary has 3 values");
  SPOILT(dictionary(below), (void)m, "row 2 has the key -1; the dictionary has 3 values");
  SPOILT(dictionary(huge), m->schema.format = "L", "row 1 has the key -1; the dictionary has 3 values");
  SPOILT(dictionary(past),
         m->buffers[0][2] = "\xff"
                            "bcd",
         "the text of row 0 is not valid UTF-8");
}
END_TEST

/* ---- arrays changed at random ---- */

enum { SLACK = 1024, FUZZ_ROWS = 12, FUZZ_VALUES = 100, FUZZ_TURNS = 3000 };

/* A copy of a buffer with zeros behind it: what an array says of the length of its buffers cannot be checked, so that the
 * changes must stay small. */
static void *roomy(const void *from, int64_t size, GPtrArray *owned) {
  if (from == NULL) return NULL;
  char *copy = g_malloc0((gsize)size + SLACK);
  memcpy(copy, from, (size_t)size);
  g_ptr_array_add(owned, copy);
  return copy;
}

/* An exported column into the structs of `m`. */
static void copy_node(made *m, int parent, const struct ArrowSchema *schema, const struct ArrowArray *array,
                      GPtrArray *owned) {
  int number = parent == -2 ? 4 : made_child(m, parent, schema->format, array->length, array->n_buffers);
  bool fixed = array->n_buffers == 2 && schema->n_children == 0;
  int64_t sizes[] = {(array->length + 7) / 8, (array->length + 1) * 4, 0};
  if (fixed) sizes[1] = array->length * (strchr("lgt", schema->format[0]) != NULL ? 8 : 4);
  if (fixed && schema->format[0] == 'b') sizes[1] = sizes[0];
  if (array->n_buffers == 3) sizes[2] = ((const int32_t *)array->buffers[1])[array->length];
  for (int64_t b = 0; b < array->n_buffers; b++) m->buffers[number][b] = roomy(array->buffers[b], sizes[b], owned);
  (number == 4 ? &m->array : &m->arrays[number])->null_count = array->null_count;
  for (int64_t i = 0; i < array->n_children; i++)
    copy_node(m, number == 4 ? -1 : number, schema->children[i], array->children[i], owned);
}

static made *made_copy(adl_array *column, GPtrArray *owned) {
  struct ArrowSchema schema;
  struct ArrowArray array;
  adl_arrow_export_type(column->view.type, "x", &schema);
  adl_arrow_export(column, &array);
  char *format = g_strdup(schema.format);
  g_ptr_array_add(owned, format);
  made *m = made_new(format, array.length, array.n_buffers);
  copy_node(m, -2, &schema, &array, owned);
  for (int i = 0; i < m->used; i++) {
    m->schemas[i].format = g_strdup(m->schemas[i].format);
    g_ptr_array_add(owned, (void *)(uintptr_t)m->schemas[i].format);
  }
  array.release(&array);
  schema.release(&schema);
  return m;
}

/* A sum that may wrap. */
static int64_t moved(int64_t number, int64_t by) { return (int64_t)((uint64_t)number + (uint64_t)by); }

static void spoil_array(struct ArrowArray *array, GRand *rand) {
  static const int64_t odd[] = {-2, -1, 0, 1, 2, 3, 5, INT64_MIN, INT64_MAX, INT64_C(1) << 31};
  int64_t number = odd[g_rand_int_range(rand, 0, G_N_ELEMENTS(odd))], few = g_rand_int_range(rand, -2, 3);
  switch (g_rand_int_range(rand, 0, 9)) {
    case 0: array->length = moved(array->length, few); break;
    case 1: array->offset = moved(array->offset, few); break;
    case 2: array->null_count = number; break;
    case 3: array->n_buffers = number; break;
    case 4: array->n_children = number; break;
    case 5: array->release = g_rand_boolean(rand) ? array->release : NULL; break;
    case 6:
      if (array->n_buffers > 0) array->buffers[g_rand_int_range(rand, 0, (gint32)MIN(array->n_buffers, 3))] = NULL;
      break;
    case 7: array->length = number > 5 ? number : array->length; break;
    default: array->offset = number > 5 ? INT64_MAX : number; break;
  }
  /* Nobody can tell that so many are not there. */
  if (array->length > FUZZ_VALUES && array->length < INT64_C(1) << 31) array->length = FUZZ_VALUES;
}

static void spoil_schema(struct ArrowSchema *schema, GRand *rand) {
  static const char *const formats[] = {"b", "i", "l",  "I",    "f",    "g",  "tsu:UTC",
                                        "u", "z", "+l", "+w:2", "+w:3", "+s", "x"};
  switch (g_rand_int_range(rand, 0, 4)) {
    case 0: schema->format = formats[g_rand_int_range(rand, 0, G_N_ELEMENTS(formats))]; break;
    case 1: schema->flags = g_rand_int_range(rand, 0, 12); break;
    case 2: schema->n_children += g_rand_int_range(rand, -1, 2); break;
    default: schema->release = g_rand_boolean(rand) ? schema->release : NULL; break;
  }
}

/* Offsets become small numbers, which stay within the slack; other values anything. */
static void spoil_buffer(made *m, GRand *rand) {
  int number = g_rand_int_range(rand, -1, m->used);
  const struct ArrowArray *array = number < 0 ? &m->array : &m->arrays[number];
  const void **buffers = m->buffers[number < 0 ? 4 : number];
  int b = g_rand_int_range(rand, 0, 3);
  if (b >= array->n_buffers || buffers[b] == NULL) return;
  int at = g_rand_int_range(rand, 0, FUZZ_ROWS);
  bool may_be_offsets = b == 1;
  if (may_be_offsets)
    ((int32_t *)(uintptr_t)buffers[b])[at] = g_rand_int_range(rand, -3, 40);
  else
    ((uint8_t *)(uintptr_t)buffers[b])[at] = (uint8_t)g_rand_int_range(rand, 0, 256);
}

static void assert_sound(const adl_array *column) {
  const adl_column *c = &column->view;
  int64_t texts = c->rows, nulls = 0;
  for (int64_t row = 0; row < c->rows; row++) nulls += adl_is_null(c, row);
  ck_assert_int_eq(nulls, c->null_count);
  ck_assert(c->null_count > 0 || c->validity == NULL);
  if (c->offsets != NULL) {
    ck_assert_int_eq(c->offsets[0], 0);
    for (int64_t row = 0; row < c->rows; row++) {
      ck_assert_int_le(c->offsets[row], c->offsets[row + 1]);
      for (int32_t i = c->offsets[row] + 1; c->index != NULL && i < c->offsets[row + 1]; i++)
        ck_assert_uint_lt(c->index[i - 1], c->index[i]);
    }
    texts = c->offsets[c->rows];
  }
  for (int64_t i = 0; c->string_offsets != NULL && i < texts; i++) {
    adl_text text = adl_text_at(c, i);
    ck_assert_int_ge(text.size, 0);
    for (int32_t at = 0; c->type.element == ADL_STRING && at < text.size;) {
      gunichar found = g_utf8_get_char_validated(text.data + at, text.size - at);
      ck_assert(text.data[at] == '\0' || (found != (gunichar)-1 && found != (gunichar)-2));
      at += text.data[at] == '\0' ? 1 : g_utf8_skip[(uint8_t)text.data[at]];
    }
  }
  GByteArray *key = g_byte_array_new();
  for (int64_t row = 0; row < c->rows; row++) adl_array_key(c, row, key); /* touches every value */
  g_byte_array_unref(key);
}

START_TEST(random_changes_are_refused_or_harmless) {
  GRand *rand = g_rand_new_with_seed(7 + (guint32)_i);
  adl_array *column = sample_array(sample_type(_i), FUZZ_ROWS, 4, rand);
  int taken = 0, refused = 0;
  for (int turn = 0; turn < FUZZ_TURNS; turn++) {
    GPtrArray *owned = g_ptr_array_new_with_free_func(g_free);
    made *m = made_copy(column, owned);
    adl_arrow_layout layout;
    char *why = NULL;
    for (int changes = g_rand_int_range(rand, 0, 4); changes > 0; changes--) {
      int number = g_rand_int_range(rand, -1, m->used), what = g_rand_int_range(rand, 0, 4);
      if (what == 0)
        spoil_schema(number < 0 ? &m->schema : &m->schemas[number], rand);
      else if (what == 1)
        spoil_array(number < 0 ? &m->array : &m->arrays[number], rand);
      else
        spoil_buffer(m, rand);
    }
    bool released = m->array.release == NULL;
    if (adl_arrow_read_schema(&m->schema, &layout, &why)) {
      adl_array *got = adl_arrow_import(&layout, layout.type, &m->array, false, &why);
      if (got != NULL) assert_sound(got);
      taken += got != NULL;
      refused += got == NULL;
      ck_assert((got == NULL) == (why != NULL));
      adl_array_unref(got);
      ck_assert_int_eq(m->released, released ? 0 : 1);
    } else {
      ck_assert_ptr_nonnull(why);
      refused++;
    }
    g_free(why);
    g_free(m);
    g_ptr_array_free(owned, TRUE);
  }
  ck_assert_int_gt(taken, FUZZ_TURNS / 5);
  ck_assert_int_gt(refused, FUZZ_TURNS / 10);
  adl_array_unref(column);
  g_rand_free(rand);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("arrow refused");
  TCase *t = tcase_create("refused");
  suite_add_tcase(suite, t);
  tcase_set_timeout(t, 120);
  tcase_add_test(t, the_unspoilt_are_taken);
  tcase_add_test(t, schemas_that_are_no_schemas);
  tcase_add_test(t, formats_that_are_not_known);
  tcase_add_test(t, dictionaries_that_are_none);
  tcase_add_test(t, metadata_that_are_wrong);
  tcase_add_test(t, arrays_that_have_been_released);
  tcase_add_test(t, counts_that_are_wrong);
  tcase_add_test(t, buffers_that_are_missing);
  tcase_add_test(t, nulls_that_are_wrong);
  tcase_add_test(t, offsets_that_are_wrong);
  tcase_add_test(t, texts_that_are_not_utf8);
  tcase_add_test(t, indices_that_are_wrong);
  tcase_add_test(t, keys_that_are_wrong);
  tcase_add_loop_test(t, random_changes_are_refused_or_harmless, 0, SAMPLE_TYPES);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
