/* Kernels of conversion, arithmetic, comparison, logic and choice: loops over one chunk of rows. Called by evaluate.c.
 * Loops run over null rows too, whose data is harmless, so that they have no branches. */
#include <math.h>
#include <string.h>

#include "core/expr/internal.h"

#define UNUSED (void)run, (void)payload, (void)count

/* Where the values of an argument and of the result lie. They never overlap, which the compiler cannot know. */
#define FROM(at, field) const __typeof__(*args[at]->field) *restrict from_##at = args[at]->field
#define TO(field) __typeof__(*out->field) *restrict to = out->field

/* One result for every row from one argument; null where the argument is. */
#define UNARY(name, from, into, expression)                                                                            \
  ADL_EXPR_LOOPS void name(ADL_EXPR_KERNEL_ARGS) {                                                                     \
    FROM(0, from);                                                                                                     \
    TO(into);                                                                                                          \
    UNUSED;                                                                                                            \
    for (int64_t row = 0; row < rows; row++) {                                                                         \
      __typeof__(*from_0) a = from_0[row];                                                                             \
      to[row] = (__typeof__(*to))(expression);                                                                         \
    }                                                                                                                  \
    adl_expr_valid_and(args, 1, out, rows);                                                                            \
  }

UNARY(adl_expr_int_to_float, i, f, (double)a)
UNARY(adl_expr_bool_to_int, b, i, a)
UNARY(adl_expr_negate_float, f, f, -a)
UNARY(adl_expr_absolute_float, f, f, fabs(a))
UNARY(adl_expr_not, b, b, a ^ 1)

/* As above, with a test on which rows have a result. */
#define UNARY_PARTIAL(name, from, into, expression, condition)                                                         \
  ADL_EXPR_LOOPS void name(ADL_EXPR_KERNEL_ARGS) {                                                                     \
    FROM(0, from);                                                                                                     \
    TO(into);                                                                                                          \
    UNUSED;                                                                                                            \
    adl_expr_valid_and(args, 1, out, rows);                                                                            \
    uint8_t *restrict valid = adl_expr_valid_write(out, rows);                                                         \
    for (int64_t row = 0; row < rows; row++) {                                                                         \
      __typeof__(*from_0) a = from_0[row];                                                                             \
      bool fine = (condition);                                                                                         \
      valid[row] = (uint8_t)(valid[row] & fine);                                                                       \
      to[row] = fine ? (expression) : 0;                                                                               \
    }                                                                                                                  \
  }

UNARY_PARTIAL(adl_expr_negate_int, i, i, -a, a != INT64_MIN)
UNARY_PARTIAL(adl_expr_absolute_int, i, i, a < 0 ? -a : a, a != INT64_MIN)
/* -2^63 and 2^63 are float64 values; the first fits. */
UNARY_PARTIAL(adl_expr_float_to_int, f, i, (int64_t)a, a >= -9223372036854775808.0 && a < 9223372036854775808.0)

/* int64: what overflows is null. */
#define BINARY_INT(name, builtin)                                                                                      \
  ADL_EXPR_LOOPS void name(ADL_EXPR_KERNEL_ARGS) {                                                                     \
    FROM(0, i);                                                                                                        \
    FROM(1, i);                                                                                                        \
    TO(i);                                                                                                             \
    UNUSED;                                                                                                            \
    bool any = false;                                                                                                  \
    adl_expr_valid_and(args, 2, out, rows);                                                                            \
    for (int64_t row = 0; row < rows; row++) any |= builtin(from_0[row], from_1[row], &to[row]);                       \
    if (!any) return;                                                                                                  \
    uint8_t *valid = adl_expr_valid_write(out, rows);                                                                  \
    for (int64_t row = 0; row < rows; row++) {                                                                         \
      valid[row] = (uint8_t)(valid[row] & !builtin(from_0[row], from_1[row], &to[row]));                               \
    }                                                                                                                  \
  }

BINARY_INT(adl_expr_add_int, __builtin_add_overflow)
BINARY_INT(adl_expr_subtract_int, __builtin_sub_overflow)
BINARY_INT(adl_expr_multiply_int, __builtin_mul_overflow)

