/* The parts of a report, and what they share. */
#ifndef ADLOOM_CORE_REPORT_SECTIONS_H
#define ADLOOM_CORE_REPORT_SECTIONS_H

#include "core/engine/engine.h"
#include "core/engine/reports.h"

enum { ADL_PAGE_ROWS = 200 }; /* of a table; more are counted */

typedef struct adl_page {
  const adl_engine *engine;
  const adl_graph *graph;
  const adl_report_data *reports;
  adl_outcome outcome;
  GHashTable *rejected; /* name of a stage -> rows it refused, as a pointer */
  int64_t longest;      /* nanoseconds of the stage that took most, at least 1 */
  GString *out;
} adl_page;

/* Did the stage report anything? */
bool adl_page_reported(const adl_page *page, const adl_stage *stage);
/* "#s5", where a stage is told about: its section, else its line in the table of stages. */
void adl_page_anchor(const adl_page *page, const adl_stage *stage, GString *out);

void adl_page_summary(const adl_page *page);       /* summary.c: outcome, numbers that count, outputs */
void adl_page_diagram(const adl_page *page);       /* diagram.c: the graph as a picture */
void adl_page_stages(const adl_page *page);        /* stages.c: rows and time of each stage */
void adl_page_quality(const adl_page *page);       /* quality.c: rejected rows, nulls */
void adl_page_distributions(const adl_page *page); /* distributions.c: of the columns read, within quality */
void adl_page_results(const adl_page *page);       /* results.c: what stages reported */
void adl_page_contents(const adl_page *page);      /* results.c: links to all that follows */
void adl_page_provenance(const adl_page *page);    /* provenance.c: versions, inputs, parameters */
void adl_page_script(const adl_page *page);        /* script.c: hover and zoom, last */
extern const char adl_page_style[];                /* style.c */

/* Numbers of one stage as a table; results.c, for the summary as well. `over` NULL: all. */
void adl_page_numbers(const adl_page *page, const adl_stage *stage, const char *over);
/* Of which rows a stage's numbers count most: held-out before the others, in-sample last; NULL: it has none. */
const char *adl_page_best_over(const adl_page *page, const adl_stage *stage);

#endif
