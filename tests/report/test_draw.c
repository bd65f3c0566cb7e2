/* The parts of report.html alone: escaping, numbers, charts, the layout of the graph. */
#include <check.h>
#include <glib.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "core/report/chart.h"
#include "core/report/html.h"
#include "core/report/layout.h"

#define ASSERT_HAS(text, what) ck_assert_msg(strstr(text, what) != NULL, "no %s in:\n%.3000s", what, text)
#define ASSERT_LACKS(text, what) ck_assert_msg(strstr(text, what) == NULL, "%s in:\n%.3000s", what, text)

static void assert_well_formed(const char *markup) {
  static const GMarkupParser parser = {0};
  GError *error = NULL;
  GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, NULL, NULL);
  bool fine =
      g_markup_parse_context_parse(context, markup, -1, &error) && g_markup_parse_context_end_parse(context, &error);
  ck_assert_msg(fine, "%s in:\n%.3000s", fine ? "" : error->message, markup);
  g_markup_parse_context_free(context);
}

/* ---- texts and numbers ---- */

START_TEST(texts) {
  static const char *const pairs[][2] = {
      {"a < b && c > 'd' \"e\"", "a &lt; b &amp;&amp; c &gt; &#39;d&#39; &quot;e&quot;"},
      {"茶叶 🦀\n\t", "茶叶 🦀\n\t"},
      {"\xff"
       "a\xc3",
       "\xef\xbf\xbd"
       "a\xef\xbf\xbd"},
      {"\x01\x1b[31m\x7f", "\xef\xbf\xbd\xef\xbf\xbd[31m\xef\xbf\xbd"},
      {"\xe2\x80\xae", "\xef\xbf\xbd"},                         /* right-to-left override */
      {"\xef\xbf\xbf\xef\xb7\x90", "\xef\xbf\xbd\xef\xbf\xbd"}, /* no characters at all */
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
  };
  for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
    GString *out = g_string_new(NULL);
    adl_html_text(out, pairs[i][0]);
    ck_assert_str_eq(out->str, pairs[i][1]);
    g_string_free(out, TRUE);
  }
  static const char *const cut[][2] = {
      {"abcdef", "abcdef"}, {"abcdefg", "abcde…"}, {"茶叶杯子", "茶叶…"}, {"<<<<<<<", "&lt;&lt;&lt;&lt;&lt;…"}};
  for (guint i = 0; i < G_N_ELEMENTS(cut); i++) {
    GString *out = g_string_new(NULL);
    adl_html_text_cut(out, cut[i][0], 6);
    ck_assert_str_eq(out->str, cut[i][1]);
    g_string_free(out, TRUE);
  }
}
END_TEST

START_TEST(any_bytes_are_well_formed) {
  GRand *random = g_rand_new_with_seed(7);
  for (int n = 0; n < 3000; n++) {
    char bytes[40];
    int size = g_rand_int_range(random, 0, 39);
    for (int i = 0; i < size; i++) bytes[i] = (char)g_rand_int_range(random, 1, 256);
    bytes[size] = '\0';
    GString *out = g_string_new("<html><p title=\"");
    adl_html_text(out, bytes);
    g_string_append(out, "\">");
    adl_html_text_cut(out, bytes, 10);
    g_string_append(out, "</p></html>");
    assert_well_formed(out->str);
    g_string_free(out, TRUE);
  }
  g_rand_free(random);
}
END_TEST

