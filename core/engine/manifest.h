/* The files of a run directory that say what happened: manifest.json, metrics.json, rejects.jsonl. */
#ifndef ADLOOM_CORE_ENGINE_MANIFEST_H
#define ADLOOM_CORE_ENGINE_MANIFEST_H

#include "core/engine/engine.h"

/* rejects.jsonl and, of a success, metrics.json: before the outputs are published. False: *why (free it). */
bool adl_results_write(const adl_engine *engine, bool success, char **why);
/* report.html, when it is known how the run ended. The same. */
bool adl_page_write(const adl_engine *engine, const GString *page, char **why);
/* manifest.json: last of all. False: *why (free it). */
bool adl_manifest_write(const adl_engine *engine, adl_outcome outcome, char **why);

#endif
