/* One parameter's node, checked and converted into its field: the table at adl_param_type in plugin.h. */
#include <math.h>
#include <string.h>

#include "core/base/text.h"
#include "core/config/params_internal.h"
#include "core/config/read.h"
#include "core/config/value.h"

/* ---- what there is ---------------------------------------------------------------------------------------------- */

typedef struct type_info {
  const char *one, *many;         /* for messages */
  size_t plain, list, lists, map; /* bytes of the field; 0: there is no such form */
} type_info;

static const type_info TYPES[] = {
    [ADL_PARAM_BOOL] = {"true or false", "booleans", sizeof(bool), 0, 0, 0},
    [ADL_PARAM_INT] = {"an integer", "integers", sizeof(int64_t), sizeof(adl_ints), 0, 0},
    [ADL_PARAM_FLOAT] = {"a number", "numbers", sizeof(double), sizeof(adl_floats), 0, sizeof(adl_named_floats)},
    [ADL_PARAM_STRING] = {"a text", "texts", sizeof(char *), sizeof(adl_strings), sizeof(adl_string_lists),
                          sizeof(adl_map)},
    [ADL_PARAM_CHOICE] = {"a word", "words", sizeof(int32_t), 0, 0, 0},
    [ADL_PARAM_SIZE] = {"a size such as 64M", "sizes", sizeof(int64_t), 0, 0, 0},
    [ADL_PARAM_DURATION] = {"a duration such as 30m", "durations", sizeof(int64_t), 0, 0, 0},
    [ADL_PARAM_PATH_IN] = {"a path", "paths", sizeof(char *), sizeof(adl_strings), 0, 0},
    [ADL_PARAM_PATH_OUT] = {"a path", "paths", sizeof(char *), 0, 0, 0},
    [ADL_PARAM_COLUMN] = {"a column", "columns", sizeof(adl_input), sizeof(adl_inputs), sizeof(adl_input_lists), 0},
    [ADL_PARAM_NEW_COLUMN] = {"a name for a column", "names for columns", sizeof(adl_output), 0, 0, 0},
    [ADL_PARAM_MATRIX] = {"a list of columns", "columns", sizeof(adl_input), 0, 0, 0},
    [ADL_PARAM_STAGE] = {"the name of a stage", "stages", sizeof(adl_side), 0, 0, 0},
    [ADL_PARAM_EXPRESSION] = {"an expression", "expressions", sizeof(adl_input), 0, 0, sizeof(adl_inputs)},
    [ADL_PARAM_CALL] = {"a call such as sum(price)", "calls such as sum(price)", 0, 0, 0, sizeof(adl_calls)},
};

size_t adl_param_field_size(const adl_param *param) {
  if (param->type < ADL_PARAM_BOOL || param->type > ADL_PARAM_CALL) return 0;
  const type_info *info = &TYPES[param->type];
  switch (param->flags & ADL_FORMS) {
    case 0: return info->plain;
    case ADL_LIST_OF: return info->list;
    case ADL_LISTS_OF: return info->lists;
    case ADL_MAP_OF: return info->map;
    default: return 0;
  }
}

const char *adl_param_takes(const adl_param *param, char *buffer, size_t size) {
  const type_info *info = &TYPES[param->type];
  switch (param->flags & ADL_FORMS) {
    case ADL_LIST_OF: g_snprintf(buffer, (gulong)size, "a list of %s", info->many); break;
    case ADL_LISTS_OF: g_snprintf(buffer, (gulong)size, "a list of lists of %s", info->many); break;
    case ADL_MAP_OF: g_snprintf(buffer, (gulong)size, "a mapping of names to %s", info->many); break;
    default: g_snprintf(buffer, (gulong)size, "%s", info->one); break;
  }
  return buffer;
}

/* ---- one value -------------------------------------------------------------------------------------------------- */

/* A value being converted: where it is and where it goes. */
typedef struct item {
  adl_filler *filler;
  const adl_arg *arg;
  const adl_node *node;
  const char *path; /* "clusters", "ngram[1]", "priors.a" */
} item;

