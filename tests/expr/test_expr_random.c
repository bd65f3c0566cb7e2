/* Random expressions: what the vector kernels compute against a plain evaluation of the same tree row by row, and texts
 * broken at random, which must be refused or evaluated but never do harm. */
#include <math.h>
#include <stdio.h>

#include "core/expr/internal.h"
#include "tests/expr/columns.h"

enum { ROWS = 2600 }; /* three chunks, the last one not full and not a multiple of 8 */

typedef enum kind { BOOL, INT, FLOAT, TIME, STRING, KINDS } kind;

typedef struct value {
  bool null;
  bool b;
  int64_t i;
  double f;
  GString *s; /* of the pool */
} value;

typedef struct tree {
  int op; /* index into `operations`; -1: a column, -2: a constant */
  int column;
  value constant;
  int count;
  struct tree *args[3];
} tree;

static GPtrArray *pool; /* of GString, freed after each expression */
static columns table;
static value cells[10][ROWS];
static const kind column_kinds[10] = {BOOL, BOOL, INT, INT, FLOAT, FLOAT, TIME, TIME, STRING, STRING};
static const char *const column_names[10] = {"b0", "b1", "i0", "i1", "f0", "f1", "t0", "t1", "s0", "s1"};

static GString *pooled(const char *text) {
  GString *string = g_string_new(text);
  g_ptr_array_add(pool, string);
  return string;
}

static void free_string(gpointer string) { g_string_free(string, TRUE); }

/* ---- the plain evaluation ---- */

static value null_value(void) { return (value){.null = true}; }
static value of_bool(bool b) { return (value){.b = b}; }
static value of_int(int64_t i) { return (value){.i = i}; }
static value of_float(double f) { return isfinite(f) ? (value){.f = f} : null_value(); }

static int compare_values(kind k, const value *a, const value *b) {
  switch (k) {
    case BOOL: return (int)a->b - (int)b->b;
    case INT:
    case TIME: return (a->i > b->i) - (a->i < b->i);
    case FLOAT: return (a->f > b->f) - (a->f < b->f);
    default: return strcmp(a->s->str, b->s->str);
  }
}

static int64_t day_of(int64_t us) { return (int64_t)floor((double)us / 86400e6); }

typedef value (*plain)(const value *x, int count);

