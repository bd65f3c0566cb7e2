/* read-jsonl: its JSON against json-glib's on random and on damaged texts, and the class on the real engine. */
#include <json-glib/json-glib.h>
#include <math.h>

#include "common/convert.h"
#include "common/json_scan.h"
#include "tests/plugins/transform.h"

/* ---- random documents ---- */

static uint64_t counter;

static int below(int n) { return (int)(adl_random(2026, counter++) % (uint64_t)n); }

static void add_blanks(GString *to) {
  while (below(5) == 0) g_string_append_c(to, below(2) ? ' ' : '\t');
}

static void add_string(GString *to) {
  static const char *const pieces[] = {
      "a",       "Z", "ß", "便", "😀", "\\n", "\\\"",    "\\\\", "\\/", "\\u00e9", "\\uD83D\\ude00",
      "\\u4fBF", " ", "{", "]",  ",", "\\b", "\\u0041", "\x7f", "#"};
  g_string_append_c(to, '"');
  while (below(6) != 0) g_string_append(to, pieces[below((int)G_N_ELEMENTS(pieces))]);
  g_string_append_c(to, '"');
}

static void add_value(GString *to, int depth);

static void add_name(GString *to) {
  static const char *const names[] = {"s", "i", "o", "p", "f", "l", "b", "\\u0073", "other", ""};
  g_string_append_printf(to, "\"%s\"", names[below((int)G_N_ELEMENTS(names))]);
}

static void add_many(GString *to, bool object, int depth) {
  g_string_append_c(to, object ? '{' : '[');
  add_blanks(to);
  for (int i = 0, count = below(5); i < count; i++) {
    if (i > 0) g_string_append_c(to, ',');
    add_blanks(to);
    if (object) {
      add_name(to);
      add_blanks(to);
      g_string_append_c(to, ':');
      add_blanks(to);
    }
    add_value(to, depth + 1);
    add_blanks(to);
  }
  g_string_append_c(to, object ? '}' : ']');
}

static void add_value(GString *to, int depth) {
  static const char *const plain[] = {"null",        "true", "false",   "0",    "-1",
                                      "12345678901", "0.5",  "-2.25e2", "1E-3", "1e2"};
  int what = below(depth > 4 ? 4 : 7);
  if (what < 3)
    g_string_append(to, plain[below((int)G_N_ELEMENTS(plain))]);
  else if (what == 3)
    add_string(to);
  else
    add_many(to, what > 4, depth);
}

static GString *document(void) {
  GString *text = g_string_new(NULL);
  add_blanks(text);
  add_many(text, true, 0);
  add_blanks(text);
  return text;
}

/* ---- against json-glib ---- */

/* Values 0 to 4: s, i, o.p, o.p.f and o.l. */
static const adl_json_node nodes[] = {{"", 0, -1, 1, -1}, {"s", 1, 0, -1, 2},  {"i", 1, 1, -1, 3}, {"o", 1, -1, 4, -1},
                                      {"p", 1, 2, 6, 5},  {"l", 1, 4, -1, -1}, {"f", 1, 3, -1, -1}};

/* A text as it stands in a block, with its masks. */
typedef struct masked {
  char *memory, *text;
  void *bits;
  adl_json_masks masks;
} masked;

static masked mask_text(const char *text, size_t size, adl_simd level) {
  masked m = {.memory = g_malloc0(size + 2 * ADL_JSON_PAD), .bits = g_malloc(adl_json_masks_size(size))};
  m.text = m.memory + ADL_JSON_PAD;
  memset(m.text + size, "\n\"0{"[size % 4], ADL_JSON_PAD); /* what stands behind must not matter */
  if (size > 0) memcpy(m.text, text, size);
  adl_json_mask(level, m.text, size, m.bits, &m.masks);
  return m;
}

static void unmask(masked *m) {
  g_free(m->memory);
  g_free(m->bits);
}

static bool scan_new(const adl_json_masks *masks, size_t size, adl_json_value *values, adl_json_fault *fault) {
  static adl_json_scanner scanner;
  adl_json_begin(&scanner, nodes, 5, masks);
  return adl_json_scan(&scanner, masks->base, size, values, fault);
}

static JsonNode *member(JsonNode *node, const char *name) {
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node)) return NULL;
  return json_object_get_member(json_node_get_object(node), name);
}

