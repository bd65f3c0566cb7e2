/*
 * Columns of Arrow arrays. Each block of the column is either the array's own buffer, where alignment, padding and offsets
 * allow it, or a copy; the array is released when nothing of it is used any more. See arrow.h.
 *
 * The steps: the shape of the structs (arrow_check.c), blocks with their offsets and nulls, null rows that have something
 * under them, and last what the values themselves must be: UTF-8, rising indices.
 */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/aligned.h"
#include "core/data/arrow.h"
#include "core/data/arrow_check.h"
#include "core/data/blocks.h"

typedef struct importer {
  const adl_arrow_layout *layout;
  adl_type type;
  bool padded;
  char **why;
  int64_t rows, nulls;
  void *blocks[ADL_BLOCK_COUNT];
  unsigned lent;
  int64_t bytes; /* of memory held, the array's buffers included */
} importer;

static bool refuse(importer *im, char *text) {
  *im->why = text;
  return false;
}

/* ---- blocks ---- */

static void *new_block(importer *im, int block, int64_t size) {
  im->blocks[block] = adl_aligned_try(size);
  im->bytes += MAX(adl_aligned_size(size), ADL_ALIGNMENT);
  if (im->blocks[block] == NULL)
    refuse(im, g_strdup_printf("%" G_GINT64_FORMAT " bytes of memory cannot be had", size));
  return im->blocks[block];
}

static bool take_block(importer *im, int block, const void *from, int64_t size) {
  bool fits = size % ADL_ALIGNMENT == 0 || im->padded;
  if (size > 0 && fits && (uintptr_t)from % ADL_ALIGNMENT == 0) {
    im->blocks[block] = (void *)(uintptr_t)from;
    im->lent |= 1u << block;
    im->bytes += adl_aligned_size(size);
    return true;
  }
  void *to = new_block(im, block, size);
  if (to != NULL && size > 0) memcpy(to, from, (size_t)size);
  return to != NULL;
}

static bool take_bits(importer *im, int block, const uint8_t *bits, int64_t first, int64_t count) {
  if ((first & 7) == 0) return take_block(im, block, count > 0 ? bits + (first >> 3) : NULL, (count + 7) / 8);
  void *to = new_block(im, block, (count + 7) / 8);
  if (to != NULL) adl_bits_copy(to, 0, bits, first, count);
  return to != NULL;
}

/* Offsets of a span, so that they begin at 0; what they count, from *low on, is *count long. */
static bool take_offsets(importer *im, int block, const adl_arrow_span *span, bool large, int64_t *low,
                         int64_t *count) {
  int64_t high;
  const char *from = span->array->buffers[1];
  if (!adl_arrow_check_offsets(span, large, low, &high, im->why)) return false;
  *count = high - *low;
  if (from != NULL && !large && *low == 0)
    return take_block(im, block, from + span->first * (int64_t)sizeof(int32_t),
                      (span->count + 1) * (int64_t)sizeof(int32_t));
  int32_t *to = new_block(im, block, (span->count + 1) * (int64_t)sizeof(int32_t));
  if (to == NULL) return false;
  for (int64_t i = 0; i <= span->count; i++)
    to[i] = from == NULL ? 0 : (int32_t)(adl_arrow_offset(from, large, span->first + i) - *low);
  return true;
}

/* The values of a span of the column's element into the data, and where they are texts into the string offsets. */
static bool take_values(importer *im, const adl_arrow_span *span) {
  const struct ArrowArray *array = span->array;
  uint8_t element = im->type.element;
  int64_t low = 0, bytes = 0, size = adl_element_size(element);
  if (element == ADL_BOOL) return take_bits(im, ADL_BLOCK_DATA, array->buffers[1], span->first, span->count);
  if (!adl_element_is_text(element))
    return take_block(im, ADL_BLOCK_DATA, span->count > 0 ? (const char *)array->buffers[1] + span->first * size : NULL,
                      span->count * size);
  if (!take_offsets(im, ADL_BLOCK_STRING_OFFSETS, span, im->layout->large_text, &low, &bytes)) return false;
  const char *text = array->buffers[2];
  if (bytes > 0 && text == NULL)
    return refuse(im, g_strdup_printf("the array of %s has texts, but lacks buffer 2", span->where));
  return take_block(im, ADL_BLOCK_DATA, bytes > 0 ? text + low : NULL, bytes);
}

