/* What a fold is made of: steps over frames, lanes, and their merging. */
#ifndef ADLOOM_CORE_ENGINE_FOLD_H
#define ADLOOM_CORE_ENGINE_FOLD_H

#include "core/engine/internal.h"

/* A partial, whether it has seen rows, and where to say which rows of the frame in hand the step refused (NULL: nobody
 * asks). */
typedef struct adl_fold_target {
  adl_tensors *partial;
  bool *touched;
  uint8_t **refused;
} adl_fold_target;

/* Into how many lanes rows are dealt. */
int32_t adl_fold_lanes(const adl_fold *fold, const adl_tensors *total);
/* Whether steps see rows of every split; else those for training. */
bool adl_fold_sees_all(const adl_node_run *node, int32_t side);
/* What the fit may see of a frame, into a partial; `ordinal` is that of the first row. `flags`: of adl_view_open. */
bool adl_fold_frame(adl_worker *worker, adl_node_run *node, int32_t side, adl_frame *frame, int64_t ordinal,
                    const adl_fold *fold, const adl_fold_target *to, uint32_t flags);
/* Lane i takes lane i + 1, then i + 2, i + 4: a tree over the lanes that saw rows, on the workers that rest. What is left
 * in the first of them moves into `total`. */
bool adl_fold_merge(const adl_desk *desk, adl_node_run *node, const adl_fold *fold, adl_tensors **partials,
                    const bool *touched, int32_t lanes, adl_tensors *total);
/* host->fold of a fit that began before its rows came. Returns when all have, and been folded; what it folds after that has been
 * kept, or is refused. */
adl_status adl_fold_passing(const adl_call *call, adl_rows *rows, const adl_fold *fold, adl_tensors *total);

#endif
