/* What stages report of a run: numbers, texts, tables and plots, kept until the run's files are written. */
#ifndef ADLOOM_CORE_ENGINE_REPORTS_H
#define ADLOOM_CORE_ENGINE_REPORTS_H

#include <glib.h>
#include <json-glib/json-glib.h>

#include "core/engine/engine.h"

typedef enum adl_report_kind { ADL_REPORT_NUMBER, ADL_REPORT_TEXT, ADL_REPORT_TABLE, ADL_REPORT_PLOT } adl_report_kind;

typedef struct adl_report_item {
  adl_report_kind kind;
  const char *stage; /* the graph's */
  char *over;        /* NUMBER: "held-out", ... or "" */
  char *name;
  double value, low, high; /* NUMBER; NAN: no interval */
  char *text;              /* TEXT */
  int32_t columns;         /* TABLE */
  int64_t rows;
  char **titles, **cells;
  adl_plot *plot; /* PLOT; a copy */
} adl_report_item;

struct adl_report_data {
  GPtrArray *items; /* of adl_report_item * */
};

adl_report_data *adl_report_data_new(void);
void adl_report_data_free(adl_report_data *data);
void adl_report_fill(adl_host *host);

/* A plot with all that it points to. */
adl_plot *adl_report_plot_copy(const adl_plot *plot);
void adl_report_plot_free(adl_plot *plot);

/* The number of a stage, NAN if there is none: for tests. */
double adl_report_find(const adl_report_data *data, const char *stage, const char *over, const char *name);

/* Everything, as an object by stage. */
void adl_report_json(const adl_report_data *data, JsonBuilder *builder);

#endif
