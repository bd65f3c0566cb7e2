/* A parcel through a stage that may give many rows for one (candidates): what it gives goes on in parts, each as soon as it is
 * made and before the next one is, so that memory does not depend on how many rows come of a batch. Called by scan.c. */
#include "core/engine/internal.h"

/* How many ordinals the rows that one input row becomes may take, so that parts stay apart when a stage behind makes yet more
 * rows of them. */
static int64_t room_of_a_row(const adl_parcel *parcel) {
  int64_t rows = 1;
  for (guint i = 0; i < parcel->frames->len; i++) rows += ((adl_frame *)parcel->frames->pdata[i])->rows;
  return (INT64_C(1) << ADL_ORDINAL_SHIFT) / rows;
}

enum { MOST_AS_IT_CAME = 8 * ADL_BATCH_ROWS }; /* a block of a file stays together where rows do not become many */

typedef struct giving {
  adl_worker *worker;
  adl_parcel *part; /* in the making */
  int64_t rows;     /* in it */
  int64_t next;     /* ordinal behind all parts that went on */
  void (*give)(adl_worker *worker, adl_parcel *part, void *data);
  void *data;
} giving;

/* Hands on what has been made so far. */
static void give_part(giving *g, bool more) {
  adl_parcel *part = g->part;
  g->next = part->first + g->rows;
  g->part = more ? adl_parcel_like(part) : NULL;
  if (more) g->part->part = part->part + 1;
  part->more = more;
  g->rows = 0;
  g->worker->since = adl_clock_ns();
  g->give(g->worker, part, g->data);
}

/* Takes the frame over; NULL: failed. A part of many frames holds up to `most` rows. */
static bool add_to_part(giving *g, adl_frame *frame, int64_t ordinal, int64_t most) {
  if (frame == NULL) return false;
  if (g->rows > 0 && g->rows + frame->rows > most) give_part(g, true);
  if (g->rows == 0) g->part->first = MAX(g->part->part > 0 ? ordinal : 0, g->next);
  if (frame->rows > 0) adl_append_cut(g->part->frames, frame);
  g->rows += frame->rows;
  adl_frame_unref(frame);
  return true;
}

/* One frame of the parcel, `row` rows of which came before it. */
static bool step_frame_in_parts(giving *g, adl_node_run *node, adl_frame *frame, int64_t ordinal, int64_t row,
                                int64_t room) {
  adl_worker *worker = g->worker;
  adl_tally *tally = adl_tally_of(worker, node);
  GPtrArray *frames = g_ptr_array_new();
  int64_t begin = adl_clock_ns();
  worker->in_parts = true;
  bool ok = adl_step_frame(worker, node, frame, ordinal, frames);
  worker->in_parts = false;
  adl_leaving_rows *rest = g_steal_pointer(&worker->rest);
  adl_count(&tally->rows_in, frame->rows);
  tally->nanoseconds += adl_clock_ns() - begin;
  for (guint i = 0; i < frames->len; i++) {
    adl_count(&tally->rows_out, ((adl_frame *)frames->pdata[i])->rows);
    ok = add_to_part(g, frames->pdata[i], row * room, MOST_AS_IT_CAME) && ok;
  }
  while (ok && rest != NULL && rest->taken < rest->count && !adl_engine_stopping(node->engine)) {
    int64_t from = row + rest->index[rest->taken];
    begin = adl_clock_ns();
    adl_frame *next = adl_leave(rest, ADL_BATCH_ROWS);
    tally->nanoseconds += adl_clock_ns() - begin;
    if (next != NULL) adl_count(&tally->rows_out, next->rows);
    ok = add_to_part(g, next, from * room, ADL_BATCH_ROWS);
  }
  adl_leaving_rows_free(rest);
  g_ptr_array_free(frames, TRUE);
  return ok;
}

bool adl_step_in_parts(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel,
                       void (*give)(adl_worker *worker, adl_parcel *part, void *data), void *data) {
  giving g = {.worker = worker, .part = adl_parcel_like(parcel), .give = give, .data = data};
  int64_t row = 0, room = room_of_a_row(parcel);
  bool ok = true;
  for (guint i = 0; ok && i < parcel->frames->len; i++) {
    adl_frame *frame = parcel->frames->pdata[i];
    ok = step_frame_in_parts(&g, node, frame, adl_parcel_ordinal(parcel) + row, row, room);
    row += frame->rows;
  }
  if (ok)
    give_part(&g, false);
  else
    adl_parcel_free(g.part);
  return ok;
}