START_TEST(numbers_as_people_read_them) {
  static const struct {
    double value;
    const char *text;
  } numbers[] = {{0, "0"},
                 {-0.0, "0"},
                 {7, "7"},
                 {176850, "176,850"},
                 {-1234567, "−1,234,567"},
                 {0.79273, "0.7927"},
                 {1905.6095, "1,906"},
                 {13575.8, "13,576"},
                 {0.5, "0.5"},
                 {99.995, "100"},
                 {1e-5, "1e−5"},
                 {-2.5e-7, "−2.5e−7"},
                 {1e20, "1e20"},
                 {0.000123456, "0.0001235"},
                 {999.96, "1,000"},
                 {1.0001, "1"},
                 {NAN, "undefined"},
                 {INFINITY, "infinite"}};
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
    GString *out = g_string_new(NULL);
    adl_html_number(out, numbers[i].value);
    ck_assert_str_eq(out->str, numbers[i].text);
    g_string_free(out, TRUE);
  }
  static const struct {
    double value;
    const char *text;
  } times[] = {{0, "0 µs"},       {4.2e-5, "42 µs"}, {0.0036, "3.6 ms"}, {0.0951, "95 ms"},
               {1.234, "1.23 s"}, {42.06, "42.1 s"}, {125, "2 min 5 s"}, {3660, "1 h 1 min"}};
  for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
    GString *out = g_string_new(NULL);
    adl_html_seconds(out, times[i].value);
    ck_assert_str_eq(out->str, times[i].text);
    g_string_free(out, TRUE);
  }
  static const struct {
    int64_t value;
    const char *text;
  } sizes[] = {{0, "0 bytes"},      {999, "999 bytes"}, {1000, "1 kB"},       {190303, "190 kB"},
               {1751031, "1.8 MB"}, {999999, "1 MB"},   {INT64_MAX, "9.2 EB"}};
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    GString *out = g_string_new(NULL);
    adl_html_bytes(out, sizes[i].value);
    ck_assert_str_eq(out->str, sizes[i].text);
    g_string_free(out, TRUE);
  }
  static const char *const cells[][2] = {{"0.0428039", "0.0428"}, {"1661", "1,661"},          {"007", "007"},
                                         {"+1.2", "+1.2"},        {"undefined", "undefined"}, {"0x1F", "0x1F"},
                                         {"24.6 %", "24.6 %"},    {"-12.34567", "−12.35"}};
  for (guint i = 0; i < G_N_ELEMENTS(cells); i++) {
    GString *out = g_string_new(NULL);
    adl_html_maybe_number(out, cells[i][0]);
    ck_assert_str_eq(out->str, cells[i][1]);
    g_string_free(out, TRUE);
  }
}
END_TEST

/* ---- charts ---- */

/* Draws, parses; every coordinate is a number within the picture. The text is to be freed. */
static char *drawn(adl_plot_kind kind, uint32_t flags, int64_t count, const double *x, const double *y) {
  GString *out = g_string_new("<html>");
  const adl_series series = {.struct_size = sizeof series, .count = count, .x = x, .y = y}, *only = &series;
  const adl_plot plot = {.struct_size = sizeof plot,
                         .kind = kind,
                         .flags = flags,
                         .series_count = 1,
                         .name = "a <title>",
                         .x_title = "x & x",
                         .y_title = "y",
                         .series = &only};
  adl_chart_draw(out, &plot);
  g_string_append(out, "</html>");
  assert_well_formed(out->str);
  ASSERT_LACKS(out->str, "nan");
  ASSERT_LACKS(out->str, "inf");
  for (const char *path = strstr(out->str, " d=\"M"); path != NULL; path = strstr(path + 1, " d=\"M"))
    for (const char *at = path + 5; *at != '"';) {
      char *end;
      double value = g_ascii_strtod(at, &end);
      ck_assert_msg(end > at && value >= -1 && value <= 421, "%.60s", path);
      if (strncmp(end, "h0", 2) == 0) end += 2; /* a dot */
      at = end + strspn(end, " LM");
    }
  return g_string_free(out, FALSE);
}

