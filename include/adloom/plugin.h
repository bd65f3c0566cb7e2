/*
 * adloom plugin interface.
 *
 * A plugin is a shared object that offers stage classes: steps of a pipeline that extract features, profile users,
 * choose ads, read, write or measure. It includes this header, links nothing of adloom, and exports one function,
 * written by ADL_PLUGIN at the end of this file. Everything it needs from the core comes through `call->host`.
 *
 * Read in this order: adl_column and adl_batch (what rows are), adl_param (how a class says what it can be told),
 * adl_class (what a class can do), adl_host (what the core does for it).
 *
 * Ownership, in five sentences. The core owns every batch and every tensor. Input is read-only and valid until the
 * call returns. Output goes into buffers that the core reserves. A plugin owns only its instance and what its prepare
 * returned. Descriptors (adl_plugin, adl_class, adl_param and every string in them) live for ever.
 *
 * Thread tags stand on every function:
 *   [setup]  never concurrent on one instance, on the thread that prepares the run;
 *   [run]    concurrent on any thread: may use the instance (immutable after start), the model it is handed, and the
 *            call's scratch memory, and nothing else;
 *   [turn]   one call at a time, in row order, on any thread: may change what its comment says.
 *
 * No function of a plugin prints, exits, forks, throws across the border or leaves a thread behind.
 *
 * Growing: structs that begin with struct_size, and adl_param, are append-only and passed by pointer; those marked
 * "Frozen" never change. A plugin built for ABI 1.m is loaded by every host of ABI 1.n with n >= m. What may and what
 * may not change in 1.x is in docs/abi.md.
 */
#ifndef ADLOOM_PLUGIN_H
#define ADLOOM_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ADL_ABI_MAJOR 1
#define ADL_ABI_MINOR 0

#if defined(__GNUC__)
#define ADL_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define ADL_MUST_USE __attribute__((warn_unused_result))
#define ADL_EXPORT __attribute__((visibility("default")))
#else
#define ADL_PRINTF(format_at, args_at)
#define ADL_MUST_USE
#define ADL_EXPORT
#endif

/* What every function that can fail returns. Anything but OK (or END and LATER, where they are allowed) has been
 * explained through host->fail first. */
typedef enum adl_status {
  ADL_OK = 0,
  ADL_END = 1,   /* next: this shard has no more rows */
  ADL_LATER = 2, /* next: nothing now, ask again (host->later says when) */
  ADL_FAILED = -1
} adl_status;

/* Hands any status but OK to the caller. */
#define ADL_TRY(expression)                                                                                            \
  do {                                                                                                                 \
    adl_status adl_try_status_ = (expression);                                                                         \
    if (adl_try_status_ != ADL_OK) return adl_try_status_;                                                             \
  } while (0)

/* ---------------------------------------------------------------------------------------------------- types ---- */

typedef enum adl_element {
  ADL_BOOL = 0,      /* one bit, LSB first */
  ADL_INT32 = 1,
  ADL_INT64 = 2,
  ADL_UINT32 = 3,
  ADL_FLOAT32 = 4,
  ADL_FLOAT64 = 5,
  ADL_TIMESTAMP = 6, /* int64, microseconds since 1970-01-01T00:00:00 UTC */
  ADL_STRING = 7,    /* UTF-8 */
  ADL_BYTES = 8
} adl_element;

/*
 * Which pairs exist: SCALAR of every element; LIST of every element but bool; VECTOR of float32 and float64;
 * SPARSE of float32; BAG of string.
 */
typedef enum adl_shape {
  ADL_SCALAR = 0,
  ADL_LIST = 1,   /* any number of elements a row */
  ADL_VECTOR = 2, /* `width` elements a row, row-major */
  ADL_SPARSE = 3, /* CSR: rising, unique uint32 indices below `width`, float32 values */
  ADL_BAG = 4     /* list of strings, each with a float32 weight */
} adl_shape;

/* What a value means, which its element does not tell: an account number is a category, a price is a number. */
typedef enum adl_role { ADL_NUMBER = 0, ADL_CATEGORY = 1 } adl_role;

/* Frozen. */
typedef struct adl_type {
  uint8_t element;  /* adl_element */
  uint8_t shape;    /* adl_shape */
  uint8_t role;     /* adl_role; strings are always categories, vectors and sparse always numbers */
  uint8_t reserved; /* 0 */
  uint32_t reserved2;
  int64_t width;    /* VECTOR, SPARSE: elements or dimensions a row; 0 = not known before start. Else 0 */
} adl_type;

/* Masks for adl_param.elements and adl_param.shapes. */
#define ADL_MASK(value) (1u << (value))
#define ADL_ANY_FLOAT (ADL_MASK(ADL_FLOAT32) | ADL_MASK(ADL_FLOAT64))
#define ADL_ANY_INTEGER (ADL_MASK(ADL_INT32) | ADL_MASK(ADL_INT64) | ADL_MASK(ADL_UINT32))
#define ADL_ANY_NUMERIC (ADL_ANY_FLOAT | ADL_ANY_INTEGER | ADL_MASK(ADL_BOOL))
#define ADL_ANY_ELEMENT 0x1ffu
#define ADL_ANY_SHAPE 0x1fu

/* ---------------------------------------------------------------------------------------- columns and batches ---- */

/*
 * One column of one batch. Buffers have Apache Arrow's layout, are 64-byte aligned and padded to a multiple of 64
 * bytes; padding may be read, its content is not defined. Offsets begin at 0.
 *
 *   shape   element        data                        offsets            string_offsets       index, weights
 *   SCALAR  bool           bits                        -                  -                    -
 *   SCALAR  string, bytes  bytes                       -                  rows + 1 -> bytes    -
 *   SCALAR  others         rows values                 -                  -                    -
 *   LIST    string, bytes  bytes                       rows + 1 -> items  items + 1 -> bytes   -
 *   LIST    others         items values                rows + 1 -> items  -                    -
 *   VECTOR  float32/64     rows x width, row-major     -                  -                    -
 *   SPARSE  float32        values                      rows + 1 -> items  -                    index[items]
 *   BAG     string         bytes                       rows + 1 -> items  items + 1 -> bytes   weights[items]
 *
 * The data of a null row is defined memory (zero, or an empty range) but means nothing.
 */
