/* The kernel of als_solve.c, included there once for every set of instructions, with TARGET (an attribute or nothing) and
 * NAME(x) defined. Vectors are GCC's; what the set lacks is made of what it has. */

/* Sums of four vectors, each over its lanes, in one order. */
TARGET static inline void NAME(sums)(const lanes *a, float *to) {
  lanes ab = __builtin_shufflevector(a[0], a[1], 0, 8, 1, 9, 4, 12, 5, 13) +
             __builtin_shufflevector(a[0], a[1], 2, 10, 3, 11, 6, 14, 7, 15);
  lanes cd = __builtin_shufflevector(a[2], a[3], 0, 8, 1, 9, 4, 12, 5, 13) +
             __builtin_shufflevector(a[2], a[3], 2, 10, 3, 11, 6, 14, 7, 15);
  lanes all = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13) +
              __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
  for (int k = 0; k < 4; k++) to[k] = all[k] + all[k + 4];
}

TARGET static inline float NAME(dot)(const float *a, const float *b, int64_t stride) {
  lanes sum[4] = {{0}, {0}, {0}, {0}};
  float all[4];
  for (int64_t j = 0; j < stride; j += LANES) sum[0] += AT(a + j) * AT(b + j);
  NAME(sums)(sum, all);
  return all[0];
}

/* dots[k] = y_index[k] . p for `count` rows, four at a time (dots has room for as many more). Meanwhile asks for the rows
 * that lie `ahead` entries further on (0: for none), and not behind `end`. */
TARGET static inline void NAME(dots)(const float *y, const int32_t *index, int64_t count, const float *p,
                                     int64_t stride, int64_t ahead, const int32_t *end, float *dots) {
  const int32_t *next = ahead > 0 ? index + ahead : end;
  for (int64_t k = 0; k < count; k += 4, next += 4) {
    int64_t last = count - 1;
    const float *a = y + index[k] * stride, *b = y + index[k + 1 < last ? k + 1 : last] * stride;
    const float *c = y + index[k + 2 < last ? k + 2 : last] * stride,
                *d = y + index[k + 3 < last ? k + 3 : last] * stride;
    lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    if (next + 4 <= end)
      for (int64_t j = 0; j < stride; j += 16)
        for (int n = 0; n < 4; n++) __builtin_prefetch(y + next[n] * stride + j);
    for (int64_t j = 0; j < stride; j += LANES) {
      lanes of = AT(p + j);
      s0 += AT(a + j) * of;
      s1 += AT(b + j) * of;
      s2 += AT(c + j) * of;
      s3 += AT(d + j) * of;
    }
    NAME(sums)((const lanes[4]){s0, s1, s2, s3}, dots + k);
  }
}

/* to += sum of weight[k] times row index[k] (k, where index is NULL) of y: columns are taken eight vectors at a time, which
 * stay in registers over all rows. */
TARGET static inline void NAME(add)(float *to, const float *y, const int32_t *index, int64_t count, const float *weight,
                                    int64_t stride) {
  int64_t j = 0;
  for (; j + 8 * LANES <= stride; j += 8 * LANES) {
    float *at = to + j;
    lanes s0 = AT(at), s1 = AT(at + 8), s2 = AT(at + 16), s3 = AT(at + 24);
    lanes s4 = AT(at + 32), s5 = AT(at + 40), s6 = AT(at + 48), s7 = AT(at + 56);
    for (int64_t k = 0; k < count; k++) {
      const float *row = y + (index != NULL ? index[k] : k) * stride + j;
      lanes w = EVERY(weight[k]);
      s0 += w * AT(row);
      s1 += w * AT(row + 8);
      s2 += w * AT(row + 16);
      s3 += w * AT(row + 24);
      s4 += w * AT(row + 32);
      s5 += w * AT(row + 40);
      s6 += w * AT(row + 48);
      s7 += w * AT(row + 56);
    }
    AT(at) = s0, AT(at + 8) = s1, AT(at + 16) = s2, AT(at + 24) = s3;
    AT(at + 32) = s4, AT(at + 40) = s5, AT(at + 48) = s6, AT(at + 56) = s7;
  }
  for (; j + 2 * LANES <= stride; j += 2 * LANES) {
    lanes s0 = AT(to + j), s1 = AT(to + j + 8);
    for (int64_t k = 0; k < count; k++) {
      const float *row = y + (index != NULL ? index[k] : k) * stride + j;
      lanes w = EVERY(weight[k]);
      s0 += w * AT(row);
      s1 += w * AT(row + 8);
    }
    AT(to + j) = s0, AT(to + j + 8) = s1;
  }
  for (; j < stride; j += LANES) {
    lanes s0 = AT(to + j);
    for (int64_t k = 0; k < count; k++) s0 += EVERY(weight[k]) * AT(y + (index != NULL ? index[k] : k) * stride + j);
    AT(to + j) = s0;
  }
}

