/* The click model of the simulated market: how likely a user is to click an ad where and when it is shown, and to buy
 * after a click. The log is drawn from it, and market-truth tells it. */
#ifndef ADLOOM_PLUGINS_COMMON_MARKET_CLICK_H
#define ADLOOM_PLUGINS_COMMON_MARKET_CLICK_H

#include "common/market_world.h"

#define ADL_MARKET_CTR 0.02

enum { ADL_MARKET_POSITIONS = 4 };

/* Where and when an ad is shown. */
typedef struct adl_market_place {
  int64_t at;
  uint32_t user, ad;
  uint8_t position; /* from 1 on; those behind the last count as the last */
  uint8_t device;
} adl_market_place;

/* What the moment adds to the log odds of a click on an ad: hour, weekday, season, and how new the ad is. */
double adl_market_moment(const adl_market *market, uint32_t ad, int64_t at);

/* Its mean: over the hours by their traffic, and over the days on which the ad is shown. */
double adl_market_any_moment(const adl_market *market, uint32_t ad);

/* Probability of a click, with what the moment adds; `place->at` does not count. */
double adl_market_click(const adl_market *market, const adl_market_place *place, double moment);

/* Probability that a click ends in a purchase. */
double adl_market_purchase(const adl_market *market, uint32_t user, uint32_t ad);

/* [setup] Finds the base at which the expected CTR over the market's own traffic is ADL_MARKET_CTR. False: no memory. */
bool adl_market_calibrate(adl_market *market);

#endif
