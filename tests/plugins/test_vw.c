/* read-vw on the real engine: dimensions as Vowpal Wabbit numbers them, what is rejected and where, and learners that count
 * the same progressive loss from its files as it does itself. */
#include <math.h>
#include <stdio.h>

#include "tests/plugins/transform.h"

static adl_harness *read_text(const char *text, const char *parameters) {
  adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
  adl_harness_top(h, "max_rejects: 1\n");
  const char *path = adl_harness_file(h, "a.vw", text, (gssize)strlen(text));
  char *stage = g_strdup_printf("  s: {use: read-vw, path: %s%s}\n", path, parameters);
  adl_harness_run(h, stage, "s");
  g_free(stage);
  return h;
}

/* Everything that the format has. The dimensions of each line were asked of Vowpal Wabbit 9.11 (Python's
 * example.feature() & 0x3ffff). */
static const char own[] = "1 'r1|ad shoes price:0.5 17 |user f20 rome\n"
                          "0 2 'r2|ad hats price:1.5 |user:0.5 f30 city:Rome\n"
                          "1 0.5 0 r3|ad shoes price:0.75 17 18 |user f20 :2 :3\n"
                          "0 'r4 |12 a b c|ad hats:2\n"
                          "1 1.5 'r5| plain words 42\n"
                          "0 'r6|ad shoes hats price:-0.25|user rome f30 :1\n"
                          "\n"
                          "1|ad tagged_only price:3\n"
                          "1 'r8|user f20 rome |ad shoes price:0.125\n"
                          "0 3 'r9|ad hats 18 |user city:Paris f30\r\n"
                          "1 'ra|ad\tshoes price:1e-1  |user city:Rome";
static const char own_x[] = "{13102: 1, 40558: 1, 43847: 1, 107110: 1, 151172: 0.5}|"
                            "{5247: 1, 49997: 0.5, 58538: 1, 151172: 1.5}|"
                            "{15629: 2, 15630: 3, 40558: 1, 43847: 1, 107110: 1, 107111: 1, 151172: 0.75}|"
                            "{5247: 2, 80228: 1, 114251: 1, 203536: 1}|"
                            "{42: 1, 133590: 1, 256121: 1}|"
                            "{5247: 1, 13102: 1, 15629: 1, 43847: 1, 49997: 1, 151172: -0.25}|"
                            "{139694: 1, 151172: 3}|"
                            "{13102: 1, 40558: 1, 43847: 1, 151172: 0.125}|"
                            "{5247: 1, 49997: 1, 107111: 1, 160867: 1}|"
                            "{43847: 1, 58538: 1, 151172: 0.1}";

START_TEST(known_values) {
  adl_harness *h = read_text(own, ", tag: t, base: b, file_column: file");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  ASSERT_VALUES(h, "x", own_x);
  ASSERT_VALUES(h, "label", "1|0|1|0|1|0|null|1|0|1");
  ASSERT_VALUES(h, "weight", "1|2|0.5|1|1.5|1|1|1|3|1");
  ASSERT_VALUES(h, "b", "0|0|0|0|0|0|0|0|0|0");
  ASSERT_VALUES(h, "t", "r1|r2|r3|r4|r5|r6|1|r8|r9|ra");
  ck_assert_int_eq(adl_harness_type(h, "x").shape, ADL_SPARSE);
  ck_assert_int_eq(adl_harness_type(h, "x").width, 1 << 18);
  adl_harness_free(h);
}
END_TEST

static const struct {
  const char *line, *parameters, *x;
} shapes[] = {
    {"1 | f1 f2", "", "{82936: 1, 259761: 1}"},
    {"1 | f1 f2", ", constant: true", "{82936: 1, 116060: 1, 259761: 1}"},
    {"1 | f1 f2", ", bits: 2, constant: true", "{0: 2, 1: 1}"},
    {"1 | f1 f2", ", bits: 1", "{0: 1, 1: 1}"},
    {"1 |a f1:2 f2", "", "{47870: 2, 91850: 1}"},
    {"1 2 0.5 'tag|a:2 f1:2 17 :3 :4 :0 :5", "", "{47870: 4, 92594: 6, 92595: 8, 92597: 10, 92611: 2}"},
    {"1 |a f:x g", "", "{93968: 1, 107800: 1}"},
    {"1 |a:3 f:x", "", "{107800: 1}"},
    {"1 |12 f", "", "{228571: 1}"},
    {"|a x|b y z|c", "", "{55432: 1, 124687: 1, 152274: 1}"},
    {"1 |a:0.5 x y:3", "", "{42847: 1.5, 55432: 0.5}"},
    {"1 |a:0 x", "", "{}"},
    {"1 |a x:1e1 y:-2.5e-3 z:+3", "", "{42847: -0.0025, 55432: 10, 202246: 3}"},
    {"1 |a x\ty", "", "{42847: 1, 55432: 1}"},
    {"1 |a x:2 x x:-3", "", "{}"},
    {"1 |a -5 +5 05", "", "{20435: 1, 42582: 1, 92599: 1}"},
    {"1 |", "", "{}"},
    {"|", ", constant: true", "{116060: 1}"},
    {"1 | 17 99999999999 262160", "", "{16: 1, 17: 1, 190463: 1}"},
};

