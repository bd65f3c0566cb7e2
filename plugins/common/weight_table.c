/* The table of largest weights in a report. */
#include "common/weight_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/plots.h"

enum { SHOWN = 20, NAME_SIZE = 256, CELL_SIZE = 32 };

/* Larger weights first; equal ones in the order of their dimensions. */
static int by_size(const void *a, const void *b) {
  const double *left = *(const double *const *)a, *right = *(const double *const *)b;
  double difference = fabs(*right) - fabs(*left);
  if (difference != 0) return difference > 0 ? 1 : -1;
  return (left > right) - (left < right);
}

static const char *cell(const adl_call *call, double value) {
  char *text = call->host->alloc(call, CELL_SIZE);
  snprintf(text, CELL_SIZE, "%.6g", value);
  return text;
}

void adl_weight_table(const adl_call *call, adl_report *report, const adl_input *features, int64_t width,
                      const char *title, const double *sizes, const char *value_title, const double *values) {
  const double **order = call->host->alloc(call, (size_t)width * sizeof *order);
  const char *titles[] = {"dimension", title, value_title}, *cells[SHOWN * 3];
  int64_t count = 0;
  int32_t columns = values != NULL ? 3 : 2;
  for (int64_t i = 0; i < width; i++)
    if (sizes[i] != 0) order[count++] = &sizes[i];
  if (count == 0) return;
  qsort(order, (size_t)count, sizeof *order, by_size);
  if (count > SHOWN) count = SHOWN;
  double shown[SHOWN];
  const char *names[SHOWN];
  for (int64_t i = 0; i < count; i++) {
    int64_t dimension = order[i] - sizes;
    char *name = call->host->alloc(call, NAME_SIZE);
    call->host->dimension_name(call, features, dimension, name, NAME_SIZE);
    cells[columns * i] = names[i] = name;
    shown[i] = sizes[dimension];
    cells[columns * i + 1] = cell(call, sizes[dimension]);
    if (values != NULL) cells[columns * i + 2] = cell(call, values[dimension]);
  }
  adl_plot_named(call, report, "largest weights", "dimension", title, count, names, shown, NULL, NULL);
  call->host->report_table(call, report, "largest weights", columns, titles, count, cells);
}