static value add_int(const value *x, int count) {
  int64_t r;
  (void)count;
  return __builtin_add_overflow(x[0].i, x[1].i, &r) ? null_value() : of_int(r);
}
static value multiply_int(const value *x, int count) {
  int64_t r;
  (void)count;
  return __builtin_mul_overflow(x[0].i, x[1].i, &r) ? null_value() : of_int(r);
}
static value modulo_int(const value *x, int count) {
  (void)count;
  if (x[1].i == 0) return null_value();
  return of_int(x[1].i == -1 ? 0 : x[0].i % x[1].i);
}
static value negate_int(const value *x, int count) {
  (void)count;
  return x[0].i == INT64_MIN ? null_value() : of_int(-x[0].i);
}
static value absolute_int(const value *x, int count) {
  (void)count;
  return x[0].i == INT64_MIN ? null_value() : of_int(x[0].i < 0 ? -x[0].i : x[0].i);
}
static value add_float(const value *x, int count) { return (void)count, of_float(x[0].f + x[1].f); }
static value subtract_float(const value *x, int count) { return (void)count, of_float(x[0].f - x[1].f); }
static value multiply_float(const value *x, int count) { return (void)count, of_float(x[0].f * x[1].f); }
static value divide_float(const value *x, int count) { return (void)count, of_float(x[0].f / x[1].f); }
static value log_of(const value *x, int count) { return (void)count, of_float(log(x[0].f)); }
static value sqrt_of(const value *x, int count) { return (void)count, of_float(sqrt(x[0].f)); }
static value floor_of(const value *x, int count) { return (void)count, of_float(floor(x[0].f)); }
static value to_float(const value *x, int count) { return (void)count, of_float((double)x[0].i); }
static value length_of(const value *x, int count) { return (void)count, of_int(g_utf8_strlen(x[0].s->str, -1)); }
static value contains(const value *x, int count) {
  return (void)count, of_bool(strstr(x[0].s->str, x[1].s->str) != NULL);
}
static value starts_with(const value *x, int count) {
  return (void)count, of_bool(g_str_has_prefix(x[0].s->str, x[1].s->str));
}
static value concat(const value *x, int count) {
  value r = {.s = pooled("")};
  for (int i = 0; i < count; i++) g_string_append(r.s, x[i].s->str);
  return r;
}
static value lower(const value *x, int count) {
  char *text = g_utf8_strdown(x[0].s->str, -1);
  value r = {.s = pooled(text)};
  g_free(text);
  return (void)count, r;
}
static value string_of_int(const value *x, int count) {
  value r = {.s = pooled("")};
  g_string_printf(r.s, "%" G_GINT64_FORMAT, x[0].i);
  return (void)count, r;
}
static value days_between(const value *x, int count) {
  return (void)count, of_float((double)(x[1].i - x[0].i) / 86400e6);
}
static value date(const value *x, int count) { return (void)count, of_int(day_of(x[0].i) * INT64_C(86400000000)); }
static value part_of_time(const value *x, int part) {
  GDateTime *time = g_date_time_new_from_unix_utc((gint64)floor((double)x[0].i / 1e6));
  int64_t parts[] = {g_date_time_get_year(time), g_date_time_get_month(time), g_date_time_get_hour(time),
                     g_date_time_get_day_of_week(time)};
  g_date_time_unref(time);
  return of_int(parts[part]);
}
static value year(const value *x, int count) { return (void)count, part_of_time(x, 0); }
static value month(const value *x, int count) { return (void)count, part_of_time(x, 1); }
static value hour(const value *x, int count) { return (void)count, part_of_time(x, 2); }
static value weekday(const value *x, int count) { return (void)count, part_of_time(x, 3); }

/* Arguments are written where %a, %b, %c stand. `apply` NULL: what needs nulls is done in `evaluate` by name. ANY takes
 * one kind for all arguments that are ANY (and for the result). */
enum { ANY = KINDS };
typedef struct operation {
  const char *text;
  int result, count;
  int args[3];
  plain apply;
} operation;

static const operation operations[] = {
    {"%a + %b", INT, 2, {INT, INT}, add_int},
    {"%a * %b", INT, 2, {INT, INT}, multiply_int},
    {"%a % %b", INT, 2, {INT, INT}, modulo_int},
    {"-%a", INT, 1, {INT}, negate_int},
    {"abs(%a)", INT, 1, {INT}, absolute_int},
    {"%a + %b", FLOAT, 2, {FLOAT, FLOAT}, add_float},
    {"%a - %b", FLOAT, 2, {FLOAT, FLOAT}, subtract_float},
    {"%a * %b", FLOAT, 2, {FLOAT, FLOAT}, multiply_float},
    {"%a / %b", FLOAT, 2, {FLOAT, FLOAT}, divide_float},
    {"log(%a)", FLOAT, 1, {FLOAT}, log_of},
    {"sqrt(%a)", FLOAT, 1, {FLOAT}, sqrt_of},
    {"floor(%a)", FLOAT, 1, {FLOAT}, floor_of},
    {"(%a + 0.0)", FLOAT, 1, {INT}, to_float},
    {"length(%a)", INT, 1, {STRING}, length_of},
    {"contains(%a, %b)", BOOL, 2, {STRING, STRING}, contains},
    {"starts_with(%a, %b)", BOOL, 2, {STRING, STRING}, starts_with},
    {"concat(%a, %b)", STRING, 2, {STRING, STRING}, concat},
    {"lower(%a)", STRING, 1, {STRING}, lower},
    {"string(%a)", STRING, 1, {INT}, string_of_int},
    {"days_between(%a, %b)", FLOAT, 2, {TIME, TIME}, days_between},
    {"date(%a)", TIME, 1, {TIME}, date},
    {"year(%a)", INT, 1, {TIME}, year},
    {"month(%a)", INT, 1, {TIME}, month},
    {"hour(%a)", INT, 1, {TIME}, hour},
    {"weekday(%a)", INT, 1, {TIME}, weekday},
    {"%a = %b", BOOL, 2, {ANY, ANY}, NULL},
    {"%a <> %b", BOOL, 2, {ANY, ANY}, NULL},
    {"%a < %b", BOOL, 2, {ANY, ANY}, NULL},
    {"%a <= %b", BOOL, 2, {ANY, ANY}, NULL},
    {"%a > %b", BOOL, 2, {ANY, ANY}, NULL},
    {"%a >= %b", BOOL, 2, {ANY, ANY}, NULL},
    {"%a between %b and %c", BOOL, 3, {ANY, ANY, ANY}, NULL},
    {"%a and %b", BOOL, 2, {BOOL, BOOL}, NULL},
    {"%a or %b", BOOL, 2, {BOOL, BOOL}, NULL},
    {"not %a", BOOL, 1, {BOOL}, NULL},
    {"%a is null", BOOL, 1, {ANY}, NULL},
    {"%a is not null", BOOL, 1, {ANY}, NULL},
    {"if(%a, %b, %c)", ANY, 3, {BOOL, ANY, ANY}, NULL},
    {"coalesce(%a, %b, %c)", ANY, 3, {ANY, ANY, ANY}, NULL},
    {"min(%a, %b)", ANY, 2, {ANY, ANY}, NULL},
    {"max(%a, %b, %c)", ANY, 3, {ANY, ANY, ANY}, NULL},
};

