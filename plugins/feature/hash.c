/* hash: columns of any type to one sparse vector of fixed width, by hashing; no vocabulary, nothing to fit. The work is
 * done in blocks of rows: each column of a block is hashed in one go, then each row's entries are put together. */
#include <adloom/plugin.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/category.h"
#include "common/deal.h"
#include "common/entries.h"
#include "common/murmur3.h"
#include "common/simd.h"

enum { BLOCK_ROWS = ADL_DEAL_ROWS, MAX_CROSSED = 3, MAX_ROW_ENTRIES = 1 << 24, MOST_USUAL = 256 };

/* A column that is hashed, once however often it is named. */
typedef struct hashed_column {
  const adl_input *input;
  uint32_t seed; /* hash of the column's name */
} hashed_column;

typedef struct cross {
  int32_t count;
  int32_t source[MAX_CROSSED];
  bool plain; /* no source has more than one item a row, so neither has the cross */
} cross;

typedef struct hasher {
  adl_inputs columns;
  adl_input_lists crosses;
  int64_t bits;
  bool is_signed;
  adl_output as;
  hashed_column *sources; /* the first columns.count are `columns`, in their order */
  int32_t source_count;
  cross *crossed;
  int32_t cross_count;
  bool one_each; /* no source has more than one item a row */
} hasher;

/* One source in one block: items start[r] - base .. start[r + 1] - base - 1 belong to row r of the block. A value of 0
 * says that there is none. */
typedef struct items {
  const int32_t *start;
  int32_t base;
  uint32_t *hash;
  float *value;
  int64_t capacity; /* 0, or BLOCK_ROWS at least */
} items;

typedef struct row_block {
  const adl_call *call;
  int64_t first, rows;
  const int32_t *one_a_row; /* 0, 1, 2, ... */
  adl_simd level;
} row_block;

/* ---- hashing a column ---- */

static bool finite_or_reject(const row_block *block, const hashed_column *source, int64_t row, double value) {
  if (value >= -FLT_MAX && value <= FLT_MAX) return true;
  block->call->host->reject(block->call, block->first + row, source->input->name, "%g does not fit a float32", value);
  return false;
}

/* True: every one of them fits a float. */
ADL_LOOPS static bool narrow_doubles(const double *from, int64_t rows, float *restrict to) {
  int narrow = 1;
  for (int64_t row = 0; row < rows; row++) {
    to[row] = (float)from[row];
    narrow &= (from[row] >= -FLT_MAX) & (from[row] <= FLT_MAX);
  }
  return narrow != 0;
}

/* For each row of the block 1, or 0 where it is null. Numbers behind the last row are written as well. */
ADL_LOOPS static void valid_as_numbers(const row_block *block, const uint8_t *validity, float valid[BLOCK_ROWS]) {
  uint8_t bits[BLOCK_ROWS / 8] = {0};
  memcpy(bits, validity + block->first / 8, (size_t)(block->rows + 7) / 8);
  for (int64_t row = 0; row < BLOCK_ROWS; row += 8)
    for (int i = 0; i < 8; i++) valid[row + i] = (float)(bits[row / 8] >> i & 1);
}

/* A number is the value of the dimension that its column's name has. */
static void hash_numbers(const row_block *block, const hashed_column *source, const adl_column *column, items *to) {
  for (int64_t row = 0; row < block->rows; row++) to->hash[row] = source->seed;
  bool narrow = column->type.element == ADL_FLOAT64 &&
                narrow_doubles((const double *)column->data + block->first, block->rows, to->value);
  for (int64_t row = 0; !narrow && row < block->rows; row++) {
    int64_t at = block->first + row;
    double value = adl_is_null(column, at) ? 0 : adl_number_at(column, at);
    to->value[row] = finite_or_reject(block, source, row, value) ? (float)value : 0;
  }
  if (narrow && column->validity != NULL) {
    float valid[BLOCK_ROWS];
    valid_as_numbers(block, column->validity, valid);
    for (int64_t row = 0; row < block->rows; row++) to->value[row] *= valid[row]; /* they are finite */
  }
}

