/*
 * The conformance checks of a plugin: is it fit to be loaded by anybody, for years? Each check has a name, a sentence, and
 * a process of its own with a time limit; what it is fed follows from the plugin's own tables and from a seed. Needs no
 * code from the plugin's author. Called by `adloom plugin check`.
 */
#ifndef ADLOOM_CORE_CONFORM_CONFORM_H
#define ADLOOM_CORE_CONFORM_CONFORM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct adl_conform_options {
  const char *path;        /* of the plugin */
  uint64_t seed;           /* what is made up follows from it */
  const char *const *only; /* names of checks, NULL-terminated; NULL: all */
  const char *const *sets; /* "param=value", "class.param=value": parameters that cannot be guessed; NULL: none */
  int64_t limit;           /* seconds for one check; 0: the usual */
} adl_conform_options;

typedef enum adl_conform_outcome {
  ADL_CONFORM_PASSED = 0,
  ADL_CONFORM_FAILED = 1,
  ADL_CONFORM_IMPOSSIBLE = 2 /* no plugin, or no such check */
} adl_conform_outcome;

/* Writes what each check found to `out`, in the Test Anything Protocol. Must be called while there is one thread. */
adl_conform_outcome adl_conform_run(const adl_conform_options *options, FILE *out);

/* Name and sentence of every check, one a line. */
void adl_conform_list(FILE *out);

#endif
