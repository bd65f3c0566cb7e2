/* Tokens of an expression's text. Called by parse.c and call.c, one token at a time; every token keeps its place. */
#include <math.h>
#include <string.h>

#include "core/expr/internal.h"

static adl_expr_span span_from(int32_t from, int32_t to) {
  adl_expr_span span = {from, to - from};
  return span;
}

static bool fail(adl_expr_lexer *lexer, int32_t from, int32_t to, const char *hint, const char *message) {
  adl_expr_report(lexer->scope, lexer->problem_count, span_from(from, to), hint, "%s", message);
  return false;
}

/* First character at or after the current one; the text is known to be UTF-8. */
static gunichar peek(const adl_expr_lexer *lexer) {
  return lexer->at < lexer->size ? g_utf8_get_char(lexer->text + lexer->at) : 0;
}

static int32_t character_end(const adl_expr_lexer *lexer, int32_t at) {
  return (int32_t)(g_utf8_next_char(lexer->text + at) - lexer->text);
}

static bool starts_name(gunichar c) { return c == '_' || g_unichar_isalpha(c); }
static bool continues_name(gunichar c) { return c == '_' || g_unichar_isalnum(c) || g_unichar_ismark(c); }

static bool read_name(adl_expr_lexer *lexer) {
  int32_t from = lexer->at;
  while (continues_name(peek(lexer))) lexer->at = character_end(lexer, lexer->at);
  lexer->token.kind = ADL_TOKEN_NAME;
  g_string_append_len(lexer->token.text, lexer->text + from, lexer->at - from);
  return true;
}

/* `a column's name`, with `` for a backtick inside. */
static bool read_quoted_name(adl_expr_lexer *lexer) {
  int32_t from = lexer->at++;
  for (;;) {
    if (lexer->at >= lexer->size) return fail(lexer, from, lexer->size, NULL, "this ` is never closed");
    char c = lexer->text[lexer->at++];
    if (c == '`') {
      if (lexer->text[lexer->at] != '`') break;
      lexer->at++;
    }
    g_string_append_c(lexer->token.text, c);
  }
  if (lexer->token.text->len == 0) return fail(lexer, from, lexer->at, NULL, "an empty column name");
  lexer->token.kind = ADL_TOKEN_QUOTED;
  return true;
}

/* \uXXXX, or two of them for a character outside the basic plane. */
static bool read_unicode_escape(adl_expr_lexer *lexer, int32_t from) {
  gunichar code = 0;
  for (int part = 0; part < 2; part++) {
    uint32_t unit = 0;
    for (int digit = 0; digit < 4; digit++) {
      int value = lexer->at < lexer->size ? g_ascii_xdigit_value(lexer->text[lexer->at]) : -1;
      if (value < 0) {
        return fail(lexer, from, lexer->at, "four hexadecimal digits follow \\u", "not an escape sequence");
      }
      unit = unit * 16 + (uint32_t)value;
      lexer->at++;
    }
    if (part == 0 && unit >= 0xd800 && unit < 0xdc00 && strncmp(lexer->text + lexer->at, "\\u", 2) == 0) {
      code = 0x10000 + ((unit - 0xd800) << 10);
      lexer->at += 2;
      continue;
    }
    if (part == 1 && (unit < 0xdc00 || unit > 0xdfff)) unit = 0xd800; /* no second half: refused below */
    code = part == 0 ? unit : unit == 0xd800 ? unit : code + (unit - 0xdc00);
    break;
  }
  if (code == 0 || !g_unichar_validate(code)) return fail(lexer, from, lexer->at, NULL, "not a character of Unicode");
  g_string_append_unichar(lexer->token.text, code);
  return true;
}

