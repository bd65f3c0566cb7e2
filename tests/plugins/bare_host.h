/* A host for testing plugins/common without an engine: scratch memory, failures that are remembered, tensors. One at a
 * time, on one thread. */
#ifndef ADLOOM_TESTS_BARE_HOST_H
#define ADLOOM_TESTS_BARE_HOST_H

#include <adloom/plugin.h>

/* A call whose host can alloc, fail, and do all that adl_host lists under tensors. */
const adl_call *bare_call(void);
/* What host->fail was last told: "parameter: message (hint)"; "" when it was not called. Forgotten by bare_done. */
const char *bare_failure(void);
/* Frees what the call's scratch memory and tensors took. */
void bare_done(void);

#endif
