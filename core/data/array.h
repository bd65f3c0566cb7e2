/* Arrays: the columns of the core. An adl_array is an adl_column (its first member, what plugins see) with a reference
 * count and the memory behind it. Arrays are immutable once finished and shared by reference. Used by everything above. */
#ifndef ADLOOM_CORE_DATA_ARRAY_H
#define ADLOOM_CORE_DATA_ARRAY_H

#include <stdatomic.h>

#include <adloom/plugin.h>

typedef struct adl_array {
  adl_column view;                   /* first: an adl_array is an adl_column */
  int refs;                          /* atomic */
  int64_t bytes;                     /* of memory held */
  void *blocks[6];                   /* owned; validity, data, offsets, string_offsets, index, weights */
  unsigned lent;                     /* bit b: blocks[b] belongs to `lender` instead */
  void *lender;                      /* NULL: nothing is lent */
  void (*give_back)(void *lender);   /* on any thread, when the last reference goes */
  struct adl_packed *_Atomic packed; /* the same values for keeping (packed.h); NULL: nobody has asked */
} adl_array;

adl_array *adl_array_ref(adl_array *array);
void adl_array_unref(adl_array *array); /* NULL is fine */
void adl_array_seal(adl_array *array);  /* nobody can write into it from now on, if the guard is up (base/guard.h) */

/* Is the pair element x shape one that exists? `why` (may be NULL) gets a static sentence. */
bool adl_type_valid(adl_type type, const char **why);
bool adl_type_equal(adl_type a, adl_type b); /* widths: 0 equals anything */
/* "float32", "list of string", "sparse float32[262144]", "category int32": for messages. Written to buffer. */
const char *adl_type_name(adl_type type, char *buffer, size_t size);
adl_type adl_type_scalar(adl_element element, adl_role role);

/* A column in the making. Growing keeps content. One builder makes one array. */
typedef struct adl_builder adl_builder;
adl_builder *adl_builder_new(adl_type type);
/* Room for that many rows, items and bytes (never shrinks). False: a count would pass 2^31 - 1 (errno EOVERFLOW), or
 * that much memory cannot be had (ENOMEM). Pointers of an earlier reserve are no longer good. */
bool adl_builder_reserve(adl_builder *builder, int64_t rows, int64_t items, int64_t bytes, adl_buffers *buffers);
/* The array of the first `rows` rows; counts nulls, drops a validity without any. The builder is gone. NULL and *why (a
 * static sentence) when the content is not an array: offsets that fall or pass the capacity, sparse indices that do not
 * rise or pass the width. */
adl_array *adl_builder_finish(adl_builder *builder, int64_t rows, const char **why);
void adl_builder_free(adl_builder *builder);

/* Row i of the result is row index[i]; -1 gives null. NULL: an index is out of range (errno ERANGE), or the result would
 * pass 2^31 - 1 items or bytes (EOVERFLOW), or memory (ENOMEM). */
adl_array *adl_array_gather(const adl_array *array, const int64_t *index, int64_t count);
/* All rows of all parts, in order; NULL with *why when 2^31 - 1 items or bytes are passed. Types are equal. */
adl_array *adl_array_concat(adl_array *const *parts, int64_t count, const char **why);
/* `rows` rows from `first`; whole arrays are shared, others copied. NULL with errno, as gather. */
adl_array *adl_array_slice(adl_array *array, int64_t first, int64_t rows);
adl_array *adl_array_nulls(adl_type type, int64_t rows);

/* What a row may hold that a stage does not take: a null; a NaN or infinity (floats, also inside vectors, lists, sparse); the
 * same, or a float64 that is infinite as float32. */
typedef enum adl_bad { ADL_BAD_NULL, ADL_BAD_NOT_FINITE, ADL_BAD_AS_FLOAT32 } adl_bad;
/* Sets the bit of every such row in `bad` (zeroed by the caller); returns how many rows were set by this call. */
int64_t adl_array_find_bad(const adl_column *column, adl_bad what, uint8_t *bad);
bool adl_array_is_finite(const adl_column *column, int64_t row); /* a row that is not null */

/* Order and equality of two rows of columns of one type: nulls first, NaN last; -0 equals 0; lists by items. */
int adl_array_compare(const adl_column *a, int64_t row_a, const adl_column *b, int64_t row_b);
/* Appends a byte string that is equal for equal values (null differs from everything): keys for tables and hashing.
 * `key` is a GByteArray. */
struct _GByteArray;
void adl_array_key(const adl_column *column, int64_t row, struct _GByteArray *key);
/* The value as text for people (cut to `limit` bytes, 0: whole), appended to a GString. */
struct _GString;
void adl_array_text(const adl_column *column, int64_t row, int64_t limit, struct _GString *text);

/* The columns side by side as one VECTOR float32, or SPARSE float32 when `type` says so (dimension offsets in the
 * order given; scalar numbers one dimension each; zero is not stored in SPARSE when it comes from a scalar or vector).
 * widths are final. Null scalars and null rows become NaN in VECTOR, nothing in SPARSE. NULL with errno: columns that
 * are no numbers or of other lengths (EINVAL), too many items (EOVERFLOW), memory (ENOMEM). */
adl_array *adl_array_matrix(adl_type type, const adl_column *const *columns, int32_t count, int64_t rows);

/* Raw storage for the spool: what write appended at *offset, read gives back. False with errno. */
bool adl_array_write(const adl_array *array, int fd, int64_t *offset);
adl_array *adl_array_read(int fd, int64_t *offset); /* NULL with errno; EIO: the file is cut or damaged */

#endif
