/*
 * adloom.arrow/1: columns as arrays of Apache Arrow, and back, for plugins whose work is done by a library that speaks
 * the Arrow C Data Interface (https://arrow.apache.org/docs/format/CDataInterface.html).
 *
 *   const adl_arrow_extension *arrow = call->host->extension(call, ADL_ARROW_EXTENSION);
 *   if (arrow == NULL) return call->host->fail(call, NULL, -1, "use a newer adloom", "this host has no Arrow arrays");
 *   ADL_TRY(arrow->export_column(call, batch, &self->price, &schema, &array));
 *   ... compute; `result` is an array of the declared type, `result_schema` its schema ...
 *   ADL_TRY(arrow->import_column(call, out, self->as.slot, &result_schema, &result, 0));
 *
 * How the types correspond:
 *
 *   adloom                      Arrow format                                          also taken, by copying
 *   bool                        b
 *   int32, int64, uint32        i, l, I
 *   float32, float64            f, g
 *   timestamp                   tsu:UTC                                               tsu: with any other time zone
 *   string, bytes               u, z                                                  U, Z
 *   list of an element          +l of it                                              +L
 *   vector of float32/64        +w:WIDTH of it
 *   sparse float32              +l of +s of I (index) and f (value)                   +L
 *   bag of string               +l of +s of u (item) and f (weight)                   +L, U
 *
 * Scalars may also come as a dictionary (of keys of any integer type), and every array as a slice with an offset;
 * dictionaries are copied. Everything else is refused.
 *
 * A schema that is exported says in its metadata which role the column has, "adloom.role": "number" or "category", and
 * of a sparse column "adloom.width": its width in digits, where it is known. Both may be left out in what is imported:
 * the column's declaration holds then. Fields of the structs are known by their order, not by their names.
 *
 * Items of lists, vectors, sparse columns and bags are never null; rows may be.
 *
 * Exporting never copies: the buffers are the column's own, which live until the array is released, beyond the call, the
 * batch, the run's end. They must not be written to.
 *
 * Importing takes the array over, whether it succeeds or fails: afterwards array->release is NULL, and the producer's
 * release is called exactly once, at once or when the last user of the column is gone. That may be on any thread, after
 * the call, after destroy, even while another array is being made: what a release needs must not be the instance's. The
 * schema is only read, and stays the caller's. Each buffer by itself is taken without copying when it begins at a multiple
 * of 64 bytes, offsets are 32-bit and begin at 0, and its size is a multiple of 64 bytes or ADL_ARROW_PADDED promises
 * that it may be read up to the next one (arrays of this extension are known to be so). All buffers are copied when a null
 * row has data under it that is not zero or empty, since adloom promises that there is none. What was taken must not be
 * written to any more.
 *
 * What is imported is checked first: formats, counts of buffers and children, buffers that are missing, lengths, offsets
 * that are negative, fall or pass their child or 2^31 - 1, null counts, UTF-8, order and range of sparse indices, keys of
 * dictionaries. What cannot be checked is whether buffers are as long as the array says.
 */
#ifndef ADLOOM_ARROW_H
#define ADLOOM_ARROW_H

#include <adloom/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The two structs of the C Data Interface, as the specification has them; left out where another header has brought
 * them already. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

/* A type. */
struct ArrowSchema {
  const char *format;
  const char *name;     /* may be NULL */
  const char *metadata; /* may be NULL; int32 count, then for each pair: int32 size, key, int32 size, value */
  int64_t flags;        /* ARROW_FLAG_... */
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *); /* NULL: has been released */
  void *private_data;                    /* the producer's */
};

/* Data of that type. */
struct ArrowArray {
  int64_t length;
  int64_t null_count; /* -1: not counted */
  int64_t offset;     /* rows of the buffers to skip */
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *); /* NULL: has been released */
  void *private_data;                   /* the producer's */
};

#endif /* ARROW_C_DATA_INTERFACE */

#define ADL_ARROW_EXTENSION "adloom.arrow/1"

/* Flags of import_column. */
enum {
  ADL_ARROW_PADDED = 1 << 0 /* every buffer may be read up to the next multiple of 64 bytes, as Arrow recommends */
};

/*
 * Host side; there is no plugin side. Append-only. Functions that fail have said why through host->fail, and left
 * *schema and *array released (release is NULL). Whoever exports must call the release of what it got.
 */
typedef struct adl_arrow_extension {
  uint32_t struct_size;
  uint32_t reserved;

  /* [run] One column of a batch that the host has handed to this call. `array` or `schema` may be NULL: not wanted. A
   * column that is not there (slot -1; learn-only where nothing is learned) fails. */
  adl_status (*export_column)(const adl_call *call, const adl_batch *batch, const adl_input *input,
                              struct ArrowSchema *schema, struct ArrowArray *array);

  /* [run] Several columns as one struct array (+s), the children in the order of `inputs` and under their names. Columns
   * that are not there are left out. */
  adl_status (*export_batch)(const adl_call *call, const adl_batch *batch, const adl_input *inputs, int64_t count,
                             struct ArrowSchema *schema, struct ArrowArray *array);

  /* [setup] [run] The schema of a type. `name` is copied; NULL: "". */
  adl_status (*export_type)(const adl_call *call, adl_type type, const char *name, struct ArrowSchema *schema);

  /* [setup] [run] The type that a schema becomes, for declaring a column. `parameter` is the one to blame, or NULL.
   * Width 0: a sparse column whose schema does not tell. */
  adl_status (*import_type)(const adl_call *call, const char *parameter, const struct ArrowSchema *schema,
                            adl_type *type);

  /* [run] Gives the array as output slot, in place of host->reserve: as many rows as leave, of the declared type. Only
   * where rows are given: next, decode, process, learn, finish. */
  adl_status (*import_column)(const adl_call *call, adl_out *out, int32_t slot, const struct ArrowSchema *schema,
                              struct ArrowArray *array, uint32_t flags);
} adl_arrow_extension;

#ifdef __cplusplus
}
#endif
#endif
