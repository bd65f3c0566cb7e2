/* What the files of the graph layer share. */
#ifndef ADLOOM_CORE_GRAPH_LOAD_H
#define ADLOOM_CORE_GRAPH_LOAD_H

#include "core/graph/graph.h"

adl_stage *adl_stage_new(adl_graph *graph, adl_role_of_stage role, const char *name);

/* load.c, for those who make a graph of something else than one file as it stands. */
adl_graph *adl_graph_new(const char *path, adl_registry *registry, adl_problems *problems);
void adl_graph_complete(adl_graph *graph, const adl_node *root, const adl_graph_options *options);

/* swap.c: "stage=class"; offered: adl_graph_options. */
void adl_graph_swap(adl_graph *graph, const char *option, const char *const *offered);

/* wire.c: `from`, sides, holdouts; puts stages into topological order. */
void adl_graph_wire(adl_graph *graph);

/* bind.c: names and types of one stage, when those before it are done. */
void adl_stage_bind(adl_graph *graph, adl_stage *stage);

/* resolve.c: slots of the COLUMN, MATRIX, EXPRESSION and CALL parameters. */
void adl_stage_resolve(adl_graph *graph, adl_stage *stage, const adl_schema *input);
/* A column of a schema in a slot of its own; `input` gets type and slot. */
adl_slot *adl_stage_add_slot(adl_graph *graph, adl_stage *stage, adl_slot_kind kind, const char *parameter,
                             uint32_t flags, adl_type type);
void adl_slot_tell(adl_stage *stage, adl_slot *slot, adl_input *input, const char *name);
/* Compiles `text` (of the node at `path`) against a schema; reports. NULL: it is wrong. */
adl_expr *adl_stage_compile(adl_graph *graph, adl_stage *stage, const adl_schema *schema, const char *text,
                            const char *path);

/* What bind asked for, until the schema is made. */
typedef struct adl_pending {
  adl_origin_kind kind;
  const char *name;
  const char *parameter; /* blamed for a clash */
  int32_t number, side;
  adl_field *field;
} adl_pending;

/* holdout.c */
void adl_holdout_bind(adl_graph *graph, adl_stage *stage);

/* The schema of the rows that come in; NULL: a source. */
static inline const adl_schema *adl_stage_input(const adl_stage *stage) {
  return stage->from->len == 0 ? NULL : &((adl_stage *)stage->from->pdata[0])->schema;
}

#endif
