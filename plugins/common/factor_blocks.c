/* Blocks of rows, learned by shards of the weights; see factor_blocks.h. */
#include "common/factor_blocks.h"

#include <stdlib.h>
#include <string.h>

/* Margins of squared loss are cut here: they are in standard deviations of the labels. */
#define SQUARED_LIMIT 1e6

typedef struct block {
  adl_factor_row *rows;
  float *slope;
  int64_t count;
} block;

struct adl_factor_blocks {
  const adl_factor_model *model;
  const adl_factor_steps *steps;
  int64_t size;
  block filling, measured; /* rows that wait for their margins; rows that wait for their update */
  float *partial;          /* shards x size */
  double loss;
};

static double clip(adl_loss loss, double margin) {
  if (loss == ADL_LOSS_LOGISTIC) return adl_clip_margin(margin);
  if (margin != margin) return 0.0;
  return margin > SQUARED_LIMIT ? SQUARED_LIMIT : margin < -SQUARED_LIMIT ? -SQUARED_LIMIT : margin;
}

double adl_factor_loss(adl_loss loss, double label, double margin) {
  if (loss == ADL_LOSS_LOGISTIC) return adl_logistic_loss(label, margin);
  return 0.5 * (margin - label) * (margin - label);
}

static double slope_of(const adl_factor_model *model, const adl_factor_row *row, double margin) {
  return row->weight * ((model->loss == ADL_LOSS_LOGISTIC ? adl_logistic(margin) : margin) - row->label);
}

/* The constant is learned row by row, as its gradient needs nothing else. */
static void update_bias(const adl_factor_model *model, double slope) {
  if (!model->learns_bias || !isfinite(slope * slope)) return;
  model->bias[1] += slope * slope;
  model->bias[0] -= (double)model->rate * slope / sqrt(1.0 + model->bias[1]);
}

double adl_factor_margin(const adl_factor_model *model, const adl_factor_steps *steps, const adl_factor_row *row) {
  double sum = model->bias[0];
  for (int32_t shard = 0; shard < model->shards; shard++) {
    float partial = 0;
    steps->margins(model, shard, row, 1, &partial);
    sum += (double)partial;
  }
  return clip(model->loss, sum);
}

double adl_factor_learn(const adl_factor_model *model, const adl_factor_steps *steps, const adl_factor_row *row) {
  double margin = adl_factor_margin(model, steps, row), slope = slope_of(model, row, margin);
  float single = (float)slope;
  for (int32_t shard = 0; shard < model->shards; shard++) steps->update(model, shard, row, 1, &single);
  update_bias(model, slope);
  return margin;
}

adl_factor_blocks *adl_factor_blocks_new(const adl_factor_model *model, const adl_factor_steps *steps, int64_t size) {
  adl_factor_blocks *made = calloc(1, sizeof *made);
  if (made == NULL) return NULL;
  *made = (adl_factor_blocks){.model = model, .steps = steps, .size = size};
  made->filling.rows = calloc((size_t)size, sizeof *made->filling.rows);
  made->filling.slope = calloc((size_t)size, sizeof *made->filling.slope);
  made->measured.rows = calloc((size_t)size, sizeof *made->measured.rows);
  made->measured.slope = calloc((size_t)size, sizeof *made->measured.slope);
  made->partial = calloc((size_t)size * (size_t)model->shards, sizeof *made->partial);
  if (made->filling.rows != NULL && made->filling.slope != NULL && made->measured.rows != NULL &&
      made->measured.slope != NULL && made->partial != NULL)
    return made;
  adl_factor_blocks_free(made);
  return NULL;
}

static void block_clear(block *done) {
  for (int64_t i = 0; i < done->count; i++) free(done->rows[i].owned);
  done->count = 0;
}

void adl_factor_blocks_free(adl_factor_blocks *blocks) {
  if (blocks == NULL) return;
  block *both[2] = {&blocks->filling, &blocks->measured};
  for (int i = 0; i < 2; i++) {
    if (both[i]->rows != NULL) block_clear(both[i]);
    free(both[i]->rows);
    free(both[i]->slope);
  }
  free(blocks->partial);
  free(blocks);
}

