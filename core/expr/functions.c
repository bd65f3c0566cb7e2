/* The functions of expressions: what they are called, what they take, what they do in one sentence. Called by parse.c
 * through adl_expr_call_node; the sentences go into the manual. */
#include <string.h>

#include "core/expr/internal.h"

typedef struct function {
  adl_expr_function public; /* first: what the manual shows */
  int32_t least, most;      /* arguments */
  /* What the result and each argument are: b bool, i integer, f float, t timestamp, s string. NULL: `make` does it. */
  const char *signature;
  adl_expr_kernel kernel;
  int32_t (*make)(adl_expr_builder *builder, const struct function *function, adl_expr_span span, int32_t *args,
                  int32_t count);
} function;

static adl_expr_kind letter_kind(char letter) {
  switch (letter) {
    case 'b': return ADL_EXPR_BOOL;
    case 'i': return ADL_EXPR_INT;
    case 'f': return ADL_EXPR_FLOAT;
    case 't': return ADL_EXPR_TIME;
    default: return ADL_EXPR_STRING;
  }
}

static const adl_expr_node *arg_at(const adl_expr_builder *builder, const int32_t *args, int32_t at) {
  return adl_expr_node_at(builder, args[at]);
}

static int32_t make_plain(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args,
                          int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    args[i] = adl_expr_coerce(builder, args[i], letter_kind(f->signature[i + 1]), f->public.name);
  }
  return adl_expr_kernel_node(builder, span, letter_kind(f->signature[0]), false, f->kernel, NULL, args, count,
                              f->kernel != adl_expr_now);
}

static int32_t bad(adl_expr_builder *builder, adl_expr_span span) {
  adl_expr_value nothing = {0};
  return adl_expr_constant_node(builder, span, ADL_EXPR_BAD, nothing);
}

/* A function for which the kind of its arguments, brought to one, decides the kernel: by bool, int, float, time, text. */
static int32_t make_of_kind(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args,
                            int32_t first, int32_t count, const adl_expr_kernel kernels[5]) {
  static const adl_expr_kind places[] = {ADL_EXPR_BOOL, ADL_EXPR_INT, ADL_EXPR_FLOAT, ADL_EXPR_TIME, ADL_EXPR_STRING};
  bool category;
  adl_expr_kind kind = adl_expr_unify(builder, args + first, count - first, f->public.name, &category);
  if (kind == ADL_EXPR_BAD) return bad(builder, span);
  if (kind == ADL_EXPR_NULL) return adl_expr_bad(builder, span, NULL, "every value of this %s is null", f->public.name);
  size_t place = 0;
  while (places[place] != (kind == ADL_EXPR_BYTES ? ADL_EXPR_STRING : kind)) place++;
  if (kernels[place] == NULL) {
    return adl_expr_bad(builder, adl_expr_span_of(builder, args[first]), NULL, "%s cannot be told of %s",
                        f->public.name, adl_expr_kind_name(adl_expr_node_at(builder, args[first])));
  }
  return adl_expr_kernel_node(builder, span, kind, category, kernels[place], NULL, args, count, true);
}

static int32_t make_if(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args, int32_t count) {
  static const adl_expr_kernel kernels[] = {adl_expr_if_1, adl_expr_if_8, adl_expr_if_8, adl_expr_if_8, adl_expr_if_16};
  args[0] = adl_expr_coerce(builder, args[0], ADL_EXPR_BOOL, "if");
  return make_of_kind(builder, f, span, args, 1, count, kernels);
}

static int32_t make_coalesce(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args,
                             int32_t count) {
  static const adl_expr_kernel kernels[] = {adl_expr_coalesce_1, adl_expr_coalesce_8, adl_expr_coalesce_8,
                                            adl_expr_coalesce_8, adl_expr_coalesce_16};
  return make_of_kind(builder, f, span, args, 0, count, kernels);
}

static int32_t make_min(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args,
                        int32_t count) {
  static const adl_expr_kernel kernels[] = {NULL, adl_expr_least_int, adl_expr_least_float, adl_expr_least_int,
                                            adl_expr_least_text};
  return make_of_kind(builder, f, span, args, 0, count, kernels);
}

