/* The class that the engine calls in place of the plugin's: each function is a request to the worker. */
#include <string.h>

#include "core/engine/isolate.h"

enum { GRACE_NS = 2000000000, MODEL_EVERY = 64, MOST_DEATHS = 20 };

static adl_isolate *isolate_of(const adl_call *call) { return adl_context_of(call)->run->node->isolate; }

/* ---- waiting for the worker ---- */

typedef struct patience {
  adl_isolate *isolate;
  const adl_call *call;
  bool hung;
} patience;

static void relay_progress(adl_isolate *isolate, const adl_call *call) {
  adl_channel *channel = isolate->keeper.channel;
  char what[sizeof channel->what];
  if (!atomic_exchange(&channel->progress_on, false)) return;
  memcpy(what, channel->what, sizeof what);
  what[sizeof what - 1] = '\0';
  call->host->progress(call, what, atomic_load(&channel->done), atomic_load(&channel->total));
}

/* The run is ending: the plugin is told, and has a moment to return. */
static bool end_soon(adl_isolate *isolate, int64_t now) {
  atomic_store(&isolate->keeper.channel->cancelled, true);
  if (isolate->grace == 0) isolate->grace = now + GRACE_NS;
  if (now < isolate->grace) return true;
  adl_keeper_kill_worker(&isolate->keeper);
  return false;
}

static bool wait_on(void *data) {
  patience *p = data;
  adl_isolate *isolate = p->isolate;
  int64_t now = adl_clock_ns();
  uint64_t beats = atomic_load(&isolate->keeper.channel->beats);
  char *how = NULL;
  if (adl_keeper_dead(&isolate->keeper, &how)) {
    g_free(how);
    return false;
  }
  relay_progress(isolate, p->call);
  if (beats != isolate->beats) isolate->since = now;
  isolate->beats = beats;
  if (adl_engine_stopping(isolate->engine)) return end_soon(isolate, now);
  if ((now - isolate->since) / 1000 < isolate->stage->isolate_limit) return true;
  p->hung = true;
  adl_keeper_kill_worker(&isolate->keeper);
  return false;
}

/* ---- deaths ---- */

static char *seconds_text(int64_t microseconds) { return g_strdup_printf("%.3g s", (double)microseconds / 1e6); }

/* How it ended, in words; kept for those who call later. */
static void tell_death(adl_isolate *isolate, const patience *p) {
  char *how = NULL, *limit = seconds_text(isolate->stage->isolate_limit);
  const adl_loaded *loaded = isolate->stage->loaded;
  if (p->hung)
    how = g_strdup_printf("did not answer for %s", limit);
  else if (!adl_keeper_dead(&isolate->keeper, &how))
    how = g_strdup("broke off its answer");
  g_free(isolate->death);
  isolate->death = g_strdup_printf("the plugin %s in %s of %s %s (%s), in a process of its own", how, isolate->function,
                                   isolate->class->id, loaded->plugin.version, loaded->path);
  if (isolate->record != NULL) adl_record_death(isolate->record, isolate->death);
  isolate->deaths++;
  g_free(limit);
  g_free(how);
}

static adl_status fail_dead(adl_isolate *isolate, const adl_call *call) {
  if (adl_engine_stopping(isolate->engine)) return ADL_FAILED;
  char *hint =
      g_strdup_printf("report this to the plugin's author; `adloom run FILE --record %s=FILE.record` keeps what "
                      "the stage was given in one file",
                      isolate->stage->name);
  call->host->fail(call, NULL, -1, hint, "%s", isolate->death);
  g_free(hint);
  return ADL_FAILED;
}

/* ---- one request and its answer ---- */

static bool converse(adl_isolate *isolate, const adl_call *call, const adl_pack *request) {
  patience p = {isolate, call, false};
  adl_wait wait = {wait_on, &p};
  isolate->since = adl_clock_ns();
  if (isolate->record != NULL) adl_record_add(isolate->record, false, request);
  if (adl_channel_send(isolate->keeper.channel, false, request, wait) &&
      adl_channel_receive(isolate->keeper.channel, false, &isolate->answer, wait)) {
    if (isolate->record != NULL) adl_record_add(isolate->record, true, &isolate->answer);
    return true;
  }
  tell_death(isolate, &p);
  return false;
}

static adl_unpack answer_of(const adl_isolate *isolate) {
  adl_unpack u = {.data = isolate->answer.data, .size = isolate->answer.size};
  adl_unpack_int(&u); /* DONE: the caller has looked, or there is no other */
  return u;
}

