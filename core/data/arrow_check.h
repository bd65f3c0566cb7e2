/* Looking at Arrow arrays that others made, before anything in them is used: the shape of the structs, offsets, nulls. For
 * arrow_import.c. Functions that return false have set *why (a sentence without an end, to be freed). */
#ifndef ADLOOM_CORE_DATA_ARROW_CHECK_H
#define ADLOOM_CORE_DATA_ARROW_CHECK_H

#include "core/data/arrow.h"

/* A run of the places in an array's buffers: offsets of the structs above are in it already. */
typedef struct adl_arrow_span {
  const struct ArrowArray *array;
  const char *where; /* "its items": for messages */
  int64_t first, count;
} adl_arrow_span;

/* Is every struct of an array of that layout sound: not released, with as many buffers and children as its format needs,
 * no negative counts, and no buffer missing that must be there? */
bool adl_arrow_check(const adl_arrow_layout *layout, const struct ArrowArray *array, char **why);

/* The span of a child for places first .. first + count - 1 of its parent; false: the child is too short. */
bool adl_arrow_child(const struct ArrowArray *child, const char *where, int64_t first, int64_t count,
                     adl_arrow_span *span, char **why);

/* Offset number `at` of a buffer of 32-bit or `large` ones, which need not be aligned. */
int64_t adl_arrow_offset(const void *offsets, bool large, int64_t at);

/* Do the offsets of a span rise from 0 or more? *low and *high are the first and the last. */
bool adl_arrow_check_offsets(const adl_arrow_span *span, bool large, int64_t *low, int64_t *high, char **why);

/* Counts the nulls of a span; false: there are others than the array says (where the span is all of it). */
bool adl_arrow_count_nulls(const adl_arrow_span *span, int64_t *nulls, char **why);

#endif
