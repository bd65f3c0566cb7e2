/*
 * The harness: puts one stage (or a few) between a source of rows given as CSV text and a place where what leaves is
 * collected, and runs them on the real engine. For tests of stage classes and of the engine.
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

#include "core/data/frame.h"
#include "core/data/tensors.h"
#include "core/engine/engine.h"

typedef struct adl_harness adl_harness;

/* `csv` with a header line; `columns` as for read-csv. */
adl_harness *adl_harness_new(const char *csv, const char *columns);
void adl_harness_free(adl_harness *harness);

/* Before a run; they stay for later ones. */
void adl_harness_threads(adl_harness *harness, int threads);  /* default 2 */
void adl_harness_memory(adl_harness *harness, int64_t bytes); /* default: plenty */
void adl_harness_source(adl_harness *harness,
                        const char *parameters);                /* more of the source, "holdout: {...}", one line */
void adl_harness_top(adl_harness *harness, const char *lines);  /* more top-level lines, "seed: 7\n" */
void adl_harness_store(adl_harness *harness, bool use);         /* a model store of its own; default: none */
void adl_harness_models(adl_harness *harness, const char *run); /* --models */
void adl_harness_limit(adl_harness *harness, int64_t rows);
/* Writes a file into the directory of the pipeline; returns its path (the harness's). */
const char *adl_harness_file(adl_harness *harness, const char *name, const char *content, gssize size);

/* Runs a pipeline of the source and these stages (YAML lines, indented by two), and collects what leaves the stage `tap`
 * (NULL: nothing). Earlier results go. */
adl_outcome adl_harness_run(adl_harness *harness, const char *stages, const char *tap);

/* ---- afterwards ---- */
bool adl_harness_ok(const adl_harness *harness);            /* it ran, with no error */
const char *adl_harness_errors(const adl_harness *harness); /* all problems, as users see them */
const char *adl_harness_directory(const adl_harness *harness);
const char *adl_harness_run_directory(const adl_harness *harness); /* of the last run */
char *adl_harness_read(const adl_harness *harness,
                       const char *name); /* a file of the run directory; free it; NULL: none */

int64_t adl_harness_rows(const adl_harness *harness);
/* Value of a column of the tapped stage; the test fails (abort) if there is no such column or row. */
double adl_harness_number(const adl_harness *harness, const char *column, int64_t row);
bool adl_harness_null(const adl_harness *harness, const char *column, int64_t row);
char *adl_harness_text(const adl_harness *harness, const char *column, int64_t row); /* as for people; free it */
/* All rows as one column; the harness's. NULL: no rows. */
const adl_column *adl_harness_column(adl_harness *harness, const char *column);
adl_type adl_harness_type(const adl_harness *harness, const char *column);
adl_split adl_harness_split(const adl_harness *harness, int64_t row);

const adl_tensors *adl_harness_model(const adl_harness *harness, const char *stage); /* NULL: none */
double adl_harness_report(const adl_harness *harness, const char *stage, const char *over,
                          const char *name); /* NAN: none */
int64_t adl_harness_rejected(const adl_harness *harness);
char *adl_harness_rejects(const adl_harness *harness); /* "stage line column reason\n" for each; free it */
/* Digest of everything that the run published (models, outputs, metrics, rejects), free it: equal bytes, equal text. */
char *adl_harness_digest(const adl_harness *harness);

#endif
