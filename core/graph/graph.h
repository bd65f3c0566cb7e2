/*
 * The graph: a pipeline file turned into bound stages, wired into a directed acyclic graph, with every name resolved and
 * every type known. Nothing has moved yet. Built by adl_graph_load (load.c), read by the engine and by the commands
 * check and graph.
 */
#ifndef ADLOOM_CORE_GRAPH_GRAPH_H
#define ADLOOM_CORE_GRAPH_GRAPH_H

#include <glib.h>

#include "core/base/problem.h"
#include "core/base/region.h"
#include "core/config/params.h"
#include "core/config/tree.h"
#include "core/data/array.h"
#include "core/expr/expr.h"
#include "core/plugin/registry.h"

typedef struct adl_stage adl_stage;

/* A column as its producer made it; every schema it travels through points at it. */
typedef struct adl_field {
  adl_type type; /* width is filled in when the producer knows it */
  adl_stage *producer;
  int64_t name_count; /* of dimensions; 0: no names */
  int64_t *name_offsets;
  char *name_bytes;
  struct adl_slot *matrix; /* made by forwarding a matrix: its dimensions are those of the slot's columns */
} adl_field;

typedef struct adl_schema_column {
  const char *name;
  adl_field *field;
} adl_schema_column;

typedef struct adl_schema {
  int32_t count;
  adl_schema_column *columns;
} adl_schema;

int32_t adl_schema_find(const adl_schema *schema, const char *name); /* -1: none */

/* What a stage reads through one slot of its batches. */
typedef enum adl_slot_kind { ADL_SLOT_COLUMN, ADL_SLOT_MATRIX, ADL_SLOT_EXPRESSION } adl_slot_kind;

typedef struct adl_slot {
  adl_slot_kind kind;
  int32_t side;          /* -1: of the main input; else number of the STAGE parameter */
  uint32_t flags;        /* ADL_LEARN_ONLY, ADL_NULLS_PASS, ADL_NAN_PASS, ADL_GROUP_KEY of its parameter */
  const char *parameter; /* "features", "columns.spend": for messages */
  int32_t column_count;
  int32_t *columns; /* into the schema it reads */
  adl_expr *expr;
  adl_type type;     /* of what the stage sees */
  GPtrArray *inputs; /* of adl_input *: places in the instance that tell type and slot */
} adl_slot;

/* Where each column that leaves a stage comes from. */
typedef enum adl_origin_kind { ADL_FROM_INPUT, ADL_FROM_SLOT, ADL_FROM_OUTPUT, ADL_FROM_SIDE } adl_origin_kind;

typedef struct adl_leaving {
  adl_origin_kind kind;
  int32_t number; /* column of the input, slot, output slot, or column of the side */
  int32_t side;
  bool needed; /* somebody behind reads it */
} adl_leaving;

typedef enum adl_role_of_stage {
  ADL_STAGE_CLASS,  /* an instance of a class */
  ADL_STAGE_CONCAT, /* from: [a, b] */
  ADL_STAGE_HOLDOUT /* holdout: assigns splits to the rows that leave a stage */
} adl_role_of_stage;

typedef enum adl_learn_mode { ADL_LEARN_NONE, ADL_LEARN_FIT, ADL_LEARN_ONLINE, ADL_LEARN_FROZEN } adl_learn_mode;

/* isolate: of the file. */
typedef enum adl_isolation { ADL_ISOLATE_NO, ADL_ISOLATE_YES, ADL_ISOLATE_RESTART } adl_isolation;

typedef enum adl_holdout_kind { ADL_HOLDOUT_WHERE, ADL_HOLDOUT_FRACTION, ADL_HOLDOUT_NEWEST } adl_holdout_kind;

typedef struct adl_holdout {
  adl_holdout_kind kind;
  double fraction;
  int32_t by;      /* column; -1: none */
  adl_split split; /* what the rows become */
  adl_expr *where;
  int32_t *columns; /* that where reads */
  char *canonical;  /* for digests */
} adl_holdout;

struct adl_stage {
  adl_role_of_stage role;
  int32_t number;    /* in topological order, from 0 */
  char *name;        /* internal ones: that of the user's stage they belong to */
  const char *given; /* as in the file: the name, unless several versions of a stage are in one graph (versions.h) */
  uint64_t seed;     /* of its version; that of the graph where there is one */
  const adl_node *node;
  adl_place place;
  const adl_loaded *loaded;
  const adl_class *class; /* NULL: internal */
  adl_args *args;
  void *self;
  bool broken; /* had errors: what is behind it is not judged */

