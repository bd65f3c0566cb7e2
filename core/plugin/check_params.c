/*
 * Checks the parameter table of a class: names, the C type behind each field, flags, choices, ranges, defaults. Called by
 * adl_check_class; the values in a pipeline file are checked by core/config.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/params.h"
#include "core/config/value.h"
#include "core/expr/expr.h"
#include "core/plugin/internal.h"

/* Size and alignment of the C type behind a parameter. */
typedef struct field {
  size_t size, align;
} field;

#define FIELD(type) ((field){sizeof(type), _Alignof(type)})
static const field no_field = {0, 0};

/* The table at adl_param_type in plugin.h: one line per type; `form` is 0 or one of the _OF flags. */
static field field_of(int type, uint32_t form) {
  switch (type) {
    case ADL_PARAM_BOOL: return form == 0 ? FIELD(bool) : no_field;
    case ADL_PARAM_INT: return form == 0 ? FIELD(int64_t) : form == ADL_LIST_OF ? FIELD(adl_ints) : no_field;
    case ADL_PARAM_FLOAT:
      return form == 0             ? FIELD(double)
             : form == ADL_LIST_OF ? FIELD(adl_floats)
             : form == ADL_MAP_OF  ? FIELD(adl_named_floats)
                                   : no_field;
    case ADL_PARAM_STRING:
      return form == 0              ? FIELD(const char *)
             : form == ADL_LIST_OF  ? FIELD(adl_strings)
             : form == ADL_LISTS_OF ? FIELD(adl_string_lists)
             : form == ADL_MAP_OF   ? FIELD(adl_map)
                                    : no_field;
    case ADL_PARAM_CHOICE: return form == 0 ? FIELD(int32_t) : no_field;
    case ADL_PARAM_SIZE:
    case ADL_PARAM_DURATION: return form == 0 ? FIELD(int64_t) : no_field;
    case ADL_PARAM_PATH_IN:
      return form == 0 ? FIELD(const char *) : form == ADL_LIST_OF ? FIELD(adl_strings) : no_field;
    case ADL_PARAM_PATH_OUT: return form == 0 ? FIELD(const char *) : no_field;
    case ADL_PARAM_COLUMN:
      return form == 0              ? FIELD(adl_input)
             : form == ADL_LIST_OF  ? FIELD(adl_inputs)
             : form == ADL_LISTS_OF ? FIELD(adl_input_lists)
                                    : no_field;
    case ADL_PARAM_NEW_COLUMN: return form == 0 ? FIELD(adl_output) : no_field;
    case ADL_PARAM_MATRIX: return form == 0 ? FIELD(adl_input) : no_field;
    case ADL_PARAM_STAGE: return form == 0 ? FIELD(adl_side) : no_field;
    case ADL_PARAM_EXPRESSION: return form == 0 ? FIELD(adl_input) : form == ADL_MAP_OF ? FIELD(adl_inputs) : no_field;
    case ADL_PARAM_CALL: return form == ADL_MAP_OF ? FIELD(adl_calls) : no_field;
    default: return no_field;
  }
}

static const uint32_t forms = ADL_LIST_OF | ADL_LISTS_OF | ADL_MAP_OF;

