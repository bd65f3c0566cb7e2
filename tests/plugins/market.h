/* What the tests of the simulated market share. */
#ifndef ADLOOM_TESTS_MARKET_H
#define ADLOOM_TESTS_MARKET_H

#include <stdarg.h>

#include "tests/plugins/transform.h"

static inline adl_harness *new_harness(void) { return adl_harness_new("x\n1\n", "{x: int}"); }

/* Runs stages made by a format, and wants them to go well. */
static inline void run(adl_harness *h, const char *tap, const char *format, ...) G_GNUC_PRINTF(3, 4);
static inline void run(adl_harness *h, const char *tap, const char *format, ...) {
  va_list list;
  va_start(list, format);
  char *stages = g_strdup_vprintf(format, list);
  va_end(list);
  adl_harness_run(h, stages, tap);
  ASSERT_OK(h);
  g_free(stages);
}

static inline bool bool_at(const adl_column *column, int64_t row) { return adl_number_at(column, row) != 0; }

/* Number of a user, an item or an ad: that of "u0000042" is 42. */
static inline int64_t id_of(const adl_column *column, int64_t row) {
  adl_text text = adl_text_at(column, row);
  int64_t number = 0;
  for (int32_t i = 1; i < text.size; i++) number = 10 * number + (text.data[i] - '0');
  return number;
}

/* What the source says of its log. */
static inline double told(adl_harness *h, const char *name) { return adl_harness_report(h, "log", "", name); }

#endif