  adl_learn_mode learn;
  char *model_path; /* model: of the pipeline file or --models; NULL: none */
  adl_holdout *holdout;
  adl_isolation isolate;
  int64_t isolate_limit; /* microseconds without a sign of life */

  GPtrArray *from;    /* of adl_stage *: main inputs (none: a source; several: CONCAT only) */
  GPtrArray *sides;   /* of adl_stage *, by number of STAGE parameter */
  GPtrArray *to;      /* of adl_stage *: who reads its rows as main input */
  GPtrArray *to_side; /* of adl_stage *: who looks things up in its rows */

  GPtrArray *slots;  /* of adl_slot * */
  adl_schema schema; /* what leaves; count 0 and no `rows_leave` for sinks and evaluators */
  bool rows_leave;
  adl_leaving *leaving;   /* one per schema column */
  GPtrArray *outputs;     /* of adl_field *, by output slot */
  GArray *outputs_wanted; /* of bool, by output slot */
  bool *needed;           /* columns of its schema that somebody reads; by schema column */
  GPtrArray *hidden;      /* of char *: names of input columns that do not leave */
  GPtrArray *pending;     /* of adl_pending *: declared, forwarded and brought columns, until the schema is made */
};

/* What a stage has of its version. */
typedef struct adl_given {
  const char *name; /* in the file */
  uint64_t seed;
} adl_given;

typedef struct adl_graph {
  adl_problems *problems;
  adl_registry *registry;
  adl_tree *tree;
  char *path;      /* of the file */
  char *directory; /* of the file: relative paths start here */
  char *name;
  uint64_t seed;
  double max_rejects;  /* share of the rows */
  int64_t threads;     /* of the file; 0: not said */
  int64_t memory;      /* of the file; 0: not said */
  GPtrArray *stages;   /* of adl_stage *, topological order; owned */
  bool places_listed;  /* where plugins were looked for has been said */
  GHashTable *given;   /* of several versions: name of a stage -> its adl_given; NULL: it is as the graph says */
  GPtrArray *versions; /* of several: of GHashTable *, the names of each one's stages; NULL: it is one */
  GPtrArray *dropped;  /* of char *: "stage.parameter" that a swapped-in class does not know */
  GHashTable *written; /* absolute path of an output -> name of the stage that writes it */
  adl_region *region;  /* lists, instances, slots: freed with the graph */
} adl_graph;

typedef struct adl_graph_options {
  const char *const *sets;    /* "stage.param=value" */
  const char *const *swaps;   /* "stage=class": keeps the parameters that the class knows by name */
  const char *const *offered; /* "stage=class": swaps of all versions that are compared; NULL: of this one */
  const char *const *vars;    /* "NAME=value" */
  const char *models;         /* --models: directory of a run; NULL: none */
  char *(*path_out)(void *data, const char *text); /* the temporary path for a PATH_OUT; NULL: the text itself */
  void *path_out_data;
} adl_graph_options;

/* Reads, resolves and binds. Every error goes to `problems`; the graph is complete only when there is none. Never
 * NULL. */
adl_graph *adl_graph_load(const char *path, const adl_graph_options *options, adl_registry *registry,
                          adl_problems *problems);
void adl_graph_free(adl_graph *graph);
/* Makes the files known that a pipeline (its root) names under `plugins:`, relative to `directory`. */
void adl_graph_add_plugins(const adl_node *root, const char *directory, adl_registry *registry, adl_problems *problems);
adl_stage *adl_graph_find(const adl_graph *graph, const char *name); /* the user's stage of that name */

/* The stage that gives the rows of `stage` their split, or `stage` itself: what leaves it is what others see. */
adl_stage *adl_stage_last(adl_stage *stage);

/* Marks what is read by nobody (leaving[].needed, outputs_wanted). `peek`: a stage all of whose columns are wanted, or
 * NULL. */
void adl_graph_mark_needed(adl_graph *graph, const adl_stage *peek);

/* Once everything upstream is fitted: widths of slots become final, adl_input.type is filled in. */
void adl_stage_settle_widths(adl_stage *stage);

/* See host->dimension_name. */
int64_t adl_slot_dimension_name(const adl_stage *stage, const adl_slot *slot, int64_t dimension, char *buffer,
                                size_t size);

/* The graph in the languages of dot and mermaid, columns and types on the edges. */
void adl_graph_print_dot(const adl_graph *graph, GString *text);
void adl_graph_print_mermaid(const adl_graph *graph, GString *text);
/* As lines for a terminal: a stage a line, with what it gets from whom, wrapped to `width` columns (0: not). */
void adl_graph_print_text(const adl_graph *graph, int width, GString *text);
/* Its class, or in brackets what it is that nobody wrote. */
const char *adl_stage_class_name(const adl_stage *stage);

#endif
