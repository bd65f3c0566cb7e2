/* The grammar of expressions, by recursive descent; every level makes typed nodes as it reads. Called by compile.c.
 *
 *   or       = and { "or" and }
 *   and      = not { "and" not }
 *   not      = "not" not | compare
 *   compare  = sum [ ("=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=") sum
 *                  | "is" ["not"] "null" | ["not"] "in" "(" or { "," or } ")" | ["not"] "between" sum "and" sum ]
 *   sum      = product { ("+" | "-") product }
 *   product  = unary { ("*" | "/" | "%") unary }
 *   unary    = ("-" | "+") unary | primary
 *   primary  = number | string | "true" | "false" | "null" | name | `name` | function "(" [ or { "," or } ] ")" | "(" or ")"
 */
#include <string.h>

#include "core/expr/internal.h"

typedef struct parser {
  adl_expr_lexer *lexer;
  adl_expr_builder *builder;
  int32_t depth;
} parser;

static int32_t parse_or(parser *p);
static int32_t parse_unary(parser *p);

static adl_expr_span token_span(const parser *p) { return p->lexer->token.span; }

/* From the start of `from` to the end of the last token read. */
static adl_expr_span span_since(const parser *p, int32_t from) {
  adl_expr_span span = {from, p->lexer->end - from};
  return span;
}

static bool at_sign(const parser *p, const char *sign) { return adl_expr_lexer_sign(p->lexer, sign); }
static bool at_word(const parser *p, const char *word) { return adl_expr_lexer_word(p->lexer, word); }

static int32_t stop(parser *p, adl_expr_span span, const char *hint, const char *message) {
  adl_expr_report(p->lexer->scope, p->lexer->problem_count, span, hint, "%s", message);
  return -1;
}

static int32_t expected(parser *p, const char *what, const char *hint) {
  char *found = adl_expr_lexer_found(p->lexer);
  adl_expr_report(p->lexer->scope, p->lexer->problem_count, token_span(p), hint, "expected %s, not %s", what, found);
  g_free(found);
  return -1;
}

static bool deeper(parser *p) {
  if (++p->depth <= ADL_EXPR_MAX_DEPTH) return true;
  adl_expr_report(p->lexer->scope, p->lexer->problem_count, token_span(p),
                  "compute parts of it in a stage of their own", "nested more than %d levels deep", ADL_EXPR_MAX_DEPTH);
  return false;
}

static const char *const words[] = {"and", "or", "not", "in", "is", "between"};

static bool at_any_word(const parser *p) {
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    if (at_word(p, words[i])) return true;
  }
  return false;
}

/* A list in brackets; the opening one has been read. Appends nodes to `items`. */
static bool parse_list(parser *p, GArray *items, const char *what) {
  if (at_sign(p, ")")) return adl_expr_lexer_next(p->lexer);
  for (;;) {
    int32_t item = parse_or(p);
    if (item < 0) return false;
    g_array_append_val(items, item);
    if (at_sign(p, ")")) return adl_expr_lexer_next(p->lexer);
    if (!at_sign(p, ",")) {
      expected(p, what, NULL);
      return false;
    }
    if (!adl_expr_lexer_next(p->lexer)) return false;
  }
}

static int32_t parse_call(parser *p, adl_expr_span name_span, const char *name) {
  GArray *args = g_array_new(FALSE, FALSE, sizeof(int32_t));
  int32_t node = -1;
  if (adl_expr_lexer_next(p->lexer) && parse_list(p, args, "`,` or `)`")) {
    node = adl_expr_call_node(p->builder, span_since(p, name_span.offset), name_span, name,
                              (int32_t *)(void *)args->data, (int32_t)args->len);
  }
  g_array_free(args, TRUE);
  return node;
}

static int32_t parse_name(parser *p) {
  adl_expr_span span = token_span(p);
  bool quoted = p->lexer->token.kind == ADL_TOKEN_QUOTED;
  char *name = g_strdup(p->lexer->token.text->str);
  int32_t node = -1;
  adl_expr_value value = {.valid = true};
  bool is_true = at_word(p, "true"), is_false = at_word(p, "false"), is_null = at_word(p, "null");
  if (adl_expr_lexer_next(p->lexer)) {
    value.b = is_true;
    value.valid = !is_null;
    if (is_true || is_false)
      node = adl_expr_constant_node(p->builder, span, ADL_EXPR_BOOL, value);
    else if (is_null)
      node = adl_expr_constant_node(p->builder, span, ADL_EXPR_NULL, value);
    else if (!quoted && at_sign(p, "("))
      node = parse_call(p, span, name);
    else
      node = adl_expr_column_node(p->builder, span, name);
  }
  g_free(name);
  return node;
}