static void begin(adl_isolate *isolate, adl_request request) {
  pthread_mutex_lock(&isolate->mutex);
  isolate->function = adl_request_name(request);
  isolate->request.size = 0;
  adl_pack_int(&isolate->request, request);
}

static void pack_model(adl_pack *pack, bool wanted, const adl_model *model) {
  adl_pack_int(pack, wanted);
  adl_pack_int(pack, model != NULL);
  if (model != NULL) adl_pack_tensors(pack, model->tensors);
}

/* Another worker with the model that the run saw last. The stage goes on, or *isolate says why not. */
static bool restart(adl_isolate *isolate, const adl_call *call) {
  if (isolate->stage->isolate != ADL_ISOLATE_RESTART || !isolate->prepared || isolate->deaths > MOST_DEATHS ||
      adl_engine_stopping(isolate->engine) || !adl_keeper_again(&isolate->keeper))
    return false;
  char lost[96] = "";
  if (isolate->learned > 0)
    g_snprintf(lost, sizeof lost, "; what it had learned from its last %" G_GINT64_FORMAT " batches is lost",
               isolate->learned);
  adl_problems_warning(isolate->engine->problems, isolate->stage->place, "%s: %s; it was started again%s",
                       isolate->stage->name, isolate->death, lost);
  adl_pack prepare = {0};
  adl_pack_int(&prepare, ADL_REQUEST_PREPARE);
  pack_model(&prepare, false, &adl_context_of(call)->run->node->model);
  bool ok = converse(isolate, call, &isolate->start) && converse(isolate, call, &prepare);
  adl_pack_clear(&prepare);
  isolate->learned = 0;
  if (ok) g_clear_pointer(&isolate->death, g_free);
  return ok;
}

/* The request that begin began: sent, answered, applied. Ends what begin began. */
static adl_status ask(adl_isolate *isolate, const adl_call *call, const adl_batch *batch, adl_out *out,
                      adl_model *model) {
  bool ok = isolate->death == NULL && converse(isolate, call, &isolate->request);
  if (!ok && isolate->death != NULL && restart(isolate, call)) ok = converse(isolate, call, &isolate->request);
  adl_status status = ADL_FAILED;
  if (ok) {
    adl_unpack u = answer_of(isolate);
    status = adl_isolate_apply(isolate, call, batch, out, model, &u);
  } else {
    fail_dead(isolate, call);
  }
  pthread_mutex_unlock(&isolate->mutex);
  return status;
}

/* ---- the functions of the class ---- */

static void pack_names(adl_pack *pack, const adl_field *field) {
  if (field->name_count > 0) {
    adl_pack_int(pack, field->name_count);
    adl_pack_bytes(pack, field->name_offsets, (field->name_count + 1) * 8);
    adl_pack_bytes(pack, field->name_bytes, field->name_offsets[field->name_count]);
    return;
  }
  if (field->matrix == NULL || field->type.width <= 0) return adl_pack_int(pack, -1);
  GArray *offsets = g_array_new(FALSE, FALSE, sizeof(int64_t));
  GString *bytes = g_string_new(NULL);
  for (int64_t d = 0, at = 0; d <= field->type.width; d++) {
    char name[512];
    g_array_append_val(offsets, at);
    if (d == field->type.width) break;
    adl_slot_dimension_name(field->producer, field->matrix, d, name, sizeof name);
    g_string_append(bytes, name);
    at = (int64_t)bytes->len;
  }
  adl_pack_int(pack, field->type.width);
  adl_pack_bytes(pack, offsets->data, (int64_t)offsets->len * 8);
  adl_pack_bytes(pack, bytes->str, (int64_t)bytes->len);
  g_array_free(offsets, TRUE);
  g_string_free(bytes, TRUE);
}

static void pack_columns(adl_pack *pack, const adl_stage *stage) {
  adl_pack_int(pack, stage->schema.count);
  for (int32_t c = 0; c < stage->schema.count; c++) {
    adl_pack_int(pack, stage->schema.columns[c].field->type.width);
    pack_names(pack, stage->schema.columns[c].field);
  }
}

static adl_status isolated_start(const adl_call *call, void *self) {
  (void)self;
  adl_isolate *isolate = isolate_of(call);
  const adl_stage *stage = isolate->stage;
  begin(isolate, ADL_REQUEST_START);
  for (guint i = 0; i < stage->from->len; i++) pack_columns(&isolate->request, stage->from->pdata[i]);
  for (guint i = 0; i < stage->sides->len; i++) pack_columns(&isolate->request, stage->sides->pdata[i]);
  adl_pack_int(&isolate->request, stage->outputs_wanted->len);
  for (guint i = 0; i < stage->outputs_wanted->len; i++)
    adl_pack_int(&isolate->request, g_array_index(stage->outputs_wanted, bool, i));
  isolate->start.size = 0;
  adl_pack_raw(&isolate->start, isolate->request.data, isolate->request.size);
  return ask(isolate, call, NULL, NULL, NULL);
}

