/* Does what an answer of a worker says, on the host table of the run: as if the plugin had done it here. Numbers are
 * checked again where the host functions do not: the worker's memory is the plugin's to spoil. */
#include <string.h>

#include "core/engine/isolate.h"

/* What one answer is applied to. */
typedef struct place {
  adl_isolate *isolate;
  const adl_call *call;
  const adl_batch *batch;
  adl_out *out;
  adl_model *model;
} place;

static void failure(const place *p, adl_unpack *u) {
  const char *parameter = adl_unpack_text(u);
  int64_t offset = adl_unpack_int(u);
  const char *hint = adl_unpack_text(u), *text = adl_unpack_text(u);
  if (!u->bad) p->call->host->fail(p->call, parameter, (int32_t)offset, hint, "%s", text != NULL ? text : "");
}

static void reject(const place *p, adl_unpack *u) {
  int64_t row = adl_unpack_int(u);
  const char *column = adl_unpack_text(u), *text = adl_unpack_text(u);
  if (!u->bad) p->call->host->reject(p->call, row, column, "%s", text != NULL ? text : "");
}

static void log_line(const place *p, adl_unpack *u) {
  int64_t level = adl_unpack_int(u);
  const char *text = adl_unpack_text(u);
  if (!u->bad) p->call->host->log(p->call, (adl_level)CLAMP(level, ADL_DEBUG, ADL_WARNING), "%s", text ? text : "");
}

static bool names(const place *p, adl_unpack *u) {
  int64_t slot = adl_unpack_int(u), size = 0, byte_count = 0;
  const int64_t *offsets = adl_unpack_bytes(u, &size);
  const char *bytes = adl_unpack_bytes(u, &byte_count);
  int64_t width = size / 8 - 1;
  bool sound = !u->bad && width >= 0 && offsets[0] == 0 && offsets[width] == byte_count;
  for (int64_t i = 0; sound && i < width; i++) sound = offsets[i] <= offsets[i + 1];
  return sound && p->call->host->set_names(p->call, (int32_t)slot, width, offsets, bytes) == ADL_OK;
}

/* Is it what the stage declared? */
static bool same_type(const adl_stage *stage, int64_t slot, adl_type type) {
  if (slot < 0 || slot >= stage->outputs->len) return false;
  const adl_field *field = stage->outputs->pdata[slot];
  return adl_type_equal(field->type, type) && field->type.width == type.width;
}

static bool column(const place *p, adl_unpack *u) {
  int64_t slot = adl_unpack_int(u);
  adl_array *array = adl_unpack_array(u);
  bool ok = array != NULL && p->out != NULL && same_type(p->isolate->stage, slot, array->view.type) &&
            p->call->host->pass(p->call, p->out, (int32_t)slot, &array->view) == ADL_OK;
  adl_array_unref(array);
  return ok;
}

static bool pass(const place *p, adl_unpack *u) {
  int64_t slot = adl_unpack_int(u), input = adl_unpack_int(u);
  if (u->bad || p->batch == NULL || input < 0 || input >= p->batch->slot_count || p->batch->slots[input] == NULL)
    return false;
  return p->out == NULL || p->call->host->pass(p->call, p->out, (int32_t)slot, p->batch->slots[input]) == ADL_OK;
}

static bool pick(const place *p, adl_unpack *u) {
  int64_t size = 0;
  const int64_t *rows = adl_unpack_bytes(u, &size);
  return !u->bad && (p->out == NULL || p->call->host->pick(p->call, p->out, rows, size / 8) == ADL_OK);
}

static bool gather(const place *p, adl_unpack *u) {
  adl_side side = {.number = (int32_t)adl_unpack_int(u)};
  int64_t size = 0;
  const int64_t *rows = adl_unpack_bytes(u, &size);
  return !u->bad && (p->out == NULL || p->call->host->gather(p->call, p->out, &side, rows, size / 8) == ADL_OK);
}

static void number(const place *p, adl_unpack *u) {
  const char *over = adl_unpack_text(u), *name = adl_unpack_text(u);
  double value = adl_unpack_float(u), low = adl_unpack_float(u), high = adl_unpack_float(u);
  if (!u->bad) p->call->host->report_number(p->call, NULL, over, name, value, low, high);
}

static void text(const place *p, adl_unpack *u) {
  const char *name = adl_unpack_text(u), *line = adl_unpack_text(u);
  if (!u->bad) p->call->host->report_text(p->call, NULL, name, line);
}

static void table(const place *p, adl_unpack *u) {
  const char *name = adl_unpack_text(u);
  int64_t columns = adl_unpack_count(u, 8), rows = adl_unpack_int(u), left = (u->size - u->at) / 8;
  if (u->bad || rows < 0 || (columns > 0 && rows > left / columns)) {
    u->bad = true;
    return;
  }
  const char **cells = g_new0(const char *, (gsize)(columns * (rows + 1)) + 1);
  for (int64_t i = 0; i < columns * (rows + 1); i++) cells[i] = adl_unpack_text(u);
  if (!u->bad) p->call->host->report_table(p->call, NULL, name, (int32_t)columns, cells, rows, cells + columns);
  g_free(cells);
}

