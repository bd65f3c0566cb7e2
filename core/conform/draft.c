/*
 * Drafts: parameters for a stage, and the columns that it reads, made up from the table of its class. What must hold between
 * parameters stands in no table, so drafts are tried one after the other until one works: the plainest first, then random
 * ones. What cannot be guessed (the name of a table in a database, say) the author gives with --set.
 */
#include <math.h>
#include <string.h>

#include "core/base/text.h"
#include "core/config/value.h"
#include "core/conform/internal.h"

/* What the samples of files, and the rows of side stages, call their columns. */
static const char *const sample_names[] = {"number", "word", "when", "whole"};

static void free_column(void *data) {
  adl_draft_column *column = data;
  g_free(column->name);
  g_free(column);
}

static adl_draft_column *add_column(GPtrArray *columns, const char *name, adl_type type) {
  adl_draft_column *column = g_new0(adl_draft_column, 1);
  column->name = g_strdup(name);
  column->type = type;
  g_ptr_array_add(columns, column);
  return column;
}

/* ---- types ---- */

static bool accepts(const adl_param *param, adl_type type) {
  uint32_t shapes = param->shapes != 0 ? param->shapes : ADL_MASK(ADL_SCALAR);
  return (shapes & ADL_MASK(type.shape)) != 0 &&
         (param->elements == 0 || (param->elements & ADL_MASK(type.element)) != 0) &&
         (param->roles == 0 || (param->roles & ADL_MASK(type.role)) != 0);
}

GArray *adl_draft_types(const adl_param *param, bool taken) {
  static const adl_element order[] = {ADL_STRING, ADL_FLOAT32, ADL_INT64,  ADL_BOOL, ADL_TIMESTAMP,
                                      ADL_INT32,  ADL_FLOAT64, ADL_UINT32, ADL_BYTES};
  bool numeric = param->elements != 0 && (param->elements & ~ADL_ANY_NUMERIC) == 0;
  GArray *types = g_array_new(FALSE, FALSE, sizeof(adl_type));
  for (int shape = ADL_SCALAR; shape <= ADL_BAG; shape++)
    for (guint e = 0; e < G_N_ELEMENTS(order); e++)
      for (int role = ADL_NUMBER; role <= ADL_CATEGORY; role++) {
        adl_type type = {.element = (uint8_t)order[e], .shape = (uint8_t)shape, .role = (uint8_t)role};
        bool text = order[e] == ADL_STRING, block = shape == ADL_VECTOR || shape == ADL_SPARSE;
        if ((text && role == ADL_NUMBER) || ((block || order[e] >= ADL_FLOAT32) && !text && role == ADL_CATEGORY))
          continue;
        type.width = shape == ADL_VECTOR ? 3 : shape == ADL_SPARSE ? 50 : 0;
        if (!adl_type_valid(type, NULL) || accepts(param, type) != taken) continue;
        if (numeric && order[e] == ADL_BOOL) /* what may be a truth value mostly is one */
          g_array_prepend_val(types, type);
        else
          g_array_append_val(types, type);
      }
  return types;
}

/* ---- columns ---- */

/* A column for a parameter, of the `at`-th type that it takes; its name. */
static const char *column_for(adl_draft *draft, const adl_param *param, int item, uint64_t at) {
  char name[80];
  g_snprintf(name, sizeof name, "%s%d", param->name, item + 1);
  g_strdelimit(name, "-", '_');
  for (guint i = 0; i < draft->columns->len; i++)
    if (strcmp(((adl_draft_column *)draft->columns->pdata[i])->name, name) == 0)
      return ((adl_draft_column *)draft->columns->pdata[i])->name;
  GArray *types = adl_draft_types(param, true);
  adl_type type =
      types->len > 0 ? g_array_index(types, adl_type, at % types->len) : adl_type_scalar(ADL_FLOAT32, ADL_NUMBER);
  g_array_free(types, TRUE);
  adl_draft_column *column = add_column(draft->columns, name, type);
  column->key = (param->flags & ADL_GROUP_KEY) != 0;
  column->label = (param->flags & ADL_LEARN_ONLY) != 0;
  return column->name;
}

