/* Types of expressions: what operators accept, the few implicit conversions there are, and the words of refusal. Makes
 * the nodes of operators for parse.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/expr/internal.h"

#define TIME_HINT "timestamps look like '2024-06-01' or '2024-06-01 12:00:00'"

const char *adl_expr_kind_name(const adl_expr_node *node) {
  switch (node->kind) {
    case ADL_EXPR_NULL: return "null";
    case ADL_EXPR_BOOL: return "true or false";
    case ADL_EXPR_INT: return node->category ? "an id (a category of integers)" : "a number";
    case ADL_EXPR_FLOAT: return "a number";
    case ADL_EXPR_TIME: return "a timestamp";
    case ADL_EXPR_STRING: return "a string";
    case ADL_EXPR_BYTES: return "bytes";
    default: return "a column with several values in a row";
  }
}

static const char *wanted_name(adl_expr_kind kind) {
  adl_expr_node node = {.kind = (uint8_t)kind};
  return kind == ADL_EXPR_INT ? "a whole number" : adl_expr_kind_name(&node);
}

static bool is_number(const adl_expr_node *node) { return node->kind == ADL_EXPR_INT || node->kind == ADL_EXPR_FLOAT; }
static bool is_constant_string(const adl_expr_node *node) { return node->kind == ADL_EXPR_STRING && node->constant; }

/* What to do when a node is not of the kind wanted; NULL: nothing comes to mind. Free with g_free. */
static char *conversion_hint(const adl_expr_builder *builder, const adl_expr_node *node, adl_expr_kind kind) {
  bool number = kind == ADL_EXPR_INT || kind == ADL_EXPR_FLOAT;
  if (is_constant_string(node) && node->value.valid) {
    adl_type type;
    if (builder->scope->find(builder->scope->data, node->value.t.data, &type) >= 0) {
      return g_strdup_printf("without quotes it would be the column `%s`", node->value.t.data);
    }
    if (number) return g_strdup("a number stands without quotes");
  }
  if (number) {
    if (node->kind == ADL_EXPR_STRING) return g_strdup("number(x) reads a number from a string, null if it is none");
    if (node->kind == ADL_EXPR_BOOL) return g_strdup("number(x) makes 0 or 1 of it");
    if (node->kind == ADL_EXPR_INT && node->category) return g_strdup("number(x) takes an id as a number");
    if (node->kind == ADL_EXPR_TIME) return g_strdup("days_between(a, b), year(x), hour(x) make numbers of timestamps");
    if (node->kind == ADL_EXPR_FLOAT) return g_strdup("integer(x) cuts off what is behind the point");
  }
  if (kind == ADL_EXPR_STRING && (number || node->kind != ADL_EXPR_OPAQUE)) {
    bool written = is_number(node) && node->constant;
    return g_strdup(written ? "a string stands in quotes" : "string(x) writes it as a string");
  }
  if (kind == ADL_EXPR_TIME && node->kind == ADL_EXPR_STRING) {
    return g_strdup("timestamp(x) reads a timestamp from a string, null if it is none");
  }
  if (kind == ADL_EXPR_BOOL && is_number(node)) return g_strdup("compare it: x != 0");
  return NULL;
}

static int32_t null_of(adl_expr_builder *builder, int32_t node, adl_expr_kind kind) {
  adl_expr_value nothing = {0};
  return adl_expr_constant_node(builder, adl_expr_span_of(builder, node), kind, nothing);
}

static int32_t time_of_constant(adl_expr_builder *builder, int32_t number) {
  const adl_expr_node *node = adl_expr_node_at(builder, number);
  adl_expr_span span = adl_expr_span_of(builder, number);
  if (!node->value.valid) return null_of(builder, number, ADL_EXPR_TIME);
  adl_expr_value value = {.valid = true};
  if (adl_expr_time_parse(node->value.t.data, node->value.t.size, &value.i)) {
    return adl_expr_constant_node(builder, span, ADL_EXPR_TIME, value);
  }
  char *cut = adl_expr_cut(node->value.t.data);
  int32_t bad = adl_expr_bad(builder, span, TIME_HINT, "'%s' is not a timestamp", cut);
  g_free(cut);
  return bad;
}

