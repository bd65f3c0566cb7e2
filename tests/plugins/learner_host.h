/*
 * A host for one learner or for metrics, without graph and engine: rows from arrays, cut into batches of any size and
 * dealt to any number of lanes, which the real engine would choose by itself. Each call has scratch memory of its own,
 * filled with rubbish and freed after it. Used by the tests of ftrl, sgd and metrics.
 */
#ifndef ADLOOM_TESTS_LEARNER_HOST_H
#define ADLOOM_TESTS_LEARNER_HOST_H

#include <glib.h>

#include "core/data/array.h"
#include "core/data/tensors.h"

/* Columns, each named after the parameter that takes it; "by:NAME" is one of the list `by`. */
typedef struct learner_rows {
  int count;
  const char *names[8];
  adl_array *columns[8];
  const uint8_t *kinds; /* of each row, adl_split, +4 where it was scored online; NULL: all ADL_TRAIN */
} learner_rows;

/* Dense values (rows x width) as a vector, or as sparse rows without their zeros. */
void learner_matrix(learner_rows *rows, const char *name, const float *values, int64_t count, int64_t width,
                    bool sparse);
void learner_numbers(learner_rows *rows, const char *name, adl_element element, const double *values, int64_t count);
void learner_texts(learner_rows *rows, const char *name, const char *const *values, int64_t count); /* NULL: a null */
/* The rows first .. first + count - 1. */
learner_rows learner_slice(const learner_rows *rows, int64_t first, int64_t count);
void learner_rows_clear(learner_rows *rows);

typedef struct learner_stage {
  const adl_class *class;
  void *self;
  adl_model model;
  int64_t batch_rows; /* 64 */
  int lanes;          /* 3 */
  int folds;          /* so far */
  GString *failed;    /* "parameter: message\n" */
  GString *warned;
  GString *reported;    /* "over/name=value low high", "name=text", table cells between |, a line each */
  GHashTable *rejected; /* ordinal + 1 -> "column: reason" */
  GArray *scores;       /* float, of process or learn since the last learner_forget */
  /* inner: */
  adl_inputs by;
  const adl_batch *batch;
  uint8_t kind;
} learner_stage;

/* Parameters as text, in pairs that end with NULL; the others have their defaults. create, bind and start are called;
 * whether they went well is in *status (NULL: the test fails if they did not). */
learner_stage *learner_new(const adl_class *class, const learner_rows *rows, adl_status *status, ...);
void learner_free(learner_stage *stage);

adl_status learner_init(learner_stage *stage);
adl_status learner_fit(learner_stage *stage, const learner_rows *rows);
/* In batches; scores are appended. learner_process calls prepare first. */
adl_status learner_learn(learner_stage *stage, const learner_rows *rows);
adl_status learner_process(learner_stage *stage, const learner_rows *rows);
const char *learner_report(learner_stage *stage);
void learner_forget(learner_stage *stage);

/* What host->random_key gives. */
uint64_t learner_random_key(const char *use);

float learner_score(const learner_stage *stage, int64_t row);
/* A float64 of a tensor of the model; the test fails without such a tensor. */
double learner_value(const learner_stage *stage, const char *tensor, int64_t at);
/* A number of the report and its interval (NULL: not wanted), "over/name"; the test fails if it is not there. */
double learner_reported(const learner_stage *stage, const char *name, double *low, double *high);
/* All tensors of the model are equal, bit for bit. */
bool learner_same_model(const learner_stage *a, const learner_stage *b);

#endif
