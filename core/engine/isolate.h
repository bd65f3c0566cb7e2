/*
 * Stages in processes of their own (`isolate:`), and the record of what a stage was given and gave (`run --record`).
 *
 * The engine knows nothing of it: the stage's class is exchanged for one that looks the same, whose functions send what
 * they are given to the process and do on the ordinary host table what it answers.
 *
 *   isolate_process.c   the processes: a keeper that is forked before the engine has threads, and forks the worker, again
 *                       if need be; death and time limit
 *   isolate_channel.c   messages through shared memory
 *   isolate_serve.c     the worker: answers requests with the plugin's class
 *   isolate_host.c      the host table that the plugin sees there
 *   isolate_class.c     the class that stands in, in the run
 *   isolate_apply.c     does in the run what an answer says
 *   record.c            the same messages in a file
 */
#ifndef ADLOOM_CORE_ENGINE_ISOLATE_H
#define ADLOOM_CORE_ENGINE_ISOLATE_H

#include "core/engine/internal.h"
#include "core/engine/isolate_channel.h"

/* Messages begin with one of these. The numbers are part of the record's format. */
typedef enum adl_request {
  ADL_REQUEST_START = 1, /* input columns and what is wanted; first */
  ADL_REQUEST_INIT,
  ADL_REQUEST_FIT,
  ADL_REQUEST_STEP, /* these three answer a fold of the fit that goes on */
  ADL_REQUEST_MERGE,
  ADL_REQUEST_FOLDED,
  ADL_REQUEST_PREPARE,
  ADL_REQUEST_PROCESS,
  ADL_REQUEST_LEARN,
  ADL_REQUEST_FINISH,
  ADL_REQUEST_REPORT,
  ADL_REQUEST_END
} adl_request;

enum { ADL_ANSWER_FOLD = 100, ADL_ANSWER_DONE = 101 };

/* What an answer is made of, in the order in which it happened; ADL_TOLD_END ends it. */
typedef enum adl_told {
  ADL_TOLD_END = 0,
  ADL_TOLD_FAILURE, /* parameter, offset, hint, text */
  ADL_TOLD_INVALID, /* text: a column that is not valid */
  ADL_TOLD_REJECT,  /* row, column, text */
  ADL_TOLD_LOG,     /* level, text */
  ADL_TOLD_WIDTH,   /* slot, width */
  ADL_TOLD_NAMES,   /* slot, offsets, bytes */
  ADL_TOLD_COLUMN,  /* slot, array */
  ADL_TOLD_PASS,    /* slot, input slot */
  ADL_TOLD_PICK,    /* row numbers */
  ADL_TOLD_GATHER,  /* side, row numbers */
  ADL_TOLD_COMMIT,  /* rows */
  ADL_TOLD_NUMBER,  /* report: over, name, value, low, high */
  ADL_TOLD_TEXT,    /* report: name, text */
  ADL_TOLD_TABLE,   /* report: name, columns, rows, titles, cells */
  ADL_TOLD_PLOT,    /* report: name, x_title, y_title, bars, x, y */
  ADL_TOLD_MODEL    /* tensors */
} adl_told;

const char *adl_request_name(adl_request request); /* "process" */

/* ---- the worker (isolate_serve.c) ---- */

/* What it needs to know of the run. */
typedef struct adl_serving {
  adl_graph *graph;
  adl_stage *stage;
  int64_t started_us;
  bool online; /* host->online */
  adl_channel *channel;
} adl_serving;

/* Answers requests until the last. */
void adl_serve(const adl_serving *serving);

/* ---- processes (isolate_process.c) ---- */

typedef struct adl_keeper {
  adl_channel *channel;
  pid_t pid;
} adl_keeper;

/* Nothing else may run in this process meanwhile. False with errno. */
bool adl_keeper_start(adl_keeper *keeper, const adl_serving *serving);
void adl_keeper_stop(adl_keeper *keeper, bool at_work); /* at_work: the worker does not wait for a request */
/* Another worker, after the last one died. False: the keeper is dead as well. */
bool adl_keeper_again(adl_keeper *keeper);
void adl_keeper_kill_worker(adl_keeper *keeper);
/* Has the worker died? Then how: "crashed (SIGSEGV, a bad memory access)"; free it. */
bool adl_keeper_dead(adl_keeper *keeper, char **how);

/* ---- the run's side ---- */

typedef struct adl_record adl_record;

typedef struct adl_isolate {
  adl_engine *engine;
  adl_stage *stage;
  adl_class proxy; /* what the engine calls */
  const adl_class *class;
  adl_keeper keeper;
  pthread_mutex_t mutex; /* one call at a time */
  adl_pack request, answer;
  adl_pack start;           /* the request START, for another worker */
  bool has_model, prepared; /* in the worker */
  bool dirty;               /* it has learned what the run has not seen */
  int64_t learned;          /* batches since the run saw the model */
  int64_t partials;         /* given a number so far */
  int32_t deaths;
  char *death; /* why the stage is over; NULL: it is not */
  const char *function;
  int64_t since, grace; /* when the plugin last gave a sign of life; when it was told to stop (0: not yet) */
  uint64_t beats;
  struct adl_record *record;
} adl_isolate;

/* Before the engine has threads, on one that outlives it: processes end with the thread that forked them. What fails is
 * reported, and ends the run. */
void adl_isolates_start(adl_engine *engine);
/* When the nodes are there: the engine calls the processes from now on. */
void adl_isolates_stand_in(adl_engine *engine);
void adl_isolates_free(adl_engine *engine);

/* isolate_class.c */
void adl_isolate_class(adl_isolate *isolate);

/* isolate_apply.c. `batch`: of the call; NULL: none. */
adl_status adl_isolate_apply(adl_isolate *isolate, const adl_call *call, const adl_batch *batch, adl_out *out,
                             adl_model *model, adl_unpack *answer);

/* ---- record.c ---- */

/* NULL: *why (free it). */
adl_record *adl_record_new(const char *path, const adl_serving *serving, char **why);
void adl_record_add(adl_record *record, bool answer, const adl_pack *message);
void adl_record_death(adl_record *record, const char *how);
bool adl_record_close(adl_record *record, char **why); /* NULL is fine */

#endif
