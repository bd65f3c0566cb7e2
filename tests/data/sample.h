/* Random columns of every type, for the tests of core/data: built through a builder as a plugin would. */
#ifndef ADLOOM_TESTS_DATA_SAMPLE_H
#define ADLOOM_TESTS_DATA_SAMPLE_H

#include <glib.h>
#include <math.h>
#include <string.h>

#include "core/data/array.h"

enum { SAMPLE_TYPES = 21 };

/* Every pair of element and shape that exists. */
static inline adl_type sample_type(int number) {
  if (number < 9) return adl_type_scalar((adl_element)number, number % 2 ? ADL_CATEGORY : ADL_NUMBER);
  if (number < 17)
    return (adl_type){.element = (uint8_t)(number - 8),
                      .shape = ADL_LIST,
                      .role = (uint8_t)(number - 8 == ADL_STRING ? ADL_CATEGORY : ADL_NUMBER)};
  if (number < 19) return (adl_type){.element = (uint8_t)(ADL_FLOAT32 + number - 17), .shape = ADL_VECTOR, .width = 3};
  if (number == 19) return (adl_type){.element = ADL_FLOAT32, .shape = ADL_SPARSE, .width = 50};
  return (adl_type){.element = ADL_STRING, .shape = ADL_BAG, .role = ADL_CATEGORY};
}

/* Small numbers, so that values repeat; now and then something odd. */
static inline double sample_number(GRand *rand) {
  switch (g_rand_int_range(rand, 0, 12)) {
    case 0: return (double)NAN;
    case 1: return -0.0;
    case 2: return (double)-INFINITY;
    default: return g_rand_int_range(rand, -3, 4) / 4.0;
  }
}

static inline void sample_value(adl_type type, void *data, int64_t at, GRand *rand) {
  switch (type.element) {
    case ADL_BOOL: adl_bit_set(data, at, g_rand_boolean(rand)); break;
    case ADL_INT32: ((int32_t *)data)[at] = g_rand_int_range(rand, -3, 4); break;
    case ADL_UINT32: ((uint32_t *)data)[at] = g_rand_boolean(rand) ? UINT32_MAX : 7; break;
    case ADL_INT64:
    case ADL_TIMESTAMP: ((int64_t *)data)[at] = g_rand_int_range(rand, -3, 4) * INT64_C(1000000000000); break;
    case ADL_FLOAT32: ((float *)data)[at] = (float)sample_number(rand); break;
    default: ((double *)data)[at] = sample_number(rand); break;
  }
}

/* One row's items into the buffers; returns the new number of items. */
static inline int32_t sample_items(adl_type type, adl_buffers *to, int32_t items, int32_t more, GRand *rand) {
  uint32_t next = 0;
  for (int32_t i = items; i < items + more; i++) {
    if (to->index != NULL) next = to->index[i] = next + (uint32_t)g_rand_int_range(rand, 1, 8);
    if (to->weights != NULL) to->weights[i] = (float)sample_number(rand);
    if (to->string_offsets == NULL) {
      sample_value(type, to->data, i, rand);
      continue;
    }
    int32_t size = g_rand_int_range(rand, 0, 3);
    for (int32_t b = 0; b < size; b++)
      ((char *)to->data)[to->string_offsets[i] + b] = (char)('a' + g_rand_int_range(rand, 0, 2));
    to->string_offsets[i + 1] = to->string_offsets[i] + size;
  }
  return items + more;
}

/* nulls: one row in so many is null; 0: none. */
static inline adl_array *sample_array(adl_type type, int64_t rows, int nulls, GRand *rand) {
  adl_builder *builder = adl_builder_new(type);
  adl_buffers to;
  const char *why = NULL;
  if (!adl_builder_reserve(builder, rows, rows * 6, rows * 12, &to)) g_error("sample_array: reserve");
  int32_t items = 0;
  for (int64_t row = 0; row < rows; row++) {
    bool null = nulls > 0 && g_rand_int_range(rand, 0, nulls) == 0;
    int32_t more = null ? 0 : g_rand_int_range(rand, 0, 7);
    if (null) adl_bit_set(to.validity, row, false);
    if (to.offsets != NULL) {
      items = sample_items(type, &to, items, more, rand);
      to.offsets[row + 1] = items;
    } else if (to.string_offsets != NULL) {
      if (null)
        to.string_offsets[row + 1] = to.string_offsets[row];
      else
        sample_items(type, &to, (int32_t)row, 1, rand);
    } else if (type.shape == ADL_VECTOR) {
      for (int64_t i = 0; i < type.width; i++) sample_value(type, to.data, row * type.width + i, rand);
    } else {
      sample_value(type, to.data, row, rand);
    }
  }
  adl_array *array = adl_builder_finish(builder, rows, &why);
  if (array == NULL) g_error("sample_array: %s", why);
  return array;
}

/* Row of a is row of b, to the last bit that means something. */
static inline bool same_row(const adl_array *a, int64_t row_a, const adl_array *b, int64_t row_b) {
  GByteArray *key_a = g_byte_array_new(), *key_b = g_byte_array_new();
  adl_array_key(&a->view, row_a, key_a);
  adl_array_key(&b->view, row_b, key_b);
  bool same = key_a->len == key_b->len && memcmp(key_a->data, key_b->data, key_a->len) == 0;
  g_byte_array_unref(key_a);
  g_byte_array_unref(key_b);
  return same;
}

#endif
