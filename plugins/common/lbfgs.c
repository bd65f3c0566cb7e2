/* Limited-memory BFGS. The two loops of the textbook read every remembered vector four times, one after the other. Here
 * the inner products of all of them are kept (as Chen, Wang & Zhou, NIPS 2014, do): the loops then run on these numbers, and
 * the vectors are read twice, in stretches that the threads share. */
#include "common/lbfgs.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/* Variables in a stretch: a few vectors of them stay in the cache. Sums are made per stretch and then in order, so that
 * they do not depend on threads. */
enum { STRETCH = 4096, SLOTS = ADL_LBFGS_MEMORY + 1 };

/* Sums over a stretch. First five inner products with every remembered vector, SLOTS of them each. */
enum { S_Y, Y_S, Y_Y, S_G, Y_G, KINDS, NORM = KINDS * SLOTS, SLOPE, SIZE, PARTS };

typedef struct search {
  const adl_call *call;
  const adl_lbfgs_problem *problem;
  int64_t count, stretches, slots; /* slots: memory + 1, one being free for the next pair */
  double *x, *gradient;            /* where it is */
  double *next, *next_gradient;    /* where it may go */
  double *slope;                   /* the gradient of the objective, l1 included, with the least absolute values */
  double *direction;
  double *s, *y;                                /* slots x count */
  double sy[SLOTS][SLOTS], yy[SLOTS][SLOTS];    /* s_i . y_j, y_i . y_j / curvature */
  double to_y[SLOTS], to_s[SLOTS], of_gradient; /* the direction as a sum of the vectors */
  int64_t newest, used, filled;                 /* newest pair, pairs that count, slots that hold anything */
  double step;
  double unit;   /* length of the slope at the origin; 0: not known yet */
  double *parts; /* stretches x PARTS */
  double total[PARTS];
  bool moved; /* `next` has been taken: there is a new pair */
} search;

typedef void (*stretch_function)(search *run, int64_t from, int size, double *parts);

typedef struct pass {
  search *run;
  stretch_function function;
} pass;

static adl_status pass_body(const adl_call *call, void *context, int64_t i) {
  const pass *p = context;
  search *run = p->run;
  (void)call;
  int64_t from = i * STRETCH, left = run->count - from;
  double *parts = run->parts + i * PARTS;
  memset(parts, 0, PARTS * sizeof *parts);
  p->function(run, from, (int)(left < STRETCH ? left : STRETCH), parts);
  return ADL_OK;
}

/* Over all stretches; afterwards `total` has the sums. */
static adl_status sweep(search *run, stretch_function function) {
  pass p = {run, function};
  if (run->stretches == 1)
    pass_body(run->call, &p, 0);
  else
    ADL_TRY(run->call->host->parallel(run->call, run->stretches, pass_body, &p));
  memset(run->total, 0, sizeof run->total);
  for (int64_t i = 0; i < run->stretches; i++)
    for (int k = 0; k < PARTS; k++) run->total[k] += run->parts[i * PARTS + k];
  return ADL_OK;
}

/* -------------------------------------------------------------------------------------- the direction ---- */

/* Of the slopes that the objective has at x, the one nearest to 0 (Andrew & Gao, equation 4). */
static double slope_at(const adl_lbfgs_problem *problem, int64_t at, double x, double gradient) {
  double l1 = problem->l1;
  if (!(l1 > 0) || at >= problem->penalised) return gradient;
  if (x != 0) return gradient + (x > 0 ? l1 : -l1);
  return gradient > l1 ? gradient - l1 : gradient < -l1 ? gradient + l1 : 0.0;
}

