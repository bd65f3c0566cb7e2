#include "core/base/grid.h"

#include "core/base/text.h"

void adl_grid_append(GString *out, const GPtrArray *cells, guint columns, const bool *right) {
  int *widths = g_new0(int, columns + 1);
  for (guint i = 0; i < cells->len; i++)
    widths[i % columns] = MAX(widths[i % columns], adl_text_width(cells->pdata[i]));
  for (guint i = 0; i < cells->len; i++) {
    guint column = i % columns;
    int room = widths[column] - adl_text_width(cells->pdata[i]);
    bool moved = right != NULL && right[column];
    g_string_append_printf(out, "%*s%s%*s", moved ? room : 0, "", (const char *)cells->pdata[i], moved ? 0 : room, "");
    if (column + 1 < columns) {
      g_string_append(out, "  ");
      continue;
    }
    while (out->len > 0 && out->str[out->len - 1] == ' ') g_string_truncate(out, out->len - 1);
    g_string_append_c(out, '\n');
  }
  g_free(widths);
}
