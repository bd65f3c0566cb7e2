/* The loops of gmm_kernel.c, included once for each instruction set. That file defines the vector types and
 *   KERNEL(name)  the function's name
 *   TARGET        attributes
 *   FMA(a, b, c)  a * b + c of four
 *   ALL(mask)     whether all four are set. */

#define LOAD(at) (*(const four_anywhere *)(at))
#define STORE(at, value) (*(four_anywhere *)(at) = (value))
#define INLINE static inline __attribute__((always_inline))

/* sum of factor (x - mean)^2 for 4 x `vectors` rows. */
INLINE TARGET void KERNEL(diagonal_rows)(const double *x, int64_t d, const double *mean, const double *factor,
                                         int64_t stride, const int vectors, double offset, double *log_density) {
  four sum[8];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; v++) sum[v] = ALIKE(0);
  for (int64_t i = 0; i < d; i++, x += ADL_GMM_COLUMN) {
    four m = ALIKE(mean[i]), f = ALIKE(factor[i * stride]);
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) {
      four difference = LOAD(x + 4 * v) - m;
      sum[v] = FMA(difference * f, difference, sum[v]);
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < vectors; v++) STORE(log_density + 4 * v, ALIKE(offset) - sum[v] * ALIKE(0.5));
}

TARGET static void KERNEL(diagonal)(const double *x, int64_t rows, int64_t d, const double *mean, const double *factor,
                                    int64_t stride, double offset, double *log_density) {
  int64_t r = 0;
  for (; r + 32 <= rows; r += 32) KERNEL(diagonal_rows)(x + r, d, mean, factor, stride, 8, offset, log_density + r);
  for (; r < rows; r += 8) KERNEL(diagonal_rows)(x + r, d, mean, factor, stride, 2, offset, log_density + r);
}

/* sum[8] += squares of `count` coordinates, from `first` on, of L^-1 times eight differences. */
INLINE TARGET void KERNEL(whitened)(const double *difference, int64_t d, const double *factor, int64_t first,
                                    const int count, four *low, four *high) {
  const double *row = factor + first * d;
  four at[6][2];
#pragma GCC unroll 6
  for (int c = 0; c < count; c++) at[c][0] = at[c][1] = ALIKE(0);
  for (int64_t i = 0; i < first + count; i++) {
    four a = LOAD(difference + 8 * i), b = LOAD(difference + 8 * i + 4);
#pragma GCC unroll 6
    for (int c = 0; c < count; c++) {
      four f = ALIKE(row[c * d + i]);
      at[c][0] = FMA(a, f, at[c][0]);
      at[c][1] = FMA(b, f, at[c][1]);
    }
  }
  four even[2] = {*low, *high}, odd[2] = {{0}, {0}};
#pragma GCC unroll 6
  for (int c = 0; c < count; c++) {
    four *to = c % 2 == 0 ? even : odd;
    to[0] = FMA(at[c][0], at[c][0], to[0]);
    to[1] = FMA(at[c][1], at[c][1], to[1]);
  }
  *low = even[0] + odd[0];
  *high = even[1] + odd[1];
}

/* Stops when the coordinates so far put all eight rows beyond the horizon: squares only add, also when rounded, so the
 * responsibilities would be 0 in the end. */