static void assert_same(const adl_json_masks *masks, const adl_json_value *value, JsonNode *node, const char *text) {
  static const char *const kinds[] = {"null", "false", "true", "number", "string", "array", "object"};
  if (node == NULL || JSON_NODE_HOLDS_NULL(node)) {
    ck_assert_msg(value->kind == ADL_JSON_NONE, "%s instead of null in %s", kinds[value->kind], text);
  } else if (JSON_NODE_HOLDS_OBJECT(node)) {
    ck_assert_msg(value->kind == ADL_JSON_OBJECT, "%s instead of an object in %s", kinds[value->kind], text);
  } else if (JSON_NODE_HOLDS_ARRAY(node)) {
    JsonArray *array = json_node_get_array(node);
    const char *at = value->text + 1;
    adl_json_value item;
    guint count = 0;
    ck_assert_msg(value->kind == ADL_JSON_ARRAY, "%s instead of an array in %s", kinds[value->kind], text);
    for (; adl_json_next_item(masks, &at, value->text + value->size, &item); count++) {
      ck_assert_uint_lt(count, json_array_get_length(array));
      assert_same(masks, &item, json_array_get_element(array, count), text);
    }
    ck_assert_uint_eq(count, json_array_get_length(array));
  } else if (json_node_get_value_type(node) == G_TYPE_STRING) {
    char *plain = g_malloc(value->size + 1);
    ck_assert_msg(value->kind == ADL_JSON_STRING, "%s instead of a string in %s", kinds[value->kind], text);
    plain[adl_json_unescape(value->text, value->size, plain)] = '\0';
    ck_assert_str_eq(plain, json_node_get_string(node));
    g_free(plain);
  } else if (json_node_get_value_type(node) == G_TYPE_BOOLEAN) {
    ck_assert_msg(value->kind == (json_node_get_boolean(node) ? ADL_JSON_TRUE : ADL_JSON_FALSE), "%s in %s",
                  kinds[value->kind], text);
  } else {
    char *number = g_strndup(value->text, value->size);
    ck_assert_msg(value->kind == ADL_JSON_NUMBER, "%s instead of a number in %s", kinds[value->kind], text);
    double mine = g_ascii_strtod(number, NULL), theirs = json_node_get_double(node);
    ck_assert_msg(fabs(mine - theirs) <= 1e-12 * fabs(mine), "%s is not %g", number, theirs);
    g_free(number);
  }
}

/* Whether the text is taken; if so, its values are json-glib's. */
static bool same_values(const GString *text) {
  adl_json_value values[5];
  adl_json_fault fault = {NULL, NULL};
  if (!adl_utf8_valid(text->str, text->len)) return false;
  masked m = mask_text(text->str, text->len, below(2) ? adl_simd_level() : ADL_SIMD_PORTABLE);
  const adl_json_masks *masks = &m.masks;
  if (!scan_new(masks, text->len, values, &fault)) {
    ck_assert(fault.at >= m.text && fault.at <= m.text + text->len && fault.what != NULL);
    unmask(&m);
    return false;
  }
  JsonParser *parser = json_parser_new();
  GError *error = NULL;
  ck_assert_msg(json_parser_load_from_data(parser, text->str, (gssize)text->len, &error), "taken: %s", text->str);
  JsonNode *root = json_parser_get_root(parser), *p = member(member(root, "o"), "p");
  assert_same(masks, &values[0], member(root, "s"), text->str);
  assert_same(masks, &values[1], member(root, "i"), text->str);
  assert_same(masks, &values[2], p, text->str);
  assert_same(masks, &values[3], member(p, "f"), text->str);
  assert_same(masks, &values[4], member(member(root, "o"), "l"), text->str);
  g_object_unref(parser);
  unmask(&m);
  return true;
}

START_TEST(random_documents) {
  for (int i = 0; i < 4000; i++) {
    GString *text = document();
    ck_assert_msg(same_values(text), "refused: %s", text->str);
    g_string_free(text, TRUE);
  }
}
END_TEST

START_TEST(damaged_documents) {
  int taken = 0;
  for (int i = 0; i < 8000; i++) {
    GString *text = document();
    gsize at = (gsize)below((int)text->len);
    if (below(3) == 0)
      g_string_truncate(text, at);
    else if (below(2) == 0)
      g_string_erase(text, (gssize)at, 1);
    else
      text->str[at] = "{}[],:\"\\0a-. \x01\xff"[below(15)];
    taken += same_values(text);
    g_string_free(text, TRUE);
  }
  ck_assert_int_gt(taken, 100);
  ck_assert_int_lt(taken, 7000);
}
END_TEST

