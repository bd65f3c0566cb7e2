/* sum and mean of vectors, see aggregate_vector.h. The tensor `vector.N` is groups x width x 2: each sum, and what
 * rounding has lost of it (Neumaier 1974). The cell of a group counts its rows. */
#include "common/aggregate_vector.h"

#include "common/cell.h"

static const char *name_of(const adl_aggregate *a, const adl_aggregate_state *state, char name[40]) {
  snprintf(name, 40, "vector.%lld", (long long)adl_aggregate_number(a, state));
  return name;
}

void adl_aggregate_vector_drop(const adl_call *call, const adl_aggregate *a, const adl_aggregate_state *state) {
  char name[40];
  call->host->drop_tensor(call, state->tensors, name_of(a, state, name));
}

/* The sums of all groups there are; room is doubled, so that it does not move with each new group. */
static double *sums_of(const adl_call *call, const adl_aggregate *a, const adl_aggregate_state *state) {
  char name[40];
  adl_tensor tensor;
  int64_t size[3] = {0, a->of->arguments[0].type.width, 2}, groups = call->host->table_count(state->groups);
  name_of(a, state, name);
  if (call->host->find_tensor(call, state->tensors, name, &tensor)) size[0] = tensor.size[0];
  if (size[0] < groups) size[0] = groups > 2 * size[0] ? groups : 2 * size[0];
  return call->host->tensor(call, state->tensors, name, ADL_FLOAT64, 3, size);
}

static double element_at(const adl_column *column, int64_t at) {
  return column->type.element == ADL_FLOAT32 ? (double)((const float *)column->data)[at]
                                             : ((const double *)column->data)[at];
}

void adl_aggregate_vector_step(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_rows *rows,
                               const adl_aggregate_state *state) {
  const adl_column *column = rows->batch->slots[aggregate->of->arguments[0].slot];
  int64_t width = column->type.width;
  double *sums = sums_of(call, aggregate, state);
  for (int64_t row = 0; row < rows->batch->rows; row++) {
    if (adl_is_null(column, row)) continue;
    double *own = sums + rows->group[row] * width * 2, *count = rows->cells[row] + aggregate->cell;
    for (int64_t d = 0; d < width; d++) adl_cell_add(own + 2 * d, element_at(column, row * width + d));
    adl_cell_set_integer(count, adl_cell_integer(count) + 1);
  }
}

void adl_aggregate_vector_merge(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *into,
                                const adl_aggregate_state *from, const int64_t *map) {
  int64_t width = aggregate->of->arguments[0].type.width, groups = call->host->table_count(from->groups);
  const double *of = sums_of(call, aggregate, from);
  double *to = sums_of(call, aggregate, into);
  for (int64_t group = 0; group < groups; group++) {
    if (map[group] < 0) continue;
    double *count = adl_aggregate_cells(call, aggregate, into, map[group]);
    int64_t more = adl_cell_integer(adl_aggregate_cells(call, aggregate, from, group));
    adl_cell_set_integer(count, adl_cell_integer(count) + more);
    for (int64_t d = 0; d < 2 * width; d++) /* a sum and what it lost, one after the other */
      adl_cell_add(to + (map[group] * width + d / 2) * 2, of[group * width * 2 + d]);
  }
}

/* A row of the column; false: it has no value. */
static bool write_row(const adl_aggregate *a, const double *sums, int64_t count, int64_t row, const adl_buffers *to) {
  int64_t width = a->of->arguments[0].type.width;
  bool any = count > 0;
  for (int64_t d = 0; d < width; d++) {
    double value = adl_cell_sum(sums + d * 2);
    if (a->of->function == ADL_MEAN) value /= (double)(count > 0 ? count : 1);
    if (a->type.element == ADL_FLOAT32)
      ((float *)to->data)[row * width + d] = (float)value;
    else
      ((double *)to->data)[row * width + d] = value;
    any = any && isfinite(a->type.element == ADL_FLOAT32 ? (double)(float)value : value);
  }
  return any;
}

adl_status adl_aggregate_vector_write(const adl_call *call, const adl_aggregate_result *results,
                                      const adl_group_place *places, int64_t rows, adl_out *out) {
  const adl_aggregate *a = results->aggregate;
  int64_t width = a->of->arguments[0].type.width, size = a->type.element == ADL_FLOAT32 ? 4 : 8;
  adl_buffers to;
  ADL_TRY(call->host->reserve(call, out, a->slot, rows, 0, 0, &to));
  for (int64_t row = 0; row < rows; row++) {
    const adl_aggregate_state *state = &results[places[row].part].state;
    int64_t group = places[row].group, count = adl_cell_integer(adl_aggregate_cells(call, a, state, group));
    if (write_row(a, sums_of(call, a, state) + group * width * 2, count, row, &to)) continue;
    adl_bit_set(to.validity, row, false);
    memset((char *)to.data + row * width * size, 0, (size_t)(width * size));
  }
  return ADL_OK;
}