static const char *number_column(adl_draft *draft, const adl_param *param, int item, adl_element element) {
  adl_param number = {.name = param->name, .elements = ADL_MASK(element), .roles = ADL_MASK(ADL_NUMBER)};
  return column_for(draft, &number, item, 0);
}

static char *matrix_value(adl_draft *draft, const adl_param *param, uint64_t random) {
  uint32_t shapes = param->shapes != 0 ? param->shapes : ADL_MASK(ADL_VECTOR) | ADL_MASK(ADL_SPARSE);
  bool dense = (shapes & ADL_MASK(ADL_VECTOR)) != 0, sparse = (shapes & ADL_MASK(ADL_SPARSE)) != 0;
  adl_param block = {.name = param->name,
                     .elements = ADL_MASK(ADL_FLOAT32),
                     .shapes = ADL_MASK(sparse && (!dense || random % 2 == 1) ? ADL_SPARSE : ADL_VECTOR)};
  const char *first = number_column(draft, param, 0, ADL_FLOAT32), *second = number_column(draft, param, 1, ADL_INT64),
             *third = column_for(draft, &block, 2, 0);
  return g_strdup_printf("[%s, %s, %s]", first, second, third);
}

static char *columns_value(adl_draft *draft, const adl_param *param, uint64_t random) {
  if ((param->flags & (ADL_LIST_OF | ADL_LISTS_OF)) == 0) return g_strdup(column_for(draft, param, 0, random));
  const char *first = column_for(draft, param, 0, random), *second = column_for(draft, param, 1, random + 1);
  return g_strdup_printf((param->flags & ADL_LISTS_OF) != 0 ? "[[%s, %s]]" : "[%s, %s]", first, second);
}

static char *expression_value(adl_draft *draft, const adl_param *param, uint64_t random) {
  uint32_t elements = param->elements != 0 ? param->elements : ADL_ANY_ELEMENT;
  const char *column = number_column(draft, param, 0, ADL_FLOAT64), *format = "%s";
  const char *const numbers[] = {"%s", "%s * 2", "%s + 1"};
  if ((elements & ADL_MASK(ADL_FLOAT64)) != 0)
    format = numbers[random % 3];
  else if ((elements & ADL_MASK(ADL_BOOL)) != 0)
    format = "%s > 0.3";
  else if ((elements & ADL_MASK(ADL_STRING)) != 0)
    format = "string(%s)";
  GString *text = g_string_new((param->flags & ADL_MAP_OF) != 0 ? "{made1: \"" : "\"");
  char **around = g_strsplit(format, "%s", 2);
  g_string_append_printf(text, "%s%s%s\"", around[0], column, around[1]);
  g_strfreev(around);
  if ((param->flags & ADL_MAP_OF) != 0) g_string_append_printf(text, ", made2: %s}", column);
  return g_string_free(text, FALSE);
}

/* "sum/1|last/2|bag/1-2": one of them, with as many arguments as it takes. */
static char *call_value(adl_draft *draft, const adl_param *param, uint64_t random) {
  char **choices = g_strsplit(param->choices != NULL ? param->choices : "", "|", -1);
  guint count = g_strv_length(choices);
  GString *text = g_string_new("{");
  for (guint i = 0; i < 2 && i < count; i++) {
    char **parts = g_strsplit(choices[(random + i) % count], "/", 2);
    int arguments = parts[0] != NULL && parts[1] != NULL ? (int)g_ascii_strtoll(parts[1], NULL, 10) : 0;
    g_string_append_printf(text, "%smade%u: \"%s(", i > 0 ? ", " : "", i + 1, parts[0]);
    for (int k = 0; k < arguments; k++)
      g_string_append_printf(text, "%s%s", k > 0 ? ", " : "",
                             k == 0 ? number_column(draft, param, 0, ADL_FLOAT64)
                                    : number_column(draft, param, k, random % 2 ? ADL_TIMESTAMP : ADL_FLOAT32));
    g_string_append(text, ")\"");
    g_strfreev(parts);
  }
  g_strfreev(choices);
  g_string_append_c(text, '}');
  return g_string_free(text, FALSE);
}