static int32_t make_max(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args,
                        int32_t count) {
  static const adl_expr_kernel kernels[] = {NULL, adl_expr_greatest_int, adl_expr_greatest_float, adl_expr_greatest_int,
                                            adl_expr_greatest_text};
  return make_of_kind(builder, f, span, args, 0, count, kernels);
}

/* abs, floor, ceil, round: integers stay integers. */
static int32_t make_whole(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args,
                          int32_t count) {
  const adl_expr_node *node = arg_at(builder, args, 0);
  if (node->kind == ADL_EXPR_INT && !node->category) {
    if (f->kernel != adl_expr_absolute_float) return args[0];
    return adl_expr_kernel_node(builder, span, ADL_EXPR_INT, false, adl_expr_absolute_int, NULL, args, 1, true);
  }
  args[0] = adl_expr_coerce(builder, args[0], ADL_EXPR_FLOAT, f->public.name);
  if (count == 2) args[1] = adl_expr_coerce(builder, args[1], ADL_EXPR_INT, "the second argument of round");
  return adl_expr_kernel_node(builder, span, ADL_EXPR_FLOAT, false, count == 2 ? adl_expr_round_to : f->kernel, NULL,
                              args, count, true);
}

static int32_t text_of(adl_expr_builder *builder, const char *what, adl_expr_span span, int32_t arg) {
  const adl_expr_node *node = adl_expr_node_at(builder, arg);
  adl_expr_kernel kernel = NULL;
  switch (node->kind) {
    case ADL_EXPR_BAD:
    case ADL_EXPR_STRING: return arg;
    case ADL_EXPR_BOOL: kernel = adl_expr_text_of_bool; break;
    case ADL_EXPR_INT: kernel = adl_expr_text_of_int; break;
    case ADL_EXPR_FLOAT: kernel = adl_expr_text_of_float; break;
    case ADL_EXPR_TIME: kernel = adl_expr_text_of_time; break;
    default: return adl_expr_coerce(builder, arg, ADL_EXPR_STRING, what);
  }
  return adl_expr_kernel_node(builder, span, ADL_EXPR_STRING, false, kernel, NULL, &arg, 1, true);
}

static int32_t make_string(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args,
                           int32_t count) {
  (void)count;
  return text_of(builder, f->public.name, span, args[0]);
}

static int32_t make_concat(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args,
                           int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    args[i] = text_of(builder, f->public.name, adl_expr_span_of(builder, args[i]), args[i]);
  }
  return adl_expr_kernel_node(builder, span, ADL_EXPR_STRING, false, adl_expr_concat, NULL, args, count, true);
}

/* The same value, no longer an id: 0 added to it. */
static int32_t plain_integer(adl_expr_builder *builder, adl_expr_span span, int32_t arg) {
  adl_expr_value zero = {.valid = true};
  int32_t args[2] = {arg, adl_expr_constant_node(builder, span, ADL_EXPR_INT, zero)};
  return adl_expr_kernel_node(builder, span, ADL_EXPR_INT, false, adl_expr_add_int, NULL, args, 2, true);
}

static int32_t make_number(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args,
                           int32_t count) {
  const adl_expr_node *node = arg_at(builder, args, 0);
  (void)count;
  switch (node->kind) {
    case ADL_EXPR_INT: return node->category ? plain_integer(builder, span, args[0]) : args[0];
    case ADL_EXPR_BOOL:
      return adl_expr_kernel_node(builder, span, ADL_EXPR_INT, false, adl_expr_bool_to_int, NULL, args, 1, true);
    case ADL_EXPR_STRING:
      return adl_expr_kernel_node(builder, span, ADL_EXPR_FLOAT, false, adl_expr_number_of_text, NULL, args, 1, true);
    default: return adl_expr_coerce(builder, args[0], ADL_EXPR_FLOAT, f->public.name);
  }
}

static int32_t make_integer(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args,
                            int32_t count) {
  args[0] = make_number(builder, f, span, args, count);
  const adl_expr_node *node = arg_at(builder, args, 0);
  if (node->kind != ADL_EXPR_FLOAT) return args[0];
  return adl_expr_kernel_node(builder, span, ADL_EXPR_INT, false, adl_expr_float_to_int, NULL, args, 1, true);
}

static int32_t make_timestamp(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args,
                              int32_t count) {
  const adl_expr_node *node = arg_at(builder, args, 0);
  if (node->kind != ADL_EXPR_STRING || node->constant)
    return adl_expr_coerce(builder, args[0], ADL_EXPR_TIME, f->public.name);
  return adl_expr_kernel_node(builder, span, ADL_EXPR_TIME, false, adl_expr_time_of_text, NULL, args, count, true);
}

