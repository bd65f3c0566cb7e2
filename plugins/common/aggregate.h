/*
 * Aggregates: what becomes of the rows of a group, as the class group needs it. Each is folded over batches, merged, and
 * at last made into a column. What a group has so far stands in cells: the row of the group in a keyed table, eight bytes
 * each, which hold a float64 or the bits of an int64. What does not fit there (strings, distinct values, bags) stands in
 * a tensor or table of its own beside it.
 */
#ifndef ADLOOM_COMMON_AGGREGATE_H
#define ADLOOM_COMMON_AGGREGATE_H

#include <adloom/plugin.h>

#define ADL_AGGREGATES "sum/1|mean/1|count/0-1|min/1|max/1|last/2|distinct/1|bag/1-2"

enum { ADL_SUM, ADL_MEAN, ADL_COUNT, ADL_MIN, ADL_MAX, ADL_LAST, ADL_DISTINCT, ADL_BAG_OF };

/* How a value is held in cells. */
typedef enum adl_cell_kind { ADL_CELL_INTEGER, ADL_CELL_FLOAT, ADL_CELL_TEXT } adl_cell_kind;

typedef struct adl_aggregate {
  const adl_call_of *of;
  int64_t number;       /* among its class's columns */
  adl_cell_kind value;  /* of the first argument */
  adl_cell_kind second; /* of the second: the time of last */
  int32_t cell, cells;  /* where its cells begin in a group's row, and how many they are */
  adl_type type;        /* of the column it makes */
  int32_t slot;
} adl_aggregate;

/* [setup] Checks the arguments, says what column comes of it and how many cells it needs (`cell` is the caller's). */
adl_status adl_aggregate_bind(const adl_call *call, const adl_call_of *of, int64_t number, adl_aggregate *aggregate);

/* Gives a set of tensors what the aggregate keeps beside the cells. */
void adl_aggregate_init(const adl_call *call, const adl_aggregate *aggregate, adl_tensors *tensors);

/* Takes a batch in: row i belongs to the group `group[i]` of the `groups` there are by now, whose cells are at cells[i]. */
adl_status adl_aggregate_step(const adl_call *call, const adl_aggregate *aggregate, const adl_batch *batch,
                              const int64_t *group, double *const *cells, int64_t groups, adl_tensors *partial);

/* Adds the groups of `from` to those of `into`: group i of the one is group map[i] of the other. */
adl_status adl_aggregate_merge(const adl_call *call, const adl_aggregate *aggregate, adl_tensors *into,
                               adl_table *into_groups, adl_tensors *from, adl_table *from_groups, const int64_t *map);

/* ---- in the end ---- */

/* What is worked out once, before the columns are written. */
typedef struct adl_aggregate_result {
  const adl_aggregate *aggregate;
  adl_tensors *tensors;
  const struct adl_radix_pair
      *bags;                 /* of all groups, in the order in which groups are written, tokens by their bytes: the
                                  number of the token, and the weight */
  const int64_t *bag_starts; /* groups + 1 */
} adl_aggregate_result;

/* `order`: numbers of groups, in the order in which they are written. */
void adl_aggregate_finish(const adl_call *call, const adl_aggregate *aggregate, adl_tensors *tensors,
                          const int64_t *order, int64_t count, adl_aggregate_result *result);

/* Writes the column for order[first .. first + rows). */
adl_status adl_aggregate_write(const adl_call *call, const adl_aggregate_result *result, adl_table *groups,
                               const int64_t *order, int64_t first, int64_t rows, adl_out *out);

#endif
