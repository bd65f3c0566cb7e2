/*
 * A stage class run by hand on a table written down as text, over any size of batch and any number of lanes, without
 * graph and engine. Used by the tests of the feature classes.
 */
#ifndef ADLOOM_TESTS_BARE_STAGE_H
#define ADLOOM_TESTS_BARE_STAGE_H

#include <glib.h>

#include "core/data/array.h"

/* A null, in place of a row's text. */
extern const char bare_null[];

typedef struct bare_table {
  int count;
  const char *names[64];
  adl_array *columns[64];
} bare_table;

/*
 * Adds a column, row by row as text, up to NULL. Types: "string", "id" and "int" (int64), "bool", "float" (float32),
 * "double", "timestamp"; "list" (of strings, separated by blanks), "bag" ("milk:2 tea:1.5"), "vector" and "vector64"
 * ("1 2 3"), "sparse/WIDTH" ("0:1 7:2"), "ids" (list of int64 categories), "ints" (list of int64 numbers).
 */
void bare_add(bare_table *table, const char *name, const char *type, ...) G_GNUC_NULL_TERMINATED;
void bare_table_clear(bare_table *table);

typedef struct bare_stage {
  const adl_class *class;
  const bare_table *table;
  void *self;
  adl_tensors *model_tensors;
  adl_model model;
  int lanes;          /* of a fold; 3 */
  int64_t batch_rows; /* 4096 */
  adl_type type;      /* of the column it declared; the width as set_width said */
  GPtrArray *names;   /* of its dimensions, as set_names said */
  adl_array *made;    /* its column, all rows */
  GString *failed;    /* "parameter: message", a line for each failure */
  GString *warned;
  GHashTable *rejected; /* row number + 1 -> "column: reason" */
  GHashTable *reported; /* name -> double * */
  /* inner: */
  GPtrArray *texts;
  const adl_array *batch[64];
  int64_t first;
  adl_builder *builder;
} bare_stage;

/* Makes an instance from parameters as text (name, value, ..., NULL) and their defaults, and binds it; columns are those
 * of the table. Whether bind was content is in *status. */
bare_stage *bare_stage_new(const adl_class *class, const bare_table *table, adl_status *status,
                           ...) G_GNUC_NULL_TERMINATED;
/* start, fit (if the class has one, and the model is empty), prepare, process, report. The table may be exchanged before. */
adl_status bare_stage_fit(bare_stage *stage, const bare_table *table);
adl_status bare_stage_process(bare_stage *stage, const bare_table *table);
void bare_stage_free(bare_stage *stage);

/* What a row has in the dimension of that name (0: nothing); fails the test if there is none of that name. */
double bare_value(const bare_stage *stage, int64_t row, const char *name);
/* A row as "index:value index:value" (sparse) or "value value" (vector), to six digits; valid until the next call. */
const char *bare_row(const bare_stage *stage, int64_t row);
/* Why the row was rejected; NULL: it was not. */
const char *bare_rejected(const bare_stage *stage, int64_t row);

#endif
