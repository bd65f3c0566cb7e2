/* Problems: what is wrong with a pipeline file, collected while everything is checked and shown together, each with
 * place, source line and caret. Every layer adds to the list of its run; the command prints it. */
#ifndef ADLOOM_CORE_BASE_PROBLEM_H
#define ADLOOM_CORE_BASE_PROBLEM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

/* A stretch of one line of a text. Lines and columns count from 1, columns and width in characters (not bytes).
 * `file` NULL: nowhere in particular. `line` 0: the file as a whole. */
typedef struct adl_place {
  const char *file; /* what people call it: the path as given, or "--set"; compared as text */
  int line;
  int column;
  int width; /* 0 and 1 show a bare caret */
} adl_place;

#define ADL_NO_PLACE ((adl_place){NULL, 0, 0, 0})

typedef enum adl_severity { ADL_SEVERITY_ERROR = 0, ADL_SEVERITY_WARNING = 1 } adl_severity;

/* A list of problems; every function may be called from any thread. */
typedef struct adl_problems adl_problems;

/* One of them, owned by its list: what notes are added to. */
typedef struct adl_problem adl_problem;

adl_problems *adl_problems_new(void);
void adl_problems_free(adl_problems *problems); /* NULL is fine */

/* Makes the source lines of a text known under its name (copied; invalid UTF-8 is fine). The same name again replaces
 * the text. Problems are shown in the order in which their files were made known. */
void adl_problems_source(adl_problems *problems, const char *file, const char *text, size_t size);

/* Adds a problem; names and text are copied. The message is one line, begins with what it is about
 * ("segment.clusters: ...") and has no full stop. Saying the same about the same place twice gives the first one back.
 * Never NULL. */
adl_problem *adl_problems_error(adl_problems *problems, adl_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
adl_problem *adl_problems_warning(adl_problems *problems, adl_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
adl_problem *adl_problems_add(adl_problems *problems, adl_severity severity, adl_place place, const char *format,
                              va_list args) __attribute__((format(printf, 4, 0)));

/* A line "note: ..." under the problem. With a place of its own, that is named and its source line shown as well. */
void adl_problem_note(adl_problem *problem, adl_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line "hint: ...": what to do. */
void adl_problem_hint(adl_problem *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many there are, duplicates not counted. */
int adl_problems_errors(adl_problems *problems);
int adl_problems_warnings(adl_problems *problems);

/* Appends all problems, sorted by place, as people read them. */
void adl_problems_print(adl_problems *problems, GString *out, bool colour);

/* "2 errors", "1 error and 3 warnings", "1 warning", "no problems": for the caller's last line. */
void adl_problems_count_text(adl_problems *problems, GString *out);

#endif
