/*
 * report.html: well-formed whatever the data hold, nothing loaded from outside, the numbers of the manifest in it, the same
 * bytes for any number of threads. Its parts alone are in test_draw.c.
 */
#include <check.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/report/html.h"
#include "core/report/page.h"
#include "tests/harness/harness.h"

#define ASSERT_OK(h) ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h))
#define ASSERT_HAS(text, what) ck_assert_msg(strstr(text, what) != NULL, "no %s in:\n%.3000s", what, text)
#define ASSERT_LACKS(text, what) ck_assert_msg(strstr(text, what) == NULL, "%s in:\n%.3000s", what, text)

/* ---- a document, read back ---- */

typedef struct row {
  char *id;         /* NULL: none */
  GPtrArray *cells; /* of GString * */
} row;

typedef struct document {
  GHashTable *ids;
  GPtrArray *targets; /* of char *: of links within the page */
  GPtrArray *rows;    /* of row *, of all tables */
  GString *text;      /* all of it */
  int plots, open_cells;
} document;

static void free_string(gpointer data) { g_string_free(data, TRUE); }

static void free_row(gpointer data) {
  row *r = data;
  g_free(r->id);
  g_ptr_array_free(r->cells, TRUE);
  g_free(r);
}

static void on_start(GMarkupParseContext *context, const gchar *name, const gchar **names, const gchar **values,
                     gpointer data, GError **error) {
  document *d = data;
  const char *id = NULL, *class = "";
  (void)context, (void)error;
  for (int i = 0; names[i] != NULL; i++) {
    if (strcmp(names[i], "id") == 0) id = values[i];
    if (strcmp(names[i], "class") == 0) class = values[i];
    ck_assert_msg(!g_str_has_prefix(names[i], "on") && strcmp(names[i], "src") != 0, "%s has %s", name, names[i]);
    if (strcmp(names[i], "href") != 0) continue;
    ck_assert_msg(values[i][0] == '#' || g_str_has_prefix(values[i], "./"), "a link to %s", values[i]);
    if (values[i][0] == '#') g_ptr_array_add(d->targets, g_strdup(values[i] + 1));
  }
  if (strcmp(name, "script") == 0 && names[0] != NULL) ck_assert_str_eq(values[0], "application/json");
  static const char *const banned[] = {"link", "img", "iframe", "object", "embed", "image", "base", "form"};
  for (guint i = 0; i < G_N_ELEMENTS(banned); i++) ck_assert_str_ne(name, banned[i]);
  if (id != NULL) ck_assert_msg(g_hash_table_add(d->ids, g_strdup(id)), "two are called %s", id);
  if (strcmp(name, "svg") == 0 && strcmp(class, "chart") == 0) d->plots++;
  if (strcmp(name, "tr") == 0) {
    row *r = g_new0(row, 1);
    *r = (row){g_strdup(id), g_ptr_array_new_with_free_func(free_string)};
    g_ptr_array_add(d->rows, r);
  }
  if (strcmp(name, "td") != 0 && strcmp(name, "th") != 0) return;
  ck_assert_uint_gt(d->rows->len, 0);
  g_ptr_array_add(((row *)d->rows->pdata[d->rows->len - 1])->cells, g_string_new(NULL));
  d->open_cells++;
}

static void on_end(GMarkupParseContext *context, const gchar *name, gpointer data, GError **error) {
  (void)context, (void)error;
  if (strcmp(name, "td") == 0 || strcmp(name, "th") == 0) ((document *)data)->open_cells--;
}

static void on_text(GMarkupParseContext *context, const gchar *text, gsize size, gpointer data, GError **error) {
  document *d = data;
  (void)context, (void)error;
  g_string_append_len(d->text, text, (gssize)size);
  if (d->open_cells == 0) return;
  const row *r = d->rows->pdata[d->rows->len - 1];
  g_string_append_len(r->cells->pdata[r->cells->len - 1], text, (gssize)size);
}

static document read_page(const char *html) {
  static const GMarkupParser parser = {.start_element = on_start, .end_element = on_end, .text = on_text};
  document d = {.ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                .targets = g_ptr_array_new_with_free_func(g_free),
                .rows = g_ptr_array_new_with_free_func(free_row),
                .text = g_string_new(NULL)};
  GError *error = NULL;
  ck_assert_ptr_nonnull(html);
  ck_assert(g_utf8_validate(html, -1, NULL));
  GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &d, NULL);
  bool ok =
      g_markup_parse_context_parse(context, html, -1, &error) && g_markup_parse_context_end_parse(context, &error);
  ck_assert_msg(ok, "%s in:\n%.3000s", error != NULL ? error->message : "", html);
  g_markup_parse_context_free(context);
  for (guint i = 0; i < d.targets->len; i++)
    ck_assert_msg(g_hash_table_contains(d.ids, d.targets->pdata[i]), "nothing is called %s",
                  (const char *)d.targets->pdata[i]);
  ASSERT_LACKS(html, "url(");
  ASSERT_LACKS(html, "@import");
  return d;
}

