/* history on the real engine: against a double loop on random data, strictness, windows, splits, what later events may
 * change (nothing), odd input, refusals. */
#include <math.h>

#include "tests/plugins/transform.h"

static const char row_columns[] = "{user: int, at: timestamp, n: int}";
static const char event_columns[] =
    "{person: int, when: timestamp, amount: float, whole: int, item: string, code: id, held: int}";
static const char event_header[] = "person,when,amount,whole,item,code,held\n";

/* The rows, the events, and the stage `h` with these parameters. */
static adl_harness *told(const char *rows, const char *events, const char *holdout, const char *parameters) {
  adl_harness *h = adl_harness_new(rows, row_columns);
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_file(h, "events.csv", events, -1);
  char *stages = g_strdup_printf("  events: {use: read-csv, path: events.csv, columns: %s%s}\n  h:\n    use: history\n"
                                 "    from: rows\n    with: events\n%s",
                                 event_columns, holdout, parameters);
  adl_harness_run(h, stages, "h");
  g_free(stages);
  return h;
}

static const char keys[] = "    by: user\n    with_by: person\n    at: at\n    with_at: when\n";
static const char all_calls[] = "    past:\n"
                                "      times: count()\n      values: count(amount)\n      spend: sum(amount)\n"
                                "      units: sum(whole)\n      mean: mean(amount)\n      mean_units: mean(whole)\n"
                                "      low: min(amount)\n      high: max(whole)\n      newest: max(when)\n"
                                "      last: last(amount)\n      item: last(item)\n      items: distinct(item)\n"
                                "      sizes: distinct(amount)\n      bag: bag(item, whole)\n      codes: bag(code)\n"
                                "      since: since()\n";

static char *parameters_of(const char *more, const char *calls) { return g_strconcat(keys, more, calls, NULL); }

START_TEST(known_answers) {
  static const char rows[] = "user,at,n\n1,2024-01-01,0\n1,2024-01-02,1\n1,2024-01-03T12:00:00,2\n2,2024-06-01,3\n"
                             ",2024-06-01,4\n3,2024-06-01,5\n1,2024-02-01,6\n";
  static const char events[] = "1,2024-01-03,2.5,,b,7,0\n1,2024-01-01,10,3,a,7,0\n1,2024-01-02,,4,a,8,0\n"
                               "2,2024-06-01,1,1,c,9,0\n,2024-01-01,5,5,d,1,0\n1,,5,5,d,1,0\n";
  char *text = g_strconcat(event_header, events, NULL), *parameters = parameters_of("", all_calls);
  adl_harness *h = told(rows, text, "", parameters);
  ASSERT_OK(h);
  ASSERT_VALUES(h, "times", "0|1|3|0|0|0|3");
  ASSERT_VALUES(h, "values", "0|1|2|0|0|0|2");
  ASSERT_VALUES(h, "spend", "0|10|12.5|0|0|0|12.5");
  ASSERT_VALUES(h, "units", "0|3|7|0|0|0|7");
  ASSERT_VALUES(h, "mean", "null|10|6.25|null|null|null|6.25");
  ASSERT_VALUES(h, "mean_units", "null|3|3.5|null|null|null|3.5");
  ASSERT_VALUES(h, "low", "null|10|2.5|null|null|null|2.5");
  ASSERT_VALUES(h, "high", "null|3|4|null|null|null|4");
  ASSERT_VALUES(h, "last", "null|10|2.5|null|null|null|2.5");
  ASSERT_VALUES(h, "item", "null|a|b|null|null|null|b");
  ASSERT_VALUES(h, "items", "0|1|2|0|0|0|2");
  ASSERT_VALUES(h, "since", "null|1|0.5|null|null|null|29");
  ASSERT_VALUES(h, "newest", "null|2024-01-01T00:00:00Z|2024-01-03T00:00:00Z|null|null|null|2024-01-03T00:00:00Z");
  char *bag = adl_harness_text(h, "bag", 6), *codes = adl_harness_text(h, "codes", 6),
       *none = adl_harness_text(h, "bag", 0);
  ck_assert_str_eq(bag, "{\"a\": 7}");
  ck_assert_str_eq(codes, "{\"7\": 2, \"8\": 1}");
  ck_assert_str_eq(none, "{}");
  free(bag);
  free(codes);
  free(none);
  ck_assert_int_eq(adl_harness_type(h, "units").element, ADL_INT64);
  ck_assert_int_eq(adl_harness_type(h, "spend").element, ADL_FLOAT64);
  ck_assert_int_eq(adl_harness_type(h, "low").element, adl_harness_type(h, "last").element);
  adl_harness_free(h);
  g_free(text);
  g_free(parameters);
}
END_TEST

