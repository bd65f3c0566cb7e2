/* Draws the rows of the logs. */
#include "common/market_log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Streams of a log. Counters: number of the row (or block) x STEPS, and from there on. */
enum { USE_TIME, USE_USER, USE_DEVICE, USE_PAGES, USE_AD, USE_CLICK, USE_EVENT, USE_DIRT, USE_DUPLICATE };
enum { STEPS = 64 };

static uint64_t random_at(const adl_market_log *log, uint64_t use, int64_t row, uint64_t step) {
  return adl_random(log->key + use * UINT64_C(0xd1342543de82ef95), (uint64_t)row * STEPS + step);
}
static double unit_at(const adl_market_log *log, uint64_t use, int64_t row, uint64_t step) {
  return (double)(random_at(log, use, row, step) >> 11) * 0x1p-53;
}

/* ---------------------------------------------------------------------------------- spoilt and repeated rows ---- */

static const struct {
  int count;
  adl_market_dirt kinds[ADL_MARKET_KINDS];
  const char *names[ADL_MARKET_KINDS];
} dirt[ADL_MARKET_TABLES] = {
    [ADL_MARKET_IMPRESSIONS] = {6,
                                {ADL_MARKET_NULL_USER, ADL_MARKET_UNKNOWN, ADL_MARKET_ZERO, ADL_MARKET_WRONG_TIME,
                                 ADL_MARKET_NOT_CLICKED, ADL_MARKET_TORN},
                                {"null user", "unknown ad", "position 0", "time 1970", "purchase without click",
                                 "torn"}},
    [ADL_MARKET_BROWSE] = {5,
                           {ADL_MARKET_NULL_USER, ADL_MARKET_UNKNOWN, ADL_MARKET_NEGATIVE, ADL_MARKET_WRONG_TIME,
                            ADL_MARKET_TORN},
                           {"null user", "unknown item", "negative seconds", "time 1970", "torn"}},
    [ADL_MARKET_SEARCHES] = {4,
                             {ADL_MARKET_NULL_USER, ADL_MARKET_EMPTY, ADL_MARKET_WRONG_TIME, ADL_MARKET_TORN},
                             {"null user", "empty query", "time 1970", "torn"}},
    [ADL_MARKET_PURCHASES] = {5,
                              {ADL_MARKET_NULL_USER, ADL_MARKET_UNKNOWN, ADL_MARKET_NEGATIVE, ADL_MARKET_WRONG_TIME,
                               ADL_MARKET_TORN},
                              {"null user", "unknown item", "negative amount", "time 1970", "torn"}},
};

adl_market_log adl_market_log_of(const adl_market *market, adl_market_table table, int64_t rows, double spoilt,
                                 double duplicates) {
  adl_market_log log = {.market = market, .table = table};
  const int64_t counts[ADL_MARKET_TABLES] = {
      [ADL_MARKET_IMPRESSIONS] = rows,
      [ADL_MARKET_USER_TABLE] = market->params.users,
      [ADL_MARKET_ITEM_TABLE] = market->params.items,
      [ADL_MARKET_AD_TABLE] = market->params.ads,
      [ADL_MARKET_BROWSE] = rows / 2,
      [ADL_MARKET_SEARCHES] = rows / 10,
      [ADL_MARKET_PURCHASES] = rows / 20,
  };
  log.rows = counts[table];
  log.key = adl_market_key(market->seed, ADL_MARKET_LOGS + table);
  if (dirt[table].count == 0) return log;
  log.dirty = llround(spoilt * (double)log.rows);
  log.duplicates = llround(duplicates * (double)(log.rows - log.dirty));
  return log;
}

/* Of `all` rows in `chosen` strata, as equal as can be, one of each is chosen. Gives the stratum of a row, and in *mark the
 * chosen row of it. Products fit: no log has more than 10^9 rows. */
static int64_t stratum_of(const adl_market_log *log, uint64_t use, int64_t all, int64_t chosen, int64_t row,
                          int64_t *mark) {
  int64_t stratum = ((row + 1) * chosen - 1) / all;
  int64_t begin = stratum * all / chosen, end = (stratum + 1) * all / chosen;
  *mark = begin + (int64_t)(unit_at(log, use, stratum, 0) * (double)(end - begin));
  return stratum;
}

