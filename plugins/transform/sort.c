/* sort: all rows in order of some columns. A merge sort over (first eight bytes of the first key, row); what these eight
 * bytes leave open is decided by comparing the columns, and at last by the row, so that the order is total and does not
 * depend on how the work was dealt out. */
#include <adloom/plugin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/key.h"

typedef struct sort {
  adl_inputs by;
  adl_inputs descending;
  bool *down; /* by number of `by` */
} sort;

/* A fixed number of parts, so that threads change nothing. */
enum { PARTS = 16, FEW_ROWS = 32768, SHORT_RUN = 12 };

typedef struct entry {
  uint64_t prefix;
  int64_t row;
} entry;

typedef struct sorting {
  const sort *self;
  const adl_batch *batch;
  entry *from, *to;
  int64_t rows, width; /* of a part, or of a run to merge */
} sorting;

static const adl_column *key_column(const sorting *s, int64_t key) {
  return s->batch->slots[s->self->by.items[key].slot];
}

static bool is_float(const adl_column *column) { return (ADL_MASK(column->type.element) & ADL_ANY_FLOAT) != 0; }

static int64_t integer_at(const adl_column *column, int64_t row) {
  switch (column->type.element) {
    case ADL_BOOL: return adl_bit(column->data, row);
    case ADL_INT32: return ((const int32_t *)column->data)[row];
    case ADL_UINT32: return ((const uint32_t *)column->data)[row];
    default: return ((const int64_t *)column->data)[row];
  }
}

/* 0: a value, 1: NaN, 2: null. What is higher goes to the end in either direction. */
static int rank_at(const adl_column *column, int64_t row) {
  if (adl_is_null(column, row)) return 2;
  return is_float(column) && isnan(adl_number_at(column, row));
}

static int compare_values(const adl_column *column, int64_t a, int64_t b) {
  if (column->string_offsets != NULL) return adl_key_compare(adl_text_at(column, a), adl_text_at(column, b));
  if (is_float(column)) {
    double x = adl_number_at(column, a), y = adl_number_at(column, b);
    return (x > y) - (x < y);
  }
  int64_t x = integer_at(column, a), y = integer_at(column, b);
  return (x > y) - (x < y);
}

static bool goes_before(const sorting *s, const entry *a, const entry *b) {
  if (a->prefix != b->prefix) return a->prefix < b->prefix;
  for (int64_t key = 0; key < s->self->by.count; key++) {
    const adl_column *column = key_column(s, key);
    int rank_a = rank_at(column, a->row), rank_b = rank_at(column, b->row);
    if (rank_a != rank_b) return rank_a < rank_b;
    int order = rank_a == 0 ? compare_values(column, a->row, b->row) : 0;
    if (order != 0) return (order < 0) != s->self->down[key];
  }
  return a->row < b->row;
}

/* The first bytes of a value, as a number whose order agrees with that of the values: equal where it cannot tell. */
static uint64_t prefix_of(const adl_column *column, int64_t row, bool down) {
  uint64_t prefix = 0;
  if (rank_at(column, row) != 0) return UINT64_MAX;
  if (column->string_offsets != NULL) {
    adl_text text = adl_text_at(column, row);
    for (int32_t i = 0; i < 8; i++) prefix = prefix << 8 | (i < text.size ? (unsigned char)text.data[i] : 0);
  } else if (is_float(column)) {
    double value = adl_number_at(column, row) + 0.0; /* -0 becomes 0 */
    memcpy(&prefix, &value, sizeof prefix);
    prefix = (prefix >> 63) != 0 ? ~prefix : prefix | (UINT64_C(1) << 63);
  } else {
    prefix = (uint64_t)integer_at(column, row) ^ (UINT64_C(1) << 63);
  }
  return down ? ~prefix : prefix;
}

static void insertion_sort(const sorting *s, entry *entries, int64_t count) {
  for (int64_t i = 1; i < count; i++) {
    entry moving = entries[i];
    int64_t at = i;
    for (; at > 0 && goes_before(s, &moving, &entries[at - 1]); at--) entries[at] = entries[at - 1];
    entries[at] = moving;
  }
}

static void merge(const sorting *s, const entry *a, int64_t a_count, const entry *b, int64_t b_count, entry *to) {
  int64_t i = 0, j = 0;
  while (i < a_count && j < b_count) *to++ = goes_before(s, &b[j], &a[i]) ? b[j++] : a[i++];
  memcpy(to, a + i, (size_t)(a_count - i) * sizeof *to);
  memcpy(to + (a_count - i), b + j, (size_t)(b_count - j) * sizeof *to);
}

