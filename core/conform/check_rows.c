/* Checks of what a class does with rows: how they are cut does not matter, nor what stands in them, nor whether they are run
 * once or twice; nothing of a batch is written to, or looked at when it is gone; what leaves is what was declared. */
#include <string.h>

#include "core/base/guard.h"
#include "core/conform/internal.h"

/* A difference that is one of the last digits: float32 sums in another order. */
#define ROUNDING 1e-4

enum { ROWS = 120, HELD_OUT = 30 };

static const int64_t odd_cut[] = {1, 7, 33, 2, 64, 5};

#define CUT(sizes) .cut = (sizes), .cut_count = G_N_ELEMENTS(sizes)

static bool is_cut_blind(const adl_class *class) {
  return (class->flags & (ADL_ORDERED | ADL_WHOLE_GROUPS | ADL_WHOLE_TABLE)) != 0;
}

/* ---- batches ---- */

static void check_batches(adl_exam *exam) {
  static const int64_t one[] = {1};
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  const adl_exam_trial trials[] = {{.draft = draft, .rows = 0},
                                   {.draft = draft, .rows = 0, .held_out = 3},
                                   {.draft = draft, .rows = 1},
                                   {.draft = draft, .rows = 2, .held_out = 1},
                                   {.draft = draft, .rows = 37, CUT(one)},
                                   {.draft = draft, .rows = ROWS, .held_out = HELD_OUT, CUT(odd_cut), .threads = 3}};
  static const char *const names[] = {"without rows",    "without rows to learn from", "with one row",
                                      "with three rows", "in batches of one row",      "in batches of odd sizes"};
  for (guint i = 0; i < G_N_ELEMENTS(trials) && !adl_exam_failed(exam); i++)
    adl_result_free(adl_exam_trial_judged(exam, &trials[i], names[i]));
  adl_draft_free(draft);
}

/* With the model at `models`, bit for bit: plain rows in batches of one as well, and rows with nulls and NaN, which often
 * go another way through a class. */
static void check_exact(adl_exam *exam, const adl_draft *draft, const char *models) {
  static const int64_t one[] = {1};
  const struct {
    bool odd;
    const int64_t *sizes;
    int64_t count;
    const char *what;
  } ways[] = {{false, odd_cut, G_N_ELEMENTS(odd_cut), "the same rows in one batch and in several"},
              {false, one, 1, "the same rows in one batch and one at a time"},
              {true, odd_cut, G_N_ELEMENTS(odd_cut), "rows with nulls and odd values in one batch and in several"}};
  for (guint i = 0; i < G_N_ELEMENTS(ways) && !adl_exam_failed(exam); i++) {
    adl_exam_trial trial = {
        .draft = draft, .rows = 5 * ROWS, .held_out = HELD_OUT, .odd = ways[i].odd, .models = models};
    adl_result *whole = adl_exam_trial_judged(exam, &trial, ways[i].what), *cut = NULL;
    trial.cut = ways[i].sizes;
    trial.cut_count = ways[i].count;
    if (whole != NULL) cut = adl_exam_trial_judged(exam, &trial, ways[i].what);
    char *different = cut != NULL && whole->ok && cut->ok ? adl_compare_results(whole, cut, 0) : NULL;
    if (different != NULL) adl_exam_fail(exam, "%s: %s, although it has ADL_EXACT_ROWS", ways[i].what, different);
    g_free(different);
    adl_result_free(cut);
    adl_result_free(whole);
  }
}

/* The same rows with the same model: in one batch, and in several. */
static void check_together(adl_exam *exam) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT};
  adl_result *one = adl_exam_trial_success(exam, &trial, "in one batch"), *several = NULL;
  bool model = one != NULL && adl_class_saves(draft->class) && adl_result_model_path(one) != NULL;
  char *models = model ? g_strdup(one->stand->run_directory) : NULL;
  adl_result *first = one;
  trial.models = models;
  if (first != NULL && model) one = adl_exam_trial_success(exam, &trial, "in one batch, with a model");
  bool learns = draft->class->fit != NULL || draft->class->learn != NULL;
  if (one != NULL && (draft->class->flags & ADL_EXACT_ROWS) != 0 && (model || !learns))
    check_exact(exam, draft, models);
  trial.cut = odd_cut;
  trial.cut_count = G_N_ELEMENTS(odd_cut);
  if (one != NULL) several = adl_exam_trial_success(exam, &trial, "in several batches");
  char *different = several != NULL ? adl_compare_results(one, several, ROUNDING) : NULL;
  if (different != NULL && is_cut_blind(draft->class))
    adl_exam_fail(exam, "the same rows in one batch and in several: %s", different);
  else if (different != NULL)
    adl_exam_warn(exam,
                  "the same rows in one batch and in several: %s (batches must not matter, unless it draws at "
                  "random)",
                  different);
  g_free(different);
  g_free(models);
  adl_result_free(several);
  if (one != first) adl_result_free(one);
  adl_result_free(first);
  adl_draft_free(draft);
}

