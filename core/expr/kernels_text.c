/* Kernels of strings. Called by evaluate.c. Strings made here live in the run's memory until their chunk is done; parts
 * of strings (trim) point into what they are made of. */
#include <math.h>
#include <string.h>

#include "core/base/text.h"
#include "core/expr/internal.h"

static bool is_valid(const adl_expr_vector *vector, int64_t row) { return vector->valid == NULL || vector->valid[row]; }

static adl_text text_copy(adl_expr_run *run, const char *data, int64_t size) {
  adl_text text = {"", 0};
  char *memory = size > 0 ? adl_expr_run_text(run, size) : NULL;
  if (memory == NULL) return text;
  memcpy(memory, data, (size_t)size);
  text.data = memory;
  text.size = (int32_t)size;
  return text;
}

/* Character by character; bytes that are not UTF-8 stay what they are. A letter may grow in bytes. */
static adl_text change_case(adl_expr_run *run, adl_text from, bool upper, GString *buffer) {
  bool ascii = true;
  for (int32_t i = 0; i < from.size; i++) ascii = ascii && (unsigned char)from.data[i] < 0x80;
  if (ascii) {
    adl_text text = text_copy(run, from.data, from.size);
    if (text.size == 0) return text;
    char *bytes = (char *)(uintptr_t)text.data;
    for (int32_t i = 0; i < text.size; i++) bytes[i] = upper ? g_ascii_toupper(bytes[i]) : g_ascii_tolower(bytes[i]);
    return text;
  }
  g_string_truncate(buffer, 0);
  for (const char *at = from.data, *end = from.data + from.size; at < end;) {
    gunichar c = g_utf8_get_char_validated(at, end - at);
    if (c == (gunichar)-1 || c == (gunichar)-2) {
      g_string_append_c(buffer, *at++);
      continue;
    }
    g_string_append_unichar(buffer, upper ? g_unichar_toupper(c) : g_unichar_tolower(c));
    at = g_utf8_next_char(at);
  }
  return text_copy(run, buffer->str, (int64_t)buffer->len);
}

static void change_cases(adl_expr_run *run, adl_expr_vector *const *args, adl_expr_vector *out, int64_t rows,
                         bool upper) {
  GString *buffer = g_string_new(NULL);
  adl_text nothing = {"", 0};
  adl_expr_valid_and(args, 1, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    out->t[row] = is_valid(out, row) ? change_case(run, args[0]->t[row], upper, buffer) : nothing;
  }
  g_string_free(buffer, TRUE);
}

void adl_expr_lower(ADL_EXPR_KERNEL_ARGS) {
  (void)payload, (void)count;
  change_cases(run, args, out, rows, false);
}

void adl_expr_upper(ADL_EXPR_KERNEL_ARGS) {
  (void)payload, (void)count;
  change_cases(run, args, out, rows, true);
}

void adl_expr_trim(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 1, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    adl_text text = args[0]->t[row];
    while (text.size > 0 && g_ascii_isspace(text.data[0])) text.data++, text.size--;
    while (text.size > 0 && g_ascii_isspace(text.data[text.size - 1])) text.size--;
    out->t[row] = text;
  }
}

void adl_expr_length_bytes(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 1, out, rows);
  for (int64_t row = 0; row < rows; row++) out->i[row] = args[0]->t[row].size;
}

/* Code points: bytes that do not continue one. */
void adl_expr_length(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 1, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    adl_text text = args[0]->t[row];
    int64_t length = 0;
    for (int32_t i = 0; i < text.size; i++) length += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    out->i[row] = length;
  }
}

void adl_expr_contains(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 2, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    adl_text text = args[0]->t[row], part = args[1]->t[row];
    out->b[row] = part.size == 0 || (part.size <= text.size &&
                                     memmem(text.data, (size_t)text.size, part.data, (size_t)part.size) != NULL);
  }
}

