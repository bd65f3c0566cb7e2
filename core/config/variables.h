/* ${NAME} in the scalars of a pipeline file: from --var first, then from the environment. Used by the tree's files
 * only. */
#ifndef ADLOOM_CORE_CONFIG_VARIABLES_H
#define ADLOOM_CORE_CONFIG_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/problem.h"

typedef struct adl_variables adl_variables;

/* `options` as given to --var, "NAME=value", NULL-terminated, or NULL. */
adl_variables *adl_variables_new(const char *const *options, adl_problems *problems);
void adl_variables_free(adl_variables *variables);

/* When all has been read: an error for each that was given and never asked for. */
void adl_variables_check_used(adl_variables *variables, adl_problems *problems);

/* One replacement: `from` bytes at `at` of the text as written became `to` bytes. */
typedef struct adl_replaced {
  int at, from, to;
} adl_replaced;

/* What is wrong: `size` bytes at `at` of the text as written. */
typedef struct adl_variable_fault {
  int at, size;
  const char *message; /* valid until the next call */
} adl_variable_fault;

/* Appends the text with ${NAME}, ${NAME:-default} and $${ replaced; replacements are appended to `replaced` (of
 * adl_replaced). False: *fault says why. */
bool adl_variables_expand(adl_variables *variables, const char *text, GString *out, GArray *replaced,
                          adl_variable_fault *fault);

#endif
