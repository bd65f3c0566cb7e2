/*
 * adloom test harness: unit tests of stage classes, on the engine that users run.
 *
 *   #include <adloom/test.h>
 *
 *   static void adds_a_length(adl_test *t) {
 *     adl_test_plugin(t, "acme.length.so");
 *     adl_test_csv(t, "{text: string}", "text\nabc\nd\n");
 *     adl_test_stage(t, "use: acme.length, text: text");
 *     ADL_CHECK_OK(t);
 *     ADL_CHECK_NUMBER(t, "length", 1, 1, 0);
 *   }
 *   static const adl_test_case cases[] = {ADL_CASE(adds_a_length)};
 *   int main(int argc, char **argv) { return adl_test_main(argc, argv, cases, 1); }
 *
 * Link with `pkg-config --libs adloom-test`. A test has rows (given as text), settings, and the results of its last run:
 * the rows that left one stage, models, reports, refused rows, problems. Strings that a test gives out are its own, and
 * live until its next run.
 *
 * The ADL_CHECK macros say what is wrong, with file and line, mark the test as failed and return from the function they
 * stand in. Another framework will do as well: make a test with adl_test_new and assert on what the functions return.
 * What a test asks for by a wrong name (no such column, row, stage or tensor) is told on standard output, and ends the
 * program by abort().
 */
#ifndef ADLOOM_TEST_H
#define ADLOOM_TEST_H

#include <adloom/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adl_test adl_test;

ADL_EXPORT adl_test *adl_test_new(void);
ADL_EXPORT void adl_test_free(adl_test *test);

/* ---- before a run: what is set stays for later ones ---- */

/* A plugin file, by a path that may be relative to the working directory: it wins over installed ones of its ids. */
ADL_EXPORT void adl_test_plugin(adl_test *test, const char *path);
/* The rows, which are the stage `rows`, as CSV with a header line; columns as for read-csv: "{user: id, spend: float}". */
ADL_EXPORT void adl_test_csv(adl_test *test, const char *columns, const char *rows);
/* The same as a JSON object a line. Besides string, id, category, int, float, bool and timestamp there are int32, uint32,
 * float32, lists, vectors, sparse vectors and bags: "{v: vector 3, s: sparse 10, seen: list of string, words: bag}" for
 * {"v": [1, 2, "nan"], "s": {"7": 0.5}, "seen": ["hat"], "words": {"shoe": 2}}. What is left out is null. */
ADL_EXPORT void adl_test_json(adl_test *test, const char *columns, const char *rows);
/* More of the stage `rows`, in one line: "holdout: {newest: 0.2, by: at}". */
ADL_EXPORT void adl_test_source(adl_test *test, const char *parameters);
/* The rows reach the stages in batches of these sizes, over and over again; count 0: as they are read. */
ADL_EXPORT void adl_test_cut(adl_test *test, const int64_t *sizes, int64_t count);
ADL_EXPORT void adl_test_threads(adl_test *test, int32_t threads); /* 2 without it */
ADL_EXPORT void adl_test_memory(adl_test *test, int64_t bytes);    /* for kept rows; plenty without it */
ADL_EXPORT void adl_test_limit(adl_test *test, int64_t rows);      /* of each source; 0: all */
/* More top-level lines of the pipeline: "seed: 7\n". A test may refuse any number of its rows, unless it says otherwise here
 * (max_rejects). */
ADL_EXPORT void adl_test_top(adl_test *test, const char *lines);
ADL_EXPORT void adl_test_store(adl_test *test, bool use); /* a model store of its own; none without it */
/* The models of an earlier run, by its directory, instead of learning (NULL: learn). */
ADL_EXPORT void adl_test_models(adl_test *test, const char *run_directory);
/* Writes a file beside the pipeline, where its paths begin. `size` -1: up to the NUL. Returns its path. */
ADL_EXPORT const char *adl_test_file(adl_test *test, const char *name, const char *content, int64_t size);

/* ---- runs ---- */