static adl_status isolated_init(const adl_call *call, const void *self, adl_model *model) {
  (void)self;
  adl_isolate *isolate = isolate_of(call);
  begin(isolate, ADL_REQUEST_INIT);
  pack_model(&isolate->request, true, model);
  isolate->has_model = true;
  return ask(isolate, call, NULL, NULL, model);
}

static adl_status isolated_prepare(const adl_call *call, const void *self, const adl_model *model, void **prepared) {
  (void)self;
  adl_isolate *isolate = isolate_of(call);
  adl_model own = *model; /* its tensors are the run's to change */
  begin(isolate, ADL_REQUEST_PREPARE);
  pack_model(&isolate->request, isolate->dirty, isolate->has_model ? NULL : model);
  isolate->has_model = true;
  isolate->dirty = false;
  *prepared = NULL;
  adl_status status = ask(isolate, call, NULL, NULL, &own);
  isolate->prepared = status == ADL_OK;
  return status;
}

static adl_status isolated_report(const adl_call *call, const void *self, const adl_model *model, adl_report *report) {
  (void)self, (void)report;
  adl_isolate *isolate = isolate_of(call);
  adl_model own = *model;
  begin(isolate, ADL_REQUEST_REPORT);
  pack_model(&isolate->request, isolate->dirty, NULL);
  isolate->dirty = false;
  return ask(isolate, call, NULL, NULL, &own);
}

static adl_status isolated_finish(const adl_call *call, const void *self, const adl_model *model, adl_out *out) {
  (void)self, (void)model;
  adl_isolate *isolate = isolate_of(call);
  begin(isolate, ADL_REQUEST_FINISH);
  return ask(isolate, call, NULL, out, NULL);
}

static void pack_batch(adl_pack *pack, const adl_call *call, const adl_batch *batch) {
  const adl_run_call *run = adl_context_of(call)->run;
  adl_pack_int(pack, batch->rows);
  adl_pack_int(pack, batch->ordinal);
  adl_pack_int(pack, batch->slot_count);
  for (uint32_t i = 0; i < batch->slot_count; i++) {
    adl_pack_int(pack, batch->slots[i] != NULL);
    if (batch->slots[i] != NULL) adl_pack_array(pack, (const adl_array *)batch->slots[i]);
  }
  uint8_t *splits = call->host->alloc(call, (size_t)batch->rows + 1);
  for (int64_t i = 0; i < batch->rows; i++) splits[i] = (uint8_t)call->host->row_split(call, i);
  adl_pack_int(pack, run->split);
  adl_pack_bytes(pack, splits, batch->rows);
  adl_pack_bytes(pack, batch->groups, batch->groups == NULL ? 0 : (batch->group_count + 1) * 4);
}

static adl_status isolated_process(const adl_call *call, const void *self, const adl_model *model,
                                   const adl_batch *batch, adl_out *out) {
  (void)self, (void)model;
  adl_isolate *isolate = isolate_of(call);
  begin(isolate, ADL_REQUEST_PROCESS);
  adl_pack_int(&isolate->request, false);
  adl_pack_int(&isolate->request, true);
  pack_batch(&isolate->request, call, batch);
  return ask(isolate, call, batch, out, NULL);
}

/* Where the stage may have to begin again, the run gets the model every now and then. */
static adl_status isolated_learn(const adl_call *call, const void *self, adl_model *model, const adl_batch *batch,
                                 adl_out *out) {
  (void)self;
  adl_isolate *isolate = isolate_of(call);
  begin(isolate, ADL_REQUEST_LEARN);
  bool get = isolate->stage->isolate == ADL_ISOLATE_RESTART && isolate->learned + 1 >= MODEL_EVERY;
  adl_pack_int(&isolate->request, get);
  adl_pack_int(&isolate->request, out != NULL);
  pack_batch(&isolate->request, call, batch);
  adl_status status = ask(isolate, call, batch, out, model);
  isolate->learned = get ? 0 : isolate->learned + 1;
  isolate->dirty = !get;
  return status;
}

/* ---- fit: its folds run here, their steps there ---- */

