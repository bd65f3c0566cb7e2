/* Rows of another stage beside those of the input: see sides.h. */
#include "common/sides.h"

#include <stdio.h>
#include <string.h>

#include "common/nearest.h"

adl_status adl_side_find(const adl_call *call, const adl_side *side, const char *parameter, const char *column,
                         adl_type *type) {
  const adl_host *host = call->host;
  const char *name;
  int32_t count = 0;
  for (; host->side_column(call, side, count, &name, type); count++)
    if (strcmp(name, column) == 0) return ADL_OK;
  const char **names = host->alloc(call, ((size_t)count + 1) * sizeof *names);
  for (int32_t i = 0; i < count; i++) host->side_column(call, side, i, &names[i], type);
  int32_t near = adl_nearest(column, count, names);
  if (near < 0) return host->fail(call, parameter, -1, NULL, "the stage `%s` has no column `%s`", side->name, column);
  return host->fail(call, parameter, -1, NULL, "the stage `%s` has no column `%s`; did you mean `%s`?", side->name,
                    column, names[near]);
}

adl_status adl_side_bring(const adl_call *call, const adl_side *side, const char *parameter, const char *prefix,
                          const char *column) {
  char name[512];
  int size = snprintf(name, sizeof name, "%s%s", prefix != NULL ? prefix : "", column);
  if (size >= (int)sizeof name) return call->host->fail(call, "prefix", -1, NULL, "too long a name for a column");
  return call->host->bring(call, parameter, side, column, name);
}

adl_status adl_side_bring_all(const adl_call *call, const adl_side *side, const adl_strings *columns,
                              const char *prefix, bool (*leave_out)(const void *self, const char *name),
                              const void *self) {
  adl_status status = ADL_OK;
  const char *name;
  adl_type type;
  for (int64_t i = 0; i < columns->count; i++) {
    char parameter[40];
    snprintf(parameter, sizeof parameter, "columns[%lld]", (long long)i);
    if (adl_side_find(call, side, parameter, columns->items[i], &type) != ADL_OK)
      status = ADL_FAILED;
    else
      ADL_TRY(adl_side_bring(call, side, parameter, prefix, columns->items[i]));
  }
  if (columns->count > 0) return status;
  for (int32_t i = 0; call->host->side_column(call, side, i, &name, &type); i++)
    if (leave_out == NULL || !leave_out(self, name)) ADL_TRY(adl_side_bring(call, side, "columns", prefix, name));
  return status;
}

void adl_pairs_begin(adl_pairs *pairs, const adl_call *call, int64_t capacity) {
  *pairs = (adl_pairs){.call = call, .capacity = capacity > 0 ? capacity : 1};
  pairs->main = call->host->alloc(call, (size_t)pairs->capacity * sizeof *pairs->main);
  pairs->side = call->host->alloc(call, (size_t)pairs->capacity * sizeof *pairs->side);
}

void adl_pairs_add(adl_pairs *pairs, int64_t main, int64_t side) {
  if (pairs->count == pairs->capacity) {
    adl_pairs more;
    adl_pairs_begin(&more, pairs->call, 2 * pairs->capacity);
    memcpy(more.main, pairs->main, (size_t)pairs->count * sizeof *pairs->main);
    memcpy(more.side, pairs->side, (size_t)pairs->count * sizeof *pairs->side);
    more.count = pairs->count;
    *pairs = more;
  }
  pairs->main[pairs->count] = main;
  pairs->side[pairs->count++] = side;
}

adl_status adl_pairs_give(const adl_pairs *pairs, const adl_side *side, adl_out *out) {
  ADL_TRY(pairs->call->host->pick(pairs->call, out, pairs->main, pairs->count));
  return pairs->call->host->gather(pairs->call, out, side, pairs->side, pairs->count);
}
