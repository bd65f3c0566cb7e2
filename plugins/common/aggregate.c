/* Folding aggregates: what a batch adds to its groups, and what one partial result adds to another. See aggregate.h. */
#include "common/aggregate.h"

#include "common/aggregate_bag.h"
#include "common/aggregate_vector.h"
#include "common/cell.h"
#include "common/key.h"

/* ---- binding ---- */

static adl_cell_kind kind_of(adl_type type) {
  if (type.element == ADL_STRING || type.element == ADL_BYTES) return ADL_CELL_TEXT;
  return (ADL_MASK(type.element) & ADL_ANY_FLOAT) != 0 ? ADL_CELL_FLOAT : ADL_CELL_INTEGER;
}

static adl_type number_type(adl_element element) { return (adl_type){.element = (uint8_t)element, .role = ADL_NUMBER}; }

static adl_status refuse(const adl_call *call, const adl_call_of *of, const char *hint, const char *what) {
  char parameter[256];
  snprintf(parameter, sizeof parameter, "columns.%s", of->name);
  return call->host->fail(call, parameter, -1, hint, "%s", what);
}

static adl_status bind_sum(const adl_call *call, adl_aggregate *a, adl_type type) {
  if (type.shape == ADL_VECTOR) { /* one cell: how many rows; see aggregate_vector.c */
    a->type = (adl_type){.element = type.element, .shape = ADL_VECTOR, .role = ADL_NUMBER};
    a->cells = 1;
    return ADL_OK;
  }
  if (type.shape != ADL_SCALAR || (ADL_MASK(type.element) & ADL_ANY_NUMERIC) == 0)
    return refuse(call, a->of, "number(x) reads a number from a string",
                  "sum and mean are of numbers, and of vectors of them");
  if (type.role == ADL_CATEGORY && type.element != ADL_BOOL)
    return refuse(call, a->of, "number(x) takes an id as a number; distinct(x) and bag(x) are of ids",
                  "sum and mean are of numbers, and this is an id");
  bool whole = a->of->function == ADL_SUM && a->value == ADL_CELL_INTEGER;
  a->type = number_type(whole ? ADL_INT64 : ADL_FLOAT64);
  a->cells = a->of->function == ADL_MEAN ? 3 : 2;
  return ADL_OK;
}

static adl_status bind_last(const adl_call *call, adl_aggregate *a, adl_type type) {
  adl_type time = a->of->arguments[1].type;
  bool fits = time.shape == ADL_SCALAR && kind_of(time) != ADL_CELL_TEXT;
  if (!fits) return refuse(call, a->of, NULL, "the second argument of last is a timestamp or a number");
  if (type.shape != ADL_SCALAR) return refuse(call, a->of, NULL, "last is of plain values");
  a->second = kind_of(time);
  a->type = type;
  a->cells = 2 + (a->value == ADL_CELL_TEXT ? ADL_TEXT_CELLS : 1);
  return ADL_OK;
}

static adl_status bind_bag(const adl_call *call, adl_aggregate *a, adl_type type) {
  bool text =
      type.element == ADL_STRING && (type.shape == ADL_SCALAR || type.shape == ADL_LIST || type.shape == ADL_BAG);
  bool integer = (ADL_MASK(type.element) & (ADL_ANY_INTEGER | ADL_MASK(ADL_BOOL))) != 0 &&
                 (type.shape == ADL_SCALAR || type.shape == ADL_LIST);
  if (!text && !integer)
    return refuse(call, a->of, "string(x) writes a value as a string",
                  "a bag is of strings or ids, or of lists or bags of them");
  if (a->of->argument_count == 2) {
    adl_type weight = a->of->arguments[1].type;
    if (weight.shape != ADL_SCALAR || (ADL_MASK(weight.element) & ADL_ANY_NUMERIC) == 0 || weight.role != ADL_NUMBER)
      return refuse(call, a->of, NULL, "the second argument of bag, the weight, is a number");
  }
  a->type = (adl_type){.element = ADL_STRING, .shape = ADL_BAG, .role = ADL_CATEGORY};
  return ADL_OK;
}

