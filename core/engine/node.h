/* What is known about a node: which part its stage plays, and what has come of it so far. */
#ifndef ADLOOM_CORE_ENGINE_NODE_H
#define ADLOOM_CORE_ENGINE_NODE_H

#include "core/engine/internal.h"

static inline const adl_class *adl_node_class(const adl_node_run *node) { return node->stage->class; }

static inline bool adl_node_is_source(const adl_node_run *node) {
  return adl_node_class(node) != NULL && adl_node_class(node)->next != NULL;
}

static inline bool adl_node_is_sink(const adl_node_run *node) {
  return adl_node_class(node) != NULL && adl_node_class(node)->write != NULL;
}

static inline bool adl_node_takes_table(const adl_node_run *node) {
  return adl_node_class(node) != NULL && (adl_node_class(node)->flags & ADL_WHOLE_TABLE) != 0;
}

/* Its model is made of the rows that come in, which never go on themselves (they become a table, or were only measured):
 * it can be folded while they pass by. */
static inline bool adl_node_folds_passing(const adl_node_run *node) {
  const adl_class *class = adl_node_class(node);
  if (class == NULL || class->fit == NULL || (class->flags & ADL_SINGLE_PASS) == 0) return false;
  bool measures = class->kind == ADL_EVALUATE && node->stage->loaded->forwards_only;
  return (class->process == NULL || measures) && node->stage->sides->len == 0;
}

/* Its rows are kept, since they go on when it has been fitted: the first pass of its fit is made while they are. */
static inline bool adl_node_folds_keeping(const adl_node_run *node) {
  const adl_class *class = adl_node_class(node);
  bool fits = class != NULL && (class->fit != NULL || class->learn != NULL) && node->stage->learn == ADL_LEARN_FIT;
  return fits && !node->has_model && node->stage->sides->len == 0 && !adl_node_folds_passing(node);
}

/* It only learns from rows, and need not: its model was loaded. */
static inline bool adl_node_takes_no_rows(const adl_node_run *node) {
  const adl_class *class = adl_node_class(node);
  return class != NULL && class->fit != NULL && class->process == NULL && class->write == NULL && node->has_model;
}

static inline bool adl_node_finds_newest(const adl_node_run *node) {
  return node->stage->holdout != NULL && node->stage->holdout->kind == ADL_HOLDOUT_NEWEST;
}

/* Is there somebody to whom the rows of this node would go? */
static inline bool adl_node_has_readers(const adl_engine *engine, const adl_node_run *node) {
  if (node->stage == engine->peek) return true;
  for (guint i = 0; i < node->stage->to->len; i++)
    if (!engine->nodes[((adl_stage *)node->stage->to->pdata[i])->number].off) return true;
  for (guint i = 0; i < node->stage->to_side->len; i++)
    if (!engine->nodes[((adl_stage *)node->stage->to_side->pdata[i])->number].off) return true;
  return false;
}

#endif
