/* See variables.h. Rules of the shell, as far as they go: `:-` also stands in for an empty value; nothing nests. */
#include "core/config/variables.h"

#include <string.h>

#include "core/base/text.h"

enum { MAX_EXPANDED = 4 << 20 }; /* bytes that one tree may get from variables */

static const char OPTION[] = "--var"; /* the name of the options as a text */

typedef struct variable {
  char *value;
  int line;  /* its option, from 1 */
  bool used; /* the file asked for it */
} variable;

struct adl_variables {
  GHashTable *given; /* name -> variable; both owned */
  GPtrArray *asked;  /* of char *: names that the file asked for */
  size_t expanded;
  GString *message;
};

static void free_variable(gpointer data) {
  g_free(((variable *)data)->value);
  g_free(data);
}

static void give(adl_variables *variables, const char *option, int length, int line) {
  variable *given = g_new(variable, 1);
  *given = (variable){g_strdup(option + length + 1), line, false};
  g_hash_table_insert(variables->given, g_strndup(option, (gsize)length), given);
}

static bool name_char(char c, bool first) { return c == '_' || g_ascii_isalpha(c) || (!first && g_ascii_isdigit(c)); }

/* Length of the name that the text begins with. */
static int name_length(const char *text) {
  int length = 0;
  while (name_char(text[length], length == 0)) length++;
  return length;
}

adl_variables *adl_variables_new(const char *const *options, adl_problems *problems) {
  adl_variables *variables = g_new0(adl_variables, 1);
  variables->given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_variable);
  variables->asked = g_ptr_array_new_with_free_func(g_free);
  variables->message = g_string_new(NULL);
  GString *lines = g_string_new(NULL);
  for (int i = 0; options != NULL && options[i] != NULL; i++) {
    const char *option = options[i];
    for (const char *at = option; *at != '\0'; at++) g_string_append_c(lines, *at == '\n' || *at == '\r' ? ' ' : *at);
    g_string_append_c(lines, '\n');
    int length = name_length(option);
    adl_place place = {OPTION, i + 1, 1, 1};
    if (length == 0 || option[length] != '=') {
      adl_problems_error(problems, place, "a variable is given as NAME=value; a name is letters, digits and _");
    } else if (!g_utf8_validate(option, -1, NULL)) {
      adl_problems_error(problems, place, "the value of %.*s is not UTF-8", length, option);
    } else {
      give(variables, option, length, i + 1);
    }
  }
  if (lines->len > 0) adl_problems_source(problems, OPTION, lines->str, lines->len);
  g_string_free(lines, TRUE);
  return variables;
}

void adl_variables_free(adl_variables *variables) {
  if (variables == NULL) return;
  g_hash_table_destroy(variables->given);
  g_ptr_array_free(variables->asked, TRUE);
  g_string_free(variables->message, TRUE);
  g_free(variables);
}

static const char *say(adl_variables *variables, const char *format, ...) __attribute__((format(printf, 2, 3)));
static const char *say(adl_variables *variables, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_string_vprintf(variables->message, format, args);
  va_end(args);
  return variables->message->str;
}

/* The names that --var gave, for "did you mean". */
static void suggest(adl_variables *variables, const char *name, GString *out) {
  guint count;
  const char **names = (const char **)g_hash_table_get_keys_as_array(variables->given, &count);
  const char *near = adl_text_nearest(name, names, count);
  if (near != NULL) g_string_append_printf(out, "; did you mean ${%s}?", near);
  g_free(names);
}

