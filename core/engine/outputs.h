/* Files that sinks write: each under a temporary name beside its target, all renamed when the run has succeeded. Relative
 * paths begin at the run directory. Devices and pipes are written to as they are. */
#ifndef ADLOOM_CORE_ENGINE_OUTPUTS_H
#define ADLOOM_CORE_ENGINE_OUTPUTS_H

#include <glib.h>
#include <stdbool.h>

typedef struct adl_outputs adl_outputs;

/* `directory` (absolute): where relative paths begin. Once outputs are prepared it is this run's alone. */
adl_outputs *adl_outputs_new(const char *directory);
/* Removes temporary files that were not published. */
void adl_outputs_free(adl_outputs *outputs);
/* The temporary path for a PATH_OUT (adl_graph_options.path_out); free it. NULL is never given. Makes nothing yet. */
char *adl_outputs_path(void *outputs, const char *text);
/* Before sinks open their files: makes the folders, removes what killed runs have left there, and refuses targets that
 * could never be replaced. False: *why (free it). */
bool adl_outputs_prepare(adl_outputs *outputs, char **why);
/* Renames everything. False: *why (free it). */
bool adl_outputs_publish(adl_outputs *outputs, char **why);
bool adl_outputs_published(const adl_outputs *outputs);
/* Before that: what a sink has written to in place, a database that was there, and committed. */
void adl_outputs_add_in_place(adl_outputs *outputs, const char *what);
/* "nothing was published", or what was; free it. */
char *adl_outputs_told(const adl_outputs *outputs);
/* From a signal handler, before the process ends: removes the temporary files of the newest outputs. */
void adl_outputs_abandon(void);
/* Targets, for the manifest and the summary. */
const GPtrArray *adl_outputs_targets(const adl_outputs *outputs);

#endif
