/* What run, compare, check, peek and graph share: a registry, a graph and its problems. */
#ifndef ADLOOM_CORE_CLI_PIPELINE_H
#define ADLOOM_CORE_CLI_PIPELINE_H

#include "core/cli/command.h"
#include "core/graph/graph.h"

struct adl_outputs;

typedef struct adl_pipeline {
  adl_registry *registry;
  adl_problems *problems;
  adl_graph *graph;
} adl_pipeline;

/* Once, before a plugin is loaded: the host table, the crash report, signals that are errors of a call. */
void adl_pipeline_setup(void);
/* Ctrl-C once: the run ends at the next batch; twice: at once. */
void adl_pipeline_catch_interrupts(void);
/* How the options and standard error want progress told: adl_run_options.progress. */
int adl_pipeline_progress(const adl_cli_options *options);

/* Without a graph yet: for commands that are about plugins. */
void adl_pipeline_begin(adl_pipeline *pipeline);
/* outputs (may be NULL) gives the temporary paths of sinks. */
void adl_pipeline_open(adl_pipeline *pipeline, const char *path, const adl_cli_options *options,
                       struct adl_outputs *outputs);
void adl_pipeline_close(adl_pipeline *pipeline);
/* The stage that a command is about; NULL: there is none of that name, and standard error says which there are. */
adl_stage *adl_pipeline_stage(const adl_pipeline *pipeline, const adl_command *command, const char *file,
                              const char *name);
/* Prints all problems to standard error; `tail` follows the count ("nothing was started"). */
void adl_pipeline_print(const adl_pipeline *pipeline, const char *tail);

#endif
