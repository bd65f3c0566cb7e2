/* The beginning of a value from a file, fit for a message. Used by the sources that read text. */
#ifndef ADLOOM_PLUGINS_COMMON_EXCERPT_H
#define ADLOOM_PLUGINS_COMMON_EXCERPT_H

#include <stddef.h>

#define ADL_EXCERPT 48

/* The text, or its first 37 bytes and "...", with ? for control characters and, unless all of it is shown and UTF-8, for
 * what is not ASCII. Returns `buffer`, which ends with NUL. */
const char *adl_excerpt(const char *text, size_t size, char buffer[ADL_EXCERPT]);

#endif
