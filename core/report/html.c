#include "core/report/html.h"

#include <math.h>
#include <string.h>

#include "core/base/text.h"

enum { SIGNIFICANT = 4, NUMBER_SIZE = G_ASCII_DTOSTR_BUF_SIZE };

/* ---- texts ---- */

static void append_char(GString *out, gunichar c) {
  switch (c) {
    case '&': g_string_append(out, "&amp;"); break;
    case '<': g_string_append(out, "&lt;"); break;
    case '>': g_string_append(out, "&gt;"); break;
    case '"': g_string_append(out, "&quot;"); break;
    case '\'': g_string_append(out, "&#39;"); break;
    case '\n':
    case '\t': g_string_append_c(out, (char)c); break;
    default: {
      bool bad = adl_text_char_unsafe(c) || (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
      g_string_append_unichar(out, bad ? 0xfffd : c);
    }
  }
}

void adl_html_text(GString *out, const char *text) {
  for (size_t left = strlen(text); left > 0;) {
    gunichar c;
    size_t bytes = adl_text_char(text, left, &c);
    append_char(out, c);
    text += bytes;
    left -= bytes;
  }
}

int adl_html_columns(const char *text, int enough) {
  int width = 0;
  for (size_t left = strlen(text); left > 0 && width <= enough;) {
    gunichar c;
    size_t bytes = adl_text_char(text, left, &c);
    width += adl_text_char_width(c);
    text += bytes;
    left -= bytes;
  }
  return width;
}

void adl_html_text_cut(GString *out, const char *text, int columns) {
  if (adl_html_columns(text, columns) <= columns) {
    adl_html_text(out, text);
    return;
  }
  int width = 0;
  for (size_t left = strlen(text); left > 0;) {
    gunichar c;
    size_t bytes = adl_text_char(text, left, &c);
    width += adl_text_char_width(c);
    if (width >= columns) break;
    append_char(out, c);
    text += bytes;
    left -= bytes;
  }
  g_string_append(out, "…");
}

void adl_html_close(GString *out, const char *tag) {
  g_string_append(out, "</");
  g_string_append_len(out, tag, (gssize)strcspn(tag, " "));
  g_string_append_c(out, '>');
}

void adl_html_element(GString *out, const char *tag, const char *text) {
  g_string_append_printf(out, "<%s>", tag);
  adl_html_text(out, text);
  adl_html_close(out, tag);
}

/* ---- numbers ---- */

/* Digits in front of the point in groups of three. */
static void append_grouped(GString *out, const char *number) {
  if (*number == '-') g_string_append(out, "−"), number++;
  size_t whole = strspn(number, "0123456789");
  for (size_t i = 0; i < whole; i++) {
    if (i > 0 && (whole - i) % 3 == 0) g_string_append_c(out, ',');
    g_string_append_c(out, number[i]);
  }
  g_string_append(out, number + whole);
}

void adl_html_count(GString *out, int64_t number) {
  char text[32];
  g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, number);
  append_grouped(out, text);
}

void adl_html_fixed(GString *out, double number, int digits) {
  char text[ADL_TEXT_DOUBLE];
  adl_text_fixed(text, number, digits);
  g_string_append(out, text);
}

void adl_html_number(GString *out, double number) {
  char text[NUMBER_SIZE];
  if (!isfinite(number)) {
    g_string_append(out, isnan(number) ? "undefined" : number > 0 ? "infinite" : "−infinite");
    return;
  }
  if (number == 0) number = 0; /* -0 */
  double size = fabs(number);
  if (size != 0 && (size >= 1e15 || size < 1e-4)) {
    g_ascii_formatd(text, sizeof text, "%.3g", number);
    char *power = strchr(text, 'e');
    if (power != NULL) {
      *power++ = '\0';
      append_grouped(out, text);
      g_string_append_printf(out, "e%s%d", *power == '-' ? "−" : "", (int)labs(strtol(power, NULL, 10)));
      return;
    }
  } else if (number == floor(number)) {
    g_ascii_formatd(text, sizeof text, "%.0f", number);
  } else {
    int digits = SIGNIFICANT - 1 - (int)floor(log10(size));
    GString *fixed = g_string_new(NULL);
    adl_html_fixed(fixed, number, CLAMP(digits, 0, 8));
    g_strlcpy(text, fixed->str, sizeof text);
    g_string_free(fixed, TRUE);
  }
  append_grouped(out, text);
}

void adl_html_seconds(GString *out, double seconds) {
  if (seconds >= 3600)
    g_string_append_printf(out, "%d h %d min", (int)(seconds / 3600), (int)(seconds / 60) % 60);
  else if (seconds >= 60)
    g_string_append_printf(out, "%d min %d s", (int)(seconds / 60), (int)seconds % 60);
  else if (seconds >= 1)
    adl_html_fixed(out, seconds, seconds >= 10 ? 1 : 2), g_string_append(out, " s");
  else if (seconds >= 0.001)
    adl_html_fixed(out, seconds * 1e3, seconds >= 0.01 ? 0 : 1), g_string_append(out, " ms");
  else
    adl_html_fixed(out, seconds * 1e6, 0), g_string_append(out, " µs");
}

void adl_html_bytes(GString *out, int64_t bytes) {
  static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
  double size = (double)bytes;
  guint unit = 0;
  while (size >= 999.5 && unit + 1 < G_N_ELEMENTS(units)) size /= 1000, unit++;
  adl_html_fixed(out, size, unit > 0 && size < 99.5 ? 1 : 0);
  g_string_append_printf(out, " %s", units[unit]);
}

bool adl_html_numeric(const char *text, double *share) {
  char *end = NULL;
  if (share != NULL) *share = NAN;
  if (!g_ascii_isdigit(*text) && *text != '-' && *text != '+' && *text != '.') return false;
  double value = g_ascii_strtod(text, &end);
  if (end == text || !isfinite(value)) return false;
  if (*end == '\0') return true;
  if (strcmp(end, "%") != 0 && strcmp(end, " %") != 0) return false;
  if (share != NULL) *share = value / 100;
  return true;
}

/* Numbers that are names (007, a version) and those with a sign keep their form. */
void adl_html_maybe_number(GString *out, const char *text) {
  double share;
  bool plain = adl_html_numeric(text, &share) && isnan(share) && *text != '+' &&
               !(text[0] == '0' && g_ascii_isdigit(text[1])) && strpbrk(text, "xXpP") == NULL &&
               strlen(text) < NUMBER_SIZE;
  if (plain)
    adl_html_number(out, g_ascii_strtod(text, NULL));
  else
    adl_html_text(out, text);
}
