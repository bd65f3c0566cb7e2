/* The events of a history, as past_gather.c keeps them and past_index.c puts them in order: tensors event.*, and value.N
 * and null.N for each event column. See past.h. */
#ifndef ADLOOM_COMMON_PAST_EVENTS_H
#define ADLOOM_COMMON_PAST_EVENTS_H

#include <math.h>

#include "common/cell.h"
#include "common/past.h"

/* Cells of the tensor `events`; behind them, for each column, how many events have no value in it. */
enum { ADL_PAST_ALL, ADL_PAST_HELD, ADL_PAST_NULLS };

typedef struct adl_past_events {
  int64_t *counts;
  int64_t *time;
  uint32_t *key; /* number in the table `keys` */
  uint8_t *held; /* bits */
} adl_past_events;

/* The events as they are, with room for `more`. */
adl_past_events adl_past_events_grow(const adl_call *call, const adl_past *past, adl_tensors *tensors, int64_t more);

/* Tensors of one dimension, with room for at least one. */
void *adl_past_tensor(const adl_call *call, adl_tensors *tensors, const char *name, adl_element element, int64_t count);

/* The strings of a column; NULL: it has none. */
adl_table *adl_past_texts(const adl_call *call, const adl_past *past, adl_tensors *tensors, int64_t column);

/* ---- values in the order of their places ---- */

/* Of one column: numbers in eight bytes each, or numbers of strings; bits that say null (NULL: none is). */
typedef struct adl_past_values {
  const int64_t *bits;
  const uint32_t *number;
  const uint8_t *null;
} adl_past_values;

/* What is not in the model is NULL. */
const void *adl_past_find(const adl_call *call, const adl_tensors *tensors, const char *what, int64_t number);
adl_past_values adl_past_values_of(const adl_call *call, const adl_past *past, const adl_tensors *tensors,
                                   int64_t column);

static inline bool adl_past_has(const adl_past_values *v, int64_t place) {
  return v->null == NULL || !adl_bit(v->null, place);
}

static inline double adl_past_float(const adl_past_values *v, int64_t place) {
  double value;
  memcpy(&value, &v->bits[place], sizeof value);
  return value;
}

/* Indices of sums and extremes have an entry for so many places. */
enum { ADL_PAST_STEP = 4 };
#define ADL_PAST_NONE UINT32_MAX

/* Where the sum of a run's blocks at * 2^level to (at + 1) * 2^level - 1 stands, in two cells: between those of its two
 * halves. Blocks are of ADL_PAST_STEP places, counted from where the run begins, and there are only sums of whole ones: so
 * neither another run's nor later events have a part in their rounding. */
static inline int64_t adl_past_node(int64_t first, int64_t level, int64_t at) {
  return 2 * (2 * (first / ADL_PAST_STEP) + ((2 * at + 1) << level) - 1);
}

/* Adds the values of places from .. to - 1 to two cells: an integer of 128 bits (`whole`), or a float sum. */
static inline void adl_past_add(double cells[2], const adl_past_values *v, int64_t from, int64_t to, bool whole) {
  if (!whole) {
    for (int64_t i = from; i < to; i++)
      if (adl_past_has(v, i)) adl_cell_add(cells, adl_past_float(v, i));
    return;
  }
  adl_cell_wide exact = 0;
  for (int64_t i = from; i < to; i++)
    if (adl_past_has(v, i)) exact += v->bits[i];
  adl_cell_add_wide(cells, exact);
}

/* The smaller (`least`) or greater of two values in eight bytes. */
static inline int64_t adl_past_better(int64_t a, int64_t b, bool floats, bool least) {
  double x, y;
  memcpy(&x, &a, sizeof x);
  memcpy(&y, &b, sizeof y);
  bool less = floats ? x < y : a < b;
  return less == least ? a : b;
}

/* The least or greatest of places from .. to - 1; one that loses to every other, if none has a value. */
static inline int64_t adl_past_extreme(const adl_past_values *v, int64_t from, int64_t to, bool floats, bool least) {
  double worst = least ? (double)INFINITY : -(double)INFINITY;
  int64_t best = floats ? adl_cell_integer(&worst) : least ? INT64_MAX : INT64_MIN;
  for (int64_t i = from; i < to; i++)
    if (adl_past_has(v, i)) best = adl_past_better(best, v->bits[i], floats, least);
  return best;
}

#endif
