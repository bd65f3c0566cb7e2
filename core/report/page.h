/* The report of a run for people: one HTML file without anything outside it. Made at the end of a run, by way of
 * adl_run_options.report. */
#ifndef ADLOOM_CORE_REPORT_PAGE_H
#define ADLOOM_CORE_REPORT_PAGE_H

#include "core/engine/engine.h"

/* Of a run that failed it tells why, and how far it came. */
GString *adl_page_make(void *nothing, const adl_engine *engine, adl_outcome outcome);

#endif