/* Appends one complaint about a parameter. */
static void complain(GString *why, const adl_class *class, const adl_param *param, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void complain(GString *why, const adl_class *class, const adl_param *param, const char *format, ...) {
  g_string_append_printf(why, "%sclass `%s`, parameter `%s`: ", why->len > 0 ? "; " : "", class->id, param->name);
  va_list args;
  va_start(args, format);
  g_string_append_vprintf(why, format, args);
  va_end(args);
}

static bool name_valid(const char *name) {
  if (name == NULL || *name < 'a' || *name > 'z' || strlen(name) > 64) return false;
  for (; *name != '\0'; name++)
    if (!((*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9') || *name == '_')) return false;
  return true;
}

static bool answers_to(const adl_param *param, const char *name) {
  return strcmp(param->name, name) == 0 || (param->alias != NULL && strcmp(param->alias, name) == 0);
}

/* Names by which no other parameter and no key of the runtime goes. */
static void check_name(const adl_class *class, uint32_t at, GString *why) {
  const adl_param *param = &class->params[at];
  const char *const names[2] = {param->name, param->alias};
  for (int n = 0; n < 2 && names[n] != NULL; n++) {
    if (!name_valid(names[n])) complain(why, class, param, "`%s` is not of the form [a-z][a-z0-9_]*", names[n]);
    for (const char *const *reserved = adl_params_reserved(); *reserved != NULL; reserved++)
      if (strcmp(names[n], *reserved) == 0)
        complain(why, class, param, "`%s` is a key of the pipeline file itself; rename it", names[n]);
    for (uint32_t i = 0; i < at; i++)
      if (class->params[i].name != NULL && answers_to(&class->params[i], names[n]))
        complain(why, class, param, "the name `%s` is taken by another parameter", names[n]);
  }
}

/* The field lies inside the instance, is aligned, and shares no byte with another one. */
static void check_field(const adl_class *class, uint32_t at, GString *why) {
  const adl_param *param = &class->params[at];
  field own = field_of(param->type, param->flags & forms);
  if (own.size == 0) {
    if (param->type < ADL_PARAM_BOOL || param->type > ADL_PARAM_CALL)
      complain(why, class, param, "there is no parameter type %d", param->type);
    else
      complain(why, class, param,
               "its type does not exist with this of ADL_LIST_OF, ADL_LISTS_OF, ADL_MAP_OF (see the "
               "table at adl_param_type)");
    return;
  }
  if (param->offset % own.align != 0 || param->offset > class->instance_size ||
      own.size > class->instance_size - param->offset) {
    complain(why, class, param,
             "its field (%zu bytes at offset %u) does not fit the instance of %u bytes; use "
             "offsetof and sizeof of the same struct",
             own.size, param->offset, class->instance_size);
    return;
  }
  for (uint32_t i = 0; i < at; i++) {
    const adl_param *other = &class->params[i];
    field theirs = field_of(other->type, other->flags & forms);
    if (theirs.size != 0 && param->offset < other->offset + theirs.size && other->offset < param->offset + own.size)
      complain(why, class, param, "its field overlaps that of `%s`; check offsetof", other->name);
  }
}

static void need_type(const adl_class *class, const adl_param *param, uint32_t flag, const char *flag_name,
                      uint32_t types, GString *why) {
  if ((param->flags & flag) != 0 && (types & ADL_MASK(param->type)) == 0)
    complain(why, class, param, "%s does not go with its type", flag_name);
}

static void check_flags(const adl_class *class, const adl_param *param, GString *why) {
  const uint32_t known = forms | ADL_REQUIRED | ADL_SECRET | ADL_LEARN_ONLY | ADL_LIVE | ADL_NULLS_PASS | ADL_NAN_PASS |
                         ADL_GROUP_KEY | ADL_PLAIN_NAME;
  if ((param->flags & ~known) != 0)
    complain(why, class, param, "plugin ABI %d.%d does not know the flags 0x%x", ADL_ABI_MAJOR, ADL_ABI_MINOR,
             param->flags & ~known);
  const uint32_t columns = ADL_MASK(ADL_PARAM_COLUMN) | ADL_MASK(ADL_PARAM_MATRIX) | ADL_MASK(ADL_PARAM_EXPRESSION);
  const uint32_t wired =
      columns | ADL_MASK(ADL_PARAM_CALL) | ADL_MASK(ADL_PARAM_NEW_COLUMN) | ADL_MASK(ADL_PARAM_STAGE);
  need_type(class, param, ADL_LEARN_ONLY, "ADL_LEARN_ONLY", columns, why);
  need_type(class, param, ADL_NULLS_PASS, "ADL_NULLS_PASS", columns | ADL_MASK(ADL_PARAM_CALL), why);
  need_type(class, param, ADL_NAN_PASS, "ADL_NAN_PASS", columns | ADL_MASK(ADL_PARAM_CALL), why);
  need_type(class, param, ADL_GROUP_KEY, "ADL_GROUP_KEY", ADL_MASK(ADL_PARAM_COLUMN), why);
  need_type(class, param, ADL_PLAIN_NAME, "ADL_PLAIN_NAME", ADL_MASK(ADL_PARAM_NEW_COLUMN), why);
  need_type(class, param, ADL_SECRET, "ADL_SECRET", ADL_MASK(ADL_PARAM_STRING), why);
  need_type(class, param, ADL_LIVE, "ADL_LIVE", ~wired, why);
  if ((param->flags & ADL_GROUP_KEY) != 0 && (class->flags & ADL_WHOLE_GROUPS) == 0)
    complain(why, class, param, "it has ADL_GROUP_KEY, but the class has no ADL_WHOLE_GROUPS");
  if ((param->flags & ADL_PLAIN_NAME) != 0 && param->default_value == NULL)
    complain(why, class, param, "it has ADL_PLAIN_NAME, but no default");
  if ((param->flags & ADL_REQUIRED) != 0 && param->default_value != NULL && (param->flags & ADL_PLAIN_NAME) == 0)
    complain(why, class, param, "it has a default, so it cannot be ADL_REQUIRED");
}

static void check_choices(const adl_class *class, const adl_param *param, GString *why) {
  bool wanted = param->type == ADL_PARAM_CHOICE || param->type == ADL_PARAM_CALL;
  if (!wanted || param->choices == NULL) {
    if (wanted) complain(why, class, param, "its type needs choices (\"a|b|c\")");
    if (!wanted && param->choices != NULL) complain(why, class, param, "its type has no choices");
    return;
  }
  char **names = adl_choice_list(param->choices);
  if (names[0] == NULL) complain(why, class, param, "its choices are empty");
  for (int i = 0; names[i] != NULL; i++) {
    bool good = names[i][0] != '\0' && strpbrk(names[i], " \t\n/") == NULL;
    for (int k = 0; k < i && good; k++) good = strcmp(names[k], names[i]) != 0;
    if (!good) complain(why, class, param, "its choices \"%s\" have an empty or repeated one", param->choices);
    if (!good) break;
  }
  g_strfreev(names);
  if (param->type != ADL_PARAM_CALL) return;
  char **calls = g_strsplit(param->choices, "|", -1);
  for (char **call = calls; *call != NULL; call++) {
    const char *slash = strchr(*call, '/');
    char *end = NULL;
    long low = slash != NULL ? strtol(slash + 1, &end, 10) : -1, high = low;
    if (slash != NULL && *end == '-') high = strtol(end + 1, &end, 10);
    if (slash == NULL || *end != '\0' || end == slash + 1 || low < 0 || high < low ||
        high > ADL_EXPR_MAX_CALL_ARGUMENTS)
      complain(why, class, param, "its choice \"%s\" is not of the form function/arguments (\"sum/1\", \"bag/1-2\")",
               *call);
  }
  g_strfreev(calls);
}

/* A plain default in the parameter's type; lists and maps are read when a stage uses them. */
static void check_default(const adl_class *class, const adl_param *param, const adl_range *range, GString *why) {
  if (param->default_value == NULL || (param->flags & forms) != 0) return;
  const char *text = param->default_value;
  GString *reason = g_string_new(NULL);
  bool truth, fine = true;
  int64_t whole = 0;
  double number = 0;
  switch (param->type) {
    case ADL_PARAM_BOOL: fine = adl_value_bool(text, &truth, reason); break;
    case ADL_PARAM_INT: fine = adl_value_int(text, &whole, reason); break;
    case ADL_PARAM_SIZE: fine = adl_value_size(text, &whole, reason); break;
    case ADL_PARAM_DURATION: fine = adl_value_duration(text, &whole, reason); break;
    case ADL_PARAM_FLOAT: fine = adl_value_float(text, &number, reason); break;
    case ADL_PARAM_CHOICE: fine = param->choices == NULL || adl_choice_find(param->choices, text, reason) >= 0; break;
    default: break;
  }
  if (!fine) complain(why, class, param, "its default \"%s\" cannot be read: %s", text, reason->str);
  if (fine && range != NULL &&
      !(param->type == ADL_PARAM_FLOAT ? adl_range_holds(range, number) : adl_range_holds_int(range, whole)))
    complain(why, class, param, "its default %s is out of its range %s", text, param->range);
  g_string_free(reason, TRUE);
}

static void check_values(const adl_class *class, const adl_param *param, GString *why) {
  const uint32_t ranged =
      ADL_MASK(ADL_PARAM_INT) | ADL_MASK(ADL_PARAM_FLOAT) | ADL_MASK(ADL_PARAM_SIZE) | ADL_MASK(ADL_PARAM_DURATION);
  adl_range range;
  const adl_range *read = NULL;
  GString *reason = g_string_new(NULL);
  if (param->range != NULL && (ranged & ADL_MASK(param->type)) == 0)
    complain(why, class, param, "its type has no range");
  else if (param->range != NULL && !adl_range_read(param->range, (adl_param_type)param->type, &range, reason))
    complain(why, class, param, "its range \"%s\" cannot be read: %s", param->range, reason->str);
  else if (param->range != NULL)
    read = &range;
  g_string_free(reason, TRUE);
  check_default(class, param, read, why);
}

bool adl_check_params(const adl_class *class, GString *why) {
  gsize before = why->len;
  for (uint32_t i = 0; i < class->param_count; i++) {
    const adl_param *param = &class->params[i];
    if (param->name == NULL) {
      g_string_append_printf(why, "%sclass `%s`: parameter number %u has no name", why->len > 0 ? "; " : "", class->id,
                             i);
      return false;
    }
    check_name(class, i, why);
    check_field(class, i, why);
    if (param->type < ADL_PARAM_BOOL || param->type > ADL_PARAM_CALL) continue;
    check_flags(class, param, why);
    check_choices(class, param, why);
    check_values(class, param, why);
  }
  return why->len == before;
}
