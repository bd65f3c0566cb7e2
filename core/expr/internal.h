/*
 * What the files of core/expr share. A text becomes tokens (lex.c), tokens become typed nodes (parse.c, build.c,
 * functions.c), of which every one stands behind its arguments, so that the list of nodes is already the program;
 * constants are folded as nodes are made. Evaluation (evaluate.c) runs the nodes' kernels (kernels_*.c) over chunks of
 * rows. Times are in time.c.
 */
#ifndef ADLOOM_CORE_EXPR_INTERNAL_H
#define ADLOOM_CORE_EXPR_INTERNAL_H

#include <glib.h>
#include <string.h>

#include "core/expr/expr.h"

/* ------------------------------------------------------------------------------------------------- evaluation ---- */

/* Kernels are given this many rows at most: a few registers of it fit the first cache. A multiple of 8. */
#define ADL_EXPR_CHUNK 1024
#define ADL_EXPR_MAX_REGISTERS 1000
#define ADL_EXPR_MAX_ARGUMENTS 64

/* Kernels are loops for the vectoriser, which GCC runs at -O3 only. */
#if defined(__GNUC__) && !defined(__clang__)
#define ADL_EXPR_LOOPS __attribute__((optimize("O3")))
#else
#define ADL_EXPR_LOOPS
#endif

typedef enum adl_expr_kind {
  ADL_EXPR_BAD = 0, /* an error has been reported: whatever is made of it is BAD, silently */
  ADL_EXPR_NULL,    /* the word null, before it is known of which kind */
  ADL_EXPR_BOOL,
  ADL_EXPR_INT,
  ADL_EXPR_FLOAT,
  ADL_EXPR_TIME,
  ADL_EXPR_STRING,
  ADL_EXPR_BYTES,
  ADL_EXPR_OPAQUE /* a column that is not scalar: only its name and whether it is null can be used */
} adl_expr_kind;

/* A register: one value for each row of a chunk. Data of null rows is harmless: any number, an empty text. */
typedef struct adl_expr_vector {
  union {
    void *data;
    uint8_t *b; /* 0 or 1 */
    int64_t *i; /* INT, TIME */
    double *f;  /* never NaN where valid */
    adl_text *t;
  };
  uint8_t *valid; /* 0 or 1; NULL: all rows are */
  void *own_data; /* what data points to, unless it is a column's own memory */
  uint8_t *own_valid;
} adl_expr_vector;

/* One evaluation: what kernels may need beside their arguments. */
typedef struct adl_expr_run {
  int64_t now_us;
  GSList *blocks; /* memory of the texts made for this chunk */
  char *free_at;
  size_t free_size, total_size;
  const char *why; /* not NULL: it failed */
} adl_expr_run;

/* `args` are `count` registers; `out` has own_data and own_valid, and the kernel sets `valid` (data is own_data). */
#define ADL_EXPR_KERNEL_ARGS                                                                                           \
  adl_expr_run *run, const void *payload, adl_expr_vector *const *args, int32_t count, adl_expr_vector *out,           \
      int64_t rows
typedef void adl_expr_kernel_function(ADL_EXPR_KERNEL_ARGS);
typedef adl_expr_kernel_function *adl_expr_kernel;

/* Memory for a text of that size, until the chunk is done. NULL: the run has failed. */
char *adl_expr_run_text(adl_expr_run *run, int64_t size);

/* ------------------------------------------------------------------------------------------------------ nodes ---- */

typedef struct adl_expr_value {
  bool valid;
  union {
    bool b;
    int64_t i;
    double f;
    adl_text t;
  };
} adl_expr_value;

typedef struct adl_expr_node {
  uint8_t kind;           /* adl_expr_kind */
  bool category;          /* an INT that is an id */
  bool constant;          /* `value`, `kernel` is NULL */
  int32_t input;          /* a column: index into the inputs; -1: none */
  int32_t offset, length; /* in the text */
  adl_expr_value value;
  adl_expr_kernel kernel;
  const void *payload;
  int32_t first_arg, arg_count; /* in `args` of the builder or expression */
  int32_t reg;                  /* set when the program is finished; -1: nobody uses this node */
} adl_expr_node;

typedef struct adl_expr_source {
  int32_t number; /* of the scope */
  adl_type type;
} adl_expr_source;

