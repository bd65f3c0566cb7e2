/* sum and mean of vectors: element by element. What a group has so far stands in a tensor beside its cells, since the
 * width of a vector is not known when cells are laid out. Used by aggregate.c and aggregate_result.c. */
#ifndef ADLOOM_COMMON_AGGREGATE_VECTOR_H
#define ADLOOM_COMMON_AGGREGATE_VECTOR_H

#include "common/aggregate.h"

static inline bool adl_aggregate_of_vectors(const adl_aggregate *aggregate) {
  return aggregate->type.shape == ADL_VECTOR;
}

void adl_aggregate_vector_drop(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *state);
void adl_aggregate_vector_step(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_rows *rows,
                               const adl_aggregate_state *state);
void adl_aggregate_vector_merge(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *into,
                                const adl_aggregate_state *from, const int64_t *map);
adl_status adl_aggregate_vector_write(const adl_call *call, const adl_aggregate_result *results,
                                      const adl_group_place *places, int64_t rows, adl_out *out);

#endif
