/* See text.h. */
#include "core/base/text.h"

#include <math.h>
#include <string.h>

enum { MAX_NAME = 64, MAX_LISTED = 8, MAX_QUOTED = 60 };

/* The characters of a name, lower case, - as _; at most MAX_NAME of them. */
static int letters(const char *name, gunichar *out) {
  size_t left = strlen(name);
  int count = 0;
  while (left > 0 && count < MAX_NAME) {
    gunichar c;
    size_t bytes = adl_text_char(name, left, &c);
    out[count++] = c == '-' ? '_' : g_unichar_tolower(c);
    name += bytes;
    left -= bytes;
  }
  return count;
}

/* Edit distance with transpositions of neighbours (optimal string alignment). */
static int distance(const gunichar *a, int a_count, const gunichar *b, int b_count) {
  int rows[3][MAX_NAME + 1];
  int *before = rows[0], *last = rows[1], *now = rows[2];
  for (int j = 0; j <= b_count; j++) last[j] = j;
  for (int i = 1; i <= a_count; i++) {
    now[0] = i;
    for (int j = 1; j <= b_count; j++) {
      int best = last[j - 1] + (a[i - 1] != b[j - 1]);
      best = MIN(best, MIN(last[j], now[j - 1]) + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) best = MIN(best, before[j - 2] + 1);
      now[j] = best;
    }
    int *free_row = before;
    before = last;
    last = now;
    now = free_row;
  }
  return last[b_count];
}

static bool begins(const gunichar *text, int count, const gunichar *with, int with_count) {
  return with_count >= 3 && with_count <= count && memcmp(text, with, (size_t)with_count * sizeof *with) == 0;
}

const char *adl_text_nearest(const char *word, const char *const *names, size_t count) {
  gunichar a[MAX_NAME], b[MAX_NAME];
  int a_count = letters(word, a);
  const char *best = NULL;
  int best_distance = 4; /* of all, only less than this is near */
  const char *extended = NULL;
  for (size_t i = 0; i < count; i++) {
    int b_count = letters(names[i], b);
    int found = distance(a, a_count, b, b_count);
    if (found < best_distance && found <= (MIN(a_count, b_count) + 1) / 3) {
      best = names[i];
      best_distance = found;
    }
    if (extended == NULL && (begins(a, a_count, b, b_count) || begins(b, b_count, a, a_count))) extended = names[i];
  }
  return best != NULL ? best : extended;
}

void adl_text_list(GString *out, const char *const *names, size_t count, const char *last) {
  for (size_t i = 0; i < count; i++) {
    if (i > 0 && i + 1 < count) g_string_append(out, ", ");
    if (i > 0 && i + 1 == count) g_string_append_printf(out, " %s ", last);
    g_string_append(out, names[i]);
  }
}

void adl_text_suggest(GString *out, const char *word, const char *const *names, size_t count) {
  const char *near = adl_text_nearest(word, names, count);
  if (near != NULL) {
    g_string_append_printf(out, "; did you mean `%s`?", near);
  } else if (count > 0 && count <= MAX_LISTED) {
    g_string_append(out, count == 1 ? "; there is only " : "; there are ");
    adl_text_list(out, names, count, "and");
  }
}

size_t adl_text_char(const char *text, size_t size, gunichar *c) {
  gunichar read = g_utf8_get_char_validated(text, (gssize)MIN(size, 6));
  if (read == 0 && text[0] == '\0') read = (gunichar)-1; /* NUL is read as "too short" by some versions of GLib */
  if (read == (gunichar)-1 || read == (gunichar)-2) {
    *c = 0xfffd;
    return 1;
  }
  *c = read;
  return (size_t)g_utf8_skip[(guchar)text[0]];
}

bool adl_text_char_unsafe(gunichar c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

int adl_text_char_width(gunichar c) {
  if (c < 0x300) return c == 0xad ? 0 : 1;
  if (g_unichar_iszerowidth(c)) return 0;
  return g_unichar_iswide(c) ? 2 : 1;
}

int adl_text_width(const char *text) {
  int width = 0;
  for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c)) width += adl_text_char_width(g_utf8_get_char(c));
  return width;
}

void adl_text_quote(GString *out, const char *text) {
  size_t left = strlen(text);
  g_string_append_c(out, '\'');
  for (int count = 0; left > 0; count++) {
    gunichar c;
    size_t bytes = adl_text_char(text, left, &c);
    if (count == MAX_QUOTED) {
      g_string_append(out, "...");
      break;
    }
    if (c == '\n') {
      g_string_append(out, "\\n");
    } else if (c == '\t') {
      g_string_append(out, "\\t");
    } else if (c < 0x20 || c == 0x7f) {
      g_string_append_printf(out, "\\x%02x", (unsigned)c);
    } else {
      g_string_append_unichar(out, adl_text_char_unsafe(c) ? 0xfffd : c);
    }
    text += bytes;
    left -= bytes;
  }
  g_string_append_c(out, '\'');
}

