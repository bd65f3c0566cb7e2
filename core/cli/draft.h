/* A first pipeline for a log, from what its columns seem to be. */
#ifndef ADLOOM_CORE_CLI_DRAFT_H
#define ADLOOM_CORE_CLI_DRAFT_H

#include "core/cli/guess.h"

/* `path` as the pipeline shall name it. Appends YAML with comments. */
void adl_draft(const char *path, const adl_sample *sample, const adl_guess *guesses, GString *out);

#endif
