/*
 * acme.sessions, a feature extractor with a memory: the visit that each event of a log belongs to.
 * A visit ends when its user was idle for some time. Rows come in the order of time; what is known of each user is a
 * scratch state of the run, which only a class with ADL_ORDERED may change in process.
 */
#include <adloom/plugin.h>

typedef struct sessions_stage {
  adl_input user, at;
  int64_t idle; /* microseconds */
  adl_output session, position, elapsed, pause;
} sessions_stage;

static const adl_param params[] = {
    {.name = "user", .type = ADL_PARAM_COLUMN, .flags = ADL_REQUIRED, .offset = offsetof(sessions_stage, user),
     .elements = ADL_MASK(ADL_STRING), .doc = "Who acts."},
    {.name = "at", .type = ADL_PARAM_COLUMN, .flags = ADL_REQUIRED, .offset = offsetof(sessions_stage, at),
     .elements = ADL_MASK(ADL_TIMESTAMP), .doc = "When. The events of a user stand in the order of time."},
    {.name = "idle", .type = ADL_PARAM_DURATION, .offset = offsetof(sessions_stage, idle), .default_value = "30m",
     .range = "[1s, 365d]", .doc = "A visit ends when nothing happens for longer."},
    {.name = "session", .type = ADL_PARAM_NEW_COLUMN, .flags = ADL_PLAIN_NAME,
     .offset = offsetof(sessions_stage, session), .default_value = "session",
     .doc = "New column: number of the visit among those of its user, from 1 (int64)."},
    {.name = "position", .type = ADL_PARAM_NEW_COLUMN, .flags = ADL_PLAIN_NAME,
     .offset = offsetof(sessions_stage, position), .default_value = "position",
     .doc = "New column: number of the event in its visit, from 1 (int64)."},
    {.name = "elapsed", .type = ADL_PARAM_NEW_COLUMN, .offset = offsetof(sessions_stage, elapsed),
     .doc = "New column: seconds since the visit began (float64)."},
    {.name = "pause", .type = ADL_PARAM_NEW_COLUMN, .offset = offsetof(sessions_stage, pause),
     .doc = "New column: seconds since the user's event before, in whichever visit; null for the first (float64)."}};

/* Columns without ADL_PLAIN_NAME that nobody named keep the slot -1. */
static adl_status bind(const adl_call *call, void *self) {
  sessions_stage *own = self;
  const adl_type whole = {.element = ADL_INT64}, seconds = {.element = ADL_FLOAT64};
  ADL_TRY(call->host->declare(call, &own->session, whole));
  ADL_TRY(call->host->declare(call, &own->position, whole));
  ADL_TRY(call->host->declare(call, &own->elapsed, seconds));
  return call->host->declare(call, &own->pause, seconds);
}

/* A row of the table of users. Times are microseconds, which a float64 holds exactly until the year 2255. */
enum { SESSION, POSITION, BEGIN, LAST, WIDTH };

typedef struct columns {
  adl_buffers session, position, elapsed, pause;
} columns;

static adl_status reserve(const adl_call *call, const sessions_stage *own, adl_out *out, int64_t rows, columns *to) {
  ADL_TRY(call->host->reserve(call, out, own->session.slot, rows, 0, 0, &to->session));
  ADL_TRY(call->host->reserve(call, out, own->position.slot, rows, 0, 0, &to->position));
  if (own->elapsed.slot >= 0) ADL_TRY(call->host->reserve(call, out, own->elapsed.slot, rows, 0, 0, &to->elapsed));
  if (own->pause.slot >= 0) ADL_TRY(call->host->reserve(call, out, own->pause.slot, rows, 0, 0, &to->pause));
  return ADL_OK;
}

static void write_row(const columns *to, int64_t row, const double *user, double pause, bool first) {
  ((int64_t *)to->session.data)[row] = (int64_t)user[SESSION];
  ((int64_t *)to->position.data)[row] = (int64_t)user[POSITION];
  if (to->elapsed.data != NULL) ((double *)to->elapsed.data)[row] = (user[LAST] - user[BEGIN]) / 1e6;
  if (to->pause.data == NULL) return;
  ((double *)to->pause.data)[row] = pause / 1e6;
  if (first) adl_bit_set(to->pause.validity, row, false);
}

/* One call at a time, in row order (ADL_ORDERED). */
static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const sessions_stage *own = self;
  const adl_column *who = batch->slots[own->user.slot], *when = batch->slots[own->at.slot];
  adl_table *users = call->host->table(call, model->tensors, "users", WIDTH);
  columns to = {0};
  ADL_TRY(reserve(call, own, out, batch->rows, &to));
  for (int64_t row = 0; row < batch->rows; row++) {
    adl_text key = adl_text_at(who, row);
    double *user = call->host->table_row(users, call->host->table_insert(users, key.data, key.size));
    double now = adl_number_at(when, row), pause = user[SESSION] > 0 ? now - user[LAST] : 0;
    bool first = user[SESSION] == 0;
    if (pause < 0) { /* it leaves the stream; what stands in its place must only be harmless */
      call->host->reject(call, row, "at", "is earlier than the event before of the same user: sort the log by time");
      write_row(&to, row, user, 0, true);
      continue;
    }
    if (first || pause > (double)own->idle) {
      user[SESSION] += 1;
      user[POSITION] = 0;
      user[BEGIN] = now;
    }
    user[POSITION] += 1;
    user[LAST] = now;
    write_row(&to, row, user, pause, first);
  }
  return ADL_OK;
}

static const adl_class sessions_class = {
    .struct_size = sizeof(adl_class), .kind = ADL_FEATURE, .id = "acme.sessions", .title = "Visits, by idle time",
    .doc = "Counts the visits of each user, and the events of each visit.\n\n"
           "The log is in the order of time; an event that is earlier than the one before of its user is refused, as are "
           "rows without user or time. Every run begins without knowing anybody, and keeps about 100 bytes for each user.",
    .flags = ADL_ORDERED, .instance_size = sizeof(sessions_stage), ADL_PARAMS(params),
    .bind = bind, .process = process};
ADL_PLUGIN_BY("acme.sessions", "1.0.0", "MIT", "Acme <plugins@acme.example>", "https://acme.example/sessions",
              "feature:acme.sessions", &sessions_class);
