/* Columns as arrays of the Arrow C Data Interface, without copying: each array keeps a reference. See arrow.h. */
#include <glib.h>

#include "core/data/arrow.h"
#include "core/data/blocks.h"

/* What release gives back; the children's structs lie behind `children`. Children may be moved out of their parent, so
 * each has a reference of its own. */
typedef struct node {
  adl_array *array; /* NULL: a struct of columns */
  const void *buffers[3];
  struct ArrowArray *children[];
} node;

static void release_array(struct ArrowArray *array) {
  node *n = array->private_data;
  for (int64_t i = 0; i < array->n_children; i++)
    if (n->children[i]->release != NULL) n->children[i]->release(n->children[i]);
  adl_array_unref(n->array);
  g_free(n);
  *array = (struct ArrowArray){0};
}

bool adl_arrow_is_own(const struct ArrowArray *array) { return array->release == release_array; }

/* `values`, `more`: the buffers behind the validity; more NULL: there is none. */
static void new_array(struct ArrowArray *to, adl_array *array, int64_t length, const void *values, const void *more,
                      int64_t children) {
  node *n = g_malloc0(sizeof *n + (gsize)children * (sizeof *n->children + sizeof **n->children));
  struct ArrowArray *structs = (struct ArrowArray *)(void *)(n->children + children);
  for (int64_t i = 0; i < children; i++) n->children[i] = &structs[i];
  n->array = array == NULL ? NULL : adl_array_ref(array);
  n->buffers[1] = values;
  n->buffers[2] = more;
  *to = (struct ArrowArray){.length = length,
                            .n_buffers = more != NULL     ? 3
                                         : values != NULL ? 2
                                                          : 1,
                            .buffers = n->buffers,
                            .n_children = children,
                            .children = children > 0 ? n->children : NULL,
                            .release = release_array,
                            .private_data = n};
}

static void set_validity(struct ArrowArray *array, const adl_column *column) {
  array->null_count = column->null_count;
  array->buffers[0] = column->validity;
}

/* `length` values of the column's element: rows, or items. */
static void export_values(adl_array *array, int64_t length, struct ArrowArray *to) {
  const adl_column *column = &array->view;
  if (column->string_offsets != NULL)
    new_array(to, array, length, column->string_offsets, column->data, 0);
  else
    new_array(to, array, length, column->data, NULL, 0);
}

void adl_arrow_export(adl_array *array, struct ArrowArray *to) {
  const adl_column *column = &array->view;
  adl_extent extent = adl_column_extent(column);
  switch (column->type.shape) {
    case ADL_SCALAR: export_values(array, extent.rows, to); break;
    case ADL_VECTOR:
      new_array(to, array, extent.rows, NULL, NULL, 1);
      export_values(array, extent.rows * column->type.width, to->children[0]);
      break;
    default: new_array(to, array, extent.rows, column->offsets, NULL, 1); break;
  }
  if (column->type.shape == ADL_LIST) export_values(array, extent.items, to->children[0]);
  if (column->type.shape == ADL_SPARSE || column->type.shape == ADL_BAG) {
    struct ArrowArray *pairs = to->children[0];
    new_array(pairs, array, extent.items, NULL, NULL, 2);
    int values = column->type.shape == ADL_SPARSE ? 1 : 0;
    export_values(array, extent.items, pairs->children[values]);
    new_array(pairs->children[1 - values], array, extent.items,
              values == 1 ? (const void *)column->index : (const void *)column->weights, NULL, 0);
  }
  set_validity(to, column);
}

void adl_arrow_export_arrays(adl_array *const *arrays, int64_t count, int64_t rows, struct ArrowArray *to) {
  new_array(to, NULL, rows, NULL, NULL, count);
  for (int64_t i = 0; i < count; i++) adl_arrow_export(arrays[i], to->children[i]);
}