static int32_t float_of(adl_expr_builder *builder, int32_t node) {
  return adl_expr_kernel_node(builder, adl_expr_span_of(builder, node), ADL_EXPR_FLOAT, false, adl_expr_int_to_float,
                              NULL, &node, 1, true);
}

int32_t adl_expr_coerce(adl_expr_builder *builder, int32_t number, adl_expr_kind kind, const char *what) {
  const adl_expr_node *node = adl_expr_node_at(builder, number);
  if (node->kind == ADL_EXPR_BAD) return number;
  if (node->kind == ADL_EXPR_NULL) return null_of(builder, number, kind);
  bool id = node->kind == ADL_EXPR_INT && node->category;
  if (node->kind == kind && !id) return number;
  if (kind == ADL_EXPR_FLOAT && node->kind == ADL_EXPR_INT && !id) return float_of(builder, number);
  if (kind == ADL_EXPR_TIME && is_constant_string(node)) return time_of_constant(builder, number);
  char *hint = conversion_hint(builder, node, kind);
  int32_t bad = adl_expr_bad(builder, adl_expr_span_of(builder, number), hint, "%s needs %s, and this is %s", what,
                             wanted_name(kind), adl_expr_kind_name(node));
  g_free(hint);
  return bad;
}

/* The kind that two values can be brought to; BAD: none. */
static adl_expr_kind common_kind(const adl_expr_node *a, const adl_expr_node *b) {
  if (a->kind == ADL_EXPR_NULL) return (adl_expr_kind)b->kind;
  if (b->kind == ADL_EXPR_NULL || a->kind == b->kind) return (adl_expr_kind)a->kind;
  bool id = a->category || b->category;
  if (is_number(a) && is_number(b)) return id ? ADL_EXPR_BAD : ADL_EXPR_FLOAT;
  if (a->kind == ADL_EXPR_TIME && is_constant_string(b)) return ADL_EXPR_TIME;
  if (b->kind == ADL_EXPR_TIME && is_constant_string(a)) return ADL_EXPR_TIME;
  return ADL_EXPR_BAD;
}

adl_expr_kind adl_expr_unify(adl_expr_builder *builder, int32_t *args, int32_t count, const char *what,
                             bool *category) {
  *category = false;
  adl_expr_node all = {.kind = ADL_EXPR_NULL, .constant = true};
  for (int32_t i = 0; i < count; i++) {
    const adl_expr_node *node = adl_expr_node_at(builder, args[i]);
    adl_expr_span span = adl_expr_span_of(builder, args[i]);
    if (node->kind == ADL_EXPR_BAD) return ADL_EXPR_BAD;
    if (node->kind == ADL_EXPR_OPAQUE) {
      adl_expr_bad(builder, span, NULL, "%s works on single values, and this is %s", what, adl_expr_kind_name(node));
      return ADL_EXPR_BAD;
    }
    adl_expr_kind kind = common_kind(&all, node);
    if (kind == ADL_EXPR_BAD) {
      bool id = is_number(&all) && is_number(node);
      char *hint =
          id ? g_strdup("number(x) takes an id as a number") : conversion_hint(builder, node, (adl_expr_kind)all.kind);
      adl_expr_bad(builder, span, hint, "%s needs values of one kind: this is %s, the one before it %s", what,
                   adl_expr_kind_name(node), adl_expr_kind_name(&all));
      g_free(hint);
      return ADL_EXPR_BAD;
    }
    all.constant = all.constant && node->constant;
    all.category = all.category || node->category;
    all.kind = (uint8_t)kind;
  }
  *category = all.kind == ADL_EXPR_INT && all.category;
  for (int32_t i = 0; i < count && all.kind != ADL_EXPR_NULL; i++) {
    if (adl_expr_node_at(builder, args[i])->kind == all.kind) continue;
    args[i] = adl_expr_coerce(builder, args[i], (adl_expr_kind)all.kind, what);
    if (adl_expr_node_at(builder, args[i])->kind == ADL_EXPR_BAD) return ADL_EXPR_BAD;
  }
  return (adl_expr_kind)all.kind;
}