static int32_t parse_literal(parser *p) {
  const adl_expr_token *token = &p->lexer->token;
  adl_expr_value value = {.valid = true};
  adl_expr_kind kind = ADL_EXPR_STRING;
  if (token->kind == ADL_TOKEN_INT) {
    if (token->too_big) {
      return stop(p, token->span, "write it with a decimal point to get a float64",
                  "an integer does not have more than 64 bits");
    }
    kind = ADL_EXPR_INT;
    value.i = token->integer;
  } else if (token->kind == ADL_TOKEN_FLOAT) {
    kind = ADL_EXPR_FLOAT;
    value.f = token->number;
  } else {
    value.t.data = token->text->str;
    value.t.size = (int32_t)token->text->len;
  }
  int32_t node = adl_expr_constant_node(p->builder, token->span, kind, value);
  return adl_expr_lexer_next(p->lexer) ? node : -1;
}

static int32_t parse_primary(parser *p) {
  switch (p->lexer->token.kind) {
    case ADL_TOKEN_INT:
    case ADL_TOKEN_FLOAT:
    case ADL_TOKEN_STRING: return parse_literal(p);
    case ADL_TOKEN_QUOTED: return parse_name(p);
    case ADL_TOKEN_NAME:
      if (at_any_word(p)) return expected(p, "a value", "a column with such a name stands in backticks: `in`");
      return parse_name(p);
    default: break;
  }
  if (!at_sign(p, "(")) return expected(p, "a value", NULL);
  if (!adl_expr_lexer_next(p->lexer)) return -1;
  int32_t node = parse_or(p);
  if (node < 0) return -1;
  if (!at_sign(p, ")")) return expected(p, "`)`", NULL);
  return adl_expr_lexer_next(p->lexer) ? node : -1;
}

/* -9223372036854775808 is a number although 9223372036854775808 is none. */
static int32_t parse_least_integer(parser *p, int32_t from) {
  adl_expr_value value = {.valid = true, .i = INT64_MIN};
  if (!adl_expr_lexer_next(p->lexer)) return -1;
  return adl_expr_constant_node(p->builder, span_since(p, from), ADL_EXPR_INT, value);
}

static int32_t parse_unary(parser *p) {
  bool minus = at_sign(p, "-");
  int32_t from = token_span(p).offset;
  if (!minus && !at_sign(p, "+")) return parse_primary(p);
  if (!deeper(p) || !adl_expr_lexer_next(p->lexer)) return -1;
  if (minus && p->lexer->token.kind == ADL_TOKEN_INT && p->lexer->token.too_big) {
    p->depth--;
    return parse_least_integer(p, from);
  }
  int32_t operand = parse_unary(p);
  p->depth--;
  if (operand < 0) return -1;
  if (minus) return adl_expr_negate_node(p->builder, span_since(p, from), operand);
  bool whole = adl_expr_node_at(p->builder, operand)->kind == ADL_EXPR_INT;
  return adl_expr_coerce(p->builder, operand, whole ? ADL_EXPR_INT : ADL_EXPR_FLOAT, "`+`");
}

static int32_t parse_product(parser *p) {
  int32_t from = token_span(p).offset, left = parse_unary(p);
  while (left >= 0 && (at_sign(p, "*") || at_sign(p, "/") || at_sign(p, "%"))) {
    adl_expr_span sign_span = token_span(p);
    char sign = p->lexer->token.text->str[0];
    if (!adl_expr_lexer_next(p->lexer)) return -1;
    int32_t right = parse_unary(p);
    if (right < 0) return -1;
    left = adl_expr_arithmetic_node(p->builder, span_since(p, from), sign_span, sign, left, right);
  }
  return left;
}

static int32_t parse_sum(parser *p) {
  int32_t from = token_span(p).offset, left = parse_product(p);
  while (left >= 0 && (at_sign(p, "+") || at_sign(p, "-"))) {
    adl_expr_span sign_span = token_span(p);
    char sign = p->lexer->token.text->str[0];
    if (!adl_expr_lexer_next(p->lexer)) return -1;
    int32_t right = parse_product(p);
    if (right < 0) return -1;
    left = adl_expr_arithmetic_node(p->builder, span_since(p, from), sign_span, sign, left, right);
  }
  return left;
}

static int32_t parse_is(parser *p, int32_t from, int32_t left) {
  if (!adl_expr_lexer_next(p->lexer)) return -1;
  bool negated = at_word(p, "not");
  if (negated && !adl_expr_lexer_next(p->lexer)) return -1;
  if (!at_word(p, "null")) return expected(p, negated ? "`null`" : "`null` or `not null`", "equality is written `=`");
  if (!adl_expr_lexer_next(p->lexer)) return -1;
  return adl_expr_is_null_node(p->builder, span_since(p, from), left, negated);
}

