/*
 * Aggregates of the past: what the events of a key come to before a moment, as the class history needs it. Events are
 * gathered in a fold, then put in order by key and time, and where a range of neighbouring events would take long to look
 * through, an aggregate gets an index: sums up to every fourth event, a tree of sums or extremes, links to earlier events.
 *
 * A training row is told of training events alone: those that stand before the key's held-out ones; or, where held-out ones
 * come between, training events that stand once more by themselves. So no held-out event reaches it, nor changes the rounding
 * of a sum.
 */
#ifndef ADLOOM_COMMON_PAST_H
#define ADLOOM_COMMON_PAST_H

#include <adloom/plugin.h>

#define ADL_PAST_FUNCTIONS "count, sum, mean, min, max, last, distinct, bag, since"

typedef enum adl_past_function {
  ADL_PAST_COUNT,
  ADL_PAST_SUM,
  ADL_PAST_MEAN,
  ADL_PAST_MIN,
  ADL_PAST_MAX,
  ADL_PAST_LAST,
  ADL_PAST_DISTINCT,
  ADL_PAST_BAG,
  ADL_PAST_SINCE
} adl_past_function;

/* How the values of an event column are held. */
typedef enum adl_past_kind {
  ADL_PAST_INTEGER,
  ADL_PAST_FLOAT,
  ADL_PAST_TEXT /* number of the string in a table, in four bytes; others in eight */
} adl_past_kind;

typedef struct adl_past_column {
  const char *name;
  adl_input input;
  adl_past_kind kind;
} adl_past_column;

typedef struct adl_past_call {
  const char *name; /* of the new column */
  adl_past_function function;
  int32_t column, weight; /* numbers of event columns; -1: none */
  adl_type type;          /* of the new column */
  int32_t slot;
} adl_past_call;

/* Fields of an instance; zeroed, then filled in by adl_past_bind. */
typedef struct adl_past {
  adl_input *keys;
  int64_t key_count;
  adl_input time;
  int64_t call_count, column_count;
  adl_past_call *calls;
  adl_past_column *columns;
  bool windowed; /* ranges may begin behind a key's first event */
} adl_past;

/* [bind] Reads the calls of the map (parameter `past`), takes the event columns in and declares the new ones. `keys` of the
 * event's stage and its time have been taken in, and `windowed` been set, before. */
adl_status adl_past_bind(const adl_call *call, const adl_side *side, const adl_map *calls, adl_past *past);
void adl_past_free(adl_past *past);

/* [fit] Gathers the events and makes the timelines. */
adl_status adl_past_fit(const adl_call *call, const adl_past *past, adl_fold *fold, adl_rows *rows, adl_model *model);
adl_status adl_past_step(const adl_call *call, const adl_past *past, const adl_batch *batch, adl_tensors *total);

/* ---- asking ---- */

/* Events sorted by key, then time, then the order in which they came. */
typedef struct adl_timeline {
  const int64_t *time;      /* of each place */
  const uint32_t *first;    /* keys + 1: where the events of each key begin */
  const uint32_t *training; /* keys x 2: from which place to which its training events stand. NULL: all are */
} adl_timeline;

/* False: the model is not complete. */
bool adl_timeline_find(const adl_call *call, const adl_model *model, adl_timeline *timeline);

/* Events from .. to - 1 of a timeline; `first` is the first of their key. Empty: from == to. */
typedef struct adl_past_range {
  int64_t first, from, to;
  int64_t at; /* the row's own time */
} adl_past_range;

/* The events of a key in [at - window, at), or the training events alone; window 0: all before `at`. */
adl_past_range adl_timeline_range(const adl_timeline *timeline, int64_t key, bool training, int64_t at, int64_t window);

/* [process] Writes the column of one call, a row for each range. */
adl_status adl_past_write(const adl_call *call, const adl_past *past, int64_t number, const adl_model *model,
                          const adl_past_range *ranges, int64_t rows, adl_out *out);

/* ---- between the files of this module ---- */

/* Tensor `what` of a call or an event column. */
void adl_past_tensor_name(char name[40], const char *what, int64_t number);

#endif