/* ------------------------------------------------------------------------------------------------- comparison ---- */

/* An id of integers beside a string: the integer that a constant stands for, the text of the id otherwise (equality
 * only). *other may change. */
static bool match_id(adl_expr_builder *builder, int32_t *id, int32_t *other, bool equality) {
  const adl_expr_node *string = adl_expr_node_at(builder, *other);
  adl_expr_span span = adl_expr_span_of(builder, *other);
  if (is_constant_string(string)) {
    adl_expr_value value = {.valid = string->value.valid};
    if (value.valid) {
      gint64 integer = 0;
      bool fits = g_ascii_string_to_signed(string->value.t.data, 10, INT64_MIN, INT64_MAX, &integer, NULL);
      value.i = integer;
      if (!fits) {
        char *cut = adl_expr_cut(string->value.t.data);
        adl_expr_bad(builder, span, "ids of integers are compared with 42 or '42'",
                     "'%s' is not a whole number, and this is compared with an id that is one", cut);
        g_free(cut);
        return false;
      }
    }
    *other = adl_expr_constant_node(builder, span, ADL_EXPR_INT, value);
    return true;
  }
  if (!equality) return false;
  *id = adl_expr_kernel_node(builder, adl_expr_span_of(builder, *id), ADL_EXPR_STRING, false, adl_expr_text_of_int,
                             NULL, id, 1, true);
  return true;
}

/* A constant string beside bytes: its bytes. */
static bool match_bytes(adl_expr_builder *builder, int32_t *string) {
  const adl_expr_node *node = adl_expr_node_at(builder, *string);
  if (!is_constant_string(node)) return false;
  *string = adl_expr_constant_node(builder, adl_expr_span_of(builder, *string), ADL_EXPR_BYTES, node->value);
  return true;
}

/* Brings a whole constant float to INT when the other side is INT, so that large ids and counts compare exactly. */
static void whole_constant(adl_expr_builder *builder, int32_t *constant, int32_t other) {
  const adl_expr_node *node = adl_expr_node_at(builder, *constant);
  if (!node->constant || node->kind != ADL_EXPR_FLOAT || !node->value.valid) return;
  if (adl_expr_node_at(builder, other)->kind != ADL_EXPR_INT) return;
  if (node->value.f != floor(node->value.f) || fabs(node->value.f) >= 9.2e18) return;
  adl_expr_value value = {.valid = true, .i = (int64_t)node->value.f};
  *constant = adl_expr_constant_node(builder, adl_expr_span_of(builder, *constant), ADL_EXPR_INT, value);
}

