/* Which vector instructions a numeric kernel may use, chosen at run time: kernels that gain from them exist several times
 * (portable C, which every machine runs and every test compares with, and functions compiled for AVX2 or AVX-512), and
 * their caller picks one by this level. ADLOOM_SIMD=portable, avx2 or avx512 lowers it, for tests and comparisons. */
#ifndef ADLOOM_PLUGINS_COMMON_SIMD_H
#define ADLOOM_PLUGINS_COMMON_SIMD_H

#include <stdlib.h>
#include <string.h>

typedef enum adl_simd {
  ADL_SIMD_PORTABLE = 0,
  ADL_SIMD_AVX2 = 1,  /* with FMA, BMI and BMI2 */
  ADL_SIMD_AVX512 = 2 /* F, BW, DQ and VL */
} adl_simd;

#if defined(__x86_64__) && defined(__GNUC__)
#define ADL_SIMD_X86 1
#define ADL_TARGET_AVX2 __attribute__((target("avx2,fma,bmi,bmi2,popcnt,lzcnt")))
#define ADL_TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi,bmi2,popcnt,lzcnt")))
#endif

/* Of a function whose loops the compiler is to make vectors of, which GCC does at -O3 only. */
#if defined(__GNUC__) && !defined(__clang__)
#define ADL_LOOPS __attribute__((optimize("O3")))
#else
#define ADL_LOOPS
#endif

/* Cheap enough for once a batch. */
static inline adl_simd adl_simd_level(void) {
#ifdef ADL_SIMD_X86
  const char *wanted = getenv("ADLOOM_SIMD");
  adl_simd most = wanted == NULL                    ? ADL_SIMD_AVX512
                  : strcmp(wanted, "portable") == 0 ? ADL_SIMD_PORTABLE
                  : strcmp(wanted, "avx2") == 0     ? ADL_SIMD_AVX2
                                                    : ADL_SIMD_AVX512;
  if (most >= ADL_SIMD_AVX512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return ADL_SIMD_AVX512;
  if (most >= ADL_SIMD_AVX2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi2"))
    return ADL_SIMD_AVX2;
#endif
  return ADL_SIMD_PORTABLE;
}

#endif