adl_market_dirt adl_market_dirt_of(const adl_market_log *log, int64_t row) {
  if (log->dirty == 0) return ADL_MARKET_CLEAN;
  int64_t mark, stratum = stratum_of(log, USE_DIRT, log->rows, log->dirty, row, &mark);
  return mark == row ? dirt[log->table].kinds[stratum % dirt[log->table].count] : ADL_MARKET_CLEAN;
}

/* Strata of the clean rows, so that no spoilt row comes twice. */
bool adl_market_repeated(const adl_market_log *log, int64_t row) {
  if (log->duplicates == 0 || adl_market_dirt_of(log, row) != ADL_MARKET_CLEAN) return false;
  int64_t clean = row, mark;
  if (log->dirty > 0) {
    int64_t before = stratum_of(log, USE_DIRT, log->rows, log->dirty, row, &mark);
    clean -= before + (mark < row);
  }
  stratum_of(log, USE_DUPLICATE, log->rows - log->dirty, log->duplicates, clean, &mark);
  return mark == clean;
}

const char *adl_market_table_name(adl_market_table table) {
  static const char *const names[ADL_MARKET_TABLES] = {"impressions", "users",    "items",    "ads",
                                                       "browse",      "searches", "purchases"};
  return names[table];
}

int adl_market_dirt_kinds(adl_market_table table) { return dirt[table].count; }
const char *adl_market_dirt_name(adl_market_table table, int kind) { return dirt[table].names[kind]; }

int64_t adl_market_dirt_count(const adl_market_log *log, int kind) {
  int64_t kinds = dirt[log->table].count;
  return log->dirty / kinds + (kind < log->dirty % kinds); /* they take turns */
}

/* ---------------------------------------------------------------------------------------------- impressions ---- */

static int64_t time_of(const adl_market_log *log, int64_t row) {
  double share = ((double)row + unit_at(log, USE_TIME, row, 0)) / (double)log->rows;
  return adl_market_time(log->market,
                         share < 0x1.fffffep-1 ? share : 0x1.fffffep-1); /* a block may pass the last row */
}

/* Somebody who is registered by then, by activity. User 0 always is. */
static uint32_t user_of(const adl_market_log *log, int64_t row, int64_t at) {
  const adl_market *market = log->market;
  for (uint64_t try = 0; try < 8; try++) {
    uint32_t user = adl_market_draw(&market->activity, random_at(log, USE_USER, row, try));
    if (market->users[user].registered <= at) return user;
  }
  uint64_t from = random_at(log, USE_USER, row, 8) % (uint64_t)market->params.users;
  while (market->users[from].registered > at) from = (from + 1) % (uint64_t)market->params.users;
  return (uint32_t)from;
}

static uint8_t device_of(const adl_market_log *log, int64_t row, uint32_t user) {
  double unit = unit_at(log, USE_DEVICE, row, 0);
  if (unit < 0.85) return log->market->users[user].device;
  return (uint8_t)((unit - 0.85) / 0.15 * ADL_MARKET_DEVICES);
}

/* May the ad be shown in this request, of which shown[0 .. count) is there already? */
static bool eligible(const adl_market *market, uint32_t number, const adl_market_impression *shown, int count) {
  const adl_market_ad *ad = &market->ads[number];
  const adl_market_user *user = &market->users[shown[count].place.user];
  if (!adl_market_alive(ad, shown[count].place.at)) return false;
  if (ad->target_female != ADL_MARKET_NOBODY && (!user->gender_known || user->female != ad->target_female))
    return false;
  if (ad->target_city != ADL_MARKET_NOBODY && user->city != ad->target_city) return false;
  for (int i = 0; i < count; i++)
    if (shown[i].place.ad == number) return false;
  return true;
}

/* The logging policy: by weight, three times in ten among the ads of one of the user's interests; an ad that may not be
 * shown is drawn again. */
static uint32_t ad_of(const adl_market_log *log, int64_t row, const adl_market_impression *shown, int count) {
  enum { TRIES = 20 };
  const adl_market *market = log->market;
  const adl_market_user *user = &market->users[shown[count].place.user];
  for (uint64_t try = 0; try < TRIES; try++) {
    uint64_t random = random_at(log, USE_AD, row, 2 * try);
    double unit = unit_at(log, USE_AD, row, 2 * try + 1);
    uint32_t ad;
    if (unit < 0.3) {
      uint8_t interest = adl_market_interest_of(user, unit / 0.3);
      ad = market->ads_of[market->first_ad[interest] + adl_market_draw(&market->context[interest], random)];
    } else {
      ad = adl_market_draw(&market->show, random);
    }
    if (eligible(market, ad, shown, count)) return ad;
  }
  uint64_t from = random_at(log, USE_AD, row, 2 * TRIES) % (uint64_t)market->params.ads;
  while (!eligible(market, (uint32_t)from, shown, count)) from = (from + 1) % (uint64_t)market->params.ads;
  return (uint32_t)from;
}