adl_status adl_aggregate_bind(const adl_call *call, const adl_call_of *of, int64_t number, adl_aggregate *aggregate) {
  adl_type type = of->arguments[0].type;
  *aggregate = (adl_aggregate){.of = of, .number = number, .value = kind_of(type), .slot = -1};
  switch (of->function) {
    case ADL_SUM:
    case ADL_MEAN: return bind_sum(call, aggregate, type);
    case ADL_MIN:
    case ADL_MAX:
      if (type.shape != ADL_SCALAR) return refuse(call, of, NULL, "min and max are of plain values");
      aggregate->type = type;
      aggregate->cells = aggregate->value == ADL_CELL_TEXT ? ADL_TEXT_CELLS : 2;
      return ADL_OK;
    case ADL_LAST: return bind_last(call, aggregate, type);
    case ADL_DISTINCT:
      if (type.shape != ADL_SCALAR) return refuse(call, of, NULL, "distinct is of plain values");
      break;
    case ADL_BAG_OF: return bind_bag(call, aggregate, type);
    default: break;
  }
  aggregate->type = number_type(ADL_INT64);
  aggregate->cells = 1;
  return ADL_OK;
}

static const char *side_name(const adl_aggregate *a, const adl_aggregate_state *state, char name[40]) {
  snprintf(name, 40, "distinct.%lld", (long long)adl_aggregate_number(a, state));
  return name;
}

static adl_table *side_table(const adl_call *call, const adl_aggregate *a, const adl_aggregate_state *state) {
  char name[40];
  return call->host->table(call, state->tensors, side_name(a, state, name), 0);
}

static bool keeps_texts(const adl_aggregate *a) {
  int32_t function = a->of->function;
  bool keeps_value = function == ADL_MIN || function == ADL_MAX || function == ADL_LAST;
  return keeps_value && a->value == ADL_CELL_TEXT;
}

static void open_texts(const adl_call *call, const adl_aggregate *a, const adl_aggregate_state *state,
                       adl_cell_texts *texts) {
  adl_cell_texts_open(texts, call, state->tensors, adl_aggregate_number(a, state));
}

void adl_aggregate_init(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *state) {
  adl_cell_texts texts;
  if (aggregate->of->function == ADL_DISTINCT) side_table(call, aggregate, state);
  if (aggregate->of->function == ADL_BAG_OF) adl_aggregate_bag_init(call, aggregate, state);
  if (keeps_texts(aggregate)) open_texts(call, aggregate, state, &texts);
}

void adl_aggregate_drop(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *state) {
  char name[40];
  adl_cell_texts texts;
  if (aggregate->of->function == ADL_DISTINCT)
    call->host->drop_tensor(call, state->tensors, side_name(aggregate, state, name));
  if (aggregate->of->function == ADL_BAG_OF) adl_aggregate_bag_drop(call, aggregate, state);
  if (adl_aggregate_of_vectors(aggregate)) adl_aggregate_vector_drop(call, aggregate, state);
  if (!keeps_texts(aggregate)) return;
  open_texts(call, aggregate, state, &texts);
  call->host->drop_tensor(call, state->tensors, texts.name);
}

int64_t adl_aggregate_bytes(const adl_aggregate *aggregate) {
  enum { SOME = 32 };
  bool beside = keeps_texts(aggregate) || aggregate->of->function == ADL_DISTINCT;
  if (adl_aggregate_of_vectors(aggregate)) return 16 * aggregate->of->arguments[0].type.width;
  return beside || aggregate->of->function == ADL_BAG_OF ? SOME : 0;
}

/* ---- one value into its cells ---- */

/* Cells: the sum in two, and for a mean of how many. */
static void add_sum(const adl_aggregate *a, double *cells, const adl_column *column, int64_t row) {
  if (a->value == ADL_CELL_INTEGER)
    adl_cell_add_wide(cells, adl_cell_read_integer(column, row));
  else
    adl_cell_add(cells, adl_number_at(column, row));
  if (a->of->function == ADL_MEAN) adl_cell_set_integer(&cells[2], adl_cell_integer(&cells[2]) + 1);
}

