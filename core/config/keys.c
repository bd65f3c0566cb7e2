#include "core/config/keys.h"

#include <string.h>

#include <glib.h>

const adl_param adl_keys_of_file[] = {
    {.name = "adloom",
     .type = ADL_PARAM_INT,
     .flags = ADL_REQUIRED,
     .range = "[1, 1]",
     .doc = "Version of the file format: 1."},
    {.name = "name", .type = ADL_PARAM_STRING, .doc = "Of the pipeline. Without it, the name of the file."},
    {.name = "seed",
     .type = ADL_PARAM_INT,
     .default_value = "42",
     .doc = "From which every random number of the run follows."},
    {.name = "stages", .flags = ADL_REQUIRED, .doc = "The stages, each under its name, in the order of reading."},
    {.name = "plugins", .doc = "A list of shared objects to load classes from, relative to the file."},
    {.name = "max_rejects",
     .type = ADL_PARAM_FLOAT,
     .range = "[0, 1]",
     .default_value = "0.01",
     .doc = "The share of rows that may be rejected before the run stops."},
    {.name = "threads",
     .type = ADL_PARAM_INT,
     .range = "[1, 1024]",
     .doc = "Worker threads; results do not depend on it. --threads goes before it. Without it, one per core."},
    {.name = "memory",
     .type = ADL_PARAM_SIZE,
     .range = "[1M, inf]",
     .doc = "For rows that are kept, as 2G. --memory goes before it. Without it, half of what is free."},
    {.name = "note", .doc = "Text for people."},
    {.name = NULL},
};

const adl_param adl_keys_of_stage[] = {
    {.name = "use",
     .type = ADL_PARAM_STRING,
     .flags = ADL_REQUIRED,
     .doc = "The class of the stage: what it does. The parameters of that class stand beside it."},
    {.name = "from",
     .type = ADL_PARAM_STAGE,
     .flags = ADL_LIST_OF,
     .doc = "The stage whose rows it gets; a list strings the rows of several together. Without it, the stage above."},
    {.name = "holdout",
     .doc = "Holds some of the rows that leave this stage out of all learning, to judge by: {fraction: 0.2, by: user}, "
            "{newest: 0.2, by: at} or {where: \"at >= '2024-06-01'\"}."},
    {.name = "learn",
     .type = ADL_PARAM_CHOICE,
     .choices = "fit|online|frozen",
     .doc = "fit: learns from the training rows. online: goes on learning, row by row, each scored first. frozen: "
            "takes its model from elsewhere."},
    {.name = "model",
     .type = ADL_PARAM_PATH_IN,
     .doc = "A model file, or the directory of a run that fitted this stage, relative to the pipeline file."},
    {.name = "note", .doc = "Text for people."},
    {.name = NULL},
};

const adl_param adl_keys_of_holdout[] = {
    {.name = "where", .type = ADL_PARAM_EXPRESSION, .doc = "True for each row that is held out."},
    {.name = "fraction",
     .type = ADL_PARAM_FLOAT,
     .range = "(0, 1)",
     .doc = "The share of rows that is held out, drawn at random; with `by`, of the values of a column."},
    {.name = "newest",
     .type = ADL_PARAM_FLOAT,
     .range = "(0, 1)",
     .doc = "The share of rows that is held out: those with the largest values of the column `by`."},
    {.name = "by",
     .type = ADL_PARAM_COLUMN,
     .doc = "With `newest`, the column that says how new a row is. With `fraction`, rows with the same value stay "
            "together."},
    {.name = "as",
     .type = ADL_PARAM_CHOICE,
     .choices = "validate|test",
     .default_value = "test",
     .doc = "What the rows that are held out are for."},
    {.name = NULL},
};

const adl_param *adl_key_find(const adl_param *table, const char *name) {
  for (const adl_param *key = table; key->name != NULL; key++)
    if (strcmp(key->name, name) == 0) return key;
  return NULL;
}

const char **adl_key_names(const adl_param *table) {
  size_t count = 0;
  while (table[count].name != NULL) count++;
  const char **names = g_new0(const char *, count + 1);
  for (size_t i = 0; i < count; i++) names[i] = table[i].name;
  return names;
}
