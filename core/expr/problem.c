/* Reporting what is wrong with an expression's text. Called by the lexer, the parser and the builder of nodes. */
#include <stdarg.h>
#include <string.h>

#include "core/base/text.h"
#include "core/expr/internal.h"

static void report(const adl_expr_scope *scope, int32_t *problem_count, adl_expr_span span, const char *hint,
                   const char *format, va_list args) {
  if ((*problem_count)++ >= ADL_EXPR_MAX_PROBLEMS) return;
  char *message = g_strdup_vprintf(format, args);
  adl_expr_problem problem = {span.offset, span.length, message, hint};
  scope->problem(scope->data, &problem);
  g_free(message);
}

void adl_expr_report(const adl_expr_scope *scope, int32_t *problem_count, adl_expr_span span, const char *hint,
                     const char *format, ...) {
  va_list args;
  va_start(args, format);
  report(scope, problem_count, span, hint, format, args);
  va_end(args);
}

int32_t adl_expr_bad(adl_expr_builder *builder, adl_expr_span span, const char *hint, const char *format, ...) {
  va_list args;
  va_start(args, format);
  report(builder->scope, builder->problem_count, span, hint, format, args);
  va_end(args);
  adl_expr_value nothing = {0};
  return adl_expr_constant_node(builder, span, ADL_EXPR_BAD, nothing);
}

char *adl_expr_did_you_mean(const char *wanted, const char *const *names, size_t count) {
  const char *near = adl_text_nearest(wanted, names, count);
  return near == NULL ? NULL : g_strdup_printf("did you mean `%s`?", near);
}

char *adl_expr_cut(const char *text) {
  GString *cut = g_string_new(NULL);
  int characters = 0;
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
    if (++characters > 40) {
      g_string_append(cut, "...");
      break;
    }
    gunichar c = g_utf8_get_char(at);
    g_string_append_unichar(cut, g_unichar_iscntrl(c) ? ' ' : c);
  }
  return g_string_free(cut, FALSE);
}
