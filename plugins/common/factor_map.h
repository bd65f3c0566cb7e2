/* A map of users and items that have vectors in one space, for reports. Used by als. */
#ifndef ADLOOM_PLUGINS_COMMON_FACTOR_MAP_H
#define ADLOOM_PLUGINS_COMMON_FACTOR_MAP_H

#include <adloom/plugin.h>

/* Vectors by key. */
typedef struct adl_map_vectors {
  const adl_table *keys;
  const float *vectors; /* by row of the table */
} adl_map_vectors;

/* For report: some users and some items, which stand in one space of `width` dimensions, on one map: what lies in the same
 * direction goes together. */
adl_status adl_map_report_pairs(const adl_call *call, const adl_map_vectors *users, const adl_map_vectors *items,
                                int64_t width, adl_report *report);

#endif