#ifdef ADL_SIMD_X86
/* Hashes of strings of eight bytes, from their first four and last four. The compiler makes vectors of it. */
ADL_TARGET_AVX2 ADL_LOOPS static void hash_eights(const uint32_t *first, const uint32_t *last, uint32_t seed,
                                                  uint32_t *hash) {
  for (int64_t i = 0; i < BLOCK_ROWS; i++) {
    uint32_t h = adl_murmur3_add(adl_murmur3_add(seed, first[i]), last[i]);
    hash[i] = adl_murmur3_mix(h ^ 8);
  }
}

/* Ids often have eight characters: where all that are not null do, the block is hashed at once. */
static bool hash_all_eight(const row_block *block, const hashed_column *source, const adl_column *column, items *to) {
  uint32_t first[BLOCK_ROWS], last[BLOCK_ROWS], odd = 0;
  const int32_t *offsets = column->string_offsets + block->first;
  if (block->level < ADL_SIMD_AVX2) return false;
  for (int64_t row = 0; row < block->rows; row++) {
    bool eight = offsets[row + 1] - offsets[row] == 8;
    const char *at = (const char *)column->data + (offsets[row] & -(int32_t)eight); /* a buffer has 64 bytes at least */
    memcpy(&first[row], at, 4);
    memcpy(&last[row], at + 4, 4);
    odd |= (uint32_t)(!eight && !adl_is_null(column, block->first + row));
  }
  if (odd != 0) return false;
  for (int64_t row = block->rows; row < BLOCK_ROWS; row++) first[row] = last[row] = 0;
  hash_eights(first, last, source->seed, to->hash);
  return true;
}
#else
static bool hash_all_eight(const row_block *block, const hashed_column *source, const adl_column *column, items *to) {
  (void)block, (void)source, (void)column, (void)to;
  return false;
}
#endif

static void hash_strings(const row_block *block, const hashed_column *source, const adl_column *column, items *to) {
  const char *bytes = column->data;
  const int32_t *offsets = column->string_offsets + block->first;
  int32_t size = offsets[1] - offsets[0];
  if ((size == 0 || size == 8) && hash_all_eight(block, source, column, to)) return;
  for (int64_t row = 0; row < block->rows; row++)
    to->hash[row] = adl_murmur3(bytes + offsets[row], (size_t)(offsets[row + 1] - offsets[row]), source->seed);
}

static void hash_categories(const row_block *block, const hashed_column *source, const adl_column *column, items *to) {
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  if (column->type.element == ADL_STRING) {
    hash_strings(block, source, column, to);
  } else {
    for (int64_t row = 0; row < block->rows; row++) {
      adl_text text = adl_category_text(column, block->first + row, buffer);
      to->hash[row] = adl_murmur3(text.data, (size_t)text.size, source->seed);
    }
  }
  if (column->validity != NULL)
    valid_as_numbers(block, column->validity, to->value);
  else
    for (int64_t row = 0; row < block->rows; row++) to->value[row] = 1;
}

/* Lists and bags: each item is a category, a bag's weights are the values. */
static void hash_items(const row_block *block, const hashed_column *source, const adl_column *column, items *to) {
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  for (int64_t row = 0; row < block->rows; row++)
    for (int32_t item = to->start[row]; item < to->start[row + 1]; item++) {
      adl_text text = adl_category_text(column, item, buffer);
      float value = column->weights != NULL ? column->weights[item] : 1;
      to->hash[item - to->base] = adl_murmur3(text.data, (size_t)text.size, source->seed);
      to->value[item - to->base] = finite_or_reject(block, source, row, (double)value) ? value : 0;
    }
}

/* Dimensions stay neighbours: that of number d is d behind that of the column's name. */
static void hash_vector(const row_block *block, const hashed_column *source, const adl_column *column, items *to) {
  int64_t width = column->type.width;
  for (int64_t row = 0; row < block->rows; row++)
    for (int64_t d = 0; d < width; d++) {
      int64_t from = (block->first + row) * width + d;
      double value = column->type.element == ADL_FLOAT64 ? ((const double *)column->data)[from]
                                                         : (double)((const float *)column->data)[from];
      to->hash[row * width + d] = source->seed + (uint32_t)d;
      to->value[row * width + d] = finite_or_reject(block, source, row, value) ? (float)value : 0;
    }
}