/* ---- against a double loop ---- */

enum { EVENTS = 2500, ROWS = 6000, PEOPLE = 40, DAYS = 300, ITEMS = 12 };

typedef struct event {
  int person, day, whole, item, code; /* item, whole -1: null */
  double amount;                      /* NAN: null */
  bool held;
} event;

static uint64_t noise(uint64_t key, int64_t at) { return adl_random(key, (uint64_t)at) >> 20; }

static void make_events(event *events, uint64_t seed) {
  for (int i = 0; i < EVENTS; i++) {
    event *e = &events[i];
    e->person = (int)(noise(seed, 10 * i) % PEOPLE);
    e->day = (int)(noise(seed, 10 * i + 1) % DAYS);
    e->whole = noise(seed, 10 * i + 2) % 5 == 0 ? -1 : (int)(noise(seed, 10 * i + 3) % 9);
    e->item = noise(seed, 10 * i + 4) % 6 == 0 ? -1 : (int)(noise(seed, 10 * i + 5) % ITEMS);
    e->code = (int)(noise(seed, 10 * i + 6) % 30);
    e->amount = noise(seed, 10 * i + 7) % 4 == 0 ? (double)NAN : (double)(noise(seed, 10 * i + 8) % 4000) / 8 - 100;
    e->held = noise(seed, 10 * i + 9) % 3 == 0;
  }
}

static void print_day(GString *to, int day) {
  GDate date;
  g_date_set_dmy(&date, 1, G_DATE_JANUARY, 2023);
  g_date_add_days(&date, (guint)day);
  g_string_append_printf(to, "%04d-%02d-%02d", g_date_get_year(&date), (int)g_date_get_month(&date),
                         g_date_get_day(&date));
}

static char *print_events(const event *events) {
  GString *text = g_string_new(event_header);
  for (int i = 0; i < EVENTS; i++) {
    const event *e = &events[i];
    g_string_append_printf(text, "%d,", e->person);
    print_day(text, e->day);
    g_string_append_c(text, ',');
    if (!isnan(e->amount)) g_string_append_printf(text, "%.17g", e->amount);
    g_string_append_c(text, ',');
    if (e->whole >= 0) g_string_append_printf(text, "%d", e->whole);
    g_string_append_c(text, ',');
    if (e->item >= 0) g_string_append_printf(text, "item%d", e->item);
    g_string_append_printf(text, ",%d,%d\n", e->code, e->held);
  }
  return g_string_free(text, FALSE);
}

static char *print_rows(uint64_t seed) {
  GString *text = g_string_new("user,at,n\n");
  for (int i = 0; i < ROWS; i++) {
    g_string_append_printf(text, "%d,", (int)(noise(seed, 2 * i) % (PEOPLE + 5)));
    print_day(text, (int)(noise(seed, 2 * i + 1) % DAYS));
    g_string_append_printf(text, ",%d\n", i);
  }
  return g_string_free(text, FALSE);
}

typedef struct answer {
  int times, values, units, unit_count, items, newest, high, sizes;
  double spend, low, last;
  int item;
  double bag[ITEMS];
} answer;

