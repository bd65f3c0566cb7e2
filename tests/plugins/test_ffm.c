/* ffm: its prediction against the double loop over pairs of entries, its steps against gradients by finite differences,
 * that it finds a planted model, and that batches, vector instructions and odd values do what the manual says. Threads and
 * files: test_factors. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/murmur3.h"
#include "tests/plugins/learner_host.h"

extern const adl_plugin *adl_entry_ffm(const adl_host *host);

static const adl_class *ffm_class(void) {
  adl_host host = {.abi_major = ADL_ABI_MAJOR};
  return adl_entry_ffm(&host)->classes[0];
}

enum { ROWS = 300, FIELDS = 6, ITEMS = 5, BITS = 9, DIMENSIONS = 1 << BITS };

static const char *const names[FIELDS] = {"user", "ad", "shop", "price", "age", "words"};

/* user, ad and shop are categories, now and then null; price and age are numbers; words is a sparse vector. */
static const char *category_of(int row, int field) {
  static const char *const values[7] = {"a", "b", "c", "d", "e", "f", NULL};
  return values[adl_random(20 + (uint64_t)field, (uint64_t)row) % 7];
}

static double number_of(int row, int field) {
  return adl_random_unit(30 + (uint64_t)field, (uint64_t)row) < .2
             ? 0
             : (double)(float)(adl_random_unit(40 + (uint64_t)field, (uint64_t)row) * 3 - 1);
}

static float word_of(int row, int item) {
  uint64_t at = (uint64_t)(row * ITEMS + item);
  return adl_random_unit(50, at) < .5 ? 0 : (float)(adl_random_unit(51, at) + .2);
}

static double label_of(int row) {
  const char *user = category_of(row, 0), *ad = category_of(row, 1);
  bool match = user != NULL && ad != NULL && (user[0] + ad[0]) % 2 == 0;
  return adl_random_unit(60, (uint64_t)row) < (match ? .85 : .15);
}

static learner_rows make(int rows, double last_weight) {
  learner_rows made = {0};
  const char **texts = g_new(const char *, rows);
  double *numbers = g_new(double, rows);
  float *words = g_new(float, rows *ITEMS);
  static const char *const parameters[FIELDS] = {"columns:user",  "columns:ad",  "columns:shop",
                                                 "columns:price", "columns:age", "columns:words"};
  for (int field = 0; field < 3; field++) {
    for (int row = 0; row < rows; row++) texts[row] = category_of(row, field);
    learner_texts(&made, parameters[field], texts, rows);
  }
  for (int field = 3; field < 5; field++) {
    for (int row = 0; row < rows; row++) numbers[row] = number_of(row, field);
    learner_numbers(&made, parameters[field], ADL_FLOAT64, numbers, rows);
  }
  for (int i = 0; i < rows * ITEMS; i++) words[i] = word_of(i / ITEMS, i % ITEMS);
  learner_matrix(&made, parameters[5], words, rows, ITEMS, true);
  for (int row = 0; row < rows; row++) numbers[row] = label_of(row);
  learner_numbers(&made, "label", ADL_FLOAT64, numbers, rows);
  for (int row = 0; row < rows; row++) numbers[row] = row == rows - 1 ? last_weight : 1;
  learner_numbers(&made, "weight", ADL_FLOAT64, numbers, rows);
  g_free(texts);
  g_free(numbers);
  g_free(words);
  return made;
}

/* ---- a plain reading of the manual ---- */

typedef struct entries {
  int count;
  uint32_t index[16];
  int field[16];
  double x[16];
} entries;

static void add(entries *to, int field, uint32_t hash, double x) {
  if (x == 0) return;
  to->index[to->count] = ((hash & (DIMENSIONS - 1)) & ~3u) | ((uint32_t)field & 3u);
  to->field[to->count] = field;
  to->x[to->count++] = x;
}

