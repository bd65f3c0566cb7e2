/* Beginnings of values for messages; see excerpt.h. */
#include "common/excerpt.h"

#include "common/convert.h"

const char *adl_excerpt(const char *text, size_t size, char buffer[ADL_EXCERPT]) {
  size_t shown = size <= 40 ? size : 37;
  for (size_t i = 0; i < shown; i++) buffer[i] = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
  if (adl_utf8_valid(text, size) && size <= 40) /* as it is, save for control characters */
    for (size_t i = 0; i < shown; i++) buffer[i] = (unsigned char)text[i] >= ' ' && text[i] != 127 ? text[i] : '?';
  strcpy(buffer + shown, size <= 40 ? "" : "...");
  return buffer;
}
