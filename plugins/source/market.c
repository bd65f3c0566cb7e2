/* market: the tables and logs of a simulated market. The world is common/market_world.c, the rows of its logs
 * common/market_log.c; this file makes columns of them. */
#include <adloom/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/market_log.h"
#include "common/siphash.h"

enum { MAX_COLUMNS = 11, BLOCK_ROWS = ADL_MARKET_BLOCK * 250 };

typedef struct market {
  adl_market_params world;
  int32_t table;
  int64_t rows;
  double dirty, duplicates;

  adl_market made;
  adl_market_log log;
  int32_t slots[MAX_COLUMNS];
} market;

static const adl_param params[] = {
    {.name = "table",
     .type = ADL_PARAM_CHOICE,
     .flags = ADL_REQUIRED,
     .offset = offsetof(market, table),
     .choices = "impressions|users|items|ads|browse|searches|purchases",
     .doc = "Which table or log of the world."},
    {.name = "rows",
     .type = ADL_PARAM_INT,
     .offset = offsetof(market, rows),
     .default_value = "1000000",
     .range = "[0, 1e9]",
     .unit = "rows",
     .doc = "How many impressions there are. The other logs are as long in proportion: browse has half as many rows, "
            "searches a tenth, purchases a twentieth. No matter for users, items and ads."},
    {.name = "dirty",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(market, dirty),
     .default_value = "0.002",
     .range = "[0, 0.5]",
     .doc = "Fraction of the rows of a log that are spoilt."},
    {.name = "duplicates",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(market, duplicates),
     .default_value = "0.002",
     .range = "[0, 0.5]",
     .doc = "Fraction of the other rows of a log that come twice."},
    ADL_MARKET_WORLD_PARAMS(market),
};

/* ------------------------------------------------------------------------------------------------- columns ---- */

typedef struct column {
  const char *name;
  uint8_t element;
  uint8_t bytes; /* most of a text */
} column;

static const column columns[ADL_MARKET_TABLES][MAX_COLUMNS] = {
    [ADL_MARKET_IMPRESSIONS] = {{"at", ADL_TIMESTAMP, 0},
                                {"user", ADL_STRING, 12},
                                {"ad", ADL_STRING, 12},
                                {"position", ADL_INT64, 0},
                                {"device", ADL_STRING, 8},
                                {"clicked", ADL_BOOL, 0},
                                {"purchased", ADL_BOOL, 0}},
    [ADL_MARKET_USER_TABLE] = {{"user", ADL_STRING, 12},
                               {"age", ADL_INT64, 0},
                               {"gender", ADL_STRING, 1},
                               {"city", ADL_STRING, 12},
                               {"device", ADL_STRING, 8},
                               {"registered", ADL_TIMESTAMP, 0}},
    [ADL_MARKET_ITEM_TABLE] = {{"item", ADL_STRING, 12},
                               {"title", ADL_STRING, ADL_MARKET_TEXT},
                               {"title_en", ADL_STRING, ADL_MARKET_TEXT},
                               {"category", ADL_STRING, 24},
                               {"price", ADL_FLOAT64, 0}},
    [ADL_MARKET_AD_TABLE] = {{"ad", ADL_STRING, 12},
                             {"campaign", ADL_STRING, 12},
                             {"item", ADL_STRING, 12},
                             {"title", ADL_STRING, ADL_MARKET_TEXT},
                             {"title_en", ADL_STRING, ADL_MARKET_TEXT},
                             {"category", ADL_STRING, 24},
                             {"budget", ADL_FLOAT64, 0},
                             {"bid", ADL_FLOAT64, 0},
                             {"target_gender", ADL_STRING, 1},
                             {"target_city", ADL_STRING, 12},
                             {"begins", ADL_TIMESTAMP, 0}},
    [ADL_MARKET_BROWSE] = {{"at", ADL_TIMESTAMP, 0},
                           {"user", ADL_STRING, 12},
                           {"item", ADL_STRING, 12},
                           {"seconds", ADL_INT64, 0}},
    [ADL_MARKET_SEARCHES] = {{"at", ADL_TIMESTAMP, 0},
                             {"user", ADL_STRING, 12},
                             {"query", ADL_STRING, ADL_MARKET_TEXT}},
    [ADL_MARKET_PURCHASES] = {{"at", ADL_TIMESTAMP, 0},
                              {"user", ADL_STRING, 12},
                              {"item", ADL_STRING, 12},
                              {"amount", ADL_FLOAT64, 0}},
};

