/* What was chosen how often, and how likely, for a report. Used by choose. */
#ifndef ADLOOM_PLUGINS_COMMON_CHOICES_H
#define ADLOOM_PLUGINS_COMMON_CHOICES_H

#include <adloom/plugin.h>

typedef struct adl_choices {
  adl_table *chosen;    /* by the text of the ad; NULL: ads are not told apart */
  double *propensities; /* how many choices had one in each of equal steps from 0 to 1 */
} adl_choices;

/* The counts in a model, made where there are none. */
adl_choices adl_choices_of(const adl_call *call, adl_tensors *model, bool by_ad);

/* A choice; `ad` does not count where ads are not told apart. */
void adl_choices_add(const adl_call *call, const adl_choices *to, adl_text ad, double propensity);

/* A chart of the ads that were chosen most, a table with their propensities, and the propensities of all choices. `name`
 * is that of the column of ads. */
void adl_choices_report(const adl_call *call, const adl_tensors *model, const char *name, adl_report *report);

#endif