/* What leaves is compared where rows leave as they came: a model may hold numbers of rows, which differ. */
static char *compare_learned(const adl_draft *draft, const adl_result *one, const adl_result *spread, int64_t between) {
  char *different = NULL;
  if (draft->class->form == ADL_NEW && one->column_count > 0 && one->rows == spread->rows)
    return adl_compare_results(one, spread, 10 * ROUNDING);
  if (draft->class->form != ADL_SAME || one->column_count == 0 || spread->rows != one->rows * (1 + between))
    return adl_compare_models(adl_result_model(one), adl_result_model(spread), 10 * ROUNDING);
  for (int64_t row = 0; row < one->rows && different == NULL; row++)
    different = adl_compare_rows(one, row, spread, row * (1 + between), 1, 10 * ROUNDING);
  return different;
}

/* The same training rows in one frame of a store, and spread over several: rows that are held out lie between them. */
static void check_partials(adl_exam *exam) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  if (draft->class->fit == NULL || (draft->class->flags & ADL_ALL_ROWS) != 0) {
    adl_exam_skip(exam, draft->class->fit == NULL ? "it has no fit" : "it is fitted on rows of every split");
    adl_draft_free(draft);
    return;
  }
  enum { SPREAD_ROWS = 1400, BETWEEN = 8 };
  adl_exam_trial trial = {.draft = draft, .rows = SPREAD_ROWS};
  adl_result *one = adl_exam_trial_success(exam, &trial, "rows in one partial"), *several = NULL;
  trial.between = BETWEEN;
  if (one != NULL) several = adl_exam_trial_success(exam, &trial, "rows in several partials");
  char *different = several != NULL ? compare_learned(draft, one, several, BETWEEN) : NULL;
  if (different != NULL && (draft->class->flags & ADL_SINGLE_PASS) != 0)
    adl_exam_fail(exam, "learned from the same rows in one partial and in several: %s", different);
  else if (different != NULL)
    adl_exam_warn(exam,
                  "learned from the same rows in one partial and in several: %s (where rounding grows from pass to "
                  "pass, that may be all)",
                  different);
  g_free(different);
  adl_result_free(several);
  adl_result_free(one);
  adl_draft_free(draft);
}

/* ---- again ---- */

static void compare_runs(adl_exam *exam, const adl_result *a, const adl_result *b, const char *what) {
  char *different = adl_compare_results(a, b, 0);
  if (different == NULL && strcmp(a->digest, b->digest) != 0) different = g_strdup("what was published differs");
  if (different == NULL) different = adl_compare_models(adl_result_model(a), adl_result_model(b), 0);
  if (different != NULL) adl_exam_fail(exam, "%s: %s", what, different);
  g_free(different);
}

static void check_again(adl_exam *exam) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  if ((draft->class->flags & ADL_NOT_REPEATABLE) != 0) {
    adl_exam_skip(exam, "it says that it is not repeatable");
    adl_draft_free(draft);
    return;
  }
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT, CUT(odd_cut), .threads = 1, .seed = 7};
  adl_result *first = adl_exam_trial_success(exam, &trial, "a run");
  adl_result *second = first != NULL ? adl_exam_trial_success(exam, &trial, "the same run") : NULL;
  if (second != NULL) compare_runs(exam, first, second, "the same run twice");
  adl_result_free(second);
  trial.threads = 4;
  adl_result *third = first != NULL ? adl_exam_trial_success(exam, &trial, "the same run on four threads") : NULL;
  if (third != NULL) compare_runs(exam, first, third, "the same run on one thread and on four");
  adl_result_free(third);
  adl_result_free(first);
  adl_draft_free(draft);
}

/* ---- what stands in rows ---- */