static void merge_sort(const sorting *s, entry *entries, entry *spare, int64_t count) {
  if (count <= SHORT_RUN) {
    insertion_sort(s, entries, count);
    return;
  }
  int64_t half = count / 2;
  merge_sort(s, entries, spare, half);
  merge_sort(s, entries + half, spare, count - half);
  memcpy(spare, entries, (size_t)half * sizeof *spare);
  merge(s, spare, half, entries + half, count - half, entries);
}

/* Part i of the rows, sorted by itself. */
static adl_status sort_part(const adl_call *call, void *context, int64_t part) {
  const sorting *s = context;
  int64_t first = part * s->width, end = first + s->width < s->rows ? first + s->width : s->rows;
  const adl_column *column = key_column(s, 0);
  if (call->host->cancelled(call)) return ADL_FAILED;
  for (int64_t row = first; row < end; row++) s->from[row] = (entry){prefix_of(column, row, s->self->down[0]), row};
  if (first < end) merge_sort(s, s->from + first, s->to + first, end - first);
  return ADL_OK;
}

/* Runs 2i and 2i + 1, merged. */
static adl_status merge_runs(const adl_call *call, void *context, int64_t pair) {
  const sorting *s = context;
  int64_t first = pair * 2 * s->width, middle = first + s->width, end = middle + s->width;
  if (call->host->cancelled(call)) return ADL_FAILED;
  if (first > s->rows) first = s->rows;
  if (middle > s->rows) middle = s->rows;
  if (end > s->rows) end = s->rows;
  merge(s, s->from + first, middle - first, s->from + middle, end - middle, s->to + first);
  return ADL_OK;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_host *host = call->host;
  const sort *self = instance;
  int64_t parts = batch->rows < FEW_ROWS ? 1 : PARTS;
  sorting s = {.self = self, .batch = batch, .rows = batch->rows, .width = (batch->rows + parts - 1) / parts};
  (void)model;
  s.from = host->alloc(call, (size_t)batch->rows * sizeof *s.from);
  s.to = host->alloc(call, (size_t)batch->rows * sizeof *s.to);
  ADL_TRY(host->parallel(call, parts, sort_part, &s));
  for (; s.width < s.rows; s.width *= 2) {
    ADL_TRY(host->parallel(call, (s.rows + 2 * s.width - 1) / (2 * s.width), merge_runs, &s));
    entry *sorted = s.to;
    s.to = s.from;
    s.from = sorted;
  }
  int64_t *index = (int64_t *)(void *)s.to;
  for (int64_t i = 0; i < batch->rows; i++) index[i] = s.from[i].row;
  return host->pick(call, out, index, batch->rows);
}

static adl_status bind(const adl_call *call, void *instance) {
  sort *self = instance;
  if (self->by.count == 0) return call->host->fail(call, "by", -1, NULL, "name at least one column to sort by");
  self->down = calloc((size_t)self->by.count, sizeof *self->down);
  if (self->down == NULL) return call->host->fail(call, "by", -1, NULL, "no memory for the list");
  for (int64_t i = 0; i < self->descending.count; i++) {
    const char *name = self->descending.items[i].name;
    bool found = false;
    for (int64_t key = 0; key < self->by.count; key++) {
      if (strcmp(self->by.items[key].name, name) != 0) continue;
      self->down[key] = found = true;
    }
    char parameter[40];
    snprintf(parameter, sizeof parameter, "descending[%lld]", (long long)i);
    if (!found) return call->host->fail(call, parameter, -1, "name it there as well", "`%s` is not among `by`", name);
  }
  return ADL_OK;
}

static void destroy(void *instance) { free(((sort *)instance)->down); }

static const adl_param params[] = {
    {.name = "by",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_REQUIRED | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(sort, by),
     .doc = "Columns to sort by, the most important one first."},
    {.name = "descending",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(sort, descending),
     .doc = "Those of them that go downwards: the greatest value first."},
};

static const char doc[] = "Puts all rows in order. Numbers and timestamps go by size, strings by the bytes of their "
                          "UTF-8 (capitals before small letters, and no alphabet of a language), false before true. "
                          "Rows that are equal in all columns of `by` keep the order they came in.\n\n"
                          "Nulls stand at the end, and NaN before them, in either direction.\n\n"
                          "The columns of `by` are held in memory for all rows at once, with 32 bytes a row beside "
                          "them; all other columns are not.";

static const adl_class sort_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "sort",
    .title = "Rows in order of some columns",
    .doc = doc,
    .flags = ADL_ALL_ROWS | ADL_WHOLE_TABLE,
    .form = ADL_PICKED,
    .instance_size = sizeof(sort),
    .state_version = 1,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .process = process,
};

static const adl_class *const classes[] = {&sort_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "sort",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("sort", "1.0.0", "transform:sort", &plugin);
