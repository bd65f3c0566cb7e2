/*
 * The kernel of implicit matrix factorisation: conjugate gradient steps on the normal equations of each row of one side,
 * the other side fixed (Takacs, Pilaszy & Tikk 2011). Row u with entries i has A = G + sum of g_i y_i y_i^T and
 * b = sum of (1 + g_i) y_i, where G = Y^T Y + reg I; A is never formed. Used by als.
 */
#ifndef ADLOOM_PLUGINS_COMMON_ALS_SOLVE_H
#define ADLOOM_PLUGINS_COMMON_ALS_SOLVE_H

#include <adloom/plugin.h>

#include "common/interactions.h"

enum { ADL_ALS_LANES = 8 }; /* factors of a row are padded with zeros to a multiple of it */

/* All matrices are row-major, of rows of `stride` floats, 32-byte aligned. */
typedef struct adl_als_side {
  const adl_csr *matrix; /* its values are g, confidence less 1 */
  float *x;              /* matrix->rows x stride: what is solved for */
  const float *y;        /* the other side */
  const float *gram;     /* stride x stride: G */
  int64_t stride;
  int64_t steps;
} adl_als_side;

/* Floats of scratch memory for a call, 64-byte aligned. */
static inline size_t adl_als_scratch(int64_t stride) { return (size_t)stride * 3; }

/* Takes rows from .. to - 1 some steps nearer to the solution; returns by how much the loss fell (it never rises). */
double adl_als_solve(const adl_als_side *side, int64_t from, int64_t to, float *scratch);

/* The loss of rows from .. to - 1 over their own entries: sum of (1 + g) (1 - xy)^2 - (xy)^2. */
double adl_als_loss(const adl_als_side *side, int64_t from, int64_t to);

#endif