/* Dimensions as Vowpal Wabbit 9.11 has them; the last line's 99999999999 is 0x174876e7ff, of which 18 bits are left. */
START_TEST(dimensions) {
  adl_harness *h = read_text(shapes[_i].line, shapes[_i].parameters);
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  ASSERT_VALUES(h, "x", shapes[_i].x);
  adl_harness_free(h);
}
END_TEST

START_TEST(labels) {
  adl_harness *h = read_text("1 |a\n-1 |a\n0 |a\n 'x|a\n  +1\t.5\t-2  |a\n'\xe5\xb9\xbf\xe5\x91\x8a |a\n1 '|a\n|a\n",
                             ", labels: binary, tag: t, base: b, label: y, weight: w, as: f");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "y", "true|false|false|null|true|null|true|null");
  ASSERT_VALUES(h, "w", "1|1|1|1|0.5|1|1|1");
  ASSERT_VALUES(h, "b", "0|0|0|0|-2|0|0|0");
  ck_assert(adl_harness_null(h, "t", 0) && adl_harness_null(h, "t", 4) && adl_harness_null(h, "t", 7));
  ck_assert(!adl_harness_null(h, "t", 6));
  char *tag = adl_harness_text(h, "t", 5);
  ck_assert_str_eq(tag, "\xe5\xb9\xbf\xe5\x91\x8a");
  free(tag);
  adl_harness_free(h);
}
END_TEST

static const struct {
  const char *line, *reason;
} bad[] = {
    {"1", "s 2 x \"1\" at byte 1 has no |"},
    {"shared |a x", "s 2 label \"shared\" at byte 1 is not a simple label, which is one number: read-vw reads simple "
                    "labels"},
    {"1:0.5:0.3 |a x", "s 2 label \"1:0.5:0.3\" at byte 1 is not a simple label"},
    {"nan |a x", "s 2 label \"nan\" at byte 1 is not a simple label"},
    {"2 |a x", "s 2 label \"2\" at byte 1 is not a binary label: 1, -1 or 0"},
    {"1 heavy |a x", "s 2 weight \"heavy\" at byte 3 is not a weight, which is a number"},
    {"1 inf |a x", "s 2 weight \"inf\" at byte 3 is not a weight"},
    {"1 1 low |a x", "s 2 label \"low\" at byte 5 is not a base, which is a number"},
    {"1 1 1 1 |a x", "s 2 label \"1\" at byte 7 is more than a simple label's label, weight and base"},
    {"1 '\xff|a x", "is a tag that is not UTF-8"},
    {"1 |a:b x", "s 2 x \"a:b\" at byte 4 is not a namespace, or name:weight of one"},
    {"1 |:2 x", "s 2 x \":2\" at byte 4 is not a namespace, or name:weight of one"},
    {"1 |a:1e40 x", "s 2 x \"a:1e40\" at byte 4 has a weight that no float32 holds"},
    {"1 |a x:", "s 2 x \"x:\" at byte 6 has no value behind the colon"},
    {"1 |a x:1:2 y", "s 2 x \"x:1:2\" at byte 6 has a value that is neither a number nor a word"},
    {"1 |a x:1x y", "s 2 x \"x:1x\" at byte 6 has a value that is neither a number nor a word"},
    {"1 |a x:b:c y", "s 2 x \"x:b:c\" at byte 6 has a value that is neither a number nor a word"},
    {"1 |a :b y", "s 2 x \":b\" at byte 6 has a value that is neither a number nor a word"},
    {"1 |a x:nan", "s 2 x \"x:nan\" at byte 6 has a value that no float32 holds"},
    {"1 |a x:inf", "s 2 x \"x:inf\" at byte 6 has a value that no float32 holds"},
    {"1 |a x:1e39", "s 2 x \"x:1e39\" at byte 6 has a value that no float32 holds"},
    {"1 |a:1e30 x:1e30", "s 2 x \"x:1e30\" at byte 11 times its namespace's weight is a value that no float32 holds"},
};