TARGET static void KERNEL(full)(const double *x, int64_t rows, int64_t d, const double *mean, const double *factor,
                                double offset, double *difference, double *most, double *log_density) {
  const four half = ALIKE(0.5), all = ALIKE(offset), horizon = ALIKE(HORIZON);
  for (int64_t r = 0; r < rows; r += 8) {
    for (int64_t i = 0; i < d; i++) {
      four m = ALIKE(mean[i]);
      STORE(difference + 8 * i, LOAD(x + i * ADL_GMM_COLUMN + r) - m);
      STORE(difference + 8 * i + 4, LOAD(x + i * ADL_GMM_COLUMN + r + 4) - m);
    }
    four low = {0}, high = {0}, most_low = LOAD(most + r), most_high = LOAD(most + r + 4);
    int64_t i = 0;
    bool beyond = false;
    for (int block = 1; i < d && !beyond; block++) {
      int64_t left = d - i;
      if (left >= 6 && left != 8) {
        KERNEL(whitened)(difference, d, factor, i, 6, &low, &high);
        i += 6;
      } else if (left >= 4) {
        KERNEL(whitened)(difference, d, factor, i, 4, &low, &high);
        i += 4;
      } else {
        KERNEL(whitened)(difference, d, factor, i, 1, &low, &high);
        i++;
      }
      if (block % 2 != 0) continue; /* that takes as long as some of the next coordinates */
      masks out = ((all - low * half) - most_low < horizon) & ((all - high * half) - most_high < horizon);
      beyond = ALL(out);
    }
    low = beyond ? ALIKE(-INFINITY) : all - low * half;
    high = beyond ? ALIKE(-INFINITY) : all - high * half;
    STORE(log_density + r, low);
    STORE(log_density + r + 4, high);
    STORE(most + r, LARGER(low, most_low));
    STORE(most + r + 4, LARGER(high, most_high));
  }
}

/* e^x for x <= 0, with an error of some 1e-16 of it; 0 beyond the horizon. x = n ln 2 + rest, Taylor for the rest. */
INLINE TARGET void KERNEL(exponential)(four *value) {
  four x = *value, shifted = FMA(x, ALIKE(1.4426950408889634), ALIKE(0x1.8p52)), n = shifted - ALIKE(0x1.8p52);
  four rest = FMA(n, ALIKE(-6.93147180369123816490e-01), x);
  rest = FMA(n, ALIKE(-1.90821492927058770002e-10), rest);
  static const double inverse_factorial[] = {
      1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
      1.0 / 720,        1.0 / 120,       1.0 / 24,       1.0 / 6,       0.5,          1.0,         1.0};
  four sum = ALIKE(inverse_factorial[0]);
#pragma GCC unroll 13
  for (int i = 1; i < 14; i++) sum = FMA(sum, rest, ALIKE(inverse_factorial[i]));
  bits scaled = (bits)sum + ((bits)shifted << 52);
  *value = (four)(scaled & (bits)(x >= ALIKE(HORIZON)));
}

/* Replaces log densities by responsibilities; `sum` becomes what e^(log density - most) add up to. */
TARGET static void KERNEL(share)(double *log_density, int64_t rows, int64_t k, double *most, double *sums) {
  for (int64_t r = 0; r < rows; r += 4) {
    four greatest = LOAD(log_density + r), sum = {0};
    for (int64_t j = 1; j < k; j++) {
      four at = LOAD(log_density + j * ADL_GMM_COLUMN + r);
      greatest = LARGER(at, greatest);
    }
    for (int64_t j = 0; j < k; j++) {
      four at = LOAD(log_density + j * ADL_GMM_COLUMN + r) - greatest;
      KERNEL(exponential)(&at);
      STORE(log_density + j * ADL_GMM_COLUMN + r, at);
      sum += at;
    }
    STORE(most + r, greatest);
    STORE(sums + r, sum);
    four inverse = ALIKE(1) / sum;
    for (int64_t j = 0; j < k; j++) {
      double *at = log_density + j * ADL_GMM_COLUMN + r;
      STORE(at, LOAD(at) * inverse);
    }
  }
}

/* Columns from `i` on: shift += share (x - mean), scatter += share (x - mean)^2 of the rows listed. */
INLINE TARGET void KERNEL(moment_columns)(const double *x, int64_t stride, const int32_t *row, const double *share,
                                          int64_t count, const double *mean, const int vectors, double *shift,
                                          double *scatter) {
  four first[4], second[4], m[4];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; v++) {
    m[v] = LOAD(mean + 4 * v);
    first[v] = second[v] = ALIKE(0);
  }
  for (int64_t n = 0; n < count; n++) {
    const double *at = x + row[n] * stride;
    four s = ALIKE(share[n]);
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
      four difference = LOAD(at + 4 * v) - m[v], moved = difference * s;
      first[v] += moved;
      second[v] = FMA(moved, difference, second[v]);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < vectors; v++) {
    STORE(shift + 4 * v, first[v]);
    STORE(scatter + 4 * v, second[v]);
  }
}

