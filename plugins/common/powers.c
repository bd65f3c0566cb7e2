/* The table of powers.h, by schoolbook arithmetic on 32-bit limbs: 10^k and 5^k have the same significand, so only
 * powers of five are made; the negative ones by long division, one bit at a time. About a millisecond, once. */
#include "common/powers.h"

#include <pthread.h>
#include <string.h>

#define LIMBS 26 /* 5^342 has 795 bits; one limb more for shifting */

static adl_power table[ADL_POWER_MAX - ADL_POWER_MIN + 1];
static pthread_once_t table_made = PTHREAD_ONCE_INIT;

static int bit_length(const uint32_t *number) {
  for (int i = LIMBS - 1; i >= 0; i--)
    if (number[i] != 0) return 32 * i + 32 - __builtin_clz(number[i]);
  return 0;
}

static void times_five(uint32_t *number) {
  uint64_t carry = 0;
  for (int i = 0; i < LIMBS; i++) {
    carry += (uint64_t)number[i] * 5;
    number[i] = (uint32_t)carry;
    carry >>= 32;
  }
}

/* number = 2 * number + bit */
static void shift_in(uint32_t *number, uint32_t bit) {
  for (int i = 0; i < LIMBS; i++) {
    uint32_t out = number[i] >> 31;
    number[i] = number[i] << 1 | bit;
    bit = out;
  }
}

static int at_least(const uint32_t *a, const uint32_t *b) {
  for (int i = LIMBS - 1; i >= 0; i--)
    if (a[i] != b[i]) return a[i] > b[i];
  return 1;
}

static void subtract(uint32_t *a, const uint32_t *b) {
  uint64_t borrow = 0;
  for (int i = 0; i < LIMBS; i++) {
    uint64_t difference = (uint64_t)a[i] - b[i] - borrow;
    a[i] = (uint32_t)difference;
    borrow = difference >> 63;
  }
}

static void shift_in_power(adl_power *power, uint64_t bit) {
  power->high = power->high << 1 | power->low >> 63;
  power->low = power->low << 1 | bit;
}

/* The 128 leading bits of a number. */
static adl_power leading(const uint32_t *number) {
  adl_power power = {0, 0};
  int length = bit_length(number);
  for (int i = length - 1; i >= length - 128; i--) shift_in_power(&power, i >= 0 ? number[i / 32] >> (i % 32) & 1 : 0);
  return power;
}

/* floor(2^(bits + 127) / divisor), where `bits` is the divisor's length: 128 bits with the leading one set. */
static adl_power reciprocal(const uint32_t *divisor) {
  uint32_t rest[LIMBS] = {0};
  int bits = bit_length(divisor);
  adl_power power = {0, 1};
  rest[bits / 32] = (uint32_t)1 << (bits % 32);
  subtract(rest, divisor);
  for (int i = 0; i < 127; i++) {
    shift_in(rest, 0);
    int one = at_least(rest, divisor);
    if (one) subtract(rest, divisor);
    shift_in_power(&power, (uint64_t)one);
  }
  return power;
}

static void make_table(void) {
  uint32_t five[LIMBS] = {1};
  for (int k = 0; k <= -ADL_POWER_MIN; k++) {
    if (k <= ADL_POWER_MAX) table[k - ADL_POWER_MIN] = leading(five);
    if (k > 0) table[-k - ADL_POWER_MIN] = reciprocal(five);
    times_five(five);
  }
}

const adl_power *adl_powers(void) {
  pthread_once(&table_made, make_table);
  return table;
}
