/* Compiling a whole text: an expression, or a call such as sum(price * quantity). What the graph layer calls. */
#include <string.h>

#include "core/expr/internal.h"

/* One expression, up to what cannot belong to it; the lexer stands there. */
static adl_expr *compile_part(adl_expr_lexer *lexer, const adl_expr_scope *scope, int32_t *problem_count,
                              bool *stopped) {
  adl_expr_builder builder;
  adl_expr_builder_begin(&builder, scope, problem_count);
  int32_t root = adl_expr_parse(lexer, &builder);
  *stopped = root < 0;
  return adl_expr_finish(&builder, root);
}

static void unexpected(adl_expr_lexer *lexer, const char *what, const char *hint) {
  char *found = adl_expr_lexer_found(lexer);
  adl_expr_report(lexer->scope, lexer->problem_count, lexer->token.span, hint, "expected %s, not %s", what, found);
  g_free(found);
}

adl_expr *adl_expr_compile(const char *text, const adl_expr_scope *scope) {
  int32_t problem_count = 0;
  adl_expr_lexer lexer;
  adl_expr *expr = NULL;
  if (adl_expr_lexer_begin(&lexer, text, scope, &problem_count)) {
    bool stopped = false;
    if (lexer.token.kind == ADL_TOKEN_END) {
      adl_expr_report(scope, &problem_count, lexer.token.span, NULL, "an empty expression");
      stopped = true;
    } else {
      expr = compile_part(&lexer, scope, &problem_count, &stopped);
    }
    if (!stopped && lexer.token.kind != ADL_TOKEN_END) unexpected(&lexer, "an operator or the end", NULL);
  }
  adl_expr_lexer_end(&lexer);
  if (problem_count > 0) {
    adl_expr_free(expr);
    expr = NULL;
  }
  return expr;
}

/* -------------------------------------------------------------------------------------------------------- calls ---- */

typedef struct choice {
  char *name;
  int32_t least, most;
} choice;

/* "sum/1|last/2|bag/1-2|count/0" */
static GArray *read_choices(const char *choices) {
  GArray *list = g_array_new(FALSE, FALSE, sizeof(choice));
  gchar **parts = g_strsplit(choices, "|", -1);
  for (gchar **part = parts; *part != NULL; part++) {
    choice one = {NULL, 0, 0};
    const char *slash = strchr(*part, '/');
    one.name = slash == NULL ? g_strdup(*part) : g_strndup(*part, (gsize)(slash - *part));
    if (slash != NULL) {
      char *end = NULL;
      one.least = (int32_t)g_ascii_strtoll(slash + 1, &end, 10);
      one.most = *end == '-' ? (int32_t)g_ascii_strtoll(end + 1, NULL, 10) : one.least;
    }
    one.most = MIN(one.most, ADL_EXPR_MAX_CALL_ARGUMENTS);
    g_array_append_val(list, one);
  }
  g_strfreev(parts);
  return list;
}

static void free_choices(GArray *choices) {
  for (guint i = 0; i < choices->len; i++) g_free(g_array_index(choices, choice, i).name);
  g_array_free(choices, TRUE);
}

