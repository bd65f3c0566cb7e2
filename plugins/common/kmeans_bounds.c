#include "common/kmeans_bounds.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "common/kmeans_rows.h"
#include "common/linalg.h"

#ifdef ADL_SIMD_X86
#include <immintrin.h>
#endif

#define MOST_BYTES (INT64_C(256) << 20)
#define BLOCK 1024 /* rows at a time, so that their winners stay in the cache */
#define UP (1 + 4 * FLT_EPSILON)
#define DOWN (1 - 4 * FLT_EPSILON)

enum { LANES = 8, MOST_GROUPS = 16, AT_ONCE = ADL_KMEANS_AT_ONCE };

static adl_kmeans_bounds *new_of_sparse(const adl_call *call, int64_t rows, int64_t clusters, int64_t width) {
  const adl_host *host = call->host;
  adl_kmeans_bounds *bounds = host->alloc(call, sizeof *bounds);
  *bounds = (adl_kmeans_bounds){.rows = rows};
  bounds->cluster = host->alloc(call, (size_t)rows * sizeof *bounds->cluster);
  bounds->before = host->alloc(call, (size_t)(clusters * width) * sizeof *bounds->before);
  bounds->of_sparse = adl_kmeans_sparse_bounds_new(call, rows, clusters);
  return bounds;
}

adl_kmeans_bounds *adl_kmeans_bounds_new(const adl_call *call, int64_t rows, int64_t clusters, int64_t width,
                                         bool sparse) {
  const adl_host *host = call->host;
  int64_t panels = (clusters + 8 * ADL_KMEANS_PANEL - 1) / (8 * ADL_KMEANS_PANEL);
  int64_t most = panels < MOST_GROUPS ? panels : MOST_GROUPS;
  int64_t stride = most > LANES ? MOST_GROUPS : LANES;
  int64_t each = sparse ? 4 + ADL_KMEANS_SPARSE_BOUND : 4 * (2 + stride), centres = 4 * clusters * width;
  if (clusters < 2 || centres > MOST_BYTES || rows > (MOST_BYTES - centres) / each) return NULL;
  if (sparse) return new_of_sparse(call, rows, clusters, width);
  adl_kmeans_bounds *bounds = host->alloc(call, sizeof *bounds);
  *bounds = (adl_kmeans_bounds){.rows = rows, .stride = stride};
  bounds->cluster = host->alloc(call, (size_t)rows * sizeof *bounds->cluster);
  bounds->upper = host->alloc(call, (size_t)rows * sizeof *bounds->upper);
  bounds->lower = host->alloc(call, (size_t)(rows * stride) * sizeof *bounds->lower);
  memset(bounds->lower, 0, (size_t)(rows * stride) * sizeof *bounds->lower); /* some of a stride are no group's */
  bounds->before = host->alloc(call, (size_t)(clusters * width) * sizeof *bounds->before);
  bounds->move = host->alloc(call, (size_t)clusters * sizeof *bounds->move);
  bounds->group_move = host->alloc(call, MOST_GROUPS * sizeof *bounds->group_move);
  return bounds;
}

void adl_kmeans_bounds_forget(adl_kmeans_bounds *bounds) { bounds->known = false; }

void adl_kmeans_bounds_moved(adl_kmeans_bounds *bounds, const adl_kmeans_index *index) {
  int64_t k = index->clusters, d = index->width;
  if (bounds->of_sparse != NULL) {
    adl_kmeans_sparse_bounds_moved(bounds, index);
    return;
  }
  bounds->panels = (index->panels.count + MOST_GROUPS - 1) / MOST_GROUPS;
  bounds->groups = (index->panels.count + bounds->panels - 1) / bounds->panels;
  bounds->group_size = bounds->panels * ADL_KMEANS_PANEL * index->panels.lanes;
  memset(bounds->group_move, 0, MOST_GROUPS * sizeof *bounds->group_move);
  for (int64_t j = 0; j < k && bounds->known; j++) {
    float *group = &bounds->group_move[j / bounds->group_size];
    bounds->move[j] = UP * (float)sqrt(adl_linalg_distance2(bounds->before + j * d, index->layout + j * d, d));
    if (bounds->move[j] > *group) *group = bounds->move[j];
  }
  memcpy(bounds->before, index->layout, (size_t)(k * d) * sizeof *bounds->before);
}

/* ---------------------------------------------------------------------------------------------------- a pass ---- */

/* A block of rows in work. */
typedef struct pass {
  const adl_kmeans_bounds *bounds;
  const adl_kmeans_index *index;
  adl_simd level;
  const float *x;           /* rows x width, as they came */
  float most_length;        /* of a centre, centred */
  int64_t first;            /* number of the first row, in bounds */
  float *buffer;            /* AT_ONCE x width: rows brought together, centred */
  uint32_t computed[BLOCK]; /* bit g: group g is to be computed for the row */
  float norm2[BLOCK];       /* |x|^2, centred; set where a group is computed */
  float own[BLOCK];         /* squared distance to the row's own centre; the same */
  int16_t list[BLOCK];
  float *best, *second; /* BLOCK x stride: of the row in each group computed */
  int32_t *at;          /* the same */
} pass;

