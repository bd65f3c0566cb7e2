#include "common/gmm_kernel.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/simd.h"

/* Below this, e^x counts as 0. */
#define HORIZON (-27.6)

typedef double four __attribute__((vector_size(32)));
typedef double four_anywhere __attribute__((vector_size(32), aligned(8), may_alias));
typedef int64_t masks __attribute__((vector_size(32)));
typedef uint64_t bits __attribute__((vector_size(32)));

/* One number four times. */
#define ALIKE(value) ((four){(value), (value), (value), (value)})
#define LARGER(a, b) ((four)(((bits)(a) & (bits)((a) > (b))) | ((bits)(b) & ~(bits)((a) > (b)))))

#define KERNEL(name) name##_portable
#define TARGET
#define FMA(a, b, c) ((a) * (b) + (c))
#define ALL(mask) (((mask)[0] & (mask)[1] & (mask)[2] & (mask)[3]) != 0)
#include "common/gmm_kernel_body.h"
#undef KERNEL
#undef TARGET
#undef FMA
#undef ALL

#ifdef ADL_SIMD_X86
#include <immintrin.h>
#define KERNEL(name) name##_avx2
#define TARGET ADL_TARGET_AVX2
#define FMA(a, b, c) _mm256_fmadd_pd((a), (b), (c))
#define ALL(mask) (_mm256_movemask_pd((four)(mask)) == 15)
#include "common/gmm_kernel_body.h"
#endif

const adl_gmm_kernels *adl_gmm_kernels_here(void) {
#ifdef ADL_SIMD_X86
  if (adl_simd_level() >= ADL_SIMD_AVX2) return &kernels_avx2;
#endif
  return &kernels_portable;
}

int64_t adl_gmm_columns(const float *x, int64_t rows, int64_t d, double *columns) {
  int64_t padded = (rows + 7) / 8 * 8;
  for (int64_t i = 0; i < d; i++) {
    double *to = columns + i * ADL_GMM_COLUMN;
    for (int64_t r = 0; r < rows; r++) to[r] = (double)x[r * d + i];
    for (int64_t r = rows; r < padded; r++) to[r] = 0;
  }
  return padded;
}

int64_t adl_gmm_stride(int64_t d) { return (d + 3) / 4 * 4; }

void adl_gmm_widen(const float *x, int64_t rows, int64_t d, double *to) {
  int64_t stride = adl_gmm_stride(d);
  for (int64_t r = 0; r < rows; r++, x += d, to += stride) {
    for (int64_t i = 0; i < d; i++) to[i] = (double)x[i];
    for (int64_t i = d; i < stride; i++) to[i] = 0;
  }
}

int64_t adl_gmm_list(const double *responsibility, int64_t rows, int32_t *row, double *share, double *sum) {
  int64_t count = 0;
  for (int64_t r = 0; r < rows; r++) {
    row[count] = (int32_t)r;
    share[count] = responsibility[r];
    count += responsibility[r] > 0;
  }
  double lanes[4] = {0, 0, 0, 0};
  for (int64_t n = 0; n < count; n++) lanes[n % 4] += share[n];
  *sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  return count;
}
