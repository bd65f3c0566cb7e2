/* Reading a head: calls of a source, with or without a limit on its rows; and rows that were kept, in their own order or in
 * another. See head.h. */
#include "core/engine/head.h"

#include <time.h>

/* ---- a source ---- */

static bool open_shard(adl_head_reader *reader, adl_worker *worker) {
  adl_node_run *node = reader->head->node;
  worker->call.shard = node->first_shard + reader->shard;
  const adl_call *call = adl_worker_enter(worker, node, "open");
  reader->cursor = NULL;
  reader->opened =
      adl_worker_leave(worker, node->stage->class->open(call, node->stage->self, reader->shard, &reader->cursor));
  return reader->opened;
}

void adl_head_close(adl_head_reader *reader, adl_worker *worker) {
  if (!reader->opened) return;
  adl_node_run *node = reader->head->node;
  const adl_call *call = adl_worker_enter(worker, node, "close");
  node->stage->class->close(call, node->stage->self, reader->cursor);
  adl_worker_leave(worker, ADL_OK);
  reader->opened = false;
}

static void wait_a_little(adl_engine *engine, int64_t microseconds) {
  for (int64_t left = CLAMP(microseconds, 1000, 60000000); left > 0 && !adl_engine_stopping(engine); left -= 50000) {
    struct timespec nap = {0, (long)MIN(left, 50000) * 1000};
    nanosleep(&nap, NULL);
  }
}

/* One call of next, over the shards in order. False: the source has no more, or failed. */
static bool read_source(adl_head_reader *reader, adl_worker *worker, adl_reading *r) {
  adl_node_run *node = reader->head->node;
  adl_engine *engine = reader->engine;
  while (!adl_engine_stopping(engine)) {
    if (reader->shard >= node->shard_count) return false;
    if (!reader->opened && !open_shard(reader, worker)) return false;
    r->shard = worker->call.shard = node->first_shard + reader->shard;
    const adl_call *call = adl_worker_enter(worker, node, "next");
    worker->call.later = 0;
    adl_out_begin(worker->out, worker, node, NULL);
    adl_status status = node->stage->class->next(call, node->stage->self, reader->cursor, worker->out);
    r->block = adl_out_take_block(worker->out);
    r->parcel = adl_parcel_new(0);
    bool ok = adl_out_end(worker->out, worker, r->parcel->frames);
    bool fine = status == ADL_OK || status == ADL_END || status == ADL_LATER;
    if (!adl_worker_leave(worker, fine ? ADL_OK : status) || !ok) break;
    if (status == ADL_END) {
      adl_head_close(reader, worker);
      reader->shard++;
    }
    if (status == ADL_LATER) wait_a_little(engine, worker->call.later);
    if (r->block.data != NULL || r->parcel->frames->len > 0) return true;
    g_clear_pointer(&r->parcel, adl_parcel_free);
  }
  g_clear_pointer(&r->parcel, adl_parcel_free);
  adl_out_reuse_block(worker->out, &r->block);
  return false;
}

static bool decode_block(const adl_head_reader *reader, adl_worker *worker, adl_reading *r) {
  adl_node_run *node = reader->head->node;
  worker->call.shard = r->shard;
  const adl_call *call = adl_worker_enter(worker, node, "decode");
  adl_out_begin(worker->out, worker, node, NULL);
  const adl_block *block = &r->block;
  adl_status status =
      node->stage->class->decode(call, node->stage->self, block->data, block->size, block->position, worker->out);
  bool ok = adl_out_end(worker->out, worker, r->parcel->frames);
  return adl_worker_leave(worker, status) && ok;
}

/* ---- a limit on the rows of a source ---- */

/* Records behind the last row that is taken have not been read. */
static void keep_records(adl_engine *engine, const GPtrArray *records, const adl_frame *cut, int64_t taken) {
  for (guint i = 0; i < records->len; i++) {
    const adl_reject *record = records->pdata[i];
    int64_t tag = cut != NULL ? adl_frame_tags(cut)[taken] : 0;
    bool behind = cut != NULL && record->shard == adl_tag_shard(tag) && record->position > adl_tag_position(tag);
    if (!behind) adl_rejects_add(engine->rejects, record);
  }
}