static uint32_t all_groups(const pass *in) { return (uint32_t)((UINT64_C(1) << in->bounds->groups) - 1); }

/* Lowers the bounds of a row by what the groups moved. Returns the groups in which a centre may be as near as one whose
 * squared distance is `least`, and those as near as `sooner`. Written so that NaN excludes nothing. */
typedef struct near_groups {
  uint32_t least, sooner;
} near_groups;

#ifdef ADL_SIMD_X86
ADL_TARGET_AVX2 static near_groups lower_avx2(const adl_kmeans_bounds *bounds, float *lower, float least,
                                              float sooner) {
  near_groups near = {0, 0};
  for (int64_t from = 0; from < bounds->stride; from += LANES) {
    __m256 moved = _mm256_sub_ps(_mm256_loadu_ps(lower + from), _mm256_loadu_ps(bounds->group_move + from));
    moved = _mm256_mul_ps(moved, _mm256_set1_ps(DOWN));
    _mm256_storeu_ps(lower + from, moved);
    __m256 square = _mm256_mul_ps(moved, _mm256_max_ps(moved, _mm256_setzero_ps()));
    int far = _mm256_movemask_ps(_mm256_cmp_ps(square, _mm256_set1_ps(least), _CMP_GT_OQ));
    int later = _mm256_movemask_ps(_mm256_cmp_ps(square, _mm256_set1_ps(sooner), _CMP_GT_OQ));
    near.least |= (uint32_t)(~far & 0xff) << from;
    near.sooner |= (uint32_t)(~later & 0xff) << from;
  }
  return near;
}
#endif

static near_groups lower_bounds(const pass *in, float *lower, float least, float sooner) {
  const adl_kmeans_bounds *bounds = in->bounds;
  near_groups near = {0, 0};
#ifdef ADL_SIMD_X86
  if (in->level >= ADL_SIMD_AVX2) {
    near = lower_avx2(bounds, lower, least, sooner);
    return (near_groups){near.least & all_groups(in), near.sooner & all_groups(in)};
  }
#endif
  for (int64_t g = 0; g < bounds->groups; g++) {
    lower[g] = (lower[g] - bounds->group_move[g]) * DOWN;
    float square = lower[g] > 0 ? lower[g] * lower[g] : 0;
    near.least |= (uint32_t) !(square > least) << g;
    near.sooner |= (uint32_t) !(square > sooner) << g;
  }
  return near;
}

static uint32_t groups_near(const pass *in, const float *lower, float least) {
  uint32_t near = 0;
  for (int64_t g = 0; g < in->bounds->groups; g++)
    near |= (uint32_t) !(lower[g] > 0 && lower[g] * lower[g] > least) << g;
  return near;
}

static int count_of(uint32_t groups) {
  int count = 0;
  for (; groups != 0; groups &= groups - 1) count++;
  return count;
}

/* Widens the bounds of row r by what the centres moved, and sets which groups are to be computed. */
static void look(pass *in, int64_t r) {
  const adl_kmeans_bounds *bounds = in->bounds;
  int64_t at = in->first + r, d = in->index->width;
  int32_t cluster = bounds->cluster[at];
  float *lower = bounds->lower + at * bounds->stride, old = bounds->upper[at];
  float upper = (old + bounds->move[cluster]) * UP;
  bounds->upper[at] = upper;
  float length = upper + in->most_length, sooner = old - bounds->move[cluster];
  near_groups near = lower_bounds(in, lower, upper * upper + 2 * adl_kmeans_error(in->index, length * length * UP),
                                  sooner > 0 ? sooner * sooner : 0);
  in->computed[r] = near.least;
  if (in->computed[r] == 0) return;
  /* Where most groups would have to be computed even if the row came nearer to its centre: no need to know. */
  if (2 * count_of(near.sooner) <= bounds->groups) {
    adl_kmeans_measure(in->level, in->x + r * d, in->index->center, in->index->layout + cluster * d, d, &in->norm2[r],
                       &in->own[r]);
    float error = adl_kmeans_error(in->index, in->norm2[r]);
    bounds->upper[at] = upper = sqrtf(in->own[r] + error) * UP;
    in->computed[r] = groups_near(in, lower, upper * upper + 2 * error);
  }
  if (2 * count_of(in->computed[r]) > bounds->groups) in->computed[r] = all_groups(in);
}

