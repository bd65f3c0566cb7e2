/*
 * One pass over some heads: sources, or rows that were kept. Workers take tickets in turn, each reads a frame (or a block of
 * bytes, which it decodes beside the others; head.c), and carries what comes of it along the graph: through every stage
 * that is ready, into the stores of those that are not, into folds and sinks. Where order matters, a turn restores it.
 * The rows of two heads never meet, so each has an order of its own.
 */
#include <string.h>

#include "core/engine/head.h"
#include "core/engine/progress.h"

typedef struct scan scan;

/* What is read of one head. */
typedef struct stream {
  scan *of;
  adl_head_reader reader;
  int64_t issued;
  guint on_their_way; /* tickets, and one that is being read */
  bool reading, ended;
} stream;

struct scan {
  adl_engine *engine;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  GQueue work;        /* of adl_turn_item *: parcels that left a turn, or parts, that go on */
  GPtrArray *tickets; /* those that are not over; what is left when the scan fails */
  guint window;       /* most tickets that may be on their way, or being read */
  int32_t waiting;    /* workers that have nothing to do */
  stream *streams;
  int32_t count;
};

struct adl_ticket {
  stream *of;
  int64_t number;
  _Atomic int32_t refs;
};

enum { PARTS_AHEAD = 32 }; /* parts of one ticket that may be on their way at once */

void adl_ticket_hold(adl_ticket *ticket) { atomic_fetch_add(&ticket->refs, 1); }

void adl_ticket_release(adl_ticket *ticket) {
  scan *s = ticket->of->of;
  int32_t left = atomic_fetch_sub(&ticket->refs, 1) - 1;
  if (left > 0 && left != PARTS_AHEAD) return; /* nobody waits for that */
  pthread_mutex_lock(&s->mutex);
  if (left == 0) {
    ticket->of->on_their_way--;
    g_ptr_array_remove_fast(s->tickets, ticket); /* frees it */
  }
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->mutex);
}

/* With the mutex held. */
static adl_ticket *issue(stream *from) {
  adl_ticket *ticket = g_new(adl_ticket, 1);
  *ticket = (adl_ticket){.of = from, .number = from->issued++, .refs = 1};
  from->on_their_way++;
  g_ptr_array_add(from->of->tickets, ticket);
  return ticket;
}

/* With the mutex held. */
static void wait_for_change(scan *s) {
  s->waiting++;
  pthread_cond_wait(&s->changed, &s->mutex);
  s->waiting--;
}

/* ---- delivery ---- */

static void deliver_onward(adl_worker *worker, const adl_stage *stage, adl_parcel *parcel, adl_ticket *ticket);
static void carry_on(adl_worker *worker, adl_turn_item *item);
static void turn_main(adl_turn_item *item, void *data);
static void turn_side(adl_turn_item *item, void *data);

static void drop(adl_parcel *parcel, adl_ticket *ticket) {
  adl_parcel_free(parcel);
  adl_ticket_release(ticket);
}

/* Rows that will be kept, before they wait for their turn: packing is done beside others. */
static adl_parcel *prepare_parcel(const adl_store *store, adl_parcel *parcel) {
  for (guint i = 0; i < parcel->frames->len; i++) adl_store_prepare(store, parcel->frames->pdata[i]);
  return parcel;
}

/* Rows that are kept until the stage has learned: checked now, beside the others, stored in their turn. NULL: failed. */
static adl_parcel *check_parcel(adl_worker *worker, adl_node_run *node, adl_parcel *parcel) {
  if (node->stage->class == NULL) return parcel;
  uint32_t flags = node->stage->learn == ADL_LEARN_FIT ? ADL_VIEW_LEARN : 0;
  adl_parcel *checked = adl_parcel_like(parcel);
  for (guint i = 0; checked != NULL && i < parcel->frames->len; i++) {
    adl_view view;
    if (!adl_view_open(&view, worker, node, -1, parcel->frames->pdata[i], flags)) {
      g_clear_pointer(&checked, adl_parcel_free);
      continue;
    }
    g_ptr_array_add(checked->frames, adl_frame_ref(view.frame));
    adl_view_close(&view);
  }
  adl_parcel_free(parcel);
  return checked;
}

