#include "core/engine/isolate_host.h"

#include <stdarg.h>
#include <string.h>

#include "core/graph/host.h"

static adl_served *served_of(const adl_call *call) { return (adl_served *)call->core; }

static adl_pack *tell(const adl_call *call, adl_told what) {
  adl_pack *answer = &served_of(call)->answer;
  adl_pack_int(answer, what);
  return answer;
}

/* A sign of life. */
static adl_channel *beat(const adl_call *call) {
  adl_channel *channel = served_of(call)->server->serving->channel;
  atomic_fetch_add(&channel->beats, 1);
  return channel;
}

static void tell_text(adl_pack *answer, const char *format, va_list list) {
  char *text = g_strdup_vprintf(format, list);
  adl_pack_text(answer, text);
  g_free(text);
}

/* ---- saying things ---- */

static adl_status served_fail(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                              const char *format, ...) {
  adl_pack *answer = tell(call, ADL_TOLD_FAILURE);
  adl_pack_text(answer, parameter);
  adl_pack_int(answer, offset);
  adl_pack_text(answer, hint);
  va_list list;
  va_start(list, format);
  tell_text(answer, format, list);
  va_end(list);
  served_of(call)->context.failed = true;
  return ADL_FAILED;
}

static void served_reject(const adl_call *call, int64_t row, const char *column, const char *format, ...) {
  adl_pack *answer = tell(call, ADL_TOLD_REJECT);
  adl_pack_int(answer, row);
  adl_pack_text(answer, column);
  va_list list;
  va_start(list, format);
  tell_text(answer, format, list);
  va_end(list);
}

static void served_log(const adl_call *call, adl_level level, const char *format, ...) {
  adl_pack *answer = tell(call, ADL_TOLD_LOG);
  adl_pack_int(answer, level);
  va_list list;
  va_start(list, format);
  tell_text(answer, format, list);
  va_end(list);
}

static void served_progress(const adl_call *call, const char *what, double done, double total) {
  adl_channel *channel = beat(call);
  g_strlcpy(channel->what, what != NULL ? what : "", sizeof channel->what);
  atomic_store(&channel->done, done);
  atomic_store(&channel->total, total);
  atomic_store(&channel->progress_on, true);
}

static bool served_cancelled(const adl_call *call) { return atomic_load(&beat(call)->cancelled); }

/* ---- resources ---- */

static int64_t served_now(const adl_call *call) { return served_of(call)->server->serving->started_us; }

static adl_split served_split(const adl_call *call) { return served_of(call)->split; }

static adl_split served_row_split(const adl_call *call, int64_t row) {
  const adl_served *served = served_of(call);
  if (served->splits == NULL || row < 0 || row >= served->batch.rows) return ADL_TRAIN;
  return (adl_split)served->splits[row];
}

static bool served_online(const adl_call *call) { return served_of(call)->server->serving->online; }

static adl_status served_parallel(const adl_call *call, int64_t count,
                                  adl_status (*body)(const adl_call *call, void *context, int64_t i), void *context) {
  for (int64_t i = 0; i < count; i++) {
    beat(call);
    ADL_TRY(body(call, context, i));
  }
  return ADL_OK;
}

/* ---- widths and names: kept here as well, for what comes of them ---- */

static adl_status served_set_width(const adl_call *call, int32_t slot, int64_t width) {
  const adl_host *own = adl_host_table_to_fill();
  adl_status status = own->set_width(call, slot, width);
  if (status != ADL_OK || slot < 0) return status;
  adl_pack *answer = tell(call, ADL_TOLD_WIDTH);
  adl_pack_int(answer, slot);
  adl_pack_int(answer, width);
  return ADL_OK;
}

static adl_status served_set_names(const adl_call *call, int32_t slot, int64_t width, const int64_t *offsets,
                                   const char *bytes) {
  const adl_host *own = adl_host_table_to_fill();
  adl_status status = own->set_names(call, slot, width, offsets, bytes);
  if (status != ADL_OK || slot < 0) return status;
  adl_pack *answer = tell(call, ADL_TOLD_NAMES);
  adl_pack_int(answer, slot);
  adl_pack_bytes(answer, offsets, (width + 1) * 8);
  adl_pack_bytes(answer, bytes, offsets[width]);
  return ADL_OK;
}

/* ---- giving rows ---- */

static bool slot_ok(const adl_call *call, int32_t slot) {
  const adl_server *server = served_of(call)->server;
  if (slot >= 0 && (guint)slot < server->builder_count) return true;
  served_fail(call, NULL, -1, NULL, "gave a column for output slot %d; there are %u", slot, server->builder_count);
  return false;
}

