/* What the files of the harness (<adloom/test.h>) share, and what tests of the core itself may ask a test for. */
#ifndef ADLOOM_CORE_STAND_TEST_H
#define ADLOOM_CORE_STAND_TEST_H

#include <adloom/test.h>
#include <glib.h>

#include "core/stand/rows.h"
#include "core/stand/stand.h"

struct adl_test {
  adl_stand *stand;
  const char *format; /* of the rows: "csv" or "json"; NULL: there are none */
  char *columns, *json, *source, *top, *stages, *tap;
  int64_t *sizes, size_count; /* of batches; 0: as they are read */
  adl_stand_rows *cut;        /* the rows of the last run, where they are in memory */
  GPtrArray *plugins;         /* of char *, NULL-terminated */
  GPtrArray *paths;           /* of files written */
  GPtrArray *texts;           /* given out since the last run */
  GString *difference;
  bool strict; /* refused rows are counted as users' pipelines count them */
  bool failed; /* a check has failed */
};

/* What the test asks for is not there: tells so and aborts. */
G_NORETURN void adl_test_misuse(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* Gives a text out; takes it over. */
const char *adl_test_keep(adl_test *test, char *text);

adl_outcome adl_test_outcome(const adl_test *test);
const adl_tensors *adl_test_model(const adl_test *test, const char *stage); /* NULL: none */

#endif
