/*
 * Limited-memory BFGS (Nocedal, Mathematics of Computation 1980; Liu & Nocedal, Mathematical Programming 1989), and its
 * orthant-wise form for absolute penalties (Andrew & Gao, ICML 2007). Minimises a convex function of many variables
 * whose value and gradient a callback gives. Used by lbfgs.
 */
#ifndef ADLOOM_PLUGINS_COMMON_LBFGS_H
#define ADLOOM_PLUGINS_COMMON_LBFGS_H

#include <adloom/plugin.h>

enum { ADL_LBFGS_MEMORY = 50 }; /* the most pairs that can be remembered */

typedef struct adl_lbfgs_problem {
  int64_t count;     /* variables */
  int64_t penalised; /* l1 times the absolute value of each of the first so many is added to the function */
  double l1;
  const double
      *curvature; /* count, all above 0: roughly the second derivatives, by which variables are brought to one size */
  int64_t memory; /* pairs of steps and changes of the gradient, 1 .. ADL_LBFGS_MEMORY */
  int64_t iterations; /* the most */
  /* Stop when the slope of the objective is no longer than `tolerance` times its length at `origin` (NULL: where x begins):
   * lengths are sqrt(sum of slope^2 / curvature), so that the units of the variables do not matter. */
  double tolerance;
  const double *origin;
  /* Value and gradient of the smooth part at x. An infinite or NaN value is taken as too far. */
  adl_status (*evaluate)(const adl_call *call, void *context, const double *x, double *value, double *gradient);
  /* Before the first and after each iteration, with what has been reached; the norm is a part of that at `origin`. */
  void (*reached)(const adl_call *call, void *context, int64_t iteration, double objective, double norm);
  void *context;
} adl_lbfgs_problem;

typedef enum adl_lbfgs_end {
  ADL_LBFGS_CONVERGED = 0,
  ADL_LBFGS_NO_LOWER = 1, /* float64 arithmetic finds nothing lower */
  ADL_LBFGS_EXHAUSTED = 2 /* the iterations are used up */
} adl_lbfgs_end;

typedef struct adl_lbfgs_result {
  adl_lbfgs_end end;
  int64_t iterations, evaluations;
  double objective, norm; /* l1 included; the norm as for `reached` */
} adl_lbfgs_result;

/* Moves x to the minimum. The objective falls in every iteration. The result does not depend on the number of threads;
 * memory is that of the call, (2 memory + 8) x count numbers. */
adl_status adl_lbfgs_minimise(const adl_call *call, const adl_lbfgs_problem *problem, double *x,
                              adl_lbfgs_result *result);

#endif