static void hash_sparse(const hashed_column *source, const adl_column *column, int64_t count, items *to) {
  for (int64_t i = 0; i < count; i++) {
    to->hash[i] = source->seed + column->index[to->base + i];
    to->value[i] = ((const float *)column->data)[to->base + i];
  }
}

static const int32_t *vector_starts(const row_block *block, int64_t width) {
  int32_t *starts = block->call->host->alloc(block->call, (BLOCK_ROWS + 1) * sizeof *starts);
  for (int64_t row = 0; row <= block->rows; row++) starts[row] = (int32_t)(row * width);
  return starts;
}

static void hash_block(const row_block *block, const hashed_column *source, const adl_column *column, items *to) {
  adl_shape shape = column->type.shape;
  to->start = shape == ADL_SCALAR   ? block->one_a_row
              : shape == ADL_VECTOR ? vector_starts(block, column->type.width)
                                    : column->offsets + block->first;
  to->base = to->start[0];
  int64_t count = to->start[block->rows] - to->base;
  if (count > to->capacity || to->capacity == 0) {
    const adl_host *host = block->call->host;
    to->capacity = count + count / 4 > BLOCK_ROWS ? count + count / 4 : BLOCK_ROWS;
    to->hash = host->alloc(block->call, (size_t)to->capacity * sizeof *to->hash);
    to->value = host->alloc(block->call, (size_t)to->capacity * sizeof *to->value);
  }
  if (shape == ADL_VECTOR)
    hash_vector(block, source, column, to);
  else if (shape == ADL_SPARSE)
    hash_sparse(source, column, count, to);
  else if (shape != ADL_SCALAR)
    hash_items(block, source, column, to);
  else if (column->type.role == ADL_CATEGORY)
    hash_categories(block, source, column, to);
  else
    hash_numbers(block, source, column, to);
}

/* ---- putting a row together ---- */

/* Where the entries of a row go. */
typedef struct gathering {
  uint32_t *dimension;
  float *value;
  uint64_t *scratch; /* twice as many */
  int64_t count, capacity;
  uint32_t mask;
  bool is_signed;
} gathering;

/* With `signed`, half of the hashes turn the sign. */
static inline float signed_value(uint32_t hash, float value) { return adl_murmur3_mix(hash) >> 31 ? -value : value; }

static inline void add_entry(gathering *row, uint32_t hash, float value) {
  if (value == 0) return;
  row->dimension[row->count] = hash & row->mask;
  row->value[row->count++] = row->is_signed ? signed_value(hash, value) : value;
}

/* Hashes are chained as Vowpal Wabbit does. */
static inline uint32_t chain(uint32_t hash, uint32_t next) { return (hash * UINT32_C(16777619)) ^ next; }

/* A plain cross, of a whole block: a column like others. */
ADL_LOOPS static void cross_columns(const items *all, const cross *of, items *to) {
  memcpy(to->hash, all[of->source[0]].hash, BLOCK_ROWS * sizeof *to->hash);
  memcpy(to->value, all[of->source[0]].value, BLOCK_ROWS * sizeof *to->value);
  for (int32_t i = 1; i < of->count; i++) {
    const uint32_t *hash = all[of->source[i]].hash;
    const float *value = all[of->source[i]].value;
    for (int row = 0; row < BLOCK_ROWS; row++) {
      to->hash[row] = chain(to->hash[row], hash[row]);
      to->value[row] *= value[row];
    }
  }
}

/* Every combination of one item from each column of the cross. */
static void add_cross(gathering *row, const items *all, const int32_t *sources, int32_t left, int64_t at, uint32_t hash,
                      float value) {
  const items *from = &all[sources[0]];
  for (int32_t item = from->start[at] - from->base; item < from->start[at + 1] - from->base; item++) {
    float product = value * from->value[item];
    uint32_t chained = chain(hash, from->hash[item]);
    if (product == 0) continue;
    if (left > 1)
      add_cross(row, all, sources + 1, left - 1, at, chained, product);
    else
      add_entry(row, chained, product);
  }
}

