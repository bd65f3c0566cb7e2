/* Classes of a category label. */
#include "common/label_classes.h"

#include <stdlib.h>
#include <string.h>

#include "common/category.h"

void adl_classes_begin(const adl_call *call, adl_tensors *total) { call->host->table(call, total, "classes", 1); }

void adl_classes_add(const adl_call *call, adl_tensors *partial, const adl_column *label, int64_t row, double weight) {
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  adl_text text = adl_category_text(label, row, buffer);
  adl_table *classes = call->host->table(call, partial, "classes", 1);
  call->host->table_row(classes, call->host->table_insert(classes, text.data, text.size))[0] += weight;
}

typedef struct entry {
  adl_text text;
  double weight;
  long long value;
} entry;

/* Whether a text is a whole number as adl_category_text writes it. */
static bool whole(adl_text text, long long *value) {
  char copy[ADL_CATEGORY_TEXT_SIZE], *end;
  if (text.size == 0 || text.size >= (int32_t)sizeof copy) return false;
  memcpy(copy, text.data, (size_t)text.size);
  copy[text.size] = '\0';
  if (copy[0] != '-' && (copy[0] < '0' || copy[0] > '9')) return false;
  *value = strtoll(copy, &end, 10);
  return end == copy + text.size;
}

static int by_text(const void *a, const void *b) {
  const entry *left = a, *right = b;
  int32_t shorter = left->text.size < right->text.size ? left->text.size : right->text.size;
  int order = shorter > 0 ? memcmp(left->text.data, right->text.data, (size_t)shorter) : 0;
  return order != 0 ? order : (left->text.size > right->text.size) - (left->text.size < right->text.size);
}

static int by_value(const void *a, const void *b) {
  const entry *left = a, *right = b;
  return left->value != right->value ? (left->value > right->value ? 1 : -1) : by_text(a, b);
}

adl_classes adl_classes_end(const adl_call *call, const adl_tensors *total) {
  const adl_host *host = call->host;
  const adl_table *counted = host->find_table(call, total, "classes");
  adl_classes classes = {.count = counted != NULL ? host->table_count(counted) : 0,
                         .numbers = host->table(call, host->scratch_tensors(call), "numbers", 1)};
  size_t room = (size_t)classes.count + 1;
  entry *entries = host->alloc(call, room * sizeof *entries);
  bool numbers = true;
  for (int64_t i = 0; i < classes.count; i++) {
    entries[i] = (entry){host->table_key(counted, i), host->table_row(counted, i)[0], 0};
    numbers = whole(entries[i].text, &entries[i].value) && numbers;
  }
  qsort(entries, (size_t)classes.count, sizeof *entries, numbers ? by_value : by_text);
  classes.weights = host->alloc(call, room * sizeof *classes.weights);
  for (int64_t i = 0; i < classes.count; i++) {
    host->table_insert(classes.numbers, entries[i].text.data, entries[i].text.size);
    classes.weights[i] = entries[i].weight;
  }
  return classes;
}

int64_t adl_classes_find(const adl_call *call, const adl_classes *classes, const adl_column *label, int64_t row) {
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  adl_text text = adl_category_text(label, row, buffer);
  return call->host->table_find(classes->numbers, text.data, text.size);
}

void adl_classes_keep(const adl_call *call, const adl_classes *classes, adl_tensors *tensors) {
  const adl_host *host = call->host;
  int64_t size = 0, places = classes->count + 1;
  for (int64_t i = 0; i < classes->count; i++) size += host->table_key(classes->numbers, i).size;
  host->drop_tensor(call, tensors, "classes");
  host->drop_tensor(call, tensors, "classes.offsets");
  char *bytes = host->tensor(call, tensors, "classes", ADL_BYTES, 1, &size);
  int64_t *offsets = host->tensor(call, tensors, "classes.offsets", ADL_INT64, 1, &places);
  for (int64_t i = 0; i < classes->count; i++) {
    adl_text text = host->table_key(classes->numbers, i);
    if (text.size > 0) memcpy(bytes + offsets[i], text.data, (size_t)text.size);
    offsets[i + 1] = offsets[i] + text.size;
  }
}

adl_class_names adl_classes_names(const adl_call *call, const adl_tensors *tensors) {
  adl_tensor bytes, offsets;
  adl_class_names none = {0, NULL, NULL};
  if (!call->host->find_tensor(call, tensors, "classes", &bytes) || bytes.element != ADL_BYTES) return none;
  if (!call->host->find_tensor(call, tensors, "classes.offsets", &offsets) || offsets.element != ADL_INT64) return none;
  const int64_t *at = offsets.data;
  if (offsets.count < 1 || at[0] != 0 || at[offsets.count - 1] != bytes.count) return none;
  for (int64_t i = 1; i < offsets.count; i++)
    if (at[i] < at[i - 1] || at[i] - at[i - 1] > INT32_MAX) return none;
  return (adl_class_names){offsets.count - 1, at, bytes.data};
}
