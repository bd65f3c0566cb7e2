/* What the tests of als and knn share: logs of users and items, in blocks or at random, and vectors as they leave. */
#ifndef ADLOOM_TESTS_INTERACTIONS_H
#define ADLOOM_TESTS_INTERACTIONS_H

#include "tests/plugins/transform.h"

/* A log at random: `events` rows of users u0 .., items 0 .. and weights 1 to 3; some rows are repeated. Rows in reversed
 * order where asked. */
static inline char *random_events(int events, int users, int items, bool reversed) {
  GString *csv = g_string_new("u,i,w\n");
  for (int k = 0; k < events; k++) {
    uint64_t row = (uint64_t)(reversed ? events - 1 - k : k);
    g_string_append_printf(csv, "u%d,%d,%d\n", (int)(adl_random(1, row) % (uint64_t)users),
                           (int)(adl_random_unit(2, row) * adl_random_unit(3, row) * items),
                           1 + (int)(adl_random(4, row) % 3));
  }
  return g_string_free(csv, FALSE);
}

/* The same as a matrix: users x items summed weights. */
static inline double *random_matrix(int events, int users, int items) {
  double *r = g_new0(double, users *items);
  for (uint64_t row = 0; row < (uint64_t)events; row++)
    r[(int)(adl_random(1, row) % (uint64_t)users) * items +
      (int)(adl_random_unit(2, row) * adl_random_unit(3, row) * items)] += 1 + (double)(adl_random(4, row) % 3);
  return r;
}

static const char event_columns[] = "{u: string, i: id, w: float}";

/* A vector of a row. */
static inline const float *vector_of(adl_harness *h, const char *column, int64_t row) {
  const adl_column *all = adl_harness_column(h, column);
  return (const float *)all->data + row * all->type.width;
}

#endif
