/* What a stage gives: columns in the making, picked rows, rows of a side, blocks of bytes. How that becomes frames: leave.c.
 * The functions here are the host's "giving rows" ones. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/spill.h"
#include "core/data/blocks.h"
#include "core/engine/internal.h"

/* Memory of blocks up to this size is used again: that of fresh memory costs a page fault for each page. */
enum { REUSED = 4 << 20 };

struct adl_out {
  adl_worker *worker;
  adl_node_run *node;
  adl_view *view; /* NULL: finish, next, decode */
  guint output_count, output_capacity;
  adl_builder **builders; /* by output slot */
  adl_array **passed;
  bool picked;
  int64_t *index; /* PICKED: rows of the view */
  int64_t index_count;
  int64_t **side_rows; /* PICKED, by side */
  int64_t *side_count;
  guint side_capacity;
  int64_t *positions;
  int64_t position_capacity, positions_given;
  GPtrArray *frames; /* committed; NEW */
  adl_store *table;  /* takes them as they come; NULL: they wait for the end of the call */
  uint8_t *block;
  int64_t block_size, block_capacity, block_position;
  bool block_done;
};

adl_out *adl_out_new(void) {
  adl_out *out = g_new0(adl_out, 1);
  out->frames = g_ptr_array_new_with_free_func((GDestroyNotify)adl_frame_unref);
  return out;
}

static void clear_columns(adl_out *out) {
  for (guint i = 0; i < out->output_count; i++) {
    if (out->builders[i] != NULL) adl_builder_free(out->builders[i]);
    adl_array_unref(out->passed[i]);
    out->builders[i] = NULL;
    out->passed[i] = NULL;
  }
}

void adl_out_drop(adl_out *out) {
  clear_columns(out);
  out->picked = false;
  g_clear_pointer(&out->index, g_free);
  for (guint i = 0; i < out->side_capacity; i++) g_clear_pointer(&out->side_rows[i], g_free);
  g_ptr_array_set_size(out->frames, 0);
  out->block_done = false;
  out->positions_given = 0;
  out->output_count = 0;
  out->view = NULL;
  out->table = NULL;
}

void adl_out_into(adl_out *out, adl_store *table) { out->table = table; }

void adl_out_free(adl_out *out) {
  if (out == NULL) return;
  adl_out_drop(out);
  g_ptr_array_free(out->frames, TRUE);
  g_free(out->builders);
  g_free(out->passed);
  g_free(out->side_rows);
  g_free(out->side_count);
  g_free(out->positions);
  free(out->block);
  g_free(out);
}

void adl_out_begin(adl_out *out, adl_worker *worker, adl_node_run *node, adl_view *view) {
  out->worker = worker;
  out->node = node;
  out->view = view;
  out->output_count = node->stage->outputs->len;
  if (out->output_count > out->output_capacity) {
    out->builders = g_renew(adl_builder *, out->builders, out->output_count);
    out->passed = g_renew(adl_array *, out->passed, out->output_count);
    out->output_capacity = out->output_count;
  }
  for (guint i = 0; i < out->output_count; i++) {
    out->builders[i] = NULL;
    out->passed[i] = NULL;
  }
  if (node->sides->len > out->side_capacity) {
    out->side_rows = g_renew(int64_t *, out->side_rows, node->sides->len);
    out->side_count = g_renew(int64_t, out->side_count, node->sides->len);
    for (guint i = out->side_capacity; i < node->sides->len; i++) out->side_rows[i] = NULL;
    out->side_capacity = node->sides->len;
  }
  worker->call.out = out;
}

/* ---- host functions ---- */

static adl_status fail(const adl_call *call, const char *format, ...) G_GNUC_PRINTF(2, 3);
static adl_status fail(const adl_call *call, const char *format, ...) {
  va_list list;
  va_start(list, format);
  char *text = g_strdup_vprintf(format, list);
  va_end(list);
  adl_status status = call->host->fail(call, NULL, -1, NULL, "%s", text);
  g_free(text);
  return status;
}

bool adl_out_has(const adl_call *call, const adl_out *out, int32_t slot) {
  if (slot >= 0 && (guint)slot < out->output_count) return true;
  fail(call, "gave a column for output slot %d; there are %u", slot, out->output_count);
  return false;
}

adl_type adl_out_type(const adl_out *out, int32_t slot) {
  return ((adl_field *)out->node->stage->outputs->pdata[slot])->type;
}

const char *adl_out_name(const adl_out *out, int32_t slot) {
  const adl_stage *stage = out->node->stage;
  for (int32_t c = 0; c < stage->schema.count; c++)
    if (stage->leaving[c].kind == ADL_FROM_OUTPUT && stage->leaving[c].number == slot)
      return stage->schema.columns[c].name;
  return "";
}

