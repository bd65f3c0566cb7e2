/*
 * What the files of the engine share: the engine of one run, its nodes (a stage while it runs), parcels and turns.
 *
 *   run.c     what happens between two scans: which models are fitted when
 *   plan.c    which heads are read next, and what their rows will meet
 *   scan.c    one pass over some heads: workers, tickets, delivery along the graph
 *   head.c    reading a head: a source, or rows that were kept
 *   turn.c    putting parcels back into row order
 *   step.c    one frame through one stage: slots, checks, process and learn
 *   parts.c   the same for a parcel of which many rows come
 *   out.c     what a stage gives: adl_out
 *   leave.c   how that becomes frames, in parts where it is much more than came
 *   fits.c    the fits that are possible, side by side
 *   fold.c    host->fold over kept rows
 *   passing.c fits that fold rows while they pass by, or are being kept
 *   lost.c    whether more rows were rejected than may be, and what a fit did not get
 *   blas.c    whether OpenBLAS will find room for its buffers
 *   host.c    the functions of the host table that need a running engine
 *   models.c  fitting, loading, saving
 *   isolate.h stages in processes of their own: a class that stands in for the plugin's
 *   rejects.c, crash.c, progress.c, outputs.c, manifest.c
 */
#ifndef ADLOOM_CORE_ENGINE_INTERNAL_H
#define ADLOOM_CORE_ENGINE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/data/frame.h"
#include "core/data/tensors.h"
#include "core/engine/engine.h"
#include "core/engine/pool.h"
#include "core/engine/rejects.h"
#include "core/engine/sample.h"
#include "core/engine/store.h"
#include "core/graph/call.h"
#include "core/graph/graph.h"

typedef struct adl_node_run adl_node_run; /* a stage while it runs */
typedef struct adl_desk adl_desk;         /* where a fit is made */
typedef struct adl_worker adl_worker;     /* a thread while it runs stages */

/* Bytes on their way from next to decode, or from encode to write. */
typedef struct adl_block {
  uint8_t *data;
  int64_t size, capacity, position;
} adl_block;

/* Frames that came of one read of a head, or a part of them where they became many more on the way: the unit that keeps
 * its place in the row order. */
typedef struct adl_parcel {
  int64_t number;
  int64_t part;      /* 0, and so on */
  bool more;         /* another part of this number follows */
  int64_t first;     /* added to the ordinals of its rows: parts of one number never share an ordinal */
  bool late;         /* given after the last row of a scan: not everybody gets one of its number */
  GPtrArray *frames; /* of adl_frame * */
} adl_parcel;

/* A read of a head on its way; it is over when nobody works on what came of it (scan.c). */
typedef struct adl_ticket adl_ticket;
void adl_ticket_hold(adl_ticket *ticket);
void adl_ticket_release(adl_ticket *ticket);

typedef struct adl_turn_item {
  int64_t number, part;
  bool more;
  adl_node_run *node;
  adl_parcel *parcel;
  adl_ticket *ticket;
  GBytes *block; /* of a sink with encode; else NULL */
} adl_turn_item;

/* Lets items through one at a time, in order of their numbers and parts. */
typedef struct adl_turn {
  pthread_mutex_t mutex;
  int64_t next, next_part, stride;
  bool active;
  GQueue waiting; /* of adl_turn_item *, rising */
} adl_turn;

enum {
  ADL_MAX_LANES = 8,
  ADL_ORDINAL_SHIFT = 24 /* rows of parcel n are numbered from n << 24 on */
};

typedef struct adl_leaving_rows adl_leaving_rows; /* leave.c */

/* What happens to rows that reach a node in the scan at hand. */
typedef enum adl_action { ADL_IDLE, ADL_STREAM, ADL_KEEP, ADL_FOLD } adl_action;

typedef struct adl_side_run {
  adl_store *store;
  adl_turn turn;
  bool complete;
} adl_side_run;

