/*
 * Interactions: who had to do with what, and how much. Gathered from rows of user, item and weight in one fold, numbered
 * by their keys and laid out both ways as compressed rows. Used by als and knn.
 */
#ifndef ADLOOM_PLUGINS_COMMON_INTERACTIONS_H
#define ADLOOM_PLUGINS_COMMON_INTERACTIONS_H

#include <adloom/plugin.h>

/* The columns of a class that gathers interactions. */
typedef struct adl_interaction_columns {
  adl_input user, item; /* SCALAR categories */
  adl_input weight;     /* optional; each row counts 1 without it */
} adl_interaction_columns;

/* Compressed sparse rows: row r holds index[starts[r] .. starts[r + 1] - 1], rising and unique, with their values. */
typedef struct adl_csr {
  int64_t rows;
  int64_t *starts; /* rows + 1 */
  int32_t *index;
  float *value; /* > 0 and finite */
} adl_csr;

typedef struct adl_interactions {
  int64_t events; /* rows that counted */
  int64_t count;  /* pairs of user and item */
  adl_csr by_user, by_item;
  adl_text *users, *items; /* keys, in the order of their bytes, which is the order of the numbers */
} adl_interactions;

/* One fold over the rows. Rows whose weight is negative are rejected, those of weight 0 say nothing; the weights of one
 * pair of user and item are summed. Numbers do not depend on the order of the rows. Memory is that of the call. Fails
 * when nothing is left. */
adl_status adl_interactions_gather(const adl_call *call, adl_rows *rows, const adl_interaction_columns *columns,
                                   adl_interactions *into);

/* Keeps the keys as the keyed tables `users` and `items` of a model: row number = number. Old ones go. */
void adl_interactions_keep(const adl_call *call, const adl_interactions *from, adl_tensors *model);

/* A matrix the other way round: `rows` are its columns. */
adl_csr adl_csr_transpose(const adl_call *call, const adl_csr *from, int64_t rows);

/* Number of the key of a row (or of an item of a list or bag) in such a table; -1: not in it. */
int64_t adl_interactions_find(const adl_call *call, const adl_table *table, const adl_column *column, int64_t item);

/* Cuts the rows into `blocks` + 1 bounds of about equal work, a row being as much as `row_cost` entries: for parallel
 * loops, since bounds depend on the matrix alone. Returns how many blocks there are. */
int64_t adl_csr_blocks(const adl_call *call, const adl_csr *matrix, int64_t row_cost, int64_t block_cost,
                       int64_t **bounds);

#endif
