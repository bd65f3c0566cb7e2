/* Powers of ten as 128-bit significands, shared by the number parser (convert.c) and the number formatter (format.c).
 * The table is computed once, exactly, on first use. */
#ifndef ADLOOM_PLUGINS_COMMON_POWERS_H
#define ADLOOM_PLUGINS_COMMON_POWERS_H

#include <stdint.h>

#define ADL_POWER_MIN (-342)
#define ADL_POWER_MAX 324

/* 10^k = significand * 2^(floor(log2(10^k)) - 127): high holds the leading bit, what does not fit is cut off. */
typedef struct adl_power {
  uint64_t high, low;
} adl_power;

/* Entry [k - ADL_POWER_MIN] is 10^k. Any thread. */
const adl_power *adl_powers(void);

/* floor(value / 2^bits) */
static inline int64_t adl_floor_shift(int64_t value, int bits) {
  return value >= 0 ? value >> bits : -((-value + (INT64_C(1) << bits) - 1) >> bits);
}

/* Whether the entry of 10^k is exact (nothing was cut off). */
static inline int adl_power_is_exact(int k) { return k >= 0 && k <= 55; }

#endif
