/* Text of a model file for people. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/model/show.h"
#include "tests/model/sample.h"

static char *show(const char *path, GError **error) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  bool shown = adl_model_show(path, out, error);
  fclose(out);
  if (shown) return text;
  free(text);
  return NULL;
}

START_TEST(a_model_as_text) {
  char *folder = make_folder(), *path = g_build_filename(folder, "m.safetensors", NULL);
  adl_tensors *tensors = adl_tensors_new();
  float *centres = adl_tensors_get(tensors, "centres", ADL_FLOAT32, 2, (const int64_t[]){2, 2}, NULL);
  memcpy(centres, (const float[]){1, -2.5f, NAN, 3}, 4 * sizeof(float));
  adl_tensors_get(tensors, "sizes", ADL_INT64, 1, (const int64_t[]){2}, NULL);
  *(double *)adl_tensors_get(tensors, "n", ADL_FLOAT64, 0, NULL, NULL) = NAN;
  adl_table *words = adl_tensors_table(tensors, "words", 2);
  const char *const keys[] = {"price", "\x01\x02", "a word that is longer than fits", "b"};
  for (int i = 0; i < 4; i++) adl_table_insert(words, keys[i], (int64_t)strlen(keys[i]));
  adl_model_meta *meta = sample_meta();
  GError *error = NULL;
  ck_assert(adl_model_write(path, tensors, meta, NULL));
  char *text = show(path, &error);
  ck_assert_msg(text != NULL, "%s", error != NULL ? error->message : "");
  const char *const lines[] = {
      "class           kmeans\n",
      "plugin version  1.0.0\n",
      "state version   3\n",
      "parameters\n  clusters: 5\n  features: [\"a \\\"b\\\"\"]\n",
      "inputs\n  words                    sparse float32[262144]\n  spend                    float64\n",
      "tensors\n  centres                  float32   [2, 2]           min -2.5, max 3, mean 0.5, 1 not finite\n",
      "  sizes                    int64     [2]\n",
      "  n                        float64   []               no finite value\n",
      "keyed tables\n  words                    4 keys x 2: \"price\", 0x0102, \"a word that is longer th..., ...\n"};
  for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
    ck_assert_msg(strstr(text, lines[i]) != NULL, "%s is not in:\n%s", lines[i], text);
  ck_assert(g_str_has_prefix(text, path));
  free(text);
  g_free(path);
  path = g_build_filename(folder, "none", NULL);
  ck_assert_ptr_null(show(path, &error));
  ck_assert_int_eq(error->code, ADL_MODEL_ERROR_ABSENT);
  g_clear_error(&error);
  adl_model_meta_free(meta);
  adl_tensors_free(tensors);
  g_free(path);
  remove_folder(folder);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("show");
  TCase *tests = tcase_create("show");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_model_as_text);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
