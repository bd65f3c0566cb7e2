/* The live table of a run on a terminal: a line for each stage with rows and rate, while they move. */
#ifndef ADLOOM_CORE_ENGINE_LIVE_H
#define ADLOOM_CORE_ENGINE_LIVE_H

#include <glib.h>

#include "core/engine/engine.h"

typedef struct adl_live adl_live;

/* Of the stages that the file names. The engine outlives it. */
adl_live *adl_live_new(const adl_engine *engine);
void adl_live_free(adl_live *live); /* NULL is fine */
/* Appends at most `lines` texts (of char *): those of stages whose rows have moved since the last call, or of which `doing`
 * ("fitting segment") speaks, and of their neighbours, in pipeline order. One at a time. */
void adl_live_lines(adl_live *live, const char *doing, int lines, GPtrArray *texts);

#endif