typedef struct adl_column {
  uint32_t struct_size;
  int32_t null_count;
  adl_type type;
  int64_t rows;
  const uint8_t *validity; /* bit set: the row has a value. NULL: all have */
  const void *data;
  const int32_t *offsets;
  const int32_t *string_offsets;
  const uint32_t *index;
  const float *weights;
} adl_column;

/*
 * Rows as a stage sees them: only the columns its parameters name, one per slot (adl_input.slot). A slot is NULL when
 * its parameter was not given, or is learn-only and this call does not learn.
 */
typedef struct adl_batch {
  uint32_t struct_size;
  uint32_t slot_count;
  int64_t rows;
  int64_t ordinal; /* number of the first row; rises in row order. In a fold over kept rows it counts them without gaps;
                      elsewhere there may be gaps between batches, never inside one */
  const adl_column *const *slots;
  const int32_t *groups; /* WHOLE_GROUPS: group_count + 1 offsets into the rows. Else NULL */
  int64_t group_count;
} adl_batch;

/* The buffers that host->reserve gives for one new column; which are set follows the table at adl_column. Frozen. */
typedef struct adl_buffers {
  uint8_t *validity;      /* all valid when reserved; clear a bit to say null */
  void *data;
  int32_t *offsets;       /* rows + 1, [0] is 0 */
  int32_t *string_offsets;
  uint32_t *index;
  float *weights;
  int64_t item_capacity;  /* LIST, SPARSE, BAG */
  int64_t byte_capacity;  /* string, bytes */
} adl_buffers;

/* A UTF-8 string that does not end with NUL. Frozen. */
typedef struct adl_text {
  const char *data;
  int32_t size;
} adl_text;

static inline bool adl_bit(const uint8_t *bits, int64_t at) { return (bits[at >> 3] >> (at & 7)) & 1; }

static inline void adl_bit_set(uint8_t *bits, int64_t at, bool value) {
  uint8_t mask = (uint8_t)(1u << (at & 7));
  bits[at >> 3] = (uint8_t)(value ? (bits[at >> 3] | mask) : (bits[at >> 3] & (uint8_t)~mask));
}

static inline bool adl_is_null(const adl_column *column, int64_t row) {
  return column->validity != NULL && !adl_bit(column->validity, row);
}

/* String of a SCALAR row, or of item `at` of a LIST or BAG. */
static inline adl_text adl_text_at(const adl_column *column, int64_t at) {
  adl_text text = {(const char *)column->data + column->string_offsets[at],
                   column->string_offsets[at + 1] - column->string_offsets[at]};
  return text;
}

/* Scalar numeric value of a row as float64 (bool 0 or 1, timestamp in microseconds). */
static inline double adl_number_at(const adl_column *column, int64_t row) {
  switch (column->type.element) {
    case ADL_BOOL: return adl_bit((const uint8_t *)column->data, row) ? 1.0 : 0.0;
    case ADL_INT32: return (double)((const int32_t *)column->data)[row];
    case ADL_UINT32: return (double)((const uint32_t *)column->data)[row];
    case ADL_INT64:
    case ADL_TIMESTAMP: return (double)((const int64_t *)column->data)[row];
    case ADL_FLOAT32: return (double)((const float *)column->data)[row];
    case ADL_FLOAT64: return ((const double *)column->data)[row];
    default: return 0.0;
  }
}

/* --------------------------------------------------------------------------------------------------- tensors ---- */

/*
 * A set of named arrays and keyed tables, owned by the core: a model, or a partial result of a fold.
 * A keyed table maps a byte string to a row of `width` float64, in order of first appearance.
 */
typedef struct adl_tensors adl_tensors;
typedef struct adl_table adl_table;

#define ADL_MAX_DIMENSIONS 4

/* Frozen. */
typedef struct adl_tensor {
  void *data;      /* row-major, 64-byte aligned */
  int32_t element; /* adl_element; a BOOL is one byte here; strings are kept as BYTES beside an INT64 tensor of offsets */
  int32_t dimensions;
  int64_t size[ADL_MAX_DIMENSIONS];
  int64_t count;   /* product of size */
} adl_tensor;

/* A model in use. `prepared` is what the class's prepare returned. The core has seen to it that the model was made by this
 * class and state_version, from input columns of the same names and types, widths included (learn-only ones aside). */
typedef struct adl_model {
  uint32_t struct_size;
  uint32_t reserved;
  adl_tensors *tensors;
  void *prepared;
} adl_model;

/* ------------------------------------------------------------------------------------------------ parameters ---- */

/*
 * Type, and the C type of the field at adl_param.offset:
 *
 *   type            plain                       with ADL_LIST   with ADL_LISTS     with ADL_MAP
 *   BOOL            bool
 *   INT             int64_t                     adl_ints
 *   FLOAT           double                      adl_floats                         adl_named_floats
 *   STRING          const char *                adl_strings     adl_string_lists   adl_map
 *   CHOICE          int32_t (index in choices)
 *   SIZE            int64_t, bytes ("64M")
 *   DURATION        int64_t, microseconds ("7d", "30m")
 *   PATH_IN         const char * (absolute)     adl_strings (globs expanded and sorted)
 *   PATH_OUT        const char * (a temporary file beside the target; the core renames it when the run succeeds)
 *   COLUMN          adl_input                   adl_inputs      adl_input_lists
 *   NEW_COLUMN      adl_output
 *   MATRIX          adl_input (the named columns side by side, as one VECTOR or SPARSE of float32)
 *   STAGE           adl_side
 *   EXPRESSION      adl_input (computed by the core)                               adl_inputs (name = key)
 *   CALL                                                                          adl_calls
 *
 * A list parameter may be written as one plain value. What is absent and has no default: false, 0, NULL, count 0,
 * slot -1. "-" as PATH_IN is standard input, as PATH_OUT standard output; both arrive as "-".
 */