static void close_page(document *d) {
  g_hash_table_destroy(d->ids);
  g_ptr_array_free(d->targets, TRUE);
  g_ptr_array_free(d->rows, TRUE);
  g_string_free(d->text, TRUE);
}

static const char *cell(const row *r, guint number) {
  ck_assert_uint_lt(number, r->cells->len);
  return ((const GString *)r->cells->pdata[number])->str;
}

/* The row whose first cells are these; NULL: any. */
static const row *find_row(const document *d, const char *first, const char *second) {
  for (guint i = 0; i < d->rows->len; i++) {
    const row *r = d->rows->pdata[i];
    if (r->cells->len < 2 || strcmp(cell(r, 0), first) != 0) continue;
    if (second == NULL || strcmp(cell(r, 1), second) == 0) return r;
  }
  ck_abort_msg("no row %s, %s in:\n%.3000s", first, second != NULL ? second : "...", d->text->str);
}

/* 176,850; nothing counts as 0. */
static int64_t number(const char *text) {
  int64_t value = 0;
  for (; *text != '\0'; text++) {
    ck_assert_msg(g_ascii_isdigit(*text) || *text == ',', "%s", text);
    if (*text != ',') value = 10 * value + (*text - '0');
  }
  return value;
}

static char *without_what_varies(const char *html) {
  GString *out = g_string_new(NULL);
  for (const char *from = html;;) {
    const char *begin = strstr(from, ADL_HTML_VARIES);
    g_string_append_len(out, from, begin != NULL ? begin - from : (gssize)strlen(from));
    if (begin == NULL) break;
    from = strstr(begin, ADL_HTML_VARIES_END);
    ck_assert_ptr_nonnull(from);
    from += strlen(ADL_HTML_VARIES_END);
  }
  return g_string_free(out, FALSE);
}

/* ---- pages ---- */

/* Row i: x = i mod 97, clicked when x > 60, a word by x; every 50th x is null, every 100th record is broken. */
static char *some_rows(int n) {
  static const char *const words[] = {"tea cup", "茶叶 杯子", "bread", "Käse & Brot", "<b>bold</b>"};
  GString *csv = g_string_new("x,clicked,text\n");
  for (int i = 0; i < n; i++) {
    int x = i % 97;
    if (i % 100 == 7)
      g_string_append(csv, "<script>alert(1)</script>,1,t\n");
    else if (i % 50 == 13)
      g_string_append_printf(csv, ",%d,%s\n", x > 60, words[x % 5]);
    else
      g_string_append_printf(csv, "%d,%d,%s\n", x, (x > 60) != (i % 11 == 3), words[x % 5]);
  }
  return g_string_free(csv, FALSE);
}

static adl_harness *with_rows(int n) {
  char *csv = some_rows(n);
  adl_harness *h = adl_harness_new(csv, "{x: float, clicked: bool, text: string}");
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_source(h, "holdout: {fraction: 0.3}");
  g_free(csv);
  return h;
}

static const char learning[] = "  words: {use: tfidf, text: text, as: words}\n"
                               "  segment: {use: kmeans, features: [words], clusters: 4, as: segment}\n"
                               "  scaled: {use: scale, columns: [x], as: sx}\n"
                               "  click: {use: ftrl, features: [words, sx], label: clicked, as: p}\n"
                               "  quality: {use: metrics, label: clicked, score: p, bins: 300}\n"
                               "  out: {use: write-csv, from: click, path: a & b/out.csv, columns: [segment, p]}\n";

static void assert_like_manifest(const document *d, const adl_harness *h) {
  char *text = adl_harness_read(h, "manifest.json");
  JsonParser *parser = json_parser_new();
  ck_assert(json_parser_load_from_data(parser, text, -1, NULL));
  JsonObject *manifest = json_node_get_object(json_parser_get_root(parser));
  JsonArray *stages = json_object_get_array_member(manifest, "stages");
  ck_assert_uint_gt(json_array_get_length(stages), 0);
  for (guint i = 0; i < json_array_get_length(stages); i++) {
    JsonObject *stage = json_array_get_object_element(stages, i);
    const row *r =
        find_row(d, json_object_get_string_member(stage, "name"), json_object_get_string_member(stage, "class"));
    ck_assert_ptr_nonnull(r->id);
    ck_assert_int_eq(number(cell(r, 2)), json_object_get_int_member(stage, "rows_in"));
    ck_assert_int_eq(number(cell(r, 3)), json_object_get_int_member(stage, "rows_out"));
  }
  g_object_unref(parser);
  g_free(text);
}