static adl_status served_reserve(const adl_call *call, adl_out *out, int32_t slot, int64_t rows, int64_t items,
                                 int64_t bytes, adl_buffers *buffers) {
  (void)out;
  adl_server *server = served_of(call)->server;
  if (!slot_ok(call, slot)) return ADL_FAILED;
  if (server->builders[slot] == NULL) {
    const adl_field *field = server->serving->stage->outputs->pdata[slot];
    server->builders[slot] = adl_builder_new(field->type);
  }
  if (adl_builder_reserve(server->builders[slot], rows, items, bytes, buffers)) return ADL_OK;
  return served_fail(call, NULL, -1, NULL, "one batch of a column would hold more than 2147483647 items or bytes");
}

static adl_status served_pass(const adl_call *call, adl_out *out, int32_t slot, const adl_column *column) {
  (void)out;
  const adl_served *served = served_of(call);
  if (!slot_ok(call, slot)) return ADL_FAILED;
  for (uint32_t i = 0; i < served->batch.slot_count; i++) {
    if (column == NULL || (const adl_column *)served->arrays->pdata[i] != column) continue;
    adl_pack *answer = tell(call, ADL_TOLD_PASS);
    adl_pack_int(answer, slot);
    adl_pack_int(answer, i);
    return ADL_OK;
  }
  return served_fail(call, NULL, -1, NULL, "passed a column on that is none of its input");
}

void adl_served_drop_columns(adl_server *server) {
  for (guint i = 0; i < server->builder_count; i++) {
    if (server->builders[i] != NULL) adl_builder_free(server->builders[i]);
    server->builders[i] = NULL;
  }
}

void adl_served_tell_columns(adl_served *served, int64_t rows) {
  adl_server *server = served->server;
  const adl_stage *stage = server->serving->stage;
  for (guint i = 0; i < server->builder_count; i++) {
    if (server->builders[i] == NULL || !g_array_index(stage->outputs_wanted, bool, i)) continue;
    const char *why = NULL;
    adl_array *array = adl_builder_finish(server->builders[i], rows, &why);
    server->builders[i] = NULL;
    if (array == NULL) {
      adl_pack_int(&served->answer, ADL_TOLD_INVALID);
      adl_pack_text(&served->answer, why);
      served->context.failed = true;
      break;
    }
    adl_pack_int(&served->answer, ADL_TOLD_COLUMN);
    adl_pack_int(&served->answer, i);
    adl_pack_array(&served->answer, array);
    adl_array_unref(array);
  }
  adl_served_drop_columns(server);
}

static adl_status served_commit(const adl_call *call, adl_out *out, int64_t rows) {
  (void)out;
  adl_served *served = served_of(call);
  if (served->server->class->form != ADL_NEW)
    return served_fail(call, NULL, -1, NULL, "committed rows, but its form is not NEW");
  if (rows < 0 || rows > INT32_MAX)
    return served_fail(call, NULL, -1, NULL, "committed %" G_GINT64_FORMAT " rows", rows);
  if (rows == 0)
    adl_served_drop_columns(served->server);
  else
    adl_served_tell_columns(served, rows);
  if (served->context.failed) return ADL_FAILED;
  adl_pack_int(tell(call, ADL_TOLD_COMMIT), rows);
  return ADL_OK;
}

static adl_status served_pick(const adl_call *call, adl_out *out, const int64_t *index, int64_t count) {
  (void)out;
  adl_served *served = served_of(call);
  if (served->batch.rows < 0 || served->server->class->form != ADL_PICKED)
    return served_fail(call, NULL, -1, NULL, "picked rows, but its form is not PICKED");
  for (int64_t i = 0; i < count; i++)
    if (index[i] < 0 || index[i] >= served->batch.rows)
      return served_fail(call, NULL, -1, NULL, "picked row %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT, index[i],
                         served->batch.rows);
  adl_pack_bytes(tell(call, ADL_TOLD_PICK), index, count * 8);
  served->picked = count;
  return ADL_OK;
}

/* How many rows the side has is looked at in the run. */
static adl_status served_gather(const adl_call *call, adl_out *out, const adl_side *side, const int64_t *row,
                                int64_t count) {
  (void)out;
  adl_pack *answer = tell(call, ADL_TOLD_GATHER);
  adl_pack_int(answer, side->number);
  adl_pack_bytes(answer, row, count * 8);
  return ADL_OK;
}

/* ---- of sources and sinks, which work in the run's own process ---- */

static void served_reject_record(const adl_call *call, int64_t position, const char *column, const char *format, ...) {
  (void)position, (void)column, (void)format;
  served_fail(call, NULL, -1, NULL, "rejected a record, but is no source");
}

