/*
 * The world of the simulated market: users, items, ads and what they are like, as a pure function of its parameters.
 * Everything here is drawn once, when a stage starts, from adl_random counters; what is drawn for each row of a log is in
 * market_log.h, the click model in market_click.h. Shared by market and market-truth. docs/market.md has the formulas.
 */
#ifndef ADLOOM_PLUGINS_COMMON_MARKET_WORLD_H
#define ADLOOM_PLUGINS_COMMON_MARKET_WORLD_H

#include <adloom/plugin.h>

#include "common/market_catalogue.h"
#include "common/times.h"

#define ADL_HOUR (ADL_DAY / 24) /* microseconds */

enum {
  ADL_MARKET_VERSION = 1, /* of what a world looks like: counts changes of the formulas */
  ADL_MARKET_CITIES = 10,
  ADL_MARKET_DEVICES = 3,
  ADL_MARKET_CAMPAIGN = 4,    /* ads of a campaign */
  ADL_MARKET_USER_DIGITS = 7, /* of the ids u0000042, i0000042, a000042 */
  ADL_MARKET_ITEM_DIGITS = 7,
  ADL_MARKET_AD_DIGITS = 6,
  ADL_MARKET_NOBODY = 255 /* target_gender, target_city: everybody */
};

/* What makes a world; fields of the instances of both classes. */
typedef struct adl_market_params {
  int64_t world, users, items, ads, days;
  int32_t catalogue;
  const char *start;
} adl_market_params;

typedef struct adl_market_user {
  int64_t registered;               /* microseconds */
  float main_weight, second_weight; /* of the mixture of interests; the others share the rest */
  float eagerness;                  /* log odds of any click */
  float taste;                      /* -1: likes what is cheap of its kind, 1: what is dear */
  uint8_t main, second;             /* interests */
  uint8_t age, female, city, device;
  bool age_known, gender_known;
} adl_market_user;

typedef struct adl_market_item {
  int64_t launched;
  float price;
  float level; /* of the price among things of its kind, -1 to 1 */
  float quality;
  uint8_t interest, thing, modifier;
} adl_market_item;

typedef struct adl_market_ad {
  int64_t begins, planned_end; /* of its campaign */
  int64_t stops;               /* when the budget is gone; planned_end or before */
  float quality, bid, budget;  /* budget: of the campaign */
  float weight;                /* in the logging policy */
  uint32_t item;
  uint8_t slogan, target_female, target_city; /* ADL_MARKET_NOBODY: untargeted */
} adl_market_ad;

/* Draws numbers with given weights in constant time (Walker 1977, in Vose's form). */
typedef struct adl_market_alias {
  float *keep;
  uint32_t *other;
  uint32_t count;
} adl_market_alias;

typedef struct adl_market {
  adl_market_params params;
  const adl_market_catalogue *catalogue;
  int64_t start, end; /* microseconds */
  uint64_t seed;
  adl_market_user *users;
  adl_market_item *items;
  adl_market_ad *ads;
  double *traffic; /* days x 24 + 1: share of the rows before each hour of the world */
  adl_market_alias activity, show;
  /* Of each interest: its items and ads, and how they are drawn. The arrays hold all interests one after the other. */
  uint32_t *items_of, *ads_of, first_item[ADL_MARKET_INTERESTS + 1], first_ad[ADL_MARKET_INTERESTS + 1];
  adl_market_alias buy[ADL_MARKET_INTERESTS], context[ADL_MARKET_INTERESTS];
  double base; /* log odds of a click, such that the overall CTR is ADL_MARKET_CTR */
} adl_market;

