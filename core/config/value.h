/* Texts to typed values: the one reader behind YAML scalars, defaults and ranges. Each function says in `why` (appended;
 * a clause that can follow "segment.clusters: ") what was wrong and what would be right. Used by read.h and params.h. */
#ifndef ADLOOM_CORE_CONFIG_VALUE_H
#define ADLOOM_CORE_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include <adloom/plugin.h>
#include <glib.h>

/* true, True, TRUE, false, False, FALSE (YAML 1.2; not yes, no, on, off). */
bool adl_value_bool(const char *text, bool *value, GString *why);
/* 12, -3, +3, 0x1f, 0o17, and 1e6 or 3.0 when that is a whole number. */
bool adl_value_int(const char *text, int64_t *value, GString *why);
/* 1, 1.5, .5, 1e-4, inf, .inf, -inf, nan, .nan. */
bool adl_value_float(const char *text, double *value, GString *why);
/* Bytes: 4096, 64M, 1.5 GiB, 10 kB. K M G T are powers of 1024, kB MB GB TB of 1000. */
bool adl_value_size(const char *text, int64_t *value, GString *why);
/* Microseconds: 500ms, 30m, 1h30m, 7d, 2w, -1h, 0. Units us ms s m h d w; parts fall in size. */
bool adl_value_duration(const char *text, int64_t *value, GString *why);

/* Shortest text that reads back the same: "64M", "1h30m". */
void adl_value_print_size(GString *out, int64_t bytes);
void adl_value_print_duration(GString *out, int64_t microseconds);

/* "[1, 65536]", "(0, inf)", "[1M, 1G]": ends are read as the parameter's type. A NaN is in no range; infinities are
 * only where an end says inf and includes it. */
typedef struct adl_range {
  bool low_open, high_open;
  double low, high;              /* for FLOAT; else the same as the integers, as near as it gets */
  int64_t low_whole, high_whole; /* inclusive; for INT, SIZE, DURATION */
} adl_range;

bool adl_range_read(const char *text, adl_param_type type, adl_range *range, GString *why);
bool adl_range_holds(const adl_range *range, double value);
bool adl_range_holds_int(const adl_range *range, int64_t value);

/* Number of `text` among "a|b|c", -1 and `why` if it is none of them. */
int32_t adl_choice_find(const char *choices, const char *text, GString *why);
/* The choices one by one, NULL-terminated, without "/arity"; free with g_strfreev. */
char **adl_choice_list(const char *choices);

#endif
