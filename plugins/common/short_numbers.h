/* Numbers of up to eight characters, four at a time where the processor has AVX2: most of those that stand in text are as
 * short. Used by csv_convert.c; what is longer, or no number, is left to convert.h. */
#ifndef ADLOOM_PLUGINS_COMMON_SHORT_NUMBERS_H
#define ADLOOM_PLUGINS_COMMON_SHORT_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/simd.h"

/* Texts, each with eight readable bytes, and their sizes. */
typedef struct adl_short_texts {
  const char *const *text;
  const uint32_t *size;
  uint32_t count;
} adl_short_texts;

/* Convert texts from `from` on as adl_parse_double and adl_parse_int64 do, and empty ones to 0. They stop before the first
 * four of which one has to be looked at more closely, and return where; nulls[i] is then whether text i is empty, and
 * *missing is not 0 if any is. Without AVX2 that is `from`. */
uint32_t adl_short_doubles(adl_simd level, const adl_short_texts *texts, uint32_t from, double *out, uint8_t *nulls,
                           uint32_t *missing);
uint32_t adl_short_int64s(adl_simd level, const adl_short_texts *texts, uint32_t from, int64_t *out, uint8_t *nulls,
                          uint32_t *missing);

#endif
