/*
 * One parameter as a schema. A schema sees values as YAML reads them, the program sees texts: so every type takes a text
 * with ${...} in it, and each keyword speaks of one JSON type only (`minimum` of numbers, `pattern` of strings, `items`
 * of arrays), which lets one flat object say it all and gives an editor one message instead of a choice of branches.
 */
#include "core/plugin/schema.h"

#include <math.h>
#include <string.h>

#include "core/base/text.h"
#include "core/config/tree.h"
#include "core/config/value.h"
#include "core/plugin/describe.h"
#include "core/plugin/internal.h"

#define VARIABLE "\\$\\{"

void adl_schema_text(JsonBuilder *builder, const char *member, const char *text) {
  json_builder_set_member_name(builder, member);
  json_builder_add_string_value(builder, text);
}

/* ---- which values ---- */

/* What a type is in JSON, and which strings it takes. */
typedef struct type_rule {
  const char *types[4];
  const char *pattern; /* NULL: any text that is not empty */
  const char *message; /* when it does not fit */
} type_rule;

static const type_rule TEXT = {{"string", "number", "boolean"}, NULL, NULL};

static type_rule rule_of(int32_t type) {
  switch (type) {
    case ADL_PARAM_BOOL: return (type_rule){{"boolean", "string"}, VARIABLE, "true or false"};
    case ADL_PARAM_INT: return (type_rule){{"integer", "string"}, VARIABLE, "a whole number"};
    case ADL_PARAM_FLOAT:
      return (type_rule){{"number", "string"}, "^[-+]?\\.?(inf|Inf|INF|nan|NaN|NAN)$|" VARIABLE, "a number"};
    case ADL_PARAM_SIZE:
      return (type_rule){
          {"integer", "string"}, "^[0-9.]+ ?([KkMmGgTt]([Ii]?[Bb])?|[Bb])?$|" VARIABLE, "a size such as 4096 or 64M"};
    case ADL_PARAM_DURATION:
      return (type_rule){{"string", "integer"},
                         "^[-+]?([0-9.]+ ?([WwDdHhSs]|[Mm][Ss]?|[Uu][Ss]) ?)+$|" VARIABLE,
                         "a duration such as 500ms, 30m, 1h30m or 7d"};
    default: return TEXT;
  }
}

static void add_types(JsonBuilder *builder, const type_rule *rule, bool list) {
  json_builder_set_member_name(builder, "type");
  json_builder_begin_array(builder);
  for (size_t i = 0; i < G_N_ELEMENTS(rule->types) && rule->types[i] != NULL; i++)
    json_builder_add_string_value(builder, rule->types[i]);
  if (list) json_builder_add_string_value(builder, "array");
  json_builder_end_array(builder);
}

static void add_end(JsonBuilder *builder, const char *member, int32_t type, double number, int64_t whole) {
  if (!isfinite(number)) return;
  json_builder_set_member_name(builder, member);
  if (type == ADL_PARAM_FLOAT)
    json_builder_add_double_value(builder, number);
  else
    json_builder_add_int_value(builder, whole);
}

static void add_range(JsonBuilder *builder, const adl_param *param) {
  adl_range range;
  bool number = param->type == ADL_PARAM_INT || param->type == ADL_PARAM_FLOAT || param->type == ADL_PARAM_SIZE;
  if (param->type == ADL_PARAM_DURATION) {
    add_end(builder, "minimum", ADL_PARAM_INT, 0, 0); /* 0 is the one that needs no unit */
    add_end(builder, "maximum", ADL_PARAM_INT, 0, 0);
  }
  if (!number || param->range == NULL) return;
  GString *why = g_string_new(NULL);
  if (adl_range_read(param->range, (adl_param_type)param->type, &range, why)) {
    bool exclusive = param->type == ADL_PARAM_FLOAT; /* the ends of whole numbers are inclusive already */
    add_end(builder, exclusive && range.low_open ? "exclusiveMinimum" : "minimum", param->type, range.low,
            range.low_whole);
    add_end(builder, exclusive && range.high_open ? "exclusiveMaximum" : "maximum", param->type, range.high,
            range.high_whole);
  }
  g_string_free(why, TRUE);
}

/* "^\s*(sum|last)\s*\(": a call of one of the functions that there are. */
static char *call_pattern(const adl_param *param) {
  char **names = adl_choice_list(param->choices != NULL ? param->choices : "");
  char *joined = g_strjoinv("|", names), *pattern = g_strdup_printf("^\\s*(%s)\\s*\\(|" VARIABLE, joined);
  g_free(joined);
  g_strfreev(names);
  return pattern;
}

static char *call_message(const adl_param *param) {
  if (param->type != ADL_PARAM_CALL) return NULL;
  char **names = adl_choice_list(param->choices != NULL ? param->choices : "");
  GString *text = g_string_new("It must be a call of ");
  adl_text_list(text, (const char *const *)names, g_strv_length(names), "or");
  g_string_append_c(text, '.');
  g_strfreev(names);
  return g_string_free(text, FALSE);
}

static void add_choices(JsonBuilder *builder, const adl_param *param) {
  char **names = adl_choice_list(param->choices != NULL ? param->choices : "");
  json_builder_set_member_name(builder, "anyOf");
  json_builder_begin_array(builder);
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "enum");
  json_builder_begin_array(builder);
  for (char **name = names; *name != NULL; name++) json_builder_add_string_value(builder, *name);
  json_builder_end_array(builder);
  json_builder_end_object(builder);
  json_builder_begin_object(builder);
  adl_schema_text(builder, "type", "string");
  adl_schema_text(builder, "pattern", VARIABLE);
  json_builder_end_object(builder);
  json_builder_end_array(builder);
  g_strfreev(names);
}