/* ---- nulls ---- */

static bool take_validity(importer *im, const adl_arrow_span *span) {
  if (!adl_arrow_count_nulls(span, &im->nulls, im->why)) return false;
  return im->nulls == 0 || take_bits(im, ADL_BLOCK_VALIDITY, span->array->buffers[0], span->first, span->count);
}

static bool row_is_null(const importer *im, int64_t row) {
  return im->nulls > 0 && !adl_bit(im->blocks[ADL_BLOCK_VALIDITY], row);
}

/* Nulls among the items that rows with a value have are refused; those under null rows go with them. */
static bool check_items_valid(importer *im, const adl_arrow_span *items) {
  int64_t nulls = 0;
  const int32_t *offsets = im->blocks[ADL_BLOCK_OFFSETS];
  const uint8_t *validity = items->array->buffers[0];
  if (!adl_arrow_count_nulls(items, &nulls, im->why)) return false;
  if (nulls == 0) return true;
  for (int64_t row = 0; row < im->rows; row++) {
    if (row_is_null(im, row)) continue;
    int64_t first = offsets != NULL ? offsets[row] : row * im->type.width;
    int64_t end = offsets != NULL ? offsets[row + 1] : first + im->type.width;
    for (int64_t i = first; i < end; i++)
      if (!adl_bit(validity, items->first + i))
        return refuse(im, g_strdup_printf("there is a null among the values of %s, in row %" G_GINT64_FORMAT
                                          "; items of a column cannot be null, leave them out or fill them",
                                          items->where, row));
  }
  return true;
}

static bool zero(const void *memory, int64_t size) {
  const uint8_t *bytes = memory;
  for (int64_t i = 0; i < size; i++)
    if (bytes[i] != 0) return false;
  return true;
}

static bool row_is_empty(const adl_column *column, int64_t row) {
  const int32_t *ranges = column->offsets != NULL ? column->offsets : column->string_offsets;
  if (ranges != NULL) return ranges[row] == ranges[row + 1];
  if (column->type.element == ADL_BOOL) return !adl_bit(column->data, row);
  int64_t size = adl_element_size(column->type.element) * (column->type.shape == ADL_VECTOR ? column->type.width : 1);
  return zero((const char *)column->data + row * size, size);
}

static char *why_not_made(void) { return g_strdup_printf("it cannot be copied: %s", g_strerror(errno)); }

/* Takes what lies under null rows out; hands back the array itself when there is nothing. Takes the reference over. */
static adl_array *clear_null_rows(adl_array *array, char **why) {
  const adl_column *column = &array->view;
  bool clear = true;
  for (int64_t row = 0; clear && column->null_count > 0 && row < column->rows; row++)
    clear = !adl_is_null(column, row) || row_is_empty(column, row);
  if (clear) return array;
  int64_t *index = g_new(int64_t, column->rows);
  for (int64_t row = 0; row < column->rows; row++) index[row] = adl_is_null(column, row) ? -1 : row;
  adl_array *cleared = adl_array_gather(array, index, column->rows);
  if (cleared == NULL) *why = why_not_made();
  g_free(index);
  adl_array_unref(array);
  return cleared;
}

/* ---- what the values must be ---- */

/* Where the first byte stands that is not UTF-8; -1: nowhere. */
static int64_t find_bad_utf8(const char *text, int64_t size) {
  const char *at = text, *end = text + size, *bad = NULL;
  while (at < end && !g_utf8_validate_len(at, (gsize)(end - at), &bad)) {
    if (bad >= end || *bad != '\0') return bad - text; /* GLib stops at NUL, which UTF-8 has */
    at = bad + 1;
  }
  return -1;
}

