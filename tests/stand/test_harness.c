/* The harness as a plugin author meets it: nothing but <adloom/test.h>, and the shared library. */
#include <adloom/test.h>

#include <math.h>
#include <signal.h>
#include <string.h>

static const char shop[] = "user,spend,clicked\na,1.5,1\nb,,0\na,3,1\nc,4,0\n";
static const char columns[] = "{user: id, spend: float, clicked: bool}";

static void looks_at_rows(adl_test *t) {
  adl_test_csv(t, columns, shop);
  ADL_CHECK(t, adl_test_stage(t, "use: derive, columns: {twice: spend * 2}"));
  ADL_CHECK_ROWS(t, 4);
  ADL_CHECK_NUMBER(t, "twice", 0, 3, 0);
  ADL_CHECK_NUMBER(t, "spend", 3, 4, 0);
  ADL_CHECK_NULL(t, "twice", 1);
  ADL_CHECK_TEXT(t, "user", 2, "a");
  ADL_CHECK(t, adl_test_has(t, "clicked") && !adl_test_has(t, "other"));
  ADL_CHECK(t, adl_test_type(t, "user").element == ADL_STRING && adl_test_type(t, "user").role == ADL_CATEGORY);
  ADL_CHECK(t, adl_test_split(t, 0) == ADL_TRAIN);
  ADL_CHECK(t, adl_test_column(t, "user")->rows == 4);
  ADL_CHECK(t, strlen(adl_test_digest(t)) == 64);
  ADL_CHECK(t, adl_test_read(t, "metrics.json") != NULL && adl_test_read(t, "nothing") == NULL);
}

static void looks_at_items(adl_test *t) {
  adl_test_json(t, "{v: vector 3, s: sparse 10, l: list of int, w: bag}",
                "{\"v\": [1, 2.5, 3], \"s\": {\"2\": 4, \"7\": 0.5}, \"l\": [5, 6], \"w\": {\"shoe\": 2}}\n"
                "{\"v\": [0, 0, 0], \"s\": {}, \"l\": [], \"w\": {}}\n");
  adl_test_run(t, "", "rows");
  ADL_CHECK_ROWS(t, 2);
  ADL_CHECK(t, adl_test_count(t, "v", 0) == 3 && adl_test_element(t, "v", 0, 1) == 2.5);
  ADL_CHECK(t, adl_test_count(t, "s", 0) == 2 && adl_test_element(t, "s", 0, 7) == 0.5);
  ADL_CHECK(t, adl_test_element(t, "s", 0, 3) == 0 && adl_test_count(t, "s", 1) == 0);
  ADL_CHECK(t, adl_test_count(t, "l", 0) == 2 && adl_test_element(t, "l", 0, 1) == 6);
  ADL_CHECK(t, adl_test_count(t, "l", 1) == 0);
  ADL_CHECK(t, adl_test_type(t, "l").element == ADL_INT64 && adl_test_type(t, "s").width == 10);
  ADL_CHECK(t, adl_test_weight(t, "w", 0, "shoe") == 2 && isnan(adl_test_weight(t, "w", 0, "hat")));
}

static void writes_down_any_type(adl_test *t) {
  adl_test_json(
      t, "{s: string, i: int32, u: uint32, f: float32, d: float, b: bool, t: timestamp, n: list of string}",
      "{\"s\": \"a\\nb\", \"i\": -3, \"u\": 4294967295, \"f\": 0.5, \"d\": \"nan\", \"b\": true,"
      " \"t\": \"1970-01-01T00:00:01Z\", \"n\": [\"x\", \"\"]}\n\n{\"s\": null}\n{\"d\": \"-inf\", \"t\": 5}\n");
  adl_test_source(t, "holdout: {where: \"i is null\"}");
  ADL_CHECK(t, adl_test_run(t, "", "rows"));
  ADL_CHECK_ROWS(t, 3);
  ADL_CHECK_TEXT(t, "s", 0, "a\\nb");
  ADL_CHECK_NUMBER(t, "i", 0, -3, 0);
  ADL_CHECK_NUMBER(t, "u", 0, 4294967295, 0);
  ADL_CHECK_NUMBER(t, "f", 0, 0.5, 0);
  ADL_CHECK_NUMBER(t, "d", 0, NAN, 0);
  ADL_CHECK_NUMBER(t, "b", 0, 1, 0);
  ADL_CHECK_NUMBER(t, "t", 0, 1e6, 0);
  ADL_CHECK(t, adl_test_count(t, "n", 0) == 2);
  ADL_CHECK_NULL(t, "s", 1);
  ADL_CHECK_NULL(t, "n", 2);
  ADL_CHECK_NUMBER(t, "d", 2, -INFINITY, 0);
  ADL_CHECK_NUMBER(t, "t", 2, 5, 0);
  ADL_CHECK(t, adl_test_split(t, 0) == ADL_TRAIN && adl_test_split(t, 1) == ADL_TEST);
}

static void looks_at_models(adl_test *t) {
  adl_test_csv(t, "{x: float}", "x\n1\n3\n");
  adl_test_run(t, "  stage: {use: scale, columns: [x]}\n", "stage");
  ADL_CHECK_OK(t);
  ADL_CHECK(t, adl_test_learned(t, "stage") && !adl_test_learned(t, "rows"));
  adl_tensor tensor;
  ADL_CHECK(t, !adl_test_tensor(t, "stage", "nothing", &tensor));
  const double learned = adl_test_number(t, "x", 0);
  /* Other rows, the same model. */
  ADL_CHECK(t, adl_test_apply(t, NULL, "x\n1\n100\n200\n"));
  ADL_CHECK_ROWS(t, 3);
  ADL_CHECK_NUMBER(t, "x", 0, learned, 0);
}