/* Brings up to AT_ONCE listed rows together. */
static void bring(pass *in, const int16_t *list, int64_t count) {
  int64_t d = in->index->width;
  for (int64_t i = 0; i < count; i++)
    adl_kmeans_centre(in->level, in->x + list[i] * d, in->index->center, in->buffer + i * d, d);
}

static void compute_group(pass *in, const int16_t *list, int64_t count, int64_t g) {
  const adl_kmeans_panels *panels = &in->index->panels;
  adl_kmeans_winner winners[AT_ONCE];
  int64_t from = g * in->bounds->panels, end = from + in->bounds->panels;
  adl_kmeans_nearest(panels, in->buffer, count, from, end < panels->count ? end : panels->count, winners, 1);
  for (int64_t i = 0; i < count; i++) {
    int64_t to = list[i] * in->bounds->stride + g;
    in->best[to] = winners[i].best;
    in->second[to] = winners[i].second;
    in->at[to] = winners[i].at;
  }
}

/* Rows for which all groups are to be computed. */
static void compute_full(pass *in, int64_t rows) {
  int64_t count = 0;
  for (int64_t r = 0; r < rows; r++)
    if (in->computed[r] == all_groups(in)) in->list[count++] = (int16_t)r;
  for (int64_t from = 0; from < count; from += AT_ONCE) {
    int64_t here = count - from < AT_ONCE ? count - from : AT_ONCE;
    bring(in, in->list + from, here);
    for (int64_t g = 0; g < in->bounds->groups; g++) compute_group(in, in->list + from, here, g);
    for (int64_t i = 0; i < here; i++)
      in->norm2[in->list[from + i]] = adl_kmeans_norm2(in->level, in->buffer + i * in->index->width, in->index->width);
  }
}

static void compute_part(pass *in, int64_t rows, int64_t g) {
  int64_t count = 0;
  for (int64_t r = 0; r < rows; r++)
    if ((in->computed[r] >> g & 1) != 0 && in->computed[r] != all_groups(in)) in->list[count++] = (int16_t)r;
  for (int64_t from = 0; from < count; from += AT_ONCE) {
    int64_t here = count - from < AT_ONCE ? count - from : AT_ONCE;
    bring(in, in->list + from, here);
    compute_group(in, in->list + from, here, g);
  }
}

/* The group with the best score of those computed for row r; -1: there is no score that is a number. */
static int64_t best_group(const pass *in, int64_t r) {
  int64_t group = -1;
  const float *best = in->best + r * in->bounds->stride;
  float score = INFINITY;
  for (int64_t g = 0; g < in->bounds->groups; g++) {
    if ((in->computed[r] >> g & 1) == 0 || !(best[g] < score)) continue;
    score = best[g];
    group = g;
  }
  return group;
}

/* Whether row r, of whose own group nothing was computed, stays in its cluster although another centre has come near.
 * Where float32 cannot tell, its own group is computed as well, and the answer is no. */
static bool stays(pass *in, int64_t r, int64_t own_group) {
  int64_t group = best_group(in, r);
  float score = group < 0 ? INFINITY : in->best[r * in->bounds->stride + group];
  float other = in->norm2[r] + 2 * score, error = adl_kmeans_error(in->index, in->norm2[r]);
  if (other > in->own[r] + 2 * error) return true;
  if (!(other < in->own[r] - 2 * error)) {
    int16_t row = (int16_t)r;
    bring(in, &row, 1);
    compute_group(in, &row, 1, own_group);
    in->computed[r] |= UINT32_C(1) << own_group;
  }
  return false;
}

/* The distance that a squared distance stands for, at least. */
static float below(float square, float error) {
  float least = square - error;
  return least > 0 ? sqrtf(least) * DOWN : 0;
}

#ifdef ADL_SIMD_X86
ADL_TARGET_AVX2 static void settle_avx2(const float *best, uint32_t computed, float norm2, float error, int64_t stride,
                                        float *lower) {
  const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  for (int64_t from = 0; from < stride; from += LANES) {
    __m256 score = _mm256_loadu_ps(best + from),
           square = _mm256_add_ps(_mm256_set1_ps(norm2), _mm256_add_ps(score, score));
    square = _mm256_max_ps(_mm256_sub_ps(square, _mm256_set1_ps(error)), _mm256_setzero_ps());
    __m256 bound = _mm256_mul_ps(_mm256_sqrt_ps(square), _mm256_set1_ps(DOWN));
    __m256i which = _mm256_and_si256(_mm256_set1_epi32((int32_t)(computed >> from)), bit);
    _mm256_maskstore_ps(lower + from, _mm256_cmpeq_epi32(which, bit), bound);
  }
}
#endif

