/* Checks of the plugin's own memory: what it does when there is none, and whether it gives everything back. Its calls of libc
 * lead through calls.c. */
#include <string.h>

#include "core/conform/internal.h"

enum { ROWS = 30, HELD_OUT = 6 };

static bool watch(adl_exam *exam) {
  bool can = adl_calls_watch(exam->options->path);
  if (!can) adl_exam_skip(exam, "its calls cannot be watched on this machine");
  return can;
}

/* ---- no memory ---- */

/* What comes of a run in which allocation `number` failed must be an error, or what comes of any other run. */
static void refuse_one(adl_exam *exam, const adl_exam_trial *trial, const adl_result *usual, int64_t number) {
  char *what = g_strdup_printf("when allocation %" G_GINT64_FORMAT " fails", number + 1);
  adl_calls_fail(number);
  adl_result *result = adl_exam_trial_run(exam, trial);
  bool reached = adl_calls_allocations() > number;
  adl_calls_fail(-1);
  if (reached && adl_result_judge(exam, result, what) && result->ok) {
    char *different = adl_compare_results(usual, result, 0);
    if (different != NULL) adl_exam_fail(exam, "%s, it goes on, and gives something else: %s", what, different);
    g_free(different);
  }
  adl_result_free(result);
  g_free(what);
}

static void check_no_memory(adl_exam *exam) {
  enum { MOST = 120 };
  if (!watch(exam)) return;
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT, .threads = 1};
  adl_calls_fail(-1);
  adl_result *usual = adl_exam_trial_success(exam, &trial, "a run");
  int64_t count = adl_calls_allocations(), step = MAX(1, count / MOST);
  for (int64_t number = 0; usual != NULL && number < count && !adl_exam_failed(exam); number += step)
    refuse_one(exam, &trial, usual, number);
  adl_result_free(usual);
  adl_draft_free(draft);
}

/* ---- leaks ---- */

/* How many blocks a run leaves behind that the one before it did not. */
static void look_for_leaks(adl_exam *exam, const adl_exam_trial *trial, const char *what) {
  adl_result_free(adl_exam_trial_run(exam, trial)); /* what is made once for all stays */
  int64_t before = adl_calls_held(), made = adl_calls_total();
  adl_result_free(adl_exam_trial_run(exam, trial));
  int64_t left = adl_calls_held() - before;
  if (left > 0)
    adl_exam_fail(exam, "%s leaves %" G_GINT64_FORMAT " block%s behind that %s allocated and nothing frees", what, left,
                  left == 1 ? "" : "s", adl_calls_oldest(made));
}

static void check_leaks(adl_exam *exam) {
  if (!watch(exam)) return;
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT, .threads = 1};
  look_for_leaks(exam, &trial, "a run");
  trial.odd = true;
  if (!adl_exam_failed(exam)) look_for_leaks(exam, &trial, "a run with nulls and NaN");
  adl_draft_free(draft);
}

/* Where each of its functions is the last one that is called before destroy. */
static void check_states(adl_exam *exam) {
  if (!watch(exam)) return;
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT, .threads = 1, .load_only = true};
  look_for_leaks(exam, &trial, "a stage that is bound and never started");
  trial.load_only = false;
  trial.rows = trial.held_out = 0;
  if (!adl_exam_failed(exam)) look_for_leaks(exam, &trial, "a run without rows");
  trial.rows = ROWS;
  trial.models = "/nowhere/at/all";
  if (!adl_exam_failed(exam)) look_for_leaks(exam, &trial, "a run whose model cannot be read");
  trial.models = NULL;
  adl_draft_free(draft);
  for (int number = 0; number < 40 && !adl_exam_failed(exam); number += 3) { /* most of them are refused in bind */
    draft = adl_draft_new(exam, number);
    adl_exam_trial other = {.draft = draft, .load_only = true};
    look_for_leaks(exam, &other, "a stage that was refused");
    adl_draft_free(draft);
  }
}

const adl_check adl_checks_of_memory[] = {
    {"no-memory", "Where an allocation fails, it says so, and ends in an error.", ADL_OF_STAGE, false, check_no_memory},
    {"leaks", "What it allocates is freed when all is done.", ADL_OF_STAGE, false, check_leaks},
    {"states", "It can be destroyed at any time, and leaves nothing behind.", ADL_OF_STAGE, false, check_states},
    {NULL, NULL, ADL_OF_STAGE, false, NULL},
};
