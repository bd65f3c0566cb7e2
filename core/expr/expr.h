/*
 * Expressions: the small language of `filter where:`, `derive columns:`, `holdout where:` and the arguments of calls
 * such as `sum(price * quantity)`. A text is compiled once, against the columns it may read (types are known then, and
 * every error is found then, with its place in the text), and evaluated a column at a time. Used by the graph layer for
 * EXPRESSION and CALL parameters, by the engine, and by core/expr/extension.c for plugins.
 *
 * Values are bool, int64, float64, string, bytes and timestamp, each of which may be null. Rules that surprise nobody
 * who knows SQL: comparing with null gives null; `and`, `or`, `not` are three-valued; a filter takes null as false.
 * What has no answer is null: division by zero, the logarithm of what is not positive, int64 overflow, a float result
 * that is not finite, number('abc'). A NaN in a column reads as null. The whole language is described in docs.
 */
#ifndef ADLOOM_CORE_EXPR_EXPR_H
#define ADLOOM_CORE_EXPR_EXPR_H

#include <adloom/plugin.h>

#include "core/data/array.h"

typedef struct adl_expr adl_expr;

/* One thing that is wrong with a text. Strings are valid during the call of `problem` only. */
typedef struct adl_expr_problem {
  int32_t offset;      /* in bytes, where in the text */
  int32_t length;      /* in bytes, of the part that is wrong; at least 1, except at the very end of the text */
  const char *message; /* "no column is called `prise`": no capital, no full stop, does not repeat the place */
  const char *hint;    /* "did you mean `price`?", NULL: none */
} adl_expr_problem;

/* What a text is compiled against. */
typedef struct adl_expr_scope {
  /* Number (0 or more, the caller's own) and type of the column of that name; -1: there is none. Widths may be 0. */
  int32_t (*find)(void *data, const char *name, adl_type *type);
  /* Name of the i-th column, in any order, for "did you mean"; NULL: no more. The function may be NULL. */
  const char *(*name)(void *data, int32_t at);
  /* Called once for every problem, in rising order of offset as far as possible. */
  void (*problem)(void *data, const adl_expr_problem *problem);
  void *data;
} adl_expr_scope;

/* Bounds on what a text may be; more is a problem, reported as any other. */
enum {
  ADL_EXPR_MAX_BYTES = 65536, /* length of the text */
  ADL_EXPR_MAX_DEPTH = 200,   /* nesting of parentheses, calls and operators */
  ADL_EXPR_MAX_PROBLEMS = 20  /* reported of one text; the rest is not looked for */
};

/*
 * [setup] Compiles a text. NULL: at least one problem has been reported. A column that is read must be scalar, save
 * that an expression may be nothing but the name of a column, which then may have any type (see adl_expr_column).
 */
adl_expr *adl_expr_compile(const char *text, const adl_expr_scope *scope);
void adl_expr_free(adl_expr *expr); /* NULL is fine */

/* Type of the result: scalar bool, int64, float64, timestamp, string or bytes; of a bare column its own type. Numbers
 * have the role NUMBER, unless they come unchanged from a category (an id). */
adl_type adl_expr_type(const adl_expr *expr);

/* Columns that are read: numbers that scope->find gave, each once, in order of first appearance. */
int32_t adl_expr_input_count(const adl_expr *expr);
int32_t adl_expr_input(const adl_expr *expr, int32_t at);

/* The expression is nothing but this column (the number that scope->find gave): it can be shared instead of evaluated.
 * -1: it is more. */
int32_t adl_expr_column(const adl_expr *expr);

/* The result does not depend on any row (it may depend on now_us). */
bool adl_expr_constant(const adl_expr *expr);

/* False: it depends on now_us, so the same rows give other values in the next run. */
bool adl_expr_repeatable(const adl_expr *expr);

/*
 * [run] Computes the expression for `rows` rows. `inputs` are the columns of adl_expr_input, in that order, at least
 * `rows` long; their element and shape are those that scope->find told. `now_us` is what now() gives. Any number of
 * threads may evaluate one expression. NULL with *why (a static sentence) only when the strings made would pass the
 * limits of an array.
 */
adl_array *adl_expr_evaluate(const adl_expr *expr, const adl_column *const *inputs, int64_t rows, int64_t now_us,
                             const char **why);

/* A call: one of the functions that a CALL parameter offers, and its arguments. */
enum { ADL_EXPR_MAX_CALL_ARGUMENTS = 3 };
typedef struct adl_expr_call {
  int32_t function; /* index into the choices */
  int32_t argument_count;
  adl_expr *arguments[ADL_EXPR_MAX_CALL_ARGUMENTS];
} adl_expr_call;

/* [setup] Compiles a text such as `last(price, at)`. `choices` is adl_param.choices: "sum/1|last/2|bag/1-2|count/0".
 * False: at least one problem has been reported, and *call is cleared. Offsets count from the start of the text. */
bool adl_expr_compile_call(const char *text, const char *choices, const adl_expr_scope *scope, adl_expr_call *call);
void adl_expr_call_clear(adl_expr_call *call); /* frees the arguments and zeroes the rest */

/* The functions of the language, for the manual and the fuzz dictionary. NULL: no more. */
typedef struct adl_expr_function {
  const char *name;
  const char *usage; /* "if(condition, then, else)" */
  const char *doc;   /* one sentence */
} adl_expr_function;
const adl_expr_function *adl_expr_function_at(int32_t at);

/* What plugins get from host->extension(call, "adloom.expression/1"); see include/adloom/expression.h. */
struct adl_expression_extension;
extern const struct adl_expression_extension adl_expr_extension;

#endif
