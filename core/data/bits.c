/* Runs of bits, LSB first: validity bitmaps and bool data. */
#include "core/data/blocks.h"

#include <string.h>

void adl_bits_fill(uint8_t *to, int64_t at, int64_t count, bool value) {
  for (; count > 0 && (at & 7) != 0; at++, count--) adl_bit_set(to, at, value);
  memset(to + (at >> 3), value ? 0xff : 0, (size_t)(count >> 3));
  at += count & ~INT64_C(7);
  for (count &= 7; count > 0; at++, count--) adl_bit_set(to, at, value);
}

void adl_bits_copy(uint8_t *to, int64_t to_at, const uint8_t *from, int64_t from_at, int64_t count) {
  for (; count > 0 && (to_at & 7) != 0; to_at++, from_at++, count--) adl_bit_set(to, to_at, adl_bit(from, from_at));
  uint8_t *target = to + (to_at >> 3);
  const uint8_t *source = from + (from_at >> 3);
  int64_t whole = count >> 3;
  int shift = (int)(from_at & 7);
  if (shift == 0)
    memcpy(target, source, (size_t)whole);
  else
    for (int64_t i = 0; i < whole; i++) target[i] = (uint8_t)((source[i] >> shift) | (source[i + 1] << (8 - shift)));
  to_at += whole * 8;
  from_at += whole * 8;
  for (count &= 7; count > 0; to_at++, from_at++, count--) adl_bit_set(to, to_at, adl_bit(from, from_at));
}

int64_t adl_bits_count(const uint8_t *bits, int64_t count) {
  int64_t sum = 0, at = 0;
  for (; at + 64 <= count; at += 64) {
    uint64_t word;
    memcpy(&word, bits + (at >> 3), sizeof word);
    sum += __builtin_popcountll(word);
  }
  for (; at + 8 <= count; at += 8) sum += __builtin_popcount(bits[at >> 3]);
  for (; at < count; at++) sum += adl_bit(bits, at);
  return sum;
}
