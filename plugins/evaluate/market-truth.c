/* market-truth: what the simulated market knows and its logs do not show. */
#include <adloom/plugin.h>

#include <stdlib.h>
#include <string.h>

#include "common/market_click.h"

typedef struct market_truth {
  adl_market_params world;
  adl_input user, ad, position, at, device;
  adl_output as, interest;

  adl_market made;
  double *moments; /* by ad: what an unknown moment adds; NULL: moments are known */
} market_truth;

static const adl_param params[] = {
    {.name = "user",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(market_truth, user),
     .elements = ADL_MASK(ADL_STRING),
     .doc = "The user."},
    {.name = "ad",
     .type = ADL_PARAM_COLUMN,
     .offset = offsetof(market_truth, ad),
     .elements = ADL_MASK(ADL_STRING),
     .doc = "The ad. Not given: only the interest is told."},
    {.name = "position",
     .type = ADL_PARAM_COLUMN,
     .offset = offsetof(market_truth, position),
     .elements = ADL_ANY_INTEGER,
     .doc = "Where the ad stands, from 1 on; all behind 4 count as 4. Not given: 1."},
    {.name = "at",
     .type = ADL_PARAM_COLUMN,
     .offset = offsetof(market_truth, at),
     .elements = ADL_MASK(ADL_TIMESTAMP),
     .doc = "When it is shown, within the days of the world. Not given: what depends on the moment has its mean log "
            "odds, over the hours by their traffic and over the days on which the ad is shown."},
    {.name = "device",
     .type = ADL_PARAM_COLUMN,
     .offset = offsetof(market_truth, device),
     .elements = ADL_MASK(ADL_STRING),
     .doc = "On what: mobile, desktop or tablet. Not given: the user's own."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(market_truth, as),
     .default_value = "p_true",
     .doc = "New column: the probability of a click (float32). Not made without `ad`."},
    {.name = "interest",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(market_truth, interest),
     .doc = "Name of a new column: the user's main interest, one of the categories of items and ads. Not given: it is "
            "not made."},
    ADL_MARKET_WORLD_PARAMS(market_truth),
};

static adl_status bind(const adl_call *call, void *instance) {
  market_truth *self = instance;
  const adl_host *host = call->host;
  const adl_input *places[] = {&self->position, &self->at, &self->device};
  static const char *const names[] = {"position", "at", "device"};
  adl_status status = adl_market_check(call, &self->world);
  if (self->ad.name == NULL && self->interest.name == NULL)
    status = host->fail(call, NULL, -1, "name the `ad`, or `interest: COLUMN` for the user's interest alone",
                        "there is nothing to tell");
  for (int i = 0; i < 3; i++)
    if (self->ad.name == NULL && places[i]->name != NULL)
      status = host->fail(call, names[i], -1, "name the `ad`, too", "without an ad there is no click to happen");
  if (self->ad.name != NULL && host->declare(call, &self->as, (adl_type){.element = ADL_FLOAT32}) != ADL_OK)
    status = ADL_FAILED;
  adl_type category = {.element = ADL_STRING, .role = ADL_CATEGORY};
  return host->declare(call, &self->interest, category) == ADL_OK ? status : ADL_FAILED;
}

static adl_status start(const adl_call *call, void *instance) {
  market_truth *self = instance;
  ADL_TRY(adl_market_open(call, &self->world, &self->made));
  if (self->ad.name == NULL) return ADL_OK;
  bool made = adl_market_calibrate(&self->made);
  if (made && self->at.name == NULL) {
    self->moments = malloc((size_t)self->world.ads * sizeof *self->moments);
    made = self->moments != NULL;
    for (int64_t ad = 0; made && ad < self->world.ads; ad++)
      self->moments[ad] = adl_market_any_moment(&self->made, (uint32_t)ad);
  }
  return made ? ADL_OK : call->host->fail(call, NULL, -1, NULL, "out of memory");
}

static void destroy(void *instance) {
  market_truth *self = instance;
  adl_market_close(&self->made);
  free(self->moments);
}

/* Number of an id such as u0000042; false: there is none of that name. */
static bool number_of(adl_text id, char letter, int digits, int64_t count, uint32_t *number) {
  if (id.size != digits + 1 || id.data[0] != letter) return false;
  int64_t value = 0;
  for (int32_t i = 1; i < id.size; i++) {
    if (id.data[i] < '0' || id.data[i] > '9') return false;
    value = value * 10 + (id.data[i] - '0');
  }
  *number = (uint32_t)value;
  return value < count;
}