static answer look_back(const event *events, int user, int day, int window, bool training) {
  answer a = {.newest = -1, .high = -1, .low = (double)INFINITY, .last = (double)NAN, .item = -1};
  int last_day = -1, item_day = -1;
  bool seen[ITEMS] = {false};
  for (int i = 0; i < EVENTS; i++) {
    const event *e = &events[i];
    if (e->person != user || e->day >= day || (window > 0 && e->day < day - window) || (training && e->held)) continue;
    a.times++;
    if (e->day > a.newest) a.newest = e->day;
    if (!isnan(e->amount)) {
      bool again = false;
      for (int j = 0; j < i; j++)
        again |= events[j].person == user && events[j].day < day && (window == 0 || events[j].day >= day - window) &&
                 !(training && events[j].held) && events[j].amount == e->amount;
      a.values++;
      a.sizes += !again;
      a.spend += e->amount;
      if (e->amount < a.low) a.low = e->amount;
      if (e->day >= last_day) a.last = e->amount, last_day = e->day;
    }
    if (e->whole >= 0) a.units += e->whole, a.unit_count++;
    if (e->whole > a.high) a.high = e->whole;
    if (e->item >= 0) {
      a.items += !seen[e->item];
      seen[e->item] = true;
      if (e->day >= item_day) a.item = e->item, item_day = e->day;
      if (e->whole >= 0)
        a.bag[e->item] += e->whole;
      else
        a.bag[e->item] += 0;
    }
  }
  return a;
}

static void check_number(adl_harness *h, const char *column, int64_t row, bool null, double value) {
  if (null) {
    ck_assert_msg(adl_harness_null(h, column, row), "%s of row %d is not null", column, (int)row);
    return;
  }
  double got = adl_harness_null(h, column, row) ? (double)NAN : adl_harness_number(h, column, row);
  ck_assert_msg(got == value, "%s of row %d is %.17g, not %.17g", column, (int)row, got, value);
}

static void check_row(adl_harness *h, int64_t row, const answer *a, int day) {
  check_number(h, "times", row, false, a->times);
  check_number(h, "values", row, false, a->values);
  check_number(h, "spend", row, false, a->spend); /* multiples of 1/8: exact */
  check_number(h, "units", row, false, a->units);
  check_number(h, "mean", row, a->values == 0, a->spend / a->values);
  check_number(h, "mean_units", row, a->unit_count == 0, (double)a->units / a->unit_count);
  check_number(h, "low", row, a->values == 0, a->low);
  check_number(h, "high", row, a->high < 0, a->high);
  check_number(h, "last", row, a->values == 0, a->last);
  check_number(h, "items", row, false, a->items);
  check_number(h, "sizes", row, false, a->sizes);
  check_number(h, "since", row, a->times == 0, day - a->newest);
  char *item = adl_harness_text(h, "item", row), *expected = g_strdup_printf("item%d", a->item);
  ck_assert_str_eq(item, a->item < 0 ? "null" : expected);
  free(item);
  g_free(expected);
  char *bag = adl_harness_text(h, "bag", row);
  for (int i = 0; i < ITEMS; i++) {
    char *entry = g_strdup_printf("\"item%d\": %g", i, a->bag[i]);
    ck_assert_msg(a->bag[i] == 0 || strstr(bag, entry) != NULL, "%s lacks %s", bag, entry);
    g_free(entry);
  }
  free(bag);
}

/* Which events are held out: none, every third, those of the last days, or for every other person these and for the rest
 * every third. */
typedef enum held_events { HELD_NONE, HELD_SOME, HELD_LATE, HELD_MIXED } held_events;

static bool is_held(const event *e, held_events which) {
  bool late = e->day >= DAYS / 2;
  switch (which) {
    case HELD_NONE: return false;
    case HELD_SOME: return e->held;
    case HELD_LATE: return late;
    default: return e->person % 2 == 0 ? late : e->held;
  }
}

/* Every third row of the main input is held out. */
static void compare(const char *window_line, int window, held_events which) {
  bool splits = which != HELD_NONE;
  event *events = g_new(event, EVENTS);
  make_events(events, 17);
  for (int i = 0; i < EVENTS; i++) events[i].held = is_held(&events[i], which);
  char *rows = print_rows(23), *text = print_events(events), *parameters = parameters_of(window_line, all_calls);
  adl_harness *h = adl_harness_new(rows, row_columns);
  adl_harness_source(h, "holdout: {where: \"n % 3 = 0\"}");
  adl_harness_file(h, "events.csv", text, -1);
  char *stages = g_strdup_printf("  events: {use: read-csv, path: events.csv, columns: %s%s}\n  h:\n    use: history\n"
                                 "    from: rows\n    with: events\n%s",
                                 event_columns, splits ? ", holdout: {where: \"held = 1\"}" : "", parameters);
  adl_harness_run(h, stages, "h");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), ROWS);
  int some = 0;
  for (int64_t row = 0; row < ROWS; row++) {
    int user = (int)(noise(23, 2 * row) % (PEOPLE + 5)), day = (int)(noise(23, 2 * row + 1) % DAYS);
    bool training = adl_harness_split(h, row) == ADL_TRAIN;
    ck_assert_int_eq(training, row % 3 != 0);
    answer a = look_back(events, user, day, window, training);
    check_row(h, row, &a, day);
    some += a.times > 0;
  }
  ck_assert_int_gt(some, ROWS / 3);
  adl_harness_free(h);
  g_free(stages);
  g_free(rows);
  g_free(text);
  g_free(parameters);
  g_free(events);
}

