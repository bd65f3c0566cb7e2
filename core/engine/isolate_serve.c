/* The worker of a stage: takes requests, calls the plugin, answers. It has the stage as bind left it, and nothing of the
 * run: what rows come, which widths they have and which model is used is told in the requests. A replay of a record
 * feeds it the same ones. */
#include <string.h>
#include <unistd.h>

#include "core/base/aligned.h"
#include "core/base/spill.h"
#include "core/engine/isolate_host.h"

enum { BROKEN = 70 }; /* exit status: a request that is none */

static bool forever(void *data) {
  (void)data;
  return true; /* the keeper's death ends this process, too */
}

static const adl_wait waiting = {forever, NULL};

static void send_message(adl_server *server, const adl_pack *message) {
  if (!adl_channel_send(server->serving->channel, true, message, waiting)) _exit(BROKEN);
}

static adl_unpack receive_message(adl_server *server) {
  if (!adl_channel_receive(server->serving->channel, true, &server->request, waiting)) _exit(BROKEN);
  return (adl_unpack){.data = server->request.data, .size = server->request.size};
}

/* ---- calls ---- */

static void unref_array(gpointer array) { adl_array_unref(array); }

static void init_served(adl_served *served, adl_server *server) {
  adl_context_init(&served->context, server->serving->graph, &server->host, 0);
  served->context.problems = server->problems;
  served->server = server;
  served->arrays = g_ptr_array_new_with_free_func(unref_array);
}

static void clear_served(adl_served *served) {
  adl_context_clear(&served->context);
  g_ptr_array_free(served->arrays, TRUE);
  adl_pack_clear(&served->answer);
}

static const adl_call *enter(adl_served *served, adl_request request) {
  served->answer.size = 0;
  adl_pack_int(&served->answer, ADL_ANSWER_DONE);
  served->picked = -1;
  return adl_context_enter(&served->context, served->server->serving->stage, adl_request_name(request));
}

static void answer(adl_served *served, adl_status status) {
  const adl_call *call = &served->context.call;
  if (adl_spill_failure() != NULL) status = call->host->fail(call, NULL, -1, NULL, "%s", adl_spill_failure());
  adl_pack_int(&served->answer, ADL_TOLD_END);
  adl_pack_int(&served->answer, status == ADL_OK && !served->context.failed ? ADL_OK : ADL_FAILED);
  send_message(served->server, &served->answer);
  adl_context_leave(&served->context);
  g_ptr_array_set_size(served->arrays, 0);
}

static void take_batch(adl_served *served, adl_unpack *u) {
  int64_t size = 0;
  served->batch = (adl_batch){.struct_size = sizeof served->batch, .rows = adl_unpack_int(u)};
  served->batch.ordinal = adl_unpack_int(u);
  int64_t slots = adl_unpack_count(u, 8);
  for (int64_t i = 0; i < slots; i++)
    g_ptr_array_add(served->arrays, adl_unpack_int(u) != 0 ? adl_unpack_array(u) : NULL);
  served->batch.slot_count = (uint32_t)slots;
  served->batch.slots = (const adl_column *const *)(void *)served->arrays->pdata;
  served->split = (adl_split)adl_unpack_int(u);
  served->splits = adl_unpack_bytes(u, &size);
  if (size < served->batch.rows) served->splits = NULL;
  served->batch.groups = adl_unpack_bytes(u, &size);
  served->batch.group_count = size / 4 - 1;
  if (size == 0) {
    served->batch.groups = NULL;
    served->batch.group_count = 0;
  }
  if (u->bad) _exit(BROKEN);
}

static void no_batch(adl_served *served) {
  served->batch = (adl_batch){.rows = -1};
  served->splits = NULL;
  served->split = ADL_TRAIN;
}

static void take_model(adl_server *server, adl_unpack *u) {
  if (adl_unpack_int(u) == 0) return;
  adl_tensors *tensors = adl_unpack_tensors(u);
  if (u->bad) _exit(BROKEN);
  adl_tensors_free(server->model.tensors);
  server->model.tensors = tensors;
}

static void tell_model(adl_served *served) {
  adl_pack_int(&served->answer, ADL_TOLD_MODEL);
  adl_pack_tensors(&served->answer, served->server->model.tensors);
}

/* ---- folds ---- */

static adl_tensors *partial(adl_server *server, int64_t number) {
  if ((server->fold->flags & ADL_FOLD_IN_ORDER) != 0) return server->total;
  adl_tensors *found = g_hash_table_lookup(server->partials, &number);
  if (found != NULL) return found;
  found = adl_tensors_like(server->total);
  g_hash_table_insert(server->partials, g_memdup2(&number, sizeof number), found);
  return found;
}

