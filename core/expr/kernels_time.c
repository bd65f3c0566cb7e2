/* Kernels of timestamps: parts of the date, differences, reading. Called by evaluate.c. Everything is UTC. */
#include <math.h>

#include "core/expr/internal.h"

/* Logs often repeat a timestamp in many rows: the calendar is worked out once for each run of them. */
#define PART(name, part)                                                                                               \
  void name(ADL_EXPR_KERNEL_ARGS) {                                                                                    \
    adl_expr_civil civil = adl_expr_time_civil(0);                                                                     \
    int64_t last = 0;                                                                                                  \
    (void)run, (void)payload, (void)count;                                                                             \
    adl_expr_valid_and(args, 1, out, rows);                                                                            \
    for (int64_t row = 0; row < rows; row++) {                                                                         \
      int64_t us = args[0]->i[row];                                                                                    \
      if (us != last) civil = adl_expr_time_civil(us);                                                                 \
      last = us;                                                                                                       \
      out->i[row] = civil.part;                                                                                        \
    }                                                                                                                  \
  }

PART(adl_expr_year, year)
PART(adl_expr_month, month)
PART(adl_expr_day, day)
PART(adl_expr_hour, hour)
PART(adl_expr_minute, minute)

static int64_t day_number(int64_t us) { return us / ADL_EXPR_DAY_US - (us % ADL_EXPR_DAY_US < 0); }

/* 1970-01-01 was a Thursday, 4. */
void adl_expr_weekday(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 1, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    int64_t day = (day_number(args[0]->i[row]) + 3) % 7;
    out->i[row] = (day < 0 ? day + 7 : day) + 1;
  }
}

/* The very first day of int64 microseconds begins before them: null. */
void adl_expr_date(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 1, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    if (__builtin_mul_overflow(day_number(args[0]->i[row]), ADL_EXPR_DAY_US, &out->i[row])) {
      adl_expr_valid_write(out, rows)[row] = 0;
    }
  }
}

ADL_EXPR_LOOPS void adl_expr_days_between(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 2, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    out->f[row] = ((double)args[1]->i[row] - (double)args[0]->i[row]) / (double)ADL_EXPR_DAY_US;
  }
}

void adl_expr_add_days(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 2, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    double us = round(args[1]->f[row] * (double)ADL_EXPR_DAY_US);
    bool fits = us > -9.2e18 && us < 9.2e18;
    if (!fits || __builtin_add_overflow(args[0]->i[row], (int64_t)us, &out->i[row])) {
      adl_expr_valid_write(out, rows)[row] = 0;
      out->i[row] = 0;
    }
  }
}

void adl_expr_time_of_text(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 1, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    adl_text text = args[0]->t[row];
    if (text.size > 0 && adl_expr_time_parse(text.data, text.size, &out->i[row])) continue;
    adl_expr_valid_write(out, rows)[row] = 0;
    out->i[row] = 0;
  }
}

void adl_expr_now(ADL_EXPR_KERNEL_ARGS) {
  (void)payload, (void)args, (void)count;
  out->valid = NULL;
  for (int64_t row = 0; row < rows; row++) out->i[row] = run->now_us;
}
