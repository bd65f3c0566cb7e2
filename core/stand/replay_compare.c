#include "core/stand/replay_compare.h"

#include <string.h>

/* ---- the parts of an answer ---- */

typedef struct part {
  adl_told kind;
  adl_unpack content;
} part;

static void skip_texts(adl_unpack *u, int64_t count) {
  for (int64_t i = 0; i < count && !u->bad; i++) adl_unpack_text(u);
}

static void skip_bytes(adl_unpack *u) {
  int64_t size = 0;
  adl_unpack_bytes(u, &size);
}

static void skip_part(adl_told kind, adl_unpack *u) {
  int64_t columns = 0;
  switch (kind) {
    case ADL_TOLD_FAILURE: skip_texts(u, 1), adl_unpack_int(u), skip_texts(u, 2); break;
    case ADL_TOLD_INVALID: skip_texts(u, 1); break;
    case ADL_TOLD_REJECT: adl_unpack_int(u), skip_texts(u, 2); break;
    case ADL_TOLD_LOG: adl_unpack_int(u), skip_texts(u, 1); break;
    case ADL_TOLD_WIDTH:
    case ADL_TOLD_PASS: adl_unpack_int(u), adl_unpack_int(u); break;
    case ADL_TOLD_NAMES: adl_unpack_int(u), skip_bytes(u), skip_bytes(u); break;
    case ADL_TOLD_COLUMN: adl_unpack_int(u), adl_array_unref(adl_unpack_array(u)); break;
    case ADL_TOLD_PICK: skip_bytes(u); break;
    case ADL_TOLD_GATHER: adl_unpack_int(u), skip_bytes(u); break;
    case ADL_TOLD_COMMIT: adl_unpack_int(u); break;
    case ADL_TOLD_NUMBER: skip_texts(u, 2), adl_unpack_float(u), adl_unpack_float(u), adl_unpack_float(u); break;
    case ADL_TOLD_TEXT: skip_texts(u, 2); break;
    case ADL_TOLD_TABLE:
      skip_texts(u, 1);
      columns = adl_unpack_count(u, 8);
      skip_texts(u, columns * (1 + adl_unpack_count(u, 0 < columns ? 8 * columns : 8)));
      break;
    case ADL_TOLD_PLOT: skip_texts(u, 3), adl_unpack_int(u), skip_bytes(u), skip_bytes(u); break;
    case ADL_TOLD_MODEL: adl_tensors_free(adl_unpack_tensors(u)); break;
    default: u->bad = true; break;
  }
}

/* All parts but log lines, which may hold times; *status: what the function returned. */
static GArray *parts_of(const adl_pack *answer, int64_t *status) {
  GArray *parts = g_array_new(FALSE, FALSE, sizeof(part));
  adl_unpack u = {.data = answer->data, .size = answer->size};
  *status = ADL_FAILED;
  if (adl_unpack_int(&u) != ADL_ANSWER_DONE) return parts;
  for (;;) {
    part p = {.kind = (adl_told)adl_unpack_int(&u)};
    if (p.kind == ADL_TOLD_END || u.bad) break;
    int64_t begin = u.at;
    skip_part(p.kind, &u);
    p.content = (adl_unpack){.data = u.data + begin, .size = u.at - begin};
    if (p.kind != ADL_TOLD_LOG) g_array_append_val(parts, p);
  }
  *status = u.bad ? ADL_FAILED : adl_unpack_int(&u);
  return parts;
}

static const char *name_of(adl_told kind) {
  static const char *const names[] = {
      "nothing more", "a failure",          "an invalid column", "a rejected row",     "a log line",
      "a width",      "dimension names",    "a column",          "a column passed on", "picked rows",
      "side rows",    "the end of a batch", "a reported number", "a reported text",    "a reported table",
      "a plot",       "the model"};
  return kind >= ADL_TOLD_END && kind <= ADL_TOLD_MODEL ? names[kind] : "something unknown";
}

/* ---- columns ---- */

static bool same_items(const adl_column *a, const adl_column *b, int64_t at_a, int64_t at_b, int64_t count) {
  int64_t size = adl_element_size(a->type.element);
  if (a->string_offsets != NULL) {
    for (int64_t i = 0; i < count; i++) {
      adl_text x = adl_text_at(a, at_a + i), y = adl_text_at(b, at_b + i);
      if (x.size != y.size || memcmp(x.data, y.data, (size_t)x.size) != 0) return false;
    }
  } else if (a->type.element == ADL_BOOL) {
    for (int64_t i = 0; i < count; i++)
      if (adl_bit(a->data, at_a + i) != adl_bit(b->data, at_b + i)) return false;
  } else if (count > 0 &&
             memcmp((const char *)a->data + at_a * size, (const char *)b->data + at_b * size, (size_t)(count * size))) {
    return false;
  }
  if (count > 0 && a->index != NULL && memcmp(a->index + at_a, b->index + at_b, (size_t)count * 4) != 0) return false;
  return count == 0 || a->weights == NULL || memcmp(a->weights + at_a, b->weights + at_b, (size_t)count * 4) == 0;
}