/* Cuts what was read to what the limit leaves; the frame that is cut is told, and how many of its rows stay. */
static adl_frame *cut_rows(adl_node_run *node, GPtrArray *frames, int64_t *taken) {
  guint i = 0;
  while (i < frames->len && ((adl_frame *)frames->pdata[i])->rows <= node->limit_left)
    node->limit_left -= ((adl_frame *)frames->pdata[i++])->rows;
  if (i == frames->len) return NULL;
  adl_frame *cut = adl_frame_ref(frames->pdata[i]);
  *taken = node->limit_left;
  node->limit_left = 0;
  g_ptr_array_set_size(frames, (gint)i);
  if (*taken > 0) g_ptr_array_add(frames, adl_frame_slice(cut, 0, *taken));
  return cut;
}

/* With a limit, blocks are read and decoded one at a time: how far a source is read must not depend on the workers. */
static bool read_limited(adl_head_reader *reader, adl_worker *worker, adl_reading *r) {
  adl_node_run *node = reader->head->node;
  int64_t taken = 0;
  worker->call.records = g_ptr_array_new_with_free_func((GDestroyNotify)adl_reject_free);
  bool ok = node->limit_left > 0 && read_source(reader, worker, r);
  if (ok && r->block.data != NULL) {
    ok = decode_block(reader, worker, r);
    adl_out_reuse_block(worker->out, &r->block);
  }
  adl_frame *cut = ok ? cut_rows(node, r->parcel->frames, &taken) : NULL;
  keep_records(reader->engine, worker->call.records, cut, taken);
  adl_frame_unref(cut);
  g_clear_pointer(&worker->call.records, g_ptr_array_unref);
  if (!ok) g_clear_pointer(&r->parcel, adl_parcel_free);
  return ok;
}

/* ---- rows that were kept ---- */

/* It goes on now, and nobody asks for it again: what comes of it may take its place in memory. */
static adl_frame *checked_take(adl_engine *engine, adl_node_run *node, adl_store *store, int64_t number) {
  char *why = NULL;
  adl_frame *frame = adl_store_take(store, number, &why);
  if (frame == NULL) adl_engine_fail(engine, node->stage, "%s", why);
  g_free(why);
  return frame;
}

/* Kept rows in another order. */
static adl_frame *read_ordered(adl_engine *engine, adl_node_run *node, int64_t number) {
  const adl_stage *stage = node->stage;
  int64_t first = number * ADL_BATCH_ROWS, count = MIN(ADL_BATCH_ROWS, node->order_count - first);
  int32_t *columns = g_new(int32_t, (gsize)stage->schema.count + 1),
          *places = g_new(int32_t, (gsize)stage->schema.count + 1), n = 0;
  for (int32_t c = 0; c < stage->schema.count; c++) {
    if (!stage->needed[c]) continue;
    columns[n] = stage->leaving[c].number;
    places[n++] = c;
  }
  char *why = NULL;
  adl_frame *found = adl_store_gather(node->store, columns, n, node->order + first, count, &why), *frame = NULL;
  if (found == NULL) {
    adl_engine_fail(engine, stage, "%s", why);
  } else {
    frame = adl_frame_new(count, stage->schema.count, adl_array_ref(found->tags));
    for (int32_t i = 0; i < n; i++) frame->columns[places[i]] = adl_array_ref(found->columns[i]);
  }
  adl_frame_unref(found);
  g_free(why);
  g_free(columns);
  g_free(places);
  return frame;
}

/* from: [a, b]: the rows of each port in order; columns are matched by name. */
static adl_frame *read_ports(adl_engine *engine, adl_node_run *node, int64_t number) {
  const adl_stage *stage = node->stage;
  for (guint k = 0; k < node->ports->len; k++) {
    const adl_side_run *port = node->ports->pdata[k];
    int64_t frames = adl_store_frames(port->store);
    if (number >= frames) {
      number -= frames;
      continue;
    }
    adl_frame *frame = checked_take(engine, node, port->store, number);
    if (frame == NULL) return NULL;
    const adl_stage *from = stage->from->pdata[k];
    adl_frame *result = adl_frame_new(frame->rows, stage->schema.count, adl_array_ref(frame->tags));
    for (int32_t c = 0; c < stage->schema.count; c++)
      if (stage->needed[c])
        result->columns[c] =
            adl_array_ref(frame->columns[adl_schema_find(&from->schema, stage->schema.columns[c].name)]);
    adl_frame_unref(frame);
    return result;
  }
  return NULL;
}

