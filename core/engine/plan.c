/* Which heads are read next, and what their rows will meet. */
#include "core/engine/node.h"

static bool head_of(const adl_engine *engine, adl_node_run *node, adl_head *head) {
  if (node->off || node->done || !node->ready) return false;
  head->node = node;
  if (adl_node_is_source(node)) {
    head->kind = ADL_HEAD_SOURCE;
  } else if (node->stage->role == ADL_STAGE_CONCAT) {
    head->kind = ADL_HEAD_PORTS;
  } else if (node->table != NULL) {
    head->kind = ADL_HEAD_TABLE;
  } else if (adl_node_takes_table(node)) {
    head->kind = ADL_HEAD_ORDER;
  } else if (node->store != NULL && node->drained) {
    head->kind = ADL_HEAD_STORE;
    if (adl_node_is_sink(node)) return true;
  } else {
    return false;
  }
  return adl_node_is_source(node) || adl_node_has_readers(engine, node);
}

/* What rows of a head will meet (commit: sets actions along the graph). Counts the stages that would have to keep rows only
 * because something else has not been read yet, and those that write. */
typedef struct plan {
  adl_engine *engine;
  bool commit;
  int32_t head; /* its number */
  int32_t blocked, writing;
} plan;

static void plan_from(plan *p, adl_node_run *node);

static adl_action action_of(const adl_engine *engine, const adl_node_run *node) {
  if (adl_node_takes_no_rows(node)) return ADL_IDLE;
  if (node->stage->role == ADL_STAGE_CONCAT) return ADL_KEEP;
  if (node->ready && (!adl_node_finds_newest(node) || engine->apply)) return ADL_STREAM;
  return node->started && adl_node_folds_passing(node) ? ADL_FOLD : ADL_KEEP;
}

static void commit_action(const plan *p, adl_node_run *node, adl_action action) {
  node->action = action;
  node->head = p->head;
  adl_turn_clear(&node->turn);
  adl_turn_init(&node->turn, 0, 1);
  node->folds = action == ADL_FOLD;
  if (action != ADL_KEEP || node->stage->role == ADL_STAGE_CONCAT || node->store != NULL) return;
  node->folds = node->started && adl_node_folds_keeping(node);
  node->store = adl_store_new(&p->engine->budget, ((adl_stage *)node->stage->from->pdata[0])->schema.count);
  if (!adl_node_takes_table(node)) adl_store_pack(node->store);
}

static void plan_node(plan *p, adl_node_run *node) {
  if (node->off) return;
  adl_action action = action_of(p->engine, node);
  bool keeps = action == ADL_KEEP && node->stage->role != ADL_STAGE_CONCAT;
  p->blocked += keeps && (node->stage->sides->len > 0 || !node->started);
  p->writing += action == ADL_STREAM && adl_node_is_sink(node);
  if (p->commit) commit_action(p, node, action);
  if (action == ADL_STREAM) plan_from(p, node);
}

static void plan_from(plan *p, adl_node_run *node) {
  for (guint i = 0; i < node->stage->to->len; i++) plan_node(p, adl_node_of(p->engine, node->stage->to->pdata[i]));
}

static plan look_at(adl_engine *engine, const adl_head *head) {
  plan p = {.engine = engine, .writing = adl_node_is_sink(head->node)};
  plan_from(&p, head->node);
  return p;
}

void adl_plan_scan(adl_engine *engine, const adl_head *heads, int32_t count) {
  for (int32_t i = 0; i < engine->node_count; i++) {
    engine->nodes[i].action = ADL_IDLE;
    engine->nodes[i].folds = false;
    engine->nodes[i].head = 0;
  }
  for (int32_t i = 0; i < count; i++) {
    plan p = {.engine = engine, .commit = true, .head = i};
    heads[i].node->head = i;
    if (heads[i].kind == ADL_HEAD_STORE) commit_action(&p, heads[i].node, ADL_STREAM);
    plan_from(&p, heads[i].node);
  }
}

int32_t adl_choose_heads(adl_engine *engine, adl_head *heads) {
  int32_t least = 0, writing = 0, count = 0;
  for (int32_t i = 0; i < engine->node_count; i++) {
    adl_head head;
    if (!head_of(engine, &engine->nodes[i], &head)) continue;
    plan p = look_at(engine, &head);
    bool more = count > 0 && p.blocked >= least;
    bool together = p.blocked == 0 && (p.writing == 0 || writing == 0) && !adl_memory_is_short(engine);
    if (more && (p.blocked > least || !together)) continue;
    if (!more) count = writing = 0;
    least = p.blocked;
    writing += p.writing;
    heads[count++] = head;
  }
  return count;
}