/* Bounds of a row for the groups computed, from their best scores. */
static void settle_lower(const pass *in, int64_t r, float error, float *lower) {
  const float *best = in->best + r * in->bounds->stride;
#ifdef ADL_SIMD_X86
  if (in->level >= ADL_SIMD_AVX2) {
    settle_avx2(best, in->computed[r], in->norm2[r], error, in->bounds->stride, lower);
    return;
  }
#endif
  for (int64_t g = 0; g < in->bounds->groups; g++)
    if ((in->computed[r] >> g & 1) != 0) lower[g] = below(in->norm2[r] + 2 * best[g], error);
}

/* The lowest score of row r that is not the best one of `group`. */
static float other_score(const pass *in, int64_t r, int64_t group) {
  int64_t from = r * in->bounds->stride;
  float other = in->second[from + group];
  for (int64_t g = 0; g < in->bounds->groups; g++)
    if (g != group && (in->computed[r] >> g & 1) != 0 && in->best[from + g] < other) other = in->best[from + g];
  return other;
}

/* The centre nearest to row r, and its squared distance, in float32 where that can tell. */
static int32_t nearest_of(const pass *in, int64_t r, float *distance2) {
  int64_t group = best_group(in, r), from = r * in->bounds->stride;
  float norm2 = in->norm2[r];
  if (group >= 0 && adl_kmeans_surely(in->index, norm2, in->best[from + group], other_score(in, r, group))) {
    *distance2 = fmaxf(norm2 + 2 * in->best[from + group], 0);
    return in->at[from + group];
  }
  double exactly;
  int32_t nearest = adl_kmeans_nearest_exactly(in->index, in->x + r * in->index->width, &exactly);
  *distance2 = (float)exactly;
  return nearest;
}

/* Cluster and bounds of row r from what was computed. */
static void settle(pass *in, int64_t r) {
  const adl_kmeans_bounds *bounds = in->bounds;
  int64_t at = in->first + r, from = r * bounds->stride;
  int64_t own_group = bounds->known ? bounds->cluster[at] / bounds->group_size : 0;
  bool stay = (in->computed[r] >> own_group & 1) == 0 && stays(in, r, own_group);
  float norm2 = in->norm2[r], error = adl_kmeans_error(in->index, norm2), *lower = bounds->lower + at * bounds->stride;
  settle_lower(in, r, error, lower);
  if (stay) return;
  if ((in->computed[r] >> own_group & 1) == 0) /* its old centre is one of the others now */
    lower[own_group] = fminf(lower[own_group], below(in->own[r], error));
  float distance2;
  int32_t nearest = nearest_of(in, r, &distance2);
  int64_t group = nearest / bounds->group_size;
  bounds->cluster[at] = nearest;
  bounds->upper[at] = sqrtf(distance2 + error) * UP;
  if ((in->computed[r] >> group & 1) == 0) /* only where float32 has no numbers */
    lower[group] = 0;
  else if (in->at[from + group] == nearest)
    lower[group] = below(norm2 + 2 * in->second[from + group], error);
}

void adl_kmeans_bounds_assign(const adl_call *call, const adl_kmeans_bounds *bounds, const adl_kmeans_index *index,
                              const adl_column *rows, int64_t ordinal, int32_t *before) {
  const adl_host *host = call->host;
  int64_t d = index->width;
  if (bounds->of_sparse != NULL) {
    adl_kmeans_sparse_bounds_assign(call, bounds, index, rows, ordinal, before);
    return;
  }
  pass *in = host->alloc(call, sizeof *in);
  *in = (pass){.bounds = bounds, .index = index, .level = (adl_simd)index->panels.level};
  in->buffer = host->alloc(call, (size_t)(AT_ONCE * d) * sizeof *in->buffer);
  memset(in->buffer, 0, (size_t)(AT_ONCE * d) * sizeof *in->buffer);
  in->most_length = sqrtf(index->most_norm2) * UP;
  in->best = host->alloc(call, (size_t)(BLOCK * bounds->stride) * sizeof *in->best);
  memset(in->best, 0, (size_t)(BLOCK * bounds->stride) * sizeof *in->best); /* some of a stride are no group's */
  in->second = host->alloc(call, (size_t)(BLOCK * bounds->stride) * sizeof *in->second);
  in->at = host->alloc(call, (size_t)(BLOCK * bounds->stride) * sizeof *in->at);
  for (int64_t from = 0; from < rows->rows; from += BLOCK) {
    int64_t count = rows->rows - from < BLOCK ? rows->rows - from : BLOCK;
    in->x = (const float *)rows->data + from * d;
    in->first = ordinal + from;
    for (int64_t r = 0; r < count; r++) {
      before[from + r] = bounds->known ? bounds->cluster[in->first + r] : -1;
      if (bounds->known)
        look(in, r);
      else
        in->computed[r] = all_groups(in);
    }
    compute_full(in, count);
    for (int64_t g = 0; g < bounds->groups; g++) compute_part(in, count, g);
    for (int64_t r = 0; r < count; r++)
      if (in->computed[r] != 0) settle(in, r);
  }
}
