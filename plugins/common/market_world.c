/* Draws the people, the goods and the campaigns of a world. */
#include "common/market_world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const float adl_market_hours[24] = {0.45f, 0.25f, 0.15f, 0.10f, 0.10f, 0.20f, 0.45f, 0.80f, 1.05f, 1.15f, 1.20f, 1.30f,
                                    1.50f, 1.35f, 1.15f, 1.10f, 1.10f, 1.15f, 1.30f, 1.60f, 1.90f, 2.00f, 1.70f, 0.95f};
const char *const adl_market_cities[ADL_MARKET_CITIES] = {"shanghai",  "beijing",  "guangzhou", "shenzhen", "chengdu",
                                                          "chongqing", "hangzhou", "wuhan",     "xian",     "nanjing"};
const char *const adl_market_devices[ADL_MARKET_DEVICES] = {"mobile", "desktop", "tablet"};

static const float city_shares[ADL_MARKET_CITIES] = {0.17f, 0.16f, 0.13f, 0.12f, 0.10f,
                                                     0.09f, 0.07f, 0.06f, 0.05f, 0.05f};

enum { DRAWS = 32 }; /* counters of one user, item, ad or campaign */

typedef struct dice {
  uint64_t key, at;
} dice;

static dice dice_for(uint64_t seed, uint64_t purpose, uint64_t number) {
  return (dice){adl_market_key(seed, purpose), number * DRAWS};
}
static double roll(dice *d) { return adl_random_unit(d->key, d->at++); }

/* About normal: the sum of three uniforms, scaled to variance 1; never beyond 3. */
static float roll_normal(dice *d) {
  double sum = roll(d);
  sum += roll(d);
  sum += roll(d);
  return (float)((sum - 1.5) * 2.0);
}

/* Pareto's law from 1 on: P(x > t) = t^-alpha, cut at `most`. */
static double roll_pareto(dice *d, double alpha, double most) {
  double x = pow(1.0 - roll(d), -1.0 / alpha);
  return x < most ? x : most;
}

static int pick(const float *weights, int count, double unit) {
  double sum = 0;
  for (int i = 0; i < count; i++) sum += weights[i];
  for (int i = 0; i < count - 1; i++) {
    if (unit * sum < weights[i]) return i;
    unit -= weights[i] / sum;
  }
  return count - 1;
}

/* ------------------------------------------------------------------------------------------------- drawing ---- */

static bool alias_make(adl_market_alias *alias, const double *weights, uint32_t count) {
  if (count == 0) return true;
  uint32_t *stack = malloc(count * sizeof *stack);
  double *scaled = malloc(count * sizeof *scaled), sum = 0;
  alias->keep = malloc(count * sizeof *alias->keep);
  alias->other = malloc(count * sizeof *alias->other);
  alias->count = count;
  bool made = stack != NULL && scaled != NULL && alias->keep != NULL && alias->other != NULL;
  if (made) {
    uint32_t small = 0, large = count; /* small ones at the front of the stack, large ones at its back */
    for (uint32_t i = 0; i < count; i++) sum += weights[i];
    for (uint32_t i = 0; i < count; i++) {
      scaled[i] = weights[i] * count / sum;
      alias->keep[i] = 1;
      alias->other[i] = i;
      if (scaled[i] < 1)
        stack[small++] = i;
      else
        stack[--large] = i;
    }
    while (small > 0 && large < count) {
      uint32_t poor = stack[--small], rich = stack[large];
      alias->keep[poor] = (float)scaled[poor];
      alias->other[poor] = rich;
      scaled[rich] -= 1 - scaled[poor];
      if (scaled[rich] < 1) large++, stack[small++] = rich;
    }
  }
  free(stack);
  free(scaled);
  return made;
}

static void alias_free(adl_market_alias *alias) {
  free(alias->keep);
  free(alias->other);
}

uint8_t adl_market_interest_of(const adl_market_user *user, double unit) {
  if (unit < user->main_weight) return user->main;
  unit -= user->main_weight;
  if (unit < user->second_weight) return user->second;
  unit -= user->second_weight;
  double rest = 1.0 - user->main_weight - user->second_weight;
  int number = (int)(unit / rest * (ADL_MARKET_INTERESTS - 2)); /* among those that are neither main nor second */
  if (number > ADL_MARKET_INTERESTS - 3) number = ADL_MARKET_INTERESTS - 3;
  int low = user->main < user->second ? user->main : user->second, high = user->main + user->second - low;
  if (number >= low) number++;
  if (number >= high) number++;
  return (uint8_t)number;
}

