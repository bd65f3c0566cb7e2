/* What the factorisation machines fm and ffm have in common: their parameters, fitting with held-back rows and early
 * stopping, learning online, predictions and the report. A class brings its rows and its steps. */
#ifndef ADLOOM_PLUGINS_COMMON_FACTOR_FIT_H
#define ADLOOM_PLUGINS_COMMON_FACTOR_FIT_H

#include <adloom/plugin.h>

#include "common/factor_blocks.h"
#include "common/labels.h"

/* First member of the instances. */
typedef struct adl_factor_settings {
  adl_input label, weight;
  adl_output as;
  double learning_rate, l2, init_scale, holdback, tolerance;
  int64_t factors, epochs, patience, block;
  int32_t loss; /* adl_loss */
  bool normalise, bias;
} adl_factor_settings;

/* The size of a model, which its tensors follow from. */
typedef struct adl_factor_size {
  int64_t width;         /* dimensions */
  int64_t rows, columns; /* of the tensor "factors", in quads */
  int32_t shards;
} adl_factor_size;

typedef struct adl_factor_class {
  adl_factor_steps steps;
  adl_factor_size (*size)(const void *self);
  const char *input; /* the parameter to blame where a model does not fit */
  /* The rows of a batch for which wanted is set (NULL: all); the others get a count of 0. What they point to lives as long
   * as the call and the batch. May reject rows, and clears their wanted. */
  adl_status (*rows)(const adl_call *call, const void *self, const adl_batch *batch, bool *wanted,
                     adl_factor_row *rows);
} adl_factor_class;

adl_status adl_factor_bind(const adl_call *call, adl_factor_settings *self);
adl_status adl_factor_init(const adl_call *call, const adl_factor_class *class, const void *self, adl_model *model);
adl_status adl_factor_fit(const adl_call *call, const adl_factor_class *class, const void *self, adl_rows *rows,
                          adl_model *model);
adl_status adl_factor_prepare(const adl_call *call, const adl_factor_class *class, const void *self,
                              const adl_model *model);
adl_status adl_factor_process(const adl_call *call, const adl_factor_class *class, const void *self,
                              const adl_model *model, const adl_batch *batch, adl_out *out);
adl_status adl_factor_learn_batch(const adl_call *call, const adl_factor_class *class, const void *self,
                                  adl_model *model, const adl_batch *batch, adl_out *out);
adl_status adl_factor_report(const adl_call *call, const adl_factor_class *class, const void *self,
                             const adl_model *model, adl_report *report);

/* Defines the functions of a class that are nothing but these. */
#define ADL_FACTOR_FUNCTIONS(factors)                                                                                  \
  static adl_status init(const adl_call *call, const void *self, adl_model *model) {                                   \
    return adl_factor_init(call, &(factors), self, model);                                                             \
  }                                                                                                                    \
  static adl_status fit(const adl_call *call, const void *self, adl_rows *rows, adl_model *model) {                    \
    return adl_factor_fit(call, &(factors), self, rows, model);                                                        \
  }                                                                                                                    \
  static adl_status prepare(const adl_call *call, const void *self, const adl_model *model, void **prepared) {         \
    *prepared = NULL;                                                                                                  \
    return adl_factor_prepare(call, &(factors), self, model);                                                          \
  }                                                                                                                    \
  static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,    \
                            adl_out *out) {                                                                            \
    return adl_factor_process(call, &(factors), self, model, batch, out);                                              \
  }                                                                                                                    \
  static adl_status learn(const adl_call *call, const void *self, adl_model *model, const adl_batch *batch,            \
                          adl_out *out) {                                                                              \
    return adl_factor_learn_batch(call, &(factors), self, model, batch, out);                                          \
  }                                                                                                                    \
  static adl_status report(const adl_call *call, const void *self, const adl_model *model, adl_report *report_to) {    \
    return adl_factor_report(call, &(factors), self, model, report_to);                                                \
  }

/* Scale of a row: 1, or what brings its values to a sum of squares of 1. False, and the row is rejected: they are too
 * large. */
bool adl_factor_scale(const adl_call *call, const adl_factor_settings *self, int64_t row, const char *column,
                      double squares, float *scale);

