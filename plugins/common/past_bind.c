/* Reading the calls of a history, `spend: sum(amount)`, and what columns come of them. See past.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"
#include "common/past.h"
#include "common/sides.h"

typedef struct function_of {
  const char *name;
  int least, most; /* arguments */
} function_of;

static const function_of functions[] = {
    [ADL_PAST_COUNT] = {"count", 0, 1}, [ADL_PAST_SUM] = {"sum", 1, 1},           [ADL_PAST_MEAN] = {"mean", 1, 1},
    [ADL_PAST_MIN] = {"min", 1, 1},     [ADL_PAST_MAX] = {"max", 1, 1},           [ADL_PAST_LAST] = {"last", 1, 1},
    [ADL_PAST_BAG] = {"bag", 1, 2},     [ADL_PAST_DISTINCT] = {"distinct", 1, 1}, [ADL_PAST_SINCE] = {"since", 0, 0},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions, LONGEST = 256 };

typedef struct parsed {
  adl_past_function function;
  int count;
  char arguments[2][LONGEST];
  char parameter[LONGEST]; /* to blame */
} parsed;

/* ---- reading ---- */

static const char *skip_blanks(const char *at) {
  while (isspace((unsigned char)*at)) at++;
  return at;
}

/* Text up to one of `ends`, without blanks around it; returns where it ended. */
static const char *read_name(const char *at, const char *ends, char name[LONGEST]) {
  at = skip_blanks(at);
  size_t size = strcspn(at, ends), kept = size;
  while (kept > 0 && isspace((unsigned char)at[kept - 1])) kept--;
  if (kept >= LONGEST) kept = LONGEST - 1;
  memcpy(name, at, kept);
  name[kept] = '\0';
  return at + size;
}

static adl_status refuse_function(const adl_call *call, const parsed *p, const char *name) {
  const char *names[FUNCTIONS];
  for (int i = 0; i < FUNCTIONS; i++) names[i] = functions[i].name;
  int32_t near = adl_nearest(name, FUNCTIONS, names);
  if (near < 0)
    return call->host->fail(call, p->parameter, 0, "there are " ADL_PAST_FUNCTIONS, "there is no function `%s`", name);
  return call->host->fail(call, p->parameter, 0, "there are " ADL_PAST_FUNCTIONS,
                          "there is no function `%s`; did you mean `%s`?", name, names[near]);
}

/* function(column, column) */
static adl_status read_call(const adl_call *call, const char *text, parsed *p) {
  const adl_host *host = call->host;
  static const char hint[] =
      "write a function of columns of the other stage, like count(), sum(amount); make others with "
      "derive, behind that stage";
  char name[LONGEST];
  const char *at = read_name(text, "(),", name);
  if (*at != '(') return host->fail(call, p->parameter, (int32_t)(at - text), hint, "this is no call of a function");
  int function = 0;
  while (function < FUNCTIONS && strcmp(functions[function].name, name) != 0) function++;
  if (function == FUNCTIONS) return refuse_function(call, p, name);
  p->function = (adl_past_function)function;
  p->count = 0;
  at = skip_blanks(at + 1);
  while (*at != ')' || p->count > 0) {
    if (p->count == functions[function].most)
      return host->fail(call, p->parameter, (int32_t)(at - text), NULL, "%s takes no more than %d arguments", name,
                        functions[function].most);
    at = read_name(at, "(),", p->arguments[p->count]);
    if (p->arguments[p->count][0] == '\0' || *at == '(' || *at == '\0')
      return host->fail(call, p->parameter, (int32_t)(at - text), hint, "an argument is the name of a column");
    p->count++;
    if (*at == ')') break;
    at++;
  }
  if (p->count < functions[function].least)
    return host->fail(call, p->parameter, (int32_t)(at - text), NULL, "%s takes a column", name);
  at = skip_blanks(at + 1);
  if (*at != '\0') return host->fail(call, p->parameter, (int32_t)(at - text), NULL, "there is more behind the call");
  return ADL_OK;
}

/* ---- types ---- */

static bool is_text(adl_type type) { return type.element == ADL_STRING || type.element == ADL_BYTES; }

static adl_past_kind kind_of(adl_type type) {
  if (is_text(type)) return ADL_PAST_TEXT;
  return (ADL_MASK(type.element) & ADL_ANY_FLOAT) != 0 ? ADL_PAST_FLOAT : ADL_PAST_INTEGER;
}

static bool is_amount(adl_type type) {
  return (ADL_MASK(type.element) & ADL_ANY_NUMERIC) != 0 && (type.role == ADL_NUMBER || type.element == ADL_BOOL);
}