/* How many entries a row may have, before those of one dimension are summed. */
static double count_entries(const hasher *self, const items *all, int64_t at) {
  double count = 0;
  for (int64_t i = 0; i < self->columns.count; i++) count += all[i].start[at + 1] - all[i].start[at];
  for (int32_t c = 0; c < self->cross_count; c++) {
    double product = 1;
    for (int32_t i = 0; i < self->crossed[c].count; i++) {
      const items *from = &all[self->crossed[c].source[i]];
      product *= from->start[at + 1] - from->start[at];
    }
    count += product;
  }
  return count;
}

/* `crossed`: the plain ones. */
static void add_crosses(const hasher *self, const items *all, const items *crossed, int64_t at, gathering *row) {
  for (int32_t c = 0; c < self->cross_count; c++)
    if (self->crossed[c].plain)
      add_entry(row, crossed[c].hash[at], crossed[c].value[at]);
    else
      add_cross(row, all, self->crossed[c].source, self->crossed[c].count, at, 0, 1);
}

static void make_room(const adl_call *call, gathering *row, int64_t count) {
  if (count <= row->capacity) return;
  size_t capacity = (size_t)(count + count / 2 + 64);
  row->capacity = (int64_t)capacity;
  row->dimension = call->host->alloc(call, capacity * sizeof *row->dimension);
  row->value = call->host->alloc(call, capacity * sizeof *row->value);
  row->scratch = call->host->alloc(call, 2 * capacity * sizeof *row->scratch);
}

/* Where columns may have any number of items a row. */
static void gather_row(const hasher *self, const row_block *block, const items *all, const items *crossed, int64_t at,
                       gathering *row) {
  double most = count_entries(self, all, at);
  row->count = 0;
  if (most > MAX_ROW_ENTRIES) {
    block->call->host->reject(block->call, block->first + at, "crosses", "the row has %.0f entries; at most %d", most,
                              MAX_ROW_ENTRIES);
    return;
  }
  make_room(block->call, row, (int64_t)most);
  for (int64_t i = 0; i < self->columns.count; i++)
    for (int32_t item = all[i].start[at] - all[i].base; item < all[i].start[at + 1] - all[i].base; item++)
      add_entry(row, all[i].hash[item], all[i].value[item]);
  add_crosses(self, all, crossed, at, row);
}

ADL_LOOPS static void sign_values(const uint32_t hash[BLOCK_ROWS], const float value[BLOCK_ROWS],
                                  float to[restrict BLOCK_ROWS]) {
  for (int i = 0; i < BLOCK_ROWS; i++) to[i] = signed_value(hash[i], value[i]);
}

/* Where every column has at most one item a row, all rows of a block are filled at once. */
static void deal_rows(const hasher *self, const row_block *block, const items *all, const items *crossed, uint32_t mask,
                      adl_dealt *to) {
  const adl_host *host = block->call->host;
  int64_t count = self->columns.count + self->cross_count;
  adl_deal_column *columns = host->alloc(block->call, (size_t)count * sizeof *columns);
  for (int64_t i = 0; i < count; i++) {
    const items *from = i < self->columns.count ? &all[i] : &crossed[i - self->columns.count];
    columns[i] = (adl_deal_column){from->hash, from->value};
    if (!self->is_signed) continue;
    float *value = host->alloc(block->call, BLOCK_ROWS * sizeof *value);
    sign_values(from->hash, from->value, value);
    columns[i].value = value;
  }
  adl_deal(columns, count, mask, to);
}

