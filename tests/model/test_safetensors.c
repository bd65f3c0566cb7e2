/* Model files: round trips, their very bytes, and what is made of damaged and hostile ones. */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <xxhash.h>

#include "tests/model/sample.h"

static char *folder, *path;

static void setup(void) {
  folder = make_folder();
  path = g_build_filename(folder, "model.safetensors", NULL);
}

static void teardown(void) {
  g_free(path);
  remove_folder(folder);
}

static void write_model(const adl_tensors *tensors) {
  GError *error = NULL;
  adl_model_meta *meta = sample_meta();
  ck_assert_msg(adl_model_write(path, tensors, meta, &error), "%s", error != NULL ? error->message : "");
  adl_model_meta_free(meta);
}

static void file_bytes(char **bytes, gsize *size) { ck_assert(g_file_get_contents(path, bytes, size, NULL)); }

/* ---- round trips ---- */

START_TEST(everything_comes_back) {
  adl_tensors *tensors = sample_model(1);
  adl_model_meta *meta;
  GError *error = NULL;
  write_model(tensors);
  ck_assert_int_eq(count_files(folder), 1); /* nothing is left beside it */
  adl_tensors *back = adl_model_read(path, &meta, &error);
  ck_assert_msg(back != NULL, "%s", error != NULL ? error->message : "");
  same_models(tensors, back);
  ck_assert_str_eq(meta->stage_class, "kmeans");
  ck_assert_str_eq(meta->plugin_version, "1.0.0");
  ck_assert_str_eq(meta->plugin_build, "0123abcd");
  ck_assert_str_eq(meta->parameters, "clusters: 5\nfeatures: [\"a \\\"b\\\"\"]\n");
  ck_assert_uint_eq(meta->state_version, 3);
  ck_assert_int_eq(meta->input_count, 2);
  ck_assert_str_eq(meta->inputs[0].name, "words");
  ck_assert_str_eq(meta->inputs[1].type, "float64");
  adl_model_meta_free(meta);
  /* What was mapped can be written to, and the file does not change. */
  *(double *)adl_tensors_get(back, "scalar", ADL_FLOAT64, 0, NULL, NULL) = 7;
  adl_tensors_free(back);
  back = adl_model_read(path, NULL, NULL);
  same_models(tensors, back);
  adl_tensors_free(back);
  adl_tensors_free(tensors);
}
END_TEST

START_TEST(equal_content_makes_equal_bytes) {
  char *first, *second, *third;
  gsize first_size, second_size, third_size;
  adl_tensors *tensors = sample_model(2);
  write_model(tensors);
  file_bytes(&first, &first_size);
  adl_tensors *back = adl_model_read(path, NULL, NULL);
  write_model(back); /* over the file that it is mapped from */
  file_bytes(&second, &second_size);
  same_models(tensors, back);
  adl_tensors_free(back);
  adl_tensors_free(tensors);
  ck_assert_uint_eq(first_size, second_size);
  ck_assert(memcmp(first, second, first_size) == 0);
  tensors = sample_model(3);
  write_model(tensors);
  file_bytes(&third, &third_size);
  ck_assert(third_size != first_size || memcmp(first, third, first_size) != 0);
  adl_tensors_free(tensors);
  g_free(first);
  g_free(second);
  g_free(third);
}
END_TEST

START_TEST(an_empty_model_is_a_model) {
  adl_tensors *tensors = adl_tensors_new();
  write_model(tensors);
  adl_tensors *back = adl_model_read(path, NULL, NULL);
  ck_assert_ptr_nonnull(back);
  ck_assert(adl_tensors_empty(back));
  adl_tensors_free(back);
  adl_tensors_free(tensors);
}
END_TEST

