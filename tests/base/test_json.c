/* JSON as text: that of json-glib but for numbers, which read back as they were. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/json.h"

START_TEST(numbers_read_back) {
  static const double numbers[] = {1e-8, 2e-8, 1e-10, -3e-7, 5e-324, 1e300, 1e20,   0.1,
                                   0,    -0.0, 12,    1e15,  1e16,   1e17,  1.5e-9, 0.1 + 0.2};
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
    JsonNode *node = json_node_init_double(json_node_alloc(), numbers[i]);
    char *text = adl_json_text(node, false);
    JsonParser *parser = json_parser_new();
    ck_assert_msg(json_parser_load_from_data(parser, text, -1, NULL), "%s", text);
    JsonNode *back = json_parser_get_root(parser);
    ck_assert_msg(json_node_get_value_type(back) == G_TYPE_DOUBLE, "%s", text);
    ck_assert_msg(json_node_get_double(back) == numbers[i], "%s", text);
    /* "e-08.0" is no JSON, though json-glib reads it. */
    ck_assert_msg(!g_regex_match_simple("e.*\\.", text, 0, 0), "%s", text);
    g_object_unref(parser);
    g_free(text);
    json_node_unref(node);
  }
}
END_TEST

START_TEST(what_is_no_number) {
  JsonNode *node = json_node_init_double(json_node_alloc(), (double)NAN);
  char *text = adl_json_text(node, false);
  ck_assert_str_eq(text, "null");
  g_free(text);
  json_node_unref(node);
}
END_TEST

/* The layout is json-glib's. */
START_TEST(layout) {
  static const char *const texts[] = {"{}",
                                      "[]",
                                      "[[],1]",
                                      "null",
                                      "true",
                                      "-3",
                                      "\"a\\\"\xc3\xa4\"",
                                      "{\"a\":[1,2,{\"b\":null}],\"\":false,\"z\":{\"y\":0.5},\"b c\":\"x\"}"};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    JsonParser *parser = json_parser_new();
    ck_assert(json_parser_load_from_data(parser, texts[i], -1, NULL));
    for (int pretty = 0; pretty < 2; pretty++) {
      char *ours = adl_json_text(json_parser_get_root(parser), pretty != 0);
      char *theirs = json_to_string(json_parser_get_root(parser), pretty != 0);
      ck_assert_str_eq(ours, theirs);
      g_free(ours);
      g_free(theirs);
    }
    g_object_unref(parser);
  }
}
END_TEST

int main(void) {
  TCase *json = tcase_create("json");
  tcase_add_test(json, numbers_read_back);
  tcase_add_test(json, what_is_no_number);
  tcase_add_test(json, layout);
  Suite *suite = suite_create("base/json");
  suite_add_tcase(suite, json);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