/* The order of two values of a kind that is no text. */
static int compare_cells(adl_cell_kind kind, const double *a, const double *b) {
  if (kind == ADL_CELL_FLOAT) return (*a > *b) - (*a < *b);
  int64_t x = adl_cell_integer(a), y = adl_cell_integer(b);
  return (x > y) - (x < y);
}

static double read_cell(adl_cell_kind kind, const adl_column *column, int64_t row) {
  double cell;
  if (kind == ADL_CELL_FLOAT) return adl_number_at(column, row);
  adl_cell_set_integer(&cell, adl_cell_read_integer(column, row));
  return cell;
}

/* Cells: the value, and whether there is one. */
static void add_extreme(const adl_aggregate *a, double *cells, const double *value) {
  int order = compare_cells(a->value, value, &cells[0]);
  bool better = a->of->function == ADL_MIN ? order < 0 : order > 0;
  if (adl_cell_integer(&cells[1]) != 0 && !better) return;
  memcpy(&cells[0], value, sizeof *value);
  adl_cell_set_integer(&cells[1], 1);
}

static void add_extreme_text(const adl_aggregate *a, adl_cell_texts *texts, double *cells, adl_text value) {
  if (adl_cell_has_text(cells)) {
    int order = adl_key_compare(value, adl_cell_text(texts, cells));
    if (a->of->function == ADL_MIN ? order >= 0 : order <= 0) return;
  }
  adl_cell_set_text(texts, cells, value);
}

/* Cells: the time, the row's ordinal and one more (0: none yet), the value. */
static bool is_later(const adl_aggregate *a, const double *cells, const double *time, int64_t ordinal) {
  if (adl_cell_integer(&cells[1]) == 0) return true;
  int order = compare_cells(a->second, time, &cells[0]);
  return order > 0 || (order == 0 && ordinal + 1 > adl_cell_integer(&cells[1]));
}

static void set_moment(double *cells, const double *time, int64_t ordinal) {
  memcpy(&cells[0], time, sizeof *time);
  adl_cell_set_integer(&cells[1], ordinal + 1);
}

/* ---- batches ---- */

static const adl_column *argument(const adl_aggregate *a, const adl_batch *batch, int32_t number) {
  return number < a->of->argument_count ? batch->slots[a->of->arguments[number].slot] : NULL;
}

static void step_extreme(const adl_call *call, const adl_aggregate *a, const adl_aggregate_rows *rows,
                         const adl_aggregate_state *state) {
  const adl_column *column = argument(a, rows->batch, 0);
  adl_cell_texts texts;
  if (a->value == ADL_CELL_TEXT) open_texts(call, a, state, &texts);
  for (int64_t row = 0; row < rows->batch->rows; row++) {
    if (adl_is_null(column, row)) continue;
    double *own = rows->cells[row] + a->cell;
    if (a->value == ADL_CELL_TEXT) {
      add_extreme_text(a, &texts, own, adl_text_at(column, row));
    } else {
      double value = read_cell(a->value, column, row);
      add_extreme(a, own, &value);
    }
  }
}

static void step_last(const adl_call *call, const adl_aggregate *a, const adl_aggregate_rows *rows,
                      const adl_aggregate_state *state) {
  const adl_column *column = argument(a, rows->batch, 0), *times = argument(a, rows->batch, 1);
  adl_cell_texts texts;
  if (a->value == ADL_CELL_TEXT) open_texts(call, a, state, &texts);
  for (int64_t row = 0; row < rows->batch->rows; row++) {
    if (adl_is_null(column, row) || adl_is_null(times, row)) continue;
    double *own = rows->cells[row] + a->cell, time = read_cell(a->second, times, row);
    int64_t ordinal = rows->ordinals != NULL ? rows->ordinals[row] : rows->batch->ordinal + row;
    if (!is_later(a, own, &time, ordinal)) continue;
    set_moment(own, &time, ordinal);
    if (a->value == ADL_CELL_TEXT) {
      adl_cell_set_text(&texts, own + 2, adl_text_at(column, row));
    } else {
      double value = read_cell(a->value, column, row);
      memcpy(&own[2], &value, sizeof value);
    }
  }
}