START_TEST(charts) {
  const double x[] = {0, 1, 2, 3}, y[] = {-4.04, -3.4, -2, -1.75};
  char *line = drawn(ADL_PLOT_LINE, 0, 4, x, y);
  ASSERT_HAS(line, ">−4</text>");
  ASSERT_HAS(line, ">3</text>");
  ASSERT_HAS(line, "a &lt;title&gt;");
  ASSERT_LACKS(line, "logarithmic");
  g_free(line);
  char *bars = drawn(ADL_PLOT_BARS, 0, 4, x, y);
  ck_assert_ptr_nonnull(strstr(bars, "<rect class=\"fill\""));
  g_free(bars);
  const double rows[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024},
               loss[] = {.69, .6, .6, .5, .5, .5, .45, .44, .43, .42, .4};
  char *curve = drawn(ADL_PLOT_LINE, 0, 11, rows, loss);
  ASSERT_HAS(curve, "(logarithmic)");
  ASSERT_HAS(curve, ">1,000</text>");
  g_free(curve);
  char *square = drawn(ADL_PLOT_LINE, ADL_PLOT_SHARES, 2, (double[]){0.01, 0.04}, (double[]){0.02, 0.05});
  ASSERT_HAS(square, "class=\"ideal\"");
  g_free(square);
}
END_TEST

/* The numbers that stand in a figure for the page's script. */
static JsonObject *numbers_of(const char *figure, JsonParser *parser) {
  const char *begin = strstr(figure, "<script type=\"application/json\">");
  ck_assert_ptr_nonnull(begin);
  begin = strchr(begin, '>') + 1;
  const char *end = strstr(begin, "</script>");
  ck_assert_ptr_nonnull(end);
  GError *error = NULL;
  bool ok = json_parser_load_from_data(parser, begin, end - begin, &error);
  ck_assert_msg(ok, "%s in %.*s", ok ? "" : error->message, (int)(end - begin), begin);
  return json_node_get_object(json_parser_get_root(parser));
}

static double number_at(JsonObject *object, const char *name, guint i) {
  return json_array_get_double_element(json_object_get_array_member(object, name), i);
}

/* How far an axis goes, for the page's script. */
static void assert_range(const char *figure, const char *name, double low, double high) {
  JsonParser *parser = json_parser_new();
  JsonObject *range = json_object_get_object_member(numbers_of(figure, parser), "range");
  ck_assert_msg(fabs(number_at(range, name, 0) - low) < 1e-9 && fabs(number_at(range, name, 1) - high) < 1e-9, "%s",
                figure);
  g_object_unref(parser);
}

/* Bars fill the axis from end to end, and an axis of whole numbers says so. */
START_TEST(axes_end_where_their_values_do) {
  const double middle[] = {.05, .15, .25, .35, .45, .55, .65, .75, .85, .95}, one[] = {3}, ranks[] = {1, 2, 3};
  const double y[] = {1, 5, 3, 2, 2, 2, 2, 2, 2, 1};
  char *shares = drawn(ADL_PLOT_BARS, 0, 10, middle, y);
  assert_range(shares, "x", 0, 1);
  ASSERT_LACKS(shares, "\"whole\":true");
  g_free(shares);
  char *single = drawn(ADL_PLOT_BARS, 0, 1, one, y);
  assert_range(single, "x", 2.5, 3.5);
  g_free(single);
  char *places = drawn(ADL_PLOT_POINTS, 0, 3, ranks, y);
  assert_range(places, "x", 1, 3);
  ASSERT_HAS(places, "\"whole\":true");
  ASSERT_LACKS(places, ">1.5</text>");
  g_free(places);
}
END_TEST

START_TEST(odd_charts) {
  const double odd[] = {NAN, INFINITY, -INFINITY, 0, 1, -1, 1e308, -1e308, 1e-308, 5e-324};
  enum { ODD = G_N_ELEMENTS(odd), MOST = 12 };
  GRand *random = g_rand_new_with_seed(11);
  char *none = drawn(ADL_PLOT_LINE, 0, 0, NULL, NULL);
  ASSERT_HAS(none, "Nothing to draw");
  g_free(none);
  for (int n = 0; n < 3000; n++) {
    double x[MOST], y[MOST];
    int count = g_rand_int_range(random, 1, MOST);
    for (int i = 0; i < count; i++) {
      x[i] = g_rand_boolean(random) ? odd[g_rand_int_range(random, 0, ODD)] : g_rand_double_range(random, -5, 5);
      y[i] = g_rand_boolean(random) ? odd[g_rand_int_range(random, 0, ODD)] : g_rand_double_range(random, 1e6, 1e7);
    }
    g_free(drawn((adl_plot_kind)(n % 3), 0, count, x, y));
  }
  double *many = g_new(double, 5000);
  for (int i = 0; i < 5000; i++) many[i] = i;
  char *cut = drawn(ADL_PLOT_BARS, 0, 5000, many, many);
  ASSERT_HAS(cut, "(the first 200 of 5000)");
  g_free(cut);
  char *thin = drawn(ADL_PLOT_LINE, 0, 5000, many, many);
  ck_assert_uint_lt(strlen(thin), 40000);
  g_free(thin);
  g_free(many);
  g_rand_free(random);
}
END_TEST

