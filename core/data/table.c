/* Keyed tables: byte strings to rows of float64, in order of first appearance. Vocabularies, groupings and counts are
 * made of them, so finding a key is a hot path: open addressing with linear probing; a slot holds 24 bits of the hash
 * beside the row number, so that other keys are told apart without being looked at. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <glib.h>
#include <string.h>

#include "core/base/aligned.h"
#include "core/base/spill.h"
#include "core/data/table.h"

enum { ROW_BITS = 40, FIRST_SLOTS = 16 };
#define ROW_MASK ((UINT64_C(1) << ROW_BITS) - 1)

struct adl_table {
  int64_t width;
  int64_t count;
  int64_t row_capacity;
  double *rows;  /* count x width */
  int64_t *ends; /* count: where a key ends in `keys`; it begins where the one before ends */
  char *keys;
  int64_t key_capacity;
  uint64_t *slots; /* 0: free; else hash bits above, row number + 1 below */
  uint64_t slot_mask;
  adl_zeroed held[4]; /* the storage of the four, in this order */
};

enum { ROWS, ENDS, KEYS, SLOTS };

static void set_storage(adl_table *table, int which, int64_t size) {
  adl_zeroed *held = &table->held[which];
  if (held->data == NULL ? !adl_zeroed_init(held, size) : !adl_zeroed_resize(held, size))
    g_error("out of memory: %" G_GINT64_FORMAT " bytes of a keyed table", size);
  table->rows = table->held[ROWS].data;
  table->ends = table->held[ENDS].data;
  table->keys = table->held[KEYS].data;
  table->slots = table->held[SLOTS].data;
}

adl_table *adl_table_new(int64_t width) {
  adl_table *table = g_new0(adl_table, 1);
  table->width = width;
  set_storage(table, SLOTS, FIRST_SLOTS * (int64_t)sizeof *table->slots);
  table->slot_mask = FIRST_SLOTS - 1;
  return table;
}

void adl_table_free(adl_table *table) {
  if (table == NULL) return;
  for (int which = ROWS; which <= SLOTS; which++)
    if (table->held[which].data != NULL) adl_zeroed_clear(&table->held[which]);
  g_free(table);
}

static int64_t key_begin(const adl_table *table, int64_t row) { return row == 0 ? 0 : table->ends[row - 1]; }
static int64_t key_bytes(const adl_table *table) { return key_begin(table, table->count); }
static uint64_t tag_of(uint64_t hash) { return hash & ~ROW_MASK; }