START_TEST(a_run_as_a_page) {
  adl_harness *h = with_rows(5000);
  adl_harness_run(h, learning, NULL);
  ASSERT_OK(h);
  char *html = adl_harness_read(h, ADL_PAGE_NAME);
  document d = read_page(html);
  assert_like_manifest(&d, h);
  ASSERT_HAS(html, "class=\"outcome ok\">success<");
  /* 5000 records, 50 of them broken, then 100 without an x are refused by scale */
  const row *source = find_row(&d, "rows", "read-csv");
  ck_assert_int_eq(number(cell(source, 3)), 4950);
  ck_assert_int_eq(number(cell(source, 4)), 50);
  ck_assert_int_eq(number(cell(find_row(&d, "scaled", "scale"), 4)), 100);
  ck_assert_int_eq(number(cell(find_row(&d, "quality", "metrics"), 2)), 4850);
  /* what was refused, and why; what is null */
  const row *reject = find_row(&d, "rows", "x");
  ASSERT_HAS(cell(reject, 2), "\"<script>alert(1)</script>\" is not a float");
  ck_assert_int_eq(number(cell(reject, 3)), 50);
  ck_assert_int_eq(number(cell(find_row(&d, "scaled", "x"), 3)), 100);
  bool nulls = false;
  for (guint i = 0; i < d.rows->len; i++) {
    const row *r = d.rows->pdata[i];
    nulls = nulls || (r->cells->len == 6 && strcmp(cell(r, 1), "x") == 0 && strcmp(cell(r, 2), "float64") == 0 &&
                      strcmp(cell(r, 3), "100") == 0);
  }
  ck_assert_msg(nulls, "%.3000s", d.text->str);
  /* data in the tables, never as markup */
  ASSERT_LACKS(html, "<script>alert");
  ASSERT_LACKS(html, "<b>bold");
  ASSERT_HAS(d.text->str, "茶叶");
  ASSERT_HAS(html, "a &amp; b/out.csv");
  ASSERT_HAS(html, "href=\"./a%20%26%20b/out.csv\"");
  /* calibration and ROC of held-out and training rows, loss of the learner */
  ck_assert_int_ge(d.plots, 5);
  ASSERT_HAS(html, "<figcaption>ROC (held-out)</figcaption>");
  ASSERT_HAS(html, "<figcaption>calibration (held-out)</figcaption>");
  ASSERT_HAS(html, "<figcaption>progressive loss</figcaption>");
  ck_assert_ptr_nonnull(find_row(&d, "auc", NULL));
  close_page(&d);
  g_free(html);
  adl_harness_free(h);
}
END_TEST

START_TEST(threads_memory_and_the_store_change_nothing_else) {
  adl_harness *h = with_rows(30000);
  char *first = NULL;
  adl_harness_store(h, true);
  for (int i = 0; i < 4; i++) {
    adl_harness_threads(h, i == 0 ? 1 : 3);
    adl_harness_memory(h, i < 2 ? INT64_C(1) << 30 : 1 << 20);
    adl_harness_run(h, learning, NULL);
    ASSERT_OK(h);
    char *html = adl_harness_read(h, ADL_PAGE_NAME), *same = without_what_varies(html);
    if (first == NULL) first = g_strdup(same);
    ck_assert_str_eq(first, same);
    ck_assert_uint_lt(strlen(same), strlen(html));
    g_free(html);
    g_free(same);
  }
  g_free(first);
  adl_harness_free(h);
}
END_TEST