void adl_expr_modulo_int(ADL_EXPR_KERNEL_ARGS) {
  UNUSED;
  adl_expr_valid_and(args, 2, out, rows);
  for (int64_t row = 0; row < rows; row++) {
    int64_t divisor = args[1]->i[row];
    if (divisor == 0) adl_expr_valid_write(out, rows)[row] = 0;
    out->i[row] = divisor == 0 || divisor == -1 ? 0 : args[0]->i[row] % divisor;
  }
}

/* float64: what is not finite is null. x - x is 0 for what is finite and NaN for the rest. */
#define BINARY_FLOAT(name, expression)                                                                                 \
  ADL_EXPR_LOOPS void name(ADL_EXPR_KERNEL_ARGS) {                                                                     \
    FROM(0, f);                                                                                                        \
    FROM(1, f);                                                                                                        \
    TO(f);                                                                                                             \
    UNUSED;                                                                                                            \
    int64_t bad = 0;                                                                                                   \
    adl_expr_valid_and(args, 2, out, rows);                                                                            \
    for (int64_t row = 0; row < rows; row++) {                                                                         \
      double a = from_0[row], b = from_1[row], r = (expression);                                                       \
      to[row] = r;                                                                                                     \
      bad |= !(r - r == 0.0);                                                                                          \
    }                                                                                                                  \
    if (bad == 0) return;                                                                                              \
    uint8_t *valid = adl_expr_valid_write(out, rows);                                                                  \
    for (int64_t row = 0; row < rows; row++) {                                                                         \
      if (to[row] - to[row] == 0.0) continue;                                                                          \
      valid[row] = 0;                                                                                                  \
      to[row] = 0.0;                                                                                                   \
    }                                                                                                                  \
  }

BINARY_FLOAT(adl_expr_add_float, a + b)
BINARY_FLOAT(adl_expr_subtract_float, a - b)
BINARY_FLOAT(adl_expr_multiply_float, a *b)
BINARY_FLOAT(adl_expr_divide_float, a / b)
BINARY_FLOAT(adl_expr_modulo_float, fmod(a, b))

/* ------------------------------------------------------------------------------------------------- comparison ---- */

/* Six loops of one comparison each; the choice stands outside of them. */
#define COMPARE(name, field, left, right)                                                                              \
  ADL_EXPR_LOOPS void name(ADL_EXPR_KERNEL_ARGS) {                                                                     \
    const char *sign = payload;                                                                                        \
    FROM(0, field);                                                                                                    \
    FROM(1, field);                                                                                                    \
    TO(b);                                                                                                             \
    UNUSED;                                                                                                            \
    adl_expr_valid_and(args, 2, out, rows);                                                                            \
    if (strcmp(sign, "=") == 0)                                                                                        \
      COMPARE_LOOP(field, left, ==, right)                                                                             \
    else if (strcmp(sign, "!=") == 0)                                                                                  \
      COMPARE_LOOP(field, left, !=, right)                                                                             \
    else if (strcmp(sign, "<") == 0)                                                                                   \
      COMPARE_LOOP(field, left, <, right)                                                                              \
    else if (strcmp(sign, "<=") == 0)                                                                                  \
      COMPARE_LOOP(field, left, <=, right)                                                                             \
    else if (strcmp(sign, ">") == 0)                                                                                   \
      COMPARE_LOOP(field, left, >, right)                                                                              \
    else                                                                                                               \
      COMPARE_LOOP(field, left, >=, right)                                                                             \
  }
#define COMPARE_LOOP(field, left, operator, right)                                                                     \
  {                                                                                                                    \
    for (int64_t row = 0; row < rows; row++) {                                                                         \
      __typeof__(*from_0) a = from_0[row], b = from_1[row];                                                            \
      to[row] = (uint8_t)((left) operator(right));                                                                     \
    }                                                                                                                  \
  }

COMPARE(adl_expr_compare_int, i, a, b)
COMPARE(adl_expr_compare_float, f, a, b)
COMPARE(adl_expr_compare_bool, b, a, b)

int adl_expr_text_compare(adl_text a, adl_text b) {
  int32_t shorter = a.size < b.size ? a.size : b.size;
  int order = shorter == 0 ? 0 : memcmp(a.data, b.data, (size_t)shorter);
  return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static bool text_equal(adl_text a, adl_text b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, (size_t)a.size) == 0);
}