static kind tree_kind(const tree *t);

static kind any_kind(const tree *t) {
  const operation *o = &operations[t->op];
  for (int i = 0; i < o->count; i++) {
    if (o->args[i] == ANY) return tree_kind(t->args[i]);
  }
  return BOOL;
}

static kind tree_kind(const tree *t) {
  if (t->op == -1) return column_kinds[t->column];
  if (t->op == -2) return (kind)t->column;
  return operations[t->op].result == ANY ? any_kind(t) : (kind)operations[t->op].result;
}

static value and_of(value a, value b) {
  if ((!a.null && !a.b) || (!b.null && !b.b)) return of_bool(false);
  return a.null || b.null ? null_value() : of_bool(true);
}

static value not_of(value a) { return a.null ? a : of_bool(!a.b); }

static value compare_of(const char *sign, kind k, const value *a, const value *b) {
  if (a->null || b->null) return null_value();
  int order = compare_values(k, a, b);
  if (strcmp(sign, "=") == 0) return of_bool(order == 0);
  if (strcmp(sign, "<>") == 0) return of_bool(order != 0);
  bool less = sign[0] == '<', equal = sign[1] == '=';
  return of_bool((less ? order < 0 : order > 0) || (equal && order == 0));
}

static value evaluate(const tree *t, int row) {
  value x[3];
  if (t->op == -1) return cells[t->column][row];
  if (t->op == -2) return t->constant;
  const operation *o = &operations[t->op];
  bool any_null = false;
  for (int i = 0; i < o->count; i++) {
    x[i] = evaluate(t->args[i], row);
    any_null = any_null || x[i].null;
  }
  if (o->apply != NULL) return any_null ? null_value() : o->apply(x, o->count);
  kind k = any_kind(t);
  const char *text = o->text;
  if (strcmp(text, "%a and %b") == 0) return and_of(x[0], x[1]);
  if (strcmp(text, "%a or %b") == 0) return not_of(and_of(not_of(x[0]), not_of(x[1])));
  if (strcmp(text, "not %a") == 0) return not_of(x[0]);
  if (strcmp(text, "%a is null") == 0) return of_bool(x[0].null);
  if (strcmp(text, "%a is not null") == 0) return of_bool(!x[0].null);
  if (g_str_has_prefix(text, "if")) return !x[0].null && x[0].b ? x[1] : x[2];
  if (g_str_has_prefix(text, "coalesce")) return !x[0].null ? x[0] : !x[1].null ? x[1] : x[2];
  if (strstr(text, "between") != NULL) {
    return and_of(compare_of(">=", k, &x[0], &x[1]), compare_of("<=", k, &x[0], &x[2]));
  }
  if (g_str_has_prefix(text, "m")) {
    int best = 0;
    for (int i = 1; i < o->count && !any_null; i++) {
      int order = compare_values(k, &x[i], &x[best]);
      if (text[1] == 'i' ? order < 0 : order > 0) best = i;
    }
    return any_null ? null_value() : x[best];
  }
  char sign[3] = {text[3], text[4] == ' ' ? '\0' : text[4], '\0'};
  return compare_of(sign, k, &x[0], &x[1]);
}