/* Texts of many shapes one behind the other, some damaged: what is remembered of earlier ones changes nothing. */
START_TEST(memory_changes_nothing) {
  GString *all = g_string_new(NULL), *texts[600];
  gsize at = 0;
  int taken = 0;
  for (int i = 0; i < 600; i++) {
    texts[i] = i % 3 == 0 || i < 10 ? document() : g_string_new(texts[i - 1 - below(9)]->str);
    if (below(4) == 0) texts[i]->str[below((int)texts[i]->len)] = "{}[],:\"\\0 "[below(10)];
    g_string_append_len(all, texts[i]->str, (gssize)texts[i]->len);
    g_string_append_c(all, '\n');
  }
  masked m = mask_text(all->str, all->len, adl_simd_level());
  static adl_json_scanner scanner;
  adl_json_begin(&scanner, nodes, 5, &m.masks);
  for (int i = 0; i < 600; i++) {
    adl_json_value values[5] = {{0}}, fresh[5] = {{0}};
    adl_json_fault fault = {0}, fault_too = {0};
    masked one = mask_text(texts[i]->str, texts[i]->len, ADL_SIMD_PORTABLE);
    const char *text = m.text + at;
    bool good = adl_json_scan(&scanner, text, texts[i]->len, values, &fault);
    ck_assert_int_eq(good, scan_new(&one.masks, texts[i]->len, fresh, &fault_too));
    if (!good) {
      ck_assert_int_eq(fault.at - text, fault_too.at - one.text);
      ck_assert_str_eq(fault.what, fault_too.what);
    }
    for (int v = 0; good && v < 5; v++) {
      ck_assert_int_eq(values[v].kind, fresh[v].kind);
      ck_assert_int_eq(values[v].size, fresh[v].size);
      ck_assert_int_eq(values[v].escaped, fresh[v].escaped);
      if (values[v].text != NULL) ck_assert_int_eq(values[v].text - text, fresh[v].text - one.text);
    }
    taken += good;
    at += texts[i]->len + 1;
    unmask(&one);
  }
  ck_assert_int_gt(taken, 100);
  ck_assert_int_lt(taken, 590);
  for (int i = 0; i < 600; i++) g_string_free(texts[i], TRUE);
  g_string_free(all, TRUE);
  unmask(&m);
}
END_TEST

/* Every level against what the bits mean. */
START_TEST(masks_are_right) {
  static const adl_simd levels[] = {ADL_SIMD_PORTABLE, ADL_SIMD_AVX2};
  for (int i = 0; i < 600; i++) {
    char text[300];
    size_t size = (size_t)below(300);
    bool high = false;
    for (size_t k = 0; k < size; k++) {
      text[k] = (char)(below(2) ? "\"\\ 09/:\x1f\x20\x7f"[below(10)] : below(i % 2 == 0 ? 128 : 256));
      high |= (unsigned char)text[k] >= 128;
    }
    for (int l = 0; l < (adl_simd_level() >= ADL_SIMD_AVX2 ? 2 : 1); l++) {
      masked m = mask_text(text, size, levels[l]);
      ck_assert_int_eq(m.masks.high, high);
      for (size_t k = 0; k < size; k++) {
        unsigned char c = (unsigned char)text[k];
        ck_assert_int_eq(adl_bit(m.masks.special, (int64_t)k), c == '"' || c == '\\' || c < ' ');
        ck_assert_int_eq(adl_bit(m.masks.digits, (int64_t)k), c >= '0' && c <= '9');
      }
      ck_assert(adl_bit(m.masks.special, (int64_t)size) && !adl_bit(m.masks.digits, (int64_t)size));
      unmask(&m);
    }
  }
}
END_TEST