/* Appends what stands for `${...}`, whose inside is `inside`. NULL: done; else the message. */
static const char *expand_one(adl_variables *variables, const char *inside, size_t size, GString *out) {
  int length = name_length(inside);
  if (length == 0 || length > (int)size) return say(variables, "a variable is written ${NAME} or ${NAME:-default}");
  const char *behind = inside + length;
  bool has_default = size >= (size_t)length + 2 && memcmp(behind, ":-", 2) == 0;
  if (has_default && g_strstr_len(inside, (gssize)size, "${") != NULL) {
    return say(variables, "a default cannot hold a variable");
  }
  if (!has_default && (size_t)length != size) {
    return say(variables, "a variable is written ${NAME} or ${NAME:-default}; write $${ for ${ itself");
  }
  char *name = g_strndup(inside, (gsize)length);
  variable *given = g_hash_table_lookup(variables->given, name);
  const char *problem = NULL, *value = given != NULL ? given->value : g_getenv(name);
  if (given != NULL) given->used = true;
  g_ptr_array_add(variables->asked, g_strdup(name));
  if (value != NULL && !g_utf8_validate(value, -1, NULL)) {
    problem = say(variables, "the environment's %s is not UTF-8", name);
  } else if ((value == NULL || *value == '\0') && has_default) {
    g_string_append_len(out, behind + 2, (gssize)(size - (size_t)length - 2));
  } else if (value == NULL) {
    say(variables, "the variable %s is not set: give --var %s=..., set it in the environment, or write ${%s:-default}",
        name, name, name);
    suggest(variables, name, variables->message);
    problem = variables->message->str;
  } else {
    g_string_append(out, value);
  }
  g_free(name);
  return problem;
}

/* Appends what stands for the `${` at `dollar`; *end is behind its }. NULL: done; else the message. */
static const char *expand_at(adl_variables *variables, const char *dollar, GString *out, const char **end) {
  const char *brace = strchr(dollar, '}');
  *end = brace != NULL ? brace + 1 : dollar + 2;
  if (brace == NULL) return say(variables, "${ without }; write $${ for ${ itself");
  size_t before = out->len;
  const char *problem = expand_one(variables, dollar + 2, (size_t)(brace - dollar) - 2, out);
  variables->expanded += out->len - before;
  if (problem != NULL || variables->expanded <= MAX_EXPANDED) return problem;
  return say(variables, "variables bring more than %d MiB into the file", MAX_EXPANDED >> 20);
}

/* Options by their order. */
static gint by_line(gconstpointer a, gconstpointer b, gpointer variables) {
  const variable *x = g_hash_table_lookup(((adl_variables *)variables)->given, *(const char *const *)a),
                 *y = g_hash_table_lookup(((adl_variables *)variables)->given, *(const char *const *)b);
  return x->line - y->line;
}

void adl_variables_check_used(adl_variables *variables, adl_problems *problems) {
  guint count;
  const char **names = (const char **)g_hash_table_get_keys_as_array(variables->given, &count);
  g_qsort_with_data(names, (gint)count, sizeof *names, by_line, variables);
  for (guint i = 0; i < count; i++) {
    const variable *given = g_hash_table_lookup(variables->given, names[i]);
    if (given->used) continue;
    adl_place place = {OPTION, given->line, 1, (int)strlen(names[i])};
    adl_problem *problem = adl_problems_error(
        problems, place, "the variable %s is given, but ${%s} is nowhere in the file", names[i], names[i]);
    const char *near = adl_text_nearest(names[i], (const char *const *)variables->asked->pdata, variables->asked->len);
    if (near != NULL) adl_problem_hint(problem, "did you mean `%s`?", near);
  }
  g_free(names);
}

bool adl_variables_expand(adl_variables *variables, const char *text, GString *out, GArray *replaced,
                          adl_variable_fault *fault) {
  const char *at = text;
  for (const char *dollar = strchr(text, '$'); dollar != NULL; dollar = strchr(dollar, '$')) {
    bool escaped = strncmp(dollar, "$${", 3) == 0;
    if (!escaped && dollar[1] != '{') {
      dollar++;
      continue;
    }
    g_string_append_len(out, at, dollar - at);
    size_t before = out->len;
    const char *end = dollar + 3, *problem = NULL;
    if (escaped) {
      g_string_append(out, "${");
    } else {
      problem = expand_at(variables, dollar, out, &end);
    }
    if (problem != NULL) {
      *fault = (adl_variable_fault){(int)(dollar - text), (int)(end - dollar), problem};
      return false;
    }
    adl_replaced piece = {(int)(dollar - text), (int)(end - dollar), (int)(out->len - before)};
    g_array_append_val(replaced, piece);
    at = dollar = end;
  }
  g_string_append(out, at);
  return true;
}