struct adl_expr {
  int32_t node_count, input_count, root;
  adl_expr_node *nodes;
  int32_t *args;
  adl_expr_source *inputs;
  int32_t register_count;
  uint8_t *register_width; /* bytes a row: 0, 1, 8, 16 */
  adl_type type;
  GStringChunk *strings; /* of constants */
  GPtrArray *payloads;
};

/* Texts in the making. One per expression; several may share one scope and one count of problems. */
typedef struct adl_expr_builder {
  const adl_expr_scope *scope;
  int32_t *problem_count;
  GArray *nodes, *args, *inputs;
  GStringChunk *strings;
  GPtrArray *payloads;
} adl_expr_builder;

typedef struct adl_expr_span {
  int32_t offset, length;
} adl_expr_span;

static inline adl_expr_node *adl_expr_node_at(const adl_expr_builder *builder, int32_t node) {
  return &g_array_index(builder->nodes, adl_expr_node, node);
}

/* ----------------------------------------------------------------------------------------------------- lexing ---- */

typedef enum adl_expr_token_kind {
  ADL_TOKEN_END,
  ADL_TOKEN_NAME,   /* text: the name */
  ADL_TOKEN_QUOTED, /* a name in backticks, never a word of the language */
  ADL_TOKEN_STRING, /* text: the value */
  ADL_TOKEN_INT,    /* integer, or too_big by one: 9223372036854775808, which only a minus sign makes legal */
  ADL_TOKEN_FLOAT,
  ADL_TOKEN_SIGN /* text: an operator, a bracket, a comma */
} adl_expr_token_kind;

typedef struct adl_expr_token {
  adl_expr_token_kind kind;
  adl_expr_span span;
  int64_t integer;
  double number;
  bool too_big;
  GString *text;
} adl_expr_token;

typedef struct adl_expr_lexer {
  const adl_expr_scope *scope;
  int32_t *problem_count;
  const char *text;
  int32_t size, at;
  adl_expr_token token; /* the one in hand */
  int32_t end;          /* of the token before it */
} adl_expr_lexer;

/* Checks length and UTF-8, and reads the first token. False: a problem has been reported. */
bool adl_expr_lexer_begin(adl_expr_lexer *lexer, const char *text, const adl_expr_scope *scope, int32_t *problem_count);
bool adl_expr_lexer_next(adl_expr_lexer *lexer);
void adl_expr_lexer_end(adl_expr_lexer *lexer);
/* The token in hand is that sign. */
bool adl_expr_lexer_sign(const adl_expr_lexer *lexer, const char *sign);
/* The token in hand is that word of the language, in any case. */
bool adl_expr_lexer_word(const adl_expr_lexer *lexer, const char *word);
/* A few words about the token in hand, for "expected ..., not ...". Free with g_free. */
char *adl_expr_lexer_found(const adl_expr_lexer *lexer);

/* ---------------------------------------------------------------------------------------------------- parsing ---- */

/* Reads one expression from the lexer's token on; stops at what cannot belong to it. -1: a problem was reported that
 * leaves nothing to go on with. */
int32_t adl_expr_parse(adl_expr_lexer *lexer, adl_expr_builder *builder);

/* --------------------------------------------------------------------------------------------------- problems ---- */

void adl_expr_report(const adl_expr_scope *scope, int32_t *problem_count, adl_expr_span span, const char *hint,
                     const char *format, ...) ADL_PRINTF(5, 6);
/* The same; returns a BAD node. */
int32_t adl_expr_bad(adl_expr_builder *builder, adl_expr_span span, const char *hint, const char *format, ...)
    ADL_PRINTF(4, 5);
/* "did you mean `price`?", NULL: nothing is near. Free with g_free. */
char *adl_expr_did_you_mean(const char *wanted, const char *const *names, size_t count);
/* `text` cut to about 40 characters, on one line, for a message. Free with g_free. */
char *adl_expr_cut(const char *text);

/* --------------------------------------------------------------------------------------------------- building ---- */

void adl_expr_builder_begin(adl_expr_builder *builder, const adl_expr_scope *scope, int32_t *problem_count);
void adl_expr_builder_clear(adl_expr_builder *builder);
/* The expression whose root is that node; clears the builder. NULL: a problem has been reported. */
adl_expr *adl_expr_finish(adl_expr_builder *builder, int32_t root);

