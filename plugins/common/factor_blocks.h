/* Learning on several cores with one answer: rows are taken in blocks of a fixed number. The margins of a block's rows are
 * made with the weights as they stood before the block, and its updates are then made row by row. The weights are cut into
 * shards so that no coordinate belongs to two: a shard adds up its part of every margin, and makes its part of every
 * update, in row order. Shards run side by side and meet once a block, so the result does not depend on the number of
 * threads; a block may end in another batch than it began in, so it does not depend on batches either. Used by
 * factor_fit. */
#ifndef ADLOOM_PLUGINS_COMMON_FACTOR_BLOCKS_H
#define ADLOOM_PLUGINS_COMMON_FACTOR_BLOCKS_H

#include <adloom/plugin.h>

#include "common/logistic.h"
#include "common/simd.h"

enum { ADL_FACTOR_SHARDS = 64 /* at most */ };

/* One row: entries of an index and a value. */
typedef struct adl_factor_row {
  const uint32_t *index;
  const float *value;
  const uint16_t *slot;  /* ffm: place of the entry's field in its class; else NULL */
  const int32_t *starts; /* ffm: where the entries of each class begin; else NULL */
  int32_t count;
  float scale; /* values are multiplied by this */
  double label, weight;
  void *owned; /* entries that outlive their batch */
} adl_factor_row;

/* A model in use. */
typedef struct adl_factor_model {
  float *linear;  /* width x 2: weight, sum of squared gradients */
  float *factors; /* quads, in the order that the class likes */
  double *bias;   /* weight, sum of squared gradients */
  int64_t width;  /* dimensions */
  int64_t count;  /* of factors */
  int64_t quads;  /* in all */
  int32_t shards;
  float rate, l2, scale; /* scale: of the first weights */
  bool learns_bias;
  adl_loss loss;
  uint64_t key; /* of the first weights */
  adl_simd simd;
} adl_factor_model;

/* What fm and ffm do each in their way. For each row, margins adds the shard's part to partial[row], and update makes the
 * shard's steps along slope[row], the derivative of the loss by the margin. */
typedef struct adl_factor_steps {
  void (*margins)(const adl_factor_model *model, int32_t shard, const adl_factor_row *rows, int64_t count,
                  float *partial);
  void (*update)(const adl_factor_model *model, int32_t shard, const adl_factor_row *rows, int64_t count,
                 const float *slope);
  int32_t classes; /* of the fields: starts has one more. 0: no starts and slots */
} adl_factor_steps;

typedef struct adl_factor_blocks adl_factor_blocks;

/* NULL: out of memory. */
adl_factor_blocks *adl_factor_blocks_new(const adl_factor_model *model, const adl_factor_steps *steps, int64_t size);
void adl_factor_blocks_free(adl_factor_blocks *blocks);
/* A row joins the block; what it points to must live until adl_factor_blocks_keep. */
adl_status adl_factor_blocks_add(const adl_call *call, adl_factor_blocks *blocks, const adl_factor_row *row);
/* The batch ends: the rows that still wait are copied. */
adl_status adl_factor_blocks_keep(const adl_call *call, adl_factor_blocks *blocks);
/* The pass ends: learns the rows that still wait. */
adl_status adl_factor_blocks_finish(const adl_call *call, adl_factor_blocks *blocks);
/* Sums over the rows learned so far. */
double adl_factor_blocks_loss(const adl_factor_blocks *blocks);

/* The margin of one row, cut to where a loss is finite. */
double adl_factor_margin(const adl_factor_model *model, const adl_factor_steps *steps, const adl_factor_row *row);
/* Learns one row alone; returns the margin before. */
double adl_factor_learn(const adl_factor_model *model, const adl_factor_steps *steps, const adl_factor_row *row);
/* Loss of a row, half the squared error for squared loss. */
double adl_factor_loss(adl_loss loss, double label, double margin);

#endif