void adl_expr_compare_text(ADL_EXPR_KERNEL_ARGS) {
  const char *sign = payload;
  const adl_text *a = args[0]->t, *b = args[1]->t;
  UNUSED;
  adl_expr_valid_and(args, 2, out, rows);
  bool equality = *sign == '=' || *sign == '!', negated = *sign == '!';
  bool less = *sign == '<', or_equal = sign[1] == '=';
  for (int64_t row = 0; row < rows; row++) {
    if (equality) {
      out->b[row] = text_equal(a[row], b[row]) != negated;
    } else {
      int order = adl_expr_text_compare(a[row], b[row]);
      out->b[row] = order == 0 ? or_equal : (order < 0) == less;
    }
  }
}

/* ------------------------------------------------------------------------------------------------------ logic ---- */

/* false beats null: null rows count as true for the value, and a valid false makes the row valid. */
ADL_EXPR_LOOPS void adl_expr_and(ADL_EXPR_KERNEL_ARGS) {
  const uint8_t *a = args[0]->b, *b = args[1]->b, *a_valid = args[0]->valid, *b_valid = args[1]->valid;
  TO(b);
  UNUSED;
  out->valid = NULL;
  if (a_valid == NULL && b_valid == NULL) {
    for (int64_t row = 0; row < rows; row++) to[row] = a[row] & b[row];
    return;
  }
  uint8_t *restrict valid = out->valid = out->own_valid;
  for (int64_t row = 0; row < rows; row++) {
    uint8_t va = a_valid == NULL ? 1 : a_valid[row], vb = b_valid == NULL ? 1 : b_valid[row];
    to[row] = (uint8_t)((a[row] | (va ^ 1)) & (b[row] | (vb ^ 1)));
    valid[row] = (uint8_t)((va & vb) | (va & (a[row] ^ 1)) | (vb & (b[row] ^ 1)));
  }
}

/* true beats null. */
ADL_EXPR_LOOPS void adl_expr_or(ADL_EXPR_KERNEL_ARGS) {
  const uint8_t *a = args[0]->b, *b = args[1]->b, *a_valid = args[0]->valid, *b_valid = args[1]->valid;
  TO(b);
  UNUSED;
  out->valid = NULL;
  if (a_valid == NULL && b_valid == NULL) {
    for (int64_t row = 0; row < rows; row++) to[row] = a[row] | b[row];
    return;
  }
  uint8_t *restrict valid = out->valid = out->own_valid;
  for (int64_t row = 0; row < rows; row++) {
    uint8_t va = a_valid == NULL ? 1 : a_valid[row], vb = b_valid == NULL ? 1 : b_valid[row];
    to[row] = (uint8_t)((a[row] & va) | (b[row] & vb));
    valid[row] = (uint8_t)((va & vb) | (va & a[row]) | (vb & b[row]));
  }
}

void adl_expr_is_null(ADL_EXPR_KERNEL_ARGS) {
  UNUSED;
  out->valid = NULL;
  for (int64_t row = 0; row < rows; row++) out->b[row] = args[0]->valid != NULL && !args[0]->valid[row];
}

void adl_expr_is_not_null(ADL_EXPR_KERNEL_ARGS) {
  UNUSED;
  out->valid = NULL;
  for (int64_t row = 0; row < rows; row++) out->b[row] = args[0]->valid == NULL || args[0]->valid[row];
}

/* ----------------------------------------------------------------------------------------------------- choice ---- */

/* Eight bytes of whatever kind. */
typedef uint64_t word __attribute__((__may_alias__));

#define IF(name, type)                                                                                                 \
  ADL_EXPR_LOOPS void name(ADL_EXPR_KERNEL_ARGS) {                                                                     \
    const adl_expr_vector *condition = args[0], *yes = args[1], *no = args[2];                                         \
    const type *yes_data = yes->data, *no_data = no->data;                                                             \
    type *restrict data = out->data;                                                                                   \
    const uint8_t *taken = condition->b, *known = condition->valid == NULL ? taken : condition->valid;                 \
    UNUSED;                                                                                                            \
    for (int64_t row = 0; row < rows; row++) data[row] = (taken[row] & known[row]) ? yes_data[row] : no_data[row];     \
    out->valid = NULL;                                                                                                 \
    if (yes->valid == NULL && no->valid == NULL) return;                                                               \
    uint8_t *restrict valid = out->valid = out->own_valid;                                                             \
    for (int64_t row = 0; row < rows; row++) {                                                                         \
      const uint8_t *from = (taken[row] & known[row]) ? yes->valid : no->valid;                                        \
      valid[row] = from == NULL ? 1 : from[row];                                                                       \
    }                                                                                                                  \
  }

