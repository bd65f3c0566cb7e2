/* What k-means does with one row at a time, for each level of simd.h (adl_simd_level, asked for once a batch). */
#ifndef ADLOOM_PLUGINS_COMMON_KMEANS_ROWS_H
#define ADLOOM_PLUGINS_COMMON_KMEANS_ROWS_H

#include <adloom/plugin.h>

#include "common/simd.h"

/* to = x - center, float32. */
void adl_kmeans_centre(adl_simd level, const float *x, const float *center, float *to, int64_t n);
/* |x|^2 in float32. */
float adl_kmeans_norm2(adl_simd level, const float *x, int64_t n);
/* |x - center|^2 and |x - center - at|^2 in float32, x - center rounded as by adl_kmeans_centre. */
void adl_kmeans_measure(adl_simd level, const float *x, const float *center, const float *at, int64_t n, float *norm2,
                        float *distance2);
/* As adl_linalg_distance2, to the bit. */
double adl_kmeans_distance2(adl_simd level, const float *a, const float *b, int64_t n);
/* sum += x, sum -= x, and square += x * x, in float64; the same to the bit at every level. */
void adl_kmeans_add(adl_simd level, double *sum, const float *x, int64_t n);
void adl_kmeans_subtract(adl_simd level, double *sum, const float *x, int64_t n);
void adl_kmeans_add_squares(adl_simd level, double *square, const float *x, int64_t n);
/* Of a sparse row: dots[j] = the sum of x[i] lines[index[i]][j], for the k columns of `lines`, in the order of i, in float64;
 * the same to the bit at every level. */
void adl_kmeans_dots(adl_simd level, const uint32_t *index, const float *x, int64_t n, const float *lines, int64_t k,
                     double *dots);

#endif
