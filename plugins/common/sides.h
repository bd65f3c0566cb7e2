/* What classes share that bring rows of another stage to those of their input: its columns by name, and the pairs of rows
 * that leave. Used by join, cross and history. */
#ifndef ADLOOM_COMMON_SIDES_H
#define ADLOOM_COMMON_SIDES_H

#include <adloom/plugin.h>

/* [bind] Type of a column of the side; fails, under `parameter`, with the nearest name when there is none. */
adl_status adl_side_find(const adl_call *call, const adl_side *side, const char *parameter, const char *column,
                         adl_type *type);

/* [bind] Brings a column under its name with `prefix` (or NULL) before it. */
adl_status adl_side_bring(const adl_call *call, const adl_side *side, const char *parameter, const char *prefix,
                          const char *column);

/* [bind] Brings the named columns; with none named, all of the side but those for which `leave_out` (or NULL) is true.
 * Blames the parameters `columns` and `prefix`. */
adl_status adl_side_bring_all(const adl_call *call, const adl_side *side, const adl_strings *columns,
                              const char *prefix, bool (*leave_out)(const void *self, const char *name),
                              const void *self);

/* Rows of a batch, and the side row that goes with each (-1: none), in scratch memory of the call; grows. */
typedef struct adl_pairs {
  const adl_call *call;
  int64_t *main, *side;
  int64_t count, capacity;
} adl_pairs;

void adl_pairs_begin(adl_pairs *pairs, const adl_call *call, int64_t capacity);
void adl_pairs_add(adl_pairs *pairs, int64_t main, int64_t side);

/* Picks and gathers them; without any, nothing leaves. */
adl_status adl_pairs_give(const adl_pairs *pairs, const adl_side *side, adl_out *out);

#endif