typedef enum adl_param_type {
  ADL_PARAM_BOOL = 1,
  ADL_PARAM_INT,
  ADL_PARAM_FLOAT,
  ADL_PARAM_STRING,
  ADL_PARAM_CHOICE,
  ADL_PARAM_SIZE,
  ADL_PARAM_DURATION,
  ADL_PARAM_PATH_IN,
  ADL_PARAM_PATH_OUT,
  ADL_PARAM_COLUMN,
  ADL_PARAM_NEW_COLUMN,
  ADL_PARAM_MATRIX,
  ADL_PARAM_STAGE,
  ADL_PARAM_EXPRESSION,
  ADL_PARAM_CALL
} adl_param_type;

enum {
  ADL_LIST_OF = 1 << 0,    /* a YAML sequence (or one plain value) */
  ADL_LISTS_OF = 1 << 1,   /* a sequence of sequences */
  ADL_MAP_OF = 1 << 2,     /* a YAML mapping; order is kept */
  ADL_REQUIRED = 1 << 3,
  ADL_SECRET = 1 << 4,     /* never logged, never in a manifest */
  ADL_LEARN_ONLY = 1 << 5, /* column, matrix: may be absent when the stage does not learn; process never sees it */
  ADL_LIVE = 1 << 6,       /* may change while running */
  ADL_NULLS_PASS = 1 << 7, /* column, matrix: rows with a null reach the stage; else the core rejects them */
  ADL_NAN_PASS = 1 << 8,   /* the same for NaN and infinities */
  ADL_GROUP_KEY = 1 << 9,  /* column of a WHOLE_GROUPS class: equal neighbours are one group */
  ADL_PLAIN_NAME = 1 << 10 /* NEW_COLUMN: its default is used even if nobody named it (`as`); without this flag an
                              unnamed one is not made */
};

/* Lists and maps, as parameters of these types arrive. Frozen. */
typedef struct adl_ints { int64_t count; const int64_t *items; } adl_ints;
typedef struct adl_floats { int64_t count; const double *items; } adl_floats;
typedef struct adl_strings { int64_t count; const char *const *items; } adl_strings;
typedef struct adl_string_lists { int64_t count; const adl_strings *items; } adl_string_lists;
typedef struct adl_map { int64_t count; const char *const *keys; const char *const *values; } adl_map;
typedef struct adl_named_floats { int64_t count; const char *const *keys; const double *values; } adl_named_floats;

/* A column that a stage reads. Type is known at bind (but a width may be 0 until start). Frozen. */
typedef struct adl_input {
  const char *name; /* the column's name, the expression's key, or the matrix parameter's name; NULL: not given */
  adl_type type;
  int32_t slot;     /* into adl_batch.slots; -1: not given */
  int32_t reserved;
} adl_input;

typedef struct adl_inputs { int64_t count; const adl_input *items; } adl_inputs;
typedef struct adl_input_lists { int64_t count; const adl_inputs *items; } adl_input_lists;

/* A column that a stage adds. Frozen. */
typedef struct adl_output {
  const char *name; /* NULL: nobody asked for it */
  int32_t slot;     /* set by host->declare; -1 before, and when nobody asked */
  int32_t reserved;
} adl_output;

/* Another stage whose rows this one looks things up in. Frozen. */
typedef struct adl_side {
  const char *name; /* the stage; NULL: not given */
  int32_t number;   /* 0 for the first STAGE parameter */
  int32_t reserved;
} adl_side;

/* `spend: sum(price * quantity)` : name spend, function "sum" (an index into the parameter's choices), one argument.
 * Frozen. */
typedef struct adl_call_of {
  const char *name;
  int32_t function;
  int32_t argument_count;
  const adl_input *arguments;
} adl_call_of;

typedef struct adl_calls { int64_t count; const adl_call_of *items; } adl_calls;

/*
 * One parameter of a class. From this table come parsing, checking, `plugin show`, the manual and the schema; a class
 * has no parsing code. Zero-initialised members mean "nothing said". Append-only (adl_class.param_size is the stride).
 */
typedef struct adl_param {
  const char *name;
  int32_t type;              /* adl_param_type */
  uint32_t flags;
  uint32_t offset;           /* of the field in the class's instance struct */
  uint32_t elements;         /* COLUMN, EXPRESSION: accepted elements, ADL_MASK(...); 0 = any */
  uint32_t shapes;           /* COLUMN, MATRIX: accepted shapes; 0 = SCALAR for COLUMN, VECTOR or SPARSE for MATRIX */
  uint32_t roles;            /* COLUMN: ADL_MASK(ADL_NUMBER) and/or ADL_MASK(ADL_CATEGORY); 0 = any */
  const char *default_value; /* read by the same code as the YAML: "8", "[1, 1]", "*" (every column); NULL: none */
  const char *range;         /* "[1, 65536]", "(0, inf)": [ ] include the end, ( ) do not; NULL: any */
  const char *choices;       /* CHOICE: "a|b|c". CALL: "sum/1|last/2|bag/1-2", function/number of arguments */
  const char *unit;          /* "rows", "1/row", ... for people */
  const char *doc;           /* one line or a short paragraph; begins with a capital, ends with a full stop */
  const char *alias;         /* an old name that still works, with a warning */
  const char *since;         /* class version that brought it */
  const char *deprecated;    /* why, and what to use; a warning when used */
} adl_param;