static const double *numbers(adl_unpack *u, int64_t count) {
  if (adl_unpack_int(u) == 0) return NULL;
  int64_t size = 0;
  const double *found = adl_unpack_bytes(u, &size);
  if (size != count * (int64_t)sizeof *found) u->bad = true;
  return found;
}

/* What it points to stays with the answer, but for the labels: to be freed. */
static void unpack_series(adl_unpack *u, adl_series *series) {
  *series = (adl_series){.struct_size = sizeof *series, .name = adl_unpack_text(u)};
  series->count = adl_unpack_int(u);
  if (series->count < 0 || series->count > u->size) u->bad = true;
  if (u->bad) return;
  series->x = numbers(u, series->count);
  series->y = numbers(u, series->count);
  series->low = numbers(u, series->count);
  series->high = numbers(u, series->count);
  if (u->bad || adl_unpack_int(u) == 0) return;
  const char **labels = g_new0(const char *, (gsize)series->count + 1);
  for (int64_t i = 0; i < series->count; i++) labels[i] = adl_unpack_text(u);
  series->labels = labels;
}

static void plot(const place *p, adl_unpack *u) {
  adl_plot plot = {.struct_size = sizeof plot, .name = adl_unpack_text(u)};
  plot.x_title = adl_unpack_text(u);
  plot.y_title = adl_unpack_text(u);
  plot.kind = (uint32_t)adl_unpack_int(u);
  plot.flags = (uint32_t)adl_unpack_int(u);
  int64_t count = adl_unpack_count(u, 8);
  adl_series *series = g_new0(adl_series, (gsize)count + 1);
  const adl_series **list = g_new0(const adl_series *, (gsize)count + 1);
  for (int64_t s = 0; s < count && !u->bad; s++) {
    unpack_series(u, &series[s]);
    list[s] = &series[s];
  }
  plot.series_count = (int32_t)count;
  plot.series = list;
  if (!u->bad) p->call->host->report_plot(p->call, NULL, &plot);
  for (int64_t s = 0; s < count; s++) g_free((gpointer)series[s].labels);
  g_free(list);
  g_free(series);
}

static bool model(const place *p, adl_unpack *u) {
  adl_tensors *tensors = adl_unpack_tensors(u);
  bool ok = !u->bad && p->model != NULL;
  if (ok) adl_tensors_replace(p->model->tensors, tensors);
  adl_tensors_free(tensors);
  return ok;
}

/* False: nothing more can be made of the answer. */
static bool apply_one(const place *p, adl_told what, adl_unpack *u) {
  const adl_host *host = p->call->host;
  int64_t slot = 0;
  switch (what) {
    case ADL_TOLD_FAILURE: failure(p, u); break;
    case ADL_TOLD_REJECT: reject(p, u); break;
    case ADL_TOLD_LOG: log_line(p, u); break;
    case ADL_TOLD_NUMBER: number(p, u); break;
    case ADL_TOLD_TEXT: text(p, u); break;
    case ADL_TOLD_TABLE: table(p, u); break;
    case ADL_TOLD_PLOT: plot(p, u); break;
    case ADL_TOLD_INVALID:
      adl_engine_fail(p->isolate->engine, p->isolate->stage, "%s gave a column that is not valid: %s",
                      p->isolate->class->id, adl_unpack_text(u));
      adl_context_of(p->call)->failed = true;
      break;
    case ADL_TOLD_WIDTH:
      slot = adl_unpack_int(u);
      return host->set_width(p->call, (int32_t)slot, adl_unpack_int(u)) == ADL_OK;
    case ADL_TOLD_NAMES: return names(p, u);
    case ADL_TOLD_COLUMN: return column(p, u);
    case ADL_TOLD_PASS: return pass(p, u);
    case ADL_TOLD_PICK: return pick(p, u);
    case ADL_TOLD_GATHER: return gather(p, u);
    case ADL_TOLD_COMMIT: return p->out != NULL && host->commit(p->call, p->out, adl_unpack_int(u)) == ADL_OK;
    case ADL_TOLD_MODEL: return model(p, u);
    default: return false;
  }
  return !u->bad;
}

adl_status adl_isolate_apply(adl_isolate *isolate, const adl_call *call, const adl_batch *batch, adl_out *out,
                             adl_model *model_of_call, adl_unpack *answer) {
  place p = {isolate, call, batch, out, model_of_call};
  for (;;) {
    adl_told what = (adl_told)adl_unpack_int(answer);
    if (what == ADL_TOLD_END) break;
    if (apply_one(&p, what, answer)) continue;
    if (adl_context_of(call)->failed) return ADL_FAILED;
    return call->host->fail(call, NULL, -1, NULL, "the process of the stage gave an answer that is none (%d)", what);
  }
  int64_t status = adl_unpack_int(answer);
  return answer->bad || status != ADL_OK ? ADL_FAILED : ADL_OK;
}