static void step(adl_server *server, adl_unpack *u) {
  adl_served *inner = &server->inner;
  int64_t number = adl_unpack_int(u);
  take_batch(inner, u);
  const adl_call *call = enter(inner, ADL_REQUEST_STEP);
  answer(inner, server->fold->step(call, server->serving->stage->self, server->fold->context, &inner->batch,
                                   partial(server, number)));
}

static void merge(adl_server *server, adl_unpack *u) {
  adl_served *inner = &server->inner;
  int64_t into = adl_unpack_int(u), from = adl_unpack_int(u);
  const char *why = NULL;
  adl_status status = ADL_OK;
  no_batch(inner);
  const adl_call *call = enter(inner, ADL_REQUEST_MERGE);
  if (server->fold->merge != NULL)
    status = server->fold->merge(call, server->serving->stage->self, server->fold->context, partial(server, into),
                                 partial(server, from));
  else if (!adl_tensors_add(partial(server, into), partial(server, from), &why))
    status = call->host->fail(call, NULL, -1, NULL, "partial results cannot be added: %s", why);
  g_hash_table_remove(server->partials, &from);
  answer(inner, status);
}

static adl_status folded(adl_server *server, adl_unpack *u) {
  adl_status status = adl_unpack_int(u) == ADL_OK ? ADL_OK : ADL_FAILED;
  int64_t number = adl_unpack_int(u);
  if (status == ADL_OK && (server->fold->flags & ADL_FOLD_IN_ORDER) == 0)
    adl_tensors_replace(server->total, partial(server, number)); /* of no rows: a new one, zeros */
  g_hash_table_remove_all(server->partials);
  server->fold = NULL;
  return status;
}

adl_status adl_served_fold(const adl_call *call, adl_rows *rows, const adl_fold *fold, adl_tensors *total) {
  (void)rows;
  adl_served *served = (adl_served *)call->core;
  adl_server *server = served->server;
  if (fold->step == NULL) return call->host->fail(call, NULL, -1, NULL, "a fold needs a step");
  if (server->fold != NULL) return call->host->fail(call, NULL, -1, NULL, "folded inside a fold");
  server->fold = fold;
  server->total = total;
  adl_pack message = {0};
  adl_pack_int(&message, ADL_ANSWER_FOLD);
  adl_pack_int(&message, fold->flags);
  adl_pack_int(&message, adl_tensors_bytes(total));
  send_message(server, &message);
  adl_pack_clear(&message);
  for (;;) {
    adl_unpack u = receive_message(server);
    switch (adl_unpack_int(&u)) {
      case ADL_REQUEST_STEP: step(server, &u); break;
      case ADL_REQUEST_MERGE: merge(server, &u); break;
      case ADL_REQUEST_FOLDED: return folded(server, &u);
      default: _exit(BROKEN);
    }
  }
}

/* ---- requests ---- */

static void take_columns(adl_unpack *u, const adl_stage *stage) {
  int64_t count = adl_unpack_count(u, 16);
  if (count != stage->schema.count) _exit(BROKEN);
  for (int32_t c = 0; c < stage->schema.count; c++) {
    adl_field *field = stage->schema.columns[c].field;
    int64_t size = 0;
    field->type.width = adl_unpack_int(u);
    int64_t names = adl_unpack_int(u);
    if (names < 0) continue;
    const void *offsets = adl_unpack_bytes(u, &size);
    g_free(field->name_offsets);
    field->name_offsets = g_memdup2(offsets, (gsize)size);
    const void *bytes = adl_unpack_bytes(u, &size);
    g_free(field->name_bytes);
    field->name_bytes = g_memdup2(bytes, (gsize)size);
    field->name_count = names;
    field->matrix = NULL;
  }
}

static void take_start(adl_server *server, adl_unpack *u) {
  adl_stage *stage = server->serving->stage;
  for (guint i = 0; i < stage->from->len; i++) take_columns(u, stage->from->pdata[i]);
  for (guint i = 0; i < stage->sides->len; i++) take_columns(u, stage->sides->pdata[i]);
  int64_t wanted = adl_unpack_count(u, 8);
  if (u->bad || wanted != stage->outputs_wanted->len) _exit(BROKEN);
  for (int64_t i = 0; i < wanted; i++) g_array_index(stage->outputs_wanted, bool, i) = adl_unpack_int(u) != 0;
  adl_stage_settle_widths(stage);
  server->builder_count = stage->outputs->len;
  server->builders = g_renew(adl_builder *, server->builders, server->builder_count + 1);
  for (guint i = 0; i < server->builder_count; i++) server->builders[i] = NULL;
}