IF(adl_expr_if_1, uint8_t)
IF(adl_expr_if_8, word)
IF(adl_expr_if_16, adl_text)

#define COALESCE(name, type)                                                                                           \
  ADL_EXPR_LOOPS void name(ADL_EXPR_KERNEL_ARGS) {                                                                     \
    type *data = out->data;                                                                                            \
    UNUSED;                                                                                                            \
    memcpy(data, args[0]->data, (size_t)rows * sizeof(type));                                                          \
    adl_expr_valid_and(args, 1, out, rows);                                                                            \
    for (int32_t at = 1; at < count && out->valid != NULL; at++) {                                                     \
      const type *other = args[at]->data;                                                                              \
      const uint8_t *valid = args[at]->valid;                                                                          \
      for (int64_t row = 0; row < rows; row++) {                                                                       \
        if (!out->valid[row]) data[row] = other[row];                                                                  \
        if (valid != NULL) out->valid[row] |= valid[row];                                                              \
      }                                                                                                                \
      if (valid == NULL) out->valid = NULL;                                                                            \
    }                                                                                                                  \
  }

COALESCE(adl_expr_coalesce_1, uint8_t)
COALESCE(adl_expr_coalesce_8, word)
COALESCE(adl_expr_coalesce_16, adl_text)

#define EXTREME(name, field, better)                                                                                   \
  ADL_EXPR_LOOPS void name(ADL_EXPR_KERNEL_ARGS) {                                                                     \
    FROM(0, field);                                                                                                    \
    TO(field);                                                                                                         \
    UNUSED;                                                                                                            \
    for (int64_t row = 0; row < rows; row++) to[row] = from_0[row];                                                    \
    for (int32_t at = 1; at < count; at++) {                                                                           \
      const __typeof__(*from_0) *restrict from = args[at]->field;                                                      \
      for (int64_t row = 0; row < rows; row++) {                                                                       \
        __typeof__(*from_0) a = from[row], b = to[row];                                                                \
        to[row] = (better) ? a : b;                                                                                    \
      }                                                                                                                \
    }                                                                                                                  \
    adl_expr_valid_and(args, count, out, rows);                                                                        \
  }

EXTREME(adl_expr_least_int, i, a < b)
EXTREME(adl_expr_least_float, f, a < b)
EXTREME(adl_expr_least_text, t, adl_expr_text_compare(a, b) < 0)
EXTREME(adl_expr_greatest_int, i, a > b)
EXTREME(adl_expr_greatest_float, f, a > b)
EXTREME(adl_expr_greatest_text, t, adl_expr_text_compare(a, b) > 0)

/* --------------------------------------------------------------------------------------------------------- in ---- */

#define IN(name, field, compared)                                                                                      \
  void name(ADL_EXPR_KERNEL_ARGS) {                                                                                    \
    const adl_expr_set *set = payload;                                                                                 \
    (void)run, (void)count;                                                                                            \
    adl_expr_valid_and(args, 1, out, rows);                                                                            \
    for (int64_t row = 0; row < rows; row++) {                                                                         \
      __typeof__(*args[0]->field) a = args[0]->field[row];                                                             \
      int32_t low = 0, high = set->count; /* the first item that is not below a */                                     \
      while (low < high) {                                                                                             \
        int32_t middle = low + (high - low) / 2;                                                                       \
        __typeof__(a) b = set->field[middle];                                                                          \
        if ((compared) < 0)                                                                                            \
          low = middle + 1;                                                                                            \
        else                                                                                                           \
          high = middle;                                                                                               \
      }                                                                                                                \
      __typeof__(a) b = set->field[low < set->count ? low : 0];                                                        \
      out->b[row] = (compared) == 0;                                                                                   \
    }                                                                                                                  \
  }

IN(adl_expr_in_int, i, (b > a) - (b < a))
IN(adl_expr_in_float, f, (b > a) - (b < a))
IN(adl_expr_in_text, t, adl_expr_text_compare(b, a))