/* ----------------------------------------------------------------------------------------------------- calls ---- */

typedef struct adl_host adl_host;
typedef struct adl_out adl_out;       /* where process, learn, next, decode, finish put rows */
typedef struct adl_rows adl_rows;     /* rows that fit may fold over */
typedef struct adl_report adl_report; /* where report puts numbers, tables and plots */
typedef struct adl_plot adl_plot;

/* Every function of a class gets one; valid until that function returns. */
typedef struct adl_call {
  uint32_t struct_size;
  int32_t worker;       /* number of the thread, 0 .. host->threads - 1; never let a result depend on it */
  const adl_host *host;
  void *core;           /* the core's own */
} adl_call;

/*
 * A fold: one pass over rows that sums up partial results.
 * The rows' batches are dealt to a fixed number of lanes; each lane has a partial shaped like `total` (same tensors,
 * zeroed; tables empty), sees its batches in row order, and the lanes are merged as a fixed binary tree. So the result
 * does not depend on the number of threads.
 */
typedef struct adl_fold {
  uint32_t struct_size;
  uint32_t flags; /* ADL_FOLD_... */
  /* [run] Adds the rows of a batch to the partial. `context` is adl_fold.context: read-only. */
  adl_status (*step)(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                     adl_tensors *partial);
  /* [run] Adds `from` to `into`. NULL: every tensor and table is added element by element; only such folds can be made
   * private or federated. Partials that saw no rows are not merged. */
  adl_status (*merge)(const adl_call *call, const void *self, const void *context, adl_tensors *into,
                      adl_tensors *from);
  const void *context;
} adl_fold;

enum {
  ADL_FOLD_IN_ORDER = 1 << 0, /* one lane: step works on `total` itself, on every row in order, keeping what is in it
                                 (online learners that make several passes) */
  ADL_FOLD_KEYS = 1 << 1      /* a partial grows with the number of keys in the data: few lanes, since merging them takes
                                 as long as the steps */
};

/* ----------------------------------------------------------------------------------------------- stage class ---- */

typedef enum adl_kind {
  ADL_SOURCE = 1,
  ADL_TRANSFORM = 2,
  ADL_FEATURE = 3,
  ADL_PROFILE = 4,
  ADL_OPTIMIZE = 5,
  ADL_EVALUATE = 6,
  ADL_SINK = 7
} adl_kind; /* a label for people; what a class does follows from its functions */

typedef enum adl_form {
  ADL_SAME = 0,   /* process gives each input row back, with the declared columns added */
  ADL_PICKED = 1, /* process names input rows by host->pick (and side rows by host->gather); declared columns are added */
  ADL_NEW = 2     /* a table of its own: only the declared columns leave */
} adl_form;

enum {
  ADL_ALL_ROWS = 1 << 0,      /* fit, too, sees rows of every split (dedupe, metrics); else training rows only */
  ADL_WHOLE_GROUPS = 1 << 1,  /* process, learn and the step of a fold see each run of rows with equal ADL_GROUP_KEY
                                 columns in one batch, and batch->groups says where each begins (not in a fold over a
                                 STAGE parameter's rows). Rows of another split, where they are kept apart, are left
                                 out of it first */
  ADL_ORDERED = 1 << 2,       /* process is [turn]; with neither fit nor learn its model's tensors are a scratch state
                                 of the run that it may change, empty at first and never saved */
  ADL_NOT_REPEATABLE = 1 << 3,/* same input, other output: nothing behind it is taken from the model store */
  ADL_WHOLE_TABLE = 1 << 4,   /* process is called once, with every row in one batch (sort). PICKED only */
  ADL_SINGLE_PASS = 1 << 5,   /* fit calls fold exactly once, and needs no ordinals without gaps: its rows need not be
                                 kept */
  ADL_TRANSIENT = 1 << 6,     /* the model belongs to the rows of this run: it is never saved or loaded (join, group) */
  ADL_SPLIT_ROWS = 1 << 7,    /* every batch handed to step and process holds rows of one split only, told by
                                 host->split (metrics) */
  ADL_FOR_JUDGING = 1 << 8,   /* what leaves this class may be measured, chosen by, and written, but a stage that learns
                                 is refused behind it (market-truth) */
  ADL_EXACT_ROWS = 1 << 9     /* process gives a row the same bytes in whatever batch it stands. Without this flag they may
                                 differ by rounding (matrix products do) */
};

/* Which rows a batch holds (host->split). */
typedef enum adl_split { ADL_TRAIN = 0, ADL_VALIDATE = 1, ADL_TEST = 2 } adl_split;

/*
 * A stage class. Functions that are NULL are stubs, unless said required. `self` is the instance: instance_size bytes,
 * zeroed, with the parameters filled in; a class's own fields stand behind them.
 *
 * Order of calls: create, bind, [upstream is fitted], start, then shards/open/next/decode/close (source), or
 * [init or fit], prepare, process/learn..., finish, report, commit, release, destroy.
 */
