/*
 * Rows in memory that a pipeline can read: columns of any type, cut into batches at chosen places, each row held out or
 * not. They stand in a pipeline as a stage of a class that only this process knows, which a registry is told of by
 * adl_stand_offer. Used by the harness and by `adloom plugin check`.
 *
 *   adl_stand_rows *rows = adl_stand_rows_new("rows");
 *   adl_stand_rows_column(rows, "x", array);
 *   adl_stand_offer(registry);
 *   adl_stand_rows_yaml(rows, "rows", yaml);   the lines of a stage `rows`
 */
#ifndef ADLOOM_CORE_STAND_ROWS_H
#define ADLOOM_CORE_STAND_ROWS_H

#include <glib.h>

#include "core/data/array.h"
#include "core/plugin/registry.h"

typedef struct adl_stand_rows adl_stand_rows;

/* `name` is how pipelines find them: one of its kind at a time. */
adl_stand_rows *adl_stand_rows_new(const char *name);
void adl_stand_rows_free(adl_stand_rows *rows); /* NULL is fine */

/* Adds a column, whose reference is taken over. All are of one length, which the first one says. */
void adl_stand_rows_column(adl_stand_rows *rows, const char *name, adl_array *array);
/* What each row may be used for (adl_split; copied, as many as there are rows); all rows are for training otherwise. */
void adl_stand_rows_splits(adl_stand_rows *rows, const uint8_t *splits);
/* Sizes of the batches, over and over again until the rows are used up; NULL: batches of 4096, the most there is. Sizes
 * of 0 are left out. Copied. */
void adl_stand_rows_cut(adl_stand_rows *rows, const int64_t *sizes, int64_t count);
int64_t adl_stand_rows_count(const adl_stand_rows *rows);

/* Appends the lines, indented by two, that make these rows the stage `stage`. */
void adl_stand_rows_yaml(const adl_stand_rows *rows, const char *stage, GString *yaml);

/* Makes the class known to a registry, before a pipeline is loaded. */
void adl_stand_offer(adl_registry *registry);

#endif
