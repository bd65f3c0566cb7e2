/* See params.h: the keys of a stage against the table of its class. Values are converted in fields.c. */
#include "core/config/params.h"

#include <string.h>

#include "core/base/text.h"
#include "core/config/params_internal.h"
#include "core/config/value.h"

static const char *const RESERVED[] = {"use",  "from",  "holdout", "learn",   "model", "isolate",
                                       "when", "cache", "limits",  "threads", "note",  NULL};

const char *const *adl_params_reserved(void) { return RESERVED; }

/* Number of the parameter that a key names, -1: none. *alias: by its old name. */
static int find_param(const adl_class *class, const char *key, bool *alias) {
  for (int i = 0; i < (int)class->param_count; i++) {
    const adl_param *param = adl_param_at(class, i);
    *alias = param->alias != NULL && strcmp(param->alias, key) == 0;
    if (*alias || strcmp(param->name, key) == 0) return i;
  }
  return -1;
}

/* The class was put in by --set, and the file has keys for the one before. */
static void hint_at_compare(const adl_filler *filler, const adl_pair *pair, adl_problem *problem) {
  const adl_pair *use = adl_node_pair(filler->request->node, "use");
  if (use == NULL || g_strcmp0(use->place.file, "--set") != 0 || g_strcmp0(pair->place.file, "--set") == 0) return;
  adl_problem_hint(problem,
                   "take `%s` out of the file, or run `adloom compare %s --swap %s=%s`, which leaves out what %s does "
                   "not know",
                   pair->key, pair->place.file, filler->request->stage, filler->request->class->id,
                   filler->request->class->id);
}

/* A parameter that was probably meant counts as one with an error: it is not missing. */
static void report_unknown(adl_filler *filler, const adl_pair *pair) {
  const adl_class *class = filler->request->class;
  size_t count = class->param_count, reserved = G_N_ELEMENTS(RESERVED) - 1;
  const char **names = g_new(const char *, count + reserved);
  for (size_t i = 0; i < count; i++) names[i] = adl_param_at(class, (int)i)->name;
  memcpy(names + count, RESERVED, reserved * sizeof *names);
  GString *text = g_string_new(NULL);
  g_string_append_printf(text, "%s.%s: %s has no such parameter", filler->request->stage, pair->key, class->id);
  const char *near = adl_text_nearest(pair->key, names, count + reserved);
  bool alias;
  int meant = near != NULL ? find_param(class, near, &alias) : -1;
  if (meant >= 0 && !filler->args->items[meant].given) filler->args->items[meant].valid = false;
  if (near != NULL) {
    g_string_append_printf(text, "; did you mean `%s`?", near);
  } else if (count == 0) {
    g_string_append(text, "; it has none at all");
  } else if (count <= 8) {
    g_string_append(text, "; it has ");
    adl_text_list(text, names, count, "and");
  }
  adl_problem *problem = adl_problems_error(filler->problems, pair->place, "%s", text->str);
  if (near == NULL && count > 8 && !filler->pointed) {
    adl_problem_hint(problem, "`adloom plugin show %s` lists them", class->id);
    filler->pointed = true;
  }
  hint_at_compare(filler, pair, problem);
  if (pair->value->alias != NULL) adl_problem_note(problem, *pair->value->alias, "it is used here");
  g_string_free(text, TRUE);
  g_free(names);
}

/* One key of the stage that is not reserved. False: reported. */
static bool take_key(adl_filler *filler, const adl_pair *pair) {
  bool alias;
  int number = find_param(filler->request->class, pair->key, &alias);
  if (number < 0) {
    report_unknown(filler, pair);
    return false;
  }
  adl_arg *arg = &filler->args->items[number];
  const char *stage = filler->request->stage, *name = arg->param->name;
  if (alias) adl_problems_warning(filler->problems, pair->place, "%s.%s: is now called `%s`", stage, pair->key, name);
  if (arg->given) {
    adl_problem *problem =
        adl_problems_error(filler->problems, pair->place, "%s.%s: is given twice, as `%s` and as `%s`", stage, name,
                           name, arg->param->alias);
    adl_problem_note(problem, arg->key, "the other one is here");
    arg->valid = false;
    return false;
  }
  if (arg->param->deprecated != NULL) {
    adl_problem *problem = adl_problems_warning(filler->problems, pair->place, "%s.%s: is deprecated: %s", stage, name,
                                                arg->param->deprecated);
    adl_args_note(filler->args, problem, arg->param);
  }
  arg->given = arg->valid = true;
  arg->node = pair->value;
  arg->key = pair->place;
  return true;
}