/* A fit that folds rows while they pass by, or are being kept: it runs on a thread of its own and waits in fold. */
typedef struct adl_passing_fold {
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  bool started, asked, delivered, returned;
  adl_status status;
  adl_worker *worker; /* of the call of fit */
  adl_desk *desk;     /* for what comes after that fold */
  int64_t woken;      /* when its last row had come */
  int64_t ended;      /* when it returned */
  GPtrArray *kept;    /* of adl_frame *: that have just been kept, and are still to be folded; else empty */
  int64_t kept_count; /* frames that were kept, and handed on from there */
  const adl_fold *fold;
  adl_tensors *total;
  adl_tensors *partials[ADL_MAX_LANES];
  bool touched[ADL_MAX_LANES];
  adl_turn turns[ADL_MAX_LANES];
  int32_t lanes;
} adl_passing_fold;

struct adl_node_run {
  adl_stage *stage;
  adl_engine *engine;
  bool off;        /* peek: not before the stage in question */
  bool started;    /* start was called: its inputs are final */
  bool ready;      /* rows can stream through: started, and its model, if any, is there and prepared */
  bool has_model;  /* loaded, or what an online learner starts from: need not be fitted */
  bool from_store; /* the model is one that an earlier run kept */
  bool drained;    /* all rows of its main input have arrived */
  bool done;       /* its head has been read to the end */
  adl_action action;
  bool folds;   /* its fit folds the rows of the scan at hand */
  int32_t head; /* of the scan at hand: number of the head whose rows reach it; of no meaning where it is idle */
  adl_model model;
  bool prepared;
  bool fitted_here;  /* not loaded */
  char digest[65];   /* of all that determines its rows; "" : not known, never cached */
  GPtrArray *fields; /* of char *: what that was made of (digest.h); NULL: no digests were made */
  adl_store *store;  /* kept rows of the main input */
  uint8_t **refused; /* by frame of the store: rows that fit refused, as bits; NULL: none */
  int64_t refused_count;
  _Atomic bool refused_in_fit;
  GPtrArray *ports; /* CONCAT: of adl_side_run *, one per input */
  adl_store *table; /* NEW without process: what finish gave; WHOLE_TABLE: NULL */
  int64_t *order;   /* WHOLE_TABLE: numbers of kept rows, in the order in which they leave */
  int64_t order_count;
  GPtrArray *sides; /* of adl_side_run * */
  adl_turn turn;
  adl_passing_fold *passing;
  double threshold;                 /* HOLDOUT newest */
  adl_frame *group_rest;            /* WHOLE_GROUPS: rows of the group that may go on */
  int64_t limit_left;               /* sources, with --limit */
  int32_t first_shard, shard_count; /* sources, and stages that make rows: number of shard 0 in the table of the run */
  bool failed_fit;
  bool watched; /* what leaves it is shown to adl_run_options.watch */
  int64_t fit_nanoseconds, kept_bytes;
  bool hands_on;               /* what leaves is what came, column by column */
  _Atomic int64_t *nulls;      /* sources: by column of the schema; else NULL */
  struct adl_isolate *isolate; /* it works in a process of its own; NULL: in this one */
  adl_sample *sample;          /* sources; else NULL */
};

/* What a call of a plugin belongs to, while the engine runs. */
struct adl_run_call {
  adl_engine *engine;
  adl_node_run *node;
  adl_frame *frame;  /* the rows in hand; NULL: none */
  uint8_t *rejected; /* bit per row of frame; NULL: none */
  adl_out *out;
  adl_split split;
  int32_t shard;      /* sources: number in the run's table */
  int64_t first_made; /* number of the next row of a table of its own that the stage makes */
  GPtrArray *records; /* of adl_reject *: refused while a limited source was read; NULL: not held back */
  int64_t later;
  adl_report *report;
  adl_desk *desk; /* of a fit, a step in order, or the control thread: loops get the workers; else NULL */
};

/* What a stage did on one worker. */
typedef struct adl_tally {
  int64_t rows_in, rows_out, nanoseconds;
  int64_t dropped; /* PICKED: rows that came, were not refused, and were not picked either */
} adl_tally;

