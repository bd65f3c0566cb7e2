/* The end of a run: stages say what they found, sinks and models are committed, results, page and manifest are written, and
 * outputs take their places. */
#ifndef ADLOOM_CORE_ENGINE_PUBLISH_H
#define ADLOOM_CORE_ENGINE_PUBLISH_H

#include "core/engine/internal.h"

/* ok: all rows have passed, and nothing failed. What fails now is reported. */
adl_outcome adl_publish(adl_engine *engine, bool ok);

adl_outcome adl_publish_outcome(bool ok); /* of a run that ends now */
/* Takes over what a function said that failed. Returns ok. */
bool adl_publish_say(adl_engine *engine, bool ok, char **why);

#endif
