#include "common/factor_map.h"

#include <string.h>

#include "common/cluster_map.h"
#include "common/reporting.h"

/* Every so many vectors; returns how many. names (or NULL) get their keys. */
static int64_t take_some(const adl_call *call, const adl_map_vectors *from, int64_t most, int64_t width, float *to,
                         const char **names) {
  int64_t all = call->host->table_count(from->keys), count = all < most ? all : most;
  for (int64_t i = 0; i < count; i++) {
    int64_t row = i * all / count;
    memcpy(to + i * width, from->vectors + row * width, (size_t)width * sizeof *to);
    if (names != NULL) names[i] = adl_text_shown(call, call->host->table_key(from->keys, row), 40);
  }
  return count;
}

adl_status adl_map_report_pairs(const adl_call *call, const adl_map_vectors *users, const adl_map_vectors *items,
                                int64_t width, adl_report *report) {
  enum { MOST = ADL_MAP_ROWS / 2 };
  const adl_host *host = call->host;
  float *rows = host->alloc(call, (size_t)(2 * MOST * width) * sizeof *rows);
  const char **names = host->alloc(call, MOST * sizeof *names);
  int64_t count = take_some(call, users, MOST, width, rows, NULL), both = count;
  both += take_some(call, items, MOST, width, rows + count * width, names);
  const adl_column matrix = {
      .type = {.element = ADL_FLOAT32, .shape = ADL_VECTOR, .width = width}, .rows = both, .data = rows};
  double *xy = host->alloc(call, (size_t)(4 * both) * sizeof *xy), *x = xy + 2 * both, *y = x + both, share[2];
  ADL_TRY(adl_map_project(call, &matrix, NULL, xy, share));
  for (int64_t i = 0; i < both; i++) x[i] = xy[2 * i], y[i] = xy[2 * i + 1];
  const adl_series of_users = {.struct_size = sizeof of_users, .name = "users", .count = count, .x = x, .y = y};
  const adl_series of_items = {.struct_size = sizeof of_items,
                               .name = "items",
                               .count = both - count,
                               .x = x + count,
                               .y = y + count,
                               .labels = names};
  const adl_series *series[] = {&of_users, &of_items};
  const adl_plot plot = {.struct_size = sizeof plot,
                         .kind = ADL_PLOT_POINTS,
                         .series_count = 2,
                         .name = "map of some users and items",
                         .x_title = adl_map_title(call, 0, share[0]),
                         .y_title = adl_map_title(call, 1, share[1]),
                         .series = series};
  host->report_plot(call, report, &plot);
  return ADL_OK;
}