static adl_status bind(const adl_call *call, void *instance) {
  market *self = instance;
  ADL_TRY(adl_market_check(call, &self->world));
  const column *all = columns[self->table];
  for (int c = 0; c < MAX_COLUMNS && all[c].name != NULL; c++) {
    adl_type type = {.element = all[c].element, .role = all[c].element == ADL_STRING ? ADL_CATEGORY : ADL_NUMBER};
    ADL_TRY(call->host->declare_named(call, NULL, all[c].name, type, &self->slots[c]));
  }
  return ADL_OK;
}

static adl_status start(const adl_call *call, void *instance) {
  market *self = instance;
  ADL_TRY(adl_market_open(call, &self->world, &self->made));
  if (self->table == ADL_MARKET_IMPRESSIONS && !adl_market_calibrate(&self->made))
    return call->host->fail(call, NULL, -1, NULL, "out of memory");
  self->log = adl_market_log_of(&self->made, (adl_market_table)self->table, self->rows, self->dirty, self->duplicates);
  return ADL_OK;
}

static void destroy(void *instance) { adl_market_close(&((market *)instance)->made); }

/* Columns of one batch in the making; each put_ fills in the next column of the row in hand. */
typedef struct writer {
  const adl_market *market;
  adl_buffers to[MAX_COLUMNS];
  bool wanted[MAX_COLUMNS];
  int column;
  int64_t row;
} writer;

static adl_status begin(const adl_call *call, const market *self, adl_out *out, int64_t rows, writer *w) {
  const column *all = columns[self->table];
  *w = (writer){.market = &self->made};
  for (int c = 0; c < MAX_COLUMNS && all[c].name != NULL; c++) {
    w->wanted[c] = call->host->wanted(call, self->slots[c]);
    if (w->wanted[c]) ADL_TRY(call->host->reserve(call, out, self->slots[c], rows, 0, rows * all[c].bytes, &w->to[c]));
  }
  return ADL_OK;
}

static void put_number(writer *w, int64_t value) {
  int c = w->column++;
  if (w->wanted[c]) ((int64_t *)w->to[c].data)[w->row] = value;
}

static void put_real(writer *w, double value) {
  int c = w->column++;
  if (w->wanted[c]) ((double *)w->to[c].data)[w->row] = value;
}

static void put_bool(writer *w, bool value) {
  int c = w->column++;
  if (w->wanted[c]) adl_bit_set(w->to[c].data, w->row, value);
}

static void put_bytes(writer *w, const char *text, size_t size) {
  int c = w->column++;
  if (!w->wanted[c]) return;
  int32_t *offsets = w->to[c].string_offsets + w->row;
  memcpy((char *)w->to[c].data + offsets[0], text, size);
  offsets[1] = offsets[0] + (int32_t)size;
}

static void put_text(writer *w, const char *text) { put_bytes(w, text, strlen(text)); }

static void put_null(writer *w, bool is_text) {
  int c = w->column++;
  if (!w->wanted[c]) return;
  if (is_text) w->to[c].string_offsets[w->row + 1] = w->to[c].string_offsets[w->row];
  adl_bit_set(w->to[c].validity, w->row, false);
}

