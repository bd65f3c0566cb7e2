/* bag: what was seen is a log of pairs, group and token, each with a weight, in a tensor; pairs that are alike are put
 * together when the log is long, and in the end. Writing behind the last one takes no look into a large table, which a table
 * of the pairs would take for each. Used by aggregate.c and aggregate_result.c. */
#ifndef ADLOOM_COMMON_AGGREGATE_BAG_H
#define ADLOOM_COMMON_AGGREGATE_BAG_H

#include "common/aggregate.h"

void adl_aggregate_bag_init(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *state);
void adl_aggregate_bag_drop(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *state);
adl_status adl_aggregate_bag_step(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_rows *rows,
                                  const adl_aggregate_state *state);
adl_status adl_aggregate_bag_merge(const adl_call *call, const adl_aggregate *aggregate,
                                   const adl_aggregate_state *into, const adl_aggregate_state *from, const int64_t *map,
                                   adl_token_map *tokens);
void adl_aggregate_bag_order(const adl_call *call, const adl_aggregate *aggregate, adl_tensors *tensors,
                             adl_token_order *order);
void adl_aggregate_bag_finish(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *of,
                              const int64_t *map, const adl_token_order *order, const adl_aggregate_state *sorted,
                              adl_aggregate_result *result);
adl_status adl_aggregate_bag_write(const adl_call *call, const adl_aggregate_result *results,
                                   const adl_group_place *places, int64_t rows, adl_out *out);

#endif
