/* See value.h. Numbers are checked letter by letter before the C library reads them: it would take hexadecimal floats,
 * leading blanks and a locale's decimal point. */
#include "core/config/value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"

static bool say(GString *why, const char *text, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Appends "'text' " and the clause; returns false. */
static bool say(GString *why, const char *text, const char *format, ...) {
  va_list args;
  va_start(args, format);
  adl_text_quote(why, text);
  g_string_append_c(why, ' ');
  g_string_append_vprintf(why, format, args);
  va_end(args);
  return false;
}

static bool one_of(const char *text, const char *a, const char *b, const char *c) {
  return strcmp(text, a) == 0 || strcmp(text, b) == 0 || strcmp(text, c) == 0;
}

bool adl_value_bool(const char *text, bool *value, GString *why) {
  if (one_of(text, "true", "True", "TRUE")) {
    *value = true;
    return true;
  }
  if (one_of(text, "false", "False", "FALSE")) {
    *value = false;
    return true;
  }
  const char *meant = NULL;
  char *lower = g_ascii_strdown(text, -1);
  if (one_of(lower, "yes", "on", "y") || one_of(lower, "true", "t", "1")) meant = "true";
  if (one_of(lower, "no", "off", "n") || one_of(lower, "false", "f", "0")) meant = "false";
  g_free(lower);
  if (meant != NULL) return say(why, text, "is neither true nor false; write %s", meant);
  return say(why, text, "is neither true nor false");
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static size_t digits(const char *text) {
  size_t count = 0;
  while (g_ascii_isdigit(text[count])) count++;
  return count;
}

/* Length of the decimal number that the text begins with (no sign), 0: none. *whole: no point, no exponent. */
static size_t decimal(const char *text, bool *whole) {
  size_t length = digits(text), behind = 0;
  *whole = true;
  if (text[length] == '.') {
    behind = digits(text + length + 1);
    if (length + behind == 0) return 0;
    length += 1 + behind;
    *whole = false;
  }
  if (length > 0 && (text[length] == 'e' || text[length] == 'E')) {
    size_t sign = text[length + 1] == '+' || text[length + 1] == '-';
    size_t power = digits(text + length + 1 + sign);
    if (power > 0) {
      length += 1 + sign + power;
      *whole = false;
    }
  }
  return length;
}

static const char *skip_sign(const char *text, bool *negative) {
  *negative = *text == '-';
  return text + (*text == '-' || *text == '+');
}

/* "1,000" and "1_000": the number without its ornaments, for the hint; NULL: something else. Free it. */
static char *without_marks(const char *text) {
  GString *out = g_string_new(NULL);
  bool marks = false;
  for (; *text != '\0'; text++) {
    if (*text == '_' || *text == ',') {
      marks = true;
    } else {
      g_string_append_c(out, *text);
    }
  }
  bool negative, whole;
  const char *number = skip_sign(out->str, &negative);
  size_t length = decimal(number, &whole);
  bool good = marks && length > 0 && number[length] == '\0';
  return g_string_free(out, !good);
}

static bool not_a_number(const char *text, const char *what, GString *why) {
  char *plain = without_marks(text);
  say(why, text, "is not %s", what);
  if (plain != NULL) g_string_append_printf(why, "; write %s", plain);
  g_free(plain);
  return false;
}

static bool too_large(const char *text, GString *why) {
  return say(why, text, "is too large; at most 9223372036854775807 fits");
}

/* Digits in base 8, 10 or 16, nothing else. */
static bool whole_number(const char *text, const char *number, int base, bool negative, int64_t *value, GString *why) {
  errno = 0;
  char *end;
  unsigned long long read = strtoull(number, &end, base);
  if (errno == ERANGE || read > (unsigned long long)INT64_MAX + negative) return too_large(text, why);
  *value = negative ? (int64_t)(0 - read) : (int64_t)read;
  return true;
}

static bool only(const char *text, const char *set) { return *text != '\0' && text[strspn(text, set)] == '\0'; }

bool adl_value_int(const char *text, int64_t *value, GString *why) {
  bool negative, whole;
  const char *number = skip_sign(text, &negative);
  if (g_str_has_prefix(number, "0x") && only(number + 2, "0123456789abcdefABCDEF")) {
    return whole_number(text, number + 2, 16, negative, value, why);
  }
  if (g_str_has_prefix(number, "0o") && only(number + 2, "01234567")) {
    return whole_number(text, number + 2, 8, negative, value, why);
  }
  size_t length = decimal(number, &whole);
  if (length == 0 || number[length] != '\0') return not_a_number(text, "an integer", why);
  if (whole) return whole_number(text, number, 10, negative, value, why);
  double read = g_ascii_strtod(number, NULL);
  if (read != floor(read)) return say(why, text, "is not an integer");
  if (read >= 9223372036854775808.0) return too_large(text, why);
  *value = negative ? -(int64_t)read : (int64_t)read;
  return true;
}

bool adl_value_float(const char *text, double *value, GString *why) {
  bool negative, whole;
  const char *number = skip_sign(text, &negative);
  double read;
  if (one_of(number, ".inf", ".Inf", ".INF") || strcmp(number, "inf") == 0) {
    read = (double)INFINITY;
  } else if (number == text && (one_of(text, ".nan", ".NaN", ".NAN") || strcmp(text, "nan") == 0)) {
    read = (double)NAN;
  } else if (g_str_has_prefix(number, "0x") || g_str_has_prefix(number, "0o")) {
    int64_t integer = 0;
    if (!adl_value_int(text, &integer, why)) return false;
    *value = (double)integer;
    return true;
  } else {
    size_t length = decimal(number, &whole);
    if (length == 0 || number[length] != '\0') return not_a_number(text, "a number", why);
    read = g_ascii_strtod(number, NULL);
    if (isinf(read)) return say(why, text, "is too large for a number");
  }
  *value = negative ? -read : read;
  return true;
}

/* ---- sizes and durations ---------------------------------------------------------------------------------------- */

typedef struct unit {
  const char *name;
  int64_t factor;
} unit;

static const unit SIZES[] = {
    {"", 1},
    {"b", 1},
    {"t", INT64_C(1) << 40},
    {"tib", INT64_C(1) << 40},
    {"tb", INT64_C(1000000000000)},
    {"g", INT64_C(1) << 30},
    {"gib", INT64_C(1) << 30},
    {"gb", 1000000000},
    {"m", 1 << 20},
    {"mib", 1 << 20},
    {"mb", 1000000},
    {"k", 1 << 10},
    {"kib", 1 << 10},
    {"kb", 1000},
};

/* Longest first, as they are printed. */
static const unit TIMES[] = {
    {"w", INT64_C(604800000000)},
    {"d", INT64_C(86400000000)},
    {"h", INT64_C(3600000000)},
    {"m", 60000000},
    {"s", 1000000},
    {"ms", 1000},
    {"us", 1},
};

static const unit *find_unit(const unit *units, size_t count, const char *name, size_t length) {
  for (size_t i = 0; i < count; i++) {
    if (strlen(units[i].name) == length && g_ascii_strncasecmp(units[i].name, name, length) == 0) return &units[i];
  }
  return NULL;
}

static size_t letters(const char *text) {
  size_t count = 0;
  while (g_ascii_isalpha(text[count])) count++;
  return count;
}

bool adl_value_size(const char *text, int64_t *value, GString *why) {
  bool negative, whole;
  const char *number = skip_sign(text, &negative);
  size_t length = decimal(number, &whole);
  const char *behind = number + length + (number[length] == ' ');
  size_t name = letters(behind);
  const unit *found = find_unit(SIZES, G_N_ELEMENTS(SIZES), behind, name);
  if (length == 0 || found == NULL || behind[name] != '\0') {
    return say(why, text, "is not a size; write for example 4096, 64M or 1.5 GiB");
  }
  if (negative) return say(why, text, "is negative, which a size cannot be");
  int64_t count = 0, bytes;
  if (whole) {
    if (!whole_number(text, number, 10, false, &count, why)) return false;
    if (__builtin_mul_overflow(count, found->factor, &bytes)) return say(why, text, "is too large a size");
    *value = bytes;
    return true;
  }
  double fraction = g_ascii_strtod(number, NULL) * (double)found->factor;
  if (fraction >= 9223372036854775808.0) return say(why, text, "is too large a size");
  if (found->factor == 1 && fraction != floor(fraction)) return say(why, text, "is not a whole number of bytes");
  *value = (int64_t)llround(fraction);
  return true;
}

bool adl_value_duration(const char *text, int64_t *value, GString *why) {
  bool negative, whole;
  const char *at = skip_sign(text, &negative);
  if (strcmp(at, "0") == 0) {
    *value = 0;
    return true;
  }
  long double total = 0;
  const unit *last = NULL;
  do {
    size_t length = decimal(at, &whole);
    const char *behind = at + length + (at[length] == ' ');
    size_t name = letters(behind);
    if (length > 0 && name == 0 && *behind == '\0') {
      return say(why, text, "lacks a unit; write for example 500ms, 30s, 30m, 12h, 7d or 2w");
    }
    const unit *found = find_unit(TIMES, G_N_ELEMENTS(TIMES), behind, name);
    if (length == 0 || found == NULL) {
      return say(why, text, "is not a duration; write for example 500ms, 30m, 1h30m or 7d");
    }
    if (last != NULL && found <= last) return say(why, text, "is not a duration: larger units stand first, each once");
    total += (long double)g_ascii_strtod(at, NULL) * (long double)found->factor;
    last = found;
    at = behind + name;
    if (*at == ' ' && at[1] != '\0') at++;
  } while (*at != '\0');
  if (total >= 9223372036854775808.0L) return say(why, text, "is too long a duration");
  *value = negative ? -llroundl(total) : llroundl(total);
  return true;
}

void adl_value_print_size(GString *out, int64_t bytes) {
  static const char NAMES[] = "TGMK";
  for (int i = 0; i < 4; i++) {
    int64_t factor = INT64_C(1) << (10 * (4 - i));
    if (bytes == 0 || bytes % factor != 0) continue;
    g_string_append_printf(out, "%" G_GINT64_FORMAT "%c", bytes / factor, NAMES[i]);
    return;
  }
  g_string_append_printf(out, "%" G_GINT64_FORMAT, bytes);
}

void adl_value_print_duration(GString *out, int64_t microseconds) {
  if (microseconds == 0) g_string_append(out, "0s");
  uint64_t left = microseconds < 0 ? 0 - (uint64_t)microseconds : (uint64_t)microseconds;
  if (microseconds < 0) g_string_append_c(out, '-');
  for (size_t i = 1; i < G_N_ELEMENTS(TIMES) && left > 0; i++) { /* in days, not weeks */
    uint64_t factor = (uint64_t)TIMES[i].factor;
    if (left >= factor) g_string_append_printf(out, "%" G_GUINT64_FORMAT "%s", left / factor, TIMES[i].name);
    left %= factor;
  }
}

/* ---- ranges ----------------------------------------------------------------------------------------------------- */

/* One end of a range. */
static bool read_end(const char *text, adl_param_type type, double *number, int64_t *integer, GString *why) {
  if (type == ADL_PARAM_FLOAT || strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0) {
    if (!adl_value_float(text, number, why)) return false;
    *integer = *number > 0 ? INT64_MAX : INT64_MIN; /* of a FLOAT it is not looked at */
    return true;
  }
  bool fine = type == ADL_PARAM_SIZE       ? adl_value_size(text, integer, why)
              : type == ADL_PARAM_DURATION ? adl_value_duration(text, integer, why)
                                           : adl_value_int(text, integer, why);
  if (fine) *number = (double)*integer;
  return fine;
}

bool adl_range_read(const char *text, adl_param_type type, adl_range *range, GString *why) {
  size_t size = strlen(text);
  const char *comma = strchr(text, ',');
  bool shaped = size >= 5 && comma != NULL && (text[0] == '[' || text[0] == '(') &&
                (text[size - 1] == ']' || text[size - 1] == ')');
  if (!shaped) return say(why, text, "is not a range such as [1, 65536] or (0, inf)");
  *range = (adl_range){.low_open = text[0] == '(', .high_open = text[size - 1] == ')'};
  char *low = g_strstrip(g_strndup(text + 1, (gsize)(comma - text) - 1));
  char *high = g_strstrip(g_strndup(comma + 1, (gsize)(text + size - 1 - comma) - 1));
  bool fine = read_end(low, type, &range->low, &range->low_whole, why) &&
              read_end(high, type, &range->high, &range->high_whole, why);
  g_free(low);
  g_free(high);
  if (!fine) return false;
  bool empty = !(range->low <= range->high);
  if (type != ADL_PARAM_FLOAT) {
    if (range->low_open && isfinite(range->low)) empty = empty || range->low_whole++ == INT64_MAX;
    if (range->high_open && isfinite(range->high)) empty = empty || range->high_whole-- == INT64_MIN;
    empty = empty || range->low_whole > range->high_whole;
  }
  return empty ? say(why, text, "is a range that holds nothing") : true;
}

bool adl_range_holds(const adl_range *range, double value) {
  if (isnan(value)) return false;
  bool above = range->low_open ? value > range->low : value >= range->low;
  bool below = range->high_open ? value < range->high : value <= range->high;
  return above && below;
}

bool adl_range_holds_int(const adl_range *range, int64_t value) {
  return value >= range->low_whole && value <= range->high_whole;
}

/* ---- choices ---------------------------------------------------------------------------------------------------- */

char **adl_choice_list(const char *choices) {
  char **names = g_strsplit(choices, "|", -1);
  for (char **at = names; *at != NULL; at++) {
    char *slash = strchr(*at, '/');
    if (slash != NULL) *slash = '\0';
  }
  return names;
}

int32_t adl_choice_find(const char *choices, const char *text, GString *why) {
  char **names = adl_choice_list(choices);
  int32_t found = -1, count = (int32_t)g_strv_length(names);
  for (int32_t i = 0; i < count && found < 0; i++) {
    if (strcmp(names[i], text) == 0) found = i;
  }
  if (found < 0) {
    const char *near = adl_text_nearest(text, (const char *const *)names, (size_t)count);
    adl_text_quote(why, text);
    g_string_append(why, " is not one of ");
    adl_text_list(why, (const char *const *)names, (size_t)count, "or");
    if (near != NULL) g_string_append_printf(why, "; did you mean `%s`?", near);
  }
  g_strfreev(names);
  return found;
}