static entries entries_of(int row, bool bins, bool normalise) {
  entries made = {0};
  double squares = 0;
  for (int field = 0; field < FIELDS; field++) {
    uint32_t seed = adl_murmur3(names[field], strlen(names[field]), 0);
    if (field < 3) {
      const char *text = category_of(row, field);
      if (text != NULL) add(&made, field, adl_murmur3(text, strlen(text), seed), 1);
    } else if (field < 5) {
      float value = (float)number_of(row, field);
      uint32_t bits;
      memcpy(&bits, &value, sizeof bits);
      bits >>= 21;
      if (bins)
        add(&made, field, adl_murmur3(&bits, sizeof bits, seed), 1);
      else
        add(&made, field, adl_murmur3_mix(seed), (double)value);
    } else {
      for (uint32_t item = 0; item < ITEMS; item++)
        add(&made, field, adl_murmur3_mix(seed + item), (double)word_of(row, (int)item));
    }
  }
  for (int i = 0; i < made.count; i++) squares += made.x[i] * made.x[i];
  for (int i = 0; i < made.count; i++) made.x[i] *= normalise ? 1 / sqrt(squares) : 1;
  return made;
}

/* A copy of the model's weights in float64. */
typedef struct theta {
  double bias, bias_sum, *linear, *factors;
  int factors_count;
  int64_t quads; /* of a slot */
} theta;

static double *doubles(const learner_stage *stage, const char *name, int64_t *count) {
  adl_tensor tensor;
  ck_assert(adl_tensors_find(stage->model.tensors, name, &tensor));
  double *made = g_new(double, tensor.count);
  for (int64_t i = 0; i < tensor.count; i++) made[i] = (double)((const float *)tensor.data)[i];
  *count = tensor.count;
  return made;
}

static theta theta_of(const learner_stage *stage, int factors) {
  theta made = {.bias = learner_value(stage, "bias", 0),
                .bias_sum = learner_value(stage, "bias", 1),
                .factors_count = factors,
                .quads = (factors + 3) / 4};
  int64_t count;
  made.linear = doubles(stage, "linear", &count);
  ck_assert_int_eq(count, 2 * DIMENSIONS);
  made.factors = doubles(stage, "factors", &count);
  ck_assert_int_eq(count, (int64_t)DIMENSIONS * 4 * 2 * made.quads * 8);
  return made;
}

static void theta_free(theta *done) {
  g_free(done->linear);
  g_free(done->factors);
}

/* Factor f of a dimension for a field; its sum of squares lies 4 behind it. */
static double *factor(const theta *at, uint32_t index, int field, int f) {
  int64_t slot = ((int64_t)index * 4 + field % 4) * 2 + field / 4;
  return at->factors + (slot * at->quads + f / 4) * 8 + f % 4;
}

static double margin_of(const theta *at, const entries *row) {
  double sum = at->bias;
  for (int i = 0; i < row->count; i++) {
    sum += at->linear[2 * row->index[i]] * row->x[i];
    for (int j = i + 1; j < row->count; j++)
      for (int f = 0; f < at->factors_count; f++)
        sum += *factor(at, row->index[i], row->field[j], f) * *factor(at, row->index[j], row->field[i], f) * row->x[i] *
               row->x[j];
  }
  return sum;
}

static double logistic(double margin) { return 1 / (1 + exp(-margin)); }

static void fit(learner_stage *stage, const learner_rows *rows) {
  ck_assert_msg(learner_fit(stage, rows) == ADL_OK, "%s", stage->failed->str);
}