/* Parcels are used again, from stage to stage. */
static adl_parcel *take_parcel(adl_worker *worker, const adl_parcel *like) {
  adl_parcel *parcel = worker->spare;
  if (parcel == NULL) return adl_parcel_like(like);
  worker->spare = NULL;
  parcel->number = like->number;
  parcel->part = like->part;
  parcel->more = like->more;
  parcel->first = like->first;
  parcel->late = like->late;
  return parcel;
}

static void give_back(adl_worker *worker, adl_parcel *parcel) {
  g_ptr_array_set_size(parcel->frames, 0);
  if (worker->spare == NULL)
    worker->spare = parcel;
  else
    adl_parcel_free(parcel);
}

/* ---- rows that become many ---- */

/* Candidates: what comes of one parcel may be far more than it. */
static bool goes_in_parts(const adl_node_run *node, const adl_parcel *parcel) {
  const adl_class *class = node->stage->class;
  bool apart = class != NULL && class->form == ADL_PICKED && (class->flags & ADL_SPLIT_ROWS) == 0;
  return apart && node->sides->len > 0 && parcel->part == 0 && !parcel->more;
}

/* A part waits in turns behind for those of earlier tickets, or until a slow stage has done the ones before it. When too many
 * are on their way, the worker carries what else there is to carry. It never waits while it does so, since what it would wait
 * for might be its own, further out. */
static void let_parts_pass(adl_worker *worker, adl_ticket *ticket) {
  scan *s = ticket->of->of;
  if (worker->helping) return;
  worker->helping = true;
  pthread_mutex_lock(&s->mutex);
  while (atomic_load(&ticket->refs) > PARTS_AHEAD && !adl_engine_stopping(s->engine)) {
    adl_turn_item *item = g_queue_pop_head(&s->work);
    if (item == NULL) {
      wait_for_change(s);
      continue;
    }
    pthread_mutex_unlock(&s->mutex);
    carry_on(worker, item);
    pthread_mutex_lock(&s->mutex);
  }
  pthread_mutex_unlock(&s->mutex);
  worker->helping = false;
}

/* To a worker that has nothing to do. False: there is none. */
static bool hand_over(adl_node_run *node, adl_parcel *part, adl_ticket *ticket) {
  scan *s = ticket->of->of;
  pthread_mutex_lock(&s->mutex);
  bool idle = (int32_t)s->work.length < s->waiting;
  if (idle) {
    g_queue_push_tail(&s->work, adl_turn_item_new(node, part, ticket));
    pthread_cond_broadcast(&s->changed);
  }
  pthread_mutex_unlock(&s->mutex);
  return idle;
}

typedef struct parts_of {
  adl_node_run *node;
  adl_ticket *ticket;
} parts_of;

static void give_part(adl_worker *worker, adl_parcel *part, void *data) {
  const parts_of *of = data;
  if (part->more) {
    adl_ticket_hold(of->ticket);
    let_parts_pass(worker, of->ticket);
  }
  if (!hand_over(of->node, part, of->ticket)) deliver_onward(worker, of->node->stage, part, of->ticket);
}

static void deliver_in_parts(adl_worker *worker, adl_node_run *node, adl_parcel *parcel, adl_ticket *ticket) {
  parts_of of = {.node = node, .ticket = ticket};
  if (!adl_step_in_parts(worker, node, parcel, give_part, &of)) adl_ticket_release(ticket);
  adl_parcel_free(parcel);
  worker->since = 0;
}

static bool whole_groups(const adl_node_run *node) {
  return node->stage->class != NULL && (node->stage->class->flags & ADL_WHOLE_GROUPS) != 0;
}