static const char *const wrong[] = {"",
                                    "[]",
                                    "1",
                                    "{",
                                    "}",
                                    "{}}",
                                    "{} {}",
                                    "{\"a\"}",
                                    "{\"a\":}",
                                    "{\"a\":1,}",
                                    "{,}",
                                    "{a:1}",
                                    "{'a':1}",
                                    "{\"a\":01}",
                                    "{\"a\":+1}",
                                    "{\"a\":1.}",
                                    "{\"a\":.5}",
                                    "{\"a\":1e}",
                                    "{\"a\":-}",
                                    "{\"a\":nan}",
                                    "{\"a\":True}",
                                    "{\"a\":nul}",
                                    "{\"a\":[1,]}",
                                    "{\"a\":[1 2]}",
                                    "{\"a\":\"\\x\"}",
                                    "{\"a\":\"\\u12g4\"}",
                                    "{\"a\":\"\\ud800\"}",
                                    "{\"a\":\"\\udc00\"}",
                                    "{\"a\":\"\\ud800\\u0041\"}",
                                    "{\"a\":\"\t\"}",
                                    "{\"a\":\"b}",
                                    "{\"a\":1}//",
                                    "{\"a\" 1}",
                                    "{\"a\":[}]"};

START_TEST(what_is_not_json) {
  GString *text = g_string_new(wrong[_i]);
  ck_assert_msg(!same_values(text), "%s", wrong[_i]);
  g_string_free(text, TRUE);
}
END_TEST

START_TEST(depth_is_bounded) {
  for (int depth = ADL_JSON_DEPTH - 1; depth <= 200000; depth = depth < ADL_JSON_DEPTH ? depth + 1 : 200000 + 1) {
    GString *text = g_string_new("{\"s\":");
    for (int i = 1; i < depth; i++) g_string_append_c(text, '[');
    for (int i = 1; i < depth; i++) g_string_append_c(text, ']');
    g_string_append_c(text, '}');
    adl_json_value values[5];
    adl_json_fault fault;
    masked m = mask_text(text->str, text->len, adl_simd_level());
    ck_assert_int_eq(scan_new(&m.masks, text->len, values, &fault), depth <= ADL_JSON_DEPTH);
    unmask(&m);
    g_string_free(text, TRUE);
  }
  GString *deep = g_string_new("{\"s\":");
  for (int i = 0; i < 200000; i++) g_string_append(deep, "[");
  ck_assert(!same_values(deep));
  g_string_free(deep, TRUE);
}
END_TEST

/* ---- the class ---- */

static adl_harness *read_text(const char *text, const char *parameters) {
  adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
  adl_harness_top(h, "max_rejects: 1\n");
  const char *path = adl_harness_file(h, "a.jsonl", text, (gssize)strlen(text));
  char *stage = g_strdup_printf("  s: {use: read-jsonl, path: %s, %s}\n", path, parameters);
  adl_harness_run(h, stage, "s");
  g_free(stage);
  return h;
}

START_TEST(known_values) {
  adl_harness *h = read_text(
      "\xef\xbb\xbf{\"user\": {\"id\": 17, \"name\": \"Zo\\u00eb\"}, \"price\": 2.50, \"n\": 3, \"ok\": true, \"at\": "
      "\"2024-06-01T10:00:00+02:00\", \"tags\": [\"a\", \"b\\n\"], \"ns\": [1, -2], \"fs\": [0.5]}\n"
      "\n   \r\n"
      "{\"price\": null, \"user\": {\"id\": \"u\"}, \"ok\": 0, \"tags\": [], \"ns\": null, \"x\": {\"y\": [{}]}}\r\n"
      "{\"user\": null, \"price\": -1e3, \"n\": -0, \"user\": {\"name\": \"\\ud83d\\ude00\"}}",
      "columns: {id: id, name: string, price: float, n: int, ok: bool, at: timestamp, tags: strings, ns: ints, fs: "
      "floats}, paths: {id: user.id, name: user.name}, file_column: file");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "id", "17|u|null");
  ASSERT_VALUES(h, "name", "Zoë|null|😀");
  ASSERT_VALUES(h, "price", "2.5|null|-1000");
  ASSERT_VALUES(h, "n", "3|null|0");
  ASSERT_VALUES(h, "ok", "true|false|null");
  ASSERT_VALUES(h, "at", "2024-06-01T08:00:00Z|null|null");
  ASSERT_VALUES(h, "ns", "[1, -2]|null|null");
  ASSERT_VALUES(h, "fs", "[0.5]|null|null");
  ASSERT_VALUES(h, "file", "a.jsonl|a.jsonl|a.jsonl");
  const adl_column *tags = adl_harness_column(h, "tags");
  ck_assert_int_eq(tags->offsets[2], 2);
  ck_assert_int_eq(adl_text_at(tags, 1).size, 2);
  ck_assert_mem_eq(adl_text_at(tags, 1).data, "b\n", 2);
  ck_assert(!adl_is_null(tags, 1) && adl_is_null(tags, 2));
  ck_assert_int_eq(adl_harness_type(h, "id").role, ADL_CATEGORY);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  adl_harness_free(h);
}
END_TEST