double adl_factor_blocks_loss(const adl_factor_blocks *blocks) { return blocks->loss; }

/* A shard's part of a round: it may go from one block's updates to the next block's margins without waiting, since both
 * are made of its own weights. */
static adl_status run_shard(const adl_call *call, void *context, int64_t shard) {
  adl_factor_blocks *blocks = context;
  float *partial = blocks->partial + shard * blocks->size;
  (void)call;
  if (blocks->measured.count > 0)
    blocks->steps->update(blocks->model, (int32_t)shard, blocks->measured.rows, blocks->measured.count,
                          blocks->measured.slope);
  memset(partial, 0, (size_t)blocks->filling.count * sizeof *partial);
  if (blocks->filling.count > 0)
    blocks->steps->margins(blocks->model, (int32_t)shard, blocks->filling.rows, blocks->filling.count, partial);
  return ADL_OK;
}

/* Updates the measured rows and measures the filling ones. */
static adl_status run_round(const adl_call *call, adl_factor_blocks *blocks) {
  const adl_factor_model *model = blocks->model;
  ADL_TRY(call->host->parallel(call, model->shards, run_shard, blocks));
  block_clear(&blocks->measured);
  block next = blocks->filling;
  blocks->filling = blocks->measured;
  for (int64_t i = 0; i < next.count; i++) {
    double sum = model->bias[0];
    for (int32_t shard = 0; shard < model->shards; shard++) sum += (double)blocks->partial[shard * blocks->size + i];
    double margin = clip(model->loss, sum), slope = slope_of(model, &next.rows[i], margin);
    blocks->loss += next.rows[i].weight * adl_factor_loss(model->loss, next.rows[i].label, margin);
    next.slope[i] = (float)slope;
    update_bias(model, slope);
  }
  blocks->measured = next;
  return ADL_OK;
}

adl_status adl_factor_blocks_add(const adl_call *call, adl_factor_blocks *blocks, const adl_factor_row *row) {
  blocks->filling.rows[blocks->filling.count] = *row;
  blocks->filling.rows[blocks->filling.count++].owned = NULL;
  return blocks->filling.count < blocks->size ? ADL_OK : run_round(call, blocks);
}

/* One block of memory for all of a row's entries. */
static bool keep_row(adl_factor_row *row, int32_t classes) {
  size_t count = (size_t)row->count, starts = classes > 0 ? (size_t)classes + 1 : 0;
  char *to =
      malloc(count * (sizeof *row->index + sizeof *row->value + sizeof *row->slot) + starts * sizeof *row->starts + 1);
  if (to == NULL) return false;
  row->owned = to;
  row->index = memcpy(to, row->index, count * sizeof *row->index);
  to += count * sizeof *row->index;
  row->value = memcpy(to, row->value, count * sizeof *row->value);
  to += count * sizeof *row->value;
  if (classes == 0) return true;
  row->starts = memcpy(to, row->starts, starts * sizeof *row->starts);
  to += starts * sizeof *row->starts;
  row->slot = memcpy(to, row->slot, count * sizeof *row->slot);
  return true;
}

adl_status adl_factor_blocks_keep(const adl_call *call, adl_factor_blocks *blocks) {
  if (blocks->measured.count > 0) { /* their update is due at any time before the next margins */
    int64_t waiting = blocks->filling.count;
    blocks->filling.count = 0;
    ADL_TRY(call->host->parallel(call, blocks->model->shards, run_shard, blocks));
    blocks->filling.count = waiting;
    block_clear(&blocks->measured);
  }
  for (int64_t i = 0; i < blocks->filling.count; i++) {
    adl_factor_row *row = &blocks->filling.rows[i];
    if (row->owned == NULL && row->count > 0 && !keep_row(row, blocks->steps->classes))
      return call->host->fail(call, NULL, -1, NULL, "out of memory");
  }
  return ADL_OK;
}

adl_status adl_factor_blocks_finish(const adl_call *call, adl_factor_blocks *blocks) {
  if (blocks->filling.count > 0) ADL_TRY(run_round(call, blocks));
  return adl_factor_blocks_keep(call, blocks);
}