START_TEST(the_bytes_themselves) {
  adl_tensors *tensors = adl_tensors_new();
  float *weights = adl_tensors_get(tensors, "w", ADL_FLOAT32, 2, (const int64_t[]){1, 2}, NULL);
  weights[0] = 1;
  weights[1] = -2;
  adl_table *table = adl_tensors_table(tensors, "k", 1);
  adl_table_row(table, adl_table_insert(table, "ab", 2))[0] = 0.5;
  GError *error = NULL;
  adl_model_meta *meta = adl_model_meta_new("c", "1", "b", 1, "p");
  adl_model_meta_add_input(meta, "x", "float32");
  ck_assert_msg(adl_model_write(path, tensors, meta, &error), "%s", error != NULL ? error->message : "");
  char *bytes;
  gsize size;
  file_bytes(&bytes, &size);
  const char *json =
      "{\"__metadata__\":{\"adloom\":\"{\\\"format\\\":1,\\\"class\\\":\\\"c\\\",\\\"plugin_version\\\":\\\"1\\\","
      "\\\"plugin_build\\\":\\\"b\\\",\\\"state_version\\\":1,\\\"parameters\\\":\\\"p\\\","
      "\\\"inputs\\\":[{\\\"name\\\":\\\"x\\\",\\\"type\\\":\\\"float32\\\"}],\\\"tables\\\":[\\\"k\\\"],"
      "\\\"elements\\\":{},\\\"checksum\\\":\\\"xxh3-128:";
  const char *rest = "\\\"}\"},\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
                     "\"_pad.0\":{\"dtype\":\"U8\",\"shape\":[56],\"data_offsets\":[8,64]},"
                     "\"k.keys\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[64,66]},"
                     "\"_pad.1\":{\"dtype\":\"U8\",\"shape\":[62],\"data_offsets\":[66,128]},"
                     "\"k.key_offsets\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[128,144]},"
                     "\"_pad.2\":{\"dtype\":\"U8\",\"shape\":[48],\"data_offsets\":[144,192]},"
                     "\"k.rows\":{\"dtype\":\"F64\",\"shape\":[1,1],\"data_offsets\":[192,200]}}";
  uint8_t data[200] = {0};
  memcpy(data, (const float[]){1, -2}, 8);
  memcpy(data + 64, "ab", 2);
  data[136] = 2;
  memcpy(data + 192, &(const double){0.5}, 8);
  XXH128_hash_t hash = XXH3_128bits(data, sizeof data);
  GString *expected = g_string_new_len("\0\0\0\0\0\0\0\0", 8);
  g_string_append_printf(expected, "%s%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x%s", json, hash.high64,
                         hash.low64, rest);
  while (expected->len % 64 != 0) g_string_append_c(expected, ' ');
  expected->str[0] = (char)((expected->len - 8) & 0xff);
  expected->str[1] = (char)((expected->len - 8) >> 8);
  g_string_append_len(expected, (const char *)data, sizeof data);
  ck_assert_uint_eq(size, expected->len);
  for (gsize i = 0; i < size; i++)
    ck_assert_msg(bytes[i] == expected->str[i], "byte %d: %.40s, not %.40s", (int)i, bytes + i, expected->str + i);
  g_string_free(expected, TRUE);
  g_free(bytes);
  adl_model_meta_free(meta);
  adl_tensors_free(tensors);
}
END_TEST

/* ---- what cannot be saved ---- */

static void refuse_to_write(const adl_tensors *tensors, const char *message) {
  GError *error = NULL;
  adl_model_meta *meta = sample_meta();
  ck_assert(!adl_model_write(path, tensors, meta, &error));
  ck_assert_msg(g_str_has_prefix(error->message, path) && strstr(error->message, message) != NULL, "%s",
                error->message);
  g_error_free(error);
  adl_model_meta_free(meta);
  ck_assert_int_eq(count_files(folder), 0);
}

START_TEST(names_that_would_not_come_back) {
  const struct {
    const char *name, *table, *message;
  } cases[] = {{"_pad.7", NULL, "keep for themselves"},
               {"__metadata__", NULL, "keep for themselves"},
               {"t.keys", "t", "two arrays `t.keys`"},
               {"\xff", NULL, "not UTF-8"}};
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    adl_tensors *tensors = adl_tensors_new();
    adl_tensors_get(tensors, cases[i].name, ADL_INT32, 1, (const int64_t[]){1}, NULL);
    if (cases[i].table != NULL) adl_tensors_table(tensors, cases[i].table, 1);
    refuse_to_write(tensors, cases[i].message);
    adl_tensors_free(tensors);
  }
  adl_tensors *tensors = adl_tensors_new();
  *(uint8_t *)adl_tensors_get(tensors, "flag", ADL_BOOL, 1, (const int64_t[]){1}, NULL) = 2;
  refuse_to_write(tensors, "holds a byte that is not 0 or 1");
  adl_tensors_free(tensors);
}
END_TEST