typedef struct adl_class {
  uint32_t struct_size;
  uint32_t kind;             /* adl_kind */
  const char *id;            /* "kmeans", "acme.kmeans": [a-z][a-z0-9-]*, third parties with a prefix and a dot */
  const char *title;         /* a few words */
  const char *doc;           /* the manual page: what it does, source of the algorithm, what it does with nulls, empty
                                input and odd cases. Paragraphs separated by empty lines */
  uint32_t flags;
  uint32_t form;             /* adl_form */
  uint32_t instance_size;
  uint32_t state_version;    /* of the model's tensors; models of another version are refused */
  const adl_param *params;
  uint32_t param_count;
  uint32_t param_size;       /* sizeof(adl_param) */

  /* [setup] Own fields of the instance. Undone by destroy, which is called also when create failed half-way. */
  adl_status (*create)(const adl_call *call, void *self);
  void (*destroy)(void *self);

  /* [setup] Checks what types it was given and declares the columns that leave (host->declare). All wiring errors
   * surface here; several may be reported by host->fail before returning ADL_FAILED. No data is touched. */
  adl_status (*bind)(const adl_call *call, void *self);

  /* [setup] Everything upstream is fitted: adl_input widths are final. Sets the widths of its own columns where they do
   * not depend on a model (host->set_width). */
  adl_status (*start)(const adl_call *call, void *self);

  /* Source. shards: [setup] how many parts, read one after the other. open: [run] *cursor is the source's own.
   * next: [turn] either gives rows (host->reserve, host->commit), or, in a class with decode, one block of bytes that
   * holds whole records (host->block); END when the shard is done. decode: [run] makes rows of a block.
   * fingerprint: [setup] 32 bytes that say what the content is; ADL_LATER = unknown, and nothing behind it is cached.
   * NULL: the contents of the PATH_IN parameters; where none is given, unknown. */
  adl_status (*shards)(const adl_call *call, void *self, int32_t *count);
  adl_status (*open)(const adl_call *call, void *self, int32_t shard, void **cursor);
  adl_status (*next)(const adl_call *call, void *self, void *cursor, adl_out *out);
  adl_status (*decode)(const adl_call *call, const void *self, const void *block, int64_t size, int64_t position,
                       adl_out *out);
  void (*close)(const adl_call *call, void *self, void *cursor);
  adl_status (*fingerprint)(const adl_call *call, void *self, uint8_t digest[32]);

  /* [setup] Gives an empty model the tensors that learn starts from. Required with learn. */
  adl_status (*init)(const adl_call *call, const void *self, adl_model *model);

  /* [run] Learns the model from training rows by ordinary control flow around host->fold. The model arrives empty, or
   * holding the one to start from (warm start). Control flow depends on parameters and fold results alone. With a
   * STAGE parameter, `rows` are that stage's. A class with learn but no fit is fitted by one pass of learn. */
  adl_status (*fit)(const adl_call *call, const void *self, adl_rows *rows, adl_model *model);

  /* [turn] Lookup structures derived from a model (fitted or loaded), and the widths and names of the columns made
   * with it. *prepared becomes model->prepared; release frees it. One instance may have several models prepared: while
   * process runs on one, the next is made ready beside it. */
  adl_status (*prepare)(const adl_call *call, const void *self, const adl_model *model, void **prepared);
  void (*release)(const void *self, void *prepared);

  /* [run] Rows in, rows out; any number at once; never changes the model. Required of a class that is neither source
   * nor sink and adds columns to rows. */
  adl_status (*process)(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                        adl_out *out);

  /* [turn] Like process on training rows, and then updates the model with them: what it gives out is the prediction made
   * before each row's own update. `out` may be NULL: no prediction wanted. */
  adl_status (*learn)(const adl_call *call, const void *self, adl_model *model, const adl_batch *batch, adl_out *out);

  /* [turn] After the last row: what is left, or the table that fit has made. */
  adl_status (*finish)(const adl_call *call, const void *self, const adl_model *model, adl_out *out);

  /* Sink. encode: [run] makes the bytes that write will get (host->block). write: [turn] `block` is NULL without
   * encode. commit: [setup] everything is flushed and safe; destroy without commit rolls back. */
  adl_status (*encode)(const adl_call *call, const void *self, const adl_batch *batch, adl_out *out);
  adl_status (*write)(const adl_call *call, void *self, const adl_batch *batch, const void *block, int64_t size);
  adl_status (*commit)(const adl_call *call, void *self);

  /* [setup] Numbers, tables and plots for the run's report. */
  adl_status (*report)(const adl_call *call, const void *self, const adl_model *model, adl_report *report);

  /* Plugin side of an extension for this class, or NULL. */
  const void *(*extension)(const char *id);
} adl_class;

/* Fills params, param_count and param_size of a class. In C anywhere among its members; in C++, which has no designated
 * initialisers before C++20, where params stands. */
#ifdef __cplusplus
#define ADL_PARAMS(table) (table), (uint32_t)(sizeof(table) / sizeof((table)[0])), (uint32_t)sizeof((table)[0])
#else
#define ADL_PARAMS(table)                                                                                              \
  .params = (table), .param_count = (uint32_t)(sizeof(table) / sizeof((table)[0])), .param_size = sizeof((table)[0])
#endif

/* -------------------------------------------------------------------------------------------- plots of a report ---- */

typedef enum adl_plot_kind {
  ADL_PLOT_LINE = 0,  /* points joined in their order */
  ADL_PLOT_BARS = 1,  /* a bar at each x */
  ADL_PLOT_POINTS = 2 /* a cloud; points of one series have one colour */
} adl_plot_kind;

enum { ADL_PLOT_SHARES = 1 << 0 /* both axes are shares, 0 to 1, and y = x means something (ROC, calibration) */ };

/* One line, row of bars, or cloud of points. */
typedef struct adl_series {
  uint32_t struct_size;
  uint32_t reserved;
  const char *name;          /* NULL: it is the only one */
  int64_t count;
  const double *x, *y;       /* what is not finite is left out */
  const double *low, *high;  /* the interval of each y; NULL: none */
  const char *const *labels; /* what each point is, for people; NULL: none */
} adl_series;

struct adl_plot {
  uint32_t struct_size;
  uint32_t kind;  /* adl_plot_kind */
  uint32_t flags; /* ADL_PLOT_... */
  int32_t series_count;
  const char *name, *x_title, *y_title;
  const adl_series *const *series;
};