static void check_odd(adl_exam *exam) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  const adl_exam_trial trials[] = {
      {.draft = draft, .rows = ROWS, .held_out = HELD_OUT, .odd = true},
      {.draft = draft, .rows = ROWS, .held_out = HELD_OUT, .odd = true, CUT(odd_cut), .threads = 1},
      {.draft = draft, .rows = 3, .odd = true}};
  adl_guard_up();
  for (guint i = 0; i < G_N_ELEMENTS(trials) && !adl_exam_failed(exam); i++)
    adl_result_free(adl_exam_trial_judged(exam, &trials[i], "with nulls, NaN, extremes, empty and huge texts"));
  adl_draft_free(draft);
}

static bool check_utf8(adl_exam *exam, const adl_result *result, int32_t c) {
  const adl_column *column = &result->columns[c]->view;
  if (column->type.element != ADL_STRING) return true;
  int64_t texts = column->offsets != NULL ? column->offsets[column->rows] : column->rows;
  for (int64_t i = 0; i < texts; i++) {
    adl_text text = adl_text_at(column, i);
    if (g_utf8_validate_len(text.data, (gsize)text.size, NULL)) continue;
    adl_exam_fail(exam, "a text of the column `%s`, which is of strings, is not valid UTF-8",
                  result->stand->tapped->schema.columns[c].name);
    return false;
  }
  return true;
}

static void check_schema(adl_exam *exam) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT, .seed = 3};
  adl_guard_up();
  adl_result *first = adl_exam_trial_success(exam, &trial, "a run"), *second = NULL;
  for (int32_t c = 0; first != NULL && first->rows > 0 && c < first->column_count; c++) {
    adl_type type = first->columns[c]->view.type;
    if (!check_utf8(exam, first, c)) break;
    if ((type.shape == ADL_VECTOR || type.shape == ADL_SPARSE) && type.width == 0)
      adl_exam_fail(exam, "the width of the column `%s` was never set (host->set_width)",
                    first->stand->tapped->schema.columns[c].name);
  }
  adl_guard_fill(0xa5);
  if (first != NULL && !adl_exam_failed(exam)) second = adl_exam_trial_success(exam, &trial, "a run");
  char *different =
      second != NULL && (draft->class->flags & ADL_NOT_REPEATABLE) == 0 ? adl_compare_results(first, second, 0) : NULL;
  if (different != NULL) adl_exam_fail(exam, "values that it did not write leave it: %s", different);
  g_free(different);
  adl_result_free(second);
  adl_result_free(first);
  adl_draft_free(draft);
}

/* ---- memory that belongs to others ---- */

static void check_input(adl_exam *exam) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT, CUT(odd_cut)};
  if (!adl_guard_up()) return adl_exam_skip(exam, "there is no room for guarded memory");
  adl_result_free(adl_exam_trial_success(exam, &trial, "a run"));
  if (draft->class->learn != NULL && !adl_exam_failed(exam)) {
    trial.learn = "online";
    adl_result_free(adl_exam_trial_judged(exam, &trial, "a run that learns online"));
  }
  adl_draft_free(draft);
}

static void check_kept(adl_exam *exam) {
  static const int64_t small[] = {3, 1, 8};
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT, .no_tap = true, .threads = 1, CUT(small)};
  if (!adl_guard_up()) return adl_exam_skip(exam, "there is no room for guarded memory");
  adl_result_free(adl_exam_trial_success(exam, &trial, "a run"));
  if (draft->class->learn != NULL && !adl_exam_failed(exam)) {
    trial.learn = "online";
    adl_result_free(adl_exam_trial_judged(exam, &trial, "a run that learns online"));
  }
  adl_draft_free(draft);
}

const adl_check adl_checks_of_rows[] = {
    {"batches", "It takes no rows, one row, and batches of odd sizes.", ADL_OF_STAGE, false, check_batches},
    {"together", "Rows leave the same in one batch as in several (bit for bit, where it says so).", ADL_OF_STAGE, false,
     check_together},
    {"partials", "It learns the same, but for rounding, however rows are cut into partials.", ADL_OF_STAGE, false,
     check_partials},
    {"again", "The same seed gives the same bytes, on any number of threads.", ADL_OF_STAGE, false, check_again},
    {"odd", "Nulls, NaN, infinities, extremes, empty and huge texts do it no harm.", ADL_OF_STAGE, false, check_odd},
    {"schema", "What leaves is what it declared, and every value of it was written.", ADL_OF_STAGE, false,
     check_schema},
    {"input", "It does not write into its input, nor beyond what it reserved.", ADL_OF_STAGE, false, check_input},
    {"kept", "It keeps nothing of the host's after a call has returned.", ADL_OF_STAGE, false, check_kept},
    {NULL, NULL, ADL_OF_STAGE, false, NULL},
};