/* The function that is named, and the opening bracket behind it. -1: reported. */
static int32_t read_function(adl_expr_lexer *lexer, const GArray *choices) {
  GPtrArray *names = g_ptr_array_new();
  int32_t function = -1;
  for (guint i = 0; i < choices->len; i++) g_ptr_array_add(names, g_array_index(choices, choice, i).name);
  GString *all = g_string_new("there are ");
  for (guint i = 0; i < names->len; i++) {
    g_string_append_printf(all, "%s%s",
                           i == 0               ? ""
                           : i + 1 < names->len ? ", "
                                                : " and ",
                           (const char *)names->pdata[i]);
  }
  if (lexer->token.kind != ADL_TOKEN_NAME) {
    unexpected(lexer, "a function such as sum(x)", all->str);
  } else {
    for (guint i = 0; i < names->len && function < 0; i++) {
      if (strcmp(names->pdata[i], lexer->token.text->str) == 0) function = (int32_t)i;
    }
    if (function < 0) {
      char *near = adl_expr_did_you_mean(lexer->token.text->str, (const char *const *)names->pdata, names->len);
      char *cut = adl_expr_cut(lexer->token.text->str);
      adl_expr_report(lexer->scope, lexer->problem_count, lexer->token.span, near == NULL ? all->str : near,
                      "no function is called `%s` here", cut);
      g_free(near);
      g_free(cut);
    }
  }
  if (function >= 0) {
    char *hint = g_strdup_printf("write %s(%s)", (const char *)names->pdata[function],
                                 g_array_index(choices, choice, function).most > 0 ? "..." : "");
    if (!adl_expr_lexer_next(lexer)) {
      function = -1;
    } else if (!adl_expr_lexer_sign(lexer, "(")) {
      unexpected(lexer, "`(`", hint);
      function = -1;
    }
    g_free(hint);
  }
  g_string_free(all, TRUE);
  g_ptr_array_free(names, TRUE);
  return function;
}

/* The arguments and the closing bracket; the lexer stands at the opening one. Arguments above the limit are compiled
 * for their errors and dropped. Returns their number, -1: stopped. */
static int32_t read_arguments(adl_expr_lexer *lexer, adl_expr_call *call) {
  int32_t count = 0;
  bool stopped = false;
  if (!adl_expr_lexer_next(lexer)) return -1;
  while (!adl_expr_lexer_sign(lexer, ")")) {
    if (count > 0 && !adl_expr_lexer_sign(lexer, ",")) {
      unexpected(lexer, "`,` or `)`", NULL);
      return -1;
    }
    if (count > 0 && !adl_expr_lexer_next(lexer)) return -1;
    adl_expr *expr = compile_part(lexer, lexer->scope, lexer->problem_count, &stopped);
    if (count < ADL_EXPR_MAX_CALL_ARGUMENTS)
      call->arguments[count] = expr;
    else
      adl_expr_free(expr);
    if (stopped) return -1;
    count++;
  }
  return count;
}

static void check_count(adl_expr_lexer *lexer, const choice *function, adl_expr_span name, int32_t count) {
  if (count >= function->least && count <= function->most) return;
  char *range = function->least == function->most ? g_strdup_printf("%d", function->least)
                                                  : g_strdup_printf("%d to %d", function->least, function->most);
  adl_expr_report(lexer->scope, lexer->problem_count, name, NULL, "%s takes %s argument%s, not %d", function->name,
                  function->most == 0 ? "no" : range, function->most == 1 ? "" : "s", count);
  g_free(range);
}

bool adl_expr_compile_call(const char *text, const char *choices_text, const adl_expr_scope *scope,
                           adl_expr_call *call) {
  int32_t problem_count = 0;
  adl_expr_lexer lexer;
  memset(call, 0, sizeof *call);
  GArray *choices = read_choices(choices_text);
  if (adl_expr_lexer_begin(&lexer, text, scope, &problem_count)) {
    adl_expr_span name = lexer.token.span;
    call->function = read_function(&lexer, choices);
    if (call->function >= 0) call->argument_count = read_arguments(&lexer, call);
    if (call->function >= 0 && call->argument_count >= 0) {
      check_count(&lexer, &g_array_index(choices, choice, call->function), name, call->argument_count);
      if (adl_expr_lexer_next(&lexer) && lexer.token.kind != ADL_TOKEN_END) {
        unexpected(&lexer, "nothing behind the call", "compute with the result in a stage of its own (derive)");
      }
    }
  }
  adl_expr_lexer_end(&lexer);
  free_choices(choices);
  if (problem_count > 0) adl_expr_call_clear(call);
  return problem_count == 0;
}

void adl_expr_call_clear(adl_expr_call *call) {
  for (int32_t i = 0; i < ADL_EXPR_MAX_CALL_ARGUMENTS; i++) adl_expr_free(call->arguments[i]);
  memset(call, 0, sizeof *call);
}