static bool take_keys(adl_filler *filler) {
  const adl_node *node = filler->request->node;
  bool fine = true;
  for (int i = 0; node != NULL && node->kind == ADL_NODE_MAPPING && i < node->count; i++) {
    if (g_strv_contains(RESERVED, node->pairs[i].key)) continue;
    if (!take_key(filler, &node->pairs[i])) fine = false;
  }
  return fine;
}

/* Is the default one that is used though nobody named it? */
static bool has_default(const adl_param *param) {
  return param->default_value != NULL && (param->type != ADL_PARAM_NEW_COLUMN || (param->flags & ADL_PLAIN_NAME) != 0);
}

/* What was not given: its default. False: it is required, reported. */
static bool take_default(adl_filler *filler, adl_arg *arg) {
  const adl_param *param = arg->param;
  if (has_default(param)) {
    const char *why;
    arg->node = adl_node_of_default(filler->request->region, param->default_value, filler->args->place, &why);
    if (arg->node != NULL) return true;
    adl_args_blame(filler->args, filler->problems, arg, NULL, param->name,
                   "the default in the table of %s cannot be read: %s", filler->request->class->id, why);
    return false;
  }
  bool optional =
      (param->flags & ADL_REQUIRED) == 0 || ((param->flags & ADL_LEARN_ONLY) != 0 && !filler->request->learns);
  if (optional) return true;
  adl_problem *problem = adl_args_blame(filler->args, filler->problems, arg, NULL, param->name,
                                        "is missing, and %s needs it", filler->request->class->id);
  if (param->doc != NULL) adl_problem_hint(problem, "%s: %s", param->name, param->doc);
  return false;
}

static void fill_one(adl_filler *filler, adl_arg *arg, int *sides) {
  const adl_param *param = arg->param;
  size_t size = adl_param_field_size(param);
  int side = param->type == ADL_PARAM_STAGE ? (*sides)++ : 0;
  if (size == 0 || param->offset > filler->request->class->instance_size ||
      size > filler->request->class->instance_size - param->offset) {
    adl_args_blame(filler->args, filler->problems, arg, NULL, param->name, "the table of %s is wrong: %s",
                   filler->request->class->id,
                   size == 0 ? "no such type and form" : "the field is not inside the instance");
    arg->valid = false;
    return;
  }
  adl_params_clear(filler, param);
  if (arg->valid && !arg->given && !take_default(filler, arg)) arg->valid = false;
  if (arg->valid && arg->node != NULL && !adl_params_convert(filler, arg, side)) arg->valid = false;
}

adl_args *adl_params_fill(const adl_params_request *request, adl_problems *problems) {
  const adl_class *class = request->class;
  adl_args *args = ADL_REGION_NEW(request->region, adl_args, 1);
  const adl_node *use = adl_node_get(request->node, "use");
  *args = (adl_args){.class = class,
                     .stage = adl_region_text(request->region, request->stage),
                     .version = adl_region_text(request->region, request->version),
                     .path = adl_region_text(request->region, request->path),
                     .place = use != NULL ? use->place : request->place,
                     .instance = request->instance,
                     .count = (int)class->param_count};
  args->items = ADL_REGION_NEW(request->region, adl_arg, args->count);
  for (int i = 0; i < args->count; i++) {
    args->items[i] = (adl_arg){.param = adl_param_at(class, i), .key = args->place, .valid = true};
  }
  adl_filler filler = {.request = request, .problems = problems, .args = args};
  args->valid = take_keys(&filler);
  int sides = 0;
  for (int i = 0; i < args->count; i++) {
    fill_one(&filler, &args->items[i], &sides);
    if (!args->items[i].valid) args->valid = false;
  }
  return args;
}