/* Bit for bit; what lies in a null row means nothing. */
static bool same_row(const adl_column *a, const adl_column *b, int64_t row) {
  if (adl_is_null(a, row) != adl_is_null(b, row)) return false;
  if (adl_is_null(a, row)) return true;
  if (a->offsets != NULL) {
    int64_t count = a->offsets[row + 1] - a->offsets[row];
    return count == b->offsets[row + 1] - b->offsets[row] && same_items(a, b, a->offsets[row], b->offsets[row], count);
  }
  int64_t width = a->type.shape == ADL_VECTOR ? a->type.width : 1;
  return same_items(a, b, row * width, row * width, width);
}

static const char *column_name(const adl_stage *stage, int64_t slot) {
  for (int32_t c = 0; c < stage->schema.count; c++)
    if (stage->leaving[c].kind == ADL_FROM_OUTPUT && stage->leaving[c].number == slot)
      return stage->schema.columns[c].name;
  return "(unknown)";
}

static void two_values(const adl_column *a, const adl_column *b, int64_t row, GString *out) {
  GString *x = g_string_new(NULL), *y = g_string_new(NULL);
  adl_array_text(a, row, 200, x);
  adl_array_text(b, row, 200, y);
  g_string_append_printf(out, "recorded %s, now %s%s", adl_is_null(a, row) ? "null" : x->str,
                         adl_is_null(b, row) ? "null" : y->str, strcmp(x->str, y->str) == 0 ? " (other bits)" : "");
  g_string_free(x, TRUE);
  g_string_free(y, TRUE);
}

static bool same_columns(const adl_stage *stage, adl_unpack *recorded, adl_unpack *now, GString *out) {
  int64_t slot = adl_unpack_int(recorded), its = adl_unpack_int(now);
  adl_array *a = adl_unpack_array(recorded), *b = adl_unpack_array(now);
  bool same = slot == its && a != NULL && b != NULL && a->view.rows == b->view.rows &&
              memcmp(&a->view.type, &b->view.type, sizeof(adl_type)) == 0;
  if (!same) {
    g_string_append_printf(out, "column `%s` has another number, type or length now", column_name(stage, slot));
  } else {
    int64_t row = 0;
    while (row < a->view.rows && same_row(&a->view, &b->view, row)) row++;
    same = row == a->view.rows;
    if (!same) {
      g_string_append_printf(out, "column `%s`, row %" G_GINT64_FORMAT ": ", column_name(stage, slot), row);
      two_values(&a->view, &b->view, row, out);
    }
  }
  adl_array_unref(a);
  adl_array_unref(b);
  return same;
}

/* ---- models ---- */

static double element_at(const adl_tensor *tensor, int64_t at) {
  switch (tensor->element) {
    case ADL_INT32: return ((const int32_t *)tensor->data)[at];
    case ADL_UINT32: return ((const uint32_t *)tensor->data)[at];
    case ADL_FLOAT32: return (double)((const float *)tensor->data)[at];
    case ADL_FLOAT64: return ((const double *)tensor->data)[at];
    case ADL_INT64:
    case ADL_TIMESTAMP: return (double)((const int64_t *)tensor->data)[at];
    default: return ((const uint8_t *)tensor->data)[at];
  }
}

static bool same_tensor(const char *name, const adl_tensor *a, const adl_tensor *b, GString *out) {
  if (a->element != b->element || a->dimensions != b->dimensions ||
      memcmp(a->size, b->size, (size_t)a->dimensions * 8) != 0) {
    g_string_append_printf(out, "the model's tensor `%s` has another element or size now", name);
    return false;
  }
  int64_t size = adl_tensor_element_size((adl_element)a->element), at = 0;
  while (at < a->count &&
         memcmp((const char *)a->data + at * size, (const char *)b->data + at * size, (size_t)size) == 0)
    at++;
  if (at == a->count) return true;
  g_string_append_printf(out, "the model's tensor `%s`, element %" G_GINT64_FORMAT ": recorded %.17g, now %.17g", name,
                         at, element_at(a, at), element_at(b, at));
  return false;
}

static bool same_table(const char *name, const adl_table *a, const adl_table *b, GString *out) {
  int64_t count = adl_table_count(a), width = adl_table_width(a);
  if (count != adl_table_count(b) || width != adl_table_width(b)) {
    g_string_append_printf(out, "the model's table `%s` has %" G_GINT64_FORMAT " keys, recorded %" G_GINT64_FORMAT,
                           name, adl_table_count(b), count);
    return false;
  }
  for (int64_t i = 0; i < count; i++) {
    adl_text x = adl_table_key(a, i), y = adl_table_key(b, i);
    bool same_key = x.size == y.size && memcmp(x.data, y.data, (size_t)x.size) == 0;
    if (same_key && (width == 0 || memcmp(adl_table_row((adl_table *)(uintptr_t)a, i),
                                          adl_table_row((adl_table *)(uintptr_t)b, i), (size_t)width * 8) == 0))
      continue;
    g_string_append_printf(out, "the model's table `%s`, row %" G_GINT64_FORMAT ": another %s now", name, i,
                           same_key ? "value" : "key");
    return false;
  }
  return true;
}

