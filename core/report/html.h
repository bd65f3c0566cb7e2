/* Writing HTML that is well-formed XML as well: texts escaped, numbers as people read them. Used by everything in
 * core/report. */
#ifndef ADLOOM_CORE_REPORT_HTML_H
#define ADLOOM_CORE_REPORT_HTML_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Escaped, good between tags and in attributes. Bytes that are no UTF-8, and characters that reorder or hide text, become
 * U+FFFD; line ends and tabs stay. */
void adl_html_text(GString *out, const char *text);
/* The same, at most so many columns of a terminal wide; what is cut ends with an ellipsis. */
void adl_html_text_cut(GString *out, const char *text, int columns);
/* Columns of a terminal that a text is wide; more than `enough` is not counted to its end. */
int adl_html_columns(const char *text, int enough);
/* <tag>text</tag>; the tag may carry attributes ("td class=\"n\""). */
void adl_html_element(GString *out, const char *tag, const char *text);
/* Only the end of it. */
void adl_html_close(GString *out, const char *tag);

/* What differs between two runs that give the same results (times, threads, what came from the model store) stands
 * between two comments, so that reports can be compared without it. They are not nested. */
#define ADL_HTML_VARIES "<!--varies-->"
#define ADL_HTML_VARIES_END "<!--/varies-->"

void adl_html_count(GString *out, int64_t number);   /* 176,850 */
void adl_html_number(GString *out, double number);   /* four significant digits; whole numbers whole */
void adl_html_seconds(GString *out, double seconds); /* 3.6 ms, 2 min 5 s */
void adl_html_bytes(GString *out, int64_t bytes);    /* 1.7 MB */
/* Up to `digits` behind the point, a point whatever the locale, no needless zeros: coordinates and widths. */
void adl_html_fixed(GString *out, double number, int digits);

/* Does a text look like a number, or a number with a % behind it? *share (may be NULL) gets it as a share, NAN if it is no
 * percentage. */
bool adl_html_numeric(const char *text, double *share);
/* A text that may be a number, as people read numbers. */
void adl_html_maybe_number(GString *out, const char *text);

#endif
