/* What a stage reported in the last run of a harness, read from metrics.json. */
#ifndef ADLOOM_TESTS_REPORTED_H
#define ADLOOM_TESTS_REPORTED_H

#include <check.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

typedef struct reported {
  JsonParser *parser;
  JsonArray *items;
} reported;

static inline reported reported_read(const adl_harness *h) {
  char *text = adl_harness_read(h, "metrics.json");
  ck_assert_ptr_nonnull(text);
  reported r = {.parser = json_parser_new()};
  ck_assert(json_parser_load_from_data(r.parser, text, -1, NULL));
  JsonNode *root = json_parser_get_root(r.parser);
  r.items = JSON_NODE_HOLDS_ARRAY(root) ? json_node_get_array(root)
                                        : json_object_get_array_member(json_node_get_object(root), "metrics");
  ck_assert_ptr_nonnull(r.items);
  free(text);
  return r;
}

static inline void reported_free(reported *r) { g_object_unref(r->parser); }

/* NULL: there is none. */
static inline JsonObject *reported_item(const reported *r, const char *stage, const char *over, const char *name) {
  for (guint i = 0; i < json_array_get_length(r->items); i++) {
    JsonObject *item = json_array_get_object_element(r->items, i);
    if (strcmp(json_object_get_string_member(item, "stage"), stage) == 0 &&
        strcmp(json_object_get_string_member_with_default(item, "over", ""), over) == 0 &&
        strcmp(json_object_get_string_member(item, "name"), name) == 0)
      return item;
  }
  return NULL;
}

static inline double reported_member(const reported *r, const char *stage, const char *over, const char *name,
                                     const char *member) {
  JsonObject *item = reported_item(r, stage, over, name);
  ck_assert_msg(item != NULL, "%s does not report %s over %s", stage, name, over);
  return json_object_has_member(item, member) ? json_object_get_double_member(item, member) : NAN;
}

/* low NAN: there must be no interval. */
static inline void reported_check(const reported *r, const char *stage, const char *over, const char *name,
                                  double value, double low, double high, double tolerance) {
  const char *const members[3] = {"value", "low", "high"};
  const double wanted[3] = {value, low, high};
  for (int i = 0; i < 3; i++) {
    double found = reported_member(r, stage, over, name, members[i]);
    ck_assert_msg(isnan(wanted[i]) ? isnan(found) : fabs(found - wanted[i]) <= tolerance,
                  "%s of %s over %s is %.15g, not %.15g", members[i], name, over, found, wanted[i]);
  }
}

static inline void reported_check_text(const reported *r, const char *stage, const char *name, const char *words) {
  JsonObject *item = reported_item(r, stage, "", name);
  ck_assert_msg(item != NULL, "%s does not report %s", stage, name);
  const char *text = json_object_get_string_member(item, "text");
  ck_assert_msg(strstr(text, words) != NULL, "%s is `%s`, without `%s`", name, text, words);
}

/* A table: titles and rows, cells between |, each on a line; free it. */
static inline char *reported_table(const reported *r, const char *stage, const char *name) {
  JsonObject *item = reported_item(r, stage, "", name);
  ck_assert_msg(item != NULL, "%s does not report %s", stage, name);
  GString *text = g_string_new(NULL);
  JsonArray *titles = json_object_get_array_member(item, "columns"), *rows = json_object_get_array_member(item, "rows");
  for (guint i = 0; i <= json_array_get_length(rows); i++) {
    JsonArray *cells = i == 0 ? titles : json_array_get_array_element(rows, i - 1);
    for (guint k = 0; k < json_array_get_length(cells); k++)
      g_string_append_printf(text, "%s|", json_array_get_string_element(cells, k));
    g_string_append_c(text, '\n');
  }
  return g_string_free(text, FALSE);
}

#endif
