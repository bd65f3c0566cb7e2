/* Checks of a class's parameters: some of them work; others, at their ends, at random, missing or of other types, end in an
 * error that says which parameter is to blame. */
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/config/value.h"
#include "core/conform/internal.h"
#include "core/graph/call.h"
#include "core/graph/host.h"

enum { FEW = 40 };

/* ---- works ---- */

static void check_works(adl_exam *exam) {
  GString *last = g_string_new(NULL);
  for (int number = 0; number < ADL_DRAFT_TRIES && exam->draft < 0; number++) {
    adl_draft *draft = adl_draft_new(exam, number);
    adl_exam_trial trial = {.draft = draft, .rows = FEW, .load_only = true};
    adl_result *result = adl_exam_trial_run(exam, &trial);
    if (result->ok) {
      adl_result_free(result);
      trial.load_only = false;
      trial.held_out = FEW / 4;
      result = adl_exam_trial_run(exam, &trial);
      if (result->ok) exam->draft = number;
    }
    if (!result->ok && (number < ADL_DRAFT_PLAIN || last->len == 0)) {
      GString *yaml = g_string_new(NULL);
      adl_draft_yaml(draft, yaml);
      g_string_printf(last, "{%s}\n%s", yaml->str, adl_result_errors(result));
      g_string_free(yaml, TRUE);
    }
    adl_result_free(result);
    adl_draft_free(draft);
  }
  if (exam->draft < 0)
    adl_exam_fail(exam,
                  "none of %d stages made up from its parameters runs; say what cannot be guessed with --set "
                  "PARAMETER=VALUE. The plainest one:\n%s",
                  (int)ADL_DRAFT_TRIES, last->str);
  g_string_free(last, TRUE);
}

/* ---- time and memory ---- */

/* What is extreme may take for ever, and more memory than there is: it is interrupted soon, and ended a little later. */
static void stop_run(int number) {
  static volatile sig_atomic_t before;
  (void)number;
  if (before) _exit(0);
  before = 1;
  adl_engine_interrupt();
}

static void limit_time_and_memory(void) {
  struct itimerval soon = {.it_value = {.tv_usec = 100000}, .it_interval = {.tv_usec = 200000}};
  struct rlimit limit = {.rlim_cur = (rlim_t)3 << 30, .rlim_max = (rlim_t)3 << 30};
#ifndef __SANITIZE_ADDRESS__ /* which takes terabytes of addresses */
  if (sizeof(void *) == 8) setrlimit(RLIMIT_AS, &limit);
#else
  (void)limit;
#endif
  adl_child_forgive_memory();
  signal(SIGALRM, stop_run);
  setitimer(ITIMER_REAL, &soon, NULL);
}

typedef struct brief_run {
  const adl_exam_trial *trial;
  const char *what;
} brief_run;

/* In a process of its own. */
static void run_limited(adl_exam *exam, void *data) {
  const brief_run *run = data;
  limit_time_and_memory();
  adl_result *result = adl_exam_trial_run(exam, run->trial);
  if (result->stand->outcome != ADL_RUN_INTERRUPTED) adl_result_judge(exam, result, run->what);
  adl_result_free(result);
}

static void run_briefly(adl_exam *exam, const adl_exam_trial *trial, const char *what) {
  brief_run run = {trial, what};
  adl_child_apart(exam, run_limited, &run);
}

/* ---- extremes ---- */

static char *range_end(const adl_param *param, bool high) {
  adl_range range;
  GString *why = g_string_new(NULL), *text = g_string_new(NULL);
  bool read = param->range != NULL && adl_range_read(param->range, (adl_param_type)param->type, &range, why);
  g_string_free(why, TRUE);
  if (!read) {
    g_string_free(text, TRUE);
    return NULL;
  }
  if (param->type == ADL_PARAM_FLOAT) {
    double end = high ? range.high : range.low;
    if (isinf(end)) end = end > 0 ? 1e300 : -1e300;
    if (high ? range.high_open : range.low_open) end = nextafter(end, high ? range.low : range.high);
    g_string_append_printf(text, "%.17g", end);
  } else {
    g_string_append_printf(text, "%" G_GINT64_FORMAT "%s", high ? range.high_whole : range.low_whole,
                           param->type == ADL_PARAM_DURATION ? "us" : "");
  }
  if ((param->flags & ADL_LIST_OF) != 0) {
    g_string_prepend_c(text, '[');
    g_string_append_c(text, ']');
  }
  return g_string_free(text, FALSE);
}

