/* Log odds of a click: base + eagerness + affinity + taste + quality + position + device + what depends on time. */
#include "common/market_click.h"

#include <math.h>
#include <stdlib.h>

#include "common/market_log.h"

static const float position_effects[ADL_MARKET_POSITIONS] = {0, -0.35f, -0.6f, -0.8f};
static const float device_effects[ADL_MARKET_DEVICES] = {0, -0.25f, -0.1f};
/* Attention is best in the evening. */
static const float hour_effects[24] = {0.10f,  0.05f,  0.00f,  -0.05f, -0.10f, -0.15f, -0.20f, -0.20f,
                                       -0.20f, -0.15f, -0.10f, -0.05f, 0.05f,  0.05f,  -0.05f, -0.10f,
                                       -0.10f, -0.05f, 0.00f,  0.10f,  0.20f,  0.25f,  0.25f,  0.20f};

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static double steady(const adl_market *market, const adl_market_place *place) {
  const adl_market_user *user = &market->users[place->user];
  const adl_market_ad *ad = &market->ads[place->ad];
  const adl_market_item *item = &market->items[ad->item];
  int position = place->position <= 1 ? 0 : place->position - 1;
  if (position >= ADL_MARKET_POSITIONS) position = ADL_MARKET_POSITIONS - 1;
  double x = market->base + user->eagerness + 3.2 * adl_market_mix(user, item->interest);
  x += 0.4 * user->taste * item->level + ad->quality;
  return x + position_effects[position] + device_effects[place->device];
}

/* An ad is new for about a week, then people have seen it. A season has one wave over 28 days, at its height for each
 * interest on another day of the year; and some things are for weekends. */
static double of_day(const adl_market *market, uint32_t number, int64_t at) {
  const adl_market_ad *ad = &market->ads[number];
  uint8_t interest = market->items[ad->item].interest;
  double age = (double)(at - ad->begins) / (double)ADL_DAY, day = (double)at / (double)ADL_DAY;
  double x = 0.5 * exp(-(age > 0 ? age : 0) / 7);
  x += 0.2 * sin(2 * M_PI * (day / 28 + (double)interest / ADL_MARKET_INTERESTS));
  if (adl_market_weekday(at) >= 5) x += market->catalogue->interests[interest].weekend;
  return x;
}

double adl_market_moment(const adl_market *market, uint32_t ad, int64_t at) {
  return hour_effects[adl_market_hour(at)] + of_day(market, ad, at);
}

double adl_market_any_moment(const adl_market *market, uint32_t number) {
  double hours = 0, days = 0, sum = 0;
  const adl_market_ad *ad = &market->ads[number];
  for (int h = 0; h < 24; h++) {
    hours += (double)adl_market_hours[h] * hour_effects[h];
    sum += adl_market_hours[h];
  }
  int64_t count = 0;
  for (int64_t day = 0; day < market->params.days; day++) {
    int64_t noon = market->start + day * ADL_DAY + ADL_DAY / 2;
    if (!adl_market_alive(ad, noon)) continue;
    days += of_day(market, number, noon);
    count++;
  }
  if (count == 0) return hours / sum + of_day(market, number, ad->begins); /* over before any noon */
  return hours / sum + days / (double)count;
}

double adl_market_click(const adl_market *market, const adl_market_place *place, double moment) {
  return sigmoid(steady(market, place) + moment);
}

double adl_market_purchase(const adl_market *market, uint32_t user, uint32_t ad) {
  const adl_market_user *who = &market->users[user];
  const adl_market_item *item = &market->items[market->ads[ad].item];
  return sigmoid(-3.0 + 1.2 * adl_market_mix(who, item->interest) + 0.3 * who->taste * item->level - 0.3 * item->level +
                 item->quality);
}

bool adl_market_calibrate(adl_market *market) {
  enum { BLOCKS = 2048, SAMPLES = BLOCKS * ADL_MARKET_BLOCK };
  double *odds = malloc(SAMPLES * sizeof *odds), low = -20, high = 5;
  if (odds == NULL) return false;
  adl_market_log log = {.market = market, .rows = SAMPLES, .key = adl_market_key(market->seed, ADL_MARKET_CALIBRATION)};
  adl_market_impression shown[ADL_MARKET_BLOCK];
  market->base = 0;
  for (int64_t b = 0; b < BLOCKS; b++) {
    adl_market_show(&log, b, shown);
    for (int i = 0; i < ADL_MARKET_BLOCK; i++) {
      const adl_market_place *place = &shown[i].place;
      double p = adl_market_click(market, place, adl_market_moment(market, place->ad, place->at));
      odds[b * ADL_MARKET_BLOCK + i] = p / (1 - p); /* at base 0 */
    }
  }
  for (int round = 0; round < 40; round++) {
    double middle = (low + high) / 2, factor = exp(middle), sum = 0;
    for (int i = 0; i < SAMPLES; i++) sum += factor * odds[i] / (1 + factor * odds[i]);
    if (sum < ADL_MARKET_CTR * SAMPLES)
      low = middle;
    else
      high = middle;
  }
  market->base = (low + high) / 2;
  free(odds);
  return true;
}