/* One value; with `list`, an array in its place is fine as well. */
static void add_scalar(JsonBuilder *builder, const adl_param *param, bool list) {
  if (param->type == ADL_PARAM_CHOICE) {
    add_choices(builder, param);
    return;
  }
  type_rule rule = rule_of(param->type);
  char *pattern = param->type == ADL_PARAM_CALL ? call_pattern(param) : g_strdup(rule.pattern);
  add_types(builder, &rule, list);
  add_range(builder, param);
  if (pattern != NULL) adl_schema_text(builder, "pattern", pattern);
  char *message = rule.message != NULL ? g_strdup_printf("It must be %s.", rule.message) : call_message(param);
  if (message != NULL) adl_schema_text(builder, "patternErrorMessage", message);
  if (pattern == NULL && param->type != ADL_PARAM_STRING) {
    json_builder_set_member_name(builder, "minLength");
    json_builder_add_int_value(builder, 1);
  }
  g_free(message);
  g_free(pattern);
}

static void add_inside(JsonBuilder *builder, const char *member, const adl_param *param, bool list) {
  json_builder_set_member_name(builder, member);
  json_builder_begin_object(builder);
  if (list) {
    adl_schema_text(builder, "type", "array");
    add_inside(builder, "items", param, false);
  } else {
    add_scalar(builder, param, false);
  }
  json_builder_end_object(builder);
}

static void add_least(JsonBuilder *builder, const adl_param *param, const char *member) {
  if ((param->flags & ADL_REQUIRED) == 0) return;
  json_builder_set_member_name(builder, member);
  json_builder_add_int_value(builder, 1);
}

static void add_values(JsonBuilder *builder, const adl_param *param) {
  if ((param->flags & ADL_MAP_OF) != 0) {
    adl_schema_text(builder, "type", "object");
    add_inside(builder, "additionalProperties", param, false);
    add_least(builder, param, "minProperties");
  } else if ((param->flags & ADL_LISTS_OF) != 0) {
    adl_schema_text(builder, "type", "array");
    add_inside(builder, "items", param, true);
    add_least(builder, param, "minItems");
  } else if ((param->flags & ADL_LIST_OF) != 0 || param->type == ADL_PARAM_MATRIX) {
    add_scalar(builder, param, true);
    add_inside(builder, "items", param, false);
    add_least(builder, param, "minItems");
  } else {
    add_scalar(builder, param, false);
  }
}

/* ---- what it is ---- */

static void add_description(JsonBuilder *builder, const adl_param *param) {
  GString *text = g_string_new(param->doc != NULL ? param->doc : ""), *facts = g_string_new(NULL);
  if (param->type != 0) {
    g_string_append_printf(text, "%s", text->len > 0 ? "\n\n" : "");
    gsize start = text->len;
    adl_describe_type(param, text);
    if (text->len > start) text->str[start] = g_ascii_toupper(text->str[start]);
    adl_describe_facts(param, facts);
  }
  if (facts->len > 0) g_string_append_printf(text, "; %s", facts->str);
  if (text->len > 0 && text->str[text->len - 1] != '.') g_string_append_c(text, '.');
  if (param->since != NULL) g_string_append_printf(text, " Since %s.", param->since);
  adl_schema_text(builder, "description", text->str);
  if (param->deprecated != NULL) {
    json_builder_set_member_name(builder, "deprecated");
    json_builder_add_boolean_value(builder, TRUE);
    adl_schema_text(builder, "deprecationMessage", param->deprecated);
  }
  g_string_free(text, TRUE);
  g_string_free(facts, TRUE);
}

/* ---- the default ---- */

static void add_default_scalar(JsonBuilder *builder, const adl_param *param, const adl_node *node) {
  GString *why = g_string_new(NULL);
  int64_t whole;
  double number;
  bool truth;
  bool is_number = param->type == ADL_PARAM_FLOAT && adl_value_float(node->text, &number, why) && isfinite(number);
  if (param->type == ADL_PARAM_BOOL && adl_value_bool(node->text, &truth, why))
    json_builder_add_boolean_value(builder, truth);
  else if (param->type == ADL_PARAM_INT && adl_value_int(node->text, &whole, why))
    json_builder_add_int_value(builder, whole);
  else if (is_number)
    json_builder_add_double_value(builder, number);
  else
    json_builder_add_string_value(builder, node->text);
  g_string_free(why, TRUE);
}

static void add_default_node(JsonBuilder *builder, const adl_param *param, const adl_node *node) {
  if (node->kind == ADL_NODE_SCALAR) return add_default_scalar(builder, param, node);
  bool list = node->kind == ADL_NODE_SEQUENCE;
  if (list)
    json_builder_begin_array(builder);
  else
    json_builder_begin_object(builder);
  for (int i = 0; i < node->count; i++) {
    if (!list) json_builder_set_member_name(builder, node->pairs[i].key);
    add_default_node(builder, param, list ? node->items[i] : node->pairs[i].value);
  }
  if (list)
    json_builder_end_array(builder);
  else
    json_builder_end_object(builder);
}

static void add_default(JsonBuilder *builder, const adl_param *param) {
  if (param->default_value == NULL) return;
  const char *why;
  adl_region *region = adl_region_new();
  const adl_node *node = adl_node_of_default(region, param->default_value, ADL_NO_PLACE, &why);
  if (node != NULL) {
    json_builder_set_member_name(builder, "default");
    add_default_node(builder, param, node);
  }
  adl_region_free(region);
}

void adl_schema_value(JsonBuilder *builder, const adl_param *param) {
  if (param->type != 0) add_values(builder, param);
  add_description(builder, param);
  add_default(builder, param);
}