/* ---- plain values ---- */

static char *number_value(const adl_param *param, uint64_t random) {
  adl_range range = {.low = 0, .high = 100, .low_whole = 0, .high_whole = 100};
  GString *why = g_string_new(NULL);
  if (param->range != NULL) adl_range_read(param->range, (adl_param_type)param->type, &range, why);
  g_string_free(why, TRUE);
  if (param->type == ADL_PARAM_FLOAT) {
    double low = isfinite(range.low) ? range.low : -100, high = isfinite(range.high) ? range.high : low + 100;
    double inside = low + (high - low) * (0.1 + 0.8 * (double)(random % 16) / 15);
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    return g_strdup(g_ascii_dtostr(text, sizeof text, inside));
  }
  int64_t low = MAX(range.low_whole, -100), most = param->type == ADL_PARAM_SIZE ? 1 << 20 : 40;
  if (param->type == ADL_PARAM_DURATION) most = INT64_C(86400000000);
  int64_t high = range.high_whole > low && range.high_whole - low < most ? range.high_whole : low + most;
  int64_t value = low + (int64_t)(random % (uint64_t)(high - low + 1));
  if (param->type == ADL_PARAM_DURATION) return g_strdup_printf("%" G_GINT64_FORMAT "us", value);
  return g_strdup_printf("%" G_GINT64_FORMAT, value);
}

/* A text that means something to somebody: the name of a column, a type, a number, a call. */
static const char *likely_text(const adl_draft *draft, uint64_t random) {
  static const char *const others[] = {"float",         "string",      "int",        "sum(number)", "count()", "0.5",
                                       "number > 0.25", "mean(whole)", "last(word)", "timestamp",   "a",       "1"};
  uint64_t names = draft->columns->len, samples = G_N_ELEMENTS(sample_names);
  uint64_t at = random % (names + samples + G_N_ELEMENTS(others));
  if (at < names) return ((adl_draft_column *)draft->columns->pdata[at])->name;
  if (at < names + samples) return sample_names[at - names];
  return others[at - names - samples];
}

static char *text_value(adl_draft *draft, const adl_param *param, uint64_t random) {
  GString *text = g_string_new(NULL);
  bool map = (param->flags & ADL_MAP_OF) != 0, list = (param->flags & (ADL_LIST_OF | ADL_LISTS_OF)) != 0;
  uint64_t key = adl_random(random, 1) % (G_N_ELEMENTS(sample_names) + draft->columns->len + 1);
  if (map && key < G_N_ELEMENTS(sample_names))
    g_string_append_printf(text, "{%s: ", sample_names[key]);
  else if (map && key < G_N_ELEMENTS(sample_names) + draft->columns->len)
    g_string_append_printf(
        text, "{%s: ", ((adl_draft_column *)draft->columns->pdata[key - G_N_ELEMENTS(sample_names)])->name);
  else if (map)
    g_string_append(text, "{made1: ");
  if (list) g_string_append(text, (param->flags & ADL_LISTS_OF) != 0 ? "[[" : "[");
  adl_text_json_string(text, likely_text(draft, adl_random(random, 2)));
  if (list) g_string_append(text, (param->flags & ADL_LISTS_OF) != 0 ? "]]" : "]");
  if (map) g_string_append_c(text, '}');
  return g_string_free(text, FALSE);
}

static char *side_value(adl_draft *draft) {
  static const adl_element elements[] = {ADL_FLOAT64, ADL_STRING, ADL_TIMESTAMP, ADL_INT64};
  if (draft->sides++ == 0)
    for (guint i = 0; i < G_N_ELEMENTS(sample_names); i++)
      add_column(draft->side, sample_names[i],
                 adl_type_scalar(elements[i], elements[i] == ADL_STRING ? ADL_CATEGORY : ADL_NUMBER));
  return g_strdup("lookup");
}