static bool same_models(adl_unpack *recorded, adl_unpack *now, GString *out) {
  adl_tensors *a = adl_unpack_tensors(recorded), *b = adl_unpack_tensors(now);
  const char *name = NULL, *its = NULL;
  adl_tensor x, y;
  const adl_table *s = NULL, *t = NULL;
  bool same = true;
  for (int32_t i = 0; same && (adl_tensors_at(a, i, &name, &x) || adl_tensors_at(b, i, &name, &y)); i++) {
    bool both = adl_tensors_at(a, i, &name, &x) && adl_tensors_at(b, i, &its, &y) && strcmp(name, its) == 0;
    same = both && same_tensor(name, &x, &y, out);
    if (!both) g_string_append_printf(out, "the model has other tensors now, from `%s` on", name);
  }
  for (int32_t i = 0; same && (adl_tensors_table_at(a, i, &name, &s) || adl_tensors_table_at(b, i, &name, &t)); i++) {
    bool both = adl_tensors_table_at(a, i, &name, &s) && adl_tensors_table_at(b, i, &its, &t) && strcmp(name, its) == 0;
    same = both && same_table(name, s, t, out);
    if (!both) g_string_append_printf(out, "the model has other tables now, from `%s` on", name);
  }
  adl_tensors_free(a);
  adl_tensors_free(b);
  return same;
}

/* ---- all ---- */

/* The sentence in a failure or a rejection. */
static const char *sentence(const part *p) {
  adl_unpack u = p->content;
  if (p->kind == ADL_TOLD_FAILURE) {
    skip_texts(&u, 1);
    adl_unpack_int(&u);
    skip_texts(&u, 1);
  } else if (p->kind == ADL_TOLD_REJECT) {
    adl_unpack_int(&u);
    skip_texts(&u, 1);
  } else if (p->kind != ADL_TOLD_INVALID) {
    return NULL;
  }
  return adl_unpack_text(&u);
}

static bool same_part(const adl_stage *stage, part *recorded, part *now, GString *out) {
  if (recorded->kind == now->kind) {
    if (recorded->content.size == now->content.size &&
        memcmp(recorded->content.data, now->content.data, (size_t)now->content.size) == 0)
      return true;
    if (recorded->kind == ADL_TOLD_COLUMN) return same_columns(stage, &recorded->content, &now->content, out);
    if (recorded->kind == ADL_TOLD_MODEL) return same_models(&recorded->content, &now->content, out);
  }
  const char *was = sentence(recorded), *is = sentence(now);
  g_string_append_printf(out, "recorded %s%s%s%s, now %s%s%s%s%s", name_of(recorded->kind), was ? " (" : "",
                         was ? was : "", was ? ")" : "", recorded->kind == now->kind ? "another: " : "",
                         name_of(now->kind), is ? " (" : "", is ? is : "", is ? ")" : "");
  return false;
}

bool adl_replay_is_fold(const adl_pack *answer) {
  adl_unpack u = {.data = answer->data, .size = answer->size};
  return adl_unpack_int(&u) == ADL_ANSWER_FOLD;
}

bool adl_replay_compare(const adl_stage *stage, const adl_pack *recorded, const adl_pack *now, GString *difference) {
  if (adl_replay_is_fold(recorded) || adl_replay_is_fold(now)) {
    bool same = recorded->size == now->size && memcmp(recorded->data, now->data, (size_t)now->size) == 0;
    if (!same)
      g_string_append(difference, adl_replay_is_fold(recorded) && adl_replay_is_fold(now)
                                      ? "the fold that it asks for is of another kind, or of another size"
                                      : "another number of passes over the rows");
    return same;
  }
  int64_t was = 0, is = 0;
  GArray *a = parts_of(recorded, &was), *b = parts_of(now, &is);
  part nothing = {.kind = ADL_TOLD_END};
  bool same = true;
  for (guint i = 0; same && i < MAX(a->len, b->len); i++)
    same = same_part(stage, i < a->len ? &g_array_index(a, part, i) : &nothing,
                     i < b->len ? &g_array_index(b, part, i) : &nothing, difference);
  if (same && was != is) {
    g_string_append_printf(difference, "recorded %s, now %s", was == ADL_OK ? "success" : "failure",
                           is == ADL_OK ? "success" : "failure");
    same = false;
  }
  g_array_free(a, TRUE);
  g_array_free(b, TRUE);
  return same;
}