/* 2, 2.0 and 2e0 are one number. */
START_TEST(whole_numbers) {
  adl_harness *h = read_text("{\"i\": 2.0, \"l\": [1, -3.00, 12e2]}\n{\"i\": -9.223372036854775808e18, \"l\": []}\n"
                             "{\"i\": 0.07E2, \"l\": [0e5]}\n{\"i\": 92233720368547758070e-1, \"l\": null}\n",
                             "columns: {i: int, l: ints}");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  ASSERT_VALUES(h, "i", "2|-9223372036854775808|7|9223372036854775807");
  ASSERT_VALUES(h, "l", "[1, -3, 1200]|[]|[0]|null");
  adl_harness_free(h);
}
END_TEST

START_TEST(times) {
  adl_harness *h = read_text("{\"a\": 1.5, \"b\": \"03.02.2024\"}\n{\"a\": \"2\"}\n{\"a\": 1e9}\n",
                             "columns: {a: timestamp unix, b: date %d.%m.%Y}");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "a", "1970-01-01T00:00:01.500000Z|1970-01-01T00:00:02Z|2001-09-09T01:46:40Z");
  ASSERT_VALUES(h, "b", "2024-02-03T00:00:00Z|null|null");
  adl_harness_free(h);
}
END_TEST

static const struct {
  const char *line, *reason;
} bad[] = {
    {"{\"s\": 1", "not JSON at byte 8: a comma or } is missing"},
    {"[1]", "not JSON at byte 1: a line must be one object, in { }"},
    {"{\"s\": \"\xc3\"}", "invalid UTF-8 at byte 8"},
    {"{\"other\": \"\\ud800\"}", "not JSON at byte 12: a high surrogate without a low one behind it"},
    {"{\"s\": true}", "s 2 s true at byte 7 is not a string or a number: \"true\""},
    {"{\"s\": \"a\\u0000\"}", "s 2 s a string at byte 8 is text with a NUL in it"},
    {"{\"i\": 1.5}", "s 2 i a number at byte 7 is not a whole number: \"1.5\""},
    {"{\"i\": 1e-1}", "s 2 i a number at byte 7 is not a whole number: \"1e-1\""},
    {"{\"i\": 1e19}", "s 2 i a number at byte 7 is too large for 64 bits"},
    {"{\"i\": \"1\"}", "s 2 i a string at byte 8 is not a whole number: \"1\""},
    {"{\"i\": 9223372036854775808}", "s 2 i a number at byte 7 is too large for 64 bits"},
    {"{\"f\": 1e400}", "s 2 f a number at byte 7 is too large for 64 bits"},
    {"{\"f\": {}}", "s 2 f an object at byte 7 is not a number"},
    {"{\"b\": 2}", "s 2 b a number at byte 7 is not true, false, 1 or 0"},
    {"{\"t\": 5}", "s 2 t a number at byte 7 is not a string"},
    {"{\"t\": \"soon\"}", "s 2 t a string at byte 8 is no time in the format of the column: \"soon\""},
    {"{\"l\": \"a\"}", "s 2 l a string at byte 8 is not an array: \"a\""},
    {"{\"l\": [\"a\", null]}", "s 2 l null at byte 13 is not a string"},
    {"{\"n\": [1, 2.5]}", "s 2 n a number at byte 11 is not a whole number: \"2.5\""},
};

START_TEST(bad_lines) {
  char *text = g_strdup_printf("{\"i\": 1}\n%s\n{\"i\": 3}\n", bad[_i].line);
  adl_harness *h =
      read_text(text, "columns: {s: string, i: int, f: float, b: bool, t: timestamp, l: strings, n: ints}");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "i", "1|3");
  char *rejects = adl_harness_rejects(h);
  ck_assert_msg(strstr(rejects, bad[_i].reason) != NULL, "%s lacks %s", rejects, bad[_i].reason);
  ck_assert_int_eq(adl_harness_rejected(h), 1);
  free(rejects);
  adl_harness_free(h);
  g_free(text);
}
END_TEST