/* Brings both sides of a comparison to one kind, which is returned; BAD: reported. `span` is of the operator. */
static adl_expr_kind match(adl_expr_builder *builder, adl_expr_span span, const char *sign, bool equality,
                           int32_t *left, int32_t *right) {
  const adl_expr_node a = *adl_expr_node_at(builder, *left), b = *adl_expr_node_at(builder, *right);
  if (a.kind == ADL_EXPR_BAD || b.kind == ADL_EXPR_BAD) return ADL_EXPR_BAD;
  if (a.kind == ADL_EXPR_NULL || b.kind == ADL_EXPR_NULL) {
    adl_expr_bad(builder, adl_expr_span_of(builder, b.kind == ADL_EXPR_NULL ? *right : *left),
                 "write `is null` or `is not null`", "comparing with null never gives true or false");
    return ADL_EXPR_BAD;
  }
  bool matched = true;
  int problems = *builder->problem_count;
  if (a.kind == ADL_EXPR_INT && a.category && b.kind == ADL_EXPR_STRING) {
    matched = match_id(builder, left, right, equality);
  } else if (b.kind == ADL_EXPR_INT && b.category && a.kind == ADL_EXPR_STRING) {
    matched = match_id(builder, right, left, equality);
  } else if (is_number(&a) && is_number(&b)) {
    whole_constant(builder, left, *right);
    whole_constant(builder, right, *left);
    bool same = adl_expr_node_at(builder, *left)->kind == adl_expr_node_at(builder, *right)->kind;
    if (!same && a.kind == ADL_EXPR_INT) *left = float_of(builder, *left);
    if (!same && b.kind == ADL_EXPR_INT) *right = float_of(builder, *right);
  } else if (a.kind == ADL_EXPR_TIME && is_constant_string(&b)) {
    *right = time_of_constant(builder, *right);
  } else if (b.kind == ADL_EXPR_TIME && is_constant_string(&a)) {
    *left = time_of_constant(builder, *left);
  } else if (a.kind == ADL_EXPR_BYTES && b.kind == ADL_EXPR_STRING) {
    matched = match_bytes(builder, right);
  } else if (b.kind == ADL_EXPR_BYTES && a.kind == ADL_EXPR_STRING) {
    matched = match_bytes(builder, left);
  } else {
    matched = a.kind == b.kind && a.kind != ADL_EXPR_OPAQUE;
  }
  if (*builder->problem_count > problems) return ADL_EXPR_BAD;
  if (!matched) {
    /* Blame a constant if there is one: it is what the user can change. */
    bool blame_left = a.constant && !b.constant, blame_right = b.constant && !a.constant;
    if (blame_left) span = adl_expr_span_of(builder, *left);
    if (blame_right) span = adl_expr_span_of(builder, *right);
    bool flag = a.kind == ADL_EXPR_BOOL && b.kind == ADL_EXPR_INT;
    char *hint = flag         ? g_strdup("write `x` or `not x`")
                 : blame_left ? conversion_hint(builder, &a, (adl_expr_kind)b.kind)
                              : conversion_hint(builder, &b, (adl_expr_kind)a.kind);
    adl_expr_bad(builder, span, hint, "`%s` cannot compare %s with %s", sign, adl_expr_kind_name(&a),
                 adl_expr_kind_name(&b));
    g_free(hint);
    return ADL_EXPR_BAD;
  }
  return (adl_expr_kind)adl_expr_node_at(builder, *left)->kind;
}

static adl_expr_kernel compare_kernel(adl_expr_kind kind) {
  switch (kind) {
    case ADL_EXPR_BOOL: return adl_expr_compare_bool;
    case ADL_EXPR_INT:
    case ADL_EXPR_TIME: return adl_expr_compare_int;
    case ADL_EXPR_FLOAT: return adl_expr_compare_float;
    default: return adl_expr_compare_text;
  }
}

static int32_t bad_node(adl_expr_builder *builder, adl_expr_span span) {
  adl_expr_value nothing = {0};
  return adl_expr_constant_node(builder, span, ADL_EXPR_BAD, nothing);
}

int32_t adl_expr_compare_node(adl_expr_builder *builder, adl_expr_span span, adl_expr_span sign_span, const char *sign,
                              int32_t left, int32_t right) {
  static const char *const signs[][2] = {{"==", "="}, {"=", "="},   {"!=", "!="}, {"<>", "!="},
                                         {"<", "<"},  {"<=", "<="}, {">", ">"},   {">=", ">="}};
  const char *plain = NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(signs); i++) {
    if (strcmp(signs[i][0], sign) == 0) plain = signs[i][1];
  }
  bool equality = *plain == '=' || *plain == '!';
  adl_expr_kind kind = match(builder, sign_span, sign, equality, &left, &right);
  if (kind == ADL_EXPR_BAD) return bad_node(builder, span);
  if (kind == ADL_EXPR_BOOL && !equality) {
    return adl_expr_bad(builder, sign_span, NULL, "true and false have no order");
  }
  int32_t args[2] = {left, right};
  return adl_expr_kernel_node(builder, span, ADL_EXPR_BOOL, false, compare_kernel(kind), plain, args, 2, true);
}

/* ------------------------------------------------------------------------------------------------- arithmetic ---- */

