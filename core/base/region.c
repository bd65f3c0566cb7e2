/* See region.h: a chain of blocks, each filled from the front; large pieces get a block of their own. */
#include "core/base/region.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <glib.h>

enum { ALIGNMENT = 16, BLOCK = 16 * 1024, LARGE = 4 * 1024 };

typedef struct block {
  struct block *next;
  size_t used, size;
  _Alignas(ALIGNMENT) char data[];
} block;

struct adl_region {
  block *blocks; /* the one being filled first */
};

adl_region *adl_region_new(void) { return g_new0(adl_region, 1); }

void adl_region_free(adl_region *region) {
  if (region == NULL) return;
  for (block *at = region->blocks, *next; at != NULL; at = next) {
    next = at->next;
    g_free(at);
  }
  g_free(region);
}

static block *new_block(size_t size) {
  if (size > SIZE_MAX - sizeof(block)) g_error("out of memory: %zu bytes", size);
  block *made = g_malloc0(sizeof(block) + size);
  made->size = size;
  return made;
}

void *adl_region_alloc(adl_region *region, size_t size) {
  size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
  if (rounded < size) g_error("out of memory: %zu bytes", size);
  block *first = region->blocks;
  if (rounded > LARGE && first != NULL) {
    block *own = new_block(rounded);
    own->used = rounded;
    own->next = first->next;
    first->next = own;
    return own->data;
  }
  if (first == NULL || first->size - first->used < rounded) {
    block *made = new_block(rounded > BLOCK ? rounded : BLOCK);
    made->next = first;
    region->blocks = first = made;
  }
  void *result = first->data + first->used;
  first->used += rounded;
  return result;
}

char *adl_region_text_n(adl_region *region, const char *text, size_t size) {
  char *copy = adl_region_alloc(region, size + 1);
  if (size > 0) memcpy(copy, text, size);
  return copy;
}

char *adl_region_text(adl_region *region, const char *text) {
  return text == NULL ? NULL : adl_region_text_n(region, text, strlen(text));
}

char *adl_region_printf(adl_region *region, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *made = g_strdup_vprintf(format, args);
  va_end(args);
  char *copy = adl_region_text(region, made);
  g_free(made);
  return copy;
}

void *adl_region_copy(adl_region *region, const void *data, size_t size) {
  void *copy = adl_region_alloc(region, size);
  if (size > 0) memcpy(copy, data, size);
  return copy;
}
