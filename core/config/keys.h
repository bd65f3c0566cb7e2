/* The keys that are the runtime's, of the file, of every stage and of `holdout`, as tables like those of the classes: what
 * core/graph allows and in which range, and what the schema and the completion tell of them. */
#ifndef ADLOOM_CORE_CONFIG_KEYS_H
#define ADLOOM_CORE_CONFIG_KEYS_H

#include <adloom/plugin.h>

/* An adl_param of which name, type, flags, default, range, choices and doc are filled in; `type` 0: anything. Each table
 * ends with a NULL name. */
extern const adl_param adl_keys_of_file[], adl_keys_of_stage[], adl_keys_of_holdout[];

/* The key of that name in a table; NULL: there is none. */
const adl_param *adl_key_find(const adl_param *table, const char *name);

/* Names of a table, NULL-terminated; free with g_free. */
const char **adl_key_names(const adl_param *table);

#endif
