/* time on the real engine: every part against the calendar of GLib, offsets, ages, nulls, refusals. */
#include <math.h>

#include "tests/plugins/transform.h"

START_TEST(known_values) {
  adl_harness *h = adl_harness_new("at,then\n2024-02-29T18:30:00Z,2024-03-01\n1969-12-31T23:59:59.5Z,\n,2024-01-01\n"
                                   "2023-12-31T00:00:00Z,2023-12-30T12:00:00Z\n",
                                   "{at: timestamp, then: timestamp}");
  adl_harness_run(h,
                  "  t: {use: time, column: at, as_of: then, parts: [minute, hour, weekday, hour_of_week, day, "
                  "day_of_year, month, year, weekend, cyclic_hour, cyclic_weekday, cyclic_month, age]}\n",
                  "t");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "at_minute", "30|59|null|0");
  ASSERT_VALUES(h, "at_hour", "18|23|null|0");
  ASSERT_VALUES(h, "at_weekday", "4|3|null|7");
  ASSERT_VALUES(h, "at_hour_of_week", "90|71|null|144");
  ASSERT_VALUES(h, "at_day", "29|31|null|31");
  ASSERT_VALUES(h, "at_day_of_year", "60|365|null|365");
  ASSERT_VALUES(h, "at_month", "2|12|null|12");
  ASSERT_VALUES(h, "at_year", "2024|1969|null|2023");
  ASSERT_VALUES(h, "at_weekend", "false|false|null|true");
  ASSERT_VALUES(h, "at_age", "0.22916666666666666|null|null|-0.5");
  const float *hour = adl_harness_column(h, "at_cyclic_hour")->data;
  const double turn = 2 * acos(-1.0);
  ck_assert_double_eq_tol((double)hour[0], sin(turn * 18.5 / 24), 1e-6);
  ck_assert_double_eq_tol((double)hour[1], cos(turn * 18.5 / 24), 1e-6);
  ck_assert(hour[6] == 0 && hour[7] == 1);
  const float *week = adl_harness_column(h, "at_cyclic_weekday")->data;
  ck_assert_double_eq_tol((double)week[0], sin(turn * (3 + 18.5 / 24) / 7), 1e-6);
  ck_assert_double_eq_tol((double)week[7], cos(turn * 6 / 7), 1e-6);
  const float *year = adl_harness_column(h, "at_cyclic_month")->data;
  ck_assert_double_eq_tol((double)year[0], sin(turn * (59 + 18.5 / 24) / 366), 1e-6);
  ck_assert_double_eq_tol((double)year[7], cos(turn * 364 / 365), 1e-6);
  ck_assert(adl_harness_null(h, "at_cyclic_month", 2));
  ck_assert_int_eq(adl_harness_type(h, "at_hour").role, ADL_CATEGORY);
  ck_assert_int_eq(adl_harness_type(h, "at_year").role, ADL_NUMBER);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  adl_harness_free(h);
}
END_TEST

/* Thousands of times over seven centuries, in many zones, as GLib's calendar has them. */
START_TEST(like_the_calendar_of_glib) {
  static const char *const offsets[] = {"Z", "+08:00", "-05:00", "+05:45", "-09:30", "+14:00", "+0200", "-11"};
  GTimeZone *zone = g_time_zone_new_identifier(_i == 0 ? "UTC" : _i == 6 ? "+02:00" : _i == 7 ? "-11:00" : offsets[_i]);
  ck_assert_ptr_nonnull(zone);
  GString *text = g_string_new("s,at\n");
  for (uint64_t i = 0; i < 3000; i++) {
    int64_t seconds = (int64_t)(adl_random(9, i) % 22000000000) - 11000000000;
    g_string_append_printf(text, "%lld,%lld\n", (long long)seconds, (long long)seconds);
  }
  adl_harness *h = adl_harness_new(text->str, "{s: int, at: timestamp unix}");
  char *stage = g_strdup_printf("  t: {use: time, column: at, prefix: \"\", offset: %s, parts: [minute, hour, weekday, "
                                "day, day_of_year, month, year, weekend]}\n",
                                offsets[_i]);
  adl_harness_run(h, stage, "t");
  ASSERT_OK(h);
  for (int64_t row = 0; row < 3000; row++) {
    GDateTime *utc = g_date_time_new_from_unix_utc((gint64)adl_harness_number(h, "s", row)),
              *local = g_date_time_to_timezone(utc, zone);
    const struct {
      const char *name;
      int value;
    } expected[] = {{"minute", g_date_time_get_minute(local)},
                    {"hour", g_date_time_get_hour(local)},
                    {"weekday", g_date_time_get_day_of_week(local)},
                    {"day", g_date_time_get_day_of_month(local)},
                    {"day_of_year", g_date_time_get_day_of_year(local)},
                    {"month", g_date_time_get_month(local)},
                    {"year", g_date_time_get_year(local)},
                    {"weekend", g_date_time_get_day_of_week(local) >= 6}};
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
      if (adl_harness_number(h, expected[i].name, row) != expected[i].value)
        ck_abort_msg("%s of %.0f %s is %g, not %d", expected[i].name, adl_harness_number(h, "s", row), offsets[_i],
                     adl_harness_number(h, expected[i].name, row), expected[i].value);
    g_date_time_unref(utc);
    g_date_time_unref(local);
  }
  g_free(stage);
  g_string_free(text, TRUE);
  g_time_zone_unref(zone);
  adl_harness_free(h);
}
END_TEST

