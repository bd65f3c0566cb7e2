/* Texts in columns, for a terminal. */
#ifndef ADLOOM_CORE_BASE_GRID_H
#define ADLOOM_CORE_BASE_GRID_H

#include <stdbool.h>

#include <glib.h>

/* Appends cells (UTF-8, row by row) as lines: each column as wide as its widest cell, two blanks between them, none at the
 * ends of lines. right[c]: column c stands to the right; NULL: none does. */
void adl_grid_append(GString *out, const GPtrArray *cells, guint columns, const bool *right);

#endif
