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
static void asks_for_nothing(adl_test *t) { adl_test_number(t, "x", 0); }

int main(int argc, char **argv) {
  static const adl_test_case cases[] = {ADL_CASE(looks_at_rows),
                                        ADL_CASE(looks_at_models),
                                        ADL_CASE(looks_at_errors_and_rejects),
                                        ADL_CASE(cuts_batches),
                                        ADL_CASE(finds_what_is_not_invariant),
                                        ADL_CASE(checks_can_fail),
                                        ADL_CASE(fails),
                                        ADL_CASE(crashes),
                                        ADL_CASE(asks_for_nothing)};
  const int count = (int)(sizeof cases / sizeof *cases);
  return adl_test_main(argc, argv, cases, argc > 1 ? count : count - 3);
}
