/* The run that has used a run directory before. For adloom run. */
#ifndef ADLOOM_CORE_CLI_EARLIER_H
#define ADLOOM_CORE_CLI_EARLIER_H

#include "core/graph/graph.h"

/* Removes what an earlier run left in the directory and this one will write only when it succeeds: until then, or if it does
 * not, nobody shall take it for this run's. That is the manifest, and what it says the run has made: metrics, the report, the
 * models of its stages. Other files stay, outputs too (until new ones are whole), and models that `graph` is going to use. */
void adl_earlier_run_forget(const char *directory, const adl_graph *graph);

#endif