static bool expected(const item *at, const char *what) {
  if (at->node->broken) return false;
  adl_filler *filler = at->filler;
  adl_problem *problem;
  if (at->node->kind == ADL_NODE_SCALAR && at->node->null) {
    problem = adl_args_blame(filler->args, filler->problems, at->arg, at->node, at->path,
                             "has no value; %s is expected", what);
    bool text = at->arg->param->type >= ADL_PARAM_PATH_IN || at->arg->param->type == ADL_PARAM_STRING;
    if (text && *at->node->text != '\0') {
      adl_problem_hint(problem, "put %s in quotes if it is meant as text", at->node->text);
    } else if (at->node == at->arg->node && (at->arg->param->flags & ADL_REQUIRED) == 0) {
      adl_problem_hint(problem, "leave the key out");
    }
  } else {
    adl_args_blame(filler->args, filler->problems, at->arg, at->node, at->path, "%s is expected, not %s", what,
                   adl_node_kind_name(at->node));
  }
  return false;
}

/* A scalar that has a value; else reported. */
static bool is_value(const item *at) {
  if (at->node->kind == ADL_NODE_SCALAR && !at->node->null && !at->node->broken) return true;
  return expected(at, TYPES[at->arg->param->type].one);
}

/* Reports what value.c said. Secrets are not repeated. */
static bool refuse(const item *at, const GString *why) {
  adl_filler *filler = at->filler;
  if ((at->arg->param->flags & ADL_SECRET) != 0) {
    adl_args_blame(filler->args, filler->problems, at->arg, at->node, at->path, "%s is expected%s%s",
                   TYPES[at->arg->param->type].one, at->arg->param->range != NULL ? " in the range " : "",
                   at->arg->param->range != NULL ? at->arg->param->range : "");
  } else {
    adl_args_blame(filler->args, filler->problems, at->arg, at->node, at->path, "%s", why->str);
  }
  return false;
}

static bool in_quotes(const item *at) {
  adl_filler *filler = at->filler;
  adl_problem *problem = adl_args_blame(filler->args, filler->problems, at->arg, at->node, at->path,
                                        "%s is expected, not text in quotes", TYPES[at->arg->param->type].one);
  adl_problem_hint(problem, "leave the quotes out");
  return false;
}

/* The integer of INT, SIZE and DURATION, in range. */
static bool read_whole(const item *at, int64_t *value, GString *why) {
  const adl_param *param = at->arg->param;
  const char *text = at->node->text;
  bool fine = param->type == ADL_PARAM_SIZE       ? adl_value_size(text, value, why)
              : param->type == ADL_PARAM_DURATION ? adl_value_duration(text, value, why)
                                                  : adl_value_int(text, value, why);
  adl_range range;
  if (!fine || param->range == NULL) return fine;
  if (!adl_range_read(param->range, (adl_param_type)param->type, &range, why)) return false;
  if (adl_range_holds_int(&range, *value)) return true;
  g_string_append_printf(why, "%s is out of range %s", text, param->range);
  return false;
}

static bool read_float(const item *at, double *value, GString *why) {
  const adl_param *param = at->arg->param;
  adl_range range;
  if (!adl_value_float(at->node->text, value, why)) return false;
  if (param->range == NULL) return true;
  if (!adl_range_read(param->range, ADL_PARAM_FLOAT, &range, why)) return false;
  if (adl_range_holds(&range, *value)) return true;
  g_string_append_printf(why, "%s is out of range %s", at->node->text, param->range);
  return false;
}

static bool read_choice(const item *at, int32_t *value, GString *why) {
  int32_t found = adl_choice_find(at->arg->param->choices != NULL ? at->arg->param->choices : "", at->node->text, why);
  if (found >= 0) *value = found;
  return found >= 0;
}

/* BOOL, INT, FLOAT, CHOICE, SIZE, DURATION. */
static bool convert_number(const item *at, void *field) {
  if (!is_value(at)) return false;
  int32_t type = at->arg->param->type;
  if (at->node->quoted && type != ADL_PARAM_CHOICE) return in_quotes(at);
  GString *why = g_string_new(NULL);
  bool fine = type == ADL_PARAM_BOOL     ? adl_value_bool(at->node->text, field, why)
              : type == ADL_PARAM_FLOAT  ? read_float(at, field, why)
              : type == ADL_PARAM_CHOICE ? read_choice(at, field, why)
                                         : read_whole(at, field, why);
  if (!fine) refuse(at, why);
  g_string_free(why, TRUE);
  return fine;
}

/* STRING, and the names of columns and stages. */
static bool convert_text(const item *at, const char **field) {
  if (!is_value(at)) return false;
  if (*at->node->text == '\0' && at->arg->param->type != ADL_PARAM_STRING) {
    adl_args_blame(at->filler->args, at->filler->problems, at->arg, at->node, at->path, "is empty");
    return false;
  }
  *field = adl_region_text(at->filler->request->region, at->node->text);
  return true;
}