/* The number of the text that is not UTF-8; -1: all are. */
static int64_t find_bad_text(const adl_column *column, int64_t texts) {
  const int32_t *offsets = column->string_offsets;
  const char *bytes = column->data;
  int64_t bad = find_bad_utf8(bytes, offsets[texts]);
  for (int64_t i = 0; i < texts; i++) {
    if (bad >= 0 && bad < offsets[i + 1]) return i;
    bool inside = offsets[i + 1] < offsets[texts] && ((uint8_t)bytes[offsets[i + 1]] & 0xc0) == 0x80;
    if (inside) return i; /* it ends inside a character */
  }
  return -1;
}

static bool check_texts(const adl_column *column, char **why) {
  if (column->type.element != ADL_STRING) return true;
  bool scalar = column->type.shape == ADL_SCALAR;
  int64_t bad = find_bad_text(column, scalar ? column->rows : column->offsets[column->rows]);
  if (bad < 0) return true;
  *why = g_strdup_printf("the text of %s %" G_GINT64_FORMAT " is not valid UTF-8", scalar ? "row" : "item", bad);
  return false;
}

static bool check_indices(const adl_column *column, char **why) {
  int64_t width = column->type.width;
  if (column->type.shape != ADL_SPARSE || adl_indices_rise(column->offsets, column->index, column->rows, width))
    return true;
  for (int64_t row = 0; row < column->rows; row++)
    for (int32_t i = column->offsets[row]; i < column->offsets[row + 1]; i++) {
      uint32_t index = column->index[i];
      if (width > 0 && index >= width)
        *why = g_strdup_printf("row %" G_GINT64_FORMAT " has the index %u; the column's width is %" G_GINT64_FORMAT,
                               row, index, width);
      else if (i > column->offsets[row] && index <= column->index[i - 1])
        *why = g_strdup_printf("row %" G_GINT64_FORMAT " has the index %u behind %u; the indices of a row rise", row,
                               index, column->index[i - 1]);
      if (*why != NULL) return false;
    }
  return false;
}

/* Takes the reference over. */
static adl_array *check_values(adl_array *array, char **why) {
  if (array == NULL) return NULL;
  array = clear_null_rows(array, why);
  if (array != NULL && check_texts(&array->view, why) && check_indices(&array->view, why)) return array;
  adl_array_unref(array);
  return NULL;
}

/* ---- the shapes ---- */

/* The items of `rows`, which are the column's. */
static bool take_items(importer *im, const adl_arrow_span *rows, adl_arrow_span *items) {
  const struct ArrowArray *array = rows->array;
  int64_t first = 0, count = 0;
  if (im->type.shape == ADL_VECTOR) {
    if (__builtin_mul_overflow(rows->first, im->type.width, &first) ||
        __builtin_mul_overflow(rows->count, im->type.width, &count))
      return refuse(im, g_strdup("it has more items than there are numbers"));
  } else if (!take_offsets(im, ADL_BLOCK_OFFSETS, rows, im->layout->large_list, &first, &count)) {
    return false;
  }
  return adl_arrow_child(array->children[0], "its items", first, count, items, im->why) && check_items_valid(im, items);
}

/* Index and value, or item and weight. */
static bool take_pairs(importer *im, const adl_arrow_span *items) {
  adl_arrow_span first, second;
  struct ArrowArray *const *fields = items->array->children;
  if (!adl_arrow_child(fields[0], "the first field of its items", items->first, items->count, &first, im->why) ||
      !adl_arrow_child(fields[1], "the second field of its items", items->first, items->count, &second, im->why) ||
      !check_items_valid(im, &first) || !check_items_valid(im, &second))
    return false;
  bool sparse = im->type.shape == ADL_SPARSE;
  const adl_arrow_span *other = sparse ? &first : &second;
  const char *numbers = other->array->buffers[1];
  return take_values(im, sparse ? &second : &first) &&
         take_block(im, sparse ? ADL_BLOCK_INDEX : ADL_BLOCK_WEIGHTS,
                    other->count > 0 ? numbers + other->first * 4 : NULL, other->count * 4);
}

static bool take_all(importer *im, const adl_arrow_span *rows) {
  adl_arrow_span items;
  im->rows = rows->count;
  if (!take_validity(im, rows)) return false;
  if (im->type.shape == ADL_SCALAR) return take_values(im, rows);
  if (!take_items(im, rows, &items)) return false;
  bool pairs = im->type.shape == ADL_SPARSE || im->type.shape == ADL_BAG;
  return pairs ? take_pairs(im, &items) : take_values(im, &items);
}

