#include "core/stand/replay.h"

#include <errno.h>
#include <string.h>

#include "core/engine/record.h"
#include "core/stand/replay_compare.h"
#include "core/stand/rows.h"
#include "core/stand/stand.h"

enum { LIMIT_SECONDS = 60 }; /* without an answer */

typedef struct replay {
  adl_record_file *file;
  adl_stand *stand;
  GPtrArray *inputs; /* of adl_stand_rows * */
  adl_stage *stage;
  adl_serving serving;
  adl_keeper keeper;
  GString *said;
  /* where it stands */
  int64_t requests, batches[ADL_REQUEST_END + 1];
  adl_request request;
  bool differs;
} replay;

static const adl_record_head *head_of(const replay *r) { return &r->file->head; }

/* ---- the stage, as it was bound ---- */

/* No rows: only names and types count. */
static void add_input(replay *r, const adl_record_input *input, const char *stage, GString *yaml) {
  char *table = g_strdup_printf("replay-%u", r->inputs->len);
  adl_stand_rows *rows = adl_stand_rows_new(table);
  for (int64_t c = 0; c < input->count; c++) {
    adl_type type = input->columns[c].type;
    adl_stand_rows_column(rows, input->columns[c].name, adl_array_nulls(type, 0));
  }
  adl_stand_rows_yaml(rows, stage, yaml);
  g_ptr_array_add(r->inputs, rows);
  g_free(table);
}

static bool told_before(const adl_record_head *head, int64_t side) {
  for (int64_t i = head->main_count; i < side; i++)
    if (strcmp(head->inputs[i].name, head->inputs[side].name) == 0) return true;
  return false;
}

/* The parameters are JSON, which YAML reads: their members follow `use`. What looks like a variable there is none. */
static char *pipeline_text(replay *r, const char *record) {
  const adl_record_head *head = head_of(r);
  GString *yaml = g_string_new(NULL);
  g_string_append_printf(yaml, "adloom: 1\nname: replay\nseed: %" G_GINT64_FORMAT "\nstages:\n", (int64_t)head->seed);
  char *input = g_strdup_printf("%s_input", head->stage);
  if (head->main_count > 0) add_input(r, &head->inputs[0], input, yaml);
  for (int64_t i = head->main_count; i < head->input_count; i++)
    if (!told_before(head, i)) add_input(r, &head->inputs[i], head->inputs[i].name, yaml);
  g_string_append_printf(yaml, "  %s: {\"use\": \"%s\"", head->stage, head->class);
  if (head->main_count > 0) g_string_append_printf(yaml, ", \"from\": \"%s\"", input);
  if (head->learn == ADL_LEARN_ONLINE) g_string_append(yaml, ", \"learn\": \"online\"");
  /* The model comes with the requests; a file is named because there has to be one. */
  if (head->learn == ADL_LEARN_FROZEN)
    g_string_append_printf(yaml, ", \"learn\": \"frozen\", \"model\": \"%s\"", record);
  GString *members = g_string_new(head->parameters);
  g_string_replace(members, "${", "$${", 0);
  g_string_erase(members, 0, MIN(1, (gssize)members->len));
  g_string_append_printf(yaml, "%s%s\n", members->str[0] == '}' ? "" : ", ", members->str);
  g_string_free(members, TRUE);
  g_free(input);
  return g_string_free(yaml, FALSE);
}

static bool bind_stage(replay *r, const char *plugin, const char *record) {
  const adl_record_head *head = head_of(r);
  char *path = g_canonicalize_filename(plugin, NULL), *absolute = g_canonicalize_filename(record, NULL);
  const char *plugins[] = {path, NULL};
  char *text = pipeline_text(r, absolute);
  r->stand->plugins = plugins;
  bool ok = adl_stand_load(r->stand, text);
  r->stand->plugins = NULL;
  r->stage = ok ? adl_graph_find(r->stand->graph, head->stage) : NULL;
  if (!ok) {
    g_string_append_printf(r->said, "the stage `%s` of the record (%s) cannot be set up with %s:\n%s", head->stage,
                           head->class, path, r->stand->errors->str);
  } else if (strcmp(r->stage->loaded->path, path) != 0) {
    g_string_append_printf(r->said, "%s offers no class %s, of which the record is\n", path, head->class);
    ok = false;
  } else if (r->stage->class->state_version != head->state_version) {
    g_string_append_printf(
        r->said, "the record holds models of state version %" G_GINT64_FORMAT "; %s %s reads version %u\n",
        head->state_version, head->class, r->stage->loaded->plugin.version, r->stage->class->state_version);
    ok = false;
  }
  g_free(text);
  g_free(path);
  g_free(absolute);
  return ok;
}

/* ---- feeding ---- */

typedef struct patience {
  replay *replay;
  int64_t until;
} patience;

static bool wait_on(void *data) {
  patience *p = data;
  char *how = NULL;
  if (adl_keeper_dead(&p->replay->keeper, &how)) {
    g_free(how);
    return false;
  }
  if (adl_clock_ns() < p->until) return true;
  adl_keeper_kill_worker(&p->replay->keeper);
  return false;
}

static void name_place(const replay *r, GString *out) {
  g_string_append_printf(out, "request %" G_GINT64_FORMAT ", %s", r->requests, adl_request_name(r->request));
  if (r->batches[r->request] > 0) g_string_append_printf(out, ", batch %" G_GINT64_FORMAT, r->batches[r->request]);
}