/* A partial result is there; here it has its number, and as many bytes as decide how many lanes there are. */
static int64_t *number_of(const adl_call *call, adl_tensors *partial) {
  static const int64_t one = 1;
  return call->host->tensor(call, partial, "number", ADL_INT64, 1, &one);
}

static adl_tensors *stand_in(const adl_call *call, int64_t bytes) {
  adl_tensors *total = call->host->scratch_tensors(call);
  number_of(call, total);
  int64_t most = INT64_C(65) << 20, rest = MIN(bytes, most) - adl_tensors_bytes(total);
  if (rest > 0) call->host->tensor(call, total, "rest", ADL_BOOL, 1, &rest);
  return total;
}

static adl_status isolated_step(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                                adl_tensors *partial) {
  (void)self, (void)context;
  adl_isolate *isolate = isolate_of(call);
  int64_t *number = number_of(call, partial);
  begin(isolate, ADL_REQUEST_STEP);
  if (*number == 0) *number = ++isolate->partials;
  adl_pack_int(&isolate->request, *number);
  pack_batch(&isolate->request, call, batch);
  return ask(isolate, call, batch, NULL, NULL);
}

static adl_status isolated_merge(const adl_call *call, const void *self, const void *context, adl_tensors *into,
                                 adl_tensors *from) {
  (void)self, (void)context;
  adl_isolate *isolate = isolate_of(call);
  begin(isolate, ADL_REQUEST_MERGE);
  adl_pack_int(&isolate->request, *number_of(call, into));
  adl_pack_int(&isolate->request, *number_of(call, from));
  return ask(isolate, call, NULL, NULL, NULL);
}

static bool asks_fold(const adl_isolate *isolate, int64_t *flags, int64_t *bytes) {
  adl_unpack u = {.data = isolate->answer.data, .size = isolate->answer.size};
  if (adl_unpack_int(&u) != ADL_ANSWER_FOLD) return false;
  *flags = adl_unpack_int(&u);
  *bytes = adl_unpack_int(&u);
  return true;
}

/* Rows are given while nobody holds the worker. Afterwards the request FOLDED is ready to be sent. */
static void run_fold(adl_isolate *isolate, const adl_call *call, adl_rows *rows, int64_t flags, int64_t bytes) {
  pthread_mutex_unlock(&isolate->mutex);
  adl_fold fold = {.struct_size = sizeof fold,
                   .flags = (uint32_t)flags,
                   .step = isolated_step,
                   .merge = isolated_merge,
                   .context = isolate};
  adl_tensors *total = stand_in(call, bytes);
  adl_status status = call->host->fold(call, rows, &fold, total);
  begin(isolate, ADL_REQUEST_FOLDED);
  adl_pack_int(&isolate->request, status);
  adl_pack_int(&isolate->request, *number_of(call, total));
}

static adl_status isolated_fit(const adl_call *call, const void *self, adl_rows *rows, adl_model *model) {
  (void)self;
  adl_isolate *isolate = isolate_of(call);
  int64_t flags = 0, bytes = 0;
  begin(isolate, ADL_REQUEST_FIT);
  pack_model(&isolate->request, true, model);
  isolate->has_model = true;
  bool ok = isolate->death == NULL && converse(isolate, call, &isolate->request);
  while (ok && asks_fold(isolate, &flags, &bytes)) {
    run_fold(isolate, call, rows, flags, bytes);
    ok = isolate->death == NULL && converse(isolate, call, &isolate->request);
  }
  adl_status status = ADL_FAILED;
  if (ok) {
    adl_unpack u = answer_of(isolate);
    status = adl_isolate_apply(isolate, call, NULL, NULL, model, &u);
  } else {
    fail_dead(isolate, call);
  }
  pthread_mutex_unlock(&isolate->mutex);
  return status;
}

static void no_release(const void *self, void *prepared) { (void)self, (void)prepared; }

void adl_isolate_class(adl_isolate *isolate) {
  adl_class *proxy = &isolate->proxy;
  *proxy = *isolate->class;
  proxy->start = isolated_start;
  proxy->prepare = isolated_prepare;
  proxy->release = no_release;
  proxy->report = isolated_report;
  if (proxy->init != NULL) proxy->init = isolated_init;
  if (proxy->fit != NULL) proxy->fit = isolated_fit;
  if (proxy->learn != NULL) proxy->learn = isolated_learn;
  if (proxy->process != NULL && !isolate->stage->loaded->forwards_only) proxy->process = isolated_process;
  if (proxy->finish != NULL) proxy->finish = isolated_finish;
}
