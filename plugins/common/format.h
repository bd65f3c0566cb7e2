/* Values to text: numbers in the shortest form that reads back to the same value, JSON strings, base64. Used by the sinks.
 * Every function writes at `text`, without a NUL, and returns how many bytes it wrote. */
#ifndef ADLOOM_PLUGINS_COMMON_FORMAT_H
#define ADLOOM_PLUGINS_COMMON_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define ADL_INT_TEXT 20   /* most bytes of adl_format_int64 */
#define ADL_FLOAT_TEXT 32 /* of adl_format_double and adl_format_float */

size_t adl_format_int64(int64_t value, char *text);

/* The decimal with the fewest digits that rounds to `value`, and of those the nearest: 0.1, 123, 1e21, 2.5e-7; fixed
 * notation from 1e-5 up to 1e16. nan, inf, -inf otherwise. */
size_t adl_format_double(double value, char *text);
size_t adl_format_float(float value, char *text);

/* With its quotes. At most 6 * size + 2 bytes. */
size_t adl_format_json_string(const char *string, size_t size, char *text);

/* RFC 4648, padded: (size + 2) / 3 * 4 bytes. */
size_t adl_format_base64(const void *data, size_t size, char *text);

#endif