/* Which request it is, and which of its kind where it carries rows. */
static void count_request(replay *r, const adl_entry *entry) {
  adl_unpack u = {.data = entry->data, .size = entry->size};
  int64_t kind = adl_unpack_int(&u);
  r->request = (adl_request)CLAMP(kind, ADL_REQUEST_START, ADL_REQUEST_END);
  r->requests++;
  if (r->request == ADL_REQUEST_PROCESS || r->request == ADL_REQUEST_LEARN || r->request == ADL_REQUEST_STEP)
    r->batches[r->request]++;
}

/* The worker did not answer: says how it ended. `again`: the recorded one ended here, too. */
static void tell_death(replay *r, bool timed_out, const char *recorded) {
  char *how = NULL;
  name_place(r, r->said);
  if (timed_out)
    how = g_strdup_printf("did not answer for %d s", LIMIT_SECONDS);
  else if (!adl_keeper_dead(&r->keeper, &how))
    how = g_strdup("broke off its answer");
  g_string_append_printf(r->said, ": the plugin %s\n", how);
  if (recorded != NULL) g_string_append_printf(r->said, "as in the record: %s\n", recorded);
  g_free(how);
  r->differs = true;
}

/* False: the replay is over. */
static bool take_answer(replay *r, const adl_entry *entry) {
  adl_unpack u = {.data = entry->data, .size = entry->size};
  const char *death = entry->kind == ADL_ENTRY_DEATH ? adl_unpack_text(&u) : NULL;
  adl_pack now = {0}, recorded = {.data = (uint8_t *)(uintptr_t)entry->data, .size = entry->size};
  patience p = {r, adl_clock_ns() + LIMIT_SECONDS * INT64_C(1000000000)};
  if (!adl_channel_receive(r->keeper.channel, false, &now, (adl_wait){wait_on, &p})) {
    tell_death(r, adl_clock_ns() >= p.until, death);
    adl_pack_clear(&now);
    return death != NULL && adl_keeper_again(&r->keeper);
  }
  bool go_on = true;
  if (death != NULL) {
    name_place(r, r->said);
    g_string_append_printf(r->said, ": this plugin answered, where in the record %s\n", death);
    go_on = !adl_replay_is_fold(&now);
  } else {
    GString *difference = g_string_new(NULL);
    if (!adl_replay_compare(r->stage, &recorded, &now, difference)) {
      name_place(r, r->said);
      g_string_append_printf(r->said, ": %s\n", difference->str);
      r->differs = true;
      go_on = false;
    }
    g_string_free(difference, TRUE);
  }
  adl_pack_clear(&now);
  return go_on;
}

static bool send_request(replay *r, const adl_entry *entry) {
  adl_pack message = {.data = (uint8_t *)(uintptr_t)entry->data, .size = entry->size};
  patience p = {r, adl_clock_ns() + LIMIT_SECONDS * INT64_C(1000000000)};
  count_request(r, entry);
  if (adl_channel_send(r->keeper.channel, false, &message, (adl_wait){wait_on, &p})) return true;
  tell_death(r, false, NULL);
  return false;
}

static void feed(replay *r) {
  for (guint i = 0; i < r->file->entries->len; i++) {
    const adl_entry *entry = &g_array_index(r->file->entries, adl_entry, i);
    if (entry->kind == ADL_ENTRY_REQUEST ? !send_request(r, entry) : !take_answer(r, entry)) return;
  }
}

static adl_replay_outcome run_replay(replay *r) {
  const adl_record_head *head = head_of(r);
  const adl_loaded *loaded = r->stage->loaded;
  g_string_append_printf(r->said, "record of `%s`: %s %s, build %.16s\nfed to %s: %s %s, build %.16s%s\n", head->stage,
                         head->class, head->version, head->build, loaded->path, r->stage->class->id,
                         loaded->plugin.version, loaded->build,
                         strcmp(head->build, loaded->build) == 0 ? " (the same)" : "");
  r->serving = (adl_serving){.graph = r->stand->graph,
                             .stage = r->stage,
                             .started_us = head->started_us,
                             .online = head->online != 0,
                             .channel = adl_channel_new()};
  r->keeper.channel = r->serving.channel;
  if (r->serving.channel == NULL || !adl_keeper_start(&r->keeper, &r->serving)) {
    g_string_append_printf(r->said, "no process can be started: %s\n", g_strerror(errno));
    return ADL_REPLAY_REFUSED;
  }
  feed(r);
  adl_keeper_stop(&r->keeper, true);
  if (r->differs) return ADL_REPLAY_DIFFERS;
  int64_t rows = r->batches[ADL_REQUEST_PROCESS] + r->batches[ADL_REQUEST_LEARN] + r->batches[ADL_REQUEST_STEP];
  g_string_append_printf(r->said,
                         "%" G_GINT64_FORMAT " requests, %" G_GINT64_FORMAT
                         " with rows: every answer is the recorded one, bit for bit\n",
                         r->requests, rows);
  return ADL_REPLAY_SAME;
}

adl_replay_outcome adl_replay(const char *plugin, const char *record, GString *said) {
  char *why = NULL;
  replay r = {.file = adl_record_read(record, &why), .said = said};
  if (r.file == NULL) {
    g_string_append_printf(said, "%s\n", why);
    g_free(why);
    return ADL_REPLAY_REFUSED;
  }
  r.stand = adl_stand_new();
  r.inputs = g_ptr_array_new_with_free_func((GDestroyNotify)adl_stand_rows_free);
  adl_replay_outcome outcome = bind_stage(&r, plugin, record) ? run_replay(&r) : ADL_REPLAY_REFUSED;
  adl_channel_free(r.keeper.channel);
  adl_stand_free(r.stand);
  g_ptr_array_free(r.inputs, TRUE);
  adl_record_file_free(r.file);
  return outcome;
}
