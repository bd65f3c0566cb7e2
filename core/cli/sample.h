/* The first rows of a log whose columns nobody has described yet, as texts. Read through the engine and its sources, so that
 * what adloom init sees is what a run will see. */
#ifndef ADLOOM_CORE_CLI_SAMPLE_H
#define ADLOOM_CORE_CLI_SAMPLE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Of JSON values; 0: delimited text, in which there are only texts. */
enum {
  ADL_SAMPLE_TEXT = 1 << 0,
  ADL_SAMPLE_NUMBER = 1 << 1,
  ADL_SAMPLE_BOOL = 1 << 2,
  ADL_SAMPLE_TEXTS = 1 << 3,   /* an array of strings */
  ADL_SAMPLE_NUMBERS = 1 << 4, /* of numbers */
  ADL_SAMPLE_OTHER = 1 << 5
};

typedef struct adl_sample_column {
  char *name;        /* as in the file; of a member of an object "user_id" */
  char *path;        /* JSON, of a member of an object: "user.id"; else NULL */
  GPtrArray *values; /* of char *, one a row; NULL: none */
  uint32_t kinds;
} adl_sample_column;

typedef struct adl_sample {
  bool json, header;
  bool trim;         /* there are blanks around fields */
  bool quoted_empty; /* there are fields of two quotes, which stand for no value here */
  char *doubled;     /* a name that the header has twice, so that it cannot be used; NULL: none */
  guint skip;    /* lines at the beginning that read-csv has to skip: notes above the table; a header with `doubled` */
  guint unnamed; /* fields without a name in the header, which are passed over */
  GPtrArray *left_out; /* JSON: of char *, members that no column can be */
  char *delimiter;     /* as read-csv wants it; NULL: its default */
  GPtrArray *columns;  /* of adl_sample_column * */
  guint rows;
} adl_sample;

/* False: it cannot be read, or there is nothing in it; `why` is a sentence for people. */
bool adl_sample_read(const char *path, int64_t rows, adl_sample *sample, GString *why);
void adl_sample_clear(adl_sample *sample);

#endif
