/* Checks of manners: a plugin is a guest in somebody else's process. */
#include <string.h>

#include "core/conform/internal.h"
#include "core/graph/host.h"

enum { ROWS = 60, HELD_OUT = 10 };

static const void *no_extension(const adl_call *call, const char *id) {
  (void)call, (void)id;
  return NULL;
}

static void check_bare_host(adl_exam *exam) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT};
  adl_host_table_to_fill()->extension = no_extension;
  adl_result_free(adl_exam_trial_judged(exam, &trial, "on a host without extensions"));
  adl_draft_free(draft);
}

/* Calls that end the process, or begin one, end the check (calls.c). */
static void check_processes(adl_exam *exam) {
  if (!adl_calls_watch(exam->options->path)) return adl_exam_skip(exam, "its calls cannot be watched on this machine");
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT};
  adl_result_free(adl_exam_trial_success(exam, &trial, "a run"));
  trial.rows = trial.held_out = 0;
  adl_result_free(adl_exam_trial_judged(exam, &trial, "a run without rows"));
  trial.rows = ROWS;
  trial.odd = true;
  adl_result_free(adl_exam_trial_judged(exam, &trial, "a run with nulls and NaN"));
  adl_draft_free(draft);
}

static int count_threads(void) {
  GDir *folder = g_dir_open("/proc/self/task", 0, NULL);
  int count = 0;
  while (folder != NULL && g_dir_read_name(folder) != NULL) count++;
  if (folder != NULL) g_dir_close(folder);
  return count;
}

/* Threads that have ended may be listed a little longer. */
static int settled_threads(int expected) {
  int count = count_threads();
  for (int i = 0; i < 100 && count > expected; i++) {
    g_usleep(2000);
    count = count_threads();
  }
  return count;
}

static void check_threads(adl_exam *exam) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT};
  adl_result_free(adl_exam_trial_success(exam, &trial, "a run"));
  int left = settled_threads(1) - 1;
  if (left > 0)
    adl_exam_fail(exam, "when the run was over %d thread%s it had begun %s still there", left, left == 1 ? "" : "s",
                  left == 1 ? "was" : "were");
  adl_draft_free(draft);
}

const adl_check adl_checks_of_manners[] = {
    {"bare-host", "It works on a host without optional extensions, or says what it needs.", ADL_OF_STAGE, false,
     check_bare_host},
    {"processes", "It starts no process, and never ends this one.", ADL_OF_STAGE, false, check_processes},
    {"threads", "It leaves no thread behind.", ADL_OF_STAGE, false, check_threads},
    {NULL, NULL, ADL_OF_STAGE, false, NULL},
};