/* Keys are short, and a call of memcmp takes longer than looking at two words of them, which may overlap. */
static bool same_bytes(const char *a, const char *b, size_t size) {
  uint64_t x[2], y[2];
  uint32_t p[2], q[2];
  if (size > sizeof x || size < sizeof *p) return size == 0 || memcmp(a, b, size) == 0;
  if (size >= sizeof *x) {
    memcpy(&x[0], a, sizeof *x);
    memcpy(&y[0], b, sizeof *y);
    memcpy(&x[1], a + size - sizeof *x, sizeof *x);
    memcpy(&y[1], b + size - sizeof *y, sizeof *y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
  }
  memcpy(&p[0], a, sizeof *p);
  memcpy(&q[0], b, sizeof *q);
  memcpy(&p[1], a + size - sizeof *p, sizeof *p);
  memcpy(&q[1], b + size - sizeof *q, sizeof *q);
  return ((p[0] ^ q[0]) | (p[1] ^ q[1])) == 0;
}

/* With the hash bits in the slot alike, the key itself is all but certain to be: the whole hash is not looked at. */
static bool key_is(const adl_table *table, int64_t row, const void *key, int64_t size) {
  int64_t begin = key_begin(table, row);
  return table->ends[row] - begin == size && same_bytes(table->keys + begin, key, (size_t)size);
}

/* The row of a key, or -1 and in *slot where it would go. */
static int64_t find(const adl_table *table, uint64_t hash, const void *key, int64_t size, uint64_t *slot) {
  uint64_t at = hash & table->slot_mask;
  for (;; at = (at + 1) & table->slot_mask) {
    uint64_t entry = table->slots[at];
    if (entry == 0) {
      *slot = at;
      return -1;
    }
    if (tag_of(entry) != tag_of(hash)) continue;
    int64_t row = (int64_t)(entry & ROW_MASK) - 1;
    if (key_is(table, row, key, size)) return row;
  }
}

/* Hashes are worked out anew when slots are laid out anew: that costs less than a word for each key. */
static uint64_t hash_of_row(const adl_table *table, int64_t row) {
  int64_t begin = key_begin(table, row);
  return XXH3_64bits(table->keys + begin, (size_t)(table->ends[row] - begin));
}

/* So many keys are dealt with side by side: what the first needs is asked for before it is waited for. */
enum { BLOCK = 32 };

static void set_slots(adl_table *table, uint64_t slots) {
  uint64_t hashes[BLOCK];
  adl_zeroed_clear(&table->held[SLOTS]);
  set_storage(table, SLOTS, (int64_t)slots * (int64_t)sizeof *table->slots);
  adl_zeroed_touch(&table->held[SLOTS]);
  table->slot_mask = slots - 1;
  for (int64_t first = 0; first < table->count; first += BLOCK) {
    int64_t block = MIN(BLOCK, table->count - first);
    if ((first & 0xfff) == 0) adl_spill_trim();
    for (int64_t i = 0; i < block; i++) {
      hashes[i] = hash_of_row(table, first + i);
      __builtin_prefetch(&table->slots[hashes[i] & table->slot_mask], 1);
    }
    for (int64_t i = 0; i < block; i++) {
      uint64_t at = hashes[i] & table->slot_mask;
      while (table->slots[at] != 0) at = (at + 1) & table->slot_mask;
      table->slots[at] = tag_of(hashes[i]) | (uint64_t)(first + i + 1);
    }
  }
}

static void make_room(adl_table *table, int64_t size) {
  if (table->count == table->row_capacity) {
    table->row_capacity = MAX(8, table->row_capacity * 2);
    set_storage(table, ROWS, table->row_capacity * table->width * (int64_t)sizeof(double));
    set_storage(table, ENDS, table->row_capacity * (int64_t)sizeof *table->ends);
  }
  int64_t needed = key_bytes(table) + size;
  if (needed > table->key_capacity) {
    table->key_capacity = MAX(needed, MAX(64, table->key_capacity * 2));
    set_storage(table, KEYS, table->key_capacity);
  }
}

/* Values are zero already; but they are read before they are written, see adl_zeroed_touch. One of each page will do. */
static void touch_values(adl_table *table, int64_t row) {
  enum { STEP = 512 }; /* values of the smallest page */
  double *values = table->rows + row * table->width;
  for (int64_t i = 0; i < table->width; i += STEP) values[i] = 0;
  if (table->width > 0) values[table->width - 1] = 0;
}

static int64_t insert(adl_table *table, uint64_t hash, const void *key, int64_t size) {
  uint64_t slot;
  int64_t row = find(table, hash, key, size, &slot);
  if (row >= 0) return row;
  if ((uint64_t)table->count >= (table->slot_mask + 1) / 8 * 5) {
    set_slots(table, (table->slot_mask + 1) * 2);
    find(table, hash, key, size, &slot);
  }
  make_room(table, size);
  row = table->count;
  int64_t begin = key_bytes(table);
  if (size > 0) memcpy(table->keys + begin, key, (size_t)size);
  table->ends[row] = begin + size;
  touch_values(table, row);
  table->slots[slot] = tag_of(hash) | (uint64_t)(row + 1);
  table->count++;
  return row;
}

int64_t adl_table_insert(adl_table *table, const void *key, int64_t size) {
  if (size < 0 || size > INT32_MAX) return -1;
  return insert(table, XXH3_64bits(key, (size_t)size), key, size);
}

int64_t adl_table_find(const adl_table *table, const void *key, int64_t size) {
  uint64_t slot;
  if (size < 0 || size > INT32_MAX) return -1;
  return find(table, XXH3_64bits(key, (size_t)size), key, size, &slot);
}

/* ---- many keys at once ---- */

/* The row in the first slot that the key may be in; -1: it is in none. */
static int64_t likely_row(const adl_table *table, uint64_t hash) {
  uint64_t at = hash & table->slot_mask, entry;
  while ((entry = table->slots[at]) != 0 && tag_of(entry) != tag_of(hash)) at = (at + 1) & table->slot_mask;
  return (int64_t)(entry & ROW_MASK) - 1;
}

/* A large table is far from the processor, and finding a key takes four looks at it, each of which says where to look next:
 * the slot, where the key ends, the key, and then the values. Here each look is asked for for a whole block of keys before
 * the first of them is waited for. Tells the rows that were seen on the way: all but certain to be those of the keys. */
static void look_ahead(const adl_table *table, const uint64_t *hashes, int64_t count, int64_t *likely) {
  for (int64_t i = 0; i < count; i++) __builtin_prefetch(&table->slots[hashes[i] & table->slot_mask]);
  for (int64_t i = 0; i < count; i++) {
    likely[i] = likely_row(table, hashes[i]);
    if (likely[i] >= 0) __builtin_prefetch(&table->ends[likely[i]]);
  }
  for (int64_t i = 0; i < count; i++) {
    if (likely[i] < 0) continue;
    __builtin_prefetch(table->keys + key_begin(table, likely[i]));
    if (table->width > 0) __builtin_prefetch(table->rows + likely[i] * table->width, 1);
  }
}

static void hash_block(const char *bytes, const int64_t *offsets, int64_t count, uint64_t *hashes) {
  for (int64_t i = 0; i < count; i++)
    hashes[i] = XXH3_64bits(bytes + offsets[i], (size_t)(offsets[i + 1] - offsets[i]));
}

static int64_t insert_likely(adl_table *table, int64_t likely, uint64_t hash, const void *key, int64_t size) {
  return likely >= 0 && key_is(table, likely, key, size) ? likely : insert(table, hash, key, size);
}

void adl_table_insert_all(adl_table *table, int64_t count, const void *bytes, const int64_t *offsets, int64_t *rows) {
  uint64_t hashes[BLOCK];
  int64_t likely[BLOCK];
  for (int64_t first = 0; first < count; first += BLOCK) {
    int64_t block = MIN(BLOCK, count - first);
    hash_block(bytes, offsets + first, block, hashes);
    look_ahead(table, hashes, block, likely);
    for (int64_t i = 0; i < block; i++) {
      int64_t begin = offsets[first + i], size = offsets[first + i + 1] - begin;
      rows[first + i] =
          size > INT32_MAX ? -1 : insert_likely(table, likely[i], hashes[i], (const char *)bytes + begin, size);
    }
  }
}

void adl_table_find_all(const adl_table *table, int64_t count, const void *bytes, const int64_t *offsets,
                        int64_t *rows) {
  uint64_t hashes[BLOCK], slot;
  int64_t likely[BLOCK];
  for (int64_t first = 0; first < count; first += BLOCK) {
    int64_t block = MIN(BLOCK, count - first);
    hash_block(bytes, offsets + first, block, hashes);
    look_ahead(table, hashes, block, likely);
    for (int64_t i = 0; i < block; i++) {
      int64_t begin = offsets[first + i], size = offsets[first + i + 1] - begin;
      const char *key = (const char *)bytes + begin;
      bool certain = likely[i] < 0 || key_is(table, likely[i], key, size);
      rows[first + i] = certain ? likely[i] : find(table, hashes[i], key, size, &slot);
    }
  }
}

int64_t adl_table_count(const adl_table *table) { return table->count; }
int64_t adl_table_width(const adl_table *table) { return table->width; }

double *adl_table_row(const adl_table *table, int64_t row) {
  static double none; /* of a table without values */
  if (row < 0 || row >= table->count) return NULL;
  return table->width > 0 ? table->rows + row * table->width : &none;
}

adl_text adl_table_key(const adl_table *table, int64_t row) {
  if (row < 0 || row >= table->count) return (adl_text){"", 0};
  int64_t begin = key_begin(table, row);
  return (adl_text){table->keys + begin, (int32_t)(table->ends[row] - begin)};
}

adl_table *adl_table_copy(const adl_table *table) {
  adl_table *copy = g_new0(adl_table, 1);
  copy->width = table->width;
  copy->count = copy->row_capacity = table->count;
  copy->key_capacity = key_bytes(table);
  copy->slot_mask = table->slot_mask;
  const int64_t sizes[] = {table->count * table->width * 8, table->count * 8, copy->key_capacity,
                           (int64_t)(table->slot_mask + 1) * 8};
  for (int which = ROWS; which <= SLOTS; which++) {
    set_storage(copy, which, sizes[which]);
    if (sizes[which] > 0) memcpy(copy->held[which].data, table->held[which].data, (size_t)sizes[which]);
  }
  return copy;
}

void adl_table_add(adl_table *into, const adl_table *from) {
  uint64_t hashes[BLOCK];
  int64_t likely[BLOCK];
  for (int64_t first = 0; first < from->count; first += BLOCK) {
    int64_t block = MIN(BLOCK, from->count - first);
    if ((first & 0xfff) == 0) adl_spill_trim();
    for (int64_t i = 0; i < block; i++) hashes[i] = hash_of_row(from, first + i);
    look_ahead(into, hashes, block, likely);
    for (int64_t row = first; row < first + block; row++) {
      adl_text key = adl_table_key(from, row);
      int64_t at = insert_likely(into, likely[row - first], hashes[row - first], key.data, key.size);
      double *to = adl_table_row(into, at);
      const double *values = adl_table_row(from, row);
      for (int64_t i = 0; i < into->width; i++) to[i] += values[i];
    }
  }
}

void adl_table_swap(adl_table *a, adl_table *b) {
  adl_table content = *a;
  *a = *b;
  *b = content;
}

int64_t adl_table_bytes(const adl_table *table) {
  return (int64_t)sizeof *table + table->row_capacity * (table->width * 8 + 8) + table->key_capacity +
         (int64_t)(table->slot_mask + 1) * 8;
}

void adl_table_parts(const adl_table *table, const char **keys, const int64_t **ends, const double **rows) {
  *keys = table->keys;
  *ends = table->ends;
  *rows = table->rows;
}