static int64_t *served_positions(const adl_call *call, adl_out *out, int64_t rows) {
  (void)out;
  served_fail(call, NULL, -1, NULL, "told positions, but is no source");
  return call->host->alloc(call, (size_t)rows * 8 + 8);
}

static uint8_t *served_block(const adl_call *call, adl_out *out, int64_t size) {
  (void)out;
  served_fail(call, NULL, -1, NULL, "asked for a block, but is neither source nor sink");
  return call->host->alloc(call, (size_t)size + 8);
}

static adl_status served_block_commit(const adl_call *call, adl_out *out, int64_t size, int64_t position) {
  (void)out, (void)size, (void)position;
  return served_fail(call, NULL, -1, NULL, "gave a block, but is neither source nor sink");
}

/* ---- reports ---- */

static void served_report_number(const adl_call *call, adl_report *report, const char *over, const char *name,
                                 double value, double low, double high) {
  (void)report;
  adl_pack *answer = tell(call, ADL_TOLD_NUMBER);
  adl_pack_text(answer, over);
  adl_pack_text(answer, name);
  adl_pack_float(answer, value);
  adl_pack_float(answer, low);
  adl_pack_float(answer, high);
}

static void served_report_text(const adl_call *call, adl_report *report, const char *name, const char *text) {
  (void)report;
  adl_pack *answer = tell(call, ADL_TOLD_TEXT);
  adl_pack_text(answer, name);
  adl_pack_text(answer, text);
}

static void served_report_table(const adl_call *call, adl_report *report, const char *name, int32_t columns,
                                const char *const *titles, int64_t rows, const char *const *cells) {
  (void)report;
  adl_pack *answer = tell(call, ADL_TOLD_TABLE);
  adl_pack_text(answer, name);
  adl_pack_int(answer, columns);
  adl_pack_int(answer, rows);
  for (int32_t i = 0; i < columns; i++) adl_pack_text(answer, titles[i]);
  for (int64_t i = 0; i < rows * columns; i++) adl_pack_text(answer, cells[i]);
}

static void pack_numbers(adl_pack *answer, const double *numbers, int64_t count) {
  adl_pack_int(answer, numbers != NULL);
  if (numbers != NULL) adl_pack_bytes(answer, numbers, count * (int64_t)sizeof *numbers);
}

static void pack_series(adl_pack *answer, const adl_series *given) {
  adl_series series = {0};
  memcpy(&series, given, MIN(given->struct_size, sizeof series));
  adl_pack_text(answer, series.name);
  adl_pack_int(answer, series.count);
  pack_numbers(answer, series.x, series.count);
  pack_numbers(answer, series.y, series.count);
  pack_numbers(answer, series.low, series.count);
  pack_numbers(answer, series.high, series.count);
  adl_pack_int(answer, series.labels != NULL);
  for (int64_t i = 0; series.labels != NULL && i < series.count; i++) adl_pack_text(answer, series.labels[i]);
}

static void served_report_plot(const adl_call *call, adl_report *report, const adl_plot *given) {
  (void)report;
  adl_pack *answer = tell(call, ADL_TOLD_PLOT);
  adl_plot plot = {0};
  memcpy(&plot, given, MIN(given->struct_size, sizeof plot));
  adl_pack_text(answer, plot.name);
  adl_pack_text(answer, plot.x_title);
  adl_pack_text(answer, plot.y_title);
  adl_pack_int(answer, plot.kind);
  adl_pack_int(answer, plot.flags);
  adl_pack_int(answer, plot.series_count);
  for (int32_t s = 0; s < plot.series_count; s++) pack_series(answer, plot.series[s]);
}

void adl_served_fill(adl_host *host) {
  *host = *adl_host_table_to_fill();
  host->threads = 1;
  host->fail = served_fail;
  host->reject = served_reject;
  host->reject_record = served_reject_record;
  host->log = served_log;
  host->progress = served_progress;
  host->cancelled = served_cancelled;
  host->now = served_now;
  host->parallel = served_parallel;
  host->split = served_split;
  host->row_split = served_row_split;
  host->online = served_online;
  host->set_width = served_set_width;
  host->set_names = served_set_names;
  host->fold = adl_served_fold;
  host->reserve = served_reserve;
  host->pass = served_pass;
  host->commit = served_commit;
  host->pick = served_pick;
  host->gather = served_gather;
  host->positions = served_positions;
  host->block = served_block;
  host->block_commit = served_block_commit;
  host->report_number = served_report_number;
  host->report_text = served_report_text;
  host->report_table = served_report_table;
  host->report_plot = served_report_plot;
}