/* Takes the step: the pair goes into the free slot, and the inner products of the next direction are summed. */
static void arrive(search *run, int64_t from, int size, double *parts) {
  const double *curvature = run->problem->curvature + from;
  double scaled[STRETCH];
  double *x = run->x + from, *g = run->gradient + from, *slope = run->slope + from;
  int64_t free_slot = (run->newest + 1) % run->slots, n = run->count;
  int rows = (int)run->filled, stride = (int)n;
  const double *s = run->s + from, *y = run->y + from;
  if (run->moved) {
    double *step = run->s + free_slot * n + from, *change = run->y + free_slot * n + from;
    const double *next = run->next + from, *next_gradient = run->next_gradient + from;
    for (int i = 0; i < size; i++) {
      step[i] = next[i] - x[i];
      change[i] = next_gradient[i] - g[i];
      scaled[i] = change[i] / curvature[i];
      x[i] = next[i];
      g[i] = next_gradient[i];
    }
    cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, size, 1, s, stride, change, 1, 0, parts + S_Y * SLOTS, 1);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, size, 1, y, stride, step, 1, 0, parts + Y_S * SLOTS, 1);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, size, 1, y, stride, scaled, 1, 0, parts + Y_Y * SLOTS, 1);
  }
  for (int i = 0; i < size; i++) {
    slope[i] = slope_at(run->problem, from + i, x[i], g[i]);
    scaled[i] = slope[i] / curvature[i];
    parts[NORM] += slope[i] * scaled[i];
  }
  if (rows == 0) return;
  cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, size, 1, s, stride, slope, 1, 0, parts + S_G * SLOTS, 1);
  cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, size, 1, y, stride, scaled, 1, 0, parts + Y_G * SLOTS, 1);
}

/* Keeps the new pair, unless the gradient has not grown along it: then it says nothing about curvature. */
static void keep_pair(search *run) {
  const double *total = run->total;
  int64_t slot = (run->newest + 1) % run->slots;
  double sy = total[S_Y * SLOTS + slot], yy = total[Y_Y * SLOTS + slot];
  if (!(sy > 1e-14 * yy) || !(yy > 0)) return;
  for (int64_t i = 0; i < run->filled; i++) {
    run->sy[i][slot] = total[S_Y * SLOTS + i];
    run->sy[slot][i] = total[Y_S * SLOTS + i];
    run->yy[i][slot] = run->yy[slot][i] = total[Y_Y * SLOTS + i];
  }
  run->newest = slot;
  if (run->used < run->problem->memory) run->used++;
}

/* The two loops (Nocedal 1980), on inner products. */
static void weigh(search *run) {
  const double *to_s_g = run->total + S_G * SLOTS, *to_y_g = run->total + Y_G * SLOTS;
  int64_t order[SLOTS]; /* newest first */
  double alpha[SLOTS], rest[SLOTS];
  for (int64_t i = 0; i < run->used; i++) order[i] = (run->newest - i + run->slots) % run->slots;
  memset(run->to_y, 0, sizeof run->to_y);
  memset(run->to_s, 0, sizeof run->to_s);
  run->of_gradient = 1;
  if (run->used == 0) return;
  for (int64_t i = 0; i < run->used; i++) {
    double along = to_s_g[order[i]];
    for (int64_t j = 0; j < i; j++) along -= alpha[j] * run->sy[order[i]][order[j]];
    alpha[i] = along / run->sy[order[i]][order[i]];
  }
  double size = run->sy[run->newest][run->newest] / run->yy[run->newest][run->newest];
  for (int64_t i = run->used - 1; i >= 0; i--) {
    double along = to_y_g[order[i]];
    for (int64_t j = 0; j < run->used; j++) along -= alpha[j] * run->yy[order[i]][order[j]];
    along *= size;
    for (int64_t j = run->used - 1; j > i; j--) along += rest[j] * run->sy[order[j]][order[i]];
    rest[i] = alpha[i] - along / run->sy[order[i]][order[i]];
  }
  run->of_gradient = size;
  for (int64_t i = 0; i < run->used; i++) {
    run->to_y[order[i]] = -size * alpha[i];
    run->to_s[order[i]] = rest[i];
  }
}

/* The direction; a penalised variable never moves against its own slope. */
static void combine(search *run, int64_t from, int size, double *parts) {
  const double *curvature = run->problem->curvature + from, *slope = run->slope + from;
  double *d = run->direction + from;
  int rows = (int)run->filled, stride = (int)run->count;
  for (int i = 0; i < size; i++) d[i] = run->of_gradient * slope[i];
  if (run->used > 0)
    cblas_dgemv(CblasRowMajor, CblasTrans, rows, size, 1, run->y + from, stride, run->to_y, 1, 1, d, 1);
  for (int i = 0; i < size; i++) d[i] /= curvature[i];
  if (run->used > 0)
    cblas_dgemv(CblasRowMajor, CblasTrans, rows, size, 1, run->s + from, stride, run->to_s, 1, 1, d, 1);
  bool absolute = run->problem->l1 > 0;
  for (int i = 0; i < size; i++) {
    d[i] = absolute && from + i < run->problem->penalised && d[i] * slope[i] <= 0 ? 0.0 : -d[i];
    parts[SLOPE] += d[i] * slope[i];
  }
}