/* One parameter of the draft at another value. */
static void try_value(adl_exam *exam, uint32_t at, const char *value) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  char *what = g_strdup_printf("with %s: %s", draft->class->params[at].name, value);
  adl_draft_set(draft, at, value);
  adl_exam_trial trial = {.draft = draft, .rows = FEW / 4, .held_out = 4};
  run_briefly(exam, &trial, what);
  g_free(what);
  adl_draft_free(draft);
}

static void check_extremes(adl_exam *exam) {
  const adl_class *class = &exam->loaded->class;
  for (uint32_t i = 0; i < class->param_count; i++) {
    const adl_param *param = &class->params[i];
    if (param->deprecated != NULL || (param->flags & (ADL_LISTS_OF | ADL_MAP_OF)) != 0) continue;
    for (int high = 0; high < 2; high++) {
      char *value = range_end(param, high);
      if (value != NULL) try_value(exam, i, value);
      g_free(value);
    }
    for (int truth = 0; param->type == ADL_PARAM_BOOL && truth < 2; truth++)
      try_value(exam, i, truth ? "true" : "false");
    char **choices = param->type == ADL_PARAM_CHOICE ? adl_choice_list(param->choices) : NULL;
    for (char **choice = choices; choice != NULL && *choice != NULL; choice++) try_value(exam, i, *choice);
    g_strfreev(choices);
  }
}

static void check_random(adl_exam *exam) {
  enum { STAGES = 24 };
  for (int number = ADL_DRAFT_TRIES; number < ADL_DRAFT_TRIES + STAGES; number++) {
    adl_draft *draft = adl_draft_new(exam, number);
    GString *what = g_string_new("{");
    adl_draft_yaml(draft, what);
    g_string_append_c(what, '}');
    adl_exam_trial trial = {.draft = draft, .rows = FEW, .held_out = 5};
    run_briefly(exam, &trial, what->str);
    g_string_free(what, TRUE);
    adl_draft_free(draft);
  }
}

/* ---- what must be refused ---- */

static void check_missing(adl_exam *exam) {
  const adl_class *class = &exam->loaded->class;
  for (uint32_t i = 0; i < class->param_count; i++) {
    const adl_param *param = &class->params[i];
    if ((param->flags & ADL_REQUIRED) == 0) continue;
    adl_draft *draft = adl_draft_new(exam, exam->draft);
    adl_draft_set(draft, i, NULL);
    adl_exam_trial trial = {.draft = draft, .rows = FEW, .load_only = true};
    adl_result *result = adl_exam_trial_run(exam, &trial);
    if (result->ok && param->default_value == NULL)
      adl_exam_fail(exam, "a stage without the required parameter `%s` was taken", param->name);
    adl_result_free(result);
    adl_draft_free(draft);
  }
}

/* The column of the draft that the parameter names gets another type; NULL: it names none. */
static adl_draft_column *column_of(const adl_draft *draft, uint32_t at) {
  for (guint i = 0; draft->values[at] != NULL && i < draft->columns->len; i++) {
    adl_draft_column *column = draft->columns->pdata[i];
    const char *found = strstr(draft->values[at], column->name);
    if (found != NULL && !g_ascii_isalnum(found[strlen(column->name)])) return column;
  }
  return NULL;
}

typedef struct typed_run {
  const adl_exam_trial *trial;
  const char *what;
  bool taken;
} typed_run;

static void run_typed(adl_exam *exam, void *data) {
  const typed_run *run = data;
  limit_time_and_memory();
  adl_result *result = adl_exam_trial_run(exam, run->trial);
  if (result->stand->outcome != ADL_RUN_INTERRUPTED && adl_result_judge(exam, result, run->what) && result->ok &&
      !run->taken)
    adl_exam_fail(exam, "%s: it was taken", run->what);
  adl_result_free(result);
}