TARGET static void KERNEL(moments)(const double *x, int64_t stride, const int32_t *row, const double *share,
                                   int64_t count, const double *mean, double *shift, double *scatter) {
  int64_t i = 0;
  for (; i + 16 <= stride; i += 16)
    KERNEL(moment_columns)(x + i, stride, row, share, count, mean + i, 4, shift + i, scatter + i);
  for (; i < stride; i += 4)
    KERNEL(moment_columns)(x + i, stride, row, share, count, mean + i, 1, shift + i, scatter + i);
}

/* Columns from 0 on of weigh. */
INLINE TARGET void KERNEL(weigh_columns)(const double *x, int64_t stride, const int32_t *row, const double *share,
                                         int64_t count, const double *mean, const int vectors, double *shift,
                                         double *to) {
  four first[4], m[4];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; v++) {
    m[v] = LOAD(mean + 4 * v);
    first[v] = ALIKE(0);
  }
  for (int64_t n = 0; n < count; n++, to += stride) {
    const double *at = x + row[n] * stride;
    four s = ALIKE(share[n]), root = ALIKE(sqrt(share[n]));
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
      four difference = LOAD(at + 4 * v) - m[v];
      STORE(to + 4 * v, difference * root);
      first[v] = FMA(difference, s, first[v]);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < vectors; v++) STORE(shift + 4 * v, first[v]);
}

/* to = sqrt(share) (x - mean) of the rows listed, and shift = the sum of share (x - mean). */
TARGET static void KERNEL(weigh)(const double *x, int64_t stride, const int32_t *row, const double *share,
                                 int64_t count, const double *mean, double *shift, double *to) {
  int64_t i = 0;
  for (; i + 16 <= stride; i += 16)
    KERNEL(weigh_columns)(x + i, stride, row, share, count, mean + i, 4, shift + i, to + i);
  for (; i < stride; i += 4) KERNEL(weigh_columns)(x + i, stride, row, share, count, mean + i, 1, shift + i, to + i);
}

/* The 4 x 4 `vectors` tile of A^T A at (first, second), to be added to sum, where it is in the lower triangle. */
INLINE TARGET void KERNEL(tile)(const double *a, int64_t stride, int64_t rows, int64_t d, int64_t first, int64_t second,
                                const int vectors, double *sum) {
  four tile[4][2];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) tile[i][0] = tile[i][1] = ALIKE(0);
  for (int64_t n = 0; n < rows; n++, a += stride) {
    four right[2];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) right[v] = LOAD(a + second + 4 * v);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      four left = ALIKE(a[first + i]);
#pragma GCC unroll 2
      for (int v = 0; v < vectors; v++) tile[i][v] = FMA(left, right[v], tile[i][v]);
    }
  }
  if (second + 4 * vectors <= first + 1 && first + 4 <= d) { /* it is, wholly */
    double *to = sum + first * d + second;
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
#pragma GCC unroll 2
      for (int v = 0; v < vectors; v++) STORE(to + i * d + 4 * v, LOAD(to + i * d + 4 * v) + tile[i][v]);
    return;
  }
  double values[4][8];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    STORE(values[i], tile[i][0]);
    STORE(values[i] + 4, tile[i][1]);
  }
  for (int64_t i = 0; i < 4 && first + i < d; i++) {
    double *to = sum + (first + i) * d + second;
    int64_t count = first + i - second + 1;
    count = count < 4 * vectors ? count : 4 * vectors;
    for (int64_t b = 0; b < count; b++) to[b] += values[i][b];
  }
}

TARGET static void KERNEL(products)(const double *a, int64_t stride, int64_t rows, int64_t d, double *sum) {
  for (int64_t first = 0; first < stride; first += 4) {
    int64_t second = 0;
    for (; second + 4 <= first; second += 8) KERNEL(tile)(a, stride, rows, d, first, second, 2, sum);
    if (second <= first) KERNEL(tile)(a, stride, rows, d, first, second, 1, sum);
  }
}

static const adl_gmm_kernels KERNEL(kernels) = {KERNEL(diagonal), KERNEL(full),  KERNEL(share),
                                                KERNEL(moments),  KERNEL(weigh), KERNEL(products)};

#undef LOAD
#undef STORE
#undef INLINE
