/* Why a model is taken from the store or fitted again: what determined it, field by field, against what determined it the
 * last time the pipeline ran. For `adloom run --explain`. */
#ifndef ADLOOM_CORE_ENGINE_REASONS_H
#define ADLOOM_CORE_ENGINE_REASONS_H

#include "core/engine/internal.h"

/* Compares with the record of the last run (beside the store's models), tells adl_run_options.explain, and writes this
 * run's record in its place. After the digests; every node has its fields then. */
void adl_reasons(adl_engine *engine);

#endif
