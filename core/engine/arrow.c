/* The host's side of adloom.arrow/1: columns of batches out, arrays into output slots. The conversions are core/data's. */
#include <stdarg.h>
#include <string.h>

#include "core/data/arrow.h"
#include "core/engine/internal.h"

/* ---- exporting ---- */

/* Columns of batches are arrays of the core: see adl_view. NULL: it is not there. */
static adl_array *column_of(const adl_batch *batch, const adl_input *input) {
  if (input->slot < 0 || (uint32_t)input->slot >= batch->slot_count) return NULL;
  return (adl_array *)(uintptr_t)batch->slots[input->slot];
}

static adl_status export_column(const adl_call *call, const adl_batch *batch, const adl_input *input,
                                struct ArrowSchema *schema, struct ArrowArray *array) {
  adl_array *column = column_of(batch, input);
  if (schema != NULL) *schema = (struct ArrowSchema){0};
  if (array != NULL) *array = (struct ArrowArray){0};
  if (column == NULL)
    return call->host->fail(call, NULL, -1, NULL, "the column `%s` was to be exported, but is not in this batch",
                            input->name == NULL ? "" : input->name);
  if (schema != NULL) adl_arrow_export_type(column->view.type, input->name, schema);
  if (array != NULL) adl_arrow_export(column, array);
  return ADL_OK;
}

static adl_status export_batch(const adl_call *call, const adl_batch *batch, const adl_input *inputs, int64_t count,
                               struct ArrowSchema *schema, struct ArrowArray *array) {
  adl_array **columns = call->host->alloc(call, (size_t)(count + 1) * sizeof *columns);
  const char **names = call->host->alloc(call, (size_t)(count + 1) * sizeof *names);
  adl_type *types = call->host->alloc(call, (size_t)(count + 1) * sizeof *types);
  int64_t there = 0;
  for (int64_t i = 0; i < count; i++) {
    columns[there] = column_of(batch, &inputs[i]);
    if (columns[there] == NULL) continue;
    names[there] = inputs[i].name;
    types[there] = columns[there]->view.type;
    there++;
  }
  if (schema != NULL) adl_arrow_export_types(types, names, there, schema);
  if (array != NULL) adl_arrow_export_arrays(columns, there, batch->rows, array);
  return ADL_OK;
}

static adl_status export_type(const adl_call *call, adl_type type, const char *name, struct ArrowSchema *schema) {
  const char *why = NULL;
  *schema = (struct ArrowSchema){0};
  if (!adl_type_valid(type, &why)) return call->host->fail(call, NULL, -1, NULL, "a type was to be exported: %s", why);
  adl_arrow_export_type(type, name, schema);
  return ADL_OK;
}

/* ---- importing ---- */

static adl_status import_type(const adl_call *call, const char *parameter, const struct ArrowSchema *schema,
                              adl_type *type) {
  adl_arrow_layout layout;
  char *why = NULL;
  bool ok = adl_arrow_read_schema(schema, &layout, &why);
  *type = layout.type;
  if (ok) return ADL_OK;
  call->host->fail(call, parameter, -1, NULL, "an Arrow schema cannot be used: %s", why);
  g_free(why);
  return ADL_FAILED;
}

static void release(struct ArrowArray *array) {
  if (array == NULL || array->release == NULL) return;
  array->release(array);
  array->release = NULL;
}

/* The array is not used: it is released, and why is said. */
static adl_status refuse(const adl_call *call, const adl_out *out, int32_t slot, struct ArrowArray *array,
                         const char *format, ...) G_GNUC_PRINTF(5, 6);
static adl_status refuse(const adl_call *call, const adl_out *out, int32_t slot, struct ArrowArray *array,
                         const char *format, ...) {
  va_list list;
  va_start(list, format);
  char *why = g_strdup_vprintf(format, list);
  va_end(list);
  release(array);
  call->host->fail(call, NULL, -1, NULL, "the Arrow array for the column `%s` cannot be used: %s",
                   adl_out_name(out, slot), why);
  g_free(why);
  return ADL_FAILED;
}

/* The type that the slot declares, where the layout is one of it. */
static bool same_type(const adl_arrow_layout *layout, adl_type *declared) {
  adl_type given = layout->type;
  if (!layout->role_told) given.role = declared->role;
  if (!adl_type_equal(given, *declared)) return false;
  if (declared->width == 0) declared->width = given.width;
  return true;
}

static adl_status import_column(const adl_call *call, adl_out *out, int32_t slot, const struct ArrowSchema *schema,
                                struct ArrowArray *array, uint32_t flags) {
  adl_arrow_layout layout;
  char *why = NULL, given[64], wanted[64];
  if (!adl_out_has(call, out, slot)) {
    release(array);
    return ADL_FAILED;
  }
  adl_type type = adl_out_type(out, slot);
  if ((flags & ~(uint32_t)ADL_ARROW_PADDED) != 0)
    return refuse(call, out, slot, array, "import_column knows no flags %u; 1 (padded) is the only one", flags);
  if (!adl_arrow_read_schema(schema, &layout, &why)) {
    refuse(call, out, slot, array, "%s", why);
    g_free(why);
    return ADL_FAILED;
  }
  if (!same_type(&layout, &type))
    return refuse(call, out, slot, array, "it holds %s; the column was declared as %s",
                  adl_type_name(layout.type, given, sizeof given), adl_type_name(type, wanted, sizeof wanted));
  int64_t rows = adl_out_rows(out);
  if (array != NULL && array->release != NULL && rows >= 0 && array->length != rows)
    return refuse(call, out, slot, array, "it has %" G_GINT64_FORMAT " rows; the batch has %" G_GINT64_FORMAT,
                  array->length, rows);
  adl_array *column = adl_arrow_import(&layout, type, array, (flags & ADL_ARROW_PADDED) != 0, &why);
  if (column != NULL) {
    adl_out_give(out, slot, column);
    return ADL_OK;
  }
  refuse(call, out, slot, NULL, "%s", why);
  g_free(why);
  return ADL_FAILED;
}

/* ---- offering it ---- */

static const adl_arrow_extension arrow = {
    .struct_size = sizeof(adl_arrow_extension),
    .export_column = export_column,
    .export_batch = export_batch,
    .export_type = export_type,
    .import_type = import_type,
    .import_column = import_column,
};

static const void *extension(const adl_call *call, const char *id) {
  return strcmp(id, ADL_ARROW_EXTENSION) == 0 ? (const void *)&arrow : adl_graph_extension(call, id);
}

void adl_arrow_fill(adl_host *host) { host->extension = extension; }