/* -------------------------------------------------------------------------------------------------- people ---- */

/* One main interest, drawn by age and gender with much that these do not explain; a second one drawn without them. */
static void give_interests(const adl_market_catalogue *catalogue, adl_market_user *user, dice *d) {
  float weights[ADL_MARKET_INTERESTS], older = ((float)user->age - 35) / 15;
  for (int k = 0; k < ADL_MARKET_INTERESTS; k++) {
    const adl_market_interest *interest = &catalogue->interests[k];
    weights[k] = interest->share * expf(interest->age * older + (user->female ? interest->female : -interest->female));
  }
  user->main = (uint8_t)pick(weights, ADL_MARKET_INTERESTS, roll(d));
  for (int k = 0; k < ADL_MARKET_INTERESTS; k++) weights[k] = k == user->main ? 0 : catalogue->interests[k].share;
  user->second = (uint8_t)pick(weights, ADL_MARKET_INTERESTS, roll(d));
  user->main_weight = (float)(0.5 + 0.3 * roll(d));
  user->second_weight = (float)((1.0 - user->main_weight) * (0.4 + 0.4 * roll(d)));
}

static double make_user(const adl_market *market, uint64_t number) {
  adl_market_user *user = &market->users[number];
  dice d = dice_for(market->seed, ADL_MARKET_USERS, number);
  double young = roll(&d);
  user->age = (uint8_t)(16 + 54 * young * (0.4 + 0.6 * roll(&d)));
  user->female = roll(&d) < 0.5;
  give_interests(market->catalogue, user, &d);
  user->city = (uint8_t)pick(city_shares, ADL_MARKET_CITIES, roll(&d));
  float devices[ADL_MARKET_DEVICES] = {0.75f, user->age > 40 ? 0.35f : 0.15f, 0.08f};
  user->device = (uint8_t)pick(devices, ADL_MARKET_DEVICES, roll(&d));
  user->eagerness = 0.4f * roll_normal(&d);
  user->taste = (float)(2 * roll(&d) - 1);
  bool newcomer = roll(&d) < 0.12 && number > 0;
  double when = roll(&d);
  user->registered = newcomer ? market->start + (int64_t)(when * (double)(market->end - market->start))
                              : market->start - (int64_t)((1 + when * 1500) * (double)ADL_DAY);
  user->age_known = roll(&d) < 0.88;
  user->gender_known = roll(&d) < 0.92;
  return roll_pareto(&d, 1.2, 2000); /* activity */
}

/* --------------------------------------------------------------------------------------------------- goods ---- */

/* The first ones see to it that every interest has an item. */
static double make_item(const adl_market *market, uint64_t number) {
  adl_market_item *item = &market->items[number];
  dice d = dice_for(market->seed, ADL_MARKET_ITEMS, number);
  float shares[ADL_MARKET_INTERESTS];
  for (int k = 0; k < ADL_MARKET_INTERESTS; k++) shares[k] = market->catalogue->interests[k].share;
  int drawn = pick(shares, ADL_MARKET_INTERESTS, roll(&d));
  item->interest = (uint8_t)(number < 2 * ADL_MARKET_INTERESTS ? (int)number % ADL_MARKET_INTERESTS : drawn);
  item->thing = (uint8_t)(roll(&d) * ADL_MARKET_THINGS);
  item->modifier = (uint8_t)(roll(&d) * ADL_MARKET_MODIFIERS);
  const adl_market_thing *thing = &market->catalogue->interests[item->interest].things[item->thing];
  double between = roll(&d);
  item->level = (float)(2 * between - 1);
  item->price = roundf((float)(thing->low * pow(thing->high / thing->low, between)) * 10) / 10;
  item->quality = 0.3f * roll_normal(&d);
  bool is_new = roll(&d) < 0.2 && number >= ADL_MARKET_INTERESTS;
  double when = roll(&d);
  item->launched = is_new ? market->start + (int64_t)(when * 0.9 * (double)(market->end - market->start))
                          : market->start - (int64_t)((1 + when * 700) * (double)ADL_DAY);
  return roll_pareto(&d, 1.1, 300); /* popularity */
}