/* Takes parcel and one hold of the ticket over, as all of these do. */
static void deliver(adl_worker *worker, adl_node_run *node, adl_parcel *parcel, adl_ticket *ticket) {
  bool in_turn = adl_node_takes_turns(node);
  if (adl_engine_stopping(node->engine)) return drop(parcel, ticket);
  if (node->action != ADL_STREAM || in_turn) worker->since = 0;
  if (node->action == ADL_FOLD && !whole_groups(node)) return adl_passing_deliver(worker, node, parcel, ticket);
  if (node->action == ADL_KEEP) {
    parcel = check_parcel(worker, node, parcel);
    if (parcel == NULL) return adl_ticket_release(ticket);
    if (node->store != NULL) prepare_parcel(node->store, parcel);
    return adl_turn_offer(&node->turn, adl_turn_item_new(node, parcel, ticket), turn_main, worker);
  }
  if (in_turn) {
    adl_turn_item *item = adl_turn_item_new(node, parcel, ticket);
    if (node->stage->class->write != NULL && node->stage->class->encode != NULL)
      item->block = adl_step_encode(worker, node, parcel);
    return adl_turn_offer(&node->turn, item, turn_main, worker);
  }
  if (goes_in_parts(node, parcel)) return deliver_in_parts(worker, node, parcel, ticket);
  adl_parcel *result = take_parcel(worker, parcel);
  bool ok = adl_step_process(worker, node, parcel, result->frames);
  give_back(worker, parcel);
  if (ok)
    deliver_onward(worker, node->stage, result, ticket);
  else
    drop(result, ticket);
  worker->since = 0;
}

static void deliver_side(adl_node_run *node, const adl_stage *from, adl_parcel *parcel, adl_ticket *ticket) {
  for (guint k = 0; k < node->stage->sides->len; k++) {
    if (node->stage->sides->pdata[k] != from) continue;
    adl_side_run *side = node->sides->pdata[k];
    adl_ticket_hold(ticket);
    adl_turn_item *item = adl_turn_item_new(node, adl_parcel_share(parcel), ticket);
    adl_turn_offer(&side->turn, item, turn_side, side);
  }
  drop(parcel, ticket);
}

static void deliver_port(adl_node_run *node, const adl_stage *from, adl_parcel *parcel, adl_ticket *ticket) {
  for (guint k = 0; k < node->stage->from->len; k++) {
    if (node->stage->from->pdata[k] != from) continue;
    adl_side_run *port = node->ports->pdata[k];
    adl_ticket_hold(ticket);
    adl_parcel *kept = prepare_parcel(port->store, adl_parcel_share(parcel));
    adl_turn_offer(&port->turn, adl_turn_item_new(node, kept, ticket), turn_side, port);
  }
  drop(parcel, ticket);
}

static void turn_peek(adl_turn_item *item, void *data) {
  adl_engine *engine = data;
  for (guint i = 0; i < item->parcel->frames->len && engine->peek_rows > 0; i++) {
    adl_frame *frame = item->parcel->frames->pdata[i];
    int64_t rows = MIN(engine->peek_rows, frame->rows);
    g_ptr_array_add(engine->peeked, adl_frame_slice(frame, 0, rows));
    engine->peek_rows -= rows;
  }
  if (engine->peek_rows == 0) atomic_store(&engine->enough, true);
  adl_ticket_release(item->ticket);
  adl_turn_item_free(item);
}

static void show(adl_engine *engine, const adl_stage *stage, const adl_parcel *parcel) {
  const adl_run_options *options = engine->options;
  pthread_mutex_lock(&engine->watch_mutex);
  for (guint i = 0; i < parcel->frames->len; i++) options->watch(options->watch_data, stage, parcel->frames->pdata[i]);
  pthread_mutex_unlock(&engine->watch_mutex);
}

static void deliver_main(adl_worker *worker, adl_node_run *node, const adl_stage *from, adl_parcel *parcel,
                         adl_ticket *ticket) {
  if (node->stage->role == ADL_STAGE_CONCAT)
    deliver_port(node, from, parcel, ticket);
  else
    deliver(worker, node, parcel, ticket);
}

