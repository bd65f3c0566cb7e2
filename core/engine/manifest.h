/* The files of a run directory that say what happened: manifest.json, metrics.json, rejects.jsonl. */
#ifndef ADLOOM_CORE_ENGINE_MANIFEST_H
#define ADLOOM_CORE_ENGINE_MANIFEST_H

#include "core/engine/engine.h"

/* False: *why (free it). */
bool adl_manifest_write(const adl_engine *engine, adl_outcome outcome, char **why);

#endif
