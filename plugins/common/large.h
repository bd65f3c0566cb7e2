/* Memory for large lookup tables, which are read at random: in huge pages where the system has them, so that finding the
 * page does not take longer than reading it. Freed by free(). */
#ifndef ADLOOM_PLUGINS_COMMON_LARGE_H
#define ADLOOM_PLUGINS_COMMON_LARGE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A huge page even for tables that are a quarter of one: they do not fit what a processor keeps of small ones. */
enum { ADL_LARGE_PAGE = 2 << 20, ADL_LARGE_FROM = ADL_LARGE_PAGE / 4 };

/* Zeroed; NULL: there is no more memory. */
static inline void *adl_large_calloc(size_t count, size_t size) {
  void *memory;
  if (size > 0 && count > (SIZE_MAX - ADL_LARGE_PAGE) / size) return NULL;
  if (count * size < ADL_LARGE_FROM) return calloc(count > 0 ? count : 1, size);
  size_t bytes = (count * size + ADL_LARGE_PAGE - 1) & ~(size_t)(ADL_LARGE_PAGE - 1);
  if (posix_memalign(&memory, ADL_LARGE_PAGE, bytes) != 0) return NULL;
  madvise(memory, bytes, MADV_HUGEPAGE);
  return memset(memory, 0, bytes);
}

#endif