/* ------------------------------------------------------------------------------------------------ the host ---- */

typedef enum adl_level { ADL_DEBUG = 0, ADL_INFO = 1, ADL_WARNING = 2 } adl_level;

/* What the core does for a plugin. Every function may be called during any call, unless said. */
struct adl_host {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor;
  int32_t threads;
  int32_t reserved;

  /* --- saying things --- */

  /* Explains why this call is going to fail; always returns ADL_FAILED. `parameter` is the one to blame ("clusters",
   * "columns.user", "columns[2]"; NULL: the stage); the core knows where it stands in the YAML. `offset` is a byte
   * offset into a string parameter, -1: none. `hint` says what to do, or NULL. */
  adl_status (*fail)(const adl_call *call, const char *parameter, int32_t offset, const char *hint, const char *format,
                     ...) ADL_PRINTF(5, 6);
  /* Puts one row of the batch into quarantine; it leaves the stream here. `column`: parameter or column to blame. The
   * same row is counted once however often it is seen. */
  void (*reject)(const adl_call *call, int64_t row, const char *column, const char *format, ...) ADL_PRINTF(4, 5);
  /* In next and decode: a record that could not become a row. `position`: its line number or offset. */
  void (*reject_record)(const adl_call *call, int64_t position, const char *column, const char *format, ...)
      ADL_PRINTF(4, 5);
  void (*log)(const adl_call *call, adl_level level, const char *format, ...) ADL_PRINTF(3, 4);
  /* Progress inside a long call: `done` of `total` (0: unknown), of what (a static string). From next of a source: how much
   * of the whole input has been read, from which the time that is left is told. */
  void (*progress)(const adl_call *call, const char *what, double done, double total);
  bool (*cancelled)(const adl_call *call); /* true: return ADL_FAILED soon, nothing needs explaining */

  /* --- resources --- */

  /* Scratch memory, 64-byte aligned, not zeroed, freed when the call returns. Never NULL. */
  void *(*alloc)(const adl_call *call, size_t size);
  /* Key of a stream of random numbers for adl_random: depends on the run's seed, the stage's name and `use`. */
  uint64_t (*random_key)(const adl_call *call, const char *use);
  int64_t (*now)(const adl_call *call); /* microseconds UTC at which the run began: the same all through a run */
  /* Runs body(call, context, i) for i in 0 .. count - 1 on the workers. Write results by i, never by worker. In fit, and in
   * the step of an ADL_FOLD_IN_ORDER fold over kept rows, they work side by side; elsewhere, where they are busy, this
   * is a plain loop. Rows are rejected through the step's own call. */
  adl_status (*parallel)(const adl_call *call, int64_t count,
                         adl_status (*body)(const adl_call *call, void *context, int64_t i), void *context);
  const char *(*stage_name)(const adl_call *call);
  adl_split (*split)(const adl_call *call); /* ADL_SPLIT_ROWS: of the batch in hand */
  /* In step and process: what this row of the batch may be used for. A join needs it, so that a training row never finds
   * a held-out side row. */
  adl_split (*row_split)(const adl_call *call, int64_t row);
  bool (*online)(const adl_call *call);     /* this batch's scores were progressive (made before learning from them)
                                               by a stage upstream */
  const void *(*extension)(const adl_call *call, const char *id); /* NULL: this host has none of that name */

  /* --- in bind --- */

  /* Declares a column that this stage adds, under the name the user gave. Does nothing if nobody asked for it. */
  adl_status (*declare)(const adl_call *call, adl_output *output, adl_type type);
  /* The same for a column whose name the class computes; *slot is its output slot. `parameter` is blamed for a
   * clash. */
  adl_status (*declare_named)(const adl_call *call, const char *parameter, const char *name, adl_type type,
                              int32_t *slot);
  /* The input leaves under (also) this name, without work in process. */
  adl_status (*forward)(const adl_call *call, const char *parameter, const adl_input *input, const char *as);
  /* The named input column does not leave. */
  adl_status (*hide)(const adl_call *call, const char *parameter, const char *column);
  /* Columns of the main input, whether named by a parameter or not; false: no such number. */
  bool (*input_column)(const adl_call *call, int32_t number, const char **name, adl_type *type);
  /* Makes the class see that column of the main input in a slot, nulls and NaN included: for names that do not stand in a
   * COLUMN parameter, such as the keys of a map. */
  adl_status (*column_input)(const adl_call *call, const char *parameter, const char *column, adl_input *input);
  /* Columns of a STAGE parameter's stage; false: no such number. */
  bool (*side_column)(const adl_call *call, const adl_side *side, int32_t number, const char **name, adl_type *type);
  /* Makes fit see that side column in a slot. */
  adl_status (*side_input)(const adl_call *call, const char *parameter, const adl_side *side, const char *column,
                           adl_input *input);
  /* host->gather will bring this side column, under this name. */
  adl_status (*bring)(const adl_call *call, const char *parameter, const adl_side *side, const char *column,
                      const char *as);

  /* --- in start and prepare --- */

  /* Final width of an output column of shape VECTOR or SPARSE. */
  adl_status (*set_width)(const adl_call *call, int32_t slot, int64_t width);
  /* A name for each dimension: offsets[width + 1] into bytes. Copied. */
  adl_status (*set_names)(const adl_call *call, int32_t slot, int64_t width, const int64_t *offsets, const char *bytes);
  /* Name of a dimension of an input (also in report): as set_names gave it ("price", "gender=f"), the name of a plain
   * column ("spend"), "features[7]" where nobody named it.
   * Written to `buffer` with a NUL, cut to fit; returns the full length. */
  int64_t (*dimension_name)(const adl_call *call, const adl_input *input, int64_t dimension, char *buffer,
                            size_t size);

  /* --- tensors --- */

