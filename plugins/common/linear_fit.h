/*
 * Fitting a linear model to the minimum: the passes over the rows that lbfgs makes, between its parameters and the minimiser.
 * One pass counts; each further one gives the loss and its gradient at some weights.
 */
#ifndef ADLOOM_PLUGINS_COMMON_LINEAR_FIT_H
#define ADLOOM_PLUGINS_COMMON_LINEAR_FIT_H

#include <adloom/plugin.h>

/* The parameters, which are the instance of the class. */
typedef struct adl_linear_stage {
  adl_input features, label, weight;
  adl_output as, class;
  int32_t loss; /* adl_linear_loss */
  double l1, l2, tolerance;
  int64_t iterations, memory;
  bool bias;
} adl_linear_stage;

/* What the tensor "progress" holds. */
enum {
  ADL_FIT_ROWS,
  ADL_FIT_WEIGHT,
  ADL_FIT_ITERATIONS,
  ADL_FIT_EVALUATIONS,
  ADL_FIT_END, /* adl_lbfgs_end */
  ADL_FIT_OBJECTIVE,
  ADL_FIT_LOSS,
  ADL_FIT_NORM,
  ADL_FIT_PROGRESS
};

/* The `fit` of the class: leaves the tensors weights, bias, progress and history, with softmax the classes too. */
adl_status adl_linear_fit(const adl_call *call, const void *stage, adl_rows *rows, adl_model *given);

#endif
