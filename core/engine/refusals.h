/* Rejected rows by what they were refused for: reasons that say the same but for numbers and quoted values are one. */
#ifndef ADLOOM_CORE_ENGINE_REFUSALS_H
#define ADLOOM_CORE_ENGINE_REFUSALS_H

#include "core/engine/engine.h"

enum { ADL_REFUSAL_EXAMPLES = 3 };

typedef struct adl_refusal_example {
  char *source, *reason;
  int64_t position;
} adl_refusal_example;

typedef struct adl_refusal {
  char *stage, *column; /* column: may be NULL */
  char *reason;         /* with … for what differs */
  int64_t count;
  guint examples, place; /* place: in the order of first appearance */
  adl_refusal_example example[ADL_REFUSAL_EXAMPLES];
} adl_refusal;

/* Of these stages (a set of names; NULL: all), those of most rows first; free it. */
GPtrArray *adl_refusals(const adl_engine *engine, GHashTable *stages);
/* "stage: column: reason", the first one where they differ; free it. */
char *adl_refusal_text(const adl_refusal *refusal);

#endif
