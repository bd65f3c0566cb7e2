/* Alternating least squares; see als_fit.h. */
#include "common/als_fit.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "common/als_solve.h"

/* Work of a row besides its entries, and of a block of rows that a worker takes at a time, in entries. */
enum { ROW_COST = 32, BLOCK_COST = 32768, GRAM_ROWS = 4096, RANK_USERS = 16, SAMPLE_USERS = 1024 };

int64_t adl_als_stride(int64_t factors) { return (factors + ADL_ALS_LANES - 1) / ADL_ALS_LANES * ADL_ALS_LANES; }

/* ---- y^T y ---- */

typedef struct gram_work {
  const float *y;
  int64_t rows, stride;
  float *parts; /* blocks x stride x stride */
} gram_work;

static adl_status gram_block(const adl_call *call, void *context, int64_t block) {
  const gram_work *work = context;
  int64_t stride = work->stride, first = block * GRAM_ROWS;
  int64_t rows = work->rows - first < GRAM_ROWS ? work->rows - first : GRAM_ROWS;
  (void)call;
  cblas_ssyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)stride, (int)rows, 1, work->y + first * stride, (int)stride,
              0, work->parts + block * stride * stride, (int)stride);
  return ADL_OK;
}

adl_status adl_als_gram(const adl_call *call, const float *y, int64_t rows, int64_t stride, double *gram) {
  enum { AT_A_TIME = 64 };
  float *parts = call->host->alloc(call, (size_t)(AT_A_TIME * stride * stride) * sizeof *parts);
  memset(gram, 0, (size_t)(stride * stride) * sizeof *gram);
  for (int64_t first = 0; first < rows; first += (int64_t)AT_A_TIME * GRAM_ROWS) {
    gram_work work = {y + first * stride, rows - first, stride, parts};
    int64_t blocks = (work.rows + GRAM_ROWS - 1) / GRAM_ROWS;
    if (blocks > AT_A_TIME) blocks = AT_A_TIME;
    ADL_TRY(call->host->parallel(call, blocks, gram_block, &work));
    for (int64_t block = 0; block < blocks; block++)
      for (int64_t i = 0; i < stride; i++)
        for (int64_t j = i; j < stride; j++) gram[i * stride + j] += (double)parts[(block * stride + i) * stride + j];
  }
  for (int64_t i = 0; i < stride; i++)
    for (int64_t j = 0; j < i; j++) gram[i * stride + j] = gram[j * stride + i];
  return ADL_OK;
}

/* ---- half an iteration ---- */

typedef struct half {
  adl_als_side side;
  float *gram;   /* as side.gram: with reg */
  double *exact; /* y^T y */
  int64_t rows_y;
  int64_t blocks, *bounds;
  double *parts; /* blocks: what a block found */
} half;

static half open_half(const adl_call *call, const adl_als *als, const adl_csr *matrix, float *x, const float *y,
                      int64_t rows_y) {
  size_t cells = (size_t)(als->stride * als->stride);
  half h = {.rows_y = rows_y};
  h.blocks = adl_csr_blocks(call, matrix, ROW_COST, BLOCK_COST, &h.bounds);
  h.parts = call->host->alloc(call, ((size_t)h.blocks + 1) * sizeof *h.parts);
  h.gram = call->host->alloc(call, cells * sizeof *h.gram);
  h.exact = call->host->alloc(call, cells * sizeof *h.exact);
  h.side = (adl_als_side){matrix, x, y, h.gram, als->stride, als->steps};
  return h;
}

static adl_status solve_block(const adl_call *call, void *context, int64_t block) {
  half *h = context;
  float *scratch = call->host->alloc(call, adl_als_scratch(h->side.stride) * sizeof *scratch);
  h->parts[block] = adl_als_solve(&h->side, h->bounds[block], h->bounds[block + 1], scratch);
  return ADL_OK;
}

static adl_status loss_block(const adl_call *call, void *context, int64_t block) {
  half *h = context;
  (void)call;
  h->parts[block] = adl_als_loss(&h->side, h->bounds[block], h->bounds[block + 1]);
  return ADL_OK;
}

static double sum_of(const double *parts, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += parts[i];
  return sum;
}

/* Moves x, y fixed; *fallen: by how much the loss fell. */
static adl_status solve_half(const adl_call *call, const adl_als *als, half *h, double *fallen) {
  int64_t stride = als->stride;
  ADL_TRY(adl_als_gram(call, h->side.y, h->rows_y, stride, h->exact));
  for (int64_t i = 0; i < stride * stride; i++) h->gram[i] = (float)h->exact[i];
  for (int64_t i = 0; i < als->factors; i++) h->gram[i * stride + i] = (float)(h->exact[i * stride + i] + als->reg);
  ADL_TRY(call->host->parallel(call, h->blocks, solve_block, h));
  *fallen += sum_of(h->parts, h->blocks);
  return ADL_OK;
}

/* The whole loss: over the entries one by one, over all other cells by sum of (x . y)^2 = sum of X^T X o Y^T Y. */
static adl_status whole_loss(const adl_call *call, const adl_als *als, half *users, half *items, double *loss) {
  int64_t stride = als->stride;
  double all = 0, norms = 0;
  ADL_TRY(adl_als_gram(call, als->items, als->by_item->rows, stride, users->exact));
  ADL_TRY(adl_als_gram(call, als->users, als->by_user->rows, stride, items->exact));
  for (int64_t i = 0; i < stride * stride; i++) all += users->exact[i] * items->exact[i];
  for (int64_t i = 0; i < stride; i++) norms += users->exact[i * stride + i] + items->exact[i * stride + i];
  ADL_TRY(call->host->parallel(call, users->blocks, loss_block, users));
  *loss = all + als->reg * norms + sum_of(users->parts, users->blocks);
  return ADL_OK;
}