static bool convert_new_column(const item *at, adl_output *field) {
  const char *name;
  if (!convert_text(at, &name)) return false;
  for (const char *letter = name; *letter != '\0'; letter++) {
    if ((unsigned char)*letter >= 0x20 && *letter != 0x7f) continue;
    adl_args_blame(at->filler->args, at->filler->problems, at->arg, at->node, at->path,
                   "a column's name cannot hold control characters");
    return false;
  }
  field->name = name;
  return true;
}

static bool convert_path_out(const item *at, const char **field) {
  const adl_params_request *request = at->filler->request;
  if (!convert_text(at, field) || strcmp(*field, "-") == 0 || request->path_out == NULL) return *field != NULL;
  GString *why = g_string_new(NULL);
  const char *path = request->path_out(request->path_out_context, request->stage, at->arg->param, *field, why);
  *field = adl_region_text(request->region, path);
  if (path == NULL) {
    adl_args_blame(at->filler->args, at->filler->problems, at->arg, at->node, at->path, "'%s' cannot be written: %s",
                   at->node->text, why->len > 0 ? why->str : "no reason given");
  }
  g_string_free(why, TRUE);
  return path != NULL;
}

/* Into a field of a plain form, or one item of an array. */
static bool convert_one(const item *at, void *field, int side) {
  switch (at->arg->param->type) {
    case ADL_PARAM_STRING: return convert_text(at, field);
    case ADL_PARAM_NEW_COLUMN: return convert_new_column(at, field);
    case ADL_PARAM_PATH_OUT: return convert_path_out(at, field);
    case ADL_PARAM_STAGE: {
      adl_side *to = field;
      to->number = side;
      return convert_text(at, &to->name);
    }
    case ADL_PARAM_COLUMN:
    case ADL_PARAM_MATRIX:
    case ADL_PARAM_EXPRESSION:
    case ADL_PARAM_CALL: {
      const char *text; /* the graph reads the node */
      return convert_text(at, &text);
    }
    default: return convert_number(at, field);
  }
}

/* ---- lists and mappings ----------------------------------------------------------------------------------------- */

/* All arrays of the interface look like this. */
typedef struct any_array {
  int64_t count;
  const void *items;
} any_array;

typedef struct any_map {
  int64_t count;
  const char *const *keys;
  const void *values;
} any_map;

/* Is the text of each item enough for now? Then no array is made. */
static bool by_graph(const adl_param *param) {
  return param->type == ADL_PARAM_COLUMN || param->type == ADL_PARAM_MATRIX || param->type == ADL_PARAM_EXPRESSION ||
         param->type == ADL_PARAM_CALL;
}

static size_t item_size(const adl_param *param) { return TYPES[param->type].plain; }

static bool convert_files(const item *at, adl_strings *field) {
  const adl_node *node = at->node;
  bool list = node->kind == ADL_NODE_SEQUENCE, fine = true;
  GPtrArray *found = g_ptr_array_new();
  for (int i = 0; i < (list ? node->count : 1); i++) {
    char *path = list ? g_strdup_printf("%s[%d]", at->path, i) : g_strdup(at->path);
    item one = {at->filler, at->arg, list ? node->items[i] : node, path};
    if (!is_value(&one) || !adl_params_find_files(at->filler, at->arg, one.node, path, true, found)) fine = false;
    g_free(path);
  }
  field->count = found->len;
  field->items = adl_region_copy(at->filler->request->region, found->pdata, found->len * sizeof(void *));
  g_ptr_array_free(found, TRUE);
  return fine;
}

static bool not_empty(const item *at) {
  if (at->node->count > 0 || at->node->kind == ADL_NODE_SCALAR || (at->arg->param->flags & ADL_REQUIRED) == 0) {
    return true;
  }
  adl_args_blame(at->filler->args, at->filler->problems, at->arg, at->node, at->path, "is empty, and %s needs it",
                 at->filler->request->class->id);
  return false;
}