void adl_text_json_string(GString *out, const char *text) {
  size_t left = strlen(text);
  g_string_append_c(out, '"');
  while (left > 0) {
    gunichar c;
    size_t bytes = adl_text_char(text, left, &c);
    if (c == '"' || c == '\\') {
      g_string_append_c(out, '\\');
      g_string_append_c(out, (char)c);
    } else if (c < 0x20 || c == 0x7f) {
      g_string_append_printf(out, "\\u%04x", (unsigned)c);
    } else {
      g_string_append_unichar(out, c);
    }
    text += bytes;
    left -= bytes;
  }
  g_string_append_c(out, '"');
}

int adl_text_int(char text[ADL_TEXT_INT], int64_t value) {
  char digits[ADL_TEXT_INT], *end = digits + sizeof digits, *begin = end;
  uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  *--begin = '\0';
  do *--begin = (char)('0' + left % 10);
  while ((left /= 10) > 0);
  if (value < 0) *--begin = '-';
  memcpy(text, begin, (size_t)(end - begin));
  return (int)(end - begin) - 1;
}

void adl_text_number(GString *out, double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  if (fabs(value) < 1e15 && value == trunc(value) && (value != 0 || !signbit(value))) {
    g_string_append_len(out, text, adl_text_int(text, (int64_t)value)); /* 15 digits: what %.15g writes */
    return;
  }
  for (int digits = 15; digits <= 17; digits++) {
    char format[8];
    g_snprintf(format, sizeof format, "%%.%dg", digits);
    g_ascii_formatd(text, sizeof text, format, value);
    if (g_ascii_strtod(text, NULL) == value) break;
  }
  g_string_append(out, text);
}

/* ---- numbers of few digits ---- */

static const double powers_of_ten[] = {1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11};
enum { MOST_POWER = (int)G_N_ELEMENTS(powers_of_ten) - 1 };

/* Drops zeros, and then a point, from the end of a text with a point in it. */
static char *without_zeros(char *begin, char *end) {
  if (memchr(begin, '.', (size_t)(end - begin)) == NULL) return end;
  while (end[-1] == '0') end--;
  return end[-1] == '.' ? end - 1 : end;
}

/* value >= 0 with so many digits behind the point, while what is said in whole numbers is below `most`. NULL: whether it is
 * rounded up or down needs more than a double can tell, or it is too large. */
static char *put_fixed(char *text, double value, int digits, double most) {
  double scaled = value * powers_of_ten[digits], below = floor(scaled), over = scaled - below;
  if (!(scaled < MIN(most, 1e12)) || fabs(over - 0.5) < 1e-3) return NULL;
  int64_t whole = (int64_t)below + (over > 0.5), unit = (int64_t)powers_of_ten[digits];
  if (!((double)whole < most)) return NULL;
  text += adl_text_int(text, whole / unit);
  if (digits == 0) return text;
  *text++ = '.';
  for (int64_t rest = whole % unit; unit > 1; rest %= unit) *text++ = (char)('0' + rest / (unit /= 10));
  return text;
}

/* A sign for what is not 0 when it is rounded. */
static void finish_number(char *text, const char *begin, const char *end, bool negative) {
  size_t size = (size_t)(end - begin);
  bool zero = size == 1 && *begin == '0';
  if (negative && !zero) *text++ = '-';
  memcpy(text, begin, size);
  text[size] = '\0';
}

void adl_text_fixed(char text[ADL_TEXT_DOUBLE], double value, int digits) {
  char number[ADL_TEXT_DOUBLE], format[8], *end = NULL;
  if (digits <= MOST_POWER && isfinite(value)) end = put_fixed(number, fabs(value), digits, INFINITY);
  if (end == NULL) {
    g_snprintf(format, sizeof format, "%%.%df", digits);
    g_ascii_formatd(number, sizeof number, format, fabs(value));
    end = number + strlen(number);
  }
  finish_number(text, number, without_zeros(number, end), signbit(value) != 0);
}

void adl_text_significant(char text[ADL_TEXT_DOUBLE], double value, int digits) {
  char number[ADL_TEXT_DOUBLE], format[8], *end = NULL;
  double size = fabs(value);
  int before = 0; /* digits before the point; of what is below .1, less the zeros behind it */
  double most = digits <= MOST_POWER ? powers_of_ten[digits] : digits >= 15 ? 1e15 : 0;
  if (size >= 1 && size < most && size == floor(size)) {
    adl_text_int(text, (int64_t)value);
    return;
  }
  if (digits <= MOST_POWER && size >= 1e-4 && size < most) {
    while (size >= powers_of_ten[before]) before++;
    for (double least = 0.1; before <= 0 && size < least; least /= 10) before--;
    if (digits - before <= MOST_POWER) end = put_fixed(number, size, digits - before, most);
  }
  if (end != NULL) {
    finish_number(text, number, without_zeros(number, end), signbit(value) != 0);
    return;
  }
  g_snprintf(format, sizeof format, "%%.%dg", digits);
  g_ascii_formatd(text, ADL_TEXT_DOUBLE, format, value);
}