static void looks_at_errors_and_rejects(adl_test *t) {
  adl_test_csv(t, columns, shop);
  ADL_CHECK(t, !adl_test_stage(t, "use: filter, where: spent > 1"));
  ADL_CHECK_SAYS(t, "spend");
  adl_test_csv(t, "{x: float}", "x\n1\nmuch\n");
  ADL_CHECK(t, adl_test_stage(t, "use: derive, columns: {y: x}"));
  ADL_CHECK(t, adl_test_rejected(t) == 1 && strstr(adl_test_rejects(t), "rows 3 x ") != NULL);
  adl_test_top(t, "max_rejects: 0\n");
  ADL_CHECK(t, !adl_test_stage(t, "use: derive, columns: {y: x}"));
}

static void cuts_batches(adl_test *t) {
  static const int64_t sizes[] = {1, 2};
  adl_test_csv(t, columns, shop);
  adl_test_source(t, "holdout: {where: \"user == 'c'\"}");
  adl_test_cut(t, sizes, 2);
  adl_test_stage(t, "use: derive, columns: {twice: spend * 2}");
  ADL_CHECK_ROWS(t, 4);
  ADL_CHECK_NUMBER(t, "twice", 2, 6, 0);
  ADL_CHECK_NULL(t, "spend", 1);
  ADL_CHECK(t, adl_test_split(t, 0) == ADL_TRAIN && adl_test_split(t, 3) == ADL_TEST);
}

static void finds_what_is_not_invariant(adl_test *t) {
  adl_test_csv(t, columns, shop);
  ADL_CHECK_INVARIANT(t, "use: derive, columns: {twice: spend * 2}", 1e-9);
  ADL_CHECK(t, !adl_test_invariant(t, "  stage: {use: nothing}\n", "stage", 0));
  ADL_CHECK(t, strstr(adl_test_difference(t), "nothing") != NULL);
}

/* Every check on a test of its own, which it must mark as failed. */
static void checks_can_fail(adl_test *t) {
  adl_test *other = adl_test_new();
  adl_test_csv(other, columns, shop);
  adl_test_stage(other, "use: derive, columns: {twice: spend * 2}");
  ADL_CHECK(t, !adl_test_check(other, "f.c", 1, false, "1 == 2"));
  ADL_CHECK(t, !adl_test_check_rows(other, "f.c", 2, 5));
  ADL_CHECK(t, !adl_test_check_number(other, "f.c", 3, "twice", 0, 3.5, 0.1));
  ADL_CHECK(t, !adl_test_check_number(other, "f.c", 4, "twice", 1, 0, 0));
  ADL_CHECK(t, !adl_test_check_number(other, "f.c", 5, "twice", 9, 0, 0));
  ADL_CHECK(t, !adl_test_check_number(other, "f.c", 6, "thrice", 0, 0, 0));
  ADL_CHECK(t, !adl_test_check_number(other, "f.c", 7, "user", 0, 0, 0));
  ADL_CHECK(t, !adl_test_check_text(other, "f.c", 8, "user", 0, "b"));
  ADL_CHECK(t, !adl_test_check_null(other, "f.c", 9, "user", 0));
  ADL_CHECK(t, !adl_test_check_near(other, "f.c", 10, "pi", 3.2, 3.14, 0.01));
  ADL_CHECK(t, !adl_test_check_near(other, "f.c", 11, "nothing", NAN, 0, 1));
  ADL_CHECK(t, !adl_test_check_says(other, "f.c", 12, "wrong"));
  ADL_CHECK(t, !adl_test_check_invariant(other, "f.c", 13, "use: nothing", 0));
  ADL_CHECK(t, !adl_test_check_ok(other, "f.c", 14));
  ADL_CHECK(t, adl_test_check_near(t, "f.c", 15, "nothing", NAN, NAN, 0));
  adl_test_free(other);
}

/* What adl_test_main makes of these is told by tests/stand/harness.sh, which names them. */
static void fails(adl_test *t) { ADL_CHECK(t, 1 == 2); }
static void crashes(adl_test *t) {
  (void)t;
  raise(SIGKILL); /* not one of those that sanitizers catch */
}
static void writes_down_nonsense(adl_test *t) {
  adl_test_json(t, "{v: vector 3}", "{\"v\": [1, 2, 3]}\n{\"v\": [1, 2]}\n");
  adl_test_run(t, "", "rows");
}
static void asks_for_nothing(adl_test *t) { adl_test_number(t, "x", 0); }

int main(int argc, char **argv) {
  static const adl_test_case cases[] = {ADL_CASE(looks_at_rows),
                                        ADL_CASE(looks_at_items),
                                        ADL_CASE(writes_down_any_type),
                                        ADL_CASE(looks_at_models),
                                        ADL_CASE(looks_at_errors_and_rejects),
                                        ADL_CASE(cuts_batches),
                                        ADL_CASE(finds_what_is_not_invariant),
                                        ADL_CASE(checks_can_fail),
                                        ADL_CASE(fails),
                                        ADL_CASE(crashes),
                                        ADL_CASE(writes_down_nonsense),
                                        ADL_CASE(asks_for_nothing)};
  const int count = (int)(sizeof cases / sizeof *cases);
  return adl_test_main(argc, argv, cases, argc > 1 ? count : count - 4);
}
