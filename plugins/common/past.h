/*
 * Aggregates of the past: what the events of a key come to before a moment, as the class history needs it. Events are
 * gathered in a fold, sorted by key and time, and each aggregate gets an index with one entry an event, from which it is
 * told for any range of neighbouring events: a difference of running sums, a tree of extremes, links to earlier events.
 *
 * There are up to two timelines: of all events, and of the training events alone if some are held out. What a training row
 * is told comes from the second, so that no held-out event reaches it, nor changes the rounding of a sum.
 */
#ifndef ADLOOM_COMMON_PAST_H
#define ADLOOM_COMMON_PAST_H

#include <adloom/plugin.h>
#include <string.h>

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

/* How the values of an event column are held, in eight bytes each. */
typedef enum adl_past_kind {
  ADL_PAST_INTEGER,
  ADL_PAST_FLOAT,
  ADL_PAST_TEXT /* number of the string in a table */
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
} adl_past;

/* [bind] Reads the calls of the map (parameter `past`), takes the event columns in and declares the new ones. `keys` of the
 * event's stage and its time have been taken in before. */
adl_status adl_past_bind(const adl_call *call, const adl_side *side, const adl_map *calls, adl_past *past);
void adl_past_free(adl_past *past);

/* [fit] Gathers the events and makes the timelines. */
adl_status adl_past_fit(const adl_call *call, const adl_past *past, adl_fold *fold, adl_rows *rows, adl_model *model);
adl_status adl_past_step(const adl_call *call, const adl_past *past, const adl_batch *batch, adl_tensors *total);

/* ---- asking ---- */

/* One timeline: events sorted by key, then time, then the order in which they came. */
typedef struct adl_timeline {
  char prefix; /* of the names of its tensors */
  int64_t events;
  const int64_t *time;  /* events */
  const int64_t *first; /* keys + 1: where the events of each key begin */
} adl_timeline;

/* The timeline for rows that may see every event, or training events only. False: the model is not complete. */
bool adl_timeline_find(const adl_call *call, const adl_model *model, bool training, adl_timeline *timeline);

/* Events from .. to - 1 of a timeline; `first` is the first of their key. Empty: from == to. */
typedef struct adl_past_range {
  int64_t first, from, to;
  int64_t at; /* the row's own time */
  bool training;
} adl_past_range;

/* The events of a key in [at - window, at); window 0: all before `at`. */
adl_past_range adl_timeline_range(const adl_timeline *timeline, int64_t key, int64_t at, int64_t window);

/* [process] Writes the column of one call, a row for each range. */
adl_status adl_past_write(const adl_call *call, const adl_past *past, int64_t number, const adl_model *model,
                          const adl_past_range *ranges, int64_t rows, adl_out *out);

/* ---- between the files of this module ---- */

void adl_past_tensor_name(char name[40], char prefix, int64_t number, const char *what);
void adl_past_text_name(char name[40], int64_t column);

/* The smaller (`least`) or greater of two values in eight bytes. */
static inline int64_t adl_past_better(int64_t a, int64_t b, bool floats, bool least) {
  double x, y;
  memcpy(&x, &a, sizeof x);
  memcpy(&y, &b, sizeof y);
  bool less = floats ? x < y : a < b;
  return less == least ? a : b;
}

/* Sums of any number of int64. */
__extension__ typedef __int128 adl_past_wide;

#endif
