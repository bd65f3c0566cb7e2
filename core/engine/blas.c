/* Address space for OpenBLAS, where a plugin has brought it: a product for which it finds no room for its buffers never
 * ends, and says nothing. */
#include <link.h>
#include <string.h>
#include <sys/mman.h>

#include "core/engine/internal.h"

/* A buffer is 128 MiB on x86-64, and kept once it is made; a thread's share of malloc takes 64 MiB beside it. */
static const int64_t each_thread = INT64_C(192) << 20;

static int is_openblas(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size, (void)data;
  return strstr(info->dlpi_name, "openblas") != NULL;
}

bool adl_blas_has_room(adl_engine *engine) {
  static _Atomic bool looked; /* what a run before has made is there still */
  if (looked || dl_iterate_phdr(is_openblas, NULL) == 0) return true;
  size_t size = (size_t)(engine->threads * each_thread);
  void *room = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  looked = room != MAP_FAILED;
  if (looked) {
    munmap(room, size);
    return true;
  }
  adl_problem *problem = adl_problems_error(
      engine->problems, ADL_NO_PLACE,
      "OpenBLAS needs %" G_GSIZE_FORMAT " MiB of address space for %d threads, and this process cannot have so much",
      size >> 20, engine->threads);
  adl_problem_hint(problem, "raise the limit (ulimit -v), or take fewer threads (--threads)");
  return false;
}