/* Runs one stage behind the rows, in one line, and collects what leaves it: "use: acme.rate, category: user". It is named
 * `stage`. True: it ran, with no error. */
ADL_EXPORT bool adl_test_stage(adl_test *test, const char *stage);
/* Runs these stages (lines of YAML, indented by two) behind the rows, and collects what leaves the stage `tap` (NULL:
 * nothing). */
ADL_EXPORT bool adl_test_run(adl_test *test, const char *stages, const char *tap);
/* Runs the stages of the last run on other rows of the same make, with the models that it learned: nothing is learned.
 * `columns` NULL: the same ones (otherwise without the label, say). */
ADL_EXPORT bool adl_test_apply(adl_test *test, const char *columns, const char *rows);
/* Runs the stages with 1, 2, 3 and 8 threads, with plenty of memory and with next to none: all that they publish, and the
 * rows that leave `tap`, must be the same, bit for bit. Then in batches of other sizes: the rows that leave `tap` must be
 * the same, numbers up to `tolerance` (relative to 1 or the number, whichever is larger; below 0: leave this out). False:
 * adl_test_difference tells what differs. */
ADL_EXPORT bool adl_test_invariant(adl_test *test, const char *stages, const char *tap, double tolerance);
ADL_EXPORT const char *adl_test_difference(const adl_test *test);

/* ---- afterwards ---- */

ADL_EXPORT bool adl_test_ok(const adl_test *test);            /* it ran, with no error */
ADL_EXPORT const char *adl_test_errors(const adl_test *test); /* all problems, warnings too, as users see them */
ADL_EXPORT const char *adl_test_directory(const adl_test *test);
ADL_EXPORT const char *adl_test_run_directory(
    const adl_test *test); /* of the last run: outputs, models, metrics.json */
ADL_EXPORT const char *adl_test_read(adl_test *test, const char *name); /* a file of the run directory; NULL: none */
/* Digest of everything that the run published: equal bytes, equal text. */
ADL_EXPORT const char *adl_test_digest(adl_test *test);

/* The rows that left the tapped stage. */
ADL_EXPORT int64_t adl_test_rows(const adl_test *test);
ADL_EXPORT bool adl_test_has(const adl_test *test, const char *column);
ADL_EXPORT adl_type adl_test_type(const adl_test *test, const char *column);
ADL_EXPORT double adl_test_number(const adl_test *test, const char *column, int64_t row); /* scalars */
ADL_EXPORT bool adl_test_null(const adl_test *test, const char *column, int64_t row);
ADL_EXPORT const char *adl_test_text(adl_test *test, const char *column, int64_t row);    /* of any type, for people */
ADL_EXPORT int64_t adl_test_count(const adl_test *test, const char *column, int64_t row); /* items of the row */
/* Element of a vector or a list of numbers; of a sparse vector the value at that index, 0 where none is kept. */
ADL_EXPORT double adl_test_element(const adl_test *test, const char *column, int64_t row, int64_t at);
/* Weight of a word of a bag; NAN: it is not in it. */
ADL_EXPORT double adl_test_weight(const adl_test *test, const char *column, int64_t row, const char *word);
ADL_EXPORT adl_split adl_test_split(const adl_test *test, int64_t row);
/* All rows as one column. NULL: no rows. */
ADL_EXPORT const adl_column *adl_test_column(adl_test *test, const char *column);

/* The model of a stage. */
ADL_EXPORT bool adl_test_learned(const adl_test *test, const char *stage); /* it has one */
ADL_EXPORT bool adl_test_tensor(const adl_test *test, const char *stage, const char *name, adl_tensor *tensor);
ADL_EXPORT double adl_test_tensor_at(const adl_test *test, const char *stage, const char *name, int64_t at);
ADL_EXPORT int64_t adl_test_table_count(const adl_test *test, const char *stage, const char *table);
/* NAN: no such key. */
ADL_EXPORT double adl_test_table_at(const adl_test *test, const char *stage, const char *table, const char *key,
                                    int64_t at);