START_TEST(places_that_cannot_be_written) {
  adl_tensors *tensors = sample_model(1);
  g_free(path);
  path = g_build_filename(folder, "nowhere", "model.safetensors", NULL);
  refuse_to_write(tensors, "cannot be written: No such file or directory");
  adl_tensors_free(tensors);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file) {
  adl_tensors *old = sample_model(1), *more = sample_model(2);
  struct rlimit before, limit;
  adl_model_meta *meta = sample_meta();
  GError *error = NULL;
  write_model(old);
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
  limit = before;
  limit.rlim_cur = 2000; /* bytes in a file: less than the model needs */
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  bool written = adl_model_write(path, more, meta, &error);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0); /* Check writes, too */
  ck_assert(!written);
  ck_assert_msg(strstr(error->message, "cannot be written: File too large") != NULL, "%s", error->message);
  g_error_free(error);
  ck_assert_int_eq(count_files(folder), 1);
  adl_tensors *back = adl_model_read(path, NULL, NULL);
  ck_assert_ptr_nonnull(back);
  same_models(old, back);
  adl_tensors_free(back);
  adl_tensors_free(more);
  adl_tensors_free(old);
  adl_model_meta_free(meta);
}
END_TEST

/* ---- damaged files ---- */

START_TEST(any_cut_is_seen) {
  adl_tensors *tensors = sample_model(4);
  char *bytes;
  gsize size;
  write_model(tensors);
  adl_tensors_free(tensors);
  file_bytes(&bytes, &size);
  for (gsize keep = 0; keep < size; keep += keep < 100 || keep + 100 > size ? 1 : 17) {
    GError *error = NULL;
    ck_assert(g_file_set_contents(path, bytes, (gssize)keep, NULL));
    ck_assert_ptr_null(adl_model_read(path, NULL, &error));
    ck_assert_msg(g_str_has_prefix(error->message, path), "%s", error->message);
    ck_assert_int_eq(error->code, ADL_MODEL_ERROR_FORMAT);
    g_error_free(error);
  }
  g_free(bytes);
}
END_TEST

START_TEST(any_changed_bit_is_seen_or_harmless) {
  GRand *rand = g_rand_new_with_seed(5);
  adl_tensors *tensors = sample_model(5);
  char *bytes;
  gsize size;
  uint64_t header;
  write_model(tensors);
  file_bytes(&bytes, &size);
  memcpy(&header, bytes, 8);
  int refused = 0;
  for (int n = 0; n < 1500; n++) {
    gsize at = (gsize)g_rand_int_range(rand, 0, (gint32)size);
    bytes[at] ^= (char)(1 << n % 8);
    ck_assert(g_file_set_contents(path, bytes, (gssize)size, NULL));
    adl_tensors *back = adl_model_read(path, NULL, NULL);
    refused += back == NULL;
    if (at >= header + 8) ck_assert_ptr_null(back); /* in the data: the checksum sees it */
    adl_tensors_free(back);
    bytes[at] ^= (char)(1 << n % 8);
  }
  ck_assert_int_gt(refused, 900);
  adl_tensors_free(tensors);
  g_free(bytes);
  g_rand_free(rand);
}
END_TEST

/* ---- made-up files ---- */

#define META(tables, elements)                                                                                         \
  "\"__metadata__\":{\"adloom\":\"{\\\"format\\\":1,\\\"class\\\":\\\"c\\\",\\\"plugin_version\\\":\\\"\\\","          \
  "\\\"plugin_build\\\":\\\"\\\",\\\"state_version\\\":1,\\\"parameters\\\":\\\"\\\",\\\"inputs\\\":[],"               \
  "\\\"tables\\\":[" tables "],\\\"elements\\\":{" elements "},\\\"checksum\\\":\\\"%s\\\"}\"}"
#define PLAIN META("", "")
#define F32(name, shape, begin, end)                                                                                   \
  "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"
#define ONE(name, dtype, shape, begin, end)                                                                            \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"
#define TABLE(keys, offsets, rows) keys "," offsets "," rows

typedef struct made_up {
  const char *header;  /* %s is replaced by the right checksum */
  int data;            /* bytes behind it: 0, 1, 2, ... */
  const char *message; /* NULL: fine */
} made_up;

