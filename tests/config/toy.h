/* Classes whose parameters are of every type and form, for tests of the pipeline file: `toy` has them all, `reader` what
 * a source has, `bare` none. No functions: nothing here runs. */
#ifndef ADLOOM_TESTS_CONFIG_TOY_H
#define ADLOOM_TESTS_CONFIG_TOY_H

#include <string.h>

#include <adloom/plugin.h>

typedef struct toy {
  bool flag;
  int64_t clusters, bits, memory, window, retired, password;
  double rate, limit;
  const char *delimiter, *stop_words, *out;
  int32_t covariance;
  adl_strings path, nulls;
  adl_ints ngram;
  adl_floats quantiles;
  adl_string_lists synonyms;
  adl_map types;
  adl_named_floats priors;
  adl_input label, features, where;
  adl_inputs by, derive;
  adl_input_lists crosses;
  adl_output as, distance;
  adl_side with, other;
  adl_calls calls;
} toy;

#define TOY(kind, field) .name = #field, .type = ADL_PARAM_##kind, .offset = offsetof(toy, field)

static const adl_param toy_params[] = {
    {TOY(MATRIX, features), .flags = ADL_REQUIRED, .doc = "Columns to look at."},
    {TOY(BOOL, flag), .default_value = "false"},
    {TOY(INT, clusters), .default_value = "8", .range = "[1, 65536]", .alias = "k"},
    {TOY(INT, bits)},
    {TOY(SIZE, memory), .default_value = "64M", .range = "[1M, 1T]"},
    {TOY(DURATION, window), .default_value = "7d", .range = "(0s, inf)"},
    {TOY(INT, retired), .deprecated = "it has no effect; say `clusters`"},
    {TOY(FLOAT, rate), .default_value = "0.1", .range = "(0, inf)"},
    {TOY(FLOAT, limit), .default_value = "inf", .range = "[0, inf]"},
    {TOY(STRING, delimiter), .default_value = ","},
    {TOY(INT, password), .flags = ADL_SECRET, .range = "[1, 9]"},
    {TOY(PATH_IN, stop_words)},
    {TOY(PATH_OUT, out)},
    {TOY(CHOICE, covariance), .default_value = "full", .choices = "full|tied|diag|spherical"},
    {TOY(PATH_IN, path), .flags = ADL_LIST_OF},
    {TOY(STRING, nulls), .flags = ADL_LIST_OF, .default_value = "[\"\", NA]"},
    {TOY(INT, ngram), .flags = ADL_LIST_OF, .default_value = "[1, 1]", .range = "[1, 5]"},
    {TOY(FLOAT, quantiles), .flags = ADL_LIST_OF, .range = "[0, 1]"},
    {TOY(STRING, synonyms), .flags = ADL_LISTS_OF},
    {TOY(STRING, types), .flags = ADL_MAP_OF},
    {TOY(FLOAT, priors), .flags = ADL_MAP_OF, .range = "[0, 1]"},
    {TOY(COLUMN, label), .flags = ADL_REQUIRED | ADL_LEARN_ONLY},
    {TOY(EXPRESSION, where)},
    {TOY(COLUMN, by), .flags = ADL_LIST_OF, .default_value = "*"},
    {TOY(EXPRESSION, derive), .flags = ADL_MAP_OF},
    {TOY(COLUMN, crosses), .flags = ADL_LISTS_OF},
    {TOY(NEW_COLUMN, as), .flags = ADL_PLAIN_NAME, .default_value = "toy"},
    {TOY(NEW_COLUMN, distance), .default_value = "toy_distance"},
    {TOY(STAGE, with)},
    {TOY(STAGE, other)},
    {TOY(CALL, calls), .flags = ADL_MAP_OF, .choices = "sum/1|last/2|bag/1-2"},
};

typedef struct reader {
  adl_strings path;
  adl_map columns;
  bool header;
} reader;

static const adl_param reader_params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_IN,
     .flags = ADL_REQUIRED | ADL_LIST_OF,
     .offset = offsetof(reader, path),
     .doc = "Files to read."},
    {.name = "columns", .type = ADL_PARAM_STRING, .flags = ADL_MAP_OF, .offset = offsetof(reader, columns)},
    {.name = "header", .type = ADL_PARAM_BOOL, .offset = offsetof(reader, header), .default_value = "true"},
};

static const adl_class toy_class = {.struct_size = sizeof(adl_class),
                                    .kind = ADL_FEATURE,
                                    .id = "toy",
                                    .instance_size = sizeof(toy),
                                    .params = toy_params,
                                    .param_count = sizeof toy_params / sizeof *toy_params,
                                    .param_size = sizeof(adl_param)};
static const adl_class reader_class = {.struct_size = sizeof(adl_class),
                                       .kind = ADL_SOURCE,
                                       .id = "reader",
                                       .instance_size = sizeof(reader),
                                       .params = reader_params,
                                       .param_count = sizeof reader_params / sizeof *reader_params,
                                       .param_size = sizeof(adl_param)};
static const adl_class bare_class = {.struct_size = sizeof(adl_class),
                                     .kind = ADL_TRANSFORM,
                                     .id = "bare",
                                     .instance_size = 8,
                                     .params = NULL,
                                     .param_count = 0,
                                     .param_size = sizeof(adl_param)};

/* NULL: there is no such class. */
static inline const adl_class *find_toy(const char *id) {
  const adl_class *classes[] = {&toy_class, &reader_class, &bare_class};
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
    if (strcmp(classes[i]->id, id) == 0) return classes[i];
  }
  return NULL;
}

#endif
