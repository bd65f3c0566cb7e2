/* The files that a run reads: that it does not write over them; and their digests, for its manifest and its report, made by a
 * thread of their own while the results are written: reading a large file again takes a while, and so does waiting for the
 * disk. */
#ifndef ADLOOM_CORE_ENGINE_INPUTS_H
#define ADLOOM_CORE_ENGINE_INPUTS_H

#include "core/engine/internal.h"

/* Before anything is read. False: some output would replace what a stage reads; reported. */
bool adl_inputs_stay(adl_engine *engine);
/* No stage runs any more, nor will. NULL: no thread could be had, and whoever asks for a digest waits for it. */
GThread *adl_inputs_digest(adl_engine *engine);
/* Waits until all are made; thread may be NULL. */
void adl_inputs_digested(GThread *thread);

#endif