/* "u0000042" */
static void put_id(writer *w, char letter, int digits, uint64_t number) {
  char text[12];
  int at = sizeof text, least = (int)sizeof text - digits;
  do {
    text[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0 || at > least);
  text[--at] = letter;
  put_bytes(w, text + at, sizeof text - (size_t)at);
}

static void put_user(writer *w, uint64_t number) { put_id(w, 'u', ADL_MARKET_USER_DIGITS, number); }
static void put_item(writer *w, uint64_t number) { put_id(w, 'i', ADL_MARKET_ITEM_DIGITS, number); }
static void put_ad(writer *w, uint64_t number) { put_id(w, 'a', ADL_MARKET_AD_DIGITS, number); }

/* ---------------------------------------------------------------------------------------------------- rows ---- */

static void write_user(writer *w, int64_t row) {
  const adl_market_user *user = &w->market->users[row];
  put_user(w, (uint64_t)row);
  if (user->age_known)
    put_number(w, user->age);
  else
    put_null(w, false);
  if (user->gender_known)
    put_text(w, user->female ? "f" : "m");
  else
    put_null(w, true);
  put_text(w, adl_market_cities[user->city]);
  put_text(w, adl_market_devices[user->device]);
  put_number(w, user->registered);
}

static void put_titles(writer *w, const adl_market_item *item, const adl_market_words *slogan) {
  char text[ADL_MARKET_TEXT];
  const adl_market_words *name = &w->market->catalogue->interests[item->interest].things[item->thing].name;
  const adl_market_words *modifier = &w->market->catalogue->modifiers[item->modifier];
  snprintf(text, sizeof text, "%s%s%s%s", modifier->zh, name->zh, slogan != NULL ? " " : "",
           slogan != NULL ? slogan->zh : "");
  put_text(w, text);
  snprintf(text, sizeof text, "%s %s%s%s", modifier->en, name->en, slogan != NULL ? ", " : "",
           slogan != NULL ? slogan->en : "");
  put_text(w, text);
  put_text(w, w->market->catalogue->interests[item->interest].category);
}

static void write_item(writer *w, int64_t row) {
  const adl_market_item *item = &w->market->items[row];
  put_item(w, (uint64_t)row);
  put_titles(w, item, NULL);
  put_real(w, adl_market_money(item->price));
}

static void write_ad(writer *w, int64_t row) {
  const adl_market_ad *ad = &w->market->ads[row];
  put_ad(w, (uint64_t)row);
  put_id(w, 'c', ADL_MARKET_AD_DIGITS, (uint64_t)row / ADL_MARKET_CAMPAIGN);
  put_item(w, ad->item);
  put_titles(w, &w->market->items[ad->item], &w->market->catalogue->slogans[ad->slogan]);
  put_real(w, adl_market_money(ad->budget));
  put_real(w, adl_market_money(ad->bid));
  if (ad->target_female == ADL_MARKET_NOBODY)
    put_null(w, true);
  else
    put_text(w, ad->target_female ? "f" : "m");
  if (ad->target_city == ADL_MARKET_NOBODY)
    put_null(w, true);
  else
    put_text(w, adl_market_cities[ad->target_city]);
  put_number(w, ad->begins);
}

static void put_at_and_user(writer *w, int64_t at, uint32_t user, adl_market_dirt dirt) {
  put_number(w, dirt == ADL_MARKET_WRONG_TIME ? 0 : at);
  if (dirt == ADL_MARKET_NULL_USER)
    put_null(w, true);
  else
    put_user(w, user);
}

static void write_impression(writer *w, const adl_market_impression *impression, adl_market_dirt dirt) {
  const adl_market_place *place = &impression->place;
  put_at_and_user(w, place->at, place->user, dirt);
  put_ad(w, dirt == ADL_MARKET_UNKNOWN ? (uint64_t)w->market->params.ads + place->ad : place->ad);
  put_number(w, dirt == ADL_MARKET_ZERO ? 0 : place->position);
  put_text(w, adl_market_devices[place->device]);
  put_bool(w, impression->clicked && dirt != ADL_MARKET_NOT_CLICKED);
  put_bool(w, impression->purchased || dirt == ADL_MARKET_NOT_CLICKED);
}

static void write_event(writer *w, adl_market_table table, const adl_market_event *event, adl_market_dirt dirt) {
  put_at_and_user(w, event->at, event->user, dirt);
  if (table == ADL_MARKET_SEARCHES) {
    put_text(w, dirt == ADL_MARKET_EMPTY ? "" : event->query);
    return;
  }
  put_item(w, dirt == ADL_MARKET_UNKNOWN ? (uint64_t)w->market->params.items + event->item : event->item);
  if (table == ADL_MARKET_BROWSE)
    put_number(w, dirt == ADL_MARKET_NEGATIVE ? -event->seconds : event->seconds);
  else
    put_real(w, dirt == ADL_MARKET_NEGATIVE ? -event->amount : event->amount);
}

/* The rows first .. first + count of the table; `first` begins a block of impressions. */
static void write_rows(const adl_call *call, const market *self, int64_t first, int64_t count, writer *w,
                       int64_t *positions) {
  const adl_market_log *log = &self->log;
  adl_market_impression shown[ADL_MARKET_BLOCK];
  adl_market_event event;
  for (int64_t row = first; row < first + count; row++) {
    adl_market_dirt dirt = adl_market_dirt_of(log, row);
    int at = (int)(row % ADL_MARKET_BLOCK);
    if (log->table == ADL_MARKET_IMPRESSIONS && at == 0) adl_market_show(log, row / ADL_MARKET_BLOCK, shown);
    if (dirt == ADL_MARKET_TORN) {
      call->host->reject_record(call, row + 1, columns[log->table][1].name, "the record is torn off behind the time");
      continue;
    }
    if (log->table == ADL_MARKET_IMPRESSIONS)
      adl_market_answer(log, row, &shown[at]);
    else if (adl_market_dirt_kinds(log->table) > 0)
      adl_market_event_at(log, row, &event);
    for (int copy = adl_market_repeated(log, row) ? 2 : 1; copy > 0; copy--) {
      w->column = 0;
      if (log->table == ADL_MARKET_IMPRESSIONS)
        write_impression(w, &shown[at], dirt);
      else if (log->table == ADL_MARKET_USER_TABLE)
        write_user(w, row);
      else if (log->table == ADL_MARKET_ITEM_TABLE)
        write_item(w, row);
      else if (log->table == ADL_MARKET_AD_TABLE)
        write_ad(w, row);
      else
        write_event(w, log->table, &event, dirt);
      positions[w->row++] = row + 1;
    }
  }
}

/* ------------------------------------------------------------------------------------------------- reading ---- */

/* A block says which rows to make; making them is decode's, on any thread. */
typedef struct stretch {
  int64_t count;
} stretch;

static adl_status open_log(const adl_call *call, void *self, int32_t shard, void **cursor) {
  (void)shard;
  int64_t *next_row = calloc(1, sizeof *next_row);
  if (next_row == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  call->host->shard_name(call, adl_market_table_name(((market *)self)->log.table));
  *cursor = next_row;
  return ADL_OK;
}

static void close_log(const adl_call *call, void *self, void *cursor) {
  (void)call, (void)self;
  free(cursor);
}

static adl_status next(const adl_call *call, void *instance, void *cursor, adl_out *out) {
  const market *self = instance;
  int64_t *first = cursor, left = self->log.rows - *first;
  if (left == 0) return ADL_END;
  stretch now = {left < BLOCK_ROWS ? left : BLOCK_ROWS};
  memcpy(call->host->block(call, out, sizeof now), &now, sizeof now);
  ADL_TRY(call->host->block_commit(call, out, sizeof now, *first));
  *first += now.count;
  return ADL_OK;
}

static adl_status decode(const adl_call *call, const void *instance, const void *block, int64_t size, int64_t first,
                         adl_out *out) {
  (void)size;
  const market *self = instance;
  stretch now;
  memcpy(&now, block, sizeof now);
  int64_t rows = now.count;
  for (int64_t i = 0; self->log.duplicates > 0 && i < now.count; i++)
    rows += adl_market_repeated(&self->log, first + i);
  writer w;
  ADL_TRY(begin(call, self, out, rows, &w));
  write_rows(call, self, first, now.count, &w, call->host->positions(call, out, rows));
  return call->host->commit(call, out, w.row);
}

/* Nothing but the parameters decides what comes; the core hashes them as well, but knows nothing of the version. */
static adl_status fingerprint(const adl_call *call, void *instance, uint8_t digest[32]) {
  (void)call;
  const market *self = instance;
  const uint64_t key[2] = {ADL_MARKET_VERSION, (uint64_t)self->table};
  const double fractions[2] = {self->dirty, self->duplicates};
  const int64_t numbers[] = {self->world.world, self->world.users, self->world.items,    self->world.ads,
                             self->world.days,  self->rows,        self->world.catalogue};
  uint8_t text[sizeof fractions + sizeof numbers];
  memcpy(text, fractions, sizeof fractions);
  memcpy(text + sizeof fractions, numbers, sizeof numbers);
  adl_siphash(text, sizeof text, key, digest);
  adl_siphash(self->world.start, strlen(self->world.start), key, digest + 16);
  return ADL_OK;
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *to) {
  (void)model;
  const market *self = instance;
  const adl_host *host = call->host;
  const adl_market_log *log = &self->log;
  host->report_number(call, to, "", "records", (double)(log->rows + log->duplicates), NAN, NAN);
  if (adl_market_dirt_kinds(log->table) == 0) return ADL_OK;
  host->report_number(call, to, "", "duplicates", (double)log->duplicates, NAN, NAN);
  host->report_number(call, to, "", "dirty", (double)log->dirty, NAN, NAN);
  for (int kind = 0; kind < adl_market_dirt_kinds(log->table); kind++)
    host->report_number(call, to, "", adl_market_dirt_name(log->table, kind), (double)adl_market_dirt_count(log, kind),
                        NAN, NAN);
  return ADL_OK;
}

static const char doc[] =
    "Makes the tables and logs of an imaginary market: users with hidden interests, items, ads, and who was shown "
    "what, clicked, browsed, searched and bought. For trying things out, and for tests in which the truth is known: "
    "market-truth, with the same world, says how likely each click was.\n\n"
    "A world is a function of world, users, items, ads, days, catalogue and start, and of nothing else, the run's "
    "seed included: the same parameters give the same bytes on any number of threads. The stages of one world must "
    "have the same ones; an anchor and a merge key say them once. docs/market.md has the model and its formulas.\n\n"
    "impressions: at, user, ad, position (from 1), device, clicked, purchased; in the order of time, several "
    "positions of one request at the same moment. users: user, age, gender, city, device, registered; some ages and "
    "genders are null. items: item, title (Chinese), title_en, category, price. ads: ad, campaign, item, title, "
    "title_en, category, budget (of the campaign), bid, target_gender, target_city (null: everybody), begins. browse: "
    "at, user, item, seconds. searches: at, user, query (Chinese). purchases: at, user, item, amount; those that came "
    "of a click on an ad are not among them. About 2 % of the impressions are clicked.\n\n"
    "Of the logs some rows are spoilt, each in one way, the ways in turn: the user is null; the ad or item is in no "
    "table; the position is 0; seconds or amount are negative; the query is empty; the time is 1970-01-01; there is a "
    "purchase without a click; or the record is torn, and rejected here. All but the torn ones leave as rows, for the "
    "pipeline to find. Rows that are not spoilt may come twice, one behind the other. How many there are of each kind "
    "is exact, and told in the report; it is about the whole log, however much of it was read.";

static const adl_class market_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SOURCE,
    .id = "market",
    .title = "A simulated ad market",
    .doc = doc,
    .form = ADL_NEW,
    .instance_size = sizeof(market),
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .start = start,
    .open = open_log,
    .next = next,
    .decode = decode,
    .close = close_log,
    .fingerprint = fingerprint,
    .report = report,
};

ADL_PLUGIN_OF("market", "1.0.0", "source:market", &market_class);