static void step_distinct(const adl_call *call, const adl_aggregate *a, const adl_aggregate_rows *rows,
                          const adl_aggregate_state *state) {
  const adl_column *column = argument(a, rows->batch, 0);
  adl_table *seen = side_table(call, a, state);
  int64_t known = call->host->table_count(seen);
  adl_keys_empty(rows->keys);
  for (int64_t row = 0; row < rows->batch->rows; row++) {
    if (adl_is_null(column, row)) continue;
    adl_key_add_integer(&rows->keys->key, rows->group[row]);
    adl_key_add(&rows->keys->key, column, row, true);
    adl_keys_end(rows->keys);
  }
  const int64_t *at = adl_keys_insert(rows->keys, seen);
  for (int64_t row = 0, i = 0; row < rows->batch->rows; row++) {
    if (adl_is_null(column, row) || at[i++] != known) continue; /* a new one is numbered next */
    double *own = rows->cells[row] + a->cell;
    adl_cell_set_integer(own, adl_cell_integer(own) + 1);
    known++;
  }
}

static void step_sum(const adl_aggregate *a, const adl_aggregate_rows *rows) {
  const adl_column *column = argument(a, rows->batch, 0);
  for (int64_t row = 0; row < rows->batch->rows; row++)
    if (!adl_is_null(column, row)) add_sum(a, rows->cells[row] + a->cell, column, row);
}

static void step_count(const adl_aggregate *a, const adl_aggregate_rows *rows) {
  const adl_column *column = argument(a, rows->batch, 0);
  for (int64_t row = 0; row < rows->batch->rows; row++) {
    double *own = rows->cells[row] + a->cell;
    if (column == NULL || !adl_is_null(column, row)) adl_cell_set_integer(own, adl_cell_integer(own) + 1);
  }
}

adl_status adl_aggregate_step(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_rows *rows,
                              const adl_aggregate_state *state) {
  switch (aggregate->of->function) {
    case ADL_SUM:
    case ADL_MEAN:
      if (adl_aggregate_of_vectors(aggregate))
        adl_aggregate_vector_step(call, aggregate, rows, state);
      else
        step_sum(aggregate, rows);
      break;
    case ADL_COUNT: step_count(aggregate, rows); break;
    case ADL_LAST: step_last(call, aggregate, rows, state); break;
    case ADL_DISTINCT: step_distinct(call, aggregate, rows, state); break;
    case ADL_BAG_OF: return adl_aggregate_bag_step(call, aggregate, rows, state);
    default: step_extreme(call, aggregate, rows, state); break;
  }
  return ADL_OK;
}

/* ---- merging ---- */

static void merge_sum(const adl_aggregate *a, double *into, const double *from) {
  if (a->value == ADL_CELL_INTEGER)
    adl_cell_add_wide(into, adl_cell_wide_sum(from));
  else
    adl_cell_add_sum(into, from);
  if (a->of->function == ADL_MEAN)
    adl_cell_set_integer(&into[2], adl_cell_integer(&into[2]) + adl_cell_integer(&from[2]));
}

static void merge_last(const adl_aggregate *a, adl_cell_texts *texts, double *into, const adl_cell_texts *from_texts,
                       const double *from) {
  if (adl_cell_integer(&from[1]) == 0) return;
  int64_t ordinal = adl_cell_integer(&from[1]) - 1;
  if (!is_later(a, into, &from[0], ordinal)) return;
  set_moment(into, &from[0], ordinal);
  if (a->value == ADL_CELL_TEXT)
    adl_cell_set_text(texts, into + 2, adl_cell_text(from_texts, from + 2));
  else
    memcpy(&into[2], &from[2], sizeof into[2]);
}

