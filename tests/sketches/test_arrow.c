/* adloom.arrow/1 as a plugin sees it: sketch.size on the real engine, and on a host that has no Arrow arrays. */
#include <adloom/arrow.h>
#include <dlfcn.h>

#include "tests/sketches/sketches.h"

static const char rows[] = "word,x,clicked\nadloom,1,true\nab,,\n,,\nabc,3,false\n";
static const char columns[] = "{word: string, x: int, clicked: bool}";

START_TEST(measures_what_it_exported) {
  adl_harness *h = adl_harness_new(rows, columns);
  adl_harness_run(h, "  s: {use: sketch.size, of: [word, x, clicked], same: again}\n", "s");
  ASSERT_OK(h);
  static const double expected[] = {8, 2, -1, 5};
  static const char *const words[] = {"adloom", "ab", NULL, "abc"};
  ck_assert_int_eq(adl_harness_rows(h), 4);
  ck_assert_int_eq(adl_harness_type(h, "size").element, ADL_INT32);
  ck_assert_int_eq(adl_harness_type(h, "again").element, ADL_STRING);
  for (int i = 0; i < 4; i++) {
    if (expected[i] < 0)
      ck_assert(adl_harness_null(h, "size", i));
    else
      ck_assert(adl_harness_number(h, "size", i) == expected[i]);
    ck_assert(adl_harness_null(h, "again", i) == (words[i] == NULL));
    if (words[i] == NULL) continue;
    char *text = adl_harness_text(h, "again", i);
    ck_assert_str_eq(text, words[i]);
    g_free(text);
  }
  adl_harness_free(h);
}
END_TEST

/* Sizes of batches that are no multiple of 64, kept, sorted, learned from, written: what was taken lives as long as it must,
 * and its bytes do not depend on threads or memory. */
static char *many_rows(int count) {
  GString *text = g_string_new("word,x,clicked\n");
  for (int i = 0; i < count; i++)
    g_string_append_printf(text, "%.*s,%d,%s\n", 1 + i % 9, "abcdefghij", i, i % 3 == 0 ? "true" : "false");
  return g_string_free(text, FALSE);
}

START_TEST(arrays_live_as_long_as_they_are_used) {
  char *many = many_rows(10007);
  adl_harness *h = adl_harness_new(many, columns);
  sketches_same_on_threads(h, "  s: {use: sketch.size, of: [word, x], same: again}\n"
                              "  f: {use: filter, where: size > 2}\n"
                              "  o: {use: sort, by: [again, size, x]}\n"
                              "  t: {use: scale, columns: [size]}\n"
                              "  out: {use: write-csv, path: out.csv}\n");
  adl_harness_free(h);
  g_free(many);
}
END_TEST

START_TEST(shapes_of_all_kinds_pass) {
  adl_harness *h = adl_harness_new("word,x\na b a,1\nb,2\nc,3\n", "{word: string, x: float}");
  adl_harness_run(h,
                  "  t: {use: onehot, columns: [word], as: sparse}\n"
                  "  v: {use: scale, columns: [x], as: scaled}\n"
                  "  s: {use: sketch.size, of: [sparse, scaled], same: again}\n",
                  "s");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_type(h, "again").shape, ADL_SPARSE);
  ck_assert_int_eq(adl_harness_type(h, "again").width, adl_harness_type(h, "sparse").width);
  for (int64_t row = 0; row < adl_harness_rows(h); row++) {
    char *given = adl_harness_text(h, "again", row), *was = adl_harness_text(h, "sparse", row);
    ck_assert_str_eq(given, was);
    g_free(given);
    g_free(was);
  }
  adl_harness_free(h);
}
END_TEST

START_TEST(spoilt_arrays_end_the_run_with_a_sentence) {
  static const struct {
    const char *spoil, *words;
  } known[] = {{"type",
                "the Arrow array for the column `size` cannot be used: it holds float32; the column was declared as "
                "int32"},
               {"role", "it holds category int32; the column was declared as int32"},
               {"rows", "it has 5 rows; the batch has 4"},
               {"nulls", "the array of the column says it has 4 nulls; there are 1"},
               {"released", "the array of the column has been released"},
               {"flags", "import_column knows no flags 6; 1 (padded) is the only one"},
               {"slot", "gave a column for output slot 99"}};
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
    adl_harness *h = adl_harness_new(rows, columns);
    char *stages = g_strdup_printf("  s: {use: sketch.size, of: [word, x, clicked], spoil: %s}\n", known[i].spoil);
    adl_harness_run(h, stages, "s");
    ASSERT_SAYS(h, known[i].words);
    g_free(stages);
    adl_harness_free(h);
  }
}
END_TEST

