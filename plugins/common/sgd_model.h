/* The model of sgd as tensors, opened for learning, and the rows of a batch brought to the learner's units. */
#ifndef ADLOOM_PLUGINS_COMMON_SGD_MODEL_H
#define ADLOOM_PLUGINS_COMMON_SGD_MODEL_H

#include "common/matrix_rows.h"
#include "common/sgd_steps.h"

/*
 * "weights" and "bias" are in the units of the inputs: a score is bias + weights . features. The learner works on
 * standardised inputs, and keeps under "state." what it needs to go on. "mean" and "scale" are there when inputs are
 * standardised ("scale" alone: divided only); "label" holds mean and scale of the labels of squared loss.
 */
typedef struct adl_sgd_model {
  adl_sgd_rule rule;
  adl_sgd_state state;
  int64_t *counts;            /* steps and averagings, where the state's are kept; method */
  double *weights, *bias;     /* published */
  const double *mean, *scale; /* width, or NULL */
  double label_mean, label_scale;
} adl_sgd_model;

/* A float64 tensor of one dimension: found (NULL: there is none), or made. */
const double *adl_values_find(const adl_call *call, const adl_tensors *tensors, const char *name);
double *adl_values_make(const adl_call *call, adl_tensors *tensors, const char *name, int64_t count);

/* Makes what is not there yet. Dense arithmetic when the features are a vector, or sparse with a "mean". */
adl_sgd_model adl_sgd_model_open(const adl_call *call, const adl_sgd_rule *rule, adl_tensors *tensors,
                                 adl_type features, bool average);
/* Writes the counts back. */
void adl_sgd_model_close(adl_sgd_model *model);

/* The weights that count, width + 1: the average, where there is one. */
const double *adl_sgd_model_present(adl_sgd_model *model);
/* Takes weights in the units of the learner to "weights" and "bias". */
void adl_sgd_model_publish(adl_sgd_model *model, const double *weights);
/* Goes on from these weights: they become the learner's and are published; velocities are 0. */
void adl_sgd_model_restart(adl_sgd_model *model, const double *weights);
/* l1 and l2 of such weights, in the units of the loss. */
double adl_sgd_model_penalty(const adl_sgd_model *model, const double *weights);

/* Reads rows one after the other; memory is that of the call. */
typedef struct adl_sgd_reader {
  adl_sgd_model *model;
  const adl_column *features;
  adl_matrix_row row;    /* the row in hand */
  double *values;        /* its values, standardised: width of them, or one per item */
  double *base, *factor; /* dense: what a 0 becomes, and what a value is multiplied with */
} adl_sgd_reader;

adl_sgd_reader adl_sgd_reader_open(const adl_call *call, adl_sgd_model *model, const adl_column *features);
void adl_sgd_read(adl_sgd_reader *reader, int64_t row);
/* Margin of the row in hand, in the units of the label. */
double adl_sgd_score(adl_sgd_reader *reader);
/* Learns from the row in hand. */
void adl_sgd_learn(adl_sgd_reader *reader, double label, double weight);

#endif