static void try_type(adl_exam *exam, uint32_t at, adl_type type, bool taken) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  adl_draft_column *column = column_of(draft, at);
  char have[96];
  adl_type_name(type, have, sizeof have);
  if (column != NULL) {
    column->type = type;
    adl_exam_trial trial = {.draft = draft, .rows = FEW, .held_out = 5, .load_only = !taken};
    char *what = g_strdup_printf("with a column of type %s as %s", have, draft->class->params[at].name);
    typed_run run = {&trial, what, taken};
    adl_child_apart(exam, run_typed, &run);
    g_free(what);
  }
  adl_draft_free(draft);
}

static void check_types(adl_exam *exam) {
  const adl_class *class = &exam->loaded->class;
  for (uint32_t i = 0; i < class->param_count; i++) {
    if (class->params[i].type != ADL_PARAM_COLUMN) continue;
    for (int taken = 0; taken < 2; taken++) {
      GArray *types = adl_draft_types(&class->params[i], taken);
      for (guint t = 0; t < types->len; t++) try_type(exam, i, g_array_index(types, adl_type, t), taken);
      g_array_free(types, TRUE);
    }
  }
}

/* ---- blame ---- */

static const adl_class *blamed_class;
static char *wrong_blame; /* a name that a plugin blamed, and that it has not */

static bool has_name(const adl_class *class, const char *name, gsize size) {
  for (uint32_t i = 0; i < class->param_count; i++) {
    const adl_param *param = &class->params[i];
    if (strlen(param->name) == size && strncmp(param->name, name, size) == 0) return true;
    if (param->alias != NULL && strlen(param->alias) == size && strncmp(param->alias, name, size) == 0) return true;
  }
  return false;
}

static adl_status (*usual_fail)(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                                const char *format, ...) ADL_PRINTF(5, 6);

static adl_status watched_fail(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                               const char *format, ...) ADL_PRINTF(5, 6);
static adl_status watched_fail(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                               const char *format, ...) {
  const adl_stage *stage = adl_context_of(call)->stage;
  bool own = stage != NULL && stage->class != NULL && strcmp(stage->class->id, blamed_class->id) == 0;
  if (own && wrong_blame == NULL && parameter != NULL && !has_name(stage->class, parameter, strcspn(parameter, ".[")))
    wrong_blame = g_strdup(parameter);
  va_list list;
  va_start(list, format);
  char *text = g_strdup_vprintf(format, list);
  va_end(list);
  if (own && wrong_blame == NULL && text[0] == '\0') wrong_blame = g_strdup("");
  adl_status status = usual_fail(call, parameter, offset, hint, "%s", text);
  g_free(text);
  return status;
}

static void run_blamed(adl_exam *exam, void *data) {
  limit_time_and_memory();
  adl_result_free(adl_exam_trial_run(exam, data));
  if (wrong_blame != NULL && wrong_blame[0] == '\0')
    adl_exam_fail(exam, "it failed with an empty message");
  else if (wrong_blame != NULL)
    adl_exam_fail(exam, "it blames `%s`, which is none of its parameters", wrong_blame);
}

static void check_blame(adl_exam *exam) {
  enum { STAGES = 48 };
  adl_host *host = adl_host_table_to_fill();
  usual_fail = host->fail;
  host->fail = watched_fail;
  blamed_class = &exam->loaded->class;
  for (int number = 0; number < STAGES; number++) {
    adl_draft *draft = adl_draft_new(exam, number);
    adl_exam_trial trial = {.draft = draft, .rows = FEW, .load_only = number % 4 != 0, .odd = number % 8 == 0};
    adl_child_apart(exam, run_blamed, &trial);
    adl_draft_free(draft);
  }
}

const adl_check adl_checks_of_params[] = {
    {"works", "A stage made up from its parameters runs.", ADL_OF_CLASS, false, check_works},
    {"missing", "A stage without a required parameter is refused.", ADL_OF_STAGE, false, check_missing},
    {"extremes", "Parameters at the ends of their ranges work, or are refused in words.", ADL_OF_STAGE, false,
     check_extremes},
    {"random", "Parameters at random work, or are refused in words.", ADL_OF_CLASS, false, check_random},
    {"types", "Columns of every type that it takes work, or are refused in words; others are refused.", ADL_OF_STAGE,
     false, check_types},
    {"blame", "Errors blame parameters that there are.", ADL_OF_CLASS, false, check_blame},
    {NULL, NULL, ADL_OF_CLASS, false, NULL},
};