START_TEST(as_a_double_loop) { compare("", 0, HELD_NONE); }
END_TEST
START_TEST(as_a_double_loop_in_a_window) { compare("    window: 45d\n", 45, HELD_NONE); }
END_TEST
START_TEST(as_a_double_loop_with_splits) { compare("", 0, HELD_SOME); }
END_TEST
START_TEST(as_a_double_loop_with_splits_in_a_window) { compare("    window: 7d\n", 7, HELD_SOME); }
END_TEST
START_TEST(as_a_double_loop_with_the_last_held_out) { compare("", 0, HELD_LATE); }
END_TEST
START_TEST(as_a_double_loop_with_the_last_held_out_in_a_window) { compare("    window: 90d\n", 90, HELD_LATE); }
END_TEST
START_TEST(as_a_double_loop_with_splits_of_both_kinds) { compare("    window: 90d\n", 90, HELD_MIXED); }
END_TEST

/* A key of one string is taken as it lies, unless an event is left out: the same answers as of numbers. */
START_TEST(string_keys_are_as_numbers) {
  static const char rows[] = "user,at,n\n11,2024-01-09,0\n5,2024-01-09,1\n,2024-01-09,2\n7,2024-01-09,3\n";
  static const char whole[] = "5,2024-01-01,1,1,a,1,0\n11,2024-01-02,2,2,b,1,0\n5,2024-01-03,4,3,a,1,0\n";
  static const char *const more[] = {"", ",2024-01-02,8,4,b,1,0\n", "11,,16,4,b,1,0\n", "11,2024-01-02,nan,4,b,1,0\n"};
  for (size_t i = 0; i < G_N_ELEMENTS(more); i++) {
    char *text = g_strconcat(event_header, more[i], whole, NULL);
    adl_harness *h = adl_harness_new(rows, "{user: id, at: timestamp, n: int}");
    adl_harness_top(h, "max_rejects: 1\n");
    adl_harness_file(h, "events.csv", text, -1);
    adl_harness_run(h,
                    "  events: {use: read-csv, path: events.csv, columns: {person: id, when: timestamp, amount: float, "
                    "whole: int, item: string, code: id, held: int}}\n"
                    "  h: {use: history, from: rows, with: events, by: user, with_by: person, at: at, with_at: when, "
                    "past: {spend: sum(amount), items: distinct(item), item: last(item)}}\n",
                    "h");
    ASSERT_OK(h);
    ASSERT_VALUES(h, "spend", "2|5|0|0");
    ASSERT_VALUES(h, "items", "1|1|0|0");
    ASSERT_VALUES(h, "item", "b|a|null|null");
    ck_assert_int_eq(adl_harness_rejected(h), i == 3);
    adl_harness_free(h);
    g_free(text);
  }
}
END_TEST

/* ---- the future ---- */

static const char *const all_names[] = {"times",  "values", "spend", "units", "mean",  "mean_units", "low",   "high",
                                        "newest", "last",   "item",  "items", "sizes", "bag",        "codes", "since"};

