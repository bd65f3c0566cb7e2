/*
 * Alternating least squares over gathered interactions: the iterations, their losses, and how well the result ranks what
 * it has learned from. Used by als.
 */
#ifndef ADLOOM_PLUGINS_COMMON_ALS_FIT_H
#define ADLOOM_PLUGINS_COMMON_ALS_FIT_H

#include <adloom/plugin.h>

#include "common/interactions.h"

typedef struct adl_als {
  const adl_csr *by_user, *by_item; /* values are g = alpha x weight */
  int64_t factors, stride;          /* stride: factors padded with zeros */
  float *users, *items;             /* rows x stride; items (and users, where known) hold where to begin */
  double reg;
  int64_t iterations, steps;
  double *losses; /* iterations + 1: at the start, and after each iteration */
} adl_als;

int64_t adl_als_stride(int64_t factors);

/* Runs the iterations. Results depend on the settings and the matrix alone, not on threads. */
adl_status adl_als_run(const adl_call *call, adl_als *als);

/* y^T y of rows x stride in float64, stride x stride. */
adl_status adl_als_gram(const adl_call *call, const float *y, int64_t rows, int64_t stride, double *gram);

/* Mean recall and NDCG of the `top` items with the highest scores, over at most 1,024 users drawn with `key`; what is
 * relevant are a user's own entries. Returns how many users through *sample. */
adl_status adl_als_ranks(const adl_call *call, const adl_als *als, int64_t top, uint64_t key, int64_t *sample,
                         double *recall, double *ndcg);

#endif