struct adl_worker {
  adl_context context;
  adl_run_call call;
  adl_out *out;
  adl_tally *tallies;     /* by stage number */
  adl_parcel *spare;      /* an empty one, for the next stage; NULL: none */
  adl_leaving_rows *rest; /* picked rows that have not left yet; NULL: none */
  bool in_parts;          /* what is picked may leave in parts */
  bool helping;           /* carries what other tickets need, while its own must wait */
  int64_t since;  /* when the stage before ended, from one stage of a chain to the next; 0: the clock must be read */
  char apart[64]; /* two workers never share a line of the cache */
};

/* A thread that fits, and the workers that stand for it inside of fit. */
struct adl_desk {
  adl_engine *engine;
  adl_worker *fit;  /* calls of fit; of the control thread, all its calls */
  adl_worker *step; /* calls inside of those: steps in order */
  int32_t number;   /* of its worker in lanes and loops, which it shares; of the pool's threads, their own */
  bool folding_in_order;
};

typedef struct adl_held adl_held; /* fold.c */

struct adl_rows {
  adl_node_run *node;
  adl_store *store; /* NULL: rows pass by */
  int32_t side;     /* -1: main input */
  int64_t passes;   /* that were begun */
  adl_held **held;  /* by frame of the store: as the pass before saw it; NULL: not held. NULL before the second pass */
};

typedef struct adl_shard {
  adl_stage *stage;
  char *name;
} adl_shard;

struct adl_engine {
  adl_graph *graph;
  const adl_run_options *options;
  adl_problems *problems;
  adl_pool *pool;
  int32_t threads;
  adl_budget budget;
  adl_node_run *nodes; /* by stage number */
  int32_t node_count;
  adl_worker *workers; /* those of the pool, two for each desk, and one more for each that is not the pool's */
  int32_t worker_count;
  adl_desk *desks; /* of the pool's threads, of the control thread, and for as many fits on threads of their own */
  adl_rejects *rejects;
  GArray *shards; /* of adl_shard */
  pthread_mutex_t shards_mutex;
  bool apply; /* --models: nothing is learned */
  int64_t started_us;
  _Atomic bool failed, enough;
  _Atomic int64_t held_bytes;       /* by fits of many passes: see hold_or_close */
  _Atomic int32_t fits_alone;       /* fits that are at work on threads of their own */
  const adl_stage *_Atomic culprit; /* the first that failed */
  _Atomic int64_t rows_read;
  GPtrArray *isolates; /* of struct adl_isolate * */
  struct adl_outputs *outputs;
  struct adl_model_store *models; /* NULL: none */
  pthread_mutex_t models_mutex;   /* while a model is put into it */
  struct adl_file_digests *file_digests;
  struct adl_progress *progress;
  adl_report_data *reports; /* see reports.h */
  pthread_mutex_t watch_mutex;
  /* peek */
  adl_stage *peek;
  int64_t peek_rows;
  adl_turn peek_turn;
  GPtrArray *peeked; /* of adl_frame * */
};

/* Room to say of so many kept frames which rows fit refused. */
void adl_refused_resize(adl_node_run *node, int64_t frames);
/* Kept rows that have been passed on are not needed any more. */
void adl_node_forget_rows(adl_node_run *node);

static inline adl_node_run *adl_node_of(adl_engine *engine, const adl_stage *stage) {
  return &engine->nodes[stage->number];
}
static inline adl_desk *adl_control_desk(const adl_engine *engine) { return &engine->desks[engine->threads]; }
/* What is kept leaves little for more: one thing after the other then. */
static inline bool adl_memory_is_short(const adl_engine *engine) {
  return atomic_load(&engine->budget.used) > engine->budget.limit / 2;
}
static inline adl_worker *adl_control(const adl_engine *engine) { return adl_control_desk(engine)->fit; }
static inline adl_tally *adl_tally_of(adl_worker *worker, const adl_node_run *node) {
  return &worker->tallies[node->stage->number];
}
/* One worker counts its own; others may look meanwhile (live.c). */
static inline void adl_count(int64_t *counter, int64_t rows) {
  __atomic_store_n(counter, *counter + rows, __ATOMIC_RELAXED);
}
/* Of all workers; while nothing runs. */
adl_tally adl_node_tally(const adl_node_run *node);
extern _Atomic bool adl_engine_interrupted; /* Ctrl-C; for the whole process */
static inline bool adl_engine_stopping(adl_engine *engine) {
  return atomic_load_explicit(&engine->failed, memory_order_relaxed) ||
         atomic_load_explicit(&adl_engine_interrupted, memory_order_relaxed);
}