static bool read_escape(adl_expr_lexer *lexer) {
  static const char letters[] = "nrt\\'\"`/", values[] = "\n\r\t\\'\"`/";
  int32_t from = lexer->at++;
  char c = lexer->text[lexer->at];
  if (c == 'u') {
    lexer->at++;
    return read_unicode_escape(lexer, from);
  }
  const char *found = c == '\0' ? NULL : strchr(letters, c);
  if (found == NULL) {
    int32_t to = lexer->at < lexer->size ? character_end(lexer, lexer->at) : lexer->at;
    return fail(lexer, from, to, "escapes are \\n \\r \\t \\\\ \\' \\\" and \\uXXXX", "not an escape sequence");
  }
  g_string_append_c(lexer->token.text, values[found - letters]);
  lexer->at++;
  return true;
}

/* 'text' or "text"; the quote inside is doubled or escaped. */
static bool read_string(adl_expr_lexer *lexer) {
  int32_t from = lexer->at;
  char quote = lexer->text[lexer->at++];
  for (;;) {
    if (lexer->at >= lexer->size) return fail(lexer, from, lexer->size, NULL, "this string is never closed");
    char c = lexer->text[lexer->at];
    if (c == '\\') {
      if (!read_escape(lexer)) return false;
      continue;
    }
    lexer->at++;
    if (c == quote) {
      if (lexer->text[lexer->at] != quote) break;
      lexer->at++;
    }
    g_string_append_c(lexer->token.text, c);
  }
  lexer->token.kind = ADL_TOKEN_STRING;
  return true;
}

static void skip_digits(adl_expr_lexer *lexer) {
  while (g_ascii_isdigit(lexer->text[lexer->at])) lexer->at++;
}

static bool read_number(adl_expr_lexer *lexer) {
  int32_t from = lexer->at;
  bool whole = true;
  skip_digits(lexer);
  if (lexer->text[lexer->at] == '.') {
    whole = false;
    lexer->at++;
    skip_digits(lexer);
  }
  if (lexer->text[lexer->at] == 'e' || lexer->text[lexer->at] == 'E') {
    whole = false;
    lexer->at++;
    if (lexer->text[lexer->at] == '+' || lexer->text[lexer->at] == '-') lexer->at++;
    if (!g_ascii_isdigit(lexer->text[lexer->at])) {
      return fail(lexer, from, lexer->at, "an exponent looks like 1e-3", "not a number");
    }
    skip_digits(lexer);
  }
  if (continues_name(peek(lexer)) || lexer->text[lexer->at] == '.') {
    while (continues_name(peek(lexer)) || lexer->text[lexer->at] == '.') lexer->at = character_end(lexer, lexer->at);
    return fail(lexer, from, lexer->at, "a column whose name begins with a digit stands in backticks: `2nd`",
                "neither a number nor a name");
  }
  g_string_append_len(lexer->token.text, lexer->text + from, lexer->at - from);
  if (!whole) {
    lexer->token.kind = ADL_TOKEN_FLOAT;
    lexer->token.number = g_ascii_strtod(lexer->token.text->str, NULL);
    if (!isfinite(lexer->token.number)) return fail(lexer, from, lexer->at, NULL, "too large a number");
    return true;
  }
  guint64 value = 0;
  lexer->token.kind = ADL_TOKEN_INT;
  if (!g_ascii_string_to_unsigned(lexer->token.text->str, 10, 0, (guint64)INT64_MAX + 1, &value, NULL)) {
    return fail(lexer, from, lexer->at, "write it with a decimal point to get a float64",
                "an integer does not have more than 64 bits");
  }
  lexer->token.too_big = value > (guint64)INT64_MAX;
  lexer->token.integer = lexer->token.too_big ? INT64_MIN : (int64_t)value;
  return true;
}

