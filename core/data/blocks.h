/* Memory layout of arrays: which blocks a type has and how long they are. For the files of core/data that make arrays
 * (builder, gather, concat, matrix, spool), and nobody else. */
#ifndef ADLOOM_CORE_DATA_BLOCKS_H
#define ADLOOM_CORE_DATA_BLOCKS_H

#include "core/data/array.h"

/* Numbers of adl_array.blocks. */
enum {
  ADL_BLOCK_VALIDITY = 0,
  ADL_BLOCK_DATA,
  ADL_BLOCK_OFFSETS,
  ADL_BLOCK_STRING_OFFSETS,
  ADL_BLOCK_INDEX,
  ADL_BLOCK_WEIGHTS,
  ADL_BLOCK_COUNT
};

/* Rows, items and bytes are 32-bit in the layout. */
#define ADL_COUNT_LIMIT INT64_C(0x7fffffff)

/* How much there is of each: items of LIST, SPARSE and BAG, bytes of strings and bytes. 0 where there are none. */
typedef struct adl_extent {
  int64_t rows, items, bytes;
} adl_extent;

static inline bool adl_element_is_text(uint8_t element) { return element == ADL_STRING || element == ADL_BYTES; }
static inline bool adl_shape_has_items(uint8_t shape) {
  return shape == ADL_LIST || shape == ADL_SPARSE || shape == ADL_BAG;
}

/* Bytes of one value; 0: bool, string, bytes. */
int64_t adl_element_size(uint8_t element);

adl_extent adl_column_extent(const adl_column *column);
/* Bytes of each block, without padding; 0: the type has no such block. False: more than fits the layout. */
bool adl_block_sizes(adl_type type, adl_extent extent, int64_t sizes[ADL_BLOCK_COUNT]);
/* Blocks that a type has even when it holds nothing, so that nobody meets a NULL. */
bool adl_block_exists(adl_type type, int block);
/* An array with blocks of that size and undefined content, but for the first offset, which is 0. NULL with errno
 * EOVERFLOW (more than fits the layout) or ENOMEM. With validity: all bits set, null_count still to be told. */
adl_array *adl_array_allocate(adl_type type, adl_extent extent, bool validity);
/* Takes blocks over; sets the view's pointers from them. */
adl_array *adl_array_wrap(adl_type type, int64_t rows, void *const blocks[ADL_BLOCK_COUNT], int64_t bytes);

/* Loops over values, for the vectoriser, which GCC runs at -O3 only. */
#if defined(__GNUC__) && !defined(__clang__)
#define ADL_DATA_LOOPS __attribute__((optimize("O3")))
#else
#define ADL_DATA_LOOPS
#endif

/* Do the indices of each sparse row rise, and stay below `width` (0: any)? (builder.c) */
bool adl_indices_rise(const int32_t *offsets, const uint32_t *index, int64_t rows, int64_t width);

/* Bits. Copies leave the bits around the target range alone. */
void adl_bits_copy(uint8_t *to, int64_t to_at, const uint8_t *from, int64_t from_at, int64_t count);
void adl_bits_fill(uint8_t *to, int64_t at, int64_t count, bool value);
int64_t adl_bits_count(const uint8_t *bits, int64_t count);

#endif
