/* Evaluation: the nodes of an expression run in order over chunks of rows, each into its register; the root's register
 * is appended to the result. Called by the engine and the extension, on any number of threads. */
#include <math.h>
#include <string.h>

#include "core/expr/internal.h"

/* Strings made for one chunk may not take more than this. */
#define MOST_TEXT ((size_t)1 << 30)
#define BLOCK ((size_t)64 << 10)

char *adl_expr_run_text(adl_expr_run *run, int64_t size) {
  if (run->why != NULL) return NULL;
  if (size > INT32_MAX || run->total_size + (size_t)size > MOST_TEXT) {
    run->why = "an expression made strings of more than 1 GiB from a thousand rows";
    return NULL;
  }
  run->total_size += (size_t)size;
  if ((size_t)size > run->free_size) {
    size_t block = MAX((size_t)size, BLOCK);
    run->free_at = g_malloc(block);
    run->free_size = block;
    run->blocks = g_slist_prepend(run->blocks, run->free_at);
  }
  char *memory = run->free_at;
  run->free_at += size;
  run->free_size -= (size_t)size;
  return memory;
}

static void drop_texts(adl_expr_run *run) {
  g_slist_free_full(run->blocks, g_free);
  run->blocks = NULL;
  run->free_at = NULL;
  run->free_size = run->total_size = 0;
}

/* -------------------------------------------------------------------------------------------------- registers ---- */

static adl_expr_vector *make_registers(const adl_expr *expr, int64_t rows, void **memory) {
  size_t chunk = ((size_t)rows + 63) & ~(size_t)63, total = 0;
  for (int32_t i = 0; i < expr->register_count; i++) total += chunk * (size_t)(expr->register_width[i] + 1);
  adl_expr_vector *registers = g_new0(adl_expr_vector, MAX(expr->register_count, 1));
  char *at = *memory = g_malloc0(MAX(total, 1));
  /* Values first, so that the wide ones stay aligned. */
  for (int32_t i = 0; i < expr->register_count; i++) {
    registers[i].own_data = at;
    registers[i].data = at;
    at += chunk * (size_t)expr->register_width[i];
  }
  for (int32_t i = 0; i < expr->register_count; i++) {
    registers[i].own_valid = (uint8_t *)at;
    at += chunk;
  }
  return registers;
}

static void fill_constant(const adl_expr_node *node, adl_expr_vector *out, int64_t rows) {
  static const adl_text nothing = {"", 0};
  const adl_expr_value *value = &node->value;
  int32_t width = adl_expr_kind_width((adl_expr_kind)node->kind);
  out->data = out->own_data;
  out->valid = NULL;
  for (int64_t row = 0; row < rows; row++) {
    if (width == 1)
      out->b[row] = value->valid && value->b;
    else if (width == 16)
      out->t[row] = value->valid ? value->t : nothing;
    else
      out->i[row] = value->valid ? value->i : 0; /* floats alike, by their bits */
  }
  if (value->valid) return;
  out->valid = out->own_valid;
  memset(out->valid, 0, (size_t)rows);
}

/* ------------------------------------------------------------------------------------------------------ loads ---- */

/* Bits to bytes, from row `first` on, which is a multiple of 8. */
ADL_EXPR_LOOPS static void unpack_bits(const uint8_t *bits, int64_t first, int64_t rows, uint8_t *restrict bytes) {
  bits += first / 8;
  for (int64_t row = 0; row < rows; row++) bytes[row] = (uint8_t)((bits[row >> 3] >> (row & 7)) & 1);
}

static void load_validity(const adl_column *column, int64_t first, int64_t rows, adl_expr_vector *out) {
  out->valid = NULL;
  if (column->validity == NULL) return;
  out->valid = out->own_valid;
  unpack_bits(column->validity, first, rows, out->valid);
}

/* A NaN is null from here on. */
ADL_EXPR_LOOPS static void drop_nans(adl_expr_vector *out, int64_t rows) {
  int64_t any = 0;
  const double *values = out->f;
  for (int64_t row = 0; row < rows; row++) any |= values[row] != values[row];
  if (!any) return;
  uint8_t *valid = adl_expr_valid_write(out, rows);
  for (int64_t row = 0; row < rows; row++) {
    bool nan = isnan(values[row]);
    if (nan) valid[row] = 0;
    ((double *)out->own_data)[row] = nan ? 0.0 : values[row];
  }
  out->data = out->own_data;
}

