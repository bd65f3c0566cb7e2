/* Models that are applied expect columns made as they were when the models were learned. For adloom run and peek. */
#ifndef ADLOOM_CORE_CLI_SKEW_H
#define ADLOOM_CORE_CLI_SKEW_H

#include "core/graph/graph.h"

/* Warns of each stage that learned in the run of `directory` (--models), or makes a column, however far before, that such a
 * stage reads, where its class or a parameter is not what that run's manifest says. Sources are free to differ (the rows are
 * others), and so are stages that only choose rows. Silent where there is no manifest, or where it does not tell. */
void adl_skew_warn(const adl_graph *graph, const char *directory);

#endif