/* The rows of a block, behind the `used` entries that the column has. */
static adl_status put_block(const hasher *self, const row_block *block, const items *all, const items *crossed,
                            adl_dealt *dealt, gathering *row, adl_out *out, int64_t batch_rows, adl_buffers *column,
                            int64_t *used) {
  if (self->one_each) deal_rows(self, block, all, crossed, row->mask, dealt);
  for (int64_t at = 0; at < block->rows; at++) {
    if (self->one_each) {
      row->dimension = dealt->dimension + at * dealt->stride;
      row->value = dealt->value + at * dealt->stride;
      row->count = dealt->filled[at];
    } else {
      gather_row(self, block, all, crossed, at, row);
    }
    if (*used + row->count > column->item_capacity)
      ADL_TRY(
          block->call->host->reserve(block->call, out, self->as.slot, batch_rows, 2 * (*used + row->count), 0, column));
    *used += adl_entries_merge_pairs(row->dimension, row->value, row->scratch, row->count, column->index + *used,
                                     (float *)column->data + *used);
    column->offsets[block->first + at + 1] = (int32_t)*used;
  }
  return ADL_OK;
}

/* About how many entries the batch's rows have: each value and each plain cross is one, unless it is null or 0; of dense
 * vectors there may be many of these. */
static int64_t usual_entries(const hasher *self, const adl_batch *batch) {
  int64_t entries = self->cross_count * batch->rows;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_column *column = batch->slots[self->columns.items[i].slot];
    adl_shape shape = column->type.shape;
    entries += shape == ADL_SCALAR   ? batch->rows
               : shape == ADL_VECTOR ? batch->rows * (column->type.width < MOST_USUAL ? column->type.width : MOST_USUAL)
                                     : column->offsets[batch->rows] - column->offsets[0];
  }
  return entries;
}

/* Room for the plain crosses of a block. */
static items *new_crossed(const adl_call *call, const hasher *self) {
  const adl_host *host = call->host;
  items *crossed = host->alloc(call, ((size_t)self->cross_count + 1) * sizeof *crossed);
  for (int32_t c = 0; c < self->cross_count; c++)
    if (self->crossed[c].plain)
      crossed[c] = (items){.hash = host->alloc(call, BLOCK_ROWS * sizeof *crossed->hash),
                           .value = host->alloc(call, BLOCK_ROWS * sizeof *crossed->value)};
  return crossed;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_host *host = call->host;
  const hasher *self = instance;
  int32_t one_a_row[BLOCK_ROWS + 1];
  items *all = host->alloc(call, (size_t)self->source_count * sizeof *all), *crossed = new_crossed(call, self);
  gathering row = {.mask = (uint32_t)((UINT64_C(1) << self->bits) - 1), .is_signed = self->is_signed};
  int64_t usual = self->columns.count + self->cross_count;
  adl_dealt dealt = {.stride = usual + ADL_DEAL_SPARE, .level = adl_simd_level()};
  int64_t used = 0;
  adl_buffers column = {0};
  (void)model;
  memset(all, 0, (size_t)self->source_count * sizeof *all);
  for (int32_t i = 0; i <= BLOCK_ROWS; i++) one_a_row[i] = i;
  make_room(call, &row, usual);
  dealt.dimension = host->alloc(call, (size_t)(BLOCK_ROWS * dealt.stride) * sizeof *dealt.dimension);
  dealt.value = host->alloc(call, (size_t)(BLOCK_ROWS * dealt.stride) * sizeof *dealt.value);
  ADL_TRY(host->reserve(call, out, self->as.slot, batch->rows, usual_entries(self, batch), 0, &column));
  for (int64_t first = 0; first < batch->rows; first += BLOCK_ROWS) {
    int64_t rest = batch->rows - first;
    row_block block = {call, first, rest < BLOCK_ROWS ? rest : BLOCK_ROWS, one_a_row, dealt.level};
    for (int32_t i = 0; i < self->source_count; i++)
      hash_block(&block, &self->sources[i], batch->slots[self->sources[i].input->slot], &all[i]);
    for (int32_t c = 0; c < self->cross_count; c++)
      if (self->crossed[c].plain) cross_columns(all, &self->crossed[c], &crossed[c]);
    ADL_TRY(put_block(self, &block, all, crossed, &dealt, &row, out, batch->rows, &column, &used));
  }
  return ADL_OK;
}

/* ---- binding ---- */

