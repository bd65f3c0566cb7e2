/*
 * Versions of one pipeline in one graph. A stage that is the same in several versions (its class and parameters, and all that
 * is upstream of it) is there once: one run computes every version, and what they share once. It computes what a run of
 * the version alone would: seeds and hashes go by a stage's name in the file. Used by `adloom compare`.
 */
#ifndef ADLOOM_CORE_GRAPH_VERSIONS_H
#define ADLOOM_CORE_GRAPH_VERSIONS_H

#include "core/graph/graph.h"

typedef struct adl_version {
  const adl_graph *alone; /* complete, without errors; outlives the common graph */
  GHashTable *stages;     /* name in the file -> adl_stage * of the common graph; free it */
} adl_version;

/* Left out: sinks, and what neither an evaluator nor a profiler is behind. Problems are those of runs; there are none of its own. */
adl_graph *adl_graph_of_versions(adl_version *versions, guint count, adl_registry *registry, adl_problems *problems);

#endif