static adl_status serve_rows(adl_server *server, adl_request request, adl_unpack *u) {
  adl_served *outer = &server->outer;
  const adl_stage *stage = server->serving->stage;
  const adl_class *class = server->class;
  bool wants_model = adl_unpack_int(u) != 0, wants_rows = adl_unpack_int(u) != 0;
  take_batch(outer, u);
  adl_out *out = wants_rows ? (adl_out *)(void *)server : NULL; /* plugins hand it on, and nothing else */
  const adl_call *call = &outer->context.call;
  adl_status status = request == ADL_REQUEST_LEARN
                          ? class->learn(call, stage->self, &server->model, &outer->batch, out)
                          : class->process(call, stage->self, &server->model, &outer->batch, out);
  bool ok = status == ADL_OK && !outer->context.failed;
  if (ok && class->form == ADL_SAME) adl_served_tell_columns(outer, outer->batch.rows);
  if (ok && class->form == ADL_PICKED && outer->picked >= 0) adl_served_tell_columns(outer, outer->picked);
  adl_served_drop_columns(server);
  if (ok && wants_model) tell_model(outer);
  return status;
}

static adl_status serve_model(adl_server *server, adl_request request, adl_unpack *u) {
  const adl_stage *stage = server->serving->stage;
  const adl_class *class = server->class;
  const adl_call *call = &server->outer.context.call;
  bool wants_model = adl_unpack_int(u) != 0;
  take_model(server, u);
  adl_status status = ADL_OK;
  if (request == ADL_REQUEST_INIT) {
    status = class->init(call, stage->self, &server->model);
  } else if (request == ADL_REQUEST_FIT) {
    status = class->fit(call, stage->self, (adl_rows *)(void *)server, &server->model);
  } else if (request == ADL_REQUEST_PREPARE) {
    if (server->model.prepared != NULL) class->release(stage->self, server->model.prepared);
    server->model.prepared = NULL;
    status = class->prepare(call, stage->self, &server->model, &server->model.prepared);
  } else {
    status = class->report(call, stage->self, &server->model, NULL);
  }
  if (wants_model && status == ADL_OK && !server->outer.context.failed) tell_model(&server->outer);
  return status;
}

static adl_status serve_one(adl_server *server, adl_request request, adl_unpack *u) {
  const adl_call *call = enter(&server->outer, request);
  const adl_stage *stage = server->serving->stage;
  no_batch(&server->outer);
  switch (request) {
    case ADL_REQUEST_START: take_start(server, u); return server->class->start(call, stage->self);
    case ADL_REQUEST_INIT:
    case ADL_REQUEST_FIT:
    case ADL_REQUEST_PREPARE:
    case ADL_REQUEST_REPORT: return serve_model(server, request, u);
    case ADL_REQUEST_PROCESS:
    case ADL_REQUEST_LEARN: return serve_rows(server, request, u);
    case ADL_REQUEST_FINISH: return server->class->finish(call, stage->self, &server->model, (adl_out *)(void *)server);
    default: _exit(BROKEN);
  }
}

const char *adl_request_name(adl_request request) {
  static const char *const names[] = {"",        "start",   "init",  "fit",    "fit (step)", "fit (merge)", "fit",
                                      "prepare", "process", "learn", "finish", "report",     "(end)"};
  return request >= ADL_REQUEST_START && request <= ADL_REQUEST_END ? names[request] : "(unknown)";
}

void adl_serve(const adl_serving *serving) {
  adl_server server = {.serving = serving, .class = serving->stage->class, .problems = adl_problems_new()};
  server.model = (adl_model){.struct_size = sizeof server.model, .tensors = adl_tensors_new()};
  server.partials = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)adl_tensors_free);
  adl_served_fill(&server.host);
  init_served(&server.outer, &server);
  init_served(&server.inner, &server);
  for (;;) {
    adl_unpack u = receive_message(&server);
    adl_request request = (adl_request)adl_unpack_int(&u);
    if (request == ADL_REQUEST_END) break;
    answer(&server.outer, serve_one(&server, request, &u));
  }
  if (server.model.prepared != NULL) server.class->release(serving->stage->self, server.model.prepared);
  clear_served(&server.outer);
  clear_served(&server.inner);
  adl_tensors_free(server.model.tensors);
  adl_pack_clear(&server.request);
  g_free(server.builders);
  g_hash_table_destroy(server.partials);
  adl_problems_free(server.problems);
}