START_TEST(predictions_are_the_double_loop) {
  static const char *const factors[] = {"1", "4", "7"};
  for (int f = 0; f < 3; f++)
    for (int variant = 0; variant < 4; variant++) {
      bool bins = variant & 1, normalise = variant & 2;
      learner_rows rows = make(ROWS, 1);
      learner_stage *stage =
          learner_new(ffm_class(), &rows, NULL, "factors", factors[f], "normalise", normalise ? "true" : "false",
                      "numbers", bins ? "bins" : "value", "bits", "9", "epochs", "3", "holdback", "0", NULL);
      fit(stage, &rows);
      ck_assert_int_eq(learner_process(stage, &rows), ADL_OK);
      theta model = theta_of(stage, atoi(factors[f]));
      for (int row = 0; row < ROWS; row++) {
        entries at = entries_of(row, bins, normalise);
        ck_assert_double_eq_tol((double)learner_score(stage, row), logistic(margin_of(&model, &at)), 2e-6);
      }
      theta_free(&model);
      ffm_class()->destroy(stage->self);
      learner_free(stage);
      learner_rows_clear(&rows);
    }
}
END_TEST

static double loss_at(const theta *at, const entries *row, double *coordinate, double value, double label,
                      bool squared) {
  double before = *coordinate;
  *coordinate = value;
  double margin = margin_of(at, row);
  *coordinate = before;
  return squared ? .5 * (margin - label) * (margin - label) : log1p(exp(margin)) - label * margin;
}

static double gradient_of(const theta *at, const entries *row, double *coordinate, double label, bool squared) {
  const double h = 1e-5;
  return (loss_at(at, row, coordinate, *coordinate + h, label, squared) -
          loss_at(at, row, coordinate, *coordinate - h, label, squared)) /
         (2 * h);
}

/* Whether every field has one entry, and no two a dimension. */
static bool is_plain(int row) {
  entries at = entries_of(row, false, true);
  bool plain = at.count == FIELDS;
  for (int i = 0; i < at.count && plain; i++) {
    plain = at.field[i] == i;
    for (int j = 0; j < i; j++) plain = plain && at.index[i] != at.index[j];
  }
  return plain;
}

/* One more row is learned, in which no coordinate is in two pairs; every coordinate must have moved by rate x
 * gradient / root of the summed squares. */
static void check_steps(bool squared, bool normalise, const char *l2) {
  const double rate = .3, weight = 1.7, penalty = strtod(l2, NULL);
  int last_row = ROWS - 1;
  while (!is_plain(last_row)) last_row--;
  learner_rows rows = make(last_row + 1, weight), last = learner_slice(&rows, 0, last_row);
  learner_stage *stage = learner_new(ffm_class(), &rows, NULL, "factors", "6", "learning_rate", "0.3", "l2", l2,
                                     "normalise", normalise ? "true" : "false", "loss",
                                     squared ? "squared" : "logistic", "numbers", "value", "bits", "9", NULL);
  ck_assert_int_eq(learner_init(stage), ADL_OK);
  ck_assert_int_eq(learner_learn(stage, &last), ADL_OK);
  learner_rows_clear(&last);
  theta before = theta_of(stage, 6);
  last = learner_slice(&rows, last_row, 1);
  ck_assert_int_eq(learner_learn(stage, &last), ADL_OK);
  theta after = theta_of(stage, 6);
  entries row = entries_of(last_row, false, normalise);
  double label = label_of(last_row), moved = 0;
  int checked = 0;
  for (int i = 0; i < row.count; i++) {
    double *w = &before.linear[2 * row.index[i]];
    double g = weight * gradient_of(&before, &row, w, label, squared) + penalty * *w;
    ck_assert_double_eq_tol(after.linear[2 * row.index[i]] - *w, -rate * g / sqrt(1 + w[1] + g * g), 3e-6);
    for (int field = 0; field < FIELDS; field++)
      for (int f = 0; f < 6; f++) {
        int partners = 0;
        for (int j = 0; j < row.count; j++) partners += j != i && row.field[j] == field;
        double *v = factor(&before, row.index[i], field, f), *now = factor(&after, row.index[i], field, f);
        if (partners == 0) ck_assert(*v == *now || v[4] == 0);
        if (partners != 1 || v[4] == 0) continue;
        g = weight * gradient_of(&before, &row, v, label, squared) + penalty * *v;
        double step = -rate * g / sqrt(v[4] + g * g);
        ck_assert_double_eq_tol(*now - *v, step, 3e-6);
        moved += fabs(step);
        checked++;
      }
  }
  ck_assert_double_gt(moved, 1e-3);
  ck_assert_int_gt(checked, FIELDS * 6 * 2);
  theta_free(&before);
  theta_free(&after);
  learner_rows_clear(&last);
  ffm_class()->destroy(stage->self);
  learner_free(stage);
  learner_rows_clear(&rows);
}

