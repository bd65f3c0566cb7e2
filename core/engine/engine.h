/*
 * The engine: runs a bound graph. Sources are read once, rows travel in frames through chains of stages on all workers,
 * stages that learn keep theirs until they are fitted. What a run publishes (models, outputs, rejects, metrics, manifest)
 * does not depend on the number of threads, on --memory or on when it was interrupted before. Called by the commands run
 * and peek, and by the test harness.
 */
#ifndef ADLOOM_CORE_ENGINE_ENGINE_H
#define ADLOOM_CORE_ENGINE_ENGINE_H

#include <stdio.h>

#include "core/data/frame.h"
#include "core/graph/graph.h"

typedef struct adl_engine adl_engine;
typedef struct adl_report_data adl_report_data;

typedef enum adl_outcome { ADL_RUN_OK = 0, ADL_RUN_FAILED = 1, ADL_RUN_INTERRUPTED = 130 } adl_outcome;

typedef struct adl_run_options {
  int32_t threads;             /* 0: one per core */
  int64_t memory;              /* bytes for kept rows; 0: half of what is free */
  int64_t limit;               /* rows of each source; 0: all */
  const char *directory;       /* of the run, exists; NULL: nothing is written (peek, harness) */
  const char *models;          /* directory of the model store, "": the user's; NULL: none */
  struct adl_outputs *outputs; /* that made the temporary paths of the graph's sinks; NULL: none; the caller's */
  FILE *explain;               /* gets a line for each stage that learns: why it is fitted or not; NULL: nobody asks */
  bool fresh;                  /* fit everything, whatever the store holds */
  bool apply;                  /* --models: nothing is learned; all rows are new data */
  enum { ADL_PROGRESS_NONE, ADL_PROGRESS_LINES, ADL_PROGRESS_TERMINAL, ADL_PROGRESS_JSON } progress;
  FILE *progress_file;
  const char *tap;          /* a stage of which all rows that leave are collected (adl_engine_peeked); NULL: none */
  const GPtrArray *watched; /* of const adl_stage *: whose rows `watch` sees when they leave; NULL: none */
  /* One call at a time, on any thread, in no order (rows know where they came from: adl_frame_tags). */
  void (*watch)(void *data, const adl_stage *stage, const adl_frame *frame);
  void *watch_data;
  const adl_stage *recorded; /* what it is given and gives goes to the file `record`; NULL: none */
  const char *record;
  const char *const *arguments; /* for the manifest */
  /* Makes what people read of the run; it goes into the run directory as ADL_PAGE_NAME when the outputs are in place (or the
   * run has failed), before the manifest. NULL: there is none. */
  GString *(*report)(void *data, const adl_engine *engine, adl_outcome outcome);
  void *report_data;
} adl_run_options;

#define ADL_PAGE_NAME "report.html"

/* Fills the rest of the host table. Once, before a plugin is loaded. */
void adl_engine_setup_host(void);

adl_engine *adl_engine_new(adl_graph *graph, const adl_run_options *options);
/* Problems go to the graph's list. */
adl_outcome adl_engine_run(adl_engine *engine);
/* The first `rows` rows that leave a stage; only what is before it runs. */
adl_outcome adl_engine_peek(adl_engine *engine, adl_stage *stage, int64_t rows);
const GPtrArray *adl_engine_peeked(const adl_engine *engine); /* of adl_frame * */
/* Before a run: the file of the model store that it would load for a stage (to be freed), NULL: it would fit. *known:
 * what determines the model is the same each time. Reads the input files, for their hashes. */
char *adl_engine_stored_model(adl_engine *engine, const adl_stage *stage, bool *known);
void adl_engine_free(adl_engine *engine);

/* Ends the progress line, so that other text can be written. Nothing is run afterwards. */
void adl_engine_end_progress(adl_engine *engine);

/* Afterwards. */
const adl_report_data *adl_engine_reports(const adl_engine *engine);
int64_t adl_engine_rows_read(const adl_engine *engine); /* of all sources, with those that were rejected */
int64_t adl_engine_rejected(const adl_engine *engine);  /* of these, and of tables that stages made; each once */
const adl_tensors *adl_engine_model(const adl_engine *engine, const adl_stage *stage); /* NULL: none */
int64_t adl_engine_rows_out(const adl_engine *engine, const adl_stage *stage);
/* What a stage did in this run. */
typedef struct adl_stage_facts {
  int64_t rows_in, rows_out;       /* kept rows count once, when they are read or fitted on */
  int64_t rows_dropped;            /* that came, were not rejected, and did not leave, where a stage picks rows */
  int64_t nanoseconds;             /* in the stage: of all workers while rows stream, by the clock while it is fitted */
  int64_t fit_nanoseconds;         /* by the clock, while it was fitted in this run */
  int64_t model_bytes, kept_bytes; /* of its model; of the rows that were kept for it at most */
  bool fitted;                     /* its model was learned in this run */
  bool stored;                     /* its model came from the model store */
  const char *digest;              /* of all that determines its rows; "": not known */
} adl_stage_facts;
adl_stage_facts adl_engine_stage_facts(const adl_engine *engine, const adl_stage *stage);
/* Nulls of a column of a source, by number in its schema; -1: nobody read the column, or the stage is no source. */
int64_t adl_engine_nulls(const adl_engine *engine, const adl_stage *stage, int32_t column);
/* Some rows of a source, see sample.h; none of other stages. */
const struct adl_sample_row *adl_engine_sample(const adl_engine *engine, const adl_stage *stage, int64_t *count);
const adl_graph *adl_engine_graph(const adl_engine *engine);
const adl_run_options *adl_engine_options(
    const adl_engine *engine); /* as given; see the next two for what they became */
int32_t adl_engine_threads(const adl_engine *engine);
int64_t adl_engine_memory(const adl_engine *engine);
int64_t adl_engine_started(const adl_engine *engine); /* microseconds since 1970 */
/* A file that a stage read: bytes and XXH3-128 of its content. False: it cannot be read (a pipe, say). */
bool adl_engine_file(const adl_engine *engine, const char *path, int64_t *bytes, char hex[33]);
const adl_stage *adl_engine_culprit(
    const adl_engine *engine); /* of a run that failed: whose fault it was; NULL: nobody's */
int64_t adl_engine_nanoseconds(const adl_engine *engine, const adl_stage *stage);
void adl_engine_each_reject(const adl_engine *engine,
                            void (*visit)(void *data, const char *stage, const char *source, int64_t position,
                                          const char *column, const char *reason),
                            void *data);

/* Ctrl-C: the run ends at the next batch boundary. Safe in a signal handler. */
void adl_engine_interrupt(void);

#endif