static bool read_sign(adl_expr_lexer *lexer) {
  static const char *const signs[] = {"==", "!=", "<>", "<=", ">=", "=", "<", ">",
                                      "+",  "-",  "*",  "/",  "%",  "(", ")", ","};
  static const char *const foreign[][2] = {{"&&", "write `and`"}, {"||", "write `or`, or concat() to join strings"},
                                           {"!", "write `not`"},  {"&", "write `and`"},
                                           {"|", "write `or`"},   {"^", "write pow(x, y)"}};
  const char *here = lexer->text + lexer->at;
  for (size_t i = 0; i < G_N_ELEMENTS(signs); i++) {
    if (strncmp(here, signs[i], strlen(signs[i])) != 0) continue;
    lexer->token.kind = ADL_TOKEN_SIGN;
    g_string_append(lexer->token.text, signs[i]);
    lexer->at += (int32_t)strlen(signs[i]);
    return true;
  }
  for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
    if (strncmp(here, foreign[i][0], strlen(foreign[i][0])) == 0) {
      return fail(lexer, lexer->at, lexer->at + (int32_t)strlen(foreign[i][0]), foreign[i][1],
                  "not an operator of expressions");
    }
  }
  const char *hint = *here == '.' ? "a column whose name has a dot stands in backticks: `a.b`" : NULL;
  return fail(lexer, lexer->at, character_end(lexer, lexer->at), hint, "this character has no meaning here");
}

bool adl_expr_lexer_next(adl_expr_lexer *lexer) {
  lexer->end = lexer->token.span.offset + lexer->token.span.length;
  while (lexer->at < lexer->size && g_unichar_isspace(peek(lexer))) lexer->at = character_end(lexer, lexer->at);
  g_string_truncate(lexer->token.text, 0);
  lexer->token.too_big = false;
  int32_t from = lexer->at;
  bool ok = true;
  if (from >= lexer->size) {
    lexer->token.kind = ADL_TOKEN_END;
  } else {
    char c = lexer->text[from];
    bool number = g_ascii_isdigit(c) || (c == '.' && g_ascii_isdigit(lexer->text[from + 1]));
    if (number)
      ok = read_number(lexer);
    else if (c == '\'' || c == '"')
      ok = read_string(lexer);
    else if (c == '`')
      ok = read_quoted_name(lexer);
    else if (starts_name(peek(lexer)))
      ok = read_name(lexer);
    else
      ok = read_sign(lexer);
  }
  lexer->token.span = span_from(from, lexer->at);
  return ok;
}

bool adl_expr_lexer_begin(adl_expr_lexer *lexer, const char *text, const adl_expr_scope *scope,
                          int32_t *problem_count) {
  memset(lexer, 0, sizeof *lexer);
  lexer->scope = scope;
  lexer->problem_count = problem_count;
  lexer->text = text;
  lexer->token.text = g_string_new(NULL);
  size_t size = strlen(text);
  if (size > ADL_EXPR_MAX_BYTES) {
    adl_expr_report(scope, problem_count, span_from(0, 1), NULL, "an expression is at most %d bytes long, not %zu",
                    ADL_EXPR_MAX_BYTES, size);
    return false;
  }
  lexer->size = (int32_t)size;
  const char *bad = NULL;
  if (!g_utf8_validate(text, (gssize)size, &bad)) {
    return fail(lexer, (int32_t)(bad - text), (int32_t)(bad - text) + 1, NULL, "this byte is not UTF-8");
  }
  return adl_expr_lexer_next(lexer);
}

void adl_expr_lexer_end(adl_expr_lexer *lexer) { g_string_free(lexer->token.text, TRUE); }

bool adl_expr_lexer_sign(const adl_expr_lexer *lexer, const char *sign) {
  return lexer->token.kind == ADL_TOKEN_SIGN && strcmp(lexer->token.text->str, sign) == 0;
}

bool adl_expr_lexer_word(const adl_expr_lexer *lexer, const char *word) {
  return lexer->token.kind == ADL_TOKEN_NAME && g_ascii_strcasecmp(lexer->token.text->str, word) == 0;
}

char *adl_expr_lexer_found(const adl_expr_lexer *lexer) {
  if (lexer->token.kind == ADL_TOKEN_END) return g_strdup("the end");
  char *quoted = adl_expr_cut(lexer->token.text->str), *found = NULL;
  switch (lexer->token.kind) {
    case ADL_TOKEN_STRING: found = g_strdup_printf("the string '%s'", quoted); break;
    case ADL_TOKEN_INT:
    case ADL_TOKEN_FLOAT: found = g_strdup_printf("the number %s", quoted); break;
    default: found = g_strdup_printf("`%s`", quoted); break;
  }
  g_free(quoted);
  return found;
}