int64_t adl_out_rows(const adl_out *out) {
  return out->view != NULL && out->node->stage->class->form == ADL_SAME ? out->view->batch.rows : -1;
}

static adl_status host_reserve(const adl_call *call, adl_out *out, int32_t slot, int64_t rows, int64_t items,
                               int64_t bytes, adl_buffers *buffers) {
  if (!adl_out_has(call, out, slot)) return ADL_FAILED;
  if (out->builders[slot] == NULL) out->builders[slot] = adl_builder_new(adl_out_type(out, slot));
  if (adl_builder_reserve(out->builders[slot], rows, items, bytes, buffers)) return ADL_OK;
  return fail(call, "one batch of a column would hold more than 2147483647 items or bytes");
}

static bool host_wanted(const adl_call *call, int32_t slot) {
  const adl_stage *stage = adl_context_of(call)->stage;
  return slot >= 0 && (guint)slot < stage->outputs->len && g_array_index(stage->outputs_wanted, bool, slot);
}

void adl_out_give(adl_out *out, int32_t slot, adl_array *array) {
  adl_array_unref(out->passed[slot]);
  out->passed[slot] = array;
}

static adl_status host_pass(const adl_call *call, adl_out *out, int32_t slot, const adl_column *column) {
  if (!adl_out_has(call, out, slot)) return ADL_FAILED;
  adl_out_give(out, slot, adl_array_ref((adl_array *)(uintptr_t)column));
  return ADL_OK;
}

