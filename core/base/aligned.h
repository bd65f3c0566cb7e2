/* Memory aligned to 64 bytes: blocks of columns, and zeroed storage of tensors that costs nothing until it is touched.
 * Used by core/data. Out of memory ends the program, as everywhere with GLib, save where a NULL is promised. */
#ifndef ADLOOM_CORE_BASE_ALIGNED_H
#define ADLOOM_CORE_BASE_ALIGNED_H

#include <stdbool.h>
#include <stdint.h>

enum { ADL_ALIGNMENT = 64 };

/* `size` rounded up to a multiple of 64. */
static inline int64_t adl_aligned_size(int64_t size) {
  return (size + (ADL_ALIGNMENT - 1)) & ~(int64_t)(ADL_ALIGNMENT - 1);
}

/* Not zeroed; the size is rounded up to a multiple of 64, and never 0. */
void *adl_aligned_new(int64_t size);
void *adl_aligned_try(int64_t size); /* NULL: not that much memory */
void adl_aligned_free(void *block);  /* NULL is fine */

/* Zeroed storage that grows. Big ones are mapped, so that pages nobody touches take no memory. */
typedef struct adl_zeroed {
  void *data;       /* never NULL after adl_zeroed_init */
  int64_t used;     /* bytes asked for last */
  int64_t capacity; /* bytes held */
  bool mapped;
  bool spilled; /* mapped from a file without a name: the system may take its pages out of memory */
} adl_zeroed;

/* False, and nothing is held: not that much memory. */
bool adl_zeroed_init(adl_zeroed *zeroed, int64_t size);
/* Keeps what fits, the rest is zero. May move. False, and nothing has changed: not that much memory. */
bool adl_zeroed_resize(adl_zeroed *zeroed, int64_t size);
void adl_zeroed_clear(adl_zeroed *zeroed);
/* Brings all its pages in, for storage that will be read and written all over: a page that is read first is the system's one
 * page of zeros until it is written, which costs a second fault, and an interrupt of the other processors. */
void adl_zeroed_touch(adl_zeroed *zeroed);

/* Gives memory that was freed back to the system: after many blocks have gone, before others of other sizes come. */
void adl_aligned_trim(void);

#endif