START_TEST(rows_of_arrow_arrays) {
  static const char *const formats[] = {"g", "'+w:3'", "'tsu:Asia/Tokyo'"};
  for (int i = 0; i < 3; i++) {
    adl_harness *h = adl_harness_new(rows, columns);
    char *stages = g_strdup_printf("  v: {use: sketch.series, format: %s, rows: 1500}\n", formats[i]);
    adl_harness_run(h, stages, "v");
    ASSERT_OK(h);
    const adl_column *value = adl_harness_column(h, "value");
    ck_assert_int_eq(value->rows, 1500);
    ck_assert_int_eq(value->type.shape, i == 1 ? ADL_VECTOR : ADL_SCALAR);
    ck_assert_int_eq(value->type.width, i == 1 ? 3 : 0);
    if (i == 2)
      ck_assert_int_eq(((const int64_t *)value->data)[1499], 1499 * INT64_C(1000000));
    else
      ck_assert(((const double *)value->data)[i == 1 ? 4499 : 1499] == (i == 1 ? 4499 : 1499) / 2.0);
    sketches_same_on_threads(h, stages);
    g_free(stages);
    adl_harness_free(h);
  }
}
END_TEST

START_TEST(sources_are_told_what_is_wrong) {
  static const char *const words[] = {
      "{use: sketch.series, format: c}",  "format: c", "the format of the column is 'c'",
      "{use: sketch.series, lacking: 1}", "",          "gave no column `value` of the right length"};
  for (size_t i = 0; i < G_N_ELEMENTS(words); i += 3) {
    adl_harness *h = adl_harness_new(rows, columns);
    char *stages = g_strdup_printf("  v: %s\n", words[i]);
    adl_harness_run(h, stages, "v");
    ASSERT_SAYS(h, words[i + 1]);
    ASSERT_SAYS(h, words[i + 2]);
    g_free(stages);
    adl_harness_free(h);
  }
}
END_TEST

/* ---- a host without it ---- */

static char said[256];

static adl_status remember(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                           const char *format, ...) {
  (void)call, (void)parameter, (void)offset;
  g_snprintf(said, sizeof said, "%s (%s)", format, hint);
  return ADL_FAILED;
}

static const void *has_none(const adl_call *call, const char *id) {
  (void)call;
  ck_assert_str_eq(id, "adloom.arrow/1");
  return NULL;
}

START_TEST(a_host_without_it_is_survived) {
  char *path = g_build_filename(g_getenv("ADLOOM_PLUGIN_PATH"), "arrow.so", NULL);
  void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (object == NULL) g_error("%s: %s", path, dlerror());
  adl_plugin_entry_function entry = (adl_plugin_entry_function)(uintptr_t)dlsym(object, "adl_plugin_entry");
  const adl_host host = {.struct_size = sizeof host,
                         .abi_major = ADL_ABI_MAJOR,
                         .abi_minor = ADL_ABI_MINOR,
                         .fail = remember,
                         .extension = has_none};
  const adl_call call = {.struct_size = sizeof call, .host = &host};
  const adl_class *class = entry(&host)->classes[0];
  void *self = g_malloc0(class->instance_size);
  ck_assert_int_eq(class->bind(&call, self), ADL_FAILED);
  ck_assert_str_eq(said, "this host has no Arrow arrays (use a newer adloom)");
  g_free(self);
  g_free(path);
  dlclose(object);
}
END_TEST

int main(void) {
  sketches_find();
  Suite *suite = suite_create("arrow sketch");
  TCase *t = tcase_create("arrow");
  suite_add_tcase(suite, t);
  tcase_set_timeout(t, 120);
  tcase_add_test(t, measures_what_it_exported);
  tcase_add_test(t, arrays_live_as_long_as_they_are_used);
  tcase_add_test(t, shapes_of_all_kinds_pass);
  tcase_add_test(t, spoilt_arrays_end_the_run_with_a_sentence);
  tcase_add_test(t, rows_of_arrow_arrays);
  tcase_add_test(t, sources_are_told_what_is_wrong);
  tcase_add_test(t, a_host_without_it_is_survived);
  return sketches_run(suite);
}
