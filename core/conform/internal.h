/*
 * What the files of core/conform share.
 *
 *   conform.c       the table of checks, and the report
 *   child.c         one check in a process of its own
 *   draft.c         parameters and columns for a stage, made up from the class's table
 *   values.c        what stands in these columns
 *   trial.c         a run of the stage on the engine, and all that came of it
 *   compare.c       two of these, held side by side
 *   patch.c         the plugin's calls of libc functions, led through functions of ours
 *   calls.c         what these functions count, refuse and forbid
 *   check_*.c       the checks
 */
#ifndef ADLOOM_CORE_CONFORM_INTERNAL_H
#define ADLOOM_CORE_CONFORM_INTERNAL_H

#include <glib.h>

#include "core/conform/conform.h"
#include "core/data/tensors.h"
#include "core/plugin/note.h"
#include "core/plugin/registry.h"
#include "core/stand/rows.h"
#include "core/stand/stand.h"

/* ---- checks ---- */

typedef enum adl_verdict { ADL_PASS, ADL_FAIL, ADL_CRASH, ADL_SKIP, ADL_WARN } adl_verdict;

/* What a check works on, in its process. */
typedef struct adl_exam {
  const adl_conform_options *options;
  const adl_note *note;
  const char *id;  /* of the class; NULL: the check is about the file */
  int draft;       /* number of the draft that works; -1: none is known */
  bool unloadable; /* the loader refuses the class */
  adl_verdict verdict;
  GString *text; /* what was found */
  /* Once the plugin is loaded (adl_exam_load). */
  adl_registry *registry;
  const adl_loaded *loaded;
} adl_exam;

typedef struct adl_check {
  const char *name, *sentence;
  enum {
    ADL_OF_FILE,  /* once, without loading anything */
    ADL_OF_CLASS, /* for each class, which is loaded first */
    ADL_OF_STAGE  /* for each class that a draft was found for */
  } of;
  bool again; /* it measures time: only what is found three times is so */
  void (*run)(adl_exam *exam);
} adl_check;

/* NULL name: the end. */
extern const adl_check adl_checks_of_file[], adl_checks_of_tables[], adl_checks_of_params[], adl_checks_of_rows[],
    adl_checks_of_models[], adl_checks_of_memory[], adl_checks_of_manners[];

/* The first finding counts; a failure is more than a warning. */
void adl_exam_fail(adl_exam *exam, const char *format, ...) G_GNUC_PRINTF(2, 3);
void adl_exam_warn(adl_exam *exam, const char *format, ...) G_GNUC_PRINTF(2, 3);
void adl_exam_skip(adl_exam *exam, const char *format, ...) G_GNUC_PRINTF(2, 3);
static inline bool adl_exam_failed(const adl_exam *exam) { return exam->verdict == ADL_FAIL; }
/* Loads the plugin and finds the class. False: it failed, and the verdict says why. */
bool adl_exam_load(adl_exam *exam);

/* What a process found. */
typedef struct adl_finding {
  adl_verdict verdict;
  int draft;
  char *text, *noise; /* what was found; what was written to stdout and stderr, NULL: nothing */
} adl_finding;
void adl_finding_clear(adl_finding *finding);
adl_finding adl_child_run(adl_exam *exam, const adl_check *check);
/* Runs something in a process that begins as this one is now, and waits. What it finds, or a crash, ends the check. */
void adl_child_apart(adl_exam *exam, void (*body)(adl_exam *exam, void *data), void *data);
/* From now on this process may end for want of memory without anybody being blamed. */
void adl_child_forgive_memory(void);
/* Says a verdict at once and ends the process: for signal handlers. */
void adl_child_stop(adl_verdict verdict, const char *first, const char *second, const char *third)
    __attribute__((noreturn));

/* ---- drafts ---- */

typedef struct adl_draft_column {
  char *name;
  adl_type type;
  bool key;   /* equal in neighbouring rows */
  bool label; /* 0 or 1, foretold by the other columns */
} adl_draft_column;

typedef struct adl_draft {
  const adl_class *class;
  GPtrArray *columns, *side; /* of adl_draft_column *: of the rows, and of the rows that STAGE parameters name */
  char **values;             /* by parameter: YAML; NULL: not given */
  int sides;                 /* STAGE parameters that were given */
} adl_draft;

