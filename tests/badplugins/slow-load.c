/* It computes for a while when it is loaded. */
#include "working.h"

#include <time.h>

static void __attribute__((constructor)) begin(void) {
  struct timespec now;
  do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  while (now.tv_sec == 0 && now.tv_nsec < 400000000);
}

static const adl_param params[] = {WORKING_PARAMS};

static const adl_class spoiled = {WORKING_CLASS, .id = "test.slow-load", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.slow-load");
