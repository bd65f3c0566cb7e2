/* It starts a process. */
#include "working.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  pid_t child = fork();
  if (child == 0) _exit(0);
  if (child > 0) waitpid(child, NULL, 0);
  return working_process(call, self, model, batch, out);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.forks", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.forks");
