/*
 * The schema of the pipeline file: every class has a branch, every parameter its place in it, with what its table says;
 * the keys of core/config/keys.h are those that the program knows.
 */
#include "tests/plugin/scene.h"

#include "core/base/json.h"
#include "core/config/keys.h"
#include "core/config/params.h"
#include "core/plugin/schema.h"

/* The schema of the plugins of the build tree (and of `extra`, NULL: none), as a tree. */
static JsonNode *schema_of(adl_registry *registry, const char *extra) {
  GString *text = g_string_new(NULL), *left_out = g_string_new(NULL);
  if (extra != NULL) ck_assert(adl_registry_add_file(registry, extra, text));
  adl_registry_scan(registry);
  adl_schema_print(registry, text, left_out);
  ck_assert_str_eq(left_out->str, "");
  GError *error = NULL;
  JsonNode *root = json_from_string(text->str, &error);
  ck_assert_msg(root != NULL, "%s", error != NULL ? error->message : "nothing");
  g_string_free(text, TRUE);
  g_string_free(left_out, TRUE);
  return root;
}

/* The object at a path of members; fails when there is none. */
static JsonObject *at(JsonObject *object, const char *const *path) {
  for (; *path != NULL; path++) {
    ck_assert_msg(json_object_has_member(object, *path), "there is no %s", *path);
    object = json_object_get_object_member(object, *path);
  }
  return object;
}

#define AT(object, ...) at(object, (const char *const[]){__VA_ARGS__, NULL})

static JsonObject *class_of(JsonNode *root, const char *id) {
  char *member = g_strconcat("class.", id, NULL);
  JsonObject *class = AT(json_node_get_object(root), "definitions", member);
  g_free(member);
  return class;
}

static bool has_text(JsonArray *array, const char *text) {
  for (guint i = 0; i < json_array_get_length(array); i++)
    if (g_strcmp0(json_array_get_string_element(array, i), text) == 0) return true;
  return false;
}

/* ---- all classes ---- */

/* The default of a parameter is of a type that the schema allows. */
static void assert_default_fits(const adl_param *param, JsonObject *value, const char *id) {
  JsonNode *node = json_object_get_member(value, "default");
  ck_assert_msg((node != NULL) == (param->default_value != NULL), "%s.%s: default", id, param->name);
  if (node == NULL || !json_object_has_member(value, "type") || (param->flags & ADL_MAP_OF) != 0) return;
  JsonNode *types = json_object_get_member(value, "type");
  const char *kind = JSON_NODE_HOLDS_ARRAY(node)                       ? "array"
                     : json_node_get_value_type(node) == G_TYPE_INT64  ? "integer"
                     : json_node_get_value_type(node) == G_TYPE_DOUBLE ? "number"
                     : json_node_get_value_type(node) == G_TYPE_STRING ? "string"
                                                                       : "boolean";
  bool fits = JSON_NODE_HOLDS_ARRAY(types) ? has_text(json_node_get_array(types), kind)
                                           : g_strcmp0(json_node_get_string(types), kind) == 0;
  if (strcmp(kind, "integer") == 0) fits = fits || has_text(json_node_get_array(types), "number");
  ck_assert_msg(fits, "%s.%s: its default is of type %s", id, param->name, kind);
}

START_TEST(every_class_and_parameter) {
  scene s = scene_open();
  adl_registry *registry = adl_registry_new(NULL);
  JsonNode *root = schema_of(registry, NULL);
  JsonObject *file = json_node_get_object(root);
  const char **ids = adl_registry_ids(registry);
  JsonArray *branches = json_object_get_array_member(AT(file, "definitions", "stage"), "allOf");
  ck_assert_uint_eq(json_array_get_length(branches), g_strv_length((char **)ids));
  ck_assert_uint_gt(json_array_get_length(branches), 20);
  for (guint i = 0; ids[i] != NULL; i++) {
    JsonObject *branch = json_array_get_object_element(branches, i), *class = class_of(root, ids[i]);
    char *reference = g_strconcat("#/definitions/class.", ids[i], NULL);
    ck_assert_str_eq(json_object_get_string_member(AT(branch, "if", "properties", "use"), "const"), ids[i]);
    ck_assert_str_eq(json_object_get_string_member(AT(branch, "then"), "$ref"), reference);
    ck_assert(!json_object_get_boolean_member(class, "additionalProperties"));
    g_free(reference);
    GString *why = g_string_new(NULL);
    const adl_class *table = &adl_registry_find(registry, ids[i], why)->class;
    for (uint32_t k = 0; k < table->param_count; k++) {
      const adl_param *param = &table->params[k];
      JsonObject *value = AT(class, "properties", param->name);
      ck_assert_msg(g_str_has_prefix(json_object_get_string_member(value, "description"), param->doc), "%s.%s", ids[i],
                    param->name);
      assert_default_fits(param, value, ids[i]);
    }
    g_string_free(why, TRUE);
  }
  g_free(ids);
  json_node_unref(root);
  adl_registry_free(registry);
  scene_close(&s);
}
END_TEST