/* Every fourth campaign, beginning with the first, runs all the time and is for everybody: there is always an ad to show. */
static bool permanent(uint64_t campaign) { return campaign % 4 == 0; }

static void plan_campaign(const adl_market *market, uint64_t campaign, adl_market_ad *ad, double *size) {
  dice d = dice_for(market->seed, ADL_MARKET_CAMPAIGNS, campaign);
  double span = (double)(market->end - market->start);
  double begins = roll(&d), length = 0.25 + 0.6 * roll(&d), lasts = 0.5 + 0.7 * roll(&d);
  *size = roll_pareto(&d, 1.6, 30);
  ad->begins = market->start + (int64_t)((0.9 * begins - 0.05) * span);
  ad->planned_end = ad->begins + (int64_t)(length * span);
  if (permanent(campaign)) {
    ad->begins = market->start - (int64_t)((1 + 29 * begins) * (double)ADL_DAY);
    ad->planned_end = market->end;
    lasts = 1;
    length = 1;
  }
  /* Those whose budget is enough show to the planned end. */
  ad->stops = lasts >= 1 ? ad->planned_end : ad->begins + (int64_t)(lasts * length * span);
  ad->budget = (float)(ceil(*size * length * (double)market->params.days * 20) * 10);
}

static void make_ad(const adl_market *market, uint64_t number) {
  adl_market_ad *ad = &market->ads[number];
  dice d = dice_for(market->seed, ADL_MARKET_ADS, number);
  uint64_t campaign = number / ADL_MARKET_CAMPAIGN;
  double size;
  plan_campaign(market, campaign, ad, &size);
  uint32_t drawn = (uint32_t)(roll(&d) * (double)market->params.items);
  ad->item = number < ADL_MARKET_INTERESTS ? (uint32_t)number : drawn; /* each interest has one */
  adl_market_item *item = &market->items[ad->item];
  if (item->launched > ad->begins) item->launched = ad->begins;
  ad->slogan = (uint8_t)(roll(&d) * ADL_MARKET_SLOGANS);
  ad->quality = 0.3f * roll_normal(&d) + 0.5f * item->quality;
  ad->bid = roundf((float)(0.3 + 2.7 * roll(&d) * roll(&d)) * 100) / 100;
  ad->weight = (float)(roll_pareto(&d, 1.3, 50) * sqrt(size) * ad->bid);
  double gender = roll(&d), city = roll(&d);
  ad->target_female = ad->target_city = ADL_MARKET_NOBODY;
  if (permanent(campaign)) return;
  if (gender < 0.2) {
    /* Targeted at those who are more often interested. */
    float tilt = market->catalogue->interests[item->interest].female;
    ad->target_female = tilt > 0;
  }
  if (city < 0.15) ad->target_city = (uint8_t)pick(city_shares, ADL_MARKET_CITIES, city / 0.15);
}

/* Sorts numbers by interest, and makes what draws from each: `weights` are by number. */
static bool by_interest(const uint8_t *interests, const double *weights, uint32_t count, uint32_t *numbers,
                        adl_market_alias *alias, uint32_t first[ADL_MARKET_INTERESTS + 1]) {
  double *sorted = malloc(count * sizeof *sorted);
  if (sorted == NULL) return false;
  uint32_t at = 0;
  bool made = true;
  for (int k = 0; k < ADL_MARKET_INTERESTS && made; k++) {
    first[k] = at;
    for (uint32_t i = 0; i < count; i++)
      if (interests[i] == k) sorted[at] = weights[i], numbers[at++] = i;
    made = alias_make(&alias[k], sorted + first[k], at - first[k]);
  }
  first[ADL_MARKET_INTERESTS] = at;
  free(sorted);
  return made;
}

/* -------------------------------------------------------------------------------------------------- the world ---- */

static adl_status parse_start(const adl_call *call, const adl_market_params *params, int64_t *start) {
  adl_time_format format;
  int32_t at;
  if (adl_time_format_set(&format, "iso", &at) != NULL ||
      adl_time_parse(&format, params->start, strlen(params->start), false, start) != ADL_PARSED)
    return call->host->fail(call, "start", -1, "write 2024-03-01, or 2024-03-01T08:00:00Z",
                            "\"%s\" is not a date or timestamp", params->start);
  if (*start < adl_days_from_civil(1980, 1, 1) * ADL_DAY || *start >= adl_days_from_civil(2100, 1, 1) * ADL_DAY)
    return call->host->fail(call, "start", -1, NULL, "%s is not between 1980 and 2100", params->start);
  return ADL_OK;
}