void adl_expr_starts_with(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 2, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    adl_text text = args[0]->t[row], part = args[1]->t[row];
    out->b[row] = part.size == 0 || (part.size <= text.size && memcmp(text.data, part.data, (size_t)part.size) == 0);
  }
}

void adl_expr_ends_with(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 2, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    adl_text text = args[0]->t[row], part = args[1]->t[row];
    out->b[row] = part.size == 0 || (part.size <= text.size &&
                                     memcmp(text.data + (text.size - part.size), part.data, (size_t)part.size) == 0);
  }
}

void adl_expr_concat(ADL_EXPR_KERNEL_ARGS) {
  adl_text nothing = {"", 0};
  (void)payload;
  adl_expr_valid_and(args, count, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    int64_t size = 0;
    out->t[row] = nothing;
    if (!is_valid(out, row)) continue;
    for (int32_t at = 0; at < count; at++) size += args[at]->t[row].size;
    char *memory = size > 0 ? adl_expr_run_text(run, size) : NULL;
    if (memory == NULL) continue;
    out->t[row].data = memory;
    out->t[row].size = (int32_t)size;
    for (int32_t at = 0; at < count; at++) {
      adl_text part = args[at]->t[row];
      if (part.size > 0) memcpy(memory, part.data, (size_t)part.size);
      memory += part.size;
    }
  }
}

/* A decimal number and nothing else but blanks around it; no hexadecimal, no inf, no nan. */
static bool read_number(adl_text text, double *value) {
  char buffer[400];
  int64_t from = 0, to = text.size;
  while (from < to && g_ascii_isspace(text.data[from])) from++;
  while (to > from && g_ascii_isspace(text.data[to - 1])) to--;
  if (to - from == 0 || to - from >= (int64_t)sizeof buffer) return false;
  for (int64_t i = from; i < to; i++) {
    char c = text.data[i];
    if (!g_ascii_isdigit(c) && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E') return false;
    buffer[i - from] = c;
  }
  buffer[to - from] = '\0';
  char *end = NULL;
  *value = g_ascii_strtod(buffer, &end);
  return end == buffer + (to - from) && isfinite(*value);
}

void adl_expr_number_of_text(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 1, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    if (is_valid(out, row) && read_number(args[0]->t[row], &out->f[row])) continue;
    adl_expr_valid_write(out, rows)[row] = 0;
    out->f[row] = 0.0;
  }
}

void adl_expr_text_of_bool(ADL_EXPR_KERNEL_ARGS) {
  static const adl_text names[2] = {{"false", 5}, {"true", 4}};
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 1, out, rows);
  for (int64_t row = 0; row < rows; row++) out->t[row] = names[args[0]->b[row] & 1];
}

void adl_expr_text_of_int(ADL_EXPR_KERNEL_ARGS) {
  char buffer[ADL_TEXT_INT];
  (void)payload, (void)count;
  adl_expr_valid_and(args, 1, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    int size = adl_text_int(buffer, args[0]->i[row]);
    out->t[row] = text_copy(run, buffer, size);
  }
}

void adl_expr_text_of_float(ADL_EXPR_KERNEL_ARGS) {
  GString *buffer = g_string_new(NULL);
  (void)payload, (void)count;
  adl_expr_valid_and(args, 1, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    double value = args[0]->f[row];
    g_string_truncate(buffer, 0);
    if (isfinite(value))
      adl_text_number(buffer, value);
    else
      g_string_append(buffer, value > 0 ? "inf" : "-inf");
    out->t[row] = text_copy(run, buffer->str, (int64_t)buffer->len);
  }
  g_string_free(buffer, TRUE);
}

void adl_expr_text_of_time(ADL_EXPR_KERNEL_ARGS) {
  char buffer[48];
  (void)payload, (void)count;
  adl_expr_valid_and(args, 1, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    int size = adl_expr_time_text(args[0]->i[row], buffer);
    out->t[row] = text_copy(run, buffer, size);
  }
}
