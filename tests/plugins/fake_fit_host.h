/*
 * A host for one stage class and one matrix of features, without graph and engine: folds over any number of lanes and any
 * size of batch, which the real engine would choose by itself; each step has scratch memory of its own, which is freed
 * after it, and parallel bodies run backwards. Used by the tests of kmeans and gmm.
 */
#ifndef ADLOOM_TESTS_FAKE_FIT_HOST_H
#define ADLOOM_TESTS_FAKE_FIT_HOST_H

#include <adloom/plugin.h>

/* Rows: dense (values: rows x width) or, with offsets, CSR. */
typedef struct fake_matrix {
  int64_t rows, width;
  const float *values;
  const int32_t *offsets;
  const uint32_t *index;
} fake_matrix;

/* The same rows as CSR, without the zeros; freed by fake_sparse_free. */
fake_matrix fake_sparse_of(const fake_matrix *dense);
void fake_sparse_free(fake_matrix *sparse);
adl_column fake_column_of(const fake_matrix *matrix);

typedef struct fake_stage {
  const adl_class *class;
  void *self;
  adl_tensors *model_tensors;
  adl_model model;
  int lanes;
  int64_t batch_rows;
  int64_t folds;        /* so far */
  char failed[512];     /* "parameter: message", of the last failure */
  char warned[1024];    /* warnings, one a line */
  char reported[65536]; /* numbers ("over/name=value"), texts and table cells, one a line */
  int32_t slots;        /* columns declared; -1: bind failed */
  adl_type types[8];    /* of those columns, with the width that set_width gave */
  void *columns[8];     /* made by process, all rows */
} fake_stage;

/* Parameters as text, by name, in pairs that end with NULL; the others get their defaults. Fails the test if create
 * does. */
fake_stage *fake_stage_new(const adl_class *class, const fake_matrix *features, ...);
void fake_stage_free(fake_stage *stage);

adl_status fake_fit(fake_stage *stage, const fake_matrix *rows);
/* prepare, and process on all rows in batches of batch_rows. */
adl_status fake_process(fake_stage *stage, const fake_matrix *rows);
adl_status fake_report(fake_stage *stage);

/* A tensor of the model; fails the test if it is not there. */
adl_tensor fake_tensor(const fake_stage *stage, const char *name);
double fake_number(const fake_stage *stage, const char *name, int64_t at);
/* A number of the report, "over/name"; fails the test if it is not there. */
double fake_reported(const fake_stage *stage, const char *name);

/* For testing what lies below fit: a call, rows over which host->fold works, and the end of both. */
const adl_call *fake_call_begin(fake_stage *stage, const fake_matrix *rows, adl_rows **out);
void fake_call_end(const adl_call *call);

#endif