/* Number of the source for an input, made if it is not there. */
static int32_t find_source(hasher *self, const adl_input *input) {
  for (int32_t i = 0; i < self->source_count; i++)
    if (strcmp(self->sources[i].input->name, input->name) == 0) return i;
  self->sources[self->source_count] = (hashed_column){input, adl_murmur3(input->name, strlen(input->name), 0)};
  if (input->type.shape != ADL_SCALAR) self->one_each = false;
  return self->source_count++;
}

static adl_status check_column(const adl_call *call, int64_t number, const adl_input *input) {
  const adl_type *type = &input->type;
  char parameter[32];
  bool is_float = type->element == ADL_FLOAT32 || type->element == ADL_FLOAT64;
  bool is_item = type->shape == ADL_SCALAR || type->shape == ADL_LIST;
  snprintf(parameter, sizeof parameter, "columns[%lld]", (long long)number);
  if (type->element == ADL_TIMESTAMP)
    return call->host->fail(call, parameter, -1, "derive the hour, the weekday or an age from it, and hash that",
                            "%s is a timestamp, whose value hardly ever comes again", input->name);
  if (type->shape == ADL_LIST && type->role == ADL_NUMBER)
    return call->host->fail(call, parameter, -1, "give a list of strings or ids, or aggregate the numbers first",
                            "%s is a list of numbers, which have no dimensions of their own", input->name);
  if (is_item && is_float && type->role == ADL_CATEGORY)
    return call->host->fail(call, parameter, -1, "read it as a number or as a string",
                            "%s is a category of floating-point values", input->name);
  return ADL_OK;
}

static adl_status bind_columns(const adl_call *call, hasher *self) {
  adl_status status = ADL_OK;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_input *input = &self->columns.items[i];
    if (check_column(call, i, input) != ADL_OK) status = ADL_FAILED;
    if (find_source(self, input) != i)
      return call->host->fail(call, "columns", -1, "name it once", "%s is named twice", input->name);
  }
  return status;
}

static adl_status bind_crosses(const adl_call *call, hasher *self) {
  adl_status status = ADL_OK;
  for (int64_t c = 0; c < self->crosses.count; c++) {
    const adl_inputs *members = &self->crosses.items[c];
    cross *made = &self->crossed[self->cross_count++];
    if (members->count < 2 || members->count > MAX_CROSSED) {
      char parameter[32];
      snprintf(parameter, sizeof parameter, "crosses[%lld]", (long long)c);
      status = call->host->fail(call, parameter, -1, NULL, "a cross is of two or three columns, not of %lld",
                                (long long)members->count);
      continue;
    }
    made->plain = true;
    for (int64_t i = 0; i < members->count; i++) {
      made->source[made->count++] = find_source(self, &members->items[i]);
      if (members->items[i].type.shape != ADL_SCALAR) made->plain = false;
    }
  }
  return status;
}

static adl_status bind(const adl_call *call, void *instance) {
  const adl_host *host = call->host;
  hasher *self = instance;
  int64_t inputs = self->columns.count;
  for (int64_t c = 0; c < self->crosses.count; c++) inputs += self->crosses.items[c].count;
  if (inputs == 0) return host->fail(call, "columns", -1, "name the columns to hash", "there is nothing to hash");
  self->sources = calloc((size_t)inputs, sizeof *self->sources);
  self->crossed = calloc((size_t)self->crosses.count + 1, sizeof *self->crossed);
  if (self->sources == NULL || self->crossed == NULL) return host->fail(call, NULL, -1, NULL, "out of memory");
  self->one_each = true;
  adl_status columns = bind_columns(call, self), crosses = columns == ADL_OK ? bind_crosses(call, self) : ADL_OK;
  if (columns != ADL_OK || crosses != ADL_OK) return ADL_FAILED;
  return host->declare(call, &self->as,
                       (adl_type){ADL_FLOAT32, ADL_SPARSE, ADL_NUMBER, 0, 0, INT64_C(1) << self->bits});
}

static adl_status start(const adl_call *call, void *instance) {
  const hasher *self = instance;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_input *input = &self->columns.items[i];
    if (input->type.width > INT64_C(1) << self->bits)
      call->host->log(call, ADL_WARNING, "%s has %lld dimensions, which have to share 2^%lld; more `bits` would help",
                      input->name, (long long)input->type.width, (long long)self->bits);
  }
  return ADL_OK;
}