/* ---- random columns, trees and texts ---- */

static const int64_t odd_ints[] = {0, 1, -1, INT64_MAX, INT64_MIN, 1000003, -7};
static const double odd_floats[] = {0, 1, -1, 0.5, 1e300, -1e300, 1e-300, 3, -2.25};
static const char *const odd_strings[] = {"", "a", "ab", "abc", "B", "b\xc3\xa4", "\xc3\x84", "  ", "zz top"};

static value random_value(kind k, GRand *rand) {
  value v = {.null = false};
  switch (k) {
    case BOOL: v.b = g_rand_boolean(rand); break;
    case INT:
      v.i = g_rand_int_range(rand, 0, 4) == 0 ? odd_ints[g_rand_int_range(rand, 0, 7)] : g_rand_int_range(rand, -5, 6);
      break;
    case FLOAT:
      v.f = g_rand_boolean(rand) ? odd_floats[g_rand_int_range(rand, 0, 9)] : g_rand_double_range(rand, -3, 3);
      break;
    case TIME: /* whole minutes between 1938 and 2065: far inside what GLib's calendar and a double can do */
      v.i = (int64_t)g_rand_int_range(rand, -16000000, 50000000) * 60000000;
      break;
    default: v.s = pooled(odd_strings[g_rand_int_range(rand, 0, 9)]); break;
  }
  return v;
}

static void make_columns(GRand *rand) {
  static const adl_element elements[] = {ADL_BOOL, ADL_INT64, ADL_FLOAT64, ADL_TIMESTAMP, ADL_STRING};
  for (int c = 0; c < 10; c++) {
    kind k = column_kinds[c];
    bool nulls = c % 2 == 0; /* the other of each pair has none */
    adl_builder *builder = adl_builder_new(adl_type_scalar(elements[k], k == STRING ? ADL_CATEGORY : ADL_NUMBER));
    adl_buffers to;
    ck_assert(adl_builder_reserve(builder, ROWS, 0, ROWS * 8, &to));
    for (int row = 0; row < ROWS; row++) {
      value v = random_value(k, rand);
      v.null = nulls && g_rand_int_range(rand, 0, 4) == 0;
      if (v.null) adl_bit_set(to.validity, row, false);
      if (k == BOOL)
        adl_bit_set(to.data, row, v.b);
      else if (k == FLOAT)
        ((double *)to.data)[row] = v.f;
      else if (k != STRING)
        ((int64_t *)to.data)[row] = v.i;
      if (k == FLOAT && nulls && g_rand_int_range(rand, 0, 9) == 0) { /* NaN is null */
        ((double *)to.data)[row] = (double)NAN;
        v.null = true;
      }
      if (k == STRING) {
        size_t size = v.null ? 0 : v.s->len;
        memcpy((char *)to.data + to.string_offsets[row], v.s->str, size);
        to.string_offsets[row + 1] = to.string_offsets[row] + (int32_t)size;
      }
      cells[c][row] = v;
    }
    columns_add_array(&table, column_names[c], adl_builder_finish(builder, ROWS, NULL));
  }
}