/* To everybody who reads the rows of this stage. */
static void deliver_onward(adl_worker *worker, const adl_stage *stage, adl_parcel *parcel, adl_ticket *ticket) {
  adl_engine *engine = worker->call.engine;
  if (adl_node_of(engine, stage)->watched) show(engine, stage, parcel);
  if (stage == engine->peek) {
    adl_ticket_hold(ticket);
    adl_turn_offer(&engine->peek_turn, adl_turn_item_new(NULL, adl_parcel_share(parcel), ticket), turn_peek, engine);
  }
  for (guint i = 0; i < stage->to_side->len; i++) {
    adl_node_run *node = adl_node_of(engine, stage->to_side->pdata[i]);
    guint first = 0;
    if (g_ptr_array_find(stage->to_side, stage->to_side->pdata[i], &first) && first < i) continue;
    if (node->off) continue;
    adl_ticket_hold(ticket);
    deliver_side(node, stage, adl_parcel_share(parcel), ticket);
  }
  adl_node_run *last = NULL; /* gets the parcel itself, those before it get another of the same frames */
  for (guint i = 0; i < stage->to->len; i++) {
    adl_node_run *node = adl_node_of(engine, stage->to->pdata[i]);
    guint first = 0;
    if (i > 0 && g_ptr_array_find(stage->to, stage->to->pdata[i], &first) && first < i) continue;
    if (node->action == ADL_IDLE) continue;
    if (last != NULL) {
      adl_ticket_hold(ticket);
      deliver_main(worker, last, stage, adl_parcel_share(parcel), ticket);
    }
    last = node;
  }
  if (last != NULL)
    deliver_main(worker, last, stage, parcel, ticket);
  else
    drop(parcel, ticket);
}

/* ---- in turn ---- */

static void keep_frames(adl_node_run *node, adl_store *store, const adl_parcel *parcel) {
  char *why = NULL;
  for (guint i = 0; i < parcel->frames->len && !adl_engine_stopping(node->engine); i++)
    if (!adl_store_append(store, parcel->frames->pdata[i], &why)) {
      adl_engine_fail(node->engine, node->stage, "%s", why);
      g_clear_pointer(&why, g_free);
    }
}

/* What left a turn goes on as work of its own, so that the next in line need not wait for it. */
static void go_on(adl_node_run *node, adl_parcel *result, adl_ticket *ticket) {
  scan *s = ticket->of->of;
  pthread_mutex_lock(&s->mutex);
  g_queue_push_tail(&s->work, adl_turn_item_new(node, result, ticket));
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->mutex);
}

static bool step_in_turn(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel, GPtrArray *result) {
  return node->stage->learn == ADL_LEARN_ONLINE ? adl_step_learn(worker, node, parcel, result)
                                                : adl_step_process(worker, node, parcel, result);
}

/* What has just been kept, for a fit that folds it meanwhile. */
static void fold_kept(adl_node_run *node, adl_ticket *ticket) {
  for (adl_parcel *kept = adl_passing_kept(node); kept != NULL; kept = adl_passing_kept(node)) {
    adl_ticket_hold(ticket);
    go_on(node, kept, ticket);
  }
}

/* Rows are kept for a fit that must find whole groups in each of the frames. */
static void keep_groups(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel, bool last) {
  adl_parcel *groups = adl_whole_groups(worker, node, parcel, last);
  keep_frames(node, node->store, groups);
  adl_parcel_free(groups);
}

/* What a turn let through: rows that the stage gave, or whole groups or kept rows for its fold. */
static void carry_on(adl_worker *worker, adl_turn_item *item) {
  adl_parcel *parcel = item->parcel;
  item->parcel = NULL;
  if (item->node->folds)
    adl_passing_deliver(worker, item->node, parcel, item->ticket);
  else
    deliver_onward(worker, item->node->stage, parcel, item->ticket);
  adl_turn_item_free(item);
}

static void turn_main(adl_turn_item *item, void *data) {
  adl_worker *worker = data;
  adl_node_run *node = item->node;
  const adl_class *class = node->stage->class;
  bool stopping = adl_engine_stopping(node->engine);
  adl_parcel *result = NULL;
  if (stopping) {
    ;
  } else if (node->action == ADL_KEEP) {
    if (whole_groups(node) && node->stage->learn == ADL_LEARN_FIT)
      keep_groups(worker, node, item->parcel, false);
    else
      keep_frames(node, node->store, item->parcel);
    fold_kept(node, item->ticket);
  } else if (node->action == ADL_FOLD) {
    result = adl_whole_groups(worker, node, item->parcel, false);
  } else if (class->write != NULL) {
    adl_step_write(worker, node, item->parcel, item->block);
  } else {
    result = adl_parcel_like(item->parcel);
    bool ok = true;
    if ((class->flags & ADL_WHOLE_GROUPS) != 0) {
      adl_parcel *groups = adl_whole_groups(worker, node, item->parcel, false);
      ok = groups != NULL && step_in_turn(worker, node, groups, result->frames);
      adl_parcel_free(groups);
    } else {
      ok = step_in_turn(worker, node, item->parcel, result->frames);
    }
    if (!ok) g_clear_pointer(&result, adl_parcel_free);
  }
  worker->since = 0;
  if (result != NULL)
    go_on(node, result, item->ticket);
  else
    adl_ticket_release(item->ticket);
  adl_turn_item_free(item);
}

