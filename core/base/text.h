/* Small things about text that messages need: the nearest name, lists of names, display width. Used everywhere. */
#ifndef ADLOOM_CORE_BASE_TEXT_H
#define ADLOOM_CORE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* The name that `word` was probably meant to be, NULL if none is near: edit distance with transpositions (about one
 * error in three characters), or one begins with the other. Letter case and - against _ do not count. None is NULL. */
const char *adl_text_nearest(const char *word, const char *const *names, size_t count);

/* Appends "; did you mean `x`?" when a name is near, else "; there is a, b and c" when there are at most eight, else
 * nothing. */
void adl_text_suggest(GString *out, const char *word, const char *const *names, size_t count);

/* Appends "a, b and c" (`last` is "and" or "or"). */
void adl_text_list(GString *out, const char *const *names, size_t count, const char *last);

/* Appends a value for a message: in 'single quotes', control characters escaped, cut to about 60 characters. */
void adl_text_quote(GString *out, const char *text);

/* Would printing this character move the cursor, reorder the line or hide something? Messages show U+FFFD instead. */
bool adl_text_char_unsafe(gunichar c);

/* Columns of a terminal that a character takes: 0, 1 or 2. */
int adl_text_char_width(gunichar c);
/* And all characters of a valid UTF-8 text. */
int adl_text_width(const char *text);

/* Reads one character; invalid UTF-8 gives U+FFFD and one byte. Returns its bytes; size > 0. */
size_t adl_text_char(const char *text, size_t size, gunichar *c);

/* Append JSON: a string in quotes, and a finite number in the fewest digits that read back the same. */
void adl_text_json_string(GString *out, const char *text);

void adl_text_number(GString *out, double value);

/* The digits of a whole number, with its sign and a NUL; returns how many characters that are. */
enum { ADL_TEXT_INT = 24 };
int adl_text_int(char text[ADL_TEXT_INT], int64_t value);

/* What printf writes for %.{digits}f, without zeros and a point at the end, and without the sign of a 0; and for %.{digits}g,
 * digits from 1 on. Some times faster where the digits are few: a report has ten thousands of such numbers. */
enum { ADL_TEXT_DOUBLE = 400 };
void adl_text_fixed(char text[ADL_TEXT_DOUBLE], double value, int digits);
void adl_text_significant(char text[ADL_TEXT_DOUBLE], double value, int digits);

#endif
