/* The simulated market's logs are spoilt and repeat themselves as they say, to the row; and a pipeline finds all of it. */
#include <math.h>

#include "tests/plugins/market.h"

static bool same_row(const adl_column *const *columns, int count, int64_t a, int64_t b) {
  for (int c = 0; c < count; c++) {
    if (adl_is_null(columns[c], a) != adl_is_null(columns[c], b)) return false;
    if (columns[c]->type.element == ADL_STRING) {
      adl_text x = adl_text_at(columns[c], a), y = adl_text_at(columns[c], b);
      if (x.size != y.size || memcmp(x.data, y.data, (size_t)x.size) != 0) return false;
    } else if (adl_number_at(columns[c], a) != adl_number_at(columns[c], b)) {
      return false;
    }
  }
  return true;
}

/* Rows of a log that are spoilt in a way, told by the columns alone. */
static double spoilt(adl_harness *h, const char *how) {
  static const struct {
    const char *how, *column;
  } ways[] = {{"null user", "user"},         {"time 1970", "at"},        {"unknown ad", "ad"},
              {"unknown item", "item"},      {"position 0", "position"}, {"negative seconds", "seconds"},
              {"negative amount", "amount"}, {"empty query", "query"},   {"purchase without click", "purchased"}};
  size_t way = 0;
  while (strcmp(ways[way].how, how) != 0) way++;
  const adl_column *column = adl_harness_column(h, ways[way].column),
                   *clicked = way == 8 ? adl_harness_column(h, "clicked") : NULL;
  double count = 0;
  for (int64_t row = 0; column != NULL && row < column->rows; row++) {
    switch (way) {
      case 0: count += adl_is_null(column, row); break;
      case 2: count += id_of(column, row) >= 200; break;
      case 3: count += id_of(column, row) >= 2000; break;
      case 5:
      case 6: count += adl_number_at(column, row) < 0; break;
      case 7: count += adl_text_at(column, row).size == 0; break;
      case 8: count += bool_at(column, row) && !bool_at(clicked, row); break;
      default: count += adl_number_at(column, row) == 0;
    }
  }
  return count;
}

static const struct {
  const char *table, *columns[7], *kinds[5];
  int64_t rows;
} logs[] = {
    {"impressions",
     {"at", "user", "ad", "position", "device", "clicked", "purchased"},
     {"null user", "unknown ad", "position 0", "time 1970", "purchase without click"},
     997},
    {"browse", {"at", "user", "item", "seconds"}, {"null user", "unknown item", "negative seconds", "time 1970"}, 498},
    {"searches", {"at", "user", "query"}, {"null user", "empty query", "time 1970"}, 99},
    {"purchases", {"at", "user", "item", "amount"}, {"null user", "unknown item", "negative amount", "time 1970"}, 49}};

START_TEST(spoilt_and_repeated_rows_add_up) {
  static const char *const fractions[] = {"dirty: 0.05, duplicates: 0.03", "dirty: 0.5, duplicates: 0.5",
                                          "dirty: 0, duplicates: 0.31", "dirty: 0.37, duplicates: 0", "dirty: 0.002"};
  adl_harness *h = new_harness();
  adl_harness_top(h, "max_rejects: 1\n");
  for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++) {
    run(h, "log", "  log: {use: market, table: %s, rows: 997, %s}\n", logs[_i].table, fractions[i]);
    int64_t rows = adl_harness_rows(h), repeats = 0;
    const adl_column *columns[7];
    int count = 0;
    for (; count < 7 && logs[_i].columns[count] != NULL; count++)
      columns[count] = adl_harness_column(h, logs[_i].columns[count]);
    for (int64_t row = 1; row < rows; row++) repeats += same_row(columns, count, row - 1, row);
    double sum = told(h, "torn");
    for (int k = 0; k < 5 && logs[_i].kinds[k] != NULL; k++) {
      double is = spoilt(h, logs[_i].kinds[k]);
      ck_assert_msg(is == told(h, logs[_i].kinds[k]), "%s, %s: %s: %g rows, %g told", logs[_i].table, fractions[i],
                    logs[_i].kinds[k], is, told(h, logs[_i].kinds[k]));
      sum += is;
    }
    ck_assert_double_eq(sum, told(h, "dirty"));
    ck_assert_double_eq((double)repeats, told(h, "duplicates"));
    ck_assert_double_eq((double)adl_harness_rejected(h), told(h, "torn"));
    ck_assert_double_eq((double)rows, (double)logs[_i].rows + told(h, "duplicates") - told(h, "torn"));
    ck_assert_double_eq(told(h, "records"), (double)logs[_i].rows + told(h, "duplicates"));
  }
  run(h, "log", "  log: {use: market, table: %s, rows: 997, dirty: 0.25, duplicates: 0.1}\n", logs[_i].table);
  ck_assert_double_eq(told(h, "dirty"), round(0.25 * (double)logs[_i].rows));
  ck_assert_double_eq(told(h, "duplicates"), round(0.1 * ((double)logs[_i].rows - told(h, "dirty"))));
  adl_harness_free(h);
}
END_TEST

/* A pipeline that cleans: as many rows are left as were neither spoilt nor repeated. */
START_TEST(a_pipeline_finds_all_of_them) {
  adl_harness *h = new_harness();
  adl_harness_top(h, "max_rejects: 0.1\n");
  run(h, "clean",
      "  ads: {use: market, table: ads}\n"
      "  log: {use: market, table: impressions, rows: 40000, dirty: 0.01, duplicates: 0.02}\n"
      "  sane: {use: filter, where: \"user is not null and position > 0 and at >= '2024-03-01' and (clicked or not "
      "purchased)\"}\n"
      "  known: {use: join, with: ads, on: ad, missing: drop}\n"
      "  clean: {use: dedupe, by: [at, user, ad, position]}\n");
  ck_assert_int_eq(adl_harness_rows(h), 40000 - 400);
  ck_assert_double_eq(told(h, "duplicates"), 792);
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("market, spoilt");
  TCase *dirt = tcase_create("dirt");
  tcase_set_timeout(dirt, 120);
  tcase_add_loop_test(dirt, spoilt_and_repeated_rows_add_up, 0, (int)(sizeof logs / sizeof *logs));
  tcase_add_test(dirt, a_pipeline_finds_all_of_them);
  suite_add_tcase(suite, dirt);
  return run_suite(suite);
}
