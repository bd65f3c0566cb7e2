/* Progress of a run: a table of stages and a line that change on a terminal (the line alone where there is little room), plain lines elsewhere, JSON lines for machines; and log.txt of
 * the run directory. From any thread. */
#ifndef ADLOOM_CORE_ENGINE_PROGRESS_H
#define ADLOOM_CORE_ENGINE_PROGRESS_H

#include <stdatomic.h>

#include "core/engine/engine.h"

typedef struct adl_progress adl_progress;

/* `rows`: the counter of rows read. */
adl_progress *adl_progress_new(const adl_run_options *options, const _Atomic int64_t *rows);
void adl_progress_free(adl_progress *progress); /* ends the line; NULL is fine */
/* From now on a terminal with room gets a table of the engine's stages as well. */
void adl_progress_watch(adl_progress *progress, const adl_engine *engine);
/* A stage's head is being read, or a stage is being fitted ("reading", "fitting", "loaded", "writing"). */
void adl_progress_begin(adl_progress *progress, const char *what, const char *stage);
/* Now and then while rows move. */
void adl_progress_tick(adl_progress *progress);
/* From inside a call: host->progress and host->log. Of a source, `done` of `total` also says how much time is left. */
void adl_progress_inside(adl_progress *progress, bool source, const char *what, double done, double total);
void adl_progress_log(adl_progress *progress, const char *stage, adl_level level, const char *text);

#endif