/* What is kept in cells, group by group. */
static void merge_cells(const adl_call *call, const adl_aggregate *a, const adl_aggregate_state *into,
                        const adl_aggregate_state *from, const int64_t *map) {
  int32_t function = a->of->function;
  bool texts = keeps_texts(a);
  adl_cell_texts into_texts = {0}, from_texts = {0};
  if (texts) {
    open_texts(call, a, into, &into_texts);
    open_texts(call, a, from, &from_texts);
  }
  for (int64_t group = 0; group < call->host->table_count(from->groups); group++) {
    if (map[group] < 0) continue;
    double *to = adl_aggregate_cells(call, a, into, map[group]);
    const double *of = adl_aggregate_cells(call, a, from, group);
    if (function == ADL_SUM || function == ADL_MEAN)
      merge_sum(a, to, of);
    else if (function == ADL_COUNT)
      adl_cell_set_integer(to, adl_cell_integer(to) + adl_cell_integer(of));
    else if (function == ADL_LAST)
      merge_last(a, &into_texts, to, &from_texts, of);
    else if (texts && adl_cell_has_text(of))
      add_extreme_text(a, &into_texts, to, adl_cell_text(&from_texts, of));
    else if (!texts && adl_cell_integer(&of[1]) != 0)
      add_extreme(a, to, &of[0]);
  }
}

/* Rows first to end of a table whose keys begin with the number of the group: the keys are written anew. */
static void merge_table_rows(const adl_call *call, const adl_aggregate *a, const adl_aggregate_state *into,
                             adl_keys *keys, adl_table *of, int64_t first, int64_t end, const int64_t *map) {
  const adl_host *host = call->host;
  adl_table *to = side_table(call, a, into);
  int64_t known = host->table_count(to);
  adl_keys_empty(keys);
  for (int64_t row = first; row < end; row++) {
    adl_text old = host->table_key(of, row);
    adl_key_reader reader = {(const uint8_t *)old.data, (const uint8_t *)old.data + old.size};
    adl_key_value value;
    adl_key_next(&reader, ADL_INT64, false, NULL, &value);
    if (map[value.integer] < 0) continue;
    adl_key_add_integer(&keys->key, map[value.integer]);
    adl_key_add_text(&keys->key, (adl_text){(const char *)reader.at, (int32_t)(reader.end - reader.at)}, true);
    adl_keys_end(keys);
  }
  const int64_t *at = adl_keys_insert(keys, to);
  for (int64_t i = 0; i < keys->count; i++) {
    if (at[i] != known) continue;
    adl_key_reader reader = {keys->key.data + keys->offsets[i], keys->key.data + keys->offsets[i + 1]};
    adl_key_value value;
    adl_key_next(&reader, ADL_INT64, false, NULL, &value);
    double *count = adl_aggregate_cells(call, a, into, value.integer);
    adl_cell_set_integer(count, adl_cell_integer(count) + 1);
    known++;
  }
}

static void merge_table(const adl_call *call, const adl_aggregate *a, const adl_aggregate_state *into,
                        const adl_aggregate_state *from, const int64_t *map) {
  adl_table *of = side_table(call, a, from);
  int64_t count = call->host->table_count(of), most = 65536; /* so that scratch memory stays small */
  adl_keys keys;
  adl_keys_begin(&keys, call, count < most ? count : most);
  for (int64_t first = 0; first < count; first += most)
    merge_table_rows(call, a, into, &keys, of, first, count - first < most ? count : first + most, map);
}

adl_status adl_aggregate_merge(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *into,
                               const adl_aggregate_state *from, const int64_t *map, adl_token_map *tokens) {
  if (aggregate->of->function == ADL_BAG_OF) return adl_aggregate_bag_merge(call, aggregate, into, from, map, tokens);
  if (aggregate->of->function == ADL_DISTINCT)
    merge_table(call, aggregate, into, from, map);
  else if (adl_aggregate_of_vectors(aggregate))
    adl_aggregate_vector_merge(call, aggregate, into, from, map);
  else
    merge_cells(call, aggregate, into, from, map);
  return ADL_OK;
}