/* A number of a stage's report; `over` as in the report ("held-out", ""). NAN: none. */
ADL_EXPORT double adl_test_report(const adl_test *test, const char *stage, const char *over, const char *name);
ADL_EXPORT int64_t adl_test_rejected(const adl_test *test);
/* "stage line column reason\n" for each row that was refused. */
ADL_EXPORT const char *adl_test_rejects(adl_test *test);

/* ---- checks, and a program of tests ---- */

#define ADL_CHECK_(call)                                                                                               \
  do {                                                                                                                 \
    if (!(call)) return;                                                                                               \
  } while (0)
#define ADL_CHECK(test, condition) ADL_CHECK_(adl_test_check(test, __FILE__, __LINE__, (condition), #condition))
#define ADL_CHECK_OK(test) ADL_CHECK_(adl_test_check_ok(test, __FILE__, __LINE__))
/* The run failed, or a warning was given, and what users read has this text in it. */
#define ADL_CHECK_SAYS(test, text) ADL_CHECK_(adl_test_check_says(test, __FILE__, __LINE__, text))
#define ADL_CHECK_ROWS(test, count) ADL_CHECK_(adl_test_check_rows(test, __FILE__, __LINE__, count))
#define ADL_CHECK_NUMBER(test, column, row, number, tolerance)                                                         \
  ADL_CHECK_(adl_test_check_number(test, __FILE__, __LINE__, column, row, number, tolerance))
#define ADL_CHECK_TEXT(test, column, row, text)                                                                        \
  ADL_CHECK_(adl_test_check_text(test, __FILE__, __LINE__, column, row, text))
#define ADL_CHECK_NULL(test, column, row) ADL_CHECK_(adl_test_check_null(test, __FILE__, __LINE__, column, row))
/* Two numbers, wherever they come from (elements, tensors, reports). */
#define ADL_CHECK_NEAR(test, number, expected, tolerance)                                                              \
  ADL_CHECK_(adl_test_check_near(test, __FILE__, __LINE__, #number, number, expected, tolerance))
/* One stage as adl_test_stage takes it gives the same over threads, memory and batches: adl_test_invariant. */
#define ADL_CHECK_INVARIANT(test, stage, tolerance)                                                                    \
  ADL_CHECK_(adl_test_check_invariant(test, __FILE__, __LINE__, stage, tolerance))

ADL_EXPORT bool adl_test_check(adl_test *test, const char *file, int line, bool holds, const char *condition);
ADL_EXPORT bool adl_test_check_ok(adl_test *test, const char *file, int line);
ADL_EXPORT bool adl_test_check_says(adl_test *test, const char *file, int line, const char *text);
ADL_EXPORT bool adl_test_check_rows(adl_test *test, const char *file, int line, int64_t count);
ADL_EXPORT bool adl_test_check_number(adl_test *test, const char *file, int line, const char *column, int64_t row,
                                      double number, double tolerance);
ADL_EXPORT bool adl_test_check_text(adl_test *test, const char *file, int line, const char *column, int64_t row,
                                    const char *text);
ADL_EXPORT bool adl_test_check_null(adl_test *test, const char *file, int line, const char *column, int64_t row);
ADL_EXPORT bool adl_test_check_near(adl_test *test, const char *file, int line, const char *what, double number,
                                    double expected, double tolerance);
ADL_EXPORT bool adl_test_check_invariant(adl_test *test, const char *file, int line, const char *stage,
                                         double tolerance);

typedef struct adl_test_case {
  const char *name;
  void (*run)(adl_test *test);
} adl_test_case;
#define ADL_CASE(function)                                                                                             \
  { #function, function }

/* Runs the cases, or those that the command line names, each on a test of its own and in a process of its own, so that one
 * that crashes or takes more than a minute fails alone, and tells of them as TAP. ADL_TEST_FORK=no runs all of them in
 * this process, for a debugger. Returns the exit status of the program: 0 where all have passed. */
ADL_EXPORT int adl_test_main(int argc, char **argv, const adl_test_case *cases, int count);

#ifdef __cplusplus
}
#endif
#endif