static tree *random_tree(kind k, int depth, GRand *rand) {
  tree *t = g_new0(tree, 1);
  int choice = g_rand_int_range(rand, 0, 10);
  if (depth == 0 || choice < 2) {
    t->op = choice % 3 == 0 && k != BOOL ? -2 : -1;
    t->column = t->op == -1 ? (int)k * 2 + g_rand_int_range(rand, 0, 2) : (int)k;
    if (t->op == -2) t->constant = random_value(k, rand);
    return t;
  }
  const operation *o;
  kind any;
  bool ordered; /* true and false have no order */
  do {
    t->op = g_rand_int_range(rand, 0, (gint32)(sizeof operations / sizeof *operations));
    o = &operations[t->op];
    any = o->result == ANY ? k : (kind)g_rand_int_range(rand, 0, KINDS);
    ordered = strpbrk(o->text, "<>") != NULL || strstr(o->text, "between") != NULL || g_str_has_prefix(o->text, "m");
  } while ((o->result != (int)k && o->result != ANY) || (ordered && any == BOOL));
  for (int i = 0; i < o->count; i++) {
    t->args[i] = random_tree(o->args[i] == ANY ? any : (kind)o->args[i], depth - 1, rand);
  }
  return t;
}

static void free_tree(tree *t) {
  for (int i = 0; i < 3; i++) {
    if (t->args[i] != NULL) free_tree(t->args[i]);
  }
  g_free(t);
}

static void write_constant(const tree *t, GString *out) {
  char buffer[48];
  switch ((kind)t->column) {
    case INT: g_string_append_printf(out, "%" G_GINT64_FORMAT, t->constant.i); break;
    case FLOAT:
      g_ascii_formatd(buffer, sizeof buffer, "%.17e", t->constant.f);
      g_string_append(out, buffer);
      break;
    case TIME:
      adl_expr_time_text(t->constant.i, buffer);
      g_string_append_printf(out, "timestamp('%s')", buffer);
      break;
    default: g_string_append_printf(out, "'%s'", t->constant.s->str); break;
  }
}

static void write_tree(const tree *t, GString *out) {
  if (t->op == -1) {
    g_string_append(out, column_names[t->column]);
    return;
  }
  g_string_append_c(out, '(');
  if (t->op == -2) {
    write_constant(t, out);
  } else {
    for (const char *at = operations[t->op].text; *at != '\0'; at++) {
      if (at[0] == '%' && at[1] >= 'a' && at[1] <= 'c')
        write_tree(t->args[*++at - 'a'], out);
      else
        g_string_append_c(out, *at);
    }
  }
  g_string_append_c(out, ')');
}

static bool same(kind k, const value *truth, const adl_column *column, int64_t row) {
  if (truth->null || adl_is_null(column, row)) return truth->null == adl_is_null(column, row);
  switch (k) {
    case BOOL: return truth->b == adl_bit(column->data, row);
    case FLOAT: return truth->f == ((const double *)column->data)[row];
    case STRING: {
      adl_text text = adl_text_at(column, row);
      return truth->s->len == (gsize)text.size && memcmp(truth->s->str, text.data, truth->s->len) == 0;
    }
    default: return truth->i == ((const int64_t *)column->data)[row];
  }
}

static void setup(void) {
  GRand *rand = g_rand_new_with_seed(7);
  pool = g_ptr_array_new_with_free_func(free_string);
  make_columns(rand);
  g_rand_free(rand);
}

static void teardown(void) {
  columns_clear(&table);
  g_ptr_array_free(pool, TRUE);
}

START_TEST(kernels_agree_with_plain_evaluation) {
  GRand *rand = g_rand_new_with_seed((guint32)_i);
  for (int n = 0; n < 60; n++) {
    tree *t = random_tree((kind)g_rand_int_range(rand, 0, KINDS), g_rand_int_range(rand, 1, 5), rand);
    guint kept = pool->len; /* with the constants of the tree */
    GString *text = g_string_new(NULL);
    write_tree(t, text);
    adl_expr_scope scope = columns_scope(&table);
    adl_expr *expr = adl_expr_compile(text->str, &scope);
    ck_assert_msg(expr != NULL, "%s: %s", text->str, table.problems->str);
    adl_array *result = columns_evaluate(&table, expr, ROWS);
    /* All rows of bare columns would compare a column with itself, with NaN that is not null there. */
    for (int row = 0; row < ROWS && adl_expr_column(expr) < 0; row++) {
      value truth = evaluate(t, row);
      ck_assert_msg(same(tree_kind(t), &truth, &result->view, row), "%s: row %d differs", text->str, row);
      g_ptr_array_set_size(pool, (gint)kept);
    }
    adl_array_unref(result);
    adl_expr_free(expr);
    g_string_free(text, TRUE);
    free_tree(t);
  }
  g_rand_free(rand);
}
END_TEST

