#include "common/choices.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/plots.h"
#include "common/reporting.h"

enum { COUNT, PROPENSITY, WIDTH }; /* a row of the table `chosen` */
enum { BINS = 20, SHOWN = 30, NAME_SHOWN = 60 };

adl_choices adl_choices_of(const adl_call *call, adl_tensors *model, bool by_ad) {
  const int64_t bins = BINS;
  double *propensities = call->host->tensor(call, model, "propensities", ADL_FLOAT64, 1, &bins);
  adl_choices made = {.propensities = propensities};
  if (by_ad) made.chosen = call->host->table(call, model, "chosen", WIDTH);
  return made;
}

void adl_choices_add(const adl_call *call, const adl_choices *to, adl_text ad, double propensity) {
  int bin = (int)(propensity * BINS);
  to->propensities[bin < 0 ? 0 : bin < BINS ? bin : BINS - 1] += 1;
  if (to->chosen == NULL) return;
  double *row = call->host->table_row(to->chosen, call->host->table_insert(to->chosen, ad.data, ad.size));
  row[COUNT] += 1;
  row[PROPENSITY] += propensity;
}

typedef struct ad {
  const double *row;
  int64_t number;
} ad;

/* Those chosen most; equal ones in the order in which they came. */
static int by_count(const void *a, const void *b) {
  const ad *left = a, *right = b;
  if (left->row[COUNT] != right->row[COUNT]) return left->row[COUNT] > right->row[COUNT] ? -1 : 1;
  return (left->number > right->number) - (left->number < right->number);
}

static void report_ads(const adl_call *call, const adl_table *chosen, const char *name, adl_report *report) {
  enum { COLUMNS = 4 };
  const adl_host *host = call->host;
  const char *titles[COLUMNS] = {name, "chosen", "share", "mean propensity"}, *cells[SHOWN * COLUMNS], *names[SHOWN];
  double counts[SHOWN], all = 0;
  int64_t count = host->table_count(chosen), shown = count < SHOWN ? count : SHOWN;
  ad *ads = host->alloc(call, (size_t)(count + 1) * sizeof *ads);
  for (int64_t i = 0; i < count; i++) {
    ads[i] = (ad){host->table_row(chosen, i), i};
    all += ads[i].row[COUNT];
  }
  qsort(ads, (size_t)count, sizeof *ads, by_count);
  for (int64_t i = 0; i < shown; i++) {
    const double *row = ads[i].row;
    char *share = host->alloc(call, 32);
    snprintf(share, 32, "%.1f %%", 100 * row[COUNT] / all);
    names[i] = adl_text_shown(call, host->table_key(chosen, ads[i].number), NAME_SHOWN);
    counts[i] = row[COUNT];
    cells[COLUMNS * i] = names[i];
    cells[COLUMNS * i + 1] = adl_report_cell(call, row[COUNT]);
    cells[COLUMNS * i + 2] = share;
    cells[COLUMNS * i + 3] = adl_report_cell(call, row[PROPENSITY] / row[COUNT]);
  }
  host->report_number(call, report, "", "different ones chosen", (double)count, (double)NAN, (double)NAN);
  adl_plot_named(call, report, "chosen most", name, "times chosen", shown, names, counts, NULL, NULL);
  host->report_table(call, report, "chosen most", COLUMNS, titles, shown, cells);
}

void adl_choices_report(const adl_call *call, const adl_tensors *model, const char *name, adl_report *report) {
  const adl_table *chosen = call->host->find_table(call, model, "chosen");
  adl_tensor propensities;
  double middle[BINS];
  if (chosen != NULL && call->host->table_count(chosen) > 0) report_ads(call, chosen, name, report);
  if (!call->host->find_tensor(call, model, "propensities", &propensities) || propensities.element != ADL_FLOAT64 ||
      propensities.count != BINS)
    return;
  for (int i = 0; i < BINS; i++) middle[i] = (i + 0.5) / BINS;
  adl_plot_one(call, report, ADL_PLOT_BARS, "propensities", "propensity", "rows chosen", BINS, middle,
               propensities.data);
}