/* ------------------------------------------------------------------------------------ the line search ---- */

/* The point so far along the direction. Penalised variables stop at 0 rather than change their sign (Andrew & Gao, section
 * 3.2); then the way is not straight, and the slope is taken along the step itself. */
static void try_step(search *run, int64_t from, int size, double *parts) {
  const double *x = run->x + from, *d = run->direction + from, *slope = run->slope + from;
  double *next = run->next + from;
  bool absolute = run->problem->l1 > 0;
  for (int i = 0; i < size; i++) {
    next[i] = x[i] + run->step * d[i];
    if (!absolute || from + i >= run->problem->penalised) continue;
    double sign = x[i] != 0 ? x[i] : -slope[i];
    if (next[i] * sign <= 0) next[i] = 0.0;
    parts[SIZE] += fabs(next[i]);
  }
  for (int i = 0; absolute && i < size; i++) parts[SLOPE] += slope[i] * (next[i] - x[i]);
}

static void slope_along(search *run, int64_t from, int size, double *parts) {
  parts[SLOPE] = cblas_ddot(size, run->next_gradient + from, 1, run->direction + from, 1);
}

/* A point on the line: how far, the objective and its slope there. */
typedef struct point {
  double step, value, slope;
} point;

/* Where the cubic through two points with their slopes has its minimum (Nocedal & Wright, equation 3.59), kept well inside
 * of them. */
static double between(point low, point high) {
  double width = high.step - low.step, least = low.step + 0.1 * width, most = high.step - 0.1 * width;
  double a = low.slope + high.slope - 3 * (high.value - low.value) / width, b = a * a - low.slope * high.slope;
  if (!isfinite(high.value) || !isfinite(high.slope) || !(b >= 0))
    return low.step + (isfinite(high.value) ? 0.5 : 0.1) * width;
  b = sqrt(b);
  double at = high.step - width * (high.slope + b - a) / (high.slope - low.slope + 2 * b);
  return at == at ? fmin(most, fmax(least, at)) : low.step + 0.5 * width;
}

/* Evaluates the objective at `step`. *wanted: how far it has to fall to be worth it, below 0. */
static adl_status look(search *run, double step, adl_lbfgs_result *result, point *at, double *wanted) {
  const adl_lbfgs_problem *problem = run->problem;
  bool absolute = problem->l1 > 0;
  run->step = step;
  ADL_TRY(sweep(run, try_step));
  double size = run->total[SIZE], along = run->total[SLOPE];
  at->step = step;
  ADL_TRY(problem->evaluate(run->call, problem->context, run->next, &at->value, run->next_gradient));
  result->evaluations++;
  if (absolute) at->value += problem->l1 * size;
  if (isfinite(at->value)) ADL_TRY(sweep(run, slope_along));
  at->slope = run->total[SLOPE];
  *wanted = absolute ? along : *wanted * step;
  return ADL_OK;
}

/* Finds a step that lowers the objective enough and after which the slope is flat enough (the Wolfe conditions; with l1
 * the first one only). *found is false when rounding leaves none. */
static adl_status line_search(search *run, double slope, adl_lbfgs_result *result, point *reached, bool *found) {
  const double enough = 1e-4, flat = 0.9;
  point start = {0, result->objective, slope}, low = start, high = {INFINITY, 0, 0}, at;
  double step = 1;
  *found = false;
  for (int tries = 0; tries < 60; tries++) {
    double wanted = slope;
    ADL_TRY(look(run, step, result, &at, &wanted));
    bool falls = at.value <= start.value + enough * wanted && at.value < start.value;
    if (falls && (run->problem->l1 > 0 || at.slope >= flat * slope)) {
      *reached = at;
      *found = true;
      return ADL_OK;
    }
    if (falls)
      low = at;
    else
      high = at;
    if (-slope * step < 1e-15 * fabs(start.value)) break; /* less than a float64 can show */
    if (run->problem->l1 > 0)
      step *= isfinite(at.value) && tries == 0 ? 0.5 : 0.25;
    else
      step = isinf(high.step) ? 4 * step : between(low, high);
  }
  if (low.step == 0) return ADL_OK;
  double wanted = slope; /* lower, though not flat */
  *found = true;
  ADL_TRY(look(run, low.step, result, reached, &wanted));
  return ADL_OK;
}

