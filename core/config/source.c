/* See source.h. Lines end with LF, CR LF or CR, as editors count them (libyaml also ends lines at NEL, LS and PS, so
 * its own line numbers are not used). */
#include "core/config/source.h"

#include <string.h>

#include "core/base/text.h"

enum { STEP = 64 };

static void add_line(adl_source *source, size_t character) { g_array_append_val(source->lines, character); }

/* What is wrong with the character, NULL: nothing. */
static const char *fault(gunichar c) {
  if (c == 0) return "a NUL byte";
  if (c == 0xfeff) return "a byte order mark in the middle of the text";
  if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) return "a control character";
  if (c >= 0x80 && c < 0xa0 && c != 0x85) return "a control character";
  return (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef) ? "a character that Unicode does not allow" : NULL;
}

/* UTF-16 and UTF-32 files are told apart from mere rubbish. */
static bool is_wide(const char *text, size_t size) {
  return size >= 2 && ((text[0] == '\xff' && text[1] == '\xfe') || (text[0] == '\xfe' && text[1] == '\xff') ||
                       (text[0] == '\0' && text[1] != '\0') || (text[0] != '\0' && text[1] == '\0'));
}

static void report(const adl_source *source, size_t character, unsigned code, const char *what,
                   adl_problems *problems) {
  adl_problem *problem =
      adl_problems_error(problems, adl_source_place(source, character, character + 1), "%s cannot stand here", what);
  if (code > 0 && code != 0xfffd) adl_problem_note(problem, ADL_NO_PLACE, "it is U+%04X", code);
}

bool adl_source_open(adl_source *source, const char *name, const char *text, size_t size, int first_line,
                     adl_problems *problems) {
  if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
    text += 3;
    size -= 3;
  }
  *source = (adl_source){.name = name, .text = text, .size = size, .first_line = first_line};
  source->lines = g_array_new(FALSE, FALSE, sizeof(size_t));
  source->steps = g_array_new(FALSE, FALSE, sizeof(size_t));
  add_line(source, 0);
  if (is_wide(text, size)) {
    adl_problems_error(problems, (adl_place){name, 0, 0, 0}, "is UTF-16 or UTF-32; save it as UTF-8");
    return false;
  }
  for (size_t at = 0; at < size; source->characters++) {
    if (source->characters % STEP == 0) g_array_append_val(source->steps, at);
    gunichar c;
    size_t bytes = adl_text_char(text + at, size - at, &c);
    const char *what = c == 0xfffd && bytes == 1 && text[at] != '\0' ? "a byte that is no UTF-8" : fault(c);
    if (text[at] == '\0') what = fault(0);
    if (what != NULL) {
      report(source, source->characters, c, what, problems);
      return false;
    }
    if (c == '\n' || (c == '\r' && (at + 1 == size || text[at + 1] != '\n'))) add_line(source, source->characters + 1);
    at += bytes;
  }
  return true;
}

void adl_source_close(adl_source *source) {
  if (source->lines != NULL) g_array_free(source->lines, TRUE);
  if (source->steps != NULL) g_array_free(source->steps, TRUE);
  source->lines = source->steps = NULL;
}

size_t adl_source_byte(const adl_source *source, size_t character) {
  if (character >= source->characters) return source->size;
  const char *at = source->text + g_array_index(source->steps, size_t, character / STEP);
  for (size_t i = 0; i < character % STEP; i++) at = g_utf8_next_char(at);
  return (size_t)(at - source->text);
}

adl_place adl_source_place(const adl_source *source, size_t from, size_t to) {
  guint low = 0, high = source->lines->len; /* the line is in [low, high) */
  while (high - low > 1) {
    guint middle = low + (high - low) / 2;
    if (g_array_index(source->lines, size_t, middle) <= from) {
      low = middle;
    } else {
      high = middle;
    }
  }
  size_t begin = g_array_index(source->lines, size_t, low);
  if (high < source->lines->len) {
    size_t end = g_array_index(source->lines, size_t, high) - 1; /* of this line, without its LF or CR */
    if (end > from && source->text[adl_source_byte(source, end - 1)] == '\r') end--;
    to = MIN(to, end);
  }
  return (adl_place){source->name, source->first_line + (int)low + 1, (int)(from - begin) + 1,
                     to > from ? (int)(to - from) : 0};
}
