/* Inside of the draft: which column plays which part, what the columns that are made are called, and pieces of YAML. */
#ifndef ADLOOM_CORE_CLI_DRAFT_PARTS_H
#define ADLOOM_CORE_CLI_DRAFT_PARTS_H

#include "core/cli/draft.h"

enum { ADL_DRAFT_LEAST_JUDGED = 10 /* rows from which some are held out */ };

/* Columns that the pipeline makes. Each gives way to one of the log. */
typedef enum adl_draft_made {
  ADL_MADE_WORDS,
  ADL_MADE_SCALED,
  ADL_MADE_TRAITS,
  ADL_MADE_SEGMENT,
  ADL_MADE_ABOUT,
  ADL_MADE_TRUE,
  ADL_MADE_X,
  ADL_MADE_P,
  ADL_MADE_COUNT
} adl_draft_made;

typedef struct adl_draft_plan {
  const char *path;
  const adl_sample *sample;
  const adl_guess *guesses;
  const adl_guess *time, *text, *label, *key;
  const adl_guess *given_up; /* a label that there is nothing to learn from */
  guint numbers, categories;
  char *made[ADL_MADE_COUNT];
  GString *out;
} adl_draft_plan;

static inline const adl_guess *adl_draft_at(const adl_draft_plan *plan, guint i) { return &plan->guesses[i]; }
static inline guint adl_draft_count(const adl_draft_plan *plan) { return plan->sample->columns->len; }

/* What a click is learned from beside words: numbers, and all else. */
bool adl_draft_is_number(const adl_draft_plan *plan, const adl_guess *guess);
bool adl_draft_is_category(const adl_draft_plan *plan, const adl_guess *guess);
/* Neither, as what it says may be known only after what is predicted. */
bool adl_draft_is_outcome(const adl_draft_plan *plan, const adl_guess *guess);

/* ---- pieces of YAML ---- */

void adl_draft_put_key(GString *out, const char *text);
/* In values, though not in keys, ${...} would be taken for a variable, in quotes as well: $${ is a plain one. */
void adl_draft_put_text(GString *out, const char *text);
/* A column in an expression. */
void adl_draft_put_operand(GString *out, const char *name);
/* A text in a comment: one line. */
void adl_draft_put_comment(GString *out, const char *text);
/* "[a, b]": the columns for which `holds`, and `more`, which is YAML. */
void adl_draft_put_list(const adl_draft_plan *plan, bool (*holds)(const adl_draft_plan *, const adl_guess *),
                        const char *more);

/* The stage that reads the log, with what was guessed in comments. */
void adl_draft_put_source(const adl_draft_plan *plan);

#endif