/* ---- what a table becomes ---- */

START_TEST(one_class) {
  scene s = scene_open();
  char *path = scene_built("good");
  adl_registry *registry = adl_registry_new(NULL);
  JsonNode *root = schema_of(registry, path);
  JsonObject *number = AT(class_of(root, "test.number"), "properties", "number");
  ck_assert_int_eq(json_object_get_int_member(number, "minimum"), 1);
  ck_assert_int_eq(json_object_get_int_member(number, "maximum"), 100);
  ck_assert_int_eq(json_object_get_int_member(number, "default"), 8);
  ck_assert_str_eq(json_object_get_string_member(number, "description"),
                   "What every row gets.\n\nWhole number; in [1, 100], default 8.");
  json_node_unref(root);
  adl_registry_free(registry);
  g_free(path);
  scene_close(&s);
}
END_TEST

/* The value's schema as JSON without blanks. */
static void expect(const adl_param *param, const char *wanted) {
  JsonBuilder *builder = json_builder_new();
  json_builder_begin_object(builder);
  adl_schema_value(builder, param);
  json_builder_end_object(builder);
  JsonNode *root = json_builder_get_root(builder);
  json_object_remove_member(json_node_get_object(root), "description");
  char *text = adl_json_text(root, false);
  ck_assert_str_eq(text, wanted);
  g_free(text);
  json_node_unref(root);
  g_object_unref(builder);
}

START_TEST(values) {
  expect(&(adl_param){.type = ADL_PARAM_FLOAT, .range = "(0, 1]", .default_value = "0.5"},
         "{\"type\":[\"number\",\"string\"],\"exclusiveMinimum\":0.0,\"maximum\":1.0,"
         "\"pattern\":\"^[-+]?\\\\.?(inf|Inf|INF|nan|NaN|NAN)$|\\\\$\\\\{\","
         "\"patternErrorMessage\":\"It must be a number.\",\"default\":0.5}");
  expect(&(adl_param){.type = ADL_PARAM_INT, .range = "(0, inf)"},
         "{\"type\":[\"integer\",\"string\"],\"minimum\":1,\"pattern\":\"\\\\$\\\\{\","
         "\"patternErrorMessage\":\"It must be a whole number.\"}");
  expect(&(adl_param){.type = ADL_PARAM_CHOICE, .choices = "a|b", .default_value = "b"},
         "{\"anyOf\":[{\"enum\":[\"a\",\"b\"]},{\"type\":\"string\",\"pattern\":\"\\\\$\\\\{\"}],\"default\":\"b\"}");
  expect(&(adl_param){.type = ADL_PARAM_COLUMN, .flags = ADL_LIST_OF | ADL_REQUIRED},
         "{\"type\":[\"string\",\"number\",\"boolean\",\"array\"],\"minLength\":1,"
         "\"items\":{\"type\":[\"string\",\"number\",\"boolean\"],\"minLength\":1},\"minItems\":1}");
  expect(&(adl_param){.type = ADL_PARAM_INT, .flags = ADL_LIST_OF, .default_value = "[1, 2]"},
         "{\"type\":[\"integer\",\"string\",\"array\"],\"pattern\":\"\\\\$\\\\{\","
         "\"patternErrorMessage\":\"It must be a whole number.\",\"items\":{\"type\":[\"integer\",\"string\"],"
         "\"pattern\":\"\\\\$\\\\{\",\"patternErrorMessage\":\"It must be a whole number.\"},\"default\":[1,2]}");
  expect(&(adl_param){.type = ADL_PARAM_CALL, .flags = ADL_MAP_OF, .choices = "sum/1|count/0"},
         "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\"],"
         "\"pattern\":\"^\\\\s*(sum|count)\\\\s*\\\\(|\\\\$\\\\{\","
         "\"patternErrorMessage\":\"It must be a call of sum or count.\"}}");
}
END_TEST

/* ---- the keys that are the runtime's ---- */

START_TEST(keys) {
  for (const adl_param *key = adl_keys_of_stage; key->name != NULL; key++)
    ck_assert_msg(g_strv_contains(adl_params_reserved(), key->name), "%s", key->name);
  ck_assert_ptr_null(adl_key_find(adl_keys_of_file, "none"));
  ck_assert_str_eq(adl_key_find(adl_keys_of_file, "memory")->range, "[1M, inf]");
  const adl_param *tables[] = {adl_keys_of_file, adl_keys_of_stage, adl_keys_of_holdout};
  for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
    for (const adl_param *key = tables[i]; key->name != NULL; key++)
      ck_assert_msg(key->doc != NULL && g_ascii_strcasecmp(key->doc, "") != 0, "%s", key->name);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("schema");
  TCase *cases = tcase_create("schema");
  tcase_add_test(cases, every_class_and_parameter);
  tcase_add_test(cases, one_class);
  tcase_add_test(cases, values);
  tcase_add_test(cases, keys);
  tcase_set_timeout(cases, 60);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