  /* A tensor by name, made (zeroed) if it is not there; with another size[0] than before it is resized, keeping what
   * fits and zeroing the rest. Never NULL. Changing dimension sizes behind the first is a programming error: fails. */
  void *(*tensor)(const adl_call *call, adl_tensors *tensors, const char *name, adl_element element,
                  int32_t dimensions, const int64_t *size);
  /* False, and *tensor zeroed, if there is none of that name. */
  bool (*find_tensor)(const adl_call *call, const adl_tensors *tensors, const char *name, adl_tensor *tensor);
  void (*drop_tensor)(const adl_call *call, adl_tensors *tensors, const char *name); /* tensor or table */
  /* A fresh empty set, freed when the call returns: the `total` of a fold. */
  adl_tensors *(*scratch_tensors)(const adl_call *call);
  /* A keyed table by name, made if it is not there. Fails (and gives a table of the call's own) when the name is a
   * tensor's, or the table has another width. */
  adl_table *(*table)(const adl_call *call, adl_tensors *tensors, const char *name, int64_t width);
  const adl_table *(*find_table)(const adl_call *call, const adl_tensors *tensors, const char *name);
  int64_t (*table_count)(const adl_table *table);
  /* Row number of a key, made (zeroed) if it is not there. Pointers from table_row and table_key are valid until the next
   * insert. */
  int64_t (*table_insert)(adl_table *table, const void *key, int64_t size);
  int64_t (*table_find)(const adl_table *table, const void *key, int64_t size); /* -1: none */
  /* table_insert, and table_find, of `count` keys that stand end to end: key i is bytes[offsets[i]] to
   * bytes[offsets[i + 1]]; its row goes to rows[i]. The same as one after the other, but a table that is larger than the
   * caches is waited for once a batch instead of several times a key. */
  void (*table_insert_all)(adl_table *table, int64_t count, const void *bytes, const int64_t *offsets, int64_t *rows);
  void (*table_find_all)(const adl_table *table, int64_t count, const void *bytes, const int64_t *offsets,
                         int64_t *rows);
  double *(*table_row)(const adl_table *table, int64_t row);
  adl_text (*table_key)(const adl_table *table, int64_t row);

  /* --- in fit --- */

  /* One pass over the rows. Afterwards `total` holds the sum (what was in it before does not count, except with
   * ADL_FOLD_IN_ORDER); pointers that host->tensor and host->table gave into it stay good, unless step or merge changed a
   * tensor's size. `total` may be model->tensors. Fails when cancelled. */
  adl_status (*fold)(const adl_call *call, adl_rows *rows, const adl_fold *fold, adl_tensors *total);

  /* --- giving rows, in next, decode, process, learn, finish --- */

  /* Buffers for one output column of the batch in the making. `rows`: SAME: batch->rows. `items` and `bytes` are
   * capacities, see adl_buffers. Reserving a slot again grows it, keeping its content. Fails when a column would pass
   * 2^31 - 1 items or bytes. */
  adl_status (*reserve)(const adl_call *call, adl_out *out, int32_t slot, int64_t rows, int64_t items, int64_t bytes,
                        adl_buffers *buffers);
  /* False: nobody reads this output column, so it need not be given (but what it is made of must still be checked). */
  bool (*wanted)(const adl_call *call, int32_t slot);
  /* Gives a column of the input, unchanged, as output slot (zero copies). */
  adl_status (*pass)(const adl_call *call, adl_out *out, int32_t slot, const adl_column *column);
  /* NEW: the batch in the making is done and holds that many rows (0: dropped; fewer than reserved is fine). SAME and
   * PICKED need no commit. At most 4096 rows a batch is asked for, more is cut by the core. */
  adl_status (*commit)(const adl_call *call, adl_out *out, int64_t rows);
  /* PICKED: which rows of the batch leave, in this order. Once per call; declared columns have `count` rows then. */
  adl_status (*pick)(const adl_call *call, adl_out *out, const int64_t *index, int64_t count);
  /* PICKED: the side row that goes with each picked row; -1: none (null). A training row never gets a held-out side
   * row: the core makes that null. */
  adl_status (*gather)(const adl_call *call, adl_out *out, const adl_side *side, const int64_t *row, int64_t count);

  /* --- in sources, and in encode --- */

  void (*shard_name)(const adl_call *call, const char *name); /* in open: the file, for messages */
  /* In next and decode: where each row of the batch in the making came from (line number or offset); rows long. */
  int64_t *(*positions)(const adl_call *call, adl_out *out, int64_t rows);
  /* A buffer for `size` bytes that next (to decode) or encode (to write) fills; again: grows, keeping its content. */
  uint8_t *(*block)(const adl_call *call, adl_out *out, int64_t size);
  /* The block holds `size` bytes; `position` is handed to decode. One block per call. */
  adl_status (*block_commit)(const adl_call *call, adl_out *out, int64_t size, int64_t position);
  void (*later)(const adl_call *call, int64_t microseconds); /* before ADL_LATER: when to ask again */

  /* --- in report --- */

  /* A number: `over` says over which rows or "" ("held-out", "progressive", "in-sample"). low and high are its interval,
   * NAN: none. */
  void (*report_number)(const adl_call *call, adl_report *report, const char *over, const char *name, double value,
                        double low, double high);
  void (*report_text)(const adl_call *call, adl_report *report, const char *name, const char *text);
  /* A table, filled row by row; cells are row-major text. */
  void (*report_table)(const adl_call *call, adl_report *report, const char *name, int32_t columns,
                       const char *const *titles, int64_t rows, const char *const *cells);
  /* A picture of numbers. Everything is copied. */
  void (*report_plot)(const adl_call *call, adl_report *report, const adl_plot *plot);
};