START_TEST(steps_follow_the_gradient) {
  check_steps(false, false, "0");
  check_steps(false, true, "0.01");
  check_steps(true, false, "0.01");
  check_steps(true, true, "0");
}
END_TEST

/* Whether user and ad go together is all there is to know; neither alone says anything. */
START_TEST(pairs_are_found) {
  enum { MANY = 5000, TRAIN = 4000 };
  learner_rows rows = make(MANY, 1), train = learner_slice(&rows, 0, TRAIN), test = learner_slice(&rows, TRAIN, 1000);
  learner_stage *stage = learner_new(ffm_class(), &train, NULL, "epochs", "30", NULL);
  fit(stage, &train);
  ck_assert_int_eq(learner_process(stage, &test), ADL_OK);
  double loss = 0, best = 0;
  for (int row = TRAIN; row < MANY; row++) {
    const char *user = category_of(row, 0), *ad = category_of(row, 1);
    double p = (double)learner_score(stage, row - TRAIN);
    double known = user != NULL && ad != NULL && (user[0] + ad[0]) % 2 == 0 ? .85 : .15;
    loss -= log(label_of(row) > 0 ? p : 1 - p) / 1000;
    best -= log(label_of(row) > 0 ? known : 1 - known) / 1000;
  }
  ck_assert_msg(loss < best + .05 && best < .5, "%g, possible %g", loss, best);
  ffm_class()->destroy(stage->self);
  learner_free(stage);
  learner_rows_clear(&train);
  learner_rows_clear(&test);
  learner_rows_clear(&rows);
}
END_TEST

static learner_stage *fitted(const learner_rows *rows, int64_t batch_rows, const char *block, const char *simd) {
  learner_stage *stage =
      learner_new(ffm_class(), rows, NULL, "block", block, "epochs", "3", "holdback", "0", "bits", "9", NULL);
  stage->batch_rows = batch_rows;
  if (simd != NULL) setenv("ADLOOM_SIMD", simd, 1);
  fit(stage, rows);
  ck_assert_int_eq(learner_process(stage, rows), ADL_OK);
  unsetenv("ADLOOM_SIMD");
  return stage;
}

static void drop(learner_stage *stage) {
  ffm_class()->destroy(stage->self);
  learner_free(stage);
}

START_TEST(batches_and_instructions_do_not_matter) {
  static const char *const blocks[] = {"1", "16", "1000"};
  learner_rows rows = make(ROWS, 1);
  for (int b = 0; b < 3; b++) {
    learner_stage *whole = fitted(&rows, ROWS, blocks[b], NULL), *cut = fitted(&rows, 7, blocks[b], NULL);
    learner_stage *portable = fitted(&rows, 64, blocks[b], "portable");
    ck_assert(learner_same_model(whole, cut));
    ck_assert(learner_same_model(whole, portable));
    for (int row = 0; row < ROWS; row++) ck_assert(learner_score(portable, row) == learner_score(whole, row));
    drop(whole);
    drop(cut);
    drop(portable);
  }
  learner_rows_clear(&rows);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ffm");
  TCase *answers = tcase_create("known answers"), *behaviour = tcase_create("behaviour");
  tcase_set_timeout(answers, 60);
  tcase_add_test(answers, predictions_are_the_double_loop);
  tcase_add_test(answers, steps_follow_the_gradient);
  tcase_add_test(answers, pairs_are_found);
  tcase_add_test(behaviour, batches_and_instructions_do_not_matter);
  suite_add_tcase(suite, answers);
  suite_add_tcase(suite, behaviour);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