static void turn_side(adl_turn_item *item, void *data) {
  adl_side_run *side = data;
  keep_frames(item->node, side->store, item->parcel);
  adl_ticket_release(item->ticket);
  adl_turn_item_free(item);
}

/* ---- workers ---- */

static void deliver_first(const adl_head *head, adl_worker *worker, adl_parcel *parcel, adl_ticket *ticket) {
  if (head->kind == ADL_HEAD_STORE)
    deliver(worker, head->node, parcel, ticket);
  else
    deliver_onward(worker, head->node->stage, parcel, ticket);
}

static void carry(adl_worker *worker, adl_reading *r, adl_ticket *ticket) {
  const adl_head_reader *reader = &ticket->of->reader;
  r->parcel->number = ticket->number;
  if (adl_head_finish(reader, worker, r))
    deliver_first(reader->head, worker, r->parcel, ticket);
  else
    drop(r->parcel, ticket);
}

/* Of those that nobody reads just now, that of which least is on its way; NULL: there is none, or enough is. With the mutex
 * held, as the next two. */
static stream *stream_to_read(const scan *s) {
  stream *best = NULL;
  guint all = 0;
  for (int32_t i = 0; i < s->count; i++) {
    stream *one = &s->streams[i];
    all += one->on_their_way;
    if (!one->reading && !one->ended && (best == NULL || one->on_their_way < best->on_their_way)) best = one;
  }
  return all < s->window ? best : NULL;
}

static bool is_over(const scan *s) {
  bool ended = true, stopping = adl_engine_stopping(s->engine);
  for (int32_t i = 0; i < s->count; i++) {
    if (s->streams[i].reading) return false;
    ended = ended && s->streams[i].ended;
  }
  return stopping || ((ended || atomic_load(&s->engine->enough)) && s->tickets->len == 0);
}

static void read_and_carry(scan *s, adl_worker *worker, stream *from) {
  from->reading = true;
  from->on_their_way++;
  int64_t next = from->issued;
  pthread_mutex_unlock(&s->mutex);
  adl_reading r;
  bool more = adl_head_read(&from->reader, worker, next, &r);
  pthread_mutex_lock(&s->mutex);
  from->reading = false;
  from->on_their_way--;
  from->ended = !more;
  adl_ticket *ticket = more ? issue(from) : NULL;
  pthread_cond_broadcast(&s->changed);
  if (!more) return;
  pthread_mutex_unlock(&s->mutex);
  carry(worker, &r, ticket);
  pthread_mutex_lock(&s->mutex);
}

static void scan_work(void *data, int32_t number) {
  scan *s = data;
  adl_worker *worker = &s->engine->workers[number];
  pthread_mutex_lock(&s->mutex);
  for (;;) {
    adl_turn_item *item = g_queue_pop_head(&s->work);
    if (item != NULL) {
      pthread_mutex_unlock(&s->mutex);
      carry_on(worker, item);
      pthread_mutex_lock(&s->mutex);
      continue;
    }
    if (is_over(s)) break;
    bool no_more = adl_engine_stopping(s->engine) || atomic_load(&s->engine->enough);
    stream *from = no_more ? NULL : stream_to_read(s);
    if (from != NULL)
      read_and_carry(s, worker, from);
    else
      wait_for_change(s);
  }
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->mutex);
}

static void idle(void *data) {
  scan *s = data;
  adl_progress_tick(s->engine->progress);
  /* Workers that wait must hear of Ctrl-C and of failures. */
  if (!adl_engine_stopping(s->engine)) return;
  pthread_mutex_lock(&s->mutex);
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->mutex);
}