static void load_texts(const adl_column *column, int64_t first, int64_t rows, adl_expr_vector *out) {
  for (int64_t row = 0; row < rows; row++) out->t[row] = adl_text_at(column, first + row);
}

#define LOAD(type, field)                                                                                              \
  do {                                                                                                                 \
    __typeof__(*out->field) *restrict to = out->field;                                                                 \
    const type *from = (const type *)column->data + first;                                                             \
    for (int64_t row = 0; row < rows; row++) to[row] = from[row];                                                      \
  } while (0)

ADL_EXPR_LOOPS static void load(const adl_column *column, int64_t first, int64_t rows, adl_expr_vector *out) {
  out->data = out->own_data;
  load_validity(column, first, rows, out);
  if (column->type.shape != ADL_SCALAR) return; /* only its nulls can be asked for */
  switch (column->type.element) {
    case ADL_BOOL: unpack_bits(column->data, first, rows, out->b); break;
    case ADL_INT32: LOAD(int32_t, i); break;
    case ADL_UINT32: LOAD(uint32_t, i); break;
    case ADL_FLOAT32: LOAD(float, f); break;
    case ADL_INT64:
    case ADL_TIMESTAMP: out->data = (void *)(uintptr_t)((const int64_t *)column->data + first); break;
    case ADL_FLOAT64: out->data = (void *)(uintptr_t)((const double *)column->data + first); break;
    default: load_texts(column, first, rows, out); break;
  }
  if (column->type.element == ADL_FLOAT32 || column->type.element == ADL_FLOAT64) drop_nans(out, rows);
}

/* ----------------------------------------------------------------------------------------------------- result ---- */

static bool store_texts(adl_builder *builder, adl_buffers *buffers, int64_t total, int64_t first, int64_t rows,
                        const adl_expr_vector *from) {
  int64_t at = buffers->string_offsets[first], size = 0;
  for (int64_t row = 0; row < rows; row++) size += from->t[row].size;
  if (at + size > buffers->byte_capacity && !adl_builder_reserve(builder, total, 0, at + size, buffers)) return false;
  for (int64_t row = 0; row < rows; row++) {
    bool valid = from->valid == NULL || from->valid[row];
    if (valid && from->t[row].size > 0) {
      memcpy((char *)buffers->data + at, from->t[row].data, (size_t)from->t[row].size);
      at += from->t[row].size;
    }
    buffers->string_offsets[first + row + 1] = (int32_t)at;
  }
  return true;
}

/* Bytes to bits, from row `first` on, which is a multiple of 8. */
ADL_EXPR_LOOPS static void pack_bits(uint8_t *restrict bits, int64_t first, int64_t rows, const uint8_t *bytes) {
  bits += first / 8;
  for (int64_t row = 0; row + 8 <= rows; row += 8) {
    unsigned byte = 0;
    for (unsigned i = 0; i < 8; i++) byte |= (unsigned)bytes[row + i] << i;
    bits[row / 8] = (uint8_t)byte;
  }
  for (int64_t row = rows & ~INT64_C(7); row < rows; row++) adl_bit_set(bits, row, bytes[row] != 0);
}

static bool store(adl_builder *builder, adl_buffers *buffers, int32_t width, int64_t total, int64_t first, int64_t rows,
                  const adl_expr_vector *from) {
  if (width == 16 && !store_texts(builder, buffers, total, first, rows, from)) return false;
  if (width == 8) memcpy((int64_t *)buffers->data + first, from->data, (size_t)rows * 8);
  if (width == 1) pack_bits(buffers->data, first, rows, from->b);
  if (from->valid != NULL) pack_bits(buffers->validity, first, rows, from->valid);
  return true;
}

/* ------------------------------------------------------------------------------------------------------- runs ---- */

static void run_chunk(const adl_expr *expr, adl_expr_run *run, adl_expr_vector *registers,
                      const adl_column *const *inputs, int64_t first, int64_t rows) {
  adl_expr_vector *args[ADL_EXPR_MAX_ARGUMENTS];
  for (int32_t i = 0; i <= expr->root; i++) {
    const adl_expr_node *node = &expr->nodes[i];
    if (node->reg < 0 || node->constant) continue;
    adl_expr_vector *out = &registers[node->reg];
    if (node->input >= 0) {
      load(inputs[node->input], first, rows, out);
      continue;
    }
    for (int32_t arg = 0; arg < node->arg_count; arg++) {
      args[arg] = &registers[expr->nodes[expr->args[node->first_arg + arg]].reg];
    }
    out->data = out->own_data;
    node->kernel(run, node->payload, args, node->arg_count, out, rows);
  }
}

