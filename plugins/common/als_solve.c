/* Conjugate gradient for als; see als_solve.h. The kernel is in als_solve_body.h. */
#include "common/als_solve.h"

#include <string.h>

#include "common/simd.h"

/* Entries taken together. */
#define TILE 16
/* Of the cache of a core, for the rows that one solution reads several times. */
#define NEAR_BYTES (INT64_C(256) << 10)
/* Squared residuals below it are solved. */
#define TINY 1e-20

#define LANES ADL_ALS_LANES
typedef float lanes __attribute__((vector_size(32), may_alias));
#define AT(address) (*(lanes *)(address))
#define EVERY(value) ((value) - (lanes){0})

#define TARGET
#define NAME(name) portable_##name
#include "common/als_solve_body.h"
#undef TARGET
#undef NAME

#ifdef ADL_SIMD_X86
#define TARGET ADL_TARGET_AVX2
#define NAME(name) avx2_##name
#include "common/als_solve_body.h"
#endif

double adl_als_solve(const adl_als_side *side, int64_t from, int64_t to, float *scratch) {
#ifdef ADL_SIMD_X86
  if (adl_simd_level() >= ADL_SIMD_AVX2) return avx2_solve(side, from, to, scratch);
#endif
  return portable_solve(side, from, to, scratch);
}

double adl_als_loss(const adl_als_side *side, int64_t from, int64_t to) {
#ifdef ADL_SIMD_X86
  if (adl_simd_level() >= ADL_SIMD_AVX2) return avx2_loss(side, from, to);
#endif
  return portable_loss(side, from, to);
}