/* ----------------------------------------------------------------------------------------------- all ---- */

static double *vector(const adl_call *call, int64_t count) {
  return call->host->alloc(call, (size_t)count * sizeof(double));
}

static search *search_new(const adl_call *call, const adl_lbfgs_problem *problem, double *x) {
  search *run = call->host->alloc(call, sizeof *run);
  int64_t n = problem->count, slots = problem->memory + 1;
  memset(run, 0, sizeof *run);
  run->call = call;
  run->problem = problem;
  run->count = n;
  run->stretches = (n + STRETCH - 1) / STRETCH;
  run->slots = slots;
  run->newest = slots - 1;
  run->x = x;
  run->gradient = vector(call, n);
  run->next = vector(call, n);
  run->next_gradient = vector(call, n);
  run->slope = vector(call, n);
  run->direction = vector(call, n);
  run->s = vector(call, n * slots);
  run->y = vector(call, n * slots);
  run->parts = vector(call, run->stretches * PARTS);
  return run;
}

/* The direction from the pairs, or, where these do not lead down, without them. *slope is 0 at a minimum. */
static adl_status choose_direction(search *run, double *slope) {
  weigh(run);
  ADL_TRY(sweep(run, combine));
  *slope = run->total[SLOPE];
  if (*slope < 0 || run->used == 0) return ADL_OK;
  run->used = 0;
  weigh(run);
  ADL_TRY(sweep(run, combine));
  *slope = run->total[SLOPE];
  return ADL_OK;
}

/* How long the slope is at the origin. */
static adl_status measure_origin(search *run, adl_lbfgs_result *result) {
  const adl_lbfgs_problem *problem = run->problem;
  double value, sum = 0;
  if (problem->origin == NULL) return ADL_OK;
  ADL_TRY(problem->evaluate(run->call, problem->context, problem->origin, &value, run->gradient));
  result->evaluations++;
  for (int64_t i = 0; i < run->count; i++) {
    double slope = slope_at(problem, i, problem->origin[i], run->gradient[i]);
    sum += slope * slope / problem->curvature[i];
  }
  run->unit = sqrt(sum);
  return ADL_OK;
}

/* Whether this is where it ends: reports what has been reached, and takes the step into account. */
static adl_status settle(search *run, adl_lbfgs_result *result, bool *ends) {
  const adl_lbfgs_problem *problem = run->problem;
  int64_t slot = (run->newest + 1) % run->slots;
  if (run->moved && slot >= run->filled) run->filled = slot + 1;
  ADL_TRY(sweep(run, arrive));
  double norm = sqrt(run->total[NORM]);
  if (run->unit == 0) run->unit = norm;
  result->norm = run->unit > 0 ? norm / run->unit : 0;
  problem->reached(run->call, problem->context, result->iterations, result->objective, result->norm);
  if (result->norm <= problem->tolerance) result->end = ADL_LBFGS_CONVERGED;
  *ends = result->norm <= problem->tolerance || result->iterations == problem->iterations;
  if (run->moved) keep_pair(run);
  return ADL_OK;
}

adl_status adl_lbfgs_minimise(const adl_call *call, const adl_lbfgs_problem *problem, double *x,
                              adl_lbfgs_result *result) {
  search *run = search_new(call, problem, x);
  *result = (adl_lbfgs_result){.end = ADL_LBFGS_EXHAUSTED, .evaluations = 1};
  ADL_TRY(measure_origin(run, result));
  ADL_TRY(problem->evaluate(call, problem->context, x, &result->objective, run->gradient));
  for (int64_t i = 0; problem->l1 > 0 && i < problem->penalised; i++) result->objective += problem->l1 * fabs(x[i]);
  for (;;) {
    bool ends, found = false, bare = false;
    point reached = {0, 0, 0};
    ADL_TRY(settle(run, result, &ends));
    if (ends) return ADL_OK;
    while (!found && !bare) { /* where the pairs lead nowhere: once more, straight down */
      double slope;
      ADL_TRY(choose_direction(run, &slope));
      bare = run->used == 0;
      if (slope < 0) ADL_TRY(line_search(run, slope, result, &reached, &found));
      if (!found) run->used = 0;
    }
    if (!found) {
      result->end = ADL_LBFGS_NO_LOWER;
      return ADL_OK;
    }
    result->objective = reached.value;
    result->iterations++;
    run->moved = true;
  }
}