static adl_status host_pick(const adl_call *call, adl_out *out, const int64_t *index, int64_t count) {
  if (out->view == NULL || out->node->stage->class->form != ADL_PICKED)
    return fail(call, "picked rows, but its form is not PICKED");
  int64_t rows = out->view->batch.rows;
  for (int64_t i = 0; i < count; i++)
    if (index[i] < 0 || index[i] >= rows)
      return fail(call, "picked row %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT, index[i], rows);
  g_free(out->index);
  out->index = g_memdup2(index, (gsize)count * sizeof *index);
  out->index_count = count;
  out->picked = true;
  return ADL_OK;
}

static adl_status host_gather(const adl_call *call, adl_out *out, const adl_side *side, const int64_t *row,
                              int64_t count) {
  if (side->number < 0 || (guint)side->number >= out->node->sides->len)
    return fail(call, "gathered from a side it has not");
  int64_t rows = adl_store_rows(((adl_side_run *)out->node->sides->pdata[side->number])->store, false);
  for (int64_t i = 0; i < count; i++)
    if (row[i] < -1 || row[i] >= rows)
      return fail(call, "gathered side row %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT, row[i], rows);
  int64_t *copy = g_new(int64_t, (gsize)count + 1); /* of no rows, too, something that is not NULL */
  if (count > 0) memcpy(copy, row, (gsize)count * sizeof *row);
  g_free(out->side_rows[side->number]);
  out->side_rows[side->number] = copy;
  out->side_count[side->number] = count;
  return ADL_OK;
}

static int64_t *host_positions(const adl_call *call, adl_out *out, int64_t rows) {
  (void)call;
  if (rows > out->position_capacity) {
    out->positions = g_renew(int64_t, out->positions, rows);
    out->position_capacity = rows;
  }
  memset(out->positions, 0, (size_t)rows * sizeof *out->positions);
  out->positions_given = rows;
  return out->positions;
}

static uint8_t *host_block(const adl_call *call, adl_out *out, int64_t size) {
  (void)call;
  if (size <= out->block_capacity) return out->block;
  void *memory = NULL;
  int64_t capacity = MAX(size, out->block_capacity * 2);
  if (posix_memalign(&memory, 64, (size_t)capacity + 64) != 0)
    g_error("out of memory: a block of %" G_GINT64_FORMAT " bytes", size);
  if (out->block != NULL) memcpy(memory, out->block, (size_t)out->block_capacity);
  free(out->block);
  out->block = memory;
  out->block_capacity = capacity;
  return out->block;
}

static adl_status host_block_commit(const adl_call *call, adl_out *out, int64_t size, int64_t position) {
  if (size < 0 || size > out->block_capacity) return fail(call, "gave a block larger than the buffer it was given");
  out->block_size = size;
  out->block_position = position;
  out->block_done = true;
  return ADL_OK;
}

adl_block adl_out_take_block(adl_out *out) {
  if (!out->block_done) return (adl_block){0};
  adl_block block = {out->block, out->block_size, out->block_capacity, out->block_position};
  out->block = NULL;
  out->block_capacity = 0;
  out->block_done = false;
  return block;
}

void adl_out_reuse_block(adl_out *out, adl_block *block) {
  if (out->block == NULL && block->capacity <= REUSED) {
    out->block = block->data;
    out->block_capacity = block->capacity;
  } else {
    free(block->data);
  }
  *block = (adl_block){0};
}

int64_t *adl_out_take_pick(adl_out *out, int64_t *count) {
  int64_t *index = out->index;
  *count = out->picked ? out->index_count : 0;
  out->index = NULL;
  return index;
}

/* ---- frames ---- */

/* The finished array of an output slot; NULL: not given. */
static adl_array *take_output(adl_out *out, int32_t slot, int64_t rows, bool *ok) {
  adl_array *array = NULL;
  if (out->passed[slot] != NULL) {
    array = out->passed[slot];
    out->passed[slot] = NULL;
    if (array->view.rows == rows) return array;
    adl_array_unref(array);
  } else if (out->builders[slot] != NULL) {
    const char *why = NULL;
    array = adl_builder_finish(out->builders[slot], rows, &why);
    out->builders[slot] = NULL;
    if (array != NULL) return array;
    adl_engine_fail(out->node->engine, out->node->stage, "%s gave a column that is not valid: %s",
                    out->node->stage->class->id, why);
    *ok = false;
  }
  return NULL;
}

/* Rows of a source stand where it says; those of a table that a stage makes are counted. */
static adl_array *new_tags(adl_out *out, int64_t rows) {
  const adl_node_run *node = out->node;
  adl_run_call *run = &out->worker->call;
  bool source = node->stage->class->next != NULL, positions = out->positions_given >= rows;
  adl_split split = node->engine->apply ? ADL_TEST : source ? ADL_TRAIN : run->split;
  int32_t shard = source ? run->shard : node->first_shard;
  adl_builder *builder = adl_builder_new(adl_type_scalar(ADL_INT64, ADL_NUMBER));
  adl_buffers buffers;
  if (!adl_builder_reserve(builder, rows, 0, 0, &buffers))
    g_error("out of memory: %" G_GINT64_FORMAT " rows of a batch", rows);
  int64_t *tags = buffers.data;
  for (int64_t i = 0; i < rows; i++) {
    int64_t position = !source ? run->first_made++ : positions ? out->positions[i] : 0;
    tags[i] = adl_tag_make(split, shard, position);
  }
  out->positions_given = 0;
  return adl_builder_finish(builder, rows, NULL);
}

void adl_append_cut(GPtrArray *result, adl_frame *frame) {
  if (frame->rows <= ADL_BATCH_ROWS) {
    if (frame->rows > 0) g_ptr_array_add(result, adl_frame_ref(frame));
    return;
  }
  for (int64_t first = 0; first < frame->rows; first += ADL_BATCH_ROWS) {
    int64_t rows = MIN(ADL_BATCH_ROWS, frame->rows - first);
    g_ptr_array_add(result, adl_frame_slice(frame, first, rows));
  }
}

static bool report_missing(adl_out *out, int32_t column) {
  adl_engine_fail(out->node->engine, out->node->stage, "%s gave no column `%s` of the right length",
                  out->node->stage->class->id, out->node->stage->schema.columns[column].name);
  return false;
}

static bool move_to_table(adl_out *out) {
  char *why = NULL;
  bool ok = true;
  for (guint i = 0; ok && i < out->frames->len; i++) {
    const adl_frame *frame = out->frames->pdata[i];
    adl_count(&adl_tally_of(out->worker, out->node)->rows_out, frame->rows);
    ok = adl_store_append(out->table, out->frames->pdata[i], &why);
  }
  g_ptr_array_set_size(out->frames, 0);
  if (!ok) adl_engine_fail(out->node->engine, out->node->stage, "%s", why);
  g_free(why);
  return ok;
}

static adl_status host_commit(const adl_call *call, adl_out *out, int64_t rows) {
  const adl_stage *stage = out->node->stage;
  if (stage->class->form != ADL_NEW) return fail(call, "committed rows, but its form is not NEW");
  if (rows < 0 || rows > INT32_MAX) return fail(call, "committed %" G_GINT64_FORMAT " rows", rows);
  if (rows == 0) {
    clear_columns(out);
    return ADL_OK;
  }
  adl_frame *frame = adl_frame_new(rows, stage->schema.count, new_tags(out, rows));
  bool ok = true;
  for (int32_t c = 0; ok && c < stage->schema.count; c++) {
    int32_t slot = stage->leaving[c].number;
    adl_array *array = stage->leaving[c].kind == ADL_FROM_OUTPUT ? take_output(out, slot, rows, &ok) : NULL;
    if (stage->needed[c] && ok && array == NULL) ok = report_missing(out, c);
    if (stage->needed[c])
      frame->columns[c] = array;
    else
      adl_array_unref(array);
  }
  clear_columns(out);
  if (ok) adl_append_cut(out->frames, frame);
  adl_frame_unref(frame);
  if (ok && out->table != NULL) ok = move_to_table(out);
  adl_spill_trim(); /* a table that is given out in one call is walked all through */
  return ok ? ADL_OK : ADL_FAILED;
}

/* ---- SAME and PICKED ---- */

/* What the stage gave for each of its own columns, as many as rows leave. False: reported. */
static bool take_given(adl_out *out, int64_t rows, adl_array **given) {
  const adl_stage *stage = out->node->stage;
  for (int32_t c = 0; c < stage->schema.count; c++) {
    bool ok = true, own = stage->needed[c] && stage->leaving[c].kind == ADL_FROM_OUTPUT;
    given[c] = own ? take_output(out, stage->leaving[c].number, rows, &ok) : NULL;
    if (own && given[c] == NULL) return ok ? report_missing(out, c) : false;
  }
  return true;
}

static bool identity(const int64_t *index, int64_t count, int64_t rows) {
  if (count != rows) return false;
  for (int64_t i = 0; i < count; i++)
    if (index[i] != i) return false;
  return true;
}

/* Side rows that are not one for each picked row are as good as none. */
static void check_side_rows(adl_out *out, int64_t count) {
  for (guint side = 0; side < out->node->sides->len; side++)
    if (out->side_rows[side] != NULL && out->side_count[side] != count) g_clear_pointer(&out->side_rows[side], g_free);
}

/* The rows that leave, all at once; or, where they may go in parts and are many, as the worker's rest. */
static bool end_rows(adl_out *out, adl_worker *worker, GPtrArray *result) {
  adl_frame *input = out->view->frame;
  bool whole = !out->picked || identity(out->index, out->index_count, input->rows), ok;
  if (whole && out->node->hands_on && worker->call.rejected == NULL) {
    adl_append_cut(result, input);
    return true;
  }
  adl_array *few[64] = {NULL};
  int32_t columns = out->node->stage->schema.count;
  adl_leaving_rows rows = {.node = out->node,
                           .input = input,
                           .slots = out->view->arrays,
                           .slot_count = out->view->slot_count,
                           .given = columns <= 64 ? few : g_new0(adl_array *, (gsize)columns),
                           .index = whole ? NULL : out->index,
                           .count = out->picked ? out->index_count : input->rows,
                           .side_rows = out->side_rows,
                           .rejected = worker->call.rejected};
  check_side_rows(out, rows.count);
  ok = take_given(out, rows.count, rows.given);
  if (ok && worker->in_parts && rows.index != NULL && rows.count > 2 * ADL_BATCH_ROWS) {
    worker->rest = adl_leaving_rows_keep(&rows);
    out->index = NULL; /* they went over, and side rows with them */
    for (guint side = 0; side < out->node->sides->len; side++) out->side_rows[side] = NULL;
  } else if (ok) {
    adl_frame *frame = adl_leave(&rows, rows.count);
    ok = frame != NULL;
    if (ok) adl_append_cut(result, frame);
    adl_frame_unref(frame);
  }
  for (int32_t c = 0; c < columns; c++) adl_array_unref(rows.given[c]);
  if (rows.given != few) g_free(rows.given);
  return ok;
}

void adl_out_count_dropped(const adl_out *out, adl_worker *worker) {
  int64_t rows = out->view->batch.rows;
  size_t bytes = (size_t)(rows + 7) / 8;
  uint8_t few[ADL_BATCH_ROWS / 8], *stay = bytes <= sizeof few ? few : g_malloc(bytes);
  if (worker->call.rejected != NULL)
    memcpy(stay, worker->call.rejected, bytes);
  else
    memset(stay, 0, bytes);
  for (int64_t i = 0; i < out->index_count; i++) adl_bit_set(stay, out->index[i], true);
  adl_count(&adl_tally_of(worker, out->node)->dropped, rows - adl_bits_count(stay, rows));
  if (stay != few) g_free(stay);
}

bool adl_out_end(adl_out *out, adl_worker *worker, GPtrArray *result) {
  bool ok = true, picks = out->node->stage->class->form == ADL_PICKED;
  if (picks && out->view != NULL && !out->node->stage->loaded->forwards_only) adl_out_count_dropped(out, worker);
  if (out->node->stage->class->form == ADL_NEW || out->view == NULL) {
    for (guint i = 0; i < out->frames->len; i++) g_ptr_array_add(result, adl_frame_ref(out->frames->pdata[i]));
  } else if (picks && !out->picked && !out->node->stage->loaded->forwards_only) {
    ok = true; /* nothing picked: nothing leaves */
  } else {
    ok = end_rows(out, worker, result);
  }
  adl_out_drop(out);
  return ok;
}

void adl_out_fill(adl_host *host) {
  host->reserve = host_reserve;
  host->wanted = host_wanted;
  host->pass = host_pass;
  host->pick = host_pick;
  host->gather = host_gather;
  host->commit = host_commit;
  host->positions = host_positions;
  host->block = host_block;
  host->block_commit = host_block_commit;
}