static const made_up cases[] = {
    {"{" PLAIN "," F32("a", "[2]", 0, 8) "}", 8, NULL},
    {"{" PLAIN "," F32("b", "[1]", 4, 8) "," F32("a", "[1,1,1,1]", 0, 4) "}   ", 8, NULL},
    {"{" PLAIN "," F32("a", "[]", 0, 4) "," F32("e", "[0,9]", 4, 4) "}", 4, NULL},
    {"{" META("", "\\\"a\\\":\\\"timestamp\\\"") "," ONE("a", "I64", "[1]", 0, 8) "}", 8, NULL},
    {"{" META("", "\\\"nobody\\\":\\\"string\\\"") "}", 0, NULL},
    {"", 0, "not a flat JSON object"},
    {"[]", 0, "not a flat JSON object"},
    {"{\"a\":1", 0, "not a flat JSON object"},
    {"{\"a\":}", 0, "is not JSON"},
    {"{'a':1}", 0, "not a flat JSON object"},
    {"{\"a\xff\":1}", 0, "not a flat JSON object"},
    {"{\"a\":[[[[[[[[[[]]]]]]]]]]}", 0, "not a flat JSON object"},
    {"{}", 0, "no metadata `adloom`"},
    {"{\"__metadata__\":{\"adloom\":7}}", 0, "no metadata `adloom`"},
    {"{\"__metadata__\":[]}", 0, "no metadata `adloom`"},
    {"{\"__metadata__\":{\"format\":\"pt\"}," F32("a", "[2]", 0, 8) "}", 8, "no model of adloom's"},
    {"{\"__metadata__\":{\"adloom\":\"[]\"}}", 0, "is not a JSON object"},
    {"{\"__metadata__\":{\"adloom\":\"[[[[[[[[[[[[[[[[\"}}", 0, "is not a JSON object"},
    {"{\"__metadata__\":{\"adloom\":\"{}\"}}", 0, "another format"},
    {"{\"__metadata__\":{\"adloom\":\"{\\\"format\\\":2}\"}}", 0, "another format"},
    {"{\"__metadata__\":{\"adloom\":\"{\\\"format\\\":1}\"}}", 0, "no usable `class`"},
    {"{" META("7", "") "}", 0, "no usable `tables`"},
    {"{" META("", "\\\"a\\\":\\\"float16\\\"") "}", 0, "no usable `elements`"},
    {"{" PLAIN ",\"a\":7}", 0, "tensor `a` is not described by a JSON object"},
    {"{" PLAIN ",\"\":{}}", 0, "a tensor has no name"},
    {"{" PLAIN ",\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "tensor `a` has no dtype"},
    {"{" PLAIN "," ONE("a", "F16", "[4]", 0, 8) "}", 8, "dtype `F16`; adloom reads BOOL"},
    {"{" PLAIN ",\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "tensor `a` has no shape"},
    {"{" PLAIN "," F32("a", "[1,1,1,1,2]", 0, 8) "}", 8, "no shape of at most 4 sizes"},
    {"{" PLAIN "," F32("a", "[-2]", 0, 8) "}", 8, "no shape of at most 4 sizes"},
    {"{" PLAIN "," F32("a", "[2.0]", 0, 8) "}", 8, "no shape of at most 4 sizes"},
    {"{" PLAIN "," F32("a", "\"2\"", 0, 8) "}", 8, "no shape of at most 4 sizes"},
    {"{" PLAIN ",\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "no data_offsets of two numbers"},
    {"{" PLAIN ",\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "no data_offsets of two numbers"},
    {"{" PLAIN "," F32("a", "[2]", 0, 12) "}", 8, "lies at bytes 0 to 12 of data that have 8"},
    {"{" PLAIN "," F32("a", "[2]", 8, 0) "}", 8, "lies at bytes 8 to 0 of data that have 8"},
    {"{" PLAIN "," F32("a", "[2]", 9223372036854775807, 8) "}", 8, "lies at bytes 9223372036854775807 to 8"},
    {"{" PLAIN "," F32("a", "[3]", 0, 8) "}", 8, "a shape that does not go with its 8 bytes"},
    {"{" PLAIN "," F32("a", "[4611686018427387904,4,2]", 0, 8) "}", 8, "a shape that does not go with its 8 bytes"},
    {"{" PLAIN "," F32("a", "[0,9223372036854775807]", 0, 0) "}", 0, "a shape that does not go with its 0 bytes"},
    {"{" PLAIN "," F32("a", "[2]", 0, 8) "," F32("b", "[1]", 4, 8) "}", 8, "tensors `a` and `b` overlap"},
    {"{" PLAIN "," F32("a", "[2]", 0, 8) "," F32("b", "[2]", 0, 8) "}", 8, "overlap"},
    {"{" PLAIN "," F32("a", "[1]", 0, 4) "," F32("b", "[1]", 8, 12) "}", 12,
     "bytes 4 to 8 of its data belong to no tensor"},
    {"{" PLAIN "," F32("a", "[2]", 0, 8) "}", 9, "its data have 9 bytes, but its tensors only 8"},
    {"{" PLAIN "," ONE("a", "BOOL", "[3]", 0, 3) "}", 3, "`a` of BOOL holds a byte that is not 0 or 1"},
    {"{" META("", "\\\"a\\\":\\\"timestamp\\\"") "," F32("a", "[2]", 0, 8) "}", 8, "tensor `a` cannot be of timestamp"},
    {"{" META("\\\"t\\\"", "") "}", 0, "keyed table `t` lacks its arrays"},
    {"{" META("\\\"t\\\"", "") "," TABLE(ONE("t.keys", "U8", "[0]", 0, 0), ONE("t.key_offsets", "I64", "[1]", 0, 8),
                                         ONE("t.rows", "F64", "[9,0]", 8, 8)) "}",
     8, "keyed table `t` lacks its arrays"},
    {"{" META("\\\"t\\\"", "") "," TABLE(ONE("t.keys", "U8", "[0]", 0, 0), ONE("t.key_offsets", "I64", "[0]", 0, 0),
                                         ONE("t.rows", "F64", "[0,1]", 0, 0)) "}",
     0, "keyed table `t` lacks its arrays"},
    {"{" META("\\\"t\\\"", "") "," TABLE(ONE("t.keys", "U8", "[0]", 0, 0), ONE("t.key_offsets", "I64", "[1]", 0, 8),
                                         ONE("t.rows", "F64", "[0,1]", 8, 8)) "}",
     8, "keys that lie outside it"},
};

static char *checksum_of(const void *data, gsize size) {
  XXH128_hash_t hash = XXH3_128bits(data, size);
  return g_strdup_printf("xxh3-128:%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", hash.high64, hash.low64);
}

/* A file of that header and data, with the right checksum, so that only what is wrong on purpose is wrong. */
static void make_file(const char *header, const void *data, gsize size) {
  char *checksum = checksum_of(data, size), **parts = g_strsplit(header, "%s", 2);
  GString *file = g_string_new_len("\0\0\0\0\0\0\0\0", 8);
  for (int i = 0; parts[i] != NULL; i++) {
    if (i > 0) g_string_append(file, checksum);
    g_string_append(file, parts[i]);
  }
  uint64_t length = file->len - 8;
  memcpy(file->str, &length, 8);
  g_string_append_len(file, data, (gssize)size);
  ck_assert(g_file_set_contents(path, file->str, (gssize)file->len, NULL));
  g_string_free(file, TRUE);
  g_strfreev(parts);
  g_free(checksum);
}

static void expect(const char *what, const char *message) {
  GError *error = NULL;
  adl_tensors *tensors = adl_model_read(path, NULL, &error);
  if (message == NULL) {
    ck_assert_msg(tensors != NULL, "%s: %s", what, error != NULL ? error->message : "");
  } else {
    ck_assert_msg(tensors == NULL, "%s: was taken", what);
    ck_assert_msg(g_str_has_prefix(error->message, path), "%s", error->message);
    ck_assert_msg(strstr(error->message, message) != NULL, "%s:\n  %s, not\n  %s", what, error->message, message);
    g_error_free(error);
  }
  adl_tensors_free(tensors);
}

START_TEST(made_up_headers) {
  uint8_t data[16];
  for (int i = 0; i < 16; i++) data[i] = (uint8_t)i;
  make_file(cases[_i].header, data, (gsize)cases[_i].data);
  expect(cases[_i].header, cases[_i].message);
}
END_TEST

START_TEST(made_up_tables) {
  const char *header =
      "{" META("\\\"t\\\"", "") "," TABLE(ONE("t.keys", "U8", "[4]", 0, 4), ONE("t.key_offsets", "I64", "[3]", 4, 28),
                                          ONE("t.rows", "F64", "[2,1]", 28, 44)) "}";
  const struct {
    const char *keys;
    int64_t offsets[3];
    const char *message;
  } tables[] = {{"abcd", {0, 2, 4}, NULL},
                {"abcd", {0, 0, 4}, NULL},
                {"abab", {0, 2, 4}, "the same key twice"},
                {"abcd", {0, 5, 4}, "keys that lie outside it"},
                {"abcd", {0, 3, 2}, "keys that lie outside it"},
                {"abcd", {1, 3, 4}, "keys that lie outside it"},
                {"abcd", {0, -1, 4}, "keys that lie outside it"},
                {"abcd", {0, INT64_MIN, 4}, "keys that lie outside it"},
                {"abcd", {0, 1, 3}, "keys that lie outside it"}};
  for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
    uint8_t data[44] = {0};
    memcpy(data, tables[i].keys, 4);
    memcpy(data + 4, tables[i].offsets, 24);
    make_file(header, data, sizeof data);
    expect(tables[i].keys, tables[i].message);
  }
}
END_TEST

START_TEST(arrays_at_odd_places_are_copied) {
  const double values[] = {1.5, -2.5};
  uint8_t data[17] = {1};
  memcpy(data + 1, values, sizeof values);
  make_file("{" PLAIN "," ONE("flag", "BOOL", "[1]", 0, 1) "," ONE("x", "F64", "[2]", 1, 17) "}", data, sizeof data);
  adl_tensors *tensors = adl_model_read(path, NULL, NULL);
  adl_tensor tensor;
  ck_assert(adl_tensors_find(tensors, "x", &tensor));
  ck_assert_uint_eq((uintptr_t)tensor.data % 64, 0);
  ck_assert(memcmp(tensor.data, values, sizeof values) == 0);
  adl_tensors_free(tensors);
}
END_TEST

START_TEST(header_lengths) {
  const uint64_t lengths[] = {0, 3, 57, UINT64_MAX, UINT64_C(1) << 63, ADL_MODEL_HEADER_LIMIT + 1};
  for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
    char file[64] = {0};
    memset(file + 8, ' ', sizeof file - 8);
    file[8] = '{';
    memcpy(file, &lengths[i], 8);
    ck_assert(g_file_set_contents(path, file, sizeof file, NULL));
    expect("header length", lengths[i] > 56 ? "is no model file, or was cut" : "not a flat JSON object");
  }
}
END_TEST

START_TEST(a_wrong_checksum) {
  make_file("{" META("", "") "}", "", 0);
  expect("right", NULL);
  char *bytes, *sum;
  gsize size;
  file_bytes(&bytes, &size);
  sum = strstr(bytes + 8, "xxh3-128:");
  sum[12] = sum[12] == '0' ? '1' : '0';
  ck_assert(g_file_set_contents(path, bytes, (gssize)size, NULL));
  g_free(bytes);
  expect("wrong", "is damaged: the checksum of its data is");
}
END_TEST

START_TEST(files_that_are_none) {
  GError *error = NULL;
  ck_assert_ptr_null(adl_model_read(path, NULL, &error));
  ck_assert_int_eq(error->code, ADL_MODEL_ERROR_ABSENT);
  g_clear_error(&error);
  ck_assert_ptr_null(adl_model_read(folder, NULL, &error));
  ck_assert_msg(strstr(error->message, "is no regular file") != NULL, "%s", error->message);
  g_clear_error(&error);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("safetensors");
  TCase *trips = tcase_create("round trips");
  tcase_add_checked_fixture(trips, setup, teardown);
  suite_add_tcase(suite, trips);
  tcase_add_test(trips, everything_comes_back);
  tcase_add_test(trips, equal_content_makes_equal_bytes);
  tcase_add_test(trips, an_empty_model_is_a_model);
  tcase_add_test(trips, the_bytes_themselves);
  tcase_add_test(trips, names_that_would_not_come_back);
  tcase_add_test(trips, places_that_cannot_be_written);
  tcase_add_test(trips, a_full_disk_leaves_the_old_file);
  TCase *damage = tcase_create("damage");
  tcase_add_checked_fixture(damage, setup, teardown);
  tcase_set_timeout(damage, 60);
  suite_add_tcase(suite, damage);
  tcase_add_test(damage, any_cut_is_seen);
  tcase_add_test(damage, any_changed_bit_is_seen_or_harmless);
  tcase_add_loop_test(damage, made_up_headers, 0, (int)G_N_ELEMENTS(cases));
  tcase_add_test(damage, made_up_tables);
  tcase_add_test(damage, arrays_at_odd_places_are_copied);
  tcase_add_test(damage, header_lengths);
  tcase_add_test(damage, a_wrong_checksum);
  tcase_add_test(damage, files_that_are_none);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