/* What rows up to day `until` (and, with `training`, only training rows) are told, as text. */
static char *digest_until(const event *events, int until, bool training, const char *window) {
  char *rows = print_rows(31), *text = print_events(events), *parameters = parameters_of(window, all_calls);
  adl_harness *h = adl_harness_new(rows, row_columns);
  adl_harness_source(h, "holdout: {where: \"n % 3 = 0\"}");
  adl_harness_file(h, "events.csv", text, -1);
  char *stages = g_strdup_printf("  events: {use: read-csv, path: events.csv, columns: %s, holdout: {where: \"held = "
                                 "1\"}}\n  h:\n    use: history\n    from: rows\n    with: events\n%s",
                                 event_columns, parameters);
  adl_harness_run(h, stages, "h");
  ASSERT_OK(h);
  GString *told_text = g_string_new(NULL);
  for (int64_t row = 0; row < ROWS; row++) {
    if ((int)(noise(31, 2 * row + 1) % DAYS) > until || (training && adl_harness_split(h, row) != ADL_TRAIN)) continue;
    for (size_t i = 0; i < G_N_ELEMENTS(all_names); i++) {
      char *value = adl_harness_text(h, all_names[i], row);
      g_string_append_printf(told_text, "%s|", value);
      free(value);
    }
  }
  adl_harness_free(h);
  g_free(stages);
  g_free(rows);
  g_free(text);
  g_free(parameters);
  return g_string_free(told_text, FALSE);
}

/* Amounts that do not add up exactly, so that another order or neighbour would show in the last bit. */
static void roughen(event *events) {
  for (int i = 0; i < EVENTS; i++)
    if (!isnan(events[i].amount)) events[i].amount = events[i].amount / 3 + 1e9 * (double)(i % 7 == 0);
}

START_TEST(later_events_change_nothing) {
  static const char *const windows[] = {"", "    window: 30d\n"};
  event *events = g_new(event, EVENTS), *others = g_new(event, EVENTS);
  for (int w = 0; w < 2; w++) {
    make_events(events, 17);
    make_events(others, 99);
    roughen(events);
    roughen(others);
    char *before = digest_until(events, 150, false, windows[w]);
    int changed = 0;
    for (int i = 0; i < EVENTS; i++) {
      if (events[i].day < 150) continue; /* on the day of a row is not before it */
      int day = 150 + others[i].day % (DAYS - 150);
      events[i] = others[i];
      events[i].day = day;
      changed++;
    }
    ck_assert_int_gt(changed, EVENTS / 3);
    char *after = digest_until(events, 150, false, windows[w]), *late = digest_until(events, DAYS, false, windows[w]);
    ck_assert_str_eq(before, after);
    ck_assert_str_ne(before, late);
    g_free(before);
    g_free(after);
    g_free(late);
  }
  g_free(events);
  g_free(others);
}
END_TEST

static void check_held_out(const char *window) {
  event *events = g_new(event, EVENTS), *others = g_new(event, EVENTS);
  make_events(events, 17);
  make_events(others, 99);
  roughen(events);
  roughen(others);
  char *before = digest_until(events, DAYS, true, window), *all = digest_until(events, DAYS, false, window);
  for (int i = 0; i < EVENTS; i++) {
    if (!events[i].held) continue;
    events[i] = others[i];
    events[i].held = true;
  }
  char *after = digest_until(events, DAYS, true, window), *all_after = digest_until(events, DAYS, false, window);
  ck_assert_str_eq(before, after);
  ck_assert_str_ne(all, all_after);
  g_free(before);
  g_free(after);
  g_free(all);
  g_free(all_after);
  g_free(events);
  g_free(others);
}

START_TEST(held_out_events_change_nothing_for_training_rows) {
  check_held_out("");
  check_held_out("    window: 60d\n");
}
END_TEST

START_TEST(threads_and_memory_change_nothing) {
  event *events = g_new(event, EVENTS);
  make_events(events, 17);
  roughen(events);
  char *rows = print_rows(31), *text = print_events(events),
       *parameters = parameters_of("    window: 60d\n", all_calls);
  char *stages = g_strdup_printf("  events: {use: read-csv, path: events.csv, columns: %s}\n  h:\n    use: history\n"
                                 "    from: rows\n    with: events\n%s  o: {use: write-jsonl, path: out.jsonl}\n",
                                 event_columns, parameters);
  char *first = NULL;
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness *h = adl_harness_new(rows, row_columns);
    adl_harness_file(h, "events.csv", text, -1);
    adl_harness_threads(h, threads);
    adl_harness_memory(h, threads == 3 ? 1 : INT64_C(1) << 30);
    adl_harness_run(h, stages, NULL);
    ASSERT_OK(h);
    adl_harness_same_bytes(h, &first);
    adl_harness_free(h);
  }
  g_free(first);
  g_free(stages);
  g_free(rows);
  g_free(text);
  g_free(parameters);
  g_free(events);
}
END_TEST

