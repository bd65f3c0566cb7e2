/* See arrow_check.h. What the C Data Interface does not tell, the size of a buffer, is taken on trust; everything else is
 * looked at. */
#include "core/data/arrow_check.h"

#include <glib.h>
#include <string.h>

#include "core/data/blocks.h"

/* No array has more places than this; so sums and products with a width do not overflow unseen. */
#define PLACE_LIMIT (INT64_C(1) << 40)

static bool refuse(char **why, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(char **why, const char *format, ...) {
  va_list list;
  va_start(list, format);
  *why = g_strdup_vprintf(format, list);
  va_end(list);
  return false;
}

/* What the format of one struct needs. */
typedef struct demand {
  const char *where;
  int64_t buffers, children;
  bool dictionary;
} demand;

static bool check_counts(const struct ArrowArray *array, const demand *need, char **why) {
  if (array == NULL || array->release == NULL) return refuse(why, "the array of %s has been released", need->where);
  if (array->length < 0 || array->length > PLACE_LIMIT)
    return refuse(why, "the array of %s has a length of %" G_GINT64_FORMAT, need->where, array->length);
  if (array->offset < 0 || array->offset > PLACE_LIMIT)
    return refuse(why, "the array of %s has an offset of %" G_GINT64_FORMAT, need->where, array->offset);
  if (array->null_count < -1 || array->null_count > array->length)
    return refuse(why, "the array of %s has a null count of %" G_GINT64_FORMAT " in %" G_GINT64_FORMAT " rows",
                  need->where, array->null_count, array->length);
  if (array->n_buffers != need->buffers)
    return refuse(why, "the array of %s has %" G_GINT64_FORMAT " buffers; its format needs %" G_GINT64_FORMAT,
                  need->where, array->n_buffers, need->buffers);
  if (array->n_children != need->children)
    return refuse(why, "the array of %s has %" G_GINT64_FORMAT " children; its format needs %" G_GINT64_FORMAT,
                  need->where, array->n_children, need->children);
  if (array->buffers == NULL) return refuse(why, "the array of %s does not say where its buffers are", need->where);
  if (need->children > 0 && array->children == NULL)
    return refuse(why, "the array of %s does not say where its children are", need->where);
  if (need->dictionary != (array->dictionary != NULL))
    return refuse(why, "the array of %s has %s dictionary, its schema has %s", need->where,
                  need->dictionary ? "no" : "a", need->dictionary ? "one" : "none");
  return true;
}

/* Buffer 1 must be there where there are places; validity where there are nulls. */
static bool check_node(const struct ArrowArray *array, demand need, char **why) {
  if (!check_counts(array, &need, why)) return false;
  if (array->null_count > 0 && array->buffers[0] == NULL)
    return refuse(why, "the array of %s has %" G_GINT64_FORMAT " nulls, but no validity buffer", need.where,
                  array->null_count);
  if (need.buffers > 1 && array->length > 0 && array->buffers[1] == NULL)
    return refuse(why, "the array of %s lacks buffer 1", need.where);
  return true;
}

static int64_t buffers_of(const adl_arrow_layout *layout) { return adl_element_is_text(layout->type.element) ? 3 : 2; }

static bool check_pairs(const adl_arrow_layout *layout, const struct ArrowArray *items, char **why) {
  demand first = {"the first field of its items", layout->type.shape == ADL_BAG ? 3 : 2, 0, false};
  return check_node(items, (demand){"its items", 1, 2, false}, why) && check_node(items->children[0], first, why) &&
         check_node(items->children[1], (demand){"the second field of its items", 2, 0, false}, why);
}

/* Are there few enough of them for one column? */
static bool check_length(const struct ArrowArray *array, const char *where, char **why) {
  if (array->length <= ADL_COUNT_LIMIT) return true;
  return refuse(why, "the array of %s has %" G_GINT64_FORMAT " rows; a column of one batch has at most 2147483647",
                where, array->length);
}

bool adl_arrow_check(const adl_arrow_layout *layout, const struct ArrowArray *array, char **why) {
  uint8_t shape = layout->type.shape;
  if (!check_length(array, "the column", why)) return false;
  if (layout->key_size > 0)
    return check_node(array, (demand){"the column", 2, 0, true}, why) &&
           check_node(array->dictionary, (demand){"the dictionary", buffers_of(layout), 0, false}, why) &&
           check_length(array->dictionary, "the dictionary", why);
  if (shape == ADL_SCALAR) return check_node(array, (demand){"the column", buffers_of(layout), 0, false}, why);
  if (!check_node(array, (demand){"the column", shape == ADL_VECTOR ? 1 : 2, 1, false}, why)) return false;
  if (shape == ADL_SPARSE || shape == ADL_BAG) return check_pairs(layout, array->children[0], why);
  return check_node(array->children[0], (demand){"its items", buffers_of(layout), 0, false}, why);
}

bool adl_arrow_child(const struct ArrowArray *child, const char *where, int64_t first, int64_t count,
                     adl_arrow_span *span, char **why) {
  if (first < 0 || count < 0 || first > child->length || count > child->length - first)
    return refuse(why,
                  "the array of %s has a length of %" G_GINT64_FORMAT ", but places %" G_GINT64_FORMAT
                  " to %" G_GINT64_FORMAT " are used",
                  where, child->length, first, first + count);
  *span = (adl_arrow_span){child, where, child->offset + first, count};
  return true;
}

int64_t adl_arrow_offset(const void *offsets, bool large, int64_t at) {
  int64_t wide;
  int32_t narrow;
  if (large) {
    memcpy(&wide, (const char *)offsets + at * 8, sizeof wide);
    return wide;
  }
  memcpy(&narrow, (const char *)offsets + at * 4, sizeof narrow);
  return narrow;
}

bool adl_arrow_check_offsets(const adl_arrow_span *span, bool large, int64_t *low, int64_t *high, char **why) {
  const void *offsets = span->array->buffers[1];
  *low = *high = 0;
  if (offsets == NULL) return true; /* of no places: older producers leave them out */
  int64_t last = *low = adl_arrow_offset(offsets, large, span->first);
  if (last < 0) return refuse(why, "the first offset of %s is %" G_GINT64_FORMAT, span->where, last);
  for (int64_t i = 1; i <= span->count; i++) {
    int64_t next = adl_arrow_offset(offsets, large, span->first + i);
    if (next < last)
      return refuse(
          why, "the offsets of %s fall from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " at place %" G_GINT64_FORMAT,
          span->where, last, next, i);
    last = next;
  }
  *high = last;
  if (last - *low <= ADL_COUNT_LIMIT) return true;
  return refuse(
      why, "the offsets of %s span %" G_GINT64_FORMAT "; a column of one batch has at most 2147483647 items or bytes",
      span->where, last - *low);
}

static int64_t count_bits(const uint8_t *bits, int64_t first, int64_t count) {
  int64_t sum = 0;
  for (; count > 0 && (first & 7) != 0; first++, count--) sum += adl_bit(bits, first);
  return sum + adl_bits_count(bits + (first >> 3), count);
}

bool adl_arrow_count_nulls(const adl_arrow_span *span, int64_t *nulls, char **why) {
  const struct ArrowArray *array = span->array;
  const uint8_t *validity = array->buffers[0];
  bool whole = span->first == array->offset && span->count == array->length;
  *nulls = validity == NULL ? 0 : span->count - count_bits(validity, span->first, span->count);
  if (!whole || array->null_count < 0 || array->null_count == *nulls) return true;
  return refuse(why, "the array of %s says it has %" G_GINT64_FORMAT " nulls; there are %" G_GINT64_FORMAT, span->where,
                array->null_count, *nulls);
}
