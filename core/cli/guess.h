/* What the columns of a sample seem to be. */
#ifndef ADLOOM_CORE_CLI_GUESS_H
#define ADLOOM_CORE_CLI_GUESS_H

#include "core/cli/sample.h"

typedef enum adl_guess_kind {
  ADL_GUESS_SKIP,     /* nothing in it, or nothing that a column can be */
  ADL_GUESS_CATEGORY, /* few values, or a key */
  ADL_GUESS_TEXT,     /* words */
  ADL_GUESS_NUMBER,
  ADL_GUESS_BOOL,
  ADL_GUESS_TIME, /* or a number that grows with it */
  ADL_GUESS_LIST
} adl_guess_kind;

enum { ADL_GUESS_TYPE = 56 };

typedef struct adl_guess {
  const adl_sample_column *column;
  adl_guess_kind kind;
  char type[ADL_GUESS_TYPE]; /* as read-csv and read-jsonl write it: "id", "timestamp unix" */
  guint values, distinct;    /* that are not null */
  bool chinese;              /* text: mostly Han characters */
  bool key, label;           /* by its name and values: whose row it is; what may be predicted */
  bool outcome;     /* a label, or a number that seems to tell what came of a row: it may be known only afterwards */
  bool unread;      /* by its name a time, in a form that no source reads */
  bool own;         /* nearly every row has a value of its own: nothing can be learned from it as a category */
  const char *note; /* for people, beside the column; NULL: nothing */
  char twin[ADL_GUESS_TYPE]; /* the type with day and month the other way round, which fits as well; "": it does not */
  const char *missing;       /* a mark for "no value" among numbers, dates and truth values, such as "?"; NULL: none */
  char *positive;            /* label with two texts: the rarer one; with two numbers: the greater one */
} adl_guess;

/* One per column, to be freed with adl_guesses_free. */
adl_guess *adl_guesses_new(const adl_sample *sample);
void adl_guesses_free(adl_guess *guesses, const adl_sample *sample);

#endif