/* ---- odd input ---- */

START_TEST(odd_input) {
  static const char rows[] = "user,at,n\n1,2024-01-02,0\n1,,1\n2,1970-01-01,2\n";
  char *parameters = parameters_of("    window: 1d\n", all_calls);
  adl_harness *h = told(rows, event_header, "", parameters); /* no events */
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 1); /* a row without a time */
  ASSERT_VALUES(h, "times", "0|0");
  ASSERT_VALUES(h, "spend", "0|0");
  ASSERT_VALUES(h, "low", "null|null");
  ASSERT_VALUES(h, "item", "null|null");
  ASSERT_VALUES(h, "bag", "{}|{}");
  adl_harness_free(h);
  /* an event with NaN; the window's first moment belongs to it, its last does not */
  char *text = g_strconcat(
      event_header, "1,2024-01-01,nan,1,a,1,0\n1,2024-01-01,2,9223372036854775807,a,1,0\n",
      "1,2024-01-01T23:59:59,3,9223372036854775807,b,1,0\n1,2024-01-02,4,4,c,1,0\n",
      "1,2023-12-31T23:59:59,5,5,d,1,0\n2,1969-12-31T12:00:00,1e308,,,,0\n2,1969-12-31T13:00:00,1e308,,,,0\n", NULL);
  h = told(rows, text, "", parameters);
  ASSERT_OK(h);
  ASSERT_VALUES(h, "times", "2|2");
  ASSERT_VALUES(h, "spend", "5|null"); /* too much for a float64 */
  ASSERT_VALUES(h, "units", "null|0"); /* and for an int64 */
  ASSERT_VALUES(h, "since", "1.1574074074074073e-05|0.4583333333333333");
  char *rejects = adl_harness_rejects(h);
  ck_assert_msg(strstr(rejects, "the event has no finite number here") != NULL, "%s", rejects);
  free(rejects);
  adl_harness_free(h);
  h = told("user,at,n\n", text, "", parameters); /* no rows */
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
  g_free(text);
  g_free(parameters);
}
END_TEST

/* What a window leaves of a sum does not suffer from what lies before it, nor behind the row: whether it is looked up or
 * added up. */
START_TEST(small_after_great) {
  static const char *const greats[][3] = {{"1e18", "0", "0"}, {"1e300", "1e280", "0"}, {"1e308", "1e308", "-1e308"}};
  char *parameters =
      parameters_of("    window: 10d\n", "    past:\n      spend: sum(amount)\n      mean: mean(amount)\n");
  for (size_t g = 0; g < G_N_ELEMENTS(greats); g++)
    for (int count = 1; count < 70; count += 1 + count / 4) {
      GString *text = g_string_new(event_header), *spend = g_string_new(NULL);
      for (int i = 0; i < 3; i++) g_string_append_printf(text, "1,2024-01-01,%s,,,,0\n", greats[g][i]);
      for (int i = 0; i < count; i++) g_string_append_printf(text, "1,2024-02-25T00:00:%02d,0.25,,,,0\n", i % 60);
      for (int i = 0; i < 3; i++) g_string_append_printf(text, "1,2024-03-01,%s,,,,0\n", greats[g][i]);
      adl_harness *h = told("user,at,n\n1,2024-03-01,0\n1,2024-02-25T00:00:30,0\n", text->str, "", parameters);
      ASSERT_OK(h);
      int before = MIN(count, 30) + MAX(0, count - 60);
      g_string_printf(spend, "%g|%g", 0.25 * count, 0.25 * before);
      ASSERT_VALUES(h, "spend", spend->str);
      ASSERT_VALUES(h, "mean", "0.25|0.25");
      adl_harness_free(h);
      g_string_free(text, TRUE);
      g_string_free(spend, TRUE);
    }
  g_free(parameters);
}
END_TEST

