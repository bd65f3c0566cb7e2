/* The arithmetic of FTRL-Proximal (McMahan et al., KDD 2013, Algorithm 1) on one row of features: the margin, and the update
 * of all its coordinates. In portable C and for AVX2, four coordinates at a time; both give the same bits. */
#ifndef ADLOOM_PLUGINS_COMMON_FTRL_STEPS_H
#define ADLOOM_PLUGINS_COMMON_FTRL_STEPS_H

#include <adloom/plugin.h>

#include "common/matrix_rows.h"

/* What is kept of one dimension: weight, FTRL's z, and the sum of squared gradients n. One cache line holds four. n is
 * float64 since a float32 stops growing after some ten million updates. */
typedef struct adl_ftrl_record {
  float w, z;
  double n;
} adl_ftrl_record;
#define ADL_FTRL_LAYOUT "w:f32,z:f32,n:f64"
_Static_assert(sizeof(adl_ftrl_record) == 16, "a record is 16 bytes, as its layout says");

typedef struct adl_ftrl_rates {
  double inverse_alpha, beta, l1, l2;
} adl_ftrl_rates;

typedef struct adl_ftrl_steps {
  /* Sum of weight times value, without the constant. */
  double (*margin)(const adl_ftrl_record *records, adl_matrix_row row);
  /* `slope` is the derivative of the loss by the margin. Values of 0 change nothing. */
  void (*update)(const adl_ftrl_rates *rates, adl_ftrl_record *records, adl_matrix_row row, double slope);
} adl_ftrl_steps;

const adl_ftrl_steps *adl_ftrl_steps_for_machine(void);

/* The constant: w, z and n are all float64, since every row updates it and its z grows largest; nothing penalises it. */
void adl_ftrl_update_constant(const adl_ftrl_rates *rates, double constant[3], double gradient);

#endif
