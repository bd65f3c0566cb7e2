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
  ADL_GUESS_TIME,
  ADL_GUESS_LIST
} adl_guess_kind;

typedef struct adl_guess {
  const adl_sample_column *column;
  adl_guess_kind kind;
  char type[40];          /* as read-csv and read-jsonl write it: "id", "timestamp unix" */
  guint values, distinct; /* that are not null */
  bool chinese;           /* text: mostly Han characters */
  bool padded;            /* blanks around values */
  bool key, label;        /* by its name and values: whose row it is; what may be predicted */
  const char *missing;    /* a mark for "no value" among numbers, dates and truth values, such as "?"; NULL: none */
  char *positive;         /* label with two texts: the rarer one */
} adl_guess;

/* One per column, to be freed with adl_guesses_free. */
adl_guess *adl_guesses_new(const adl_sample *sample);
void adl_guesses_free(adl_guess *guesses, const adl_sample *sample);

#endif