START_TEST(named_bars_and_their_numbers) {
  const double x[] = {0, 1, 2}, first[] = {3, -1.5, NAN}, second[] = {1, 2, 4}, low[] = {0.5, 1, 3}, high[] = {2, 3, 5};
  const char *const names[] = {"绿茶 <b>&amp;</b>", "</script><script>alert(1)</script>", "\xff\x01]]>"};
  const adl_series a = {.struct_size = sizeof a, .name = "a \"name\"", .count = 3, .x = x, .y = first, .labels = names},
                   b = {.struct_size = sizeof b, .count = 3, .x = x, .y = second, .low = low, .high = high};
  const adl_series *both[] = {&a, &b};
  const adl_plot plot = {.struct_size = sizeof plot,
                         .kind = ADL_PLOT_BARS,
                         .series_count = 2,
                         .name = "words",
                         .x_title = "word",
                         .y_title = "weight",
                         .series = both};
  GString *out = g_string_new("");
  JsonParser *parser = json_parser_new();
  adl_chart_draw(out, &plot);
  assert_well_formed(out->str);
  ASSERT_HAS(out->str, ">绿茶 &lt;b&gt;");
  ASSERT_LACKS(out->str, "<script>");
  int bars = 0;
  for (const char *at = strstr(out->str, "<rect class=\"fill\""); at != NULL; at = strstr(at + 1, "<rect")) bars++;
  ck_assert_int_eq(bars, 5); /* one value is no number */
  JsonObject *numbers = numbers_of(out->str, parser);
  JsonArray *series = json_object_get_array_member(numbers, "series");
  ck_assert_uint_eq(json_array_get_length(series), 2);
  JsonObject *one = json_array_get_object_element(series, 0), *two = json_array_get_object_element(series, 1);
  ck_assert_str_eq(json_object_get_string_member(one, "name"), "a \"name\"");
  ck_assert_str_eq(json_array_get_string_element(json_object_get_array_member(one, "labels"), 1), names[1]);
  ck_assert(number_at(one, "y", 1) == -1.5);
  ck_assert(json_array_get_null_element(json_object_get_array_member(one, "y"), 2));
  ck_assert(number_at(two, "high", 2) == 5 && number_at(two, "low", 0) == 0.5);
  JsonObject *range = json_object_get_object_member(numbers, "range");
  ck_assert(number_at(range, "y", 0) <= -1.5 && number_at(range, "y", 1) >= 5);
  g_object_unref(parser);
  g_string_free(out, TRUE);
}
END_TEST

/* What the script draws is what the picture shows: the same points, thinned the same way. */
START_TEST(numbers_of_a_line) {
  enum { MANY = 5000 };
  double *x = g_new(double, MANY), *y = g_new(double, MANY);
  for (int i = 0; i < MANY; i++) x[i] = i, y[i] = i == 5 ? NAN : 1.0 / (1 + i);
  char *line = drawn(ADL_PLOT_LINE, 0, MANY, x, y);
  JsonParser *parser = json_parser_new();
  JsonObject *series =
      json_array_get_object_element(json_object_get_array_member(numbers_of(line, parser), "series"), 0);
  guint count = json_array_get_length(json_object_get_array_member(series, "x"));
  ck_assert_uint_eq(count, 1001);
  ck_assert(number_at(series, "x", 0) == 0 && number_at(series, "x", count - 1) == MANY - 1);
  ck_assert(json_array_get_null_element(json_object_get_array_member(series, "y"), 1));
  g_object_unref(parser);
  g_free(line);
  g_free(x);
  g_free(y);
}
END_TEST