/* A plot of one series without intervals or labels. */
static inline void adl_plot_one(const adl_call *call, adl_report *report, adl_plot_kind kind, const char *name,
                                const char *x_title, const char *y_title, int64_t count, const double *x,
                                const double *y) {
  adl_series series = {(uint32_t)sizeof(adl_series), 0, NULL, count, x, y, NULL, NULL, NULL};
  const adl_series *only = &series;
  adl_plot plot = {(uint32_t)sizeof(adl_plot), (uint32_t)kind, 0, 1, name, x_title, y_title, &only};
  call->host->report_plot(call, report, &plot);
}

/* Number `counter` of the stream `key`: any order, any thread, same bits. (Finaliser of MurmurHash3, twice, after
 * Weyl stepping: SplitMix64, Steele et al. 2014.) */
static inline uint64_t adl_random(uint64_t key, uint64_t counter) {
  uint64_t z = key + (counter + 1) * UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  z ^= z >> 31;
  z = (z ^ (z >> 33)) * UINT64_C(0xff51afd7ed558ccd);
  return z ^ (z >> 33);
}

/* Uniform in [0, 1), 53 bits. */
static inline double adl_random_unit(uint64_t key, uint64_t counter) {
  return (double)(adl_random(key, counter) >> 11) * (1.0 / 9007199254740992.0);
}

/* ------------------------------------------------------------------------------------------------- the plugin ---- */

typedef struct adl_plugin {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor; /* the ones it was compiled with */
  const char *id;                /* the same as in the note */
  const char *version;
  const char *licence;
  const char *author;
  const char *home;
  uint32_t class_count;
  uint32_t reserved;
  const adl_class *const *classes;
} adl_plugin;

/* The one exported function. Returns NULL when the host will not do; it has looked at host->abi only. */
typedef const adl_plugin *(*adl_plugin_entry_function)(const adl_host *host);

/*
 * ADL_PLUGIN("acme.nearest", "1.2.0", "profile:acme.nearest", &plugin) writes the entry point and an ELF note that
 * says the same, so that plugins are found and refused without running any of their code. `ids` is the list of
 * kind:class ids, separated by blanks. The note's owner is "adloom", its type 1; the descriptor holds two uint16 (ABI
 * major, minor) and three strings that end with NUL: id, version, ids. For static linking, define ADL_PLUGIN_ENTRY to a
 * name of its own for each plugin.
 */
#ifndef ADL_PLUGIN_ENTRY
#define ADL_PLUGIN_ENTRY adl_plugin_entry
#endif
#define ADL_NOTE_OWNER "adloom"
#define ADL_NOTE_TYPE 1

#ifdef __cplusplus
#define ADL_C_LINKAGE extern "C"
#else
#define ADL_C_LINKAGE extern
#endif

#define ADL_PLUGIN(plugin_id, plugin_version, ids, descriptor)                                                         \
  static const struct {                                                                                                \
    uint32_t owner_size, size, type;                                                                                   \
    char owner[8];                                                                                                     \
    uint16_t major, minor;                                                                                             \
    char text[sizeof(plugin_id) + sizeof(plugin_version) + sizeof(ids)];                                               \
  } adl_plugin_note __attribute__((section(".note.adloom"), used, aligned(4))) = {                                     \
      sizeof(ADL_NOTE_OWNER),                                                                                          \
      4 + sizeof(plugin_id) + sizeof(plugin_version) + sizeof(ids),                                                    \
      ADL_NOTE_TYPE,                                                                                                   \
      ADL_NOTE_OWNER,                                                                                                  \
      ADL_ABI_MAJOR,                                                                                                   \
      ADL_ABI_MINOR,                                                                                                   \
      plugin_id "\0" plugin_version "\0" ids};                                                                         \
  ADL_C_LINKAGE ADL_EXPORT const adl_plugin *ADL_PLUGIN_ENTRY(const adl_host *host);                                   \
  const adl_plugin *ADL_PLUGIN_ENTRY(const adl_host *host) {                                                           \
    return host->abi_major == ADL_ABI_MAJOR && host->abi_minor >= ADL_ABI_MINOR ? (descriptor)                         \
                                                                                : (const adl_plugin *)0;               \
  }                                                                                                                    \
  typedef int adl_plugin_needs_a_semicolon

/*
 * The whole of it: ADL_PLUGIN_OF("acme.nearest", "1.2.0", "profile:acme.nearest", &nearest_class); with more classes
 * behind the first. ADL_PLUGIN_BY(id, version, licence, author, home, ids, classes...) also says whose it is:
 * licence as an SPDX expression ("MIT"), author as "Name <mail>", home as a web page; NULL where there is none.
 */
#define ADL_PLUGIN_OF(plugin_id, plugin_version, ids, ...)                                                             \
  ADL_PLUGIN_BY(plugin_id, plugin_version, NULL, NULL, NULL, ids, __VA_ARGS__)

#define ADL_PLUGIN_BY(plugin_id, plugin_version, licence, author, home, ids, ...)                                      \
  static const adl_class *const adl_plugin_classes[] = {__VA_ARGS__};                                                  \
  static const adl_plugin adl_plugin_descriptor = {(uint32_t)sizeof(adl_plugin),                                       \
                                                   ADL_ABI_MAJOR,                                                      \
                                                   ADL_ABI_MINOR,                                                      \
                                                   plugin_id,                                                          \
                                                   plugin_version,                                                     \
                                                   licence,                                                            \
                                                   author,                                                             \
                                                   home,                                                               \
                                                   (uint32_t)(sizeof adl_plugin_classes / sizeof *adl_plugin_classes), \
                                                   0,                                                                  \
                                                   adl_plugin_classes};                                                \
  ADL_PLUGIN(plugin_id, plugin_version, ids, &adl_plugin_descriptor)

#ifdef __cplusplus
}
#endif
#endif
