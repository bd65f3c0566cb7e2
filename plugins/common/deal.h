/* Columns turned into the rows of a sparse column: of columns that have one (dimension, value) pair a row each, the pairs
 * of each row, in the order of the columns, without those whose value is 0. In portable C and for AVX2, eight columns of
 * eight rows at a time; both give the same. */
#ifndef ADLOOM_PLUGINS_COMMON_DEAL_H
#define ADLOOM_PLUGINS_COMMON_DEAL_H

#include <stdint.h>

#include "common/simd.h"

enum {
  ADL_DEAL_ROWS = 64,
  ADL_DEAL_SPARE = 8
}; /* rows of a block; pairs behind a row's last that may be overwritten */

/* Room for a block: the pairs of row r begin at r * stride, and there are filled[r] of them. stride is at least the number
 * of columns and ADL_DEAL_SPARE. */
typedef struct adl_dealt {
  uint32_t *dimension;
  float *value;
  int64_t stride;
  adl_simd level; /* which vectors may be used */
  int32_t filled[ADL_DEAL_ROWS];
} adl_dealt;

/* A column of a block: ADL_DEAL_ROWS pairs, whatever they are in rows that the block lacks. */
typedef struct adl_deal_column {
  const uint32_t *dimension;
  const float *value;
} adl_deal_column;

/* Dimensions are cut to the bits of `mask`. */
void adl_deal(const adl_deal_column *columns, int64_t count, uint32_t mask, adl_dealt *to);

#endif