static char *listed(const adl_param *param, char *value) {
  if ((param->flags & ADL_MAP_OF) != 0) {
    char *map = g_strdup_printf("{made1: %s}", value);
    g_free(value);
    return map;
  }
  if ((param->flags & ADL_LIST_OF) == 0) return value;
  char *list = g_strdup_printf("[%s]", value);
  g_free(value);
  return list;
}

static const char *const sample_files[] = {"sample.csv", "sample.jsonl", "sample.svm", "sample.vw", "sample.npy"};

char *adl_draft_value(adl_draft *draft, const adl_param *param, uint64_t random) {
  switch (param->type) {
    case ADL_PARAM_BOOL: return listed(param, g_strdup(random % 2 ? "true" : "false"));
    case ADL_PARAM_INT:
    case ADL_PARAM_FLOAT:
    case ADL_PARAM_SIZE:
    case ADL_PARAM_DURATION: return listed(param, number_value(param, random));
    case ADL_PARAM_STRING: return text_value(draft, param, random);
    case ADL_PARAM_CHOICE: {
      char **choices = adl_choice_list(param->choices);
      guint count = g_strv_length(choices);
      char *value = count > 0 ? g_strdup(choices[random % count]) : NULL;
      g_strfreev(choices);
      return value != NULL ? listed(param, value) : NULL;
    }
    case ADL_PARAM_PATH_IN: return listed(param, g_strdup(sample_files[random % G_N_ELEMENTS(sample_files)]));
    case ADL_PARAM_PATH_OUT: return g_strdup("made.out");
    case ADL_PARAM_COLUMN: return columns_value(draft, param, random);
    case ADL_PARAM_NEW_COLUMN: return g_strdup_printf("made_%s", param->name);
    case ADL_PARAM_MATRIX: return matrix_value(draft, param, random);
    case ADL_PARAM_STAGE: return side_value(draft);
    case ADL_PARAM_EXPRESSION: return expression_value(draft, param, random);
    case ADL_PARAM_CALL: return call_value(draft, param, random);
    default: return NULL;
  }
}

/* ---- a draft ---- */

static bool is_columns(int type) {
  return type == ADL_PARAM_COLUMN || type == ADL_PARAM_MATRIX || type == ADL_PARAM_EXPRESSION ||
         type == ADL_PARAM_CALL || type == ADL_PARAM_STAGE;
}

/* Is a parameter that need not be given part of draft `number`? */
static bool is_part(const adl_param *param, int number, uint64_t random) {
  if ((param->flags & ADL_REQUIRED) != 0) return true;
  bool name = param->type == ADL_PARAM_NEW_COLUMN && (param->flags & ADL_PLAIN_NAME) == 0;
  bool columns = is_columns(param->type) && param->default_value == NULL;
  switch (number) {
    case 0: return columns || name;
    case 1: return columns;
    case 2: return name;
    case 3: return false;
    default: return random % (is_columns(param->type) ? 3 : 6) == 0;
  }
}

static const char *set_value(const adl_exam *exam, const adl_class *class, const char *name) {
  for (int i = 0; exam->options->sets != NULL && exam->options->sets[i] != NULL; i++) {
    const char *set = exam->options->sets[i], *equals = strchr(set, '=');
    if (equals == NULL) continue;
    char *left = g_strndup(set, (gsize)(equals - set)), *full = g_strdup_printf("%s.%s", class->id, name);
    bool this = strcmp(left, name) == 0 || strcmp(left, full) == 0;
    g_free(left);
    g_free(full);
    if (this) return equals + 1;
  }
  return NULL;
}