/* Parameters that both have. */
#define ADL_FACTOR_PARAMS                                                                                              \
  {.name = "label",                                                                                                    \
   .type = ADL_PARAM_COLUMN,                                                                                           \
   .flags = ADL_REQUIRED | ADL_LEARN_ONLY,                                                                             \
   .offset = offsetof(adl_factor_settings, label),                                                                     \
   .elements = ADL_ANY_NUMERIC,                                                                                        \
   .doc = "What to predict: a bool, or a number in [0, 1] (squared loss: any number). Rows with another value are "    \
          "rejected. Not needed where the stage does not learn."},                                                     \
      {.name = "weight",                                                                                               \
       .type = ADL_PARAM_COLUMN,                                                                                       \
       .flags = ADL_LEARN_ONLY,                                                                                        \
       .offset = offsetof(adl_factor_settings, weight),                                                                \
       .elements = ADL_ANY_NUMERIC,                                                                                    \
       .doc = "How much a row counts: its gradient is multiplied by this. 0 is as if the row were not there. Not "     \
              "negative; without it every row counts 1."},                                                             \
      {.name = "as",                                                                                                   \
       .type = ADL_PARAM_NEW_COLUMN,                                                                                   \
       .flags = ADL_PLAIN_NAME,                                                                                        \
       .offset = offsetof(adl_factor_settings, as),                                                                    \
       .default_value = "score",                                                                                       \
       .doc = "The prediction, float32: a probability (never exactly 0 or 1), or a number with squared loss."},        \
      {.name = "loss",                                                                                                 \
       .type = ADL_PARAM_CHOICE,                                                                                       \
       .offset = offsetof(adl_factor_settings, loss),                                                                  \
       .default_value = "logistic",                                                                                    \
       .choices = ADL_LOSS_CHOICES,                                                                                    \
       .doc = "logistic: predicts a probability. squared: predicts a number; what is learned is the label less its "   \
              "mean, in standard deviations."},                                                                        \
      {.name = "init_scale",                                                                                           \
       .type = ADL_PARAM_FLOAT,                                                                                        \
       .offset = offsetof(adl_factor_settings, init_scale),                                                            \
       .default_value = ADL_FACTOR_INIT_SCALE,                                                                         \
       .range = "(0, 100]",                                                                                            \
       .doc = "Factors begin as random numbers between -init_scale / root of `factors` and the same above 0."},        \
      {.name = "epochs",                                                                                               \
       .type = ADL_PARAM_INT,                                                                                          \
       .offset = offsetof(adl_factor_settings, epochs),                                                                \
       .default_value = ADL_FACTOR_EPOCHS,                                                                             \
       .range = "[1, 1000]",                                                                                           \
       .unit = "passes",                                                                                               \
       .doc = "The most passes over the training rows. Factors soon learn single rows by heart: see `holdback`. "      \
              "Online learning makes one."},                                                                           \
      {.name = "holdback",                                                                                             \
       .type = ADL_PARAM_FLOAT,                                                                                        \
       .offset = offsetof(adl_factor_settings, holdback),                                                              \
       .default_value = "0.05",                                                                                        \
       .range = "[0, 0.5]",                                                                                            \
       .doc =                                                                                                          \
           "Part of the training rows to hold back, chosen at random from the seed. Their loss says which pass was "   \
           "best and when to stop; the best pass's weights are kept, for which as much memory again is needed. "       \
           "0: all `epochs` are made and the last weights kept."},                                                     \
      {.name = "patience",                                                                                             \
       .type = ADL_PARAM_INT,                                                                                          \
       .offset = offsetof(adl_factor_settings, patience),                                                              \
       .default_value = "1",                                                                                           \
       .range = "[1, 1000]",                                                                                           \
       .unit = "passes",                                                                                               \
       .doc = "Stop after so many passes without the loss of the held-back rows falling by `tolerance`."},             \
      {.name = "tolerance",                                                                                            \
       .type = ADL_PARAM_FLOAT,                                                                                        \
       .offset = offsetof(adl_factor_settings, tolerance),                                                             \
       .default_value = "0.0001",                                                                                      \
       .range = "[0, 1)",                                                                                              \
       .doc = "The fall, as a part of the loss, that counts as an improvement."},                                      \
      {.name = "normalise",                                                                                            \
       .type = ADL_PARAM_BOOL,                                                                                         \
       .offset = offsetof(adl_factor_settings, normalise),                                                             \
       .default_value = "true",                                                                                        \
       .doc = "Divide the values of a row by the root of their summed squares, so that rows with many entries do not " \
              "count more than others (libffm's instance normalisation)."},                                            \
      {.name = "bias",                                                                                                 \
       .type = ADL_PARAM_BOOL,                                                                                         \
       .offset = offsetof(adl_factor_settings, bias),                                                                  \
       .default_value = "true",                                                                                        \
       .doc = "Learn a constant as well. l2 does not touch it."},                                                      \
  {                                                                                                                    \
    .name = "block", .type = ADL_PARAM_INT, .offset = offsetof(adl_factor_settings, block),                            \
    .default_value = ADL_FACTOR_BLOCK, .range = "[1, 4096]", .unit = "rows",                                           \
    .doc = "So many rows are predicted at a time, in parallel, before `fit` learns from them one by one. The "         \
           "result depends on it, but not on the number of threads. 1: each row is predicted with all that the "       \
           "rows before it have taught. Online learning always takes single rows."                                     \
  }
#define ADL_FACTOR_INIT_SCALE "0.5"

#endif