static int32_t make_length(adl_expr_builder *builder, const function *f, adl_expr_span span, int32_t *args,
                           int32_t count) {
  bool bytes = arg_at(builder, args, 0)->kind == ADL_EXPR_BYTES;
  if (!bytes) args[0] = adl_expr_coerce(builder, args[0], ADL_EXPR_STRING, f->public.name);
  return adl_expr_kernel_node(builder, span, ADL_EXPR_INT, false, bytes ? adl_expr_length_bytes : adl_expr_length, NULL,
                              args, count, true);
}

#define MANY ADL_EXPR_MAX_ARGUMENTS
static const function functions[] = {
    {{"if", "if(condition, then, else)", "One of two values; a condition that is null counts as false."},
     3,
     3,
     NULL,
     NULL,
     make_if},
    {{"coalesce", "coalesce(a, b, ...)", "The first value that is not null."}, 1, MANY, NULL, NULL, make_coalesce},
    {{"min", "min(a, b, ...)", "The least of several values of one row; null if any of them is null."},
     2,
     MANY,
     NULL,
     NULL,
     make_min},
    {{"max", "max(a, b, ...)", "The greatest of several values of one row; null if any of them is null."},
     2,
     MANY,
     NULL,
     NULL,
     make_max},
    {{"abs", "abs(x)", "The absolute value; of an integer an integer."},
     1,
     1,
     NULL,
     adl_expr_absolute_float,
     make_whole},
    {{"floor", "floor(x)", "The next whole number at or below x; of an integer x itself."},
     1,
     1,
     NULL,
     adl_expr_floor,
     make_whole},
    {{"ceil", "ceil(x)", "The next whole number at or above x; of an integer x itself."},
     1,
     1,
     NULL,
     adl_expr_ceil,
     make_whole},
    {{"round", "round(x), round(x, digits)",
      "The nearest whole number, or with that many digits behind the point; halves go "
      "away from zero. Of an integer x itself."},
     1,
     2,
     NULL,
     adl_expr_round,
     make_whole},
    {{"sqrt", "sqrt(x)", "The square root; null below 0."}, 1, 1, "ff", adl_expr_sqrt, NULL},
    {{"exp", "exp(x)", "e to the power of x; null where it is not finite."}, 1, 1, "ff", adl_expr_exp, NULL},
    {{"log", "log(x)", "The natural logarithm; null at 0 and below."}, 1, 1, "ff", adl_expr_log, NULL},
    {{"log1p", "log1p(x)", "log(1 + x), exact near 0; null at -1 and below."}, 1, 1, "ff", adl_expr_log1p, NULL},
    {{"pow", "pow(x, y)", "x to the power of y; null where it is not a finite real number."},
     2,
     2,
     "fff",
     adl_expr_pow,
     NULL},
    {{"number", "number(x)",
      "A number from a string (float64; null if it is none), a bool (0 or 1) or an id of integers."},
     1,
     1,
     NULL,
     NULL,
     make_number},
    {{"integer", "integer(x)", "The same as int64, without what is behind the point; null where it does not fit."},
     1,
     1,
     NULL,
     NULL,
     make_integer},
    {{"string", "string(x)", "The value written as a string; numbers in the fewest digits that read back the same."},
     1,
     1,
     NULL,
     NULL,
     make_string},
    {{"concat", "concat(a, b, ...)",
      "The values, written as string(x) does, one behind the other; null if any is null."},
     1,
     MANY,
     NULL,
     NULL,
     make_concat},
    {{"lower", "lower(s)", "The string in lower case, letter by letter (Unicode)."}, 1, 1, "ss", adl_expr_lower, NULL},
    {{"upper", "upper(s)", "The string in upper case, letter by letter (Unicode)."}, 1, 1, "ss", adl_expr_upper, NULL},
    {{"trim", "trim(s)", "The string without blanks, tabs and line ends at both ends."},
     1,
     1,
     "ss",
     adl_expr_trim,
     NULL},
    {{"length", "length(s)", "How many characters (Unicode code points) a string has; of bytes, how many there are."},
     1,
     1,
     NULL,
     NULL,
     make_length},
    {{"contains", "contains(s, part)", "Whether the part occurs in the string; letter case counts."},
     2,
     2,
     "bss",
     adl_expr_contains,
     NULL},
    {{"starts_with", "starts_with(s, part)", "Whether the string begins with the part."},
     2,
     2,
     "bss",
     adl_expr_starts_with,
     NULL},
    {{"ends_with", "ends_with(s, part)", "Whether the string ends with the part."},
     2,
     2,
     "bss",
     adl_expr_ends_with,
     NULL},
    {{"timestamp", "timestamp(s)",
      "A timestamp from a string such as '2024-06-01 12:00:00', UTC unless it says +02:00; null "
      "if it is none."},
     1,
     1,
     NULL,
     NULL,
     make_timestamp},
    {{"now", "now()", "The moment at which the run began: the same for every row."}, 0, 0, "t", adl_expr_now, NULL},
    {{"date", "date(t)", "The beginning of the day (UTC), a timestamp."}, 1, 1, "tt", adl_expr_date, NULL},
    {{"year", "year(t)", "The year (UTC, as the others)."}, 1, 1, "it", adl_expr_year, NULL},
    {{"month", "month(t)", "The month, 1 to 12."}, 1, 1, "it", adl_expr_month, NULL},
    {{"day", "day(t)", "The day of the month, 1 to 31."}, 1, 1, "it", adl_expr_day, NULL},
    {{"hour", "hour(t)", "The hour, 0 to 23."}, 1, 1, "it", adl_expr_hour, NULL},
    {{"minute", "minute(t)", "The minute, 0 to 59."}, 1, 1, "it", adl_expr_minute, NULL},
    {{"weekday", "weekday(t)", "The day of the week as ISO 8601 counts: Monday is 1, Sunday 7."},
     1,
     1,
     "it",
     adl_expr_weekday,
     NULL},
    {{"days_between", "days_between(a, b)", "The time from a to b in days, with a fraction; negative if b is earlier."},
     2,
     2,
     "ftt",
     adl_expr_days_between,
     NULL},
    {{"add_days", "add_days(t, days)", "The timestamp so many days later; days may be a fraction or negative."},
     2,
     2,
     "ttf",
     adl_expr_add_days,
     NULL},
};

