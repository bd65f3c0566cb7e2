/* compare.json: everything that was measured, for programs. */
#include <json-glib/json-glib.h>
#include <math.h>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/compare/compare.h"

static void text_member(JsonBuilder *b, const char *name, const char *text) {
  json_builder_set_member_name(b, name);
  json_builder_add_string_value(b, text);
}

static void number_member(JsonBuilder *b, const char *name, double value) {
  json_builder_set_member_name(b, name);
  if (isfinite(value))
    json_builder_add_double_value(b, value);
  else
    json_builder_add_null_value(b);
}

static void int_member(JsonBuilder *b, const char *name, int64_t value) {
  json_builder_set_member_name(b, name);
  json_builder_add_int_value(b, value);
}

static void trial_json(JsonBuilder *b, const adl_trial *trial) {
  json_builder_begin_object(b);
  int_member(b, "seed", (int64_t)trial->seed);
  if (trial->failure != NULL) {
    text_member(b, "failure", trial->failure);
  } else {
    number_member(b, "fit_seconds", trial->fit_seconds);
    number_member(b, "score_seconds", trial->score_seconds);
    int_member(b, "model_bytes", trial->model_bytes);
    int_member(b, "kept_bytes", trial->kept_bytes);
    int_member(b, "models_fitted", trial->fitted);
    int_member(b, "models_from_store", trial->stored);
    json_builder_set_member_name(b, "numbers");
    json_builder_begin_array(b);
    for (guint i = 0; i < trial->figures->len; i++) {
      const adl_figure *figure = trial->figures->pdata[i];
      json_builder_begin_object(b);
      text_member(b, "stage", figure->stage);
      text_member(b, "over", figure->over);
      text_member(b, "name", figure->name);
      number_member(b, "value", figure->value);
      number_member(b, "low", figure->low);
      number_member(b, "high", figure->high);
      json_builder_end_object(b);
    }
    json_builder_end_array(b);
  }
  json_builder_end_object(b);
}

static void combination_json(JsonBuilder *b, const adl_comparison *comparison, const adl_combination *c) {
  const adl_plan *plan = comparison->plan;
  json_builder_begin_object(b);
  json_builder_set_member_name(b, "values");
  json_builder_begin_object(b);
  for (guint i = 0; i < plan->axes->len; i++)
    text_member(b, ((adl_axis *)plan->axes->pdata[i])->key, adl_plan_value(plan, c->number, i));
  json_builder_end_object(b);
  json_builder_set_member_name(b, "dropped");
  json_builder_begin_array(b);
  for (guint i = 0; i < c->dropped->len; i++) json_builder_add_string_value(b, c->dropped->pdata[i]);
  json_builder_end_array(b);
  number_member(b, "value", c->value);
  number_member(b, "low", c->low);
  number_member(b, "high", c->high);
  if (plan->repeat > 1) number_member(b, "deviation_over_seeds", c->deviation);
  if (isfinite(c->difference)) {
    json_builder_set_member_name(b, "against_best");
    json_builder_begin_object(b);
    number_member(b, "difference", c->difference);
    number_member(b, "low", c->difference_low);
    number_member(b, "high", c->difference_high);
    number_member(b, "p", c->p);
    json_builder_set_member_name(b, "real");
    json_builder_add_boolean_value(b, c->real);
    json_builder_end_object(b);
  }
  json_builder_set_member_name(b, "trials");
  json_builder_begin_array(b);
  for (guint i = 0; i < c->trials->len; i++) trial_json(b, c->trials->pdata[i]);
  json_builder_end_array(b);
  json_builder_end_object(b);
}

char *adl_compare_json(const adl_comparison *comparison) {
  JsonBuilder *b = json_builder_new();
  json_builder_begin_object(b);
  text_member(b, "pipeline", comparison->name);
  json_builder_set_member_name(b, "by");
  json_builder_begin_object(b);
  text_member(b, "stage", comparison->judge);
  text_member(b, "name", comparison->measure);
  text_member(b, "over", comparison->over);
  text_member(b, "better", comparison->lower ? "lower" : "higher");
  json_builder_end_object(b);
  number_member(b, "seconds", comparison->seconds);
  int_member(b, "stages", comparison->stages);
  int_member(b, "stages_shared", comparison->shared);
  json_builder_set_member_name(b, "combinations");
  json_builder_begin_array(b);
  for (guint i = 0; i < comparison->combinations->len; i++)
    combination_json(b, comparison, comparison->combinations->pdata[i]);
  json_builder_end_array(b);
  json_builder_end_object(b);
  return adl_json_built(b, true);
}
