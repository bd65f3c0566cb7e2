/* The columns that aggregates make in the end. See aggregate.h. */
#include "common/aggregate.h"
#include "common/aggregate_bag.h"
#include "common/aggregate_vector.h"
#include "common/cell.h"
#include "common/key.h"

void adl_aggregate_order(const adl_call *call, const adl_aggregate *aggregate, adl_tensors *tensors,
                         adl_token_order *order) {
  *order = (adl_token_order){0};
  if (aggregate->of->function == ADL_BAG_OF) adl_aggregate_bag_order(call, aggregate, tensors, order);
}

adl_status adl_aggregate_finish(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *of,
                                const int64_t *map, const adl_token_order *order, const adl_aggregate_state *sorted,
                                adl_aggregate_result *result) {
  *result = (adl_aggregate_result){.aggregate = aggregate, .state = *sorted, .order = order};
  if (aggregate->of->function == ADL_BAG_OF) {
    adl_aggregate_bag_finish(call, aggregate, of, map, order, sorted, result);
    return ADL_OK;
  }
  adl_aggregate_init(call, aggregate, sorted);
  return adl_aggregate_merge(call, aggregate, sorted, of, map, NULL);
}

/* A group's string value, if it has one. */
static bool text_value(const adl_aggregate *a, const adl_cell_texts *texts, const double *cells, adl_text *text) {
  const double *own = cells + a->cell + (a->of->function == ADL_LAST ? 2 : 0);
  if (!adl_cell_has_text(own)) return false;
  *text = adl_cell_text(texts, own);
  return true;
}

/* Where strings of each part lie. */
static adl_cell_texts *open_texts(const adl_call *call, const adl_aggregate_result *results,
                                  const adl_group_place *places, int64_t rows) {
  int32_t parts = 0;
  for (int64_t row = 0; row < rows; row++)
    if (places[row].part >= parts) parts = places[row].part + 1;
  adl_cell_texts *texts = call->host->alloc(call, (size_t)(parts + 1) * sizeof *texts);
  for (int32_t part = 0; part < parts; part++)
    adl_cell_texts_open(&texts[part], call, results[part].state.tensors,
                        adl_aggregate_number(results->aggregate, &results[part].state));
  return texts;
}

static const double *row_of(const adl_call *call, const adl_aggregate_result *results, const adl_group_place *place) {
  return call->host->table_row(results[place->part].state.groups, place->group);
}

static adl_status write_texts(const adl_call *call, const adl_aggregate_result *results, const adl_group_place *places,
                              int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  const adl_aggregate *a = results->aggregate;
  const adl_cell_texts *texts = open_texts(call, results, places, rows);
  adl_buffers to;
  adl_text text;
  int64_t bytes = 0;
  for (int64_t row = 0; row < rows; row++)
    if (text_value(a, &texts[places[row].part], row_of(call, results, &places[row]), &text)) bytes += text.size;
  ADL_TRY(host->reserve(call, out, a->slot, rows, 0, bytes, &to));
  for (int64_t row = 0; row < rows; row++) {
    int32_t at = to.string_offsets[row];
    bool any = text_value(a, &texts[places[row].part], row_of(call, results, &places[row]), &text);
    if (!any) adl_bit_set(to.validity, row, false);
    if (any && text.size > 0) memcpy((char *)to.data + at, text.data, (size_t)text.size);
    to.string_offsets[row + 1] = at + (any ? text.size : 0);
  }
  return ADL_OK;
}

/* The value of a group as a cell; false: it has none. */
static bool plain_value(const adl_aggregate *a, const double *cells, double *value) {
  const double *own = cells + a->cell;
  bool whole = a->value == ADL_CELL_INTEGER;
  switch (a->of->function) {
    case ADL_SUM:
      if (whole) return adl_cell_narrow(adl_cell_wide_sum(own), value);
      *value = adl_cell_sum(own);
      return isfinite(*value);
    case ADL_MEAN:
      *value = whole ? (double)adl_cell_wide_sum(own) : adl_cell_sum(own);
      *value /= (double)adl_cell_integer(&own[2]);
      return isfinite(*value);
    case ADL_LAST: memcpy(value, &own[2], sizeof *value); return adl_cell_integer(&own[1]) != 0;
    case ADL_MIN:
    case ADL_MAX: memcpy(value, &own[0], sizeof *value); return adl_cell_integer(&own[1]) != 0;
    default: memcpy(value, &own[0], sizeof *value); return true;
  }
}

adl_status adl_aggregate_write(const adl_call *call, const adl_aggregate_result *results, const adl_group_place *places,
                               int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  const adl_aggregate *a = results->aggregate;
  adl_buffers to;
  if (!host->wanted(call, a->slot)) return ADL_OK;
  if (a->of->function == ADL_BAG_OF) return adl_aggregate_bag_write(call, results, places, rows, out);
  if (adl_aggregate_of_vectors(a)) return adl_aggregate_vector_write(call, results, places, rows, out);
  if (a->type.element == ADL_STRING || a->type.element == ADL_BYTES)
    return write_texts(call, results, places, rows, out);
  ADL_TRY(host->reserve(call, out, a->slot, rows, 0, 0, &to));
  for (int64_t row = 0; row < rows; row++) {
    double value = 0;
    bool any = plain_value(a, row_of(call, results, &places[row]), &value);
    if (!any) adl_cell_set_integer(&value, 0);
    if (!any) adl_bit_set(to.validity, row, false);
    adl_cell_put(&to, (adl_element)a->type.element, row, &value);
  }
  return ADL_OK;
}