/* Names of columns, reasons and texts that would be markup, or no text at all. */
START_TEST(hostile_names) {
  static const char csv[] = "\"<script>alert('1')</script>\",\"a&b\",\"\"\"q\"\"\",t\n"
                            "1,2,3,\"</td></table>]]>&amp;<!-- \"\n2,,3,\xf0\x9f\xa6\x80\n3,4,x\"<>,\xff\xfe\n"
                            "4,5,\"&#x1;\x01\x7f\",\xe2\x80\xae\n5,6,7,\"<![CDATA[\"\n6,7,8,-->\n";
  adl_harness *h =
      adl_harness_new(csv, "{\"<script>alert('1')</script>\": float, \"a&b\": float, \"\\\"q\\\"\": float, t: id}");
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h,
                  "  sums: {use: onehot, columns: [t], as: t1}\n"
                  "  scaled: {use: scale, columns: [\"<script>alert('1')</script>\", \"a&b\"], as: \"<i>\"}\n"
                  "  close: {use: kmeans, features: [t1, \"<i>\"], clusters: 2, as: \"'>\"}\n"
                  "  out: {use: write-csv, path: \"<i>&'.csv\", columns: [\"'>\"]}\n",
                  NULL);
  ASSERT_OK(h);
  char *html = adl_harness_read(h, ADL_PAGE_NAME);
  document d = read_page(html);
  ASSERT_LACKS(html, "<script>alert");
  ASSERT_LACKS(html, "<i>&");
  ASSERT_LACKS(html, "CDATA[\"");
  ASSERT_HAS(html, "&lt;script&gt;");
  close_page(&d);
  g_free(html);
  adl_harness_free(h);
}
END_TEST

START_TEST(a_failed_run_tells_why) {
  adl_harness *h = with_rows(2000);
  adl_harness_top(h, "max_rejects: 0.001\n");
  adl_harness_run(h, learning, NULL);
  ck_assert(!adl_harness_ok(h));
  char *html = adl_harness_read(h, ADL_PAGE_NAME);
  document d = read_page(html);
  ASSERT_HAS(html, "class=\"outcome failed\">failed<");
  ASSERT_HAS(d.text->str, "rows (1.00 %) were rejected; 0.10 % are allowed");
  ck_assert_int_eq(number(cell(find_row(&d, "rows", "x"), 3)), 20);
  ASSERT_LACKS(html, "Outputs");
  assert_like_manifest(&d, h);
  close_page(&d);
  g_free(html);
  adl_harness_free(h);
}
END_TEST

/* A folder stands where the page should go. */
START_TEST(a_page_that_cannot_be_written) {
  adl_harness *h = with_rows(200);
  char *there = g_build_filename(adl_harness_directory(h), "run-1", ADL_PAGE_NAME, "x", NULL);
  ck_assert_int_eq(g_mkdir_with_parents(there, 0777), 0);
  ck_assert_int_eq(adl_harness_run(h, "  out: {use: write-csv, path: out.csv}\n", NULL), ADL_RUN_FAILED);
  ASSERT_HAS(adl_harness_errors(h), "cannot write ");
  ASSERT_HAS(adl_harness_errors(h), "run-1/report.html: ");
  char *manifest = adl_harness_read(h, "manifest.json");
  ASSERT_HAS(manifest, "\"outcome\" : \"failed\"");
  g_free(manifest);
  g_free(there);
  adl_harness_free(h);
}
END_TEST

START_TEST(long_tables_are_cut) {
  GString *csv = g_string_new("score,label\n");
  for (int i = 0; i < 3000; i++) g_string_append_printf(csv, "%.4f,%d\n", (i + 0.5) / 3000, i % 3 == 0);
  adl_harness *h = adl_harness_new(csv->str, "{score: float, label: bool}");
  adl_harness_run(h, "  quality: {use: metrics, label: label, score: score, bins: 300}\n", NULL);
  ASSERT_OK(h);
  char *html = adl_harness_read(h, ADL_PAGE_NAME);
  document d = read_page(html);
  ASSERT_HAS(d.text->str, "100 more rows; all are in metrics.json.");
  close_page(&d);
  g_free(html);
  g_string_free(csv, TRUE);
  adl_harness_free(h);
}
END_TEST

START_TEST(no_rows_at_all) {
  adl_harness *h = adl_harness_new("x,clicked,text\n", "{x: float, clicked: bool, text: string}");
  adl_harness_run(h, "  f: {use: filter, where: x > 1}\n  o: {use: write-csv, path: out.csv}\n", NULL);
  ASSERT_OK(h);
  char *html = adl_harness_read(h, ADL_PAGE_NAME);
  document d = read_page(html);
  ASSERT_HAS(d.text->str, "0 rows read; none was rejected.");
  assert_like_manifest(&d, h);
  close_page(&d);
  g_free(html);
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("report");
  TCase *pages = tcase_create("pages");
  tcase_add_test(pages, a_run_as_a_page);
  tcase_add_test(pages, threads_memory_and_the_store_change_nothing_else);
  tcase_add_test(pages, hostile_names);
  tcase_add_test(pages, a_failed_run_tells_why);
  tcase_add_test(pages, a_page_that_cannot_be_written);
  tcase_add_test(pages, long_tables_are_cut);
  tcase_add_test(pages, no_rows_at_all);
  tcase_set_timeout(pages, 120);
  suite_add_tcase(suite, pages);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