/* ---- the end ---- */

/* What a stage gave after its last row goes on alone, with a number of its own: nobody else is working any more. */
static void deliver_late(stream *from, adl_worker *worker, adl_node_run *node, adl_parcel *parcel) {
  GQueue *work = &from->of->work;
  adl_ticket *ticket = issue(from);
  parcel->number = ticket->number;
  parcel->late = true;
  carry_on(worker, adl_turn_item_new(node, parcel, ticket));
  for (adl_turn_item *item = g_queue_pop_head(work); item != NULL; item = g_queue_pop_head(work))
    carry_on(worker, item);
}

/* The last group, which waited for more of its rows, for a fold or a store. */
static void finish_groups(stream *from, adl_worker *worker, adl_node_run *node) {
  adl_parcel *none = adl_parcel_new(from->issued);
  if (node->action == ADL_KEEP)
    keep_groups(worker, node, none, true);
  else
    deliver_late(from, worker, node, adl_whole_groups(worker, node, none, true));
  adl_parcel_free(none);
}

/* Small frames that waited for more, so as to be kept as one. */
static void finish_keeping(stream *from, adl_worker *worker, adl_node_run *node) {
  char *why = NULL;
  if (!adl_store_close(node->store, &why)) adl_engine_fail(node->engine, node->stage, "%s", why);
  g_free(why);
  for (adl_parcel *kept = adl_passing_kept(node); kept != NULL; kept = adl_passing_kept(node))
    carry_on(worker, adl_turn_item_new(node, kept, issue(from)));
}

static void finish_node(stream *from, adl_worker *worker, adl_node_run *node) {
  const adl_class *class = node->stage->class;
  if (whole_groups(node) && (node->action == ADL_FOLD || node->action == ADL_KEEP)) finish_groups(from, worker, node);
  if (node->folds && node->action == ADL_KEEP) finish_keeping(from, worker, node);
  if (node->action != ADL_STREAM || class == NULL || class->next != NULL || class->write != NULL) return;
  adl_parcel *parcel = adl_parcel_new(from->issued);
  bool ok = true;
  if ((class->flags & ADL_WHOLE_GROUPS) != 0) {
    adl_parcel *rest = adl_whole_groups(worker, node, parcel, true);
    ok = rest != NULL && step_in_turn(worker, node, rest, parcel->frames);
    adl_parcel_free(rest);
  }
  if (ok && class->finish != NULL && class->process != NULL)
    ok = adl_step_finish(worker, node, from->issued << ADL_ORDINAL_SHIFT, NULL, parcel->frames);
  worker->since = 0;
  if (ok && parcel->frames->len > 0)
    deliver_late(from, worker, node, parcel);
  else
    adl_parcel_free(parcel);
}

bool adl_scan_run(adl_engine *engine, const adl_head *heads, int32_t count) {
  scan s = {.engine = engine, .window = 2 * (guint)engine->threads + 2, .count = count};
  pthread_mutex_init(&s.mutex, NULL);
  pthread_cond_init(&s.changed, NULL);
  g_queue_init(&s.work);
  s.tickets = g_ptr_array_new_with_free_func(g_free);
  s.streams = g_new(stream, (gsize)count);
  for (int32_t i = 0; i < count; i++)
    s.streams[i] = (stream){.of = &s, .reader = {.engine = engine, .head = &heads[i]}};
  adl_pool_run(engine->pool, scan_work, &s, idle, &s);
  adl_worker *control = adl_control(engine);
  for (int32_t i = 0; i < count; i++) adl_head_close(&s.streams[i].reader, control);
  for (int32_t i = 0; i < engine->node_count && !adl_engine_stopping(engine) && !atomic_load(&engine->enough); i++)
    finish_node(&s.streams[engine->nodes[i].head], control, &engine->nodes[i]);
  for (adl_turn_item *item = g_queue_pop_head(&s.work); item != NULL; item = g_queue_pop_head(&s.work))
    adl_turn_item_free(item);
  g_ptr_array_free(s.tickets, TRUE);
  g_free(s.streams);
  pthread_mutex_destroy(&s.mutex);
  pthread_cond_destroy(&s.changed);
  return !adl_engine_stopping(engine);
}