adl_status adl_market_check(const adl_call *call, const adl_market_params *params) {
  int64_t start;
  return parse_start(call, params, &start);
}

static bool make_traffic(adl_market *market) {
  int64_t hours = market->params.days * 24;
  market->traffic = malloc((size_t)(hours + 1) * sizeof *market->traffic);
  if (market->traffic == NULL) return false;
  double sum = 0;
  for (int64_t h = 0; h < hours; h++) {
    int64_t at = market->start + h * ADL_HOUR;
    market->traffic[h] = sum;
    sum += adl_market_hours[adl_market_hour(at)] * (adl_market_weekday(at) >= 5 ? 1.2 : 1.0);
  }
  market->traffic[hours] = sum;
  for (int64_t h = 0; h <= hours; h++) market->traffic[h] /= sum;
  return true;
}

int64_t adl_market_time(const adl_market *market, double share) {
  int64_t low = 0, high = market->params.days * 24; /* traffic[low] <= share < traffic[high] */
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    if (market->traffic[middle] <= share)
      low = middle;
    else
      high = middle;
  }
  double within = (share - market->traffic[low]) / (market->traffic[low + 1] - market->traffic[low]);
  int64_t at = (int64_t)(within * (double)ADL_HOUR);
  return market->start + low * ADL_HOUR + (at < ADL_HOUR ? at : ADL_HOUR - 1);
}

static bool make_people(adl_market *market) {
  uint32_t count = (uint32_t)market->params.users;
  double *activity = malloc(count * sizeof *activity);
  market->users = calloc(count, sizeof *market->users);
  bool made = activity != NULL && market->users != NULL;
  for (uint32_t i = 0; made && i < count; i++) activity[i] = make_user(market, i);
  made = made && alias_make(&market->activity, activity, count);
  free(activity);
  return made;
}

static bool make_goods(adl_market *market) {
  uint32_t items = (uint32_t)market->params.items, ads = (uint32_t)market->params.ads, most = items > ads ? items : ads;
  double *weights = malloc(most * sizeof *weights);
  uint8_t *interests = malloc(most);
  market->items = calloc(items, sizeof *market->items);
  market->ads = calloc(ads, sizeof *market->ads);
  market->items_of = malloc(items * sizeof *market->items_of);
  market->ads_of = malloc(ads * sizeof *market->ads_of);
  bool made = weights != NULL && interests != NULL && market->items != NULL && market->ads != NULL &&
              market->items_of != NULL && market->ads_of != NULL;
  for (uint32_t i = 0; made && i < items; i++) {
    weights[i] = make_item(market, i);
    interests[i] = market->items[i].interest;
  }
  made = made && by_interest(interests, weights, items, market->items_of, market->buy, market->first_item);
  for (uint32_t i = 0; made && i < ads; i++) {
    make_ad(market, i);
    weights[i] = market->ads[i].weight;
    interests[i] = market->items[market->ads[i].item].interest;
  }
  made = made && alias_make(&market->show, weights, ads) &&
         by_interest(interests, weights, ads, market->ads_of, market->context, market->first_ad);
  free(weights);
  free(interests);
  return made;
}

adl_status adl_market_open(const adl_call *call, const adl_market_params *params, adl_market *market) {
  market->params = *params;
  market->catalogue = &adl_market_catalogues[params->catalogue];
  ADL_TRY(parse_start(call, params, &market->start));
  market->end = market->start + params->days * ADL_DAY;
  market->seed = adl_random((uint64_t)params->world, ADL_MARKET_VERSION);
  if (!make_traffic(market) || !make_people(market) || !make_goods(market))
    return call->host->fail(call, NULL, -1, "make the world smaller", "out of memory");
  return ADL_OK;
}

void adl_market_close(adl_market *market) {
  for (int k = 0; k < ADL_MARKET_INTERESTS; k++) {
    alias_free(&market->buy[k]);
    alias_free(&market->context[k]);
  }
  alias_free(&market->activity);
  alias_free(&market->show);
  free(market->users);
  free(market->items);
  free(market->ads);
  free(market->traffic);
  free(market->items_of);
  free(market->ads_of);
}
