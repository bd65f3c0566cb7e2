/*
 * Aggregates: what becomes of the rows of a group, as the class group needs it. Each is folded over batches, merged, and
 * at last made into a column. What a group has so far stands in cells: the row of the group in a keyed table, eight bytes
 * each, which hold a float64 or the bits of an int64. What does not fit there (strings, distinct values, bags) stands in
 * a tensor or table of its own beside it.
 */
#ifndef ADLOOM_COMMON_AGGREGATE_H
#define ADLOOM_COMMON_AGGREGATE_H

#include <adloom/plugin.h>

#include "common/key.h"

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

/* Groups: their table, and the set of tensors in which lies what aggregates keep beside the cells. One set may hold many
 * parts of the groups of its rows, told apart by `part`. The tokens of bags are those of the whole set. */
typedef struct adl_aggregate_state {
  adl_tensors *tensors;
  adl_table *groups;
  int32_t part;
} adl_aggregate_state;

void adl_aggregate_init(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *state);
/* Drops what it keeps beside the cells of this part. */
void adl_aggregate_drop(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *state);
/* Bytes of memory that a group takes beside its cells, as a rule. */
int64_t adl_aggregate_bytes(const adl_aggregate *aggregate);

/* Rows that are taken in: row i of the batch belongs to the group `group[i]`, whose cells are at cells[i]. */
typedef struct adl_aggregate_rows {
  const adl_batch *batch;
  const int64_t *ordinals; /* of the rows; NULL: they count up from batch->ordinal */
  const int64_t *group;
  double *const *cells;
  adl_keys *keys; /* room for keys in the making: used again, since one call may take in many batches */
} adl_aggregate_rows;

adl_status adl_aggregate_step(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_rows *rows,
                              const adl_aggregate_state *state);

/* Numbers that the tokens of one set have in another, as far as they have been asked for. */
typedef struct adl_token_map {
  int64_t *numbers;
  int64_t count, capacity;
} adl_token_map;

/* Adds the groups of `from` to those of `into`: group i of the one is group map[i] of the other, -1: left out. `tokens`
 * (of this aggregate) begins as zeros, and serves for all parts of the two sets; NULL: it is one set. */
adl_status adl_aggregate_merge(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *into,
                               const adl_aggregate_state *from, const int64_t *map, adl_token_map *tokens);

/* ---- in the end ---- */

/* Tokens of bags by their bytes. */
typedef struct adl_token_order {
  const adl_table *tokens;
  int64_t *number; /* of the i-th */
  int64_t *rank;   /* of each: which one it is */
} adl_token_order;

typedef struct adl_bag_item {
  uint32_t token; /* its number */
  float weight;
} adl_bag_item;

/* An aggregate of the groups of a part, which are numbered in the order in which they are written. */
typedef struct adl_aggregate_result {
  const adl_aggregate *aggregate;
  adl_aggregate_state state;
  const adl_token_order *order;
  const adl_bag_item *bags;  /* of all groups, one after the other, tokens by their bytes */
  const int64_t *bag_starts; /* groups + 1 */
} adl_aggregate_result;

/* Zeros for an aggregate without tokens. In scratch memory of the call. */
void adl_aggregate_order(const adl_call *call, const adl_aggregate *aggregate, adl_tensors *tensors,
                         adl_token_order *order);

/* What `of` holds, with group order[i] as group i of `sorted`, whose table has them so already; map[order[i]] is i.
 * `sorted` is a set of its own. */
adl_status adl_aggregate_finish(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *of,
                                const int64_t *map, const adl_token_order *order, const adl_aggregate_state *sorted,
                                adl_aggregate_result *result);

/* Which group a row that is written comes of. */
typedef struct adl_group_place {
  int32_t part; /* an index into `results` */
  int64_t group;
} adl_group_place;

/* Writes the column for some groups. `results`: of this aggregate, one for each part. */
adl_status adl_aggregate_write(const adl_call *call, const adl_aggregate_result *results, const adl_group_place *places,
                               int64_t rows, adl_out *out);

/* ---- for the files of this folder that keep things for it ---- */

/* Tells names of tensors apart: of aggregates and of parts. */
static inline int64_t adl_aggregate_number(const adl_aggregate *aggregate, const adl_aggregate_state *state) {
  return ((int64_t)state->part << 32) + aggregate->number;
}

static inline double *adl_aggregate_cells(const adl_call *call, const adl_aggregate *aggregate,
                                          const adl_aggregate_state *state, int64_t group) {
  return call->host->table_row(state->groups, group) + aggregate->cell;
}

#endif