/* to += sum over the row's entries of w y, w = g (y . p), or, for the residual at p, 1 + g - g (y . p). In tiles, so that
 * what the dots have read is still in the nearest cache when it is added. */
TARGET static inline void NAME(pass)(const adl_als_side *side, int64_t row, bool residual, const float *p, float *to,
                                     int64_t ahead) {
  const adl_csr *matrix = side->matrix;
  const int32_t *end = matrix->index + matrix->starts[matrix->rows];
  float weight[TILE];
  for (int64_t i = matrix->starts[row]; i < matrix->starts[row + 1]; i += TILE) {
    int64_t count = matrix->starts[row + 1] - i < TILE ? matrix->starts[row + 1] - i : TILE;
    NAME(dots)(side->y, matrix->index + i, count, p, side->stride, ahead, end, weight);
    for (int64_t k = 0; k < count; k++) {
      float g = matrix->value[i + k], product = g * weight[k];
      weight[k] = residual ? 1 + g - product : product;
    }
    NAME(add)(to, side->y, matrix->index + i, count, weight, side->stride);
  }
}

TARGET static double NAME(solve_row)(const adl_als_side *side, int64_t row, float *scratch) {
  int64_t stride = side->stride, entries = side->matrix->starts[row + 1] - side->matrix->starts[row];
  float *x = side->x + row * stride, *r = scratch, *p = scratch + stride, *ap = scratch + 2 * stride;
  bool near =
      entries * stride * (int64_t)sizeof(float) <= NEAR_BYTES; /* after one pass its rows of y are in the cache */
  double fallen = 0;
  for (int64_t j = 0; j < stride; j++) {
    p[j] = -x[j];
    r[j] = 0;
  }
  NAME(add)(r, side->gram, NULL, stride, p, stride);
  NAME(pass)(side, row, true, x, r, TILE);
  memcpy(p, r, (size_t)stride * sizeof *p);
  double rs = (double)NAME(dot)(r, r, stride);
  for (int64_t step = 0; step < side->steps && rs > TINY; step++) {
    int64_t ahead = !near ? TILE : step + 1 == side->steps ? entries : 0;
    memset(ap, 0, (size_t)stride * sizeof *ap);
    NAME(add)(ap, side->gram, NULL, stride, p, stride);
    NAME(pass)(side, row, false, p, ap, ahead);
    double curvature = (double)NAME(dot)(p, ap, stride);
    if (!(curvature > 0)) break;
    float alpha = (float)(rs / curvature);
    for (int64_t j = 0; j < stride; j += LANES) {
      AT(x + j) += EVERY(alpha) * AT(p + j);
      AT(r + j) -= EVERY(alpha) * AT(ap + j);
    }
    fallen += rs / curvature * rs;
    double next = (double)NAME(dot)(r, r, stride);
    float beta = (float)(next / rs);
    for (int64_t j = 0; j < stride; j += LANES) AT(p + j) = AT(r + j) + EVERY(beta) * AT(p + j);
    rs = next;
  }
  return fallen;
}

TARGET static double NAME(solve)(const adl_als_side *side, int64_t from, int64_t to, float *scratch) {
  double fallen = 0;
  for (int64_t row = from; row < to; row++) fallen += NAME(solve_row)(side, row, scratch);
  return fallen;
}

TARGET static double NAME(loss)(const adl_als_side *side, int64_t from, int64_t to) {
  const adl_csr *matrix = side->matrix;
  double loss = 0;
  const int32_t *end = matrix->index + matrix->starts[matrix->rows];
  float product[TILE];
  for (int64_t row = from; row < to; row++)
    for (int64_t i = matrix->starts[row]; i < matrix->starts[row + 1]; i += TILE) {
      int64_t count = matrix->starts[row + 1] - i < TILE ? matrix->starts[row + 1] - i : TILE;
      NAME(dots)(side->y, matrix->index + i, count, side->x + row * side->stride, side->stride, TILE, end, product);
      for (int64_t k = 0; k < count; k++) {
        double xy = (double)product[k];
        loss += (1 + (double)matrix->value[i + k]) * (1 - xy) * (1 - xy) - xy * xy;
      }
    }
  return loss;
}