/* Nodes. All of these return the number of a node, BAD ones included; spans are of the whole node. */
int32_t adl_expr_constant_node(adl_expr_builder *builder, adl_expr_span span, adl_expr_kind kind, adl_expr_value value);
int32_t adl_expr_column_node(adl_expr_builder *builder, adl_expr_span span, const char *name);
/* Runs at once when every argument is constant and `fold`. */
int32_t adl_expr_kernel_node(adl_expr_builder *builder, adl_expr_span span, adl_expr_kind kind, bool category,
                             adl_expr_kernel kernel, const void *payload, const int32_t *args, int32_t count,
                             bool fold);
int32_t adl_expr_compare_node(adl_expr_builder *builder, adl_expr_span span, adl_expr_span sign_span, const char *sign,
                              int32_t left, int32_t right);
int32_t adl_expr_arithmetic_node(adl_expr_builder *builder, adl_expr_span span, adl_expr_span sign_span, char sign,
                                 int32_t left, int32_t right);
int32_t adl_expr_negate_node(adl_expr_builder *builder, adl_expr_span span, int32_t operand);
int32_t adl_expr_logic_node(adl_expr_builder *builder, adl_expr_span span, const char *word, int32_t left,
                            int32_t right);
int32_t adl_expr_not_node(adl_expr_builder *builder, adl_expr_span span, int32_t operand);
int32_t adl_expr_is_null_node(adl_expr_builder *builder, adl_expr_span span, int32_t operand, bool negated);
int32_t adl_expr_in_node(adl_expr_builder *builder, adl_expr_span span, int32_t operand, const int32_t *items,
                         int32_t count, bool negated);
int32_t adl_expr_call_node(adl_expr_builder *builder, adl_expr_span span, adl_expr_span name_span, const char *name,
                           int32_t *args, int32_t count);

/* The node as that kind, through an implicit conversion if need be: null to anything, INT to FLOAT, a constant string
 * to TIME, INT that is an id to nothing else. BAD, reported as "`what` needs ..., and this is ...", if there is none. */
int32_t adl_expr_coerce(adl_expr_builder *builder, int32_t node, adl_expr_kind kind, const char *what);
/* Brings `args` to one kind, which is returned; BAD if there is none (reported, or an argument was BAD). */
adl_expr_kind adl_expr_unify(adl_expr_builder *builder, int32_t *args, int32_t count, const char *what, bool *category);
const char *adl_expr_kind_name(const adl_expr_node *node); /* "a number", "a string" */
static inline adl_expr_span adl_expr_span_of(const adl_expr_builder *builder, int32_t node) {
  adl_expr_span span = {adl_expr_node_at(builder, node)->offset, adl_expr_node_at(builder, node)->length};
  return span;
}

/* ---------------------------------------------------------------------------------------------------- kernels ---- */

/* Sorted lists of constants that `in` looks in. */
typedef struct adl_expr_set {
  int32_t count;
  union {
    int64_t *i;
    double *f;
    adl_text *t;
    void *items;
  };
} adl_expr_set;

int adl_expr_text_compare(adl_text a, adl_text b); /* by bytes */

/* kernels.c: conversions, arithmetic, comparison (payload: one of "<", "<=", "=", "!=", ">", ">="), logic, choice */
adl_expr_kernel_function adl_expr_int_to_float, adl_expr_bool_to_int, adl_expr_float_to_int;
adl_expr_kernel_function adl_expr_add_int, adl_expr_subtract_int, adl_expr_multiply_int, adl_expr_modulo_int,
    adl_expr_negate_int, adl_expr_absolute_int;
adl_expr_kernel_function adl_expr_add_float, adl_expr_subtract_float, adl_expr_multiply_float, adl_expr_divide_float,
    adl_expr_modulo_float, adl_expr_negate_float, adl_expr_absolute_float;