START_TEST(ages_and_names) {
  adl_harness *h =
      adl_harness_new("at,then\n2024-05-01,2024-05-03\n,2024-05-03\n2024-05-01,\n", "{at: timestamp, then: timestamp}");
  adl_harness_run(h, "  t: {use: time, column: at, prefix: e, parts: age, as_of: \"timestamp('2024-05-11')\"}\n", "t");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "e_age", "10|null|10");
  adl_harness_run(h, "  t: {use: time, column: at, parts: [age, hour], offset: +08:00, as_of: then}\n", "t");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "at_age", "2|null|null");
  ASSERT_VALUES(h, "at_hour", "8|null|8");
  adl_harness_free(h);
}
END_TEST

/* The ends of what 64 bits hold. */
START_TEST(extreme_times) {
  adl_harness *h =
      adl_harness_new("n,at\n1,9223372036854.775807\n2,-9223371950454.775808\n", "{n: int, at: timestamp unix}");
  adl_harness_run(h, "  t: {use: time, column: at, parts: [year, hour]}\n", "t");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "at_year", "294247|-290308");
  ASSERT_VALUES(h, "at_hour", "4|19");
  adl_harness_run(h, "  t: {use: time, column: at, parts: [hour, cyclic_hour, weekend], offset: +01:00}\n", "t");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "at_hour", "null|20");
  ASSERT_VALUES(h, "at_weekend", "null|false");
  adl_harness_free(h);
}
END_TEST

/* Hours are categories for onehot, pairs are features with names. */
START_TEST(goes_into_models) {
  GString *text = g_string_new("at,click\n");
  for (int i = 0; i < 4000; i++)
    g_string_append_printf(text, "%d,%d\n", i * 977, (i * 977 / 3600 % 24 >= 18) != (i % 10 == 0));
  adl_harness *h = adl_harness_new(text->str, "{at: timestamp unix, click: bool}");
  static const char stages[] = "  t: {use: time, column: at, parts: [hour, cyclic_hour]}\n"
                               "  o: {use: onehot, columns: [at_hour]}\n"
                               "  f: {use: sgd, features: [onehot, at_cyclic_hour], label: click, as: p}\n"
                               "  m: {use: metrics, label: click, score: p}\n"
                               "  w: {use: write-csv, from: f, path: w.csv, columns: [at, at_hour, p]}\n";
  char *first = NULL;
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness_threads(h, threads);
    adl_harness_run(h, stages, threads == 2 ? "t" : NULL);
    ASSERT_OK(h);
    char *digest = adl_harness_digest(h), *metrics = adl_harness_read(h, "metrics.json");
    ck_assert_msg(strstr(metrics, "at_cyclic_hour.sin") != NULL, "%s", metrics);
    if (first == NULL) first = g_strdup(digest);
    ck_assert_msg(strcmp(digest, first) == 0, "%d threads differ from one", threads);
    free(digest);
    free(metrics);
  }
  ck_assert(adl_harness_report(h, "m", "in-sample", "auc") > 0.85);
  g_free(first);
  g_string_free(text, TRUE);
  adl_harness_free(h);
}
END_TEST

START_TEST(no_rows) {
  adl_harness *h = adl_harness_new("at\n", "{at: timestamp}");
  adl_harness_run(h, "  t: {use: time, column: at, parts: [hour, cyclic_month]}\n", "t");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
}
END_TEST

static const struct {
  const char *stage, *words;
} refused[] = {
    {"{use: time, column: at}", "parts"},
    {"{use: time, column: at, parts: [hour, our]}", "`our` is not a part; there are minute, hour"},
    {"{use: time, column: at, parts: [hour, our]}", "did you mean `hour`?"},
    {"{use: time, column: at, parts: [hour, hour]}", "hour is named twice"},
    {"{use: time, column: at, parts: [age]}", "an age needs the time at which it is taken"},
    {"{use: time, column: at, parts: [hour], offset: 8}", "\"8\" is not an offset from UTC"},
    {"{use: time, column: at, parts: [hour], offset: +25:00}", "\"+25:00\" is not an offset from UTC"},
    {"{use: time, column: at, parts: [hour], offset: \"\"}", "\"\" is not an offset from UTC"},
    {"{use: time, column: at, parts: [hour], offset: Europe/Vienna}", "\"Europe/Vienna\" is not an offset from UTC"},
    {"{use: time, column: n, parts: [hour]}", "column `n` is"},
    {"{use: time, column: at, parts: [age], as_of: n}", "as_of"},
    {"{use: time, column: at, parts: [hour], prefix: x}", "there is a column `x_hour` already"},
};

START_TEST(refusals) {
  char *stage = g_strdup_printf("  t: %s\n", refused[_i].stage);
  assert_refused("at,n,x_hour\n2024-01-01,1,1\n", "{at: timestamp, n: int, x_hour: int}", stage, refused[_i].words);
  g_free(stage);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("time");
  TCase *cases = tcase_create("time");
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, known_values);
  tcase_add_loop_test(cases, like_the_calendar_of_glib, 0, 8);
  tcase_add_test(cases, ages_and_names);
  tcase_add_test(cases, extreme_times);
  tcase_add_test(cases, goes_into_models);
  tcase_add_test(cases, no_rows);
  tcase_add_loop_test(cases, refusals, 0, (int)G_N_ELEMENTS(refused));
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