/* ---- broken texts ---- */

static const char *const pieces[] = {"and",
                                     "or",
                                     "not",
                                     "in",
                                     "is",
                                     "null",
                                     "between",
                                     "(",
                                     ")",
                                     ",",
                                     "'",
                                     "\"",
                                     "`",
                                     "+",
                                     "-",
                                     "*",
                                     "/",
                                     "%",
                                     "=",
                                     "<",
                                     ">=",
                                     "1",
                                     "1e9",
                                     "9223372036854775808",
                                     "b0",
                                     "i1",
                                     "f0",
                                     "t1",
                                     "s0",
                                     "if(",
                                     "coalesce(",
                                     "concat(",
                                     "round(",
                                     "timestamp(",
                                     "'2024-01-01'",
                                     "\\u00e4",
                                     "\xc3\xa4",
                                     "\xff",
                                     " ",
                                     "0",
                                     "integer(",
                                     "pow(",
                                     "add_days(",
                                     "now()",
                                     "length("};

static void mutate(GString *text, GRand *rand) {
  gssize at = text->len > 0 ? g_rand_int_range(rand, 0, (gint32)text->len) : 0;
  switch (g_rand_int_range(rand, 0, 5)) {
    case 0:
      g_string_insert(text, at, pieces[g_rand_int_range(rand, 0, (gint32)(sizeof pieces / sizeof *pieces))]);
      break;
    case 1: {
      gssize size = g_rand_int_range(rand, 1, 5);
      if (text->len > 0) g_string_erase(text, at, MIN((gssize)text->len - at, size));
      break;
    }
    case 2:
      if (text->len > 0) text->str[at] = (char)g_rand_int_range(rand, 1, 256);
      break;
    case 3: {
      char *copy = g_strndup(text->str + at, (gsize)MIN((gssize)text->len - at, 30));
      g_string_append(text, copy);
      g_free(copy);
      break;
    }
    default: g_string_insert(text, at, " "); break;
  }
}

START_TEST(broken_texts_do_no_harm) {
  GRand *rand = g_rand_new_with_seed((guint32)_i + 1000);
  int fine = 0, refused = 0;
  for (int n = 0; n < 1500; n++) {
    tree *t = random_tree((kind)g_rand_int_range(rand, 0, KINDS), 3, rand);
    GString *text = g_string_new(NULL);
    write_tree(t, text);
    for (int m = g_rand_int_range(rand, 1, 5); m > 0; m--) mutate(text, rand);
    adl_expr_scope scope = columns_scope(&table);
    adl_expr *expr = adl_expr_compile(text->str, &scope);
    if (expr != NULL) {
      fine++;
      adl_array_unref(columns_evaluate(&table, expr, 77));
    } else {
      refused++;
      int offset, length;
      ck_assert_msg(sscanf(table.problems->str, "%d+%d", &offset, &length) == 2, "%s: refused without a word",
                    text->str);
      ck_assert(offset >= 0 && length >= 0 && offset + length <= (int)text->len);
    }
    adl_expr_free(expr);
    adl_expr_call call;
    scope = columns_scope(&table);
    g_string_prepend(text, "last(");
    if (adl_expr_compile_call(text->str, "last/1-3|sum/1", &scope, &call)) adl_expr_call_clear(&call);
    g_string_free(text, TRUE);
    free_tree(t);
  }
  ck_assert_int_gt(fine, 50);
  ck_assert_int_gt(refused, 500);
  g_rand_free(rand);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("expr random");
  TCase *t = tcase_create("random");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_loop_test(t, kernels_agree_with_plain_evaluation, 0, 8);
  tcase_add_loop_test(t, broken_texts_do_no_harm, 0, 4);
  tcase_set_timeout(t, 120);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  SRunner *runner = srunner_create(suite());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