static bool read_user(const adl_call *call, const market_truth *self, const adl_batch *batch, int64_t row,
                      uint32_t *user) {
  adl_text id = adl_text_at(batch->slots[self->user.slot], row);
  if (number_of(id, 'u', ADL_MARKET_USER_DIGITS, self->world.users, user)) return true;
  call->host->reject(call, row, "user", "the world has no user \"%.*s\"", id.size < 40 ? id.size : 40, id.data);
  return false;
}

static bool read_device(adl_text name, uint8_t *device) {
  for (uint8_t d = 0; d < ADL_MARKET_DEVICES; d++) {
    size_t size = strlen(adl_market_devices[d]);
    *device = d;
    if ((size_t)name.size == size && memcmp(name.data, adl_market_devices[d], size) == 0) return true;
  }
  return false;
}

/* What the row says of where the ad is shown; false: it was rejected. */
static bool read_place(const adl_call *call, const market_truth *self, const adl_batch *batch, int64_t row,
                       adl_market_place *place) {
  adl_text id = adl_text_at(batch->slots[self->ad.slot], row);
  if (!number_of(id, 'a', ADL_MARKET_AD_DIGITS, self->world.ads, &place->ad)) {
    call->host->reject(call, row, "ad", "the world has no ad \"%.*s\"", id.size < 40 ? id.size : 40, id.data);
    return false;
  }
  place->position = 1;
  place->device = self->made.users[place->user].device;
  if (self->position.name != NULL) {
    double position = adl_number_at(batch->slots[self->position.slot], row);
    if (position < 1) {
      call->host->reject(call, row, "position", "there is no position %.0f; they begin at 1", position);
      return false;
    }
    place->position = (uint8_t)(position < ADL_MARKET_POSITIONS ? position : ADL_MARKET_POSITIONS);
  }
  if (self->at.name != NULL) {
    place->at = ((const int64_t *)batch->slots[self->at.slot]->data)[row];
    if (place->at < self->made.start || place->at >= self->made.end) {
      call->host->reject(call, row, "at", "the moment is not within the %lld days of the world",
                         (long long)self->world.days);
      return false;
    }
  }
  if (self->device.name == NULL) return true;
  adl_text device = adl_text_at(batch->slots[self->device.slot], row);
  if (read_device(device, &place->device)) return true;
  call->host->reject(call, row, "device", "\"%.*s\" is not mobile, desktop or tablet",
                     device.size < 40 ? device.size : 40, device.data);
  return false;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  (void)model;
  const market_truth *self = instance;
  enum { CATEGORY_BYTES = 24 };
  adl_buffers p, interest;
  if (self->ad.name != NULL) ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &p));
  if (self->interest.name != NULL)
    ADL_TRY(
        call->host->reserve(call, out, self->interest.slot, batch->rows, 0, batch->rows * CATEGORY_BYTES, &interest));
  for (int64_t row = 0; row < batch->rows; row++) {
    adl_market_place place = {.position = 1};
    bool good = read_user(call, self, batch, row, &place.user);
    double probability = 0;
    if (good && self->ad.name != NULL) {
      good = read_place(call, self, batch, row, &place);
      if (good)
        probability = adl_market_click(&self->made, &place,
                                       self->moments != NULL ? self->moments[place.ad]
                                                             : adl_market_moment(&self->made, place.ad, place.at));
    }
    if (self->ad.name != NULL) ((float *)p.data)[row] = (float)probability;
    if (self->interest.name == NULL) continue;
    const char *name = good ? self->made.catalogue->interests[self->made.users[place.user].main].category : "";
    size_t size = strlen(name);
    memcpy((char *)interest.data + interest.string_offsets[row], name, size);
    interest.string_offsets[row + 1] = interest.string_offsets[row] + (int32_t)size;
  }
  return ADL_OK;
}

static const char doc[] =
    "Tells for each row how likely the click was, or the user's main hidden interest, in a world of the source "
    "market. The parameters of the world must be the same as there.\n\n"
    "With the position, moment and device of the impression it is the probability with which the click was drawn, so "
    "the sum over many rows is that of the clicks: no model can do better. Without them it is what the class says at "
    "each parameter, the same for all ads, to rank or choose by.\n\n"
    "For judging only: nothing that learns may stand behind this stage. Rows with a user or ad that the world does "
    "not have, a position below 1, a moment outside its days or an unknown device are rejected, as are nulls.";

static const adl_class market_truth_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_EVALUATE,
    .id = "market-truth",
    .title = "What the simulated market knows",
    .doc = doc,
    .flags = ADL_FOR_JUDGING,
    .form = ADL_SAME,
    .instance_size = sizeof(market_truth),
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .start = start,
    .process = process,
};

ADL_PLUGIN_OF("market-truth", "1.0.0", "evaluate:market-truth", &market_truth_class);