/* The first few numbers are the plainest drafts, those behind them are random. */
adl_draft *adl_draft_new(const adl_exam *exam, int number);
void adl_draft_free(adl_draft *draft);
void adl_draft_set(adl_draft *draft, uint32_t param, const char *value); /* NULL: not given */
/* "{use: acme.rate, category: category1, ...}" */
void adl_draft_yaml(const adl_draft *draft, GString *yaml);
/* Writes files that PATH_IN parameters of a draft name into a folder. */
void adl_draft_files(const adl_stand *stand);
/* A value for a parameter: of a number of its range, else of its kind. To be freed; NULL: none can be made up. */
char *adl_draft_value(adl_draft *draft, const adl_param *param, uint64_t random);
/* All types that a COLUMN parameter takes (`taken`), or does not take, in a fixed order. */
GArray *adl_draft_types(const adl_param *param, bool taken);

enum { ADL_DRAFT_PLAIN = 4, ADL_DRAFT_TRIES = 160 };

/* ---- values ---- */

/* Rows of a trial: what stands in one depends on its identity alone. */
typedef struct adl_row_plan {
  uint64_t seed;
  int64_t count;
  const int64_t *ids;
  bool odd; /* nulls, NaN, extremes, empty and huge texts */
} adl_row_plan;

adl_array *adl_draft_values(const adl_draft_column *column, const adl_row_plan *plan);

/* ---- trials ---- */

typedef struct adl_exam_trial {
  const adl_draft *draft;
  int64_t rows;     /* for training */
  int64_t held_out; /* behind them */
  int64_t between;  /* behind each row for training; they leave, too */
  bool poison;      /* held-out rows hold other values */
  bool odd;
  bool no_tap; /* what leaves is read and forgotten */
  bool load_only;
  const int64_t *cut;
  int64_t cut_count;
  int threads;        /* 0: 2 */
  uint64_t seed;      /* of the run */
  const char *learn;  /* "online"; NULL: as usual */
  const char *models; /* --models */
} adl_exam_trial;

/* All that came of a run. */
typedef struct adl_result {
  adl_stand *stand;
  adl_stand_rows *main, *side;
  bool ok;
  int64_t rows; /* that left; 0 without a tap */
  int32_t column_count;
  adl_array **columns; /* whole */
  char *digest;        /* of what was published */
} adl_result;

adl_result *adl_exam_trial_run(const adl_exam *exam, const adl_exam_trial *trial);
void adl_result_free(adl_result *result);
const char *adl_result_errors(const adl_result *result);
const adl_tensors *adl_result_model(const adl_result *result);
char *adl_result_model_path(const adl_result *result); /* of the model file; NULL: none was saved */

/* A result that is no success must be an error that the plugin has explained, and nothing that the ABI forbids. Else the
 * check fails, "WHAT: ..."; false then. */
bool adl_result_judge(adl_exam *exam, const adl_result *result, const char *what);
/* Runs and judges; NULL: the check has failed. */
adl_result *adl_exam_trial_judged(adl_exam *exam, const adl_exam_trial *trial, const char *what);
/* The same, and it must be a success; NULL: the check has failed. */
adl_result *adl_exam_trial_success(adl_exam *exam, const adl_exam_trial *trial, const char *what);

/* Is it a class that learns a model and saves it? */
bool adl_class_saves(const adl_class *class);

/* ---- comparing ---- */

/* The first difference between rows of two results, as a clause; NULL: none. tolerance 0: bit for bit. To be freed. */
char *adl_compare_rows(const adl_result *a, int64_t first_a, const adl_result *b, int64_t first_b, int64_t count,
                       double tolerance);
/* Of all rows; numbers of rows, too. */
char *adl_compare_results(const adl_result *a, const adl_result *b, double tolerance);
char *adl_compare_models(const adl_tensors *a, const adl_tensors *b, double tolerance);

/* ---- calls of the plugin into libc ---- */

typedef struct adl_patch {
  const char *name;  /* of a function that the plugin calls */
  void *replacement; /* what it calls instead */
} adl_patch;

/* How many places were changed; -1: the file is not loaded, or the kind of machine is not known. */
int adl_patch_calls(const char *path, const adl_patch *patches, int count);

/* Puts the functions of calls.c into the loaded plugin. False: this cannot be done here. */
bool adl_calls_watch(const char *path);
/* Allocation number `number` from now on fails, and no other; -1: none. */
void adl_calls_fail(int64_t number);
int64_t adl_calls_allocations(void);         /* since adl_calls_fail */
int64_t adl_calls_held(void);                /* blocks that were allocated and not freed */
const char *adl_calls_oldest(int64_t after); /* who allocated a block that is held, after so many: "fit of acme.rate" */
int64_t adl_calls_total(void);               /* allocations of all time */

#endif