/* A bare column has any type and goes through as it is, NaN included. */
static adl_array *copy_column(const adl_column *column, int64_t rows) {
  adl_array whole = {.view = *column, .refs = 1};
  int64_t *index = g_new(int64_t, MAX(rows, 1));
  for (int64_t row = 0; row < rows; row++) index[row] = row;
  adl_array *copy = adl_array_gather(&whole, index, rows);
  g_free(index);
  return copy;
}

adl_array *adl_expr_evaluate(const adl_expr *expr, const adl_column *const *inputs, int64_t rows, int64_t now_us,
                             const char **why) {
  static const char *const too_large = "an expression made more strings than a column can hold";
  const adl_expr_node *root = &expr->nodes[expr->root];
  if (root->input >= 0) {
    adl_array *copy = copy_column(inputs[root->input], rows);
    if (copy == NULL) *why = too_large;
    return copy;
  }
  adl_expr_run run = {.now_us = now_us};
  int64_t chunk = MIN(rows, ADL_EXPR_CHUNK);
  int32_t width = adl_expr_kind_width((adl_expr_kind)root->kind);
  void *memory = NULL;
  adl_expr_vector *registers = make_registers(expr, chunk, &memory);
  adl_builder *builder = adl_builder_new(expr->type);
  adl_buffers buffers;
  if (!adl_builder_reserve(builder, rows, 0, width == 16 ? rows * 8 : 0, &buffers)) run.why = too_large;
  for (int32_t i = 0; i <= expr->root; i++) {
    if (expr->nodes[i].reg >= 0 && expr->nodes[i].constant) {
      fill_constant(&expr->nodes[i], &registers[expr->nodes[i].reg], chunk);
    }
  }
  for (int64_t first = 0; first < rows && run.why == NULL; first += chunk) {
    int64_t some = MIN(chunk, rows - first);
    run_chunk(expr, &run, registers, inputs, first, some);
    if (run.why == NULL && !store(builder, &buffers, width, rows, first, some, &registers[root->reg]))
      run.why = too_large;
    drop_texts(&run);
  }
  g_free(registers);
  g_free(memory);
  if (run.why != NULL) {
    *why = run.why;
    adl_builder_free(builder);
    return NULL;
  }
  return adl_builder_finish(builder, rows, why);
}

/* ---------------------------------------------------------------------------------------------------- folding ---- */

/* The arguments are constants: one row is run, and the node becomes a constant itself. */
void adl_expr_fold(adl_expr_builder *builder, int32_t number) {
  adl_expr_node *node = adl_expr_node_at(builder, number);
  adl_expr_vector vectors[ADL_EXPR_MAX_ARGUMENTS + 1], *args[ADL_EXPR_MAX_ARGUMENTS + 1];
  adl_text values[ADL_EXPR_MAX_ARGUMENTS + 1]; /* the widest of the kinds */
  uint8_t valid[ADL_EXPR_MAX_ARGUMENTS + 1];
  adl_expr_run run = {0};
  for (int32_t i = 0; i <= node->arg_count; i++) {
    vectors[i] = (adl_expr_vector){{&values[i]}, NULL, &values[i], &valid[i]};
    args[i] = &vectors[i];
    if (i == node->arg_count) break;
    fill_constant(adl_expr_node_at(builder, g_array_index(builder->args, int32_t, node->first_arg + i)), &vectors[i],
                  1);
  }
  adl_expr_vector *out = &vectors[node->arg_count];
  node->kernel(&run, node->payload, args, node->arg_count, out, 1);
  node->constant = true;
  node->kernel = NULL;
  node->value.valid = out->valid == NULL || *out->valid;
  switch (adl_expr_kind_width((adl_expr_kind)node->kind)) {
    case 1: node->value.b = *out->b; break;
    case 8: memcpy(&node->value.i, out->data, 8); break;
    default:
      node->value.t = *out->t;
      if (node->value.valid) {
        node->value.t.data = g_string_chunk_insert_len(builder->strings, out->t->data, out->t->size);
      }
      break;
  }
  drop_texts(&run);
}