/* ---- the layout of a graph ---- */

static const adl_layout_size size = {.box = 100, .gap = 20, .lane = 10};

static void assert_laid_out(const adl_layout *layout, int32_t boxes, const adl_layout_edge *edges, int32_t count) {
  for (int32_t e = 0; e < count; e++) {
    int32_t from = layout->layer[edges[e].from], to = layout->layer[edges[e].to];
    ck_assert_int_lt(from, to);
    ck_assert_int_eq(edges[e].count, to - from + 1);
    ck_assert(edges[e].x[0] == layout->x[edges[e].from] && edges[e].x[to - from] == layout->x[edges[e].to]);
    for (int32_t k = 1; k < to - from; k++) /* lines pass beside boxes */
      for (int32_t b = 0; b < boxes; b++)
        ck_assert(layout->layer[b] != from + k || fabs(layout->x[b] - edges[e].x[k]) > size.box / 2);
  }
  for (int32_t a = 0; a < boxes; a++) {
    ck_assert(layout->x[a] >= size.box / 2 && layout->x[a] <= layout->width - size.box / 2);
    ck_assert(layout->layer[a] >= 0 && layout->layer[a] < layout->layers);
    for (int32_t b = 0; b < a; b++)
      ck_assert(layout->layer[a] != layout->layer[b] || fabs(layout->x[a] - layout->x[b]) > size.box);
  }
}

START_TEST(layouts) {
  adl_layout layout;
  /* a chain is one straight column; a source stands right above where it is needed */
  adl_layout_edge chain[] = {{.from = 0, .to = 1}, {.from = 1, .to = 2}, {.from = 2, .to = 4}, {.from = 3, .to = 4}};
  adl_layout_make(&layout, 5, chain, 4, &size);
  assert_laid_out(&layout, 5, chain, 4);
  ck_assert_int_eq(layout.layers, 4);
  ck_assert_int_eq(layout.layer[3], 2);
  ck_assert(fabs(layout.x[0] - layout.x[1]) < 5 && fabs(layout.x[1] - layout.x[2]) < 5);
  adl_layout_clear(&layout, chain, 4);
  GRand *random = g_rand_new_with_seed(3);
  for (int n = 0; n < 200; n++) {
    int32_t boxes = g_rand_int_range(random, 1, 30), count = 0;
    adl_layout_edge edges[200] = {{0}}, again[200];
    for (int32_t to = 1; to < boxes; to++)
      for (int32_t k = g_rand_int_range(random, 0, 4); k > 0; k--) {
        int32_t from = g_rand_int_range(random, 0, to);
        bool known = false;
        for (int32_t e = 0; e < count; e++) known = known || (edges[e].from == from && edges[e].to == to);
        if (!known) edges[count++] = (adl_layout_edge){.from = from, .to = to};
      }
    memcpy(again, edges, sizeof edges);
    adl_layout second;
    adl_layout_make(&layout, boxes, edges, count, &size);
    adl_layout_make(&second, boxes, again, count, &size);
    assert_laid_out(&layout, boxes, edges, count);
    ck_assert_mem_eq(layout.x, second.x, (size_t)boxes * sizeof *layout.x);
    adl_layout_clear(&layout, edges, count);
    adl_layout_clear(&second, again, count);
  }
  g_rand_free(random);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("draw");
  TCase *parts = tcase_create("parts");
  tcase_add_test(parts, texts);
  tcase_add_test(parts, any_bytes_are_well_formed);
  tcase_add_test(parts, numbers_as_people_read_them);
  tcase_add_test(parts, charts);
  tcase_add_test(parts, axes_end_where_their_values_do);
  tcase_add_test(parts, odd_charts);
  tcase_add_test(parts, named_bars_and_their_numbers);
  tcase_add_test(parts, numbers_of_a_line);
  tcase_add_test(parts, layouts);
  tcase_set_timeout(parts, 60);
  suite_add_tcase(suite, parts);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
