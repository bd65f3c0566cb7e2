/* How values are written that are no plain text: truth values, numbers, and times in all the ways that the sources read. */
#ifndef ADLOOM_CORE_CLI_FORMS_H
#define ADLOOM_CORE_CLI_FORMS_H

#include "core/cli/guess.h"

typedef struct adl_form {
  GRegex *regex;
  char type[ADL_GUESS_TYPE]; /* as read-csv and read-jsonl write it */
  adl_guess_kind kind;
  bool digits;      /* a time that could be any number: what the column is called and how it varies must agree */
  bool named;       /* only of a column whose name says that it is a time */
  const char *note; /* for people, in a comment; NULL: nothing */
  int twin;         /* the form with day and month the other way round; -1: none */
} adl_form;

typedef struct adl_forms {
  adl_form *items; /* from the narrowest to the widest */
  guint count;
} adl_forms;

/* To be freed with adl_forms_clear. */
adl_forms adl_forms_new(void);
void adl_forms_clear(adl_forms *forms);

/* Does the name of a column say that it is a time? */
bool adl_named_as_time(const char *name);

#endif