static const char *const refused[][2] = {
    {"columns: {a: strig}", "did you mean `string`?"},
    {"columns: {a: skip}", "leave it out"},
    {"columns: {a: id}, paths: {b: x.y}", "`b` is not among `columns`"},
    {"columns: {a: id}, paths: {a: x..y}", "\"x..y\" is not a path"},
    {"columns: {a: id}, paths: {a: \".\"}", "\".\" is not a path"},
    {"columns: {a: id, b: int}, paths: {b: a}", "the column a has the same path"},
    {"columns: {a: timestamp}, timestamp_format: hours", "timestamp_format"},
    {"file_column: f", "columns"},
};

START_TEST(refusals) {
  adl_harness *h = read_text("{}\n", refused[_i][0]);
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), refused[_i][1]) != NULL, "%s", adl_harness_errors(h));
  adl_harness_free(h);
}
END_TEST

/* Many blocks; strings that outgrow what was reserved; any number of threads. */
START_TEST(threads_change_no_bit) {
  GString *text = g_string_new(NULL);
  for (int i = 0; i < 12000; i++) {
    g_string_append_printf(text, "{\"i\": %d, \"s\": \"", i);
    for (int k = below(200); k > 0; k--) g_string_append(text, i % 2 == 0 ? "x" : "\\u00e9");
    g_string_append_printf(text, "\", \"l\": [\"%d\", \"b\"], \"skipped\": [1, {\"i\": 2}]}\n", i);
  }
  char *first = NULL;
  adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
  adl_harness_file(h, "a.jsonl", text->str, (gssize)text->len);
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness_threads(h, threads);
    adl_harness_run(h,
                    "  s: {use: read-jsonl, path: a.jsonl, columns: {i: int, s: string, l: strings}}\n"
                    "  o: {use: write-jsonl, path: o.jsonl}\n",
                    "s");
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rows(h), 12000);
    char *out = adl_harness_read(h, "o.jsonl");
    if (first == NULL) first = g_strdup(out);
    ck_assert_msg(strcmp(out, first) == 0, "%d threads differ from one", threads);
    free(out);
  }
  /* What was written reads back the same. */
  adl_harness_file(h, "b.jsonl", first, (gssize)strlen(first));
  adl_harness_run(h,
                  "  s: {use: read-jsonl, path: b.jsonl, columns: {i: int, s: string, l: strings}}\n"
                  "  o: {use: write-jsonl, path: o.jsonl}\n",
                  "s");
  ASSERT_OK(h);
  char *again = adl_harness_read(h, "o.jsonl");
  ck_assert_str_eq(again, first);
  ck_assert(adl_harness_number(h, "i", 11999) == 11999);
  free(again);
  g_free(first);
  g_string_free(text, TRUE);
  adl_harness_free(h);
}
END_TEST

START_TEST(names_of_files_are_utf8) {
  adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
  adl_harness_file(h, "caf\xe9.jsonl", "{}\n", 3);
  adl_harness_run(h, "  s: {use: read-jsonl, path: caf*.jsonl, columns: {a: id}}\n", "s");
  ASSERT_OK(h);
  adl_harness_run(h,
                  "  s: {use: read-jsonl, path: caf*.jsonl, columns: {a: id}, file_column: file}\n"
                  "  o: {use: write-jsonl, path: o.jsonl}\n",
                  "s");
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), "caf\xef\xbf\xbd.jsonl is not UTF-8") != NULL, "%s",
                adl_harness_errors(h));
  adl_harness_free(h);
}
END_TEST

START_TEST(empty_file) {
  adl_harness *h = read_text("", "columns: {a: id, l: ints}");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("read-jsonl");
  TCase *cases = tcase_create("read-jsonl");
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, random_documents);
  tcase_add_test(cases, damaged_documents);
  tcase_add_test(cases, memory_changes_nothing);
  tcase_add_test(cases, masks_are_right);
  tcase_add_loop_test(cases, what_is_not_json, 0, (int)G_N_ELEMENTS(wrong));
  tcase_add_test(cases, depth_is_bounded);
  tcase_add_test(cases, known_values);
  tcase_add_test(cases, whole_numbers);
  tcase_add_test(cases, times);
  tcase_add_loop_test(cases, bad_lines, 0, (int)G_N_ELEMENTS(bad));
  tcase_add_loop_test(cases, refusals, 0, (int)G_N_ELEMENTS(refused));
  tcase_add_test(cases, threads_change_no_bit);
  tcase_add_test(cases, names_of_files_are_utf8);
  tcase_add_test(cases, empty_file);
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