/* What is wrong with an argument of this type, or NULL; the type of what comes of it. */
static const char *type_of_call(adl_past_function function, adl_type type, adl_type *result) {
  *result = (adl_type){.element = ADL_INT64, .role = ADL_NUMBER};
  switch (function) {
    case ADL_PAST_SUM:
    case ADL_PAST_MEAN:
      if (!is_amount(type)) return "sum and mean are of numbers (not of ids)";
      if (function == ADL_PAST_MEAN || kind_of(type) == ADL_PAST_FLOAT) result->element = ADL_FLOAT64;
      return NULL;
    case ADL_PAST_MIN:
    case ADL_PAST_MAX:
      if (is_text(type)) return "min and max are of numbers, timestamps and bools";
      *result = type;
      return NULL;
    case ADL_PAST_LAST: *result = type; return NULL;
    case ADL_PAST_BAG:
      if (type.element != ADL_STRING && (kind_of(type) != ADL_PAST_INTEGER || type.element == ADL_TIMESTAMP))
        return "a bag is of strings or ids";
      *result = (adl_type){.element = ADL_STRING, .shape = ADL_BAG, .role = ADL_CATEGORY};
      return NULL;
    default: return NULL;
  }
}

/* ---- binding ---- */

/* Number of an event column that is held in this way; taken in when it is new. */
static adl_status take_column(const adl_call *call, const adl_side *side, const char *parameter, const char *name,
                              adl_past_kind kind, adl_past *past, int32_t *number) {
  for (int64_t i = 0; i < past->column_count; i++) {
    if (strcmp(past->columns[i].name, name) != 0 || past->columns[i].kind != kind) continue;
    *number = (int32_t)i;
    return ADL_OK;
  }
  adl_past_column *column = &past->columns[past->column_count];
  ADL_TRY(call->host->side_input(call, parameter, side, name, &column->input));
  column->name = column->input.name;
  column->kind = kind;
  *number = (int32_t)past->column_count++;
  return ADL_OK;
}

static adl_status bind_call(const adl_call *call, const adl_side *side, const char *text, adl_past *past,
                            adl_past_call *of) {
  const adl_host *host = call->host;
  parsed p;
  adl_type type;
  snprintf(p.parameter, sizeof p.parameter, "past.%s", of->name);
  ADL_TRY(read_call(call, text, &p));
  of->function = p.function;
  of->column = of->weight = -1;
  of->type = (adl_type){.element = p.function == ADL_PAST_SINCE ? ADL_FLOAT64 : ADL_INT64, .role = ADL_NUMBER};
  if (p.count > 0) {
    ADL_TRY(adl_side_find(call, side, p.parameter, p.arguments[0], &type));
    if (type.shape != ADL_SCALAR)
      return host->fail(call, p.parameter, -1, NULL, "%s is of plain values, and `%s` has several a row",
                        functions[p.function].name, p.arguments[0]);
    const char *wrong = type_of_call(p.function, type, &of->type);
    if (wrong != NULL)
      return host->fail(call, p.parameter, -1, "derive makes others: number(x), string(x)", "%s", wrong);
    adl_past_kind kind = p.function == ADL_PAST_BAG ? ADL_PAST_TEXT : kind_of(type);
    ADL_TRY(take_column(call, side, p.parameter, p.arguments[0], kind, past, &of->column));
  }
  if (p.count > 1) {
    ADL_TRY(adl_side_find(call, side, p.parameter, p.arguments[1], &type));
    if (type.shape != ADL_SCALAR || !is_amount(type))
      return host->fail(call, p.parameter, -1, NULL, "the second argument of bag, the weight, is a number");
    ADL_TRY(take_column(call, side, p.parameter, p.arguments[1], kind_of(type), past, &of->weight));
  }
  return host->declare_named(call, p.parameter, of->name, of->type, &of->slot);
}

adl_status adl_past_bind(const adl_call *call, const adl_side *side, const adl_map *calls, adl_past *past) {
  adl_status status = ADL_OK;
  past->calls = calloc((size_t)calls->count + 1, sizeof *past->calls);
  past->columns = calloc(2 * (size_t)calls->count + 1, sizeof *past->columns);
  if (past->calls == NULL || past->columns == NULL) return call->host->fail(call, "past", -1, NULL, "no memory");
  past->call_count = calls->count;
  for (int64_t i = 0; i < calls->count; i++) {
    past->calls[i] = (adl_past_call){.name = calls->keys[i], .slot = -1};
    if (bind_call(call, side, calls->values[i], past, &past->calls[i]) != ADL_OK) status = ADL_FAILED;
  }
  return status;
}

void adl_past_free(adl_past *past) {
  free(past->keys);
  free(past->calls);
  free(past->columns);
}