/* An error that is the engine's own (a spool that cannot be written): reported, and the run ends. */
void adl_engine_fail(adl_engine *engine, const adl_stage *stage, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* A warning of the engine's own about a stage: reported, and in the log. */
void adl_engine_warn(adl_engine *engine, const adl_stage *stage, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The run fails, and this stage is the reason, unless there is one already. Before `failed` is set. */
void adl_engine_blame(adl_engine *engine, const adl_stage *stage);

/* ---- turn.c ---- */
void adl_turn_init(adl_turn *turn, int64_t first, int64_t stride);
void adl_turn_clear(adl_turn *turn);
adl_turn_item *adl_turn_item_new(adl_node_run *node, adl_parcel *parcel, adl_ticket *ticket);
void adl_turn_item_free(adl_turn_item *item);
/* Runs `run` for this item and those it held up, when it is their turn; takes the item over. */
void adl_turn_offer(adl_turn *turn, adl_turn_item *item, void (*run)(adl_turn_item *item, void *data), void *data);

adl_parcel *adl_parcel_new(int64_t number);
adl_parcel *adl_parcel_like(const adl_parcel *parcel); /* an empty one for what comes of these rows */
static inline int64_t adl_parcel_ordinal(const adl_parcel *parcel) {
  return (parcel->number << ADL_ORDINAL_SHIFT) + parcel->first;
}
adl_parcel *adl_parcel_share(const adl_parcel *parcel); /* another parcel of the same frames */
void adl_parcel_free(adl_parcel *parcel);

/* ---- step.c: one frame through one stage ---- */

enum { ADL_VIEW_FEW = 12 };

/* A frame as a stage sees it. It stays where it was opened. */
typedef struct adl_view {
  adl_frame *frame;   /* cleaned: rows with forbidden nulls or NaN have been rejected */
  adl_array **arrays; /* by slot; NULL: absent */
  const adl_column **columns;
  uint32_t slot_count;
  adl_batch batch;
  void *few[2 * ADL_VIEW_FEW]; /* arrays and columns, unless there are more slots */
} adl_view;

enum {
  ADL_VIEW_LEARN = 1 << 0,      /* learn-only slots are filled and checked (training rows) */
  ADL_VIEW_CHECKED = 1 << 1,    /* the rows have been through this before */
  ADL_VIEW_CHECK_LEARN = 1 << 2 /* learn-only slots are checked, but the stage does not see them */
};
/* side: -1 for the main input. False: reported, and there is nothing to close. */
bool adl_view_open(adl_view *view, adl_worker *worker, adl_node_run *node, int32_t side, adl_frame *frame,
                   uint32_t flags);
void adl_view_close(adl_view *view);
/* Which of `count` columns of a side (-1: the main input) the stage's slots are made of. */
bool *adl_columns_read(const adl_stage *stage, int32_t side, int32_t count);
/* Rows whose split is (keep) or is not (!keep) the given one; a reference. */
adl_frame *adl_frame_of_split(adl_frame *frame, adl_split split, bool keep);

/* Rows through process (or learn, or a holdout): the frames that leave are appended to `result`. [run], or [turn] where
 * the class asks for it. False: failed. */
bool adl_step_process(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel, GPtrArray *result);
/* One frame through process; what leaves is appended. */
bool adl_step_frame(adl_worker *worker, adl_node_run *node, adl_frame *frame, int64_t ordinal, GPtrArray *result);
/* parts.c: where process may give many rows for one: they are handed on in parts, each as soon as it is made. `give` takes the part
 * over. False: failed, and no last part was given. */
bool adl_step_in_parts(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel,
                       void (*give)(adl_worker *worker, adl_parcel *part, void *data), void *data);
bool adl_step_learn(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel, GPtrArray *result);
/* first_made: number of the first row that it makes. What it gives is kept in `table`, or (NULL) appended to `result`. */
bool adl_step_finish(adl_worker *worker, adl_node_run *node, int64_t first_made, adl_store *table, GPtrArray *result);
GBytes *adl_step_encode(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel);
bool adl_step_write(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel, GBytes *block);
int64_t adl_clock_ns(void);
/* Enters a call of this stage: scratch, run part, crash report. */
const adl_call *adl_worker_enter(adl_worker *worker, adl_node_run *node, const char *function);
bool adl_worker_leave(adl_worker *worker, adl_status status);
/* A stage that must see rows in order, one call at a time. */
bool adl_node_takes_turns(const adl_node_run *node);

/* ---- whole.c: classes that see whole tables or whole groups ---- */
bool adl_whole_table(adl_node_run *node); /* fills node->order */
/* Turns a parcel of rows into one of whole groups (a reference; the rest waits in the node); `last`: gives the rest. */
adl_parcel *adl_whole_groups(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel, bool last);
/* Fills batch.groups, in the call's scratch. */
void adl_whole_offsets(adl_view *view, const adl_stage *stage, const adl_call *call);

/* ---- out.c ---- */
adl_out *adl_out_new(void);
void adl_out_free(adl_out *out);
void adl_out_begin(adl_out *out, adl_worker *worker, adl_node_run *node, adl_view *view);
/* From here on, committed rows go into this store. */
void adl_out_into(adl_out *out, adl_store *table);
/* The frames that came of it, appended to `result`. False: what the stage gave is not valid (reported). */
bool adl_out_end(adl_out *out, adl_worker *worker, GPtrArray *result);
void adl_out_drop(adl_out *out);
/* Appends a frame, cut into pieces of at most ADL_BATCH_ROWS. */
void adl_append_cut(GPtrArray *result, adl_frame *frame);
/* The block that next or encode made; ownership goes over; no data: none. Free it, or let it be used again. */
adl_block adl_out_take_block(adl_out *out);
void adl_out_reuse_block(adl_out *out, adl_block *block);
/* PICKED: counts the rows of the batch that were neither picked nor refused. */
void adl_out_count_dropped(const adl_out *out, adl_worker *worker);
/* The rows that were picked; free with g_free. */
int64_t *adl_out_take_pick(adl_out *out, int64_t *count);
void adl_out_fill(adl_host *host);
/* Is there such an output slot? False: host->fail has said so. */
bool adl_out_has(const adl_call *call, const adl_out *out, int32_t slot);
adl_type adl_out_type(const adl_out *out, int32_t slot);
const char *adl_out_name(const adl_out *out, int32_t slot);      /* of the column; "" where it does not leave */
int64_t adl_out_rows(const adl_out *out);                        /* that each column must have; -1: not known yet */
void adl_out_give(adl_out *out, int32_t slot, adl_array *array); /* as the slot's column; takes the reference over */

/* ---- arrow.c: what plugins get as adloom.arrow/1; after adl_host_fill ---- */
void adl_arrow_fill(adl_host *host);

/* ---- leave.c ---- */

/* The rows that leave a stage of form SAME or PICKED, and all that their columns are made of. */
struct adl_leaving_rows {
  adl_node_run *node;
  adl_frame *input;
  adl_array **slots; /* of the view */
  guint slot_count;
  adl_array **given; /* by column of the schema: what the stage gave for it, as many as rows leave; NULL: not given */
  int64_t *index;    /* rows of the input; NULL: all of them */
  int64_t count, taken; /* how many leave; how many have left */
  int64_t **side_rows;  /* by side, as many as rows leave, -1: none; NULL: it brought none */
  uint8_t *rejected;    /* rows of the input, as bits; NULL: none */
};
/* The next `count` of them at most; NULL: failed (reported). */
adl_frame *adl_leave(adl_leaving_rows *rows, int64_t count);
/* For later: takes `index` and what is in `side_rows` over. */
adl_leaving_rows *adl_leaving_rows_keep(const adl_leaving_rows *rows);
void adl_leaving_rows_free(adl_leaving_rows *rows);

/* ---- fits.c ---- */
/* Fits these nodes; false: one failed. From the control thread, between scans. */
bool adl_fit_all(adl_engine *engine, const GPtrArray *nodes);
/* From a call on this desk: work that other threads may share, if they rest. */
void adl_desk_share(const adl_desk *desk, void (*work)(void *data, int32_t worker), void *data);

/* ---- fold.c ---- */
void adl_fold_fill(adl_host *host);
/* No pass will follow. */
void adl_rows_forget(adl_rows *rows);

/* ---- passing.c ---- */
/* Before a scan: fits that fold its rows begin, and ask for them. False: one failed. */
bool adl_passing_start_all(adl_engine *engine);
/* Rows for the fold. Takes parcel and one hold of the ticket over. */
void adl_passing_deliver(adl_worker *worker, adl_node_run *node, adl_parcel *parcel, adl_ticket *ticket);
/* In the turn in which rows were kept: the next frame that now is, for the fold; NULL: there is none, or nobody folds. */
adl_parcel *adl_passing_kept(adl_node_run *node);
/* After the scan: they go on from there, side by side, and end. False: one failed. */
bool adl_passing_finish_all(adl_engine *engine);

/* ---- lost.c ---- */
/* To an error of a fit: what most rows were refused for on their way to this stage or by it, and who dropped most. */
void adl_tell_lost(const adl_node_run *node, adl_problem *problem);
/* More rows were rejected than the pipeline allows: the run has failed, and says so. */
bool adl_too_many_rejects(adl_engine *engine);

/* ---- blas.c ---- */
/* False: there is not, and it is reported. */
bool adl_blas_has_room(adl_engine *engine);

/* ---- plan.c ---- */

/* What is read: frames one after the other. */
typedef struct adl_head {
  adl_node_run *node;
  enum { ADL_HEAD_SOURCE, ADL_HEAD_STORE, ADL_HEAD_TABLE, ADL_HEAD_ORDER, ADL_HEAD_PORTS } kind;
} adl_head;
/* All heads that make nobody keep rows for want of another, but only one whose rows are written, since two sinks may write to
 * the same; else the one for which fewest must. Returns how many. */
int32_t adl_choose_heads(adl_engine *engine, adl_head *heads);
/* Sets what every node does with the rows of a scan of these heads. */
void adl_plan_scan(adl_engine *engine, const adl_head *heads, int32_t count);

/* ---- scan.c ---- */
/* Reads heads as it was planned. False: failed. */
bool adl_scan_run(adl_engine *engine, const adl_head *heads, int32_t count);

/* ---- models.c ---- */
/* A model that is given, or that an earlier run kept; *have tells whether there is one. False: failed. */
bool adl_model_load(adl_node_run *node, bool *have);
bool adl_model_fit(adl_desk *desk, adl_node_run *node, adl_rows *rows);
/* The call of fit itself; a class without it is fitted by one pass of learn. */
adl_status adl_model_call_fit(const adl_call *call, adl_node_run *node, adl_rows *rows);
bool adl_model_init(adl_node_run *node);
bool adl_model_prepare(adl_node_run *node);
/* Into the model store, as soon as it is fitted: a run that is interrupted later, or in which something beside it fails, need
 * not fit it again. On the thread that fits. */
void adl_model_keep(adl_node_run *node);
/* All models into the run directory, on threads of their own; what is returned goes to the end, which waits for them. When the
 * run has not succeeded until then (ok), or one cannot be written, none stays; returns whether they are there. */
GArray *adl_models_begin_saving(const adl_engine *engine);
bool adl_models_end_saving(GArray *saving, bool ok);
/* Fills node->digest, where models may come from the store. */
void adl_digests(adl_engine *engine);
void adl_node_release(adl_node_run *node);

/* ---- host.c ---- */
void adl_host_fill_run(adl_host *host);

#endif
