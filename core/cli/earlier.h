/* Runs that were before: the one that has used a run directory, and the one that made the models. For adloom run. */
#ifndef ADLOOM_CORE_CLI_EARLIER_H
#define ADLOOM_CORE_CLI_EARLIER_H

#include <json-glib/json-glib.h>

#include "core/engine/engine.h"

/* The manifest of the run that has used a directory, the parser's; NULL: there is none that is ours. Its "stages" are an
 * array. */
JsonObject *adl_earlier_manifest(JsonParser *parser, const char *directory);
/* A run has been in the directory: its manifest is there. */
bool adl_earlier_run_was_in(const char *directory);

/* Removes what an earlier run left in the directory and this one will write only when it succeeds: until then, or if it does
 * not, nobody shall take it for this run's. That is the manifest, and what it says the run has made: metrics, the report, the
 * models of its stages. Other files stay, outputs too (until new ones are whole), and models that `graph` is going to use. */
void adl_earlier_run_forget(const char *directory, const adl_graph *graph);

/* Digests of the files that the run in a directory (NULL: none) read, as a set; free it. Empty where nothing is known. */
GHashTable *adl_earlier_run_files(const char *directory);
/* After a run with the models of that one: warns where the rows that evaluators saw come of the same files. They were learned
 * from, whatever they are called. */
void adl_earlier_files_warn(const adl_engine *engine, const GHashTable *files);

#endif