static void refused(const char *parameters, const char *words) {
  char *text = g_strconcat(event_header, "1,2024-01-01,1,1,a,1,0\n", NULL);
  adl_harness *h = told("user,at,n\n1,2024-01-01,1\n", text, "", parameters);
  ck_assert_msg(!adl_harness_ok(h), "not refused: %s", parameters);
  ck_assert_msg(strstr(adl_harness_errors(h), words) != NULL, "%s\nlacks: %s", adl_harness_errors(h), words);
  adl_harness_free(h);
  g_free(text);
}

static void refused_call(const char *text, const char *words) {
  char *calls = g_strdup_printf("    past:\n      x: \"%s\"\n", text), *parameters = parameters_of("", calls);
  refused(parameters, words);
  g_free(calls);
  g_free(parameters);
}

START_TEST(refusals) {
  static const char count[] = "    past: {x: count()}\n";
  char *text = g_strconcat("    by: user\n    with_by: person\n    at: n\n    with_at: when\n", count, NULL);
  refused(text, "timestamp");
  g_free(text);
  text = g_strconcat("    by: user\n    with_by: person\n    at: at\n    with_at: amount\n", count, NULL);
  refused(text, "`amount` of `events` is no timestamp");
  g_free(text);
  text = g_strconcat("    by: user\n    with_by: item\n    at: at\n    with_at: when\n", count, NULL);
  refused(text, "are of different types and can never be equal");
  g_free(text);
  text = g_strconcat("    by: user\n    at: at\n    with_at: when\n", count, NULL);
  refused(text, "the stage `events` has no column `user`");
  g_free(text);
  text = g_strconcat("    by: [user, n]\n    with_by: person\n    at: at\n    with_at: when\n", count, NULL);
  refused(text, "there are 1 columns in `with_by` and 2 in `by`");
  g_free(text);
  text = g_strconcat("    by: user\n    with_by: person\n    at: at\n    with_at: wehn\n", count, NULL);
  refused(text, "did you mean `when`?");
  g_free(text);
  text = parameters_of("    window: 0s\n", count);
  refused(text, "window");
  g_free(text);
  text = parameters_of("", "    past: {}\n");
  refused(text, "h.past: is empty");
  g_free(text);
  text = parameters_of("", "    past: {at: count()}\n");
  refused(text, "there is a column `at` already");
  g_free(text);
  refused_call("sun(amount)", "did you mean `sum`?");
  refused_call("median(amount)", "there is no function `median`");
  refused_call("amount", "this is no call of a function");
  refused_call("sum()", "sum takes a column");
  refused_call("sum(amount", "an argument is the name of a column");
  refused_call("sum(amount, whole)", "takes no more than 1 arguments");
  refused_call("since(when)", "takes no more than 0 arguments");
  refused_call("sum(amount) + 1", "there is more behind the call");
  refused_call("sum(amont)", "did you mean `amount`?");
  refused_call("sum(item)", "sum and mean are of numbers");
  refused_call("mean(code)", "sum and mean are of numbers");
  refused_call("min(item)", "min and max are of numbers");
  refused_call("bag(amount)", "a bag is of strings or ids");
  refused_call("bag(item, code)", "the weight, is a number");
}
END_TEST

int main(void) {
  Suite *s = suite_create("history");
  TCase *t = tcase_create("history");
  tcase_add_test(t, known_answers);
  tcase_add_test(t, as_a_double_loop);
  tcase_add_test(t, as_a_double_loop_in_a_window);
  tcase_add_test(t, as_a_double_loop_with_splits);
  tcase_add_test(t, as_a_double_loop_with_splits_in_a_window);
  tcase_add_test(t, as_a_double_loop_with_the_last_held_out);
  tcase_add_test(t, as_a_double_loop_with_the_last_held_out_in_a_window);
  tcase_add_test(t, as_a_double_loop_with_splits_of_both_kinds);
  tcase_add_test(t, string_keys_are_as_numbers);
  tcase_add_test(t, later_events_change_nothing);
  tcase_add_test(t, held_out_events_change_nothing_for_training_rows);
  tcase_add_test(t, threads_and_memory_change_nothing);
  tcase_add_test(t, odd_input);
  tcase_add_test(t, small_after_great);
  tcase_add_test(t, refusals);
  tcase_set_timeout(t, 120);
  suite_add_tcase(s, t);
  return run_suite(s);
}