/* The parameters of a world, for the table of a class whose instance has an adl_market_params `world`. */
#define ADL_MARKET_WORLD_PARAMS(instance)                                                                              \
  {.name = "world",                                                                                                    \
   .type = ADL_PARAM_INT,                                                                                              \
   .offset = offsetof(instance, world.world),                                                                          \
   .default_value = "1",                                                                                               \
   .doc = "Number of the world: its seed. It is not the run's seed, which changes nothing here."},                     \
      {.name = "users",                                                                                                \
       .type = ADL_PARAM_INT,                                                                                          \
       .offset = offsetof(instance, world.users),                                                                      \
       .default_value = "20000",                                                                                       \
       .range = "[1, 2000000]",                                                                                        \
       .doc = "Users of the world."},                                                                                  \
      {.name = "items",                                                                                                \
       .type = ADL_PARAM_INT,                                                                                          \
       .offset = offsetof(instance, world.items),                                                                      \
       .default_value = "2000",                                                                                        \
       .range = "[20, 1000000]",                                                                                       \
       .doc = "Items on sale."},                                                                                       \
      {.name = "ads",                                                                                                  \
       .type = ADL_PARAM_INT,                                                                                          \
       .offset = offsetof(instance, world.ads),                                                                        \
       .default_value = "200",                                                                                         \
       .range = "[20, 100000]",                                                                                        \
       .doc = "Ads, four to a campaign."},                                                                             \
      {.name = "days",                                                                                                 \
       .type = ADL_PARAM_INT,                                                                                          \
       .offset = offsetof(instance, world.days),                                                                       \
       .default_value = "28",                                                                                          \
       .range = "[1, 400]",                                                                                            \
       .unit = "days",                                                                                                 \
       .doc = "How long the logs are."},                                                                               \
      {.name = "catalogue",                                                                                            \
       .type = ADL_PARAM_CHOICE,                                                                                       \
       .offset = offsetof(instance, world.catalogue),                                                                  \
       .default_value = "shop",                                                                                        \
       .choices = "shop|education",                                                                                    \
       .doc = "What is sold: the goods of a shop, or the courses of an online school."},                               \
  {                                                                                                                    \
    .name = "start", .type = ADL_PARAM_STRING, .offset = offsetof(instance, world.start),                              \
    .default_value = "2024-03-01", .doc = "When the logs begin: a date or an ISO timestamp, between 1980 and 2100."    \
  }

/* [setup] Checks what the parameter table cannot: `start`. */
adl_status adl_market_check(const adl_call *call, const adl_market_params *params);

/* [setup] Makes the world but for its click model; adl_market_close frees it, also half made or zeroed. */
adl_status adl_market_open(const adl_call *call, const adl_market_params *params, adl_market *market);
void adl_market_close(adl_market *market);

/* Key of a stream of random numbers of this world. */
enum {
  ADL_MARKET_USERS,
  ADL_MARKET_ITEMS,
  ADL_MARKET_ADS,
  ADL_MARKET_CAMPAIGNS,
  ADL_MARKET_CALIBRATION,
  ADL_MARKET_LOGS /* and behind it one for each table */
};
static inline uint64_t adl_market_key(uint64_t seed, uint64_t purpose) { return adl_random(seed, purpose); }

/* Share of a user's mind that an interest has; all together 1. */
static inline float adl_market_mix(const adl_market_user *user, uint8_t interest) {
  if (interest == user->main) return user->main_weight;
  if (interest == user->second) return user->second_weight;
  return (1.0f - user->main_weight - user->second_weight) * (1.0f / (ADL_MARKET_INTERESTS - 2));
}

/* Interest number `unit` (in [0, 1)) of the user's mixture. */
uint8_t adl_market_interest_of(const adl_market_user *user, double unit);

static inline uint32_t adl_market_draw(const adl_market_alias *alias, uint64_t random) {
  uint32_t at = (uint32_t)(((random >> 32) * alias->count) >> 32);
  return (float)(random & 0xffffff) * 0x1p-24f < alias->keep[at] ? at : alias->other[at];
}

static inline bool adl_market_alive(const adl_market_ad *ad, int64_t at) { return ad->begins <= at && at < ad->stops; }

/* The moment at which a share (in [0, 1)) of the rows of a log is over: more traffic by day than at night. */
int64_t adl_market_time(const adl_market *market, double share);

/* Of the rows that one hour of the day gets, as against another; the mean is 1. */
extern const float adl_market_hours[24];
extern const char *const adl_market_cities[ADL_MARKET_CITIES];
extern const char *const adl_market_devices[ADL_MARKET_DEVICES];

/* A float that stands for an amount of money with two digits behind the point, as the nearest double. */
static inline double adl_market_money(float amount) { return (double)(int64_t)((double)amount * 100 + 0.5) / 100; }

/* Hour and weekday (0: Monday) of a moment; the world has no time zones. */
static inline int adl_market_hour(int64_t at) { return (int)(at / ADL_HOUR % 24); }
static inline int adl_market_weekday(int64_t at) { return (int)((at / ADL_DAY + 3) % 7); }

#endif
