/* What stands in made-up columns: a function of the column's name, the row's identity and the seed, so that a row holds the
 * same wherever it stands and whatever is around it. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/conform/internal.h"

enum { MOST_ITEMS = 40, HUGE_TEXT = 60000, EPOCH_DAYS = 19723 /* 2024-01-01 */ };

/* One row of one column. */
typedef struct cell {
  const adl_draft_column *column;
  uint64_t key;
  int64_t id;
  bool odd;
} cell;

static uint64_t draw(const cell *at, uint64_t number) { return adl_random(at->key, number); }

static bool is_null(const cell *at) { return at->odd && draw(at, 100) % 7 == 0; }

static double odd_number(uint64_t random) {
  static const double numbers[] = {NAN, INFINITY, -INFINITY, -0.0, DBL_MAX, -DBL_MAX, DBL_MIN / 4, 1e30, -1, 1};
  return numbers[random % G_N_ELEMENTS(numbers)];
}

static double number(const cell *at, uint64_t random) {
  if (at->odd && random % 5 == 0) return odd_number(random / 5);
  if (at->column->label) return (double)(random >> 8 & 1);
  return (double)(random % 1000) / 1000;
}

static int64_t whole(const cell *at, uint64_t random, int64_t least, int64_t most) {
  const int64_t numbers[] = {least, most, 0, -1, 1};
  if (at->odd && random % 5 == 0) return CLAMP(numbers[random / 5 % G_N_ELEMENTS(numbers)], least, most);
  if (at->column->label) return (int64_t)(random >> 8 & 1);
  return (int64_t)(random % 20);
}

static void put_value(const cell *at, void *data, int64_t where, uint64_t random) {
  switch (at->column->type.element) {
    case ADL_BOOL: adl_bit_set(data, where, random & 1); break;
    case ADL_INT32: ((int32_t *)data)[where] = (int32_t)whole(at, random, INT32_MIN, INT32_MAX); break;
    case ADL_UINT32: ((uint32_t *)data)[where] = (uint32_t)whole(at, random, 0, UINT32_MAX); break;
    case ADL_INT64: ((int64_t *)data)[where] = whole(at, random, INT64_MIN, INT64_MAX); break;
    case ADL_TIMESTAMP:
      ((int64_t *)data)[where] = at->odd && random % 5 == 0
                                     ? whole(at, random, INT64_MIN, INT64_MAX)
                                     : (EPOCH_DAYS * INT64_C(86400) + at->id * 600 + (int64_t)(random % 60)) * 1000000;
      break;
    case ADL_FLOAT32: ((float *)data)[where] = (float)number(at, random); break;
    default: ((double *)data)[where] = number(at, random); break;
  }
}

/* Appends a text; BYTES are any bytes. */
static void put_text(const cell *at, GByteArray *bytes, uint64_t random) {
  char text[64];
  if (at->odd && random % 5 == 0) {
    static const char *const texts[] = {"", " ", "NULL", "\xe7\x94\xa8\xe6\x88\xb7", "a\nb\t\"c\"", "\xf0\x9f\x9b\x92"};
    const char *odd = texts[random / 5 % G_N_ELEMENTS(texts)];
    g_byte_array_append(bytes, (const guint8 *)odd, (guint)strlen(odd));
    if (random / 5 % 64 != 63) return;
    for (int i = 0; i < HUGE_TEXT; i++) g_byte_array_append(bytes, (const guint8 *)"abc d" + i % 5, 1);
    return;
  }
  int size = random % 3 == 0 ? g_snprintf(text, sizeof text, "w%d w%d", (int)(random / 3 % 20), (int)(random / 60 % 20))
                             : g_snprintf(text, sizeof text, "w%d", (int)(random / 3 % 20));
  if (at->column->type.element == ADL_BYTES) text[0] = (char)(random >> 32);
  g_byte_array_append(bytes, (const guint8 *)text, (guint)size);
}

static int64_t item_count(const cell *at) {
  uint64_t random = draw(at, 101);
  if (at->odd && random % 9 == 0) return MOST_ITEMS;
  return (int64_t)(random / 9 % 5);
}

/* A column in the making. */
typedef struct making {
  adl_buffers to;
  int64_t items;
  GByteArray *bytes;
} making;

static void put_row(const cell *at, making *m, int64_t row) {
  adl_type type = at->column->type;
  bool text = type.element == ADL_STRING || type.element == ADL_BYTES, null = is_null(at);
  if (null) adl_bit_set(m->to.validity, row, false);
  if (m->to.offsets == NULL) {
    for (int64_t k = 0; !text && k < (type.shape == ADL_VECTOR ? type.width : 1); k++)
      put_value(at, m->to.data, row * (type.shape == ADL_VECTOR ? type.width : 1) + k, draw(at, (uint64_t)k));
    if (text && !null) put_text(at, m->bytes, draw(at, 0));
    if (text) m->to.string_offsets[row + 1] = (int32_t)m->bytes->len;
    return;
  }
  int64_t count = null ? 0 : item_count(at);
  uint32_t index = (uint32_t)(draw(at, 102) % 7);
  for (int64_t k = 0; k < count; k++, m->items++) {
    uint64_t random = draw(at, (uint64_t)k);
    if (m->to.index != NULL) m->to.index[m->items] = index;
    if (m->to.weights != NULL) m->to.weights[m->items] = (float)number(at, adl_random(random, 1));
    index += 1 + (uint32_t)(count < 8 ? random % 5 : 0);
    if (text) {
      put_text(at, m->bytes, random);
      m->to.string_offsets[m->items + 1] = (int32_t)m->bytes->len;
    } else {
      put_value(at, m->to.data, m->items, random);
    }
  }
  m->to.offsets[row + 1] = (int32_t)m->items;
}

static uint64_t hash_name(const char *name) {
  uint64_t hash = 0;
  for (; *name != '\0'; name++) hash = adl_random(hash, (uint8_t)*name);
  return hash;
}

adl_array *adl_draft_values(const adl_draft_column *column, const adl_row_plan *plan) {
  adl_builder *builder = adl_builder_new(column->type);
  making m = {.bytes = g_byte_array_new()};
  uint64_t base = hash_name(column->name) ^ plan->seed;
  const char *why = NULL;
  if (!adl_builder_reserve(builder, plan->count, plan->count * MOST_ITEMS, 0, &m.to)) g_error("out of memory");
  for (int64_t row = 0; row < plan->count; row++) {
    int64_t id = column->key ? plan->ids[row] / 5 : plan->ids[row];
    cell at = {.column = column, .key = adl_random(base, (uint64_t)id), .id = id, .odd = plan->odd};
    put_row(&at, &m, row);
  }
  if (m.bytes->len > 0) {
    if (!adl_builder_reserve(builder, plan->count, plan->count * MOST_ITEMS, m.bytes->len, &m.to))
      g_error("out of memory");
    memcpy(m.to.data, m.bytes->data, m.bytes->len);
  }
  g_byte_array_unref(m.bytes);
  adl_array *array = adl_builder_finish(builder, plan->count, &why);
  if (array == NULL) g_error("made-up values are no column: %s", why);
  return array;
}