/* A sequence or one plain value. */
static bool convert_list(const item *at, any_array *field) {
  const adl_node *node = at->node;
  bool list = node->kind == ADL_NODE_SEQUENCE, fine = not_empty(at);
  char takes[80];
  g_snprintf(takes, sizeof takes, "a list of %s", TYPES[at->arg->param->type].many);
  if (node->kind == ADL_NODE_MAPPING || node->null) return expected(at, takes);
  int count = list ? node->count : 1;
  size_t size = item_size(at->arg->param);
  char *items = adl_region_alloc(at->filler->request->region, size * (size_t)count);
  for (int i = 0; i < count; i++) {
    char *path = list ? g_strdup_printf("%s[%d]", at->path, i) : g_strdup(at->path);
    item one = {at->filler, at->arg, list ? node->items[i] : node, path};
    if (!convert_one(&one, items + size * (size_t)i, 0)) fine = false;
    g_free(path);
  }
  if (!by_graph(at->arg->param)) *field = (any_array){count, items};
  return fine;
}

static bool convert_lists(const item *at, any_array *field) {
  const adl_node *node = at->node;
  char takes[80];
  adl_param_takes(at->arg->param, takes, sizeof takes);
  if (node->kind != ADL_NODE_SEQUENCE) return expected(at, takes);
  bool fine = not_empty(at);
  any_array *items = ADL_REGION_NEW(at->filler->request->region, any_array, node->count);
  for (int i = 0; i < node->count; i++) {
    char *path = g_strdup_printf("%s[%d]", at->path, i);
    item one = {at->filler, at->arg, node->items[i], path};
    bool inner = one.node->kind == ADL_NODE_SEQUENCE;
    if (!inner) {
      g_snprintf(takes, sizeof takes, "a list of %s", TYPES[at->arg->param->type].many);
      expected(&one, takes);
    }
    if (!inner || !convert_list(&one, &items[i])) fine = false;
    g_free(path);
  }
  if (!by_graph(at->arg->param)) *field = (any_array){node->count, items};
  return fine;
}

static bool convert_map(const item *at, any_map *field) {
  const adl_node *node = at->node;
  adl_region *region = at->filler->request->region;
  char takes[80];
  if (node->kind != ADL_NODE_MAPPING) return expected(at, adl_param_takes(at->arg->param, takes, sizeof takes));
  bool fine = not_empty(at);
  size_t size = item_size(at->arg->param);
  const char **keys = ADL_REGION_NEW(region, const char *, node->count);
  char *values = adl_region_alloc(region, size * (size_t)node->count);
  for (int i = 0; i < node->count; i++) {
    char *path = g_strdup_printf("%s.%s", at->path, node->pairs[i].key);
    item one = {at->filler, at->arg, node->pairs[i].value, path};
    keys[i] = adl_region_text(region, node->pairs[i].key);
    if (!convert_one(&one, values + size * (size_t)i, 0)) fine = false;
    g_free(path);
  }
  if (!by_graph(at->arg->param)) *field = (any_map){node->count, keys, values};
  return fine;
}

/* ---- the field -------------------------------------------------------------------------------------------------- */

void adl_params_clear(adl_filler *filler, const adl_param *param) {
  void *field = (char *)filler->request->instance + param->offset;
  if ((param->flags & ADL_FORMS) != 0) return;
  if (param->type == ADL_PARAM_COLUMN || param->type == ADL_PARAM_MATRIX || param->type == ADL_PARAM_EXPRESSION) {
    ((adl_input *)field)->slot = -1;
  }
  if (param->type == ADL_PARAM_NEW_COLUMN) ((adl_output *)field)->slot = -1;
}

bool adl_params_convert(adl_filler *filler, const adl_arg *arg, int side) {
  const adl_param *param = arg->param;
  void *field = (char *)filler->request->instance + param->offset;
  item at = {filler, arg, arg->node, param->name};
  uint32_t form = param->flags & ADL_FORMS;
  if (arg->node->broken) return false;
  if (param->type == ADL_PARAM_PATH_IN && form == ADL_LIST_OF) {
    return arg->node->kind == ADL_NODE_MAPPING ? expected(&at, "a list of paths") : convert_files(&at, field);
  }
  if (param->type == ADL_PARAM_PATH_IN) {
    GPtrArray *found = g_ptr_array_new();
    bool fine = is_value(&at) && adl_params_find_files(filler, arg, arg->node, param->name, false, found);
    if (fine) *(const char **)field = g_ptr_array_index(found, 0);
    g_ptr_array_free(found, TRUE);
    return fine;
  }
  if (form == ADL_LISTS_OF) return convert_lists(&at, field);
  if (form == ADL_MAP_OF) return convert_map(&at, field);
  if (form == ADL_LIST_OF || param->type == ADL_PARAM_MATRIX) return convert_list(&at, field);
  return convert_one(&at, field, side);
}