adl_status adl_als_run(const adl_call *call, adl_als *als) {
  half users = open_half(call, als, als->by_user, als->users, als->items, als->by_item->rows);
  half items = open_half(call, als, als->by_item, als->items, als->users, als->by_user->rows);
  int64_t last = als->iterations;
  for (int64_t i = 0; i < last; i++) {
    double fallen = 0;
    call->host->progress(call, "iterations", (double)i, (double)last);
    if (call->host->cancelled(call)) return ADL_FAILED;
    ADL_TRY(solve_half(call, als, &users, &fallen));
    ADL_TRY(solve_half(call, als, &items, &fallen));
    als->losses[i] = fallen;
  }
  /* Each step of conjugate gradient tells by how much it lowers the loss, so one look at the end tells all of them. */
  ADL_TRY(whole_loss(call, als, &users, &items, &als->losses[last]));
  for (int64_t i = last - 1; i >= 0; i--) als->losses[i] += als->losses[i + 1];
  return ADL_OK;
}

/* ---- ranks ---- */

typedef struct rank_work {
  const adl_als *als;
  const int64_t *user;
  int64_t count, top;
  double *recall, *ndcg; /* count */
} rank_work;

/* The items with the highest scores, highest first; of equals the first. Returns how many. */
static int64_t best_items(const float *scores, int64_t items, int64_t top, int64_t *best) {
  int64_t count = 0;
  for (int64_t i = 0; i < items; i++) {
    if (count == top && !(scores[i] > scores[best[count - 1]])) continue;
    int64_t place = count < top ? count++ : count - 1;
    for (; place > 0 && scores[i] > scores[best[place - 1]]; place--) best[place] = best[place - 1];
    best[place] = i;
  }
  return count;
}

static bool has_entry(const adl_csr *matrix, int64_t row, int64_t index) {
  int64_t low = matrix->starts[row], end = matrix->starts[row + 1], high = end;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (matrix->index[middle] < index)
      low = middle + 1;
    else
      high = middle;
  }
  return low < end && matrix->index[low] == index;
}

static adl_status rank_block(const adl_call *call, void *context, int64_t block) {
  const rank_work *work = context;
  const adl_als *als = work->als;
  int64_t first = block * RANK_USERS, items = als->by_item->rows, stride = als->stride;
  int64_t users = work->count - first < RANK_USERS ? work->count - first : RANK_USERS;
  float *x = call->host->alloc(call, (size_t)(RANK_USERS * stride) * sizeof *x);
  float *scores = call->host->alloc(call, (size_t)(RANK_USERS * items) * sizeof *scores);
  int64_t *best = call->host->alloc(call, (size_t)work->top * sizeof *best);
  for (int64_t u = 0; u < users; u++)
    memcpy(x + u * stride, als->users + work->user[first + u] * stride, (size_t)stride * sizeof *x);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)users, (int)items, (int)stride, 1, x, (int)stride,
              als->items, (int)stride, 0, scores, (int)items);
  for (int64_t u = 0; u < users; u++) {
    int64_t user = work->user[first + u], own = als->by_user->starts[user + 1] - als->by_user->starts[user];
    int64_t found = best_items(scores + u * items, items, work->top, best), hits = 0;
    double gain = 0, ideal = 0;
    for (int64_t i = 0; i < found; i++) {
      if (i < own) ideal += 1 / log2((double)i + 2);
      if (!has_entry(als->by_user, user, best[i])) continue;
      hits++;
      gain += 1 / log2((double)i + 2);
    }
    work->recall[first + u] = (double)hits / (double)(own < work->top ? own : work->top);
    work->ndcg[first + u] = gain / ideal;
  }
  return ADL_OK;
}

adl_status adl_als_ranks(const adl_call *call, const adl_als *als, int64_t top, uint64_t key, int64_t *sample,
                         double *recall, double *ndcg) {
  const adl_host *host = call->host;
  int64_t users = als->by_user->rows, count = users < SAMPLE_USERS ? users : SAMPLE_USERS;
  if (top > als->by_item->rows) top = als->by_item->rows;
  int64_t *user = host->alloc(call, (size_t)count * sizeof *user);
  /* One of each of `count` equal stretches of the users. */
  for (int64_t i = 0; i < count; i++) {
    int64_t begin = i * users / count, end = (i + 1) * users / count;
    user[i] = begin + (int64_t)(adl_random_unit(key, (uint64_t)i) * (double)(end - begin));
  }
  rank_work work = {als, user, count, top, NULL, NULL};
  work.recall = host->alloc(call, (size_t)count * sizeof *work.recall);
  work.ndcg = host->alloc(call, (size_t)count * sizeof *work.ndcg);
  ADL_TRY(host->parallel(call, (count + RANK_USERS - 1) / RANK_USERS, rank_block, &work));
  *sample = count;
  *recall = sum_of(work.recall, count) / (double)count;
  *ndcg = sum_of(work.ndcg, count) / (double)count;
  return ADL_OK;
}