const adl_expr_function *adl_expr_function_at(int32_t at) {
  return at >= 0 && at < (int32_t)G_N_ELEMENTS(functions) ? &functions[at].public : NULL;
}

static int32_t unknown_function(adl_expr_builder *builder, adl_expr_span span, const char *name) {
  static const char *const of_rows[] = {"sum", "mean", "avg", "count", "last", "first", "distinct", "bag"};
  const char *names[G_N_ELEMENTS(functions)];
  for (size_t i = 0; i < G_N_ELEMENTS(functions); i++) names[i] = functions[i].public.name;
  char *hint = NULL, *cut = adl_expr_cut(name);
  for (size_t i = 0; i < G_N_ELEMENTS(of_rows) && hint == NULL; i++) {
    if (strcmp(name, of_rows[i]) == 0) hint = g_strdup("an expression sees one row; the class group sums up rows");
  }
  if (hint == NULL) hint = adl_expr_did_you_mean(name, names, G_N_ELEMENTS(names));
  int32_t node = adl_expr_bad(builder, span, hint, "no function is called `%s`", cut);
  g_free(hint);
  g_free(cut);
  return node;
}

int32_t adl_expr_call_node(adl_expr_builder *builder, adl_expr_span span, adl_expr_span name_span, const char *name,
                           int32_t *args, int32_t count) {
  const function *f = NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(functions) && f == NULL; i++) {
    if (strcmp(functions[i].public.name, name) == 0) f = &functions[i];
  }
  if (f == NULL) return unknown_function(builder, name_span, name);
  if (count < f->least || count > f->most) {
    return adl_expr_bad(builder, name_span, f->public.doc, "%s is used as %s, not with %d argument%s", f->public.name,
                        f->public.usage, count, count == 1 ? "" : "s");
  }
  for (int32_t i = 0; i < count; i++) {
    if (arg_at(builder, args, i)->kind == ADL_EXPR_BAD) return bad(builder, span);
  }
  return f->make != NULL ? f->make(builder, f, span, args, count) : make_plain(builder, f, span, args, count);
}