static void destroy(void *instance) {
  hasher *self = instance;
  free(self->sources);
  free(self->crossed);
}

static const adl_param params[] = {
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS,
     .offset = offsetof(hasher, columns),
     .shapes = ADL_ANY_SHAPE,
     .doc = "Columns to hash, of any type but timestamps: categories, numbers, lists and bags of strings, vectors, "
            "sparse vectors."},
    {.name = "crosses",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LISTS_OF | ADL_NULLS_PASS,
     .offset = offsetof(hasher, crosses),
     .elements = ADL_ANY_INTEGER | ADL_MASK(ADL_BOOL) | ADL_MASK(ADL_STRING) | ADL_MASK(ADL_BYTES),
     .shapes = ADL_MASK(ADL_SCALAR) | ADL_MASK(ADL_LIST) | ADL_MASK(ADL_BAG),
     .roles = ADL_MASK(ADL_CATEGORY),
     .doc =
         "Pairs or triples of category columns whose combinations are features of their own: [[user, segment]]. They "
         "need not be among `columns`. derive makes a category of a number or a bool: string(x)."},
    {.name = "bits",
     .type = ADL_PARAM_INT,
     .offset = offsetof(hasher, bits),
     .default_value = "18",
     .range = "[1, 31]",
     .doc =
         "The vector has 2^bits dimensions. With n different values, about n / 2^bits of them share a dimension with "
         "another; 18 to 24 are usual."},
    {.name = "signed",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(hasher, is_signed),
     .default_value = "false",
     .doc = "Turn the sign of half of the features, by their hash, so that what shares a dimension cancels out on "
            "average."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(hasher, as),
     .default_value = "x",
     .doc = "Name of the new column, a sparse vector."},
};

static const char doc[] =
    "Puts columns into one sparse vector of 2^bits dimensions by hashing them. Nothing is learned and no vocabulary "
    "is held: new values get a dimension as they come, memory stays the same, and now and then two features share a "
    "dimension.\n\n"
    "A category (a string, an id) has the value 1 in the dimension of its column and value; identifiers that are "
    "integers are hashed as their decimal text. A number is the value of the one dimension that its column has; so is "
    "a bool, 1 if true, unless its producer says that it is a category, hashed as true or false. The items of a list "
    "are categories, those of a bag have their weights as values. Vectors "
    "and sparse vectors pass through: their dimensions lie side by side behind that of their column. Numbers that are "
    "0 and nulls give nothing. What falls into one dimension is added up. Whether an integer is a category or a "
    "number is what its producer says: in read-csv, id or int; its bools are numbers, and string(x) makes a category "
    "of one.\n\n"
    "The hash is MurmurHash3 (x86, 32 bits): seed(column) = murmur3(column name, seed 0); a category has dimension "
    "murmur3(value, seed(column)) mod 2^bits, a number seed(column) mod 2^bits, dimension d of a vector (seed(column) "
    "+ d) mod 2^bits. A cross chains the full hashes of its members as (h1 x 16777619 xor h2) x 16777619 xor h3; its "
    "value is the product of theirs, and lists and bags are crossed item by item. These are Vowpal Wabbit's rules "
    "with the column as the namespace (and, for numbers, as a feature of the namespace without a name), save that it "
    "takes names made of digits for numbers. With `signed`, a feature is negative where the top bit of MurmurHash3's "
    "finaliser over its full hash is set.\n\n"
    "A row whose numbers do not fit a float32, or whose crosses have more than 16,777,216 combinations, is rejected.";

static const adl_class hash_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_FEATURE,
    .id = "hash",
    .title = "Any columns to one sparse vector, by hashing",
    .doc = doc,
    .flags = ADL_EXACT_ROWS,
    .form = ADL_SAME,
    .instance_size = sizeof(hasher),
    .state_version = 1,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .start = start,
    .process = process,
};

static const adl_class *const classes[] = {&hash_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "hash",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("hash", "1.0.0", "feature:hash", &plugin);
