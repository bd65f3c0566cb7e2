/* It leaves a thread behind. */
#include "working.h"

#include <pthread.h>
#include <unistd.h>

static void *wait_for_ever(void *nothing) {
  for (;;) pause();
  return nothing;
}

static const adl_param params[] = {WORKING_PARAMS};

static adl_status bind(const adl_call *call, void *self) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
    return call->host->fail(call, NULL, -1, NULL, "no thread");
  pthread_detach(thread);
  return working_bind(call, self);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.leaves-thread", PARAMS(params), .bind = bind,
                                  .process = working_process};
WORKING_ENTRY("test.leaves-thread");