/* Rows that fit has refused leave the stream. Takes the frame over. */
static adl_frame *without_refused(const adl_node_run *node, int64_t number, adl_frame *frame) {
  if (number >= node->refused_count || node->refused[number] == NULL) return frame;
  adl_frame *rest = adl_frame_without(frame, node->refused[number]);
  adl_frame_unref(frame);
  return rest;
}

/* How many frames there are to read. */
static int64_t frames_of(const adl_head *head) {
  const adl_node_run *node = head->node;
  int64_t frames = 0;
  switch (head->kind) {
    case ADL_HEAD_STORE: return adl_store_frames(node->store);
    case ADL_HEAD_TABLE: return adl_store_frames(node->table);
    case ADL_HEAD_ORDER: return (node->order_count + ADL_BATCH_ROWS - 1) / ADL_BATCH_ROWS;
    case ADL_HEAD_PORTS:
      for (guint k = 0; k < node->ports->len; k++)
        frames += adl_store_frames(((adl_side_run *)node->ports->pdata[k])->store);
      return frames;
    case ADL_HEAD_SOURCE: break;
  }
  return 0;
}

/* NULL: reported. */
static adl_frame *take_kept(const adl_head_reader *reader, int64_t number) {
  adl_node_run *node = reader->head->node;
  adl_frame *frame;
  switch (reader->head->kind) {
    case ADL_HEAD_STORE:
      frame = checked_take(reader->engine, node, node->store, number);
      return frame != NULL ? without_refused(node, number, frame) : NULL;
    case ADL_HEAD_TABLE: return checked_take(reader->engine, node, node->table, number);
    case ADL_HEAD_ORDER: return read_ordered(reader->engine, node, number);
    case ADL_HEAD_PORTS: return read_ports(reader->engine, node, number);
    case ADL_HEAD_SOURCE: break;
  }
  return NULL;
}

/* Only which frame it is: they are taken and unpacked beside each other. */
static bool read_kept(const adl_head_reader *reader, int64_t number, adl_reading *r) {
  if (number >= frames_of(reader->head)) return false;
  r->parcel = adl_parcel_new(number);
  return true;
}

/* ---- both ---- */

bool adl_head_read(adl_head_reader *reader, adl_worker *worker, int64_t number, adl_reading *r) {
  int64_t begin = adl_clock_ns();
  *r = (adl_reading){0};
  bool more = reader->head->kind != ADL_HEAD_SOURCE ? read_kept(reader, number, r)
              : reader->engine->options->limit > 0  ? read_limited(reader, worker, r)
                                                    : read_source(reader, worker, r);
  r->nanoseconds = adl_clock_ns() - begin;
  return more;
}

/* Columns know how many nulls they hold; those that nobody reads are not there. */
static void count_nulls(adl_node_run *node, const adl_frame *frame) {
  for (int32_t c = 0; c < frame->column_count; c++) {
    const adl_array *column = frame->columns[c];
    if (column != NULL && column->view.null_count > 0) atomic_fetch_add(&node->nulls[c], column->view.null_count);
  }
}

bool adl_head_finish(const adl_head_reader *reader, adl_worker *worker, adl_reading *r) {
  int64_t begin = adl_clock_ns();
  bool ok = r->block.data == NULL || decode_block(reader, worker, r);
  adl_out_reuse_block(worker->out, &r->block);
  if (reader->head->kind != ADL_HEAD_SOURCE) {
    adl_frame *frame = take_kept(reader, r->parcel->number);
    if (frame != NULL) g_ptr_array_add(r->parcel->frames, frame);
    return frame != NULL;
  }
  adl_node_run *node = reader->head->node;
  int64_t rows = 0;
  for (guint i = 0; i < r->parcel->frames->len; i++) {
    const adl_frame *frame = r->parcel->frames->pdata[i];
    rows += frame->rows;
    count_nulls(node, frame);
    if (node->sample != NULL && reader->engine->options->report != NULL) adl_sample_add(node->sample, frame);
  }
  atomic_fetch_add(&reader->engine->rows_read, rows);
  adl_tally *tally = adl_tally_of(worker, node);
  adl_count(&tally->rows_out, rows);
  tally->nanoseconds += r->nanoseconds + adl_clock_ns() - begin;
  return ok;
}