int32_t adl_expr_arithmetic_node(adl_expr_builder *builder, adl_expr_span span, adl_expr_span sign_span, char sign,
                                 int32_t left, int32_t right) {
  static const char signs[] = "+-*%/";
  static const adl_expr_kernel int_kernels[] = {adl_expr_add_int, adl_expr_subtract_int, adl_expr_multiply_int,
                                                adl_expr_modulo_int};
  static const adl_expr_kernel float_kernels[] = {adl_expr_add_float, adl_expr_subtract_float, adl_expr_multiply_float,
                                                  adl_expr_modulo_float, adl_expr_divide_float};
  const adl_expr_node *a = adl_expr_node_at(builder, left), *b = adl_expr_node_at(builder, right);
  if (sign == '+' && (a->kind == ADL_EXPR_STRING || b->kind == ADL_EXPR_STRING)) {
    return adl_expr_bad(builder, sign_span, "concat(a, b) joins strings", "`+` adds numbers, not strings");
  }
  if (a->kind == ADL_EXPR_TIME && sign != '*' && sign != '/' && sign != '%') {
    return adl_expr_bad(builder, sign_span, "days_between(a, b) is the time from a to b, add_days(at, 7) a week later",
                        "`%c` works on numbers, not on timestamps", sign);
  }
  int32_t which = (int32_t)(strchr(signs, sign) - signs);
  bool whole = sign != '/' && a->kind != ADL_EXPR_FLOAT && b->kind != ADL_EXPR_FLOAT &&
               (a->kind == ADL_EXPR_INT || b->kind == ADL_EXPR_INT);
  adl_expr_kind kind = whole ? ADL_EXPR_INT : ADL_EXPR_FLOAT;
  char what[4] = {'`', sign, '`', '\0'};
  /* FLOAT is asked for first, so that a refusal says "a number" and not "a whole number". */
  for (int side = 0; side < 2; side++) {
    int32_t *operand = side == 0 ? &left : &right;
    const adl_expr_node *node = adl_expr_node_at(builder, *operand);
    if (whole && node->kind == ADL_EXPR_INT && !node->category) continue;
    *operand = adl_expr_coerce(builder, *operand, node->kind == ADL_EXPR_NULL ? kind : ADL_EXPR_FLOAT, what);
  }
  int32_t args[2] = {left, right};
  return adl_expr_kernel_node(builder, span, kind, false, whole ? int_kernels[which] : float_kernels[which], NULL, args,
                              2, true);
}

int32_t adl_expr_negate_node(adl_expr_builder *builder, adl_expr_span span, int32_t operand) {
  const adl_expr_node *node = adl_expr_node_at(builder, operand);
  bool whole = node->kind == ADL_EXPR_INT && !node->category;
  if (!whole) operand = adl_expr_coerce(builder, operand, ADL_EXPR_FLOAT, "`-`");
  return adl_expr_kernel_node(builder, span, whole ? ADL_EXPR_INT : ADL_EXPR_FLOAT, false,
                              whole ? adl_expr_negate_int : adl_expr_negate_float, NULL, &operand, 1, true);
}

/* ------------------------------------------------------------------------------------------------------ logic ---- */

int32_t adl_expr_logic_node(adl_expr_builder *builder, adl_expr_span span, const char *word, int32_t left,
                            int32_t right) {
  bool both = strcmp(word, "and") == 0;
  const char *what = both ? "`and`" : "`or`";
  int32_t args[2] = {adl_expr_coerce(builder, left, ADL_EXPR_BOOL, what), 0};
  args[1] = adl_expr_coerce(builder, right, ADL_EXPR_BOOL, what);
  return adl_expr_kernel_node(builder, span, ADL_EXPR_BOOL, false, both ? adl_expr_and : adl_expr_or, NULL, args, 2,
                              true);
}

int32_t adl_expr_not_node(adl_expr_builder *builder, adl_expr_span span, int32_t operand) {
  operand = adl_expr_coerce(builder, operand, ADL_EXPR_BOOL, "`not`");
  return adl_expr_kernel_node(builder, span, ADL_EXPR_BOOL, false, adl_expr_not, NULL, &operand, 1, true);
}

int32_t adl_expr_is_null_node(adl_expr_builder *builder, adl_expr_span span, int32_t operand, bool negated) {
  if (adl_expr_node_at(builder, operand)->kind == ADL_EXPR_NULL) {
    operand = null_of(builder, operand, ADL_EXPR_BOOL);
  }
  return adl_expr_kernel_node(builder, span, ADL_EXPR_BOOL, false, negated ? adl_expr_is_not_null : adl_expr_is_null,
                              NULL, &operand, 1, true);
}

