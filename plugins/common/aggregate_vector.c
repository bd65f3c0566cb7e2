/* sum and mean of vectors, see aggregate_vector.h. The tensor `vector.N` is groups x width x 2: each sum, and what
 * rounding has lost of it (Neumaier 1974). The cell of a group counts its rows. */
#include "common/aggregate_vector.h"

#include "common/cell.h"

/* The sums of `groups` groups or more; room is doubled, so that it does not move with each new group. */
static double *sums_of(const adl_call *call, const adl_aggregate *a, adl_tensors *tensors, int64_t groups,
                       int64_t width) {
  char name[32];
  adl_tensor tensor;
  int64_t size[3] = {0, width, 2};
  snprintf(name, sizeof name, "vector.%lld", (long long)a->number);
  if (call->host->find_tensor(call, tensors, name, &tensor)) size[0] = tensor.size[0];
  if (size[0] < groups) size[0] = groups > 2 * size[0] ? groups : 2 * size[0];
  return call->host->tensor(call, tensors, name, ADL_FLOAT64, 3, size);
}

static double element_at(const adl_column *column, int64_t at) {
  return column->type.element == ADL_FLOAT32 ? (double)((const float *)column->data)[at]
                                             : ((const double *)column->data)[at];
}

void adl_aggregate_vector_step(const adl_call *call, const adl_aggregate *aggregate, const adl_batch *batch,
                               const int64_t *group, double *const *cells, int64_t groups, adl_tensors *partial) {
  const adl_column *column = batch->slots[aggregate->of->arguments[0].slot];
  int64_t width = column->type.width;
  double *sums = sums_of(call, aggregate, partial, groups, width);
  for (int64_t row = 0; row < batch->rows; row++) {
    if (adl_is_null(column, row)) continue;
    double *own = sums + group[row] * width * 2, *count = cells[row] + aggregate->cell;
    for (int64_t d = 0; d < width; d++) adl_cell_add(own + 2 * d, element_at(column, row * width + d));
    adl_cell_set_integer(count, adl_cell_integer(count) + 1);
  }
}

void adl_aggregate_vector_merge(const adl_call *call, const adl_aggregate *aggregate, adl_tensors *into,
                                adl_table *into_groups, adl_tensors *from, adl_table *from_groups, const int64_t *map) {
  const adl_host *host = call->host;
  int64_t width = aggregate->of->arguments[0].type.width, groups = host->table_count(from_groups);
  const double *of = sums_of(call, aggregate, from, groups, width);
  double *to = sums_of(call, aggregate, into, host->table_count(into_groups), width);
  for (int64_t group = 0; group < groups; group++) {
    double *count = host->table_row(into_groups, map[group]) + aggregate->cell;
    int64_t more = adl_cell_integer(host->table_row(from_groups, group) + aggregate->cell);
    adl_cell_set_integer(count, adl_cell_integer(count) + more);
    for (int64_t d = 0; d < 2 * width; d++) /* a sum and what it lost, one after the other */
      adl_cell_add(to + (map[group] * width + d / 2) * 2, of[group * width * 2 + d]);
  }
}

adl_status adl_aggregate_vector_write(const adl_call *call, const adl_aggregate_result *result, adl_table *groups,
                                      const int64_t *order, int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  const adl_aggregate *a = result->aggregate;
  int64_t width = a->of->arguments[0].type.width;
  const double *sums = sums_of(call, a, result->tensors, host->table_count(groups), width);
  adl_buffers to;
  ADL_TRY(host->reserve(call, out, a->slot, rows, 0, 0, &to));
  for (int64_t row = 0; row < rows; row++) {
    int64_t count = adl_cell_integer(host->table_row(groups, order[row]) + a->cell);
    bool any = count > 0;
    for (int64_t d = 0; d < width; d++) {
      double value = adl_cell_sum(sums + (order[row] * width + d) * 2);
      if (a->of->function == ADL_MEAN) value /= (double)(count > 0 ? count : 1);
      if (a->type.element == ADL_FLOAT32)
        ((float *)to.data)[row * width + d] = (float)value;
      else
        ((double *)to.data)[row * width + d] = value;
      any = any && isfinite(a->type.element == ADL_FLOAT32 ? (double)(float)value : value);
    }
    if (!any) {
      adl_bit_set(to.validity, row, false);
      memset((char *)to.data + (size_t)(row * width) * (a->type.element == ADL_FLOAT32 ? 4 : 8), 0,
             (size_t)width * (a->type.element == ADL_FLOAT32 ? 4 : 8));
    }
  }
  return ADL_OK;
}