void adl_market_show(const adl_market_log *log, int64_t block, adl_market_impression shown[ADL_MARKET_BLOCK]) {
  int64_t row = block * ADL_MARKET_BLOCK;
  for (int first = 0, size; first < ADL_MARKET_BLOCK; first += size) {
    size = 1 + (int)(unit_at(log, USE_PAGES, row + first, 0) * ADL_MARKET_POSITIONS);
    if (size > ADL_MARKET_BLOCK - first) size = ADL_MARKET_BLOCK - first;
    int64_t at = time_of(log, row + first);
    uint32_t user = user_of(log, row + first, at);
    uint8_t device = device_of(log, row + first, user);
    for (int i = 0; i < size; i++) {
      shown[first + i] =
          (adl_market_impression){.place = {.at = at, .user = user, .position = (uint8_t)(i + 1), .device = device}};
      shown[first + i].place.ad = ad_of(log, row + first + i, shown + first, i);
    }
  }
}

void adl_market_answer(const adl_market_log *log, int64_t row, adl_market_impression *impression) {
  const adl_market_place *place = &impression->place;
  double moment = adl_market_moment(log->market, place->ad, place->at);
  impression->clicked = unit_at(log, USE_CLICK, row, 0) < adl_market_click(log->market, place, moment);
  impression->purchased =
      impression->clicked && unit_at(log, USE_CLICK, row, 1) < adl_market_purchase(log->market, place->user, place->ad);
}

/* --------------------------------------------------------------------------------------- the other logs ---- */

/* An item on sale by then, of one of the user's interests, by popularity. The first items always are on sale. */
static uint32_t item_of(const adl_market_log *log, int64_t row, uint8_t interest, int64_t at) {
  const adl_market *market = log->market;
  for (uint64_t try = 0; try < 16; try++) {
    uint32_t drawn = adl_market_draw(&market->buy[interest], random_at(log, USE_EVENT, row, 16 + try));
    uint32_t item = market->items_of[market->first_item[interest] + drawn];
    if (market->items[item].launched <= at) return item;
  }
  return interest;
}

static void make_query(const adl_market_log *log, int64_t row, uint8_t interest, char query[ADL_MARKET_TEXT]) {
  const adl_market_catalogue *catalogue = log->market->catalogue;
  const adl_market_thing *things = catalogue->interests[interest].things;
  int thing = (int)(unit_at(log, USE_EVENT, row, 2) * ADL_MARKET_THINGS);
  int question = (int)(unit_at(log, USE_EVENT, row, 3) * ADL_MARKET_QUESTIONS);
  int modifier = (int)(unit_at(log, USE_EVENT, row, 4) * 3 * ADL_MARKET_MODIFIERS); /* two of three have none */
  snprintf(query, ADL_MARKET_TEXT, "%s%s%s%s", modifier < ADL_MARKET_MODIFIERS ? catalogue->modifiers[modifier].zh : "",
           things[thing].name.zh, catalogue->questions[question][0] != '\0' ? " " : "", catalogue->questions[question]);
}

void adl_market_event_at(const adl_market_log *log, int64_t row, adl_market_event *event) {
  const adl_market *market = log->market;
  event->at = time_of(log, row);
  event->user = user_of(log, row, event->at);
  const adl_market_user *user = &market->users[event->user];
  uint8_t interest = adl_market_interest_of(user, unit_at(log, USE_EVENT, row, 0));
  if (log->table == ADL_MARKET_SEARCHES) {
    make_query(log, row, interest, event->query);
    return;
  }
  event->item = item_of(log, row, interest, event->at);
  double unit = unit_at(log, USE_EVENT, row, 1);
  /* Exponential, longer where the interest is; one to three pieces, mostly one. */
  event->seconds = 2 + (int64_t)(-log1p(-unit) * (15 + 60 * adl_market_mix(user, interest)));
  event->amount = adl_market_money(market->items[event->item].price) * (unit < 0.8 ? 1 : unit < 0.95 ? 2 : 3);
}