/* --------------------------------------------------------------------------------------------------------- in ---- */

static int compare_ints(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static int compare_floats(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int compare_texts(const void *a, const void *b) {
  return adl_expr_text_compare(*(const adl_text *)a, *(const adl_text *)b);
}

static adl_expr_set *make_set(adl_expr_builder *builder, const int32_t *items, int32_t count, adl_expr_kind kind) {
  adl_expr_set *set = g_new0(adl_expr_set, 1);
  bool texts = adl_expr_kind_width(kind) == 16, floats = kind == ADL_EXPR_FLOAT;
  size_t width = texts ? sizeof(adl_text) : 8;
  set->count = count;
  set->items = g_malloc(width * (size_t)count);
  for (int32_t i = 0; i < count; i++) {
    const adl_expr_value *value = &adl_expr_node_at(builder, items[i])->value;
    if (texts)
      set->t[i] = value->t;
    else if (floats)
      set->f[i] = value->f;
    else
      set->i[i] = value->i;
  }
  qsort(set->items, (size_t)count, width, texts ? compare_texts : floats ? compare_floats : compare_ints);
  g_ptr_array_add(builder->payloads, set->items);
  g_ptr_array_add(builder->payloads, set);
  return set;
}

/* Each item is matched with the operand as by `=`; what the operand becomes must not differ between items, so a whole
 * list with a fraction in it makes floats of all. */
int32_t adl_expr_in_node(adl_expr_builder *builder, adl_expr_span span, int32_t operand, const int32_t *items,
                         int32_t count, bool negated) {
  int32_t *matched = g_new(int32_t, count);
  int32_t subject = operand;
  adl_expr_kind kind = (adl_expr_kind)adl_expr_node_at(builder, operand)->kind;
  for (int32_t i = 0; i < count; i++) {
    const adl_expr_node *item = adl_expr_node_at(builder, items[i]);
    adl_expr_span item_span = adl_expr_span_of(builder, items[i]);
    matched[i] = items[i];
    if (item->kind == ADL_EXPR_BAD) {
      kind = ADL_EXPR_BAD;
    } else if (item->kind == ADL_EXPR_NULL || (item->constant && !item->value.valid)) {
      adl_expr_bad(builder, item_span, "write `x in (...) or x is null`", "`in` never finds null");
      kind = ADL_EXPR_BAD;
    } else if (!item->constant) {
      adl_expr_bad(builder, item_span, "write `a = b or a = c`", "the list of `in` holds constants only");
      kind = ADL_EXPR_BAD;
    } else {
      int32_t left = operand;
      adl_expr_kind of_item = match(builder, item_span, "in", true, &left, &matched[i]);
      if (of_item == ADL_EXPR_BAD) kind = ADL_EXPR_BAD;
      if (kind == ADL_EXPR_INT && of_item == ADL_EXPR_FLOAT) {
        kind = ADL_EXPR_FLOAT;
        subject = left;
      }
    }
  }
  for (int32_t i = 0; i < count && kind == ADL_EXPR_FLOAT; i++) {
    if (adl_expr_node_at(builder, matched[i])->kind == ADL_EXPR_INT) matched[i] = float_of(builder, matched[i]);
  }
  int32_t node = -1;
  if (kind == ADL_EXPR_BOOL) {
    node = adl_expr_bad(builder, span, "write `x` or `not x`", "`in` is not for true and false");
  } else if (kind == ADL_EXPR_BAD || *builder->problem_count > 0) {
    node = bad_node(builder, span);
  } else {
    adl_expr_kernel kernel = kind == ADL_EXPR_FLOAT            ? adl_expr_in_float
                             : adl_expr_kind_width(kind) == 16 ? adl_expr_in_text
                                                               : adl_expr_in_int;
    const adl_expr_set *set = make_set(builder, matched, count, kind);
    node = adl_expr_kernel_node(builder, span, ADL_EXPR_BOOL, false, kernel, set, &subject, 1, true);
  }
  g_free(matched);
  return negated ? adl_expr_not_node(builder, span, node) : node;
}