/* The line is rejected with its number and place; those around it stay. */
START_TEST(bad_lines) {
  char *text = g_strdup_printf("1 | 1\n%s\n0 | 4\n", bad[_i].line);
  adl_harness *h = read_text(text, ", labels: binary");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "x", "{1: 1}|{4: 1}");
  char *rejects = adl_harness_rejects(h);
  ck_assert_msg(strstr(rejects, bad[_i].reason) != NULL, "%s lacks %s", rejects, bad[_i].reason);
  ck_assert_int_eq(adl_harness_rejected(h), 1);
  free(rejects);
  adl_harness_free(h);
  g_free(text);
}
END_TEST

START_TEST(empty_files) {
  static const char *const nothing[] = {"", "\n", " \t\n\r\n\n"};
  adl_harness *h = read_text(nothing[_i], "");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  adl_harness_free(h);
}
END_TEST

START_TEST(refusals) {
  static const char *const wrong[][2] = {{", bits: 0", "bits: 0 is out of range"},
                                         {", bits: 32", "bits: 32 is out of range"},
                                         {", labels: many", "labels"},
                                         {", tag: x", "there is a column `x` already"}};
  adl_harness *h = read_text("1 |\n", wrong[_i][0]);
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), wrong[_i][1]) != NULL, "%s", adl_harness_errors(h));
  adl_harness_free(h);
}
END_TEST

/* Many lines, of which every seventh is bad, whatever the number of threads: the same rows and rejects. */
START_TEST(threads_change_no_bit) {
  char *first = NULL;
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
    GString *text = g_string_new(NULL);
    for (int i = 0; i < 60000; i++)
      g_string_append_printf(text, i % 7 == 3 ? "%d |a x: b\n" : "%d 't%d|a f%d:0.25 g |b:2 %d h%d\n", i, i, i % 100, i,
                             i % 13);
    adl_harness_file(h, "a.vw", text->str, (gssize)text->len);
    g_string_free(text, TRUE);
    adl_harness_top(h, "max_rejects: 1\n");
    adl_harness_threads(h, threads);
    adl_harness_run(h, "  s: {use: read-vw, path: a.vw, tag: t}\n  o: {use: write-jsonl, path: o.jsonl}\n", NULL);
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rejected(h), 60000 / 7);
    char *rows = adl_harness_read(h, "o.jsonl"), *rejects = adl_harness_rejects(h);
    char *digest = g_strconcat(rows, rejects, NULL);
    if (first == NULL) first = g_strdup(digest);
    ck_assert_msg(strcmp(digest, first) == 0, "%d threads differ from one", threads);
    free(rows);
    free(rejects);
    g_free(digest);
    adl_harness_free(h);
  }
  g_free(first);
}
END_TEST

/* ---- progressive loss as Vowpal Wabbit counts it ---- */

/* Learns from a file online, without a bias of the learner's own, and returns the progressive loss. */
static double progressive(const char *path, const char *reader, const char *learner, const char *name) {
  adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
  char *stages =
      g_strdup_printf("  in: {use: read-vw, path: %s%s}\n"
                      "  known: {use: filter, where: label is not null}\n"
                      "  c: {use: %s, features: [x], label: label, weight: weight, learn: online, bias: false}\n",
                      path, reader, learner);
  adl_harness_run(h, stages, "c");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  double loss = adl_harness_report(h, "c", "progressive", name);
  g_free(stages);
  adl_harness_free(h);
  return loss;
}

/* Against `average loss` of Vowpal Wabbit 9.11 over the same lines (all but the one without a label). */
START_TEST(losses_of_own_lines) {
  adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
  char *path = g_strdup(adl_harness_file(h, "own.vw", own, (gssize)strlen(own)));
  /* --ftrl --ftrl_alpha 0.1 --ftrl_beta 1 */
  double squared = progressive(path, ", constant: true", "ftrl, loss: squared, alpha: 0.1, beta: 1", "squared_loss");
  ck_assert_double_eq_tol(squared, 0.31269644, 1e-6);
  /* --ftrl --ftrl_alpha 0.5 --ftrl_beta 0.5 --l1 0.1 --l2 0.2 --loss_function logistic -b 10, labels -1 and 1 */
  double logistic = progressive(path, ", constant: true, bits: 10, labels: binary",
                                "ftrl, alpha: 0.5, beta: 0.5, l1: 0.1, l2: 0.2", "logloss");
  ck_assert_double_eq_tol(logistic, 0.61011161, 1e-6);
  g_free(path);
  adl_harness_free(h);
}
END_TEST

