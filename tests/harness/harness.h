/*
 * The harness (<adloom/test.h>, core/stand) as the tests of this tree use it: under its older names, and with what needs
 * types of the core.
 *
 *   adl_harness *h = adl_harness_new("x,y\n1,2\n3,4\n", "{x: float, y: float}");
 *   adl_harness_run(h, "  stage: {use: kmeans, features: [x, y], clusters: 2}\n", "stage");
 *   ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h));
 *   ck_assert_int_eq(adl_harness_rows(h), 2);
 *   ck_assert(adl_harness_number(h, "cluster", 0) >= 0);
 *   adl_harness_free(h);
 *
 * The rows are the stage `rows`; write `from: rows` where the stage above is another. Files of the run are under
 * adl_harness_directory, which goes with the harness.
 */
#ifndef ADLOOM_TESTS_HARNESS_H
#define ADLOOM_TESTS_HARNESS_H

#include <check.h>

#include "core/report/page.h"
#include "core/stand/test.h"

#define adl_harness adl_test
#define adl_harness_free adl_test_free
#define adl_harness_threads adl_test_threads
#define adl_harness_memory adl_test_memory
#define adl_harness_source adl_test_source
#define adl_harness_top adl_test_top
#define adl_harness_store adl_test_store
#define adl_harness_models adl_test_models
#define adl_harness_limit adl_test_limit
#define adl_harness_file adl_test_file
#define adl_harness_ok adl_test_ok
#define adl_harness_errors adl_test_errors
#define adl_harness_directory adl_test_directory
#define adl_harness_run_directory adl_test_run_directory
#define adl_harness_rows adl_test_rows
#define adl_harness_number adl_test_number
#define adl_harness_null adl_test_null
#define adl_harness_column adl_test_column
#define adl_harness_type adl_test_type
#define adl_harness_split adl_test_split
#define adl_harness_model adl_test_model
#define adl_harness_report adl_test_report
#define adl_harness_rejected adl_test_rejected

/* `csv` with a header line; `columns` as for read-csv. */
static inline adl_harness *adl_harness_new(const char *csv, const char *columns) {
  adl_harness *harness = adl_test_new();
  harness->stand->report = adl_page_make;
  harness->strict = true;
  adl_test_csv(harness, columns, csv);
  return harness;
}

static inline adl_outcome adl_harness_run(adl_harness *harness, const char *stages, const char *tap) {
  adl_test_run(harness, stages, tap);
  return adl_test_outcome(harness);
}

/* Texts that are kept beyond the next run; free them. (The test itself, which keeps them too, is never const.) */
static inline char *adl_harness_read(const adl_harness *harness, const char *name) {
  return g_strdup(adl_test_read((adl_test *)harness, name));
}
static inline char *adl_harness_text(const adl_harness *harness, const char *column, int64_t row) {
  return g_strdup(adl_test_text((adl_test *)harness, column, row));
}
static inline char *adl_harness_rejects(const adl_harness *harness) {
  return g_strdup(adl_test_rejects((adl_test *)harness));
}
static inline char *adl_harness_digest(const adl_harness *harness) {
  return g_strdup(adl_test_digest((adl_test *)harness));
}

/* What the last run has given is what the first one gave. *first: NULL before that; free it in the end. */
static inline void adl_harness_same_bytes(const adl_harness *harness, char **first) {
  const char *digest = adl_test_digest((adl_test *)harness);
  if (*first == NULL) *first = g_strdup(digest);
  ck_assert_str_eq(digest, *first);
}

#endif
