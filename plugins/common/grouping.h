/*
 * Rows grouped by key, with aggregates of each group: what group folds. While groups are few, they lie in one table, and
 * each batch goes into it at once. When the table outgrows the caches it is cut into parts by the hash of the key, and rows
 * are dealt out into a log (row_log.h) that is taken in part by part once it is long: so whatever the number of groups, the
 * memory in use at a time is that of one part, and where the rest of it lies matters little. The rows of a group are taken in
 * in the same order either way, so that sums are the same to the last bit.
 */
#ifndef ADLOOM_COMMON_GROUPING_H
#define ADLOOM_COMMON_GROUPING_H

#include <adloom/plugin.h>

#include "common/aggregate.h"
#include "common/row_log.h"

typedef struct adl_grouping {
  adl_inputs by; /* no nulls in them */
  adl_aggregate *aggregates;
  int64_t count; /* of aggregates */
  int64_t width; /* cells of a group */
  adl_row_log_columns logged;
} adl_grouping;

/* [setup] Once the aggregates are bound. False: no memory. adl_grouping_clear frees what it made. */
bool adl_grouping_bind(adl_grouping *grouping);
void adl_grouping_clear(adl_grouping *grouping);

/* The fold: what the sets of tensors begin with, a step, a merge, and what is to be done with the total. */
void adl_grouping_init(const adl_call *call, const adl_grouping *grouping, adl_tensors *tensors);
adl_status adl_grouping_step(const adl_call *call, const adl_grouping *grouping, const adl_batch *batch,
                             adl_tensors *partial);
adl_status adl_grouping_merge(const adl_call *call, const adl_grouping *grouping, adl_tensors *into, adl_tensors *from);
adl_status adl_grouping_settle(const adl_call *call, const adl_grouping *grouping, adl_tensors *total);

/* Writes a row for each group, sorted by key; the columns of the key go to `key_slots`. Uses the total up. */
adl_status adl_grouping_write(const adl_call *call, const adl_grouping *grouping, const int32_t *key_slots,
                              adl_tensors *total, adl_out *out);

/* ---- for grouping_result.c ---- */

bool adl_grouping_parted(const adl_call *call, const adl_tensors *tensors);
/* Part 0 is the whole, in the one table; the others are numbered from 1. Not there: it is made, empty. */
adl_aggregate_state adl_grouping_state(const adl_call *call, const adl_grouping *grouping, adl_tensors *tensors,
                                       int32_t part);
void adl_grouping_drop(const adl_call *call, const adl_grouping *grouping, const adl_aggregate_state *state);

#endif