adl_draft *adl_draft_new(const adl_exam *exam, int number) {
  const adl_class *class = &exam->loaded->class;
  adl_draft *draft = g_new0(adl_draft, 1);
  draft->class = class;
  draft->columns = g_ptr_array_new_with_free_func(free_column);
  draft->side = g_ptr_array_new_with_free_func(free_column);
  draft->values = g_new0(char *, (gsize) class->param_count + 1);
  for (int pass = 0; pass < 2; pass++) /* columns first: other parameters may name them */
    for (uint32_t i = 0; i < class->param_count; i++) {
      const adl_param *param = &class->params[i];
      uint64_t key = adl_random(exam->options->seed + (uint64_t)number, i), random = number < ADL_DRAFT_PLAIN ? 0 : key;
      const char *set = set_value(exam, class, param->name);
      if (is_columns(param->type) != (pass == 0) || param->deprecated != NULL) continue;
      if (set != NULL)
        draft->values[i] = g_strdup(set);
      else if (is_part(param, number, adl_random(key, 9)))
        draft->values[i] = adl_draft_value(draft, param, random);
    }
  bool source = class->next != NULL;
  if (!source && (draft->columns->len == 0 || number % 2 == 0)) {
    add_column(draft->columns, "other1", adl_type_scalar(ADL_FLOAT32, ADL_NUMBER));
    add_column(draft->columns, "other2", adl_type_scalar(ADL_STRING, ADL_CATEGORY));
  }
  for (guint i = 0; draft->sides > 0 && i < draft->columns->len; i++) {
    const adl_draft_column *column = draft->columns->pdata[i];
    if (g_str_has_prefix(column->name, "other")) continue;
    adl_draft_column *copy = add_column(draft->side, column->name, column->type);
    copy->key = column->key;
  }
  return draft;
}

void adl_draft_free(adl_draft *draft) {
  if (draft == NULL) return;
  for (uint32_t i = 0; i < draft->class->param_count; i++) g_free(draft->values[i]);
  g_free(draft->values);
  g_ptr_array_free(draft->columns, TRUE);
  g_ptr_array_free(draft->side, TRUE);
  g_free(draft);
}

void adl_draft_set(adl_draft *draft, uint32_t param, const char *value) {
  char *copy = g_strdup(value);
  g_free(draft->values[param]);
  draft->values[param] = copy;
}

void adl_draft_yaml(const adl_draft *draft, GString *yaml) {
  g_string_append_printf(yaml, "use: %s", draft->class->id);
  for (uint32_t i = 0; i < draft->class->param_count; i++)
    if (draft->values[i] != NULL)
      g_string_append_printf(yaml, ", %s: %s", draft->class->params[i].name, draft->values[i]);
}

/* ---- files ---- */

static void write_npy(GString *text) {
  enum { ROWS = 40, HEADER = 118 };
  GString *header = g_string_new("{'descr': '<f4', 'fortran_order': False, 'shape': (40, 3), }");
  while (header->len < HEADER - 1) g_string_append_c(header, ' ');
  g_string_append_c(header, '\n');
  g_string_append_len(text, "\x93NUMPY\x01\x00\x76\x00", 10);
  g_string_append_len(text, header->str, (gssize)header->len);
  for (int i = 0; i < ROWS * 3; i++) {
    float value = (float)(i % 17) / 16;
    g_string_append_len(text, (const char *)&value, sizeof value);
  }
  g_string_free(header, TRUE);
}

static void write_text(int kind, GString *text) {
  if (kind == 0) g_string_append(text, "number,word,when,whole\n");
  for (int i = 0; i < 40; i++) {
    double number = (i % 9) / 8.0;
    if (kind == 0)
      g_string_append_printf(text, "%g,w%d,2024-01-%02dT00:00:00Z,%d\n", number, i % 7, 1 + i % 28, i % 5);
    else if (kind == 1)
      g_string_append_printf(
          text, "{\"number\": %g, \"word\": \"w%d\", \"when\": \"2024-01-%02dT00:00:00Z\", \"whole\": %d}\n", number,
          i % 7, 1 + i % 28, i % 5);
    else if (kind == 2)
      g_string_append_printf(text, "%d 1:%g 3:%d\n", i % 2, number, i % 5);
    else
      g_string_append_printf(text, "%d |a number:%g w%d\n", i % 2 ? 1 : -1, number, i % 7);
  }
}

void adl_draft_files(const adl_stand *stand) {
  for (int i = 0; i < (int)G_N_ELEMENTS(sample_files); i++) {
    GString *text = g_string_new(NULL);
    if (i == 4)
      write_npy(text);
    else
      write_text(i, text);
    g_free(adl_stand_file(stand, sample_files[i], text->str, (gssize)text->len));
    g_string_free(text, TRUE);
  }
}
