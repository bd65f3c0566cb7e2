/* A text that is being read: checked once for what no YAML may contain, and then from libyaml's character numbers to
 * places. Used by the tree's files only. */
#ifndef ADLOOM_CORE_CONFIG_SOURCE_H
#define ADLOOM_CORE_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/problem.h"
#include "core/base/region.h"

typedef struct adl_source {
  const char *name; /* for places */
  const char *text; /* without a byte order mark */
  size_t size;
  int first_line; /* number of the first line, less one: options of --set are lines of one text */
  size_t characters;
  GArray *lines; /* of size_t: number of the character that begins each line */
  GArray *steps; /* of size_t: byte offset of every 64th character */
} adl_source;

/* Checks the text: UTF-8, no NUL, no control characters. The first offence is reported and false returned; the source is
 * to be closed in either case. `text` must live as long as what is made of it. */
bool adl_source_open(adl_source *source, const char *name, const char *text, size_t size, int first_line,
                     adl_problems *problems);
void adl_source_close(adl_source *source);

/* Byte offset of a character; the text's end for what lies behind it. */
size_t adl_source_byte(const adl_source *source, size_t character);

/* The place of [from, to), cut at the end of its line. */
adl_place adl_source_place(const adl_source *source, size_t from, size_t to);

#endif