/* What take_all has made, with the blocks that are lent; NULL: refused. */
static adl_array *import_plain(importer *im, const adl_arrow_span *rows) {
  if (!take_all(im, rows)) {
    for (int b = 0; b < ADL_BLOCK_COUNT; b++)
      if ((im->lent >> b & 1) == 0) free(im->blocks[b]);
    return NULL;
  }
  adl_array *array = adl_array_wrap(im->type, im->rows, im->blocks, im->bytes);
  array->view.null_count = (int32_t)im->nulls;
  array->lent = im->lent;
  return array;
}

/* ---- dictionaries ---- */

static int64_t key_at(const adl_arrow_layout *layout, const void *keys, int64_t at) {
  uint64_t key = 0;
  int unused = 64 - 8 * layout->key_size;
  memcpy(&key, (const char *)keys + at * layout->key_size, layout->key_size);
  return layout->key_is_signed ? (int64_t)(key << unused) >> unused : (int64_t)key;
}

/* Numbers of the values of rows; -1: null. Free it; NULL: refused. */
static int64_t *read_keys(importer *im, const adl_arrow_span *rows, int64_t values) {
  const struct ArrowArray *array = rows->array;
  const uint8_t *validity = array->buffers[0];
  if (!adl_arrow_count_nulls(rows, &im->nulls, im->why)) return NULL;
  int64_t *keys = g_new(int64_t, rows->count + 1);
  for (int64_t i = 0; i < rows->count; i++) {
    bool null = im->nulls > 0 && !adl_bit(validity, rows->first + i);
    keys[i] = null ? -1 : key_at(im->layout, array->buffers[1], rows->first + i);
    if (null || (keys[i] >= 0 && keys[i] < values)) continue;
    refuse(im, g_strdup_printf("row %" G_GINT64_FORMAT " has the key %" G_GINT64_FORMAT
                               "; the dictionary has %" G_GINT64_FORMAT " values",
                               i, keys[i], values));
    g_free(keys);
    return NULL;
  }
  return keys;
}

static adl_array *import_dictionary(importer *im, const adl_arrow_span *rows) {
  const struct ArrowArray *dictionary = rows->array->dictionary;
  adl_arrow_span all = {dictionary, "the dictionary", dictionary->offset, dictionary->length};
  adl_array *values = check_values(import_plain(im, &all), im->why), *array = NULL;
  if (values == NULL) return NULL;
  int64_t *keys = read_keys(im, rows, values->view.rows);
  if (keys != NULL) {
    array = adl_array_gather(values, keys, rows->count);
    if (array == NULL) *im->why = why_not_made();
  }
  g_free(keys);
  adl_array_unref(values);
  return array;
}

/* ---- the whole ---- */

static void give_back(void *lender) {
  struct ArrowArray *array = lender;
  array->release(array);
  g_free(array);
}

adl_array *adl_arrow_import(const adl_arrow_layout *layout, adl_type type, struct ArrowArray *array, bool padded,
                            char **why) {
  *why = NULL;
  if (array == NULL || array->release == NULL) {
    *why = g_strdup("the array of the column has been released");
    return NULL;
  }
  importer im = {.layout = layout, .type = type, .padded = padded || adl_arrow_is_own(array), .why = why};
  struct ArrowArray *moved = g_memdup2(array, sizeof *array);
  array->release = NULL;
  adl_array *column = NULL;
  adl_arrow_span rows = {moved, "the column", moved->offset, moved->length};
  if (adl_arrow_check(layout, moved, why)) {
    column = layout->key_size > 0 ? import_dictionary(&im, &rows) : import_plain(&im, &rows);
  }
  /* From here on a column that borrows keeps what it borrows from; what is wrong with its values is found below. */
  if (column != NULL && column->lent != 0) {
    column->lender = moved;
    column->give_back = give_back;
  } else {
    give_back(moved);
  }
  return check_values(column, why);
}