static char *data_file(const char *name) {
  const char *data = g_getenv("ADLOOM_DATA");
  return g_build_filename(data != NULL ? data : "", "vw", "train-sets", name, NULL);
}

/* On files of Vowpal Wabbit's own tests. The first figure is that of its test 70; the others are what 9.11 prints. */
static const struct {
  const char *file, *reader, *learner, *name;
  double loss, factor;
} parity[] = {
    /* --ftrl --ftrl_alpha 0.01 --ftrl_beta 0 --l1 2 */
    {"0001.dat.gz", ", constant: true", "ftrl, loss: squared, alpha: 0.01, beta: 0, l1: 2", "squared_loss", 0.379717,
     1},
    /* --ftrl --ftrl_alpha 0.1 --ftrl_beta 1 */
    {"0001.dat.gz", ", constant: true", "ftrl, loss: squared, alpha: 0.1, beta: 1", "squared_loss", 0.24239350, 1},
    {"rcv1_small.dat.gz", ", constant: true", "ftrl, loss: squared, alpha: 0.1, beta: 1", "squared_loss", 0.76807294,
     1},
    /* --ftrl --ftrl_alpha 0.1 --ftrl_beta 1 --l1 0.01 -b 20 --noconstant. Vowpal Wabbit's float32 sums are worth 2e-6. */
    {"rcv1_small.dat.gz", ", bits: 20", "ftrl, loss: squared, alpha: 0.1, beta: 1, l1: 0.01", "squared_loss",
     0.76957442, 1},
    /* --ftrl --ftrl_alpha 0.1 --ftrl_beta 1 --loss_function logistic */
    {"rcv1_small.dat.gz", ", constant: true, labels: binary", "ftrl, alpha: 0.1, beta: 1", "logloss", 0.66426849, 1},
    /* --ftrl --ftrl_alpha 0.05 --ftrl_beta 1 --l1 0.001 --l2 0.5 --loss_function logistic */
    {"rcv1_small.dat.gz", ", constant: true, labels: binary", "ftrl, alpha: 0.05, beta: 1, l1: 0.001, l2: 0.5",
     "logloss", 0.67758461, 1},
    /* --sgd -l 0.1 --power_t 0 --loss_function logistic */
    {"rcv1_small.dat.gz", ", constant: true, labels: binary",
     "sgd, method: plain, learning_rate: 0.1, l2: 0, standardise: none", "logloss", 0.66015830, 1},
    /* --adaptive -l 0.1 --power_t 0.5 --loss_function logistic */
    {"rcv1_small.dat.gz", ", constant: true, labels: binary",
     "sgd, method: adagrad, learning_rate: 0.1, l2: 0, standardise: none", "logloss", 0.52913965, 1},
    /* --sgd -l 0.1 --power_t 0 --noconstant --min_prediction -100 --max_prediction 100: sgd's squared loss is half of it */
    {"rcv1_small.dat.gz", "", "sgd, loss: squared, method: plain, learning_rate: 0.2, l2: 0, standardise: none",
     "half_squared_loss", 0.68887005, 2},
};

START_TEST(losses_of_its_test_files) {
  char *path = data_file(parity[_i].file);
  double loss = parity[_i].factor * progressive(path, parity[_i].reader, parity[_i].learner, parity[_i].name);
  double tolerance = strstr(parity[_i].reader, "20") != NULL ? 3e-6 : 5e-7;
  ck_assert_msg(fabs(loss - parity[_i].loss) < tolerance, "%s: %.8f, not %.8f", parity[_i].learner, loss,
                parity[_i].loss);
  g_free(path);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("read-vw");
  TCase *cases = tcase_create("read-vw");
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, known_values);
  tcase_add_loop_test(cases, dimensions, 0, (int)G_N_ELEMENTS(shapes));
  tcase_add_test(cases, labels);
  tcase_add_loop_test(cases, bad_lines, 0, (int)G_N_ELEMENTS(bad));
  tcase_add_loop_test(cases, empty_files, 0, 3);
  tcase_add_loop_test(cases, refusals, 0, 4);
  tcase_add_test(cases, threads_change_no_bit);
  tcase_add_test(cases, losses_of_own_lines);
  char *first = data_file("0001.dat.gz"), *second = data_file("rcv1_small.dat.gz");
  if (g_file_test(first, G_FILE_TEST_EXISTS) && g_file_test(second, G_FILE_TEST_EXISTS))
    tcase_add_loop_test(cases, losses_of_its_test_files, 0, (int)G_N_ELEMENTS(parity));
  else
    puts("skipped: ADLOOM_DATA names no folder with Vowpal Wabbit's test files (vw/train-sets)");
  g_free(first);
  g_free(second);
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
