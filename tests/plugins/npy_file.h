/* Files as numpy.save writes them, for tests. */
#ifndef ADLOOM_TESTS_NPY_FILE_H
#define ADLOOM_TESTS_NPY_FILE_H

#include <stdio.h>
#include <string.h>

#include "tests/harness/harness.h"

/* Version 1 of the format, with this dictionary ("{'descr': '<f4', ...}") and these bytes behind it, as a file of the
 * harness; returns its path, the harness's. */
static inline const char *npy_raw(adl_harness *h, const char *name, const char *dictionary, const void *data,
                                  size_t size) {
  size_t head = (strlen(dictionary) + 1 + 10 + 63) / 64 * 64 - 10;
  GByteArray *bytes = g_byte_array_new();
  const guint8 magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (guint8)(head & 255), (guint8)(head >> 8)};
  g_byte_array_append(bytes, magic, sizeof magic);
  g_byte_array_append(bytes, (const guint8 *)dictionary, (guint)strlen(dictionary));
  for (size_t i = strlen(dictionary); i < head; i++)
    g_byte_array_append(bytes, (const guint8 *)(i == head - 1 ? "\n" : " "), 1);
  if (size > 0) g_byte_array_append(bytes, data, (guint)size);
  const char *path = adl_harness_file(h, name, (const char *)bytes->data, (gssize)bytes->len);
  g_byte_array_unref(bytes);
  return path;
}

/* rows x width of float32. */
static inline const char *npy_of(adl_harness *h, const char *name, const float *values, int64_t rows, int64_t width) {
  char dictionary[128];
  snprintf(dictionary, sizeof dictionary, "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld, %lld), }",
           (long long)rows, (long long)width);
  return npy_raw(h, name, dictionary, values, (size_t)(rows * width) * sizeof *values);
}

#endif
