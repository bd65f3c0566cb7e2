/* Small things about text that messages need: the nearest name, lists of names, display width. Used everywhere. */
#ifndef ADLOOM_CORE_BASE_TEXT_H
#define ADLOOM_CORE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

/* The name that `word` was probably meant to be, NULL if none is near: edit distance with transpositions, letter case
 * and - against _ counting little. `count` names, none NULL. */
const char *adl_text_nearest(const char *word, const char *const *names, size_t count);

/* Appends ", did you mean `x`?" style help: "; did you mean `x`?" when a name is near, else, when there are at most
 * eight names, "; there are a, b and c". */
void adl_text_suggest(GString *out, const char *word, const char *const *names, size_t count);

/* Appends "a, b and c" (`last` is "and" or "or"). */
void adl_text_list(GString *out, const char *const *names, size_t count, const char *last);

/* Appends a value for a message: in 'single quotes', control characters escaped, cut to about 60 characters. */
void adl_text_quote(GString *out, const char *text);

/* Columns of a terminal that a character takes: 0, 1 or 2. */
int adl_text_char_width(gunichar c);

/* Appends JSON: the text as a string with quotes, or a finite number in the fewest digits that read back the same. */
void adl_text_json_string(GString *out, const char *text);
void adl_text_number(GString *out, double value);

#endif