adl_expr_kernel_function adl_expr_compare_int, adl_expr_compare_float, adl_expr_compare_bool, adl_expr_compare_text;
adl_expr_kernel_function adl_expr_and, adl_expr_or, adl_expr_not, adl_expr_is_null, adl_expr_is_not_null;
adl_expr_kernel_function adl_expr_if_1, adl_expr_if_8, adl_expr_if_16; /* by bytes of a value */
adl_expr_kernel_function adl_expr_coalesce_1, adl_expr_coalesce_8, adl_expr_coalesce_16;
adl_expr_kernel_function adl_expr_in_int, adl_expr_in_float, adl_expr_in_text; /* payload: adl_expr_set */
adl_expr_kernel_function adl_expr_least_int, adl_expr_least_float, adl_expr_least_text;
adl_expr_kernel_function adl_expr_greatest_int, adl_expr_greatest_float, adl_expr_greatest_text;

/* kernels_math.c */
adl_expr_kernel_function adl_expr_log, adl_expr_log1p, adl_expr_exp, adl_expr_sqrt, adl_expr_pow, adl_expr_floor,
    adl_expr_ceil, adl_expr_round, adl_expr_round_to;

/* log1p.c: log(1 + x), NaN at -1 and below; and the same by portable code only, for tests. */
void adl_expr_log1p_values(const double *from, double *to, int64_t rows);
void adl_expr_log1p_plain(const double *from, double *to, int64_t rows);

/* kernels_text.c */
adl_expr_kernel_function adl_expr_lower, adl_expr_upper, adl_expr_trim, adl_expr_length, adl_expr_length_bytes,
    adl_expr_contains, adl_expr_starts_with, adl_expr_ends_with, adl_expr_concat, adl_expr_number_of_text;
adl_expr_kernel_function adl_expr_text_of_bool, adl_expr_text_of_int, adl_expr_text_of_float, adl_expr_text_of_time;

/* kernels_time.c */
adl_expr_kernel_function adl_expr_year, adl_expr_month, adl_expr_day, adl_expr_hour, adl_expr_minute, adl_expr_weekday,
    adl_expr_date, adl_expr_days_between, adl_expr_add_days, adl_expr_time_of_text, adl_expr_now;

/* The rows where every argument is valid. Returns whether any may be null. */
static inline bool adl_expr_valid_and(adl_expr_vector *const *args, int32_t count, adl_expr_vector *out, int64_t rows) {
  uint8_t *restrict to = out->own_valid;
  out->valid = NULL;
  for (int32_t at = 0; at < count; at++) {
    const uint8_t *valid = args[at]->valid;
    if (valid == NULL) continue;
    if (out->valid == NULL)
      memcpy(to, valid, (size_t)rows);
    else
      for (int64_t row = 0; row < rows; row++) to[row] &= valid[row];
    out->valid = to;
  }
  return out->valid != NULL;
}

/* The validity of a result that some rows may lack, for writing: all as they are, or all valid. */
static inline uint8_t *adl_expr_valid_write(adl_expr_vector *out, int64_t rows) {
  if (out->valid == NULL) {
    out->valid = out->own_valid;
    memset(out->valid, 1, (size_t)rows);
  }
  return out->valid;
}

static inline int32_t adl_expr_kind_width(adl_expr_kind kind) {
  switch (kind) {
    case ADL_EXPR_BOOL: return 1;
    case ADL_EXPR_INT:
    case ADL_EXPR_FLOAT:
    case ADL_EXPR_TIME: return 8;
    case ADL_EXPR_STRING:
    case ADL_EXPR_BYTES: return 16;
    default: return 0;
  }
}

/* ------------------------------------------------------------------------------------------------------ times ---- */

#define ADL_EXPR_DAY_US INT64_C(86400000000)

typedef struct adl_expr_civil {
  int64_t year;
  int32_t month, day, hour, minute, second, microsecond;
} adl_expr_civil;

/* "2024-06-01", "2024-06-01 12:00", "2024-06-01T12:00:00.25Z", "... +02:00": microseconds UTC. */
bool adl_expr_time_parse(const char *text, int64_t size, int64_t *us);
adl_expr_civil adl_expr_time_civil(int64_t us);
/* Writes "2024-06-01T12:00:00Z", with .ffffff if it has a fraction, as adl_array_text does; returns the length. */
int adl_expr_time_text(int64_t us, char buffer[48]);

/* Computes a node whose arguments are all constants, and makes it a constant. */
void adl_expr_fold(adl_expr_builder *builder, int32_t node);

#endif