static int32_t parse_in(parser *p, int32_t from, int32_t left, bool negated) {
  if (!adl_expr_lexer_next(p->lexer)) return -1;
  if (!at_sign(p, "(")) return expected(p, "`(`", "a list looks like ('a', 'b', 'c')");
  adl_expr_span open = token_span(p);
  if (!adl_expr_lexer_next(p->lexer)) return -1;
  GArray *items = g_array_new(FALSE, FALSE, sizeof(int32_t));
  int32_t node = -1;
  if (parse_list(p, items, "`,` or `)`")) {
    adl_expr_span span = span_since(p, from);
    if (items->len == 0) {
      adl_expr_span brackets = span_since(p, open.offset);
      node = adl_expr_bad(p->builder, brackets, NULL, "this list is empty");
    } else {
      node = adl_expr_in_node(p->builder, span, left, (int32_t *)(void *)items->data, (int32_t)items->len, negated);
    }
  }
  g_array_free(items, TRUE);
  return node;
}

static int32_t parse_between(parser *p, int32_t from, int32_t left, bool negated) {
  adl_expr_span word = token_span(p);
  if (!adl_expr_lexer_next(p->lexer)) return -1;
  int32_t low = parse_sum(p);
  if (low < 0) return -1;
  if (!at_word(p, "and")) return expected(p, "`and`", "it is written `x between low and high`, both ends included");
  if (!adl_expr_lexer_next(p->lexer)) return -1;
  int32_t high = parse_sum(p);
  if (high < 0) return -1;
  adl_expr_span span = span_since(p, from);
  low = adl_expr_compare_node(p->builder, span, word, ">=", left, low);
  high = adl_expr_compare_node(p->builder, span, word, "<=", left, high);
  int32_t node = adl_expr_logic_node(p->builder, span, "and", low, high);
  return negated ? adl_expr_not_node(p->builder, span, node) : node;
}

static bool at_comparison(const parser *p) {
  static const char *const signs[] = {"=", "==", "!=", "<>", "<", "<=", ">", ">="};
  for (size_t i = 0; i < G_N_ELEMENTS(signs); i++) {
    if (at_sign(p, signs[i])) return true;
  }
  return false;
}

static int32_t parse_compare(parser *p) {
  int32_t from = token_span(p).offset, left = parse_sum(p);
  if (left < 0) return -1;
  if (at_comparison(p)) {
    adl_expr_span sign_span = token_span(p);
    char sign[3] = "";
    g_strlcpy(sign, p->lexer->token.text->str, sizeof sign);
    if (!adl_expr_lexer_next(p->lexer)) return -1;
    int32_t right = parse_sum(p);
    if (right < 0) return -1;
    if (at_comparison(p)) {
      return stop(p, token_span(p), "write `a < b and b < c`", "comparisons cannot be chained");
    }
    return adl_expr_compare_node(p->builder, span_since(p, from), sign_span, sign, left, right);
  }
  if (at_word(p, "is")) return parse_is(p, from, left);
  bool negated = at_word(p, "not");
  if (negated && !adl_expr_lexer_next(p->lexer)) return -1;
  if (at_word(p, "in")) return parse_in(p, from, left, negated);
  if (at_word(p, "between")) return parse_between(p, from, left, negated);
  return negated ? expected(p, "`in` or `between`", NULL) : left;
}

static int32_t parse_not(parser *p) {
  if (!at_word(p, "not")) return parse_compare(p);
  int32_t from = token_span(p).offset;
  if (!deeper(p) || !adl_expr_lexer_next(p->lexer)) return -1;
  int32_t operand = parse_not(p);
  p->depth--;
  return operand < 0 ? -1 : adl_expr_not_node(p->builder, span_since(p, from), operand);
}

static int32_t parse_and(parser *p) {
  int32_t from = token_span(p).offset, left = parse_not(p);
  while (left >= 0 && at_word(p, "and")) {
    if (!adl_expr_lexer_next(p->lexer)) return -1;
    int32_t right = parse_not(p);
    if (right < 0) return -1;
    left = adl_expr_logic_node(p->builder, span_since(p, from), "and", left, right);
  }
  return left;
}

static int32_t parse_or(parser *p) {
  if (!deeper(p)) return -1;
  int32_t from = token_span(p).offset, left = parse_and(p);
  while (left >= 0 && at_word(p, "or")) {
    if (!adl_expr_lexer_next(p->lexer)) return -1;
    int32_t right = parse_and(p);
    if (right < 0) return -1;
    left = adl_expr_logic_node(p->builder, span_since(p, from), "or", left, right);
  }
  p->depth--;
  return left;
}

int32_t adl_expr_parse(adl_expr_lexer *lexer, adl_expr_builder *builder) {
  parser p = {lexer, builder, 0};
  return parse_or(&p);
}
