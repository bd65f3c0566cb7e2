/* A YAML text as a tree whose every node and key knows where it stands. YAML 1.2 core rules, strict: duplicate keys,
 * unknown tags and several documents are errors. Made once per pipeline file, read by everything in core/config and
 * core/graph, and changed only by --set. */
#ifndef ADLOOM_CORE_CONFIG_TREE_H
#define ADLOOM_CORE_CONFIG_TREE_H

#include "core/base/region.h"
#include "core/base/problem.h"

typedef enum adl_node_kind { ADL_NODE_SCALAR = 0, ADL_NODE_SEQUENCE = 1, ADL_NODE_MAPPING = 2 } adl_node_kind;

typedef struct adl_node adl_node;

/* One entry of a mapping. */
typedef struct adl_pair {
  const char *key;
  adl_place place; /* of the key */
  adl_node *value; /* never NULL: an entry without a value has a null scalar */
} adl_pair;

/* How a scalar's value comes out of the source: what adl_node_place needs. Opaque. */
typedef struct adl_scalar_source adl_scalar_source;

struct adl_node {
  adl_node_kind kind;
  bool quoted; /* scalar: is text for sure: quoted, a block scalar, or tagged !!str */
  bool null;   /* scalar: nothing, ~ or null, plain */
  bool broken; /* an error about it has been reported: say no more about it */
  int count;   /* items of a sequence, pairs of a mapping */
  adl_place place;
  const adl_place *alias; /* where the alias stands through which this (copied) node came; NULL: none */
  const char *text;       /* scalar: its value, UTF-8, ${...} replaced; never NULL */
  adl_node **items;       /* sequence */
  adl_pair *pairs;        /* mapping, in the order of the file; merged keys stand where << stood */
  const adl_scalar_source *source;
};

typedef struct adl_tree adl_tree;

/* What a hostile file can make us do. */
enum {
  ADL_TREE_MAX_BYTES = 4 << 20, /* of the file, and again of what ${...} brings in */
  ADL_TREE_MAX_DEPTH = 64,
  ADL_TREE_MAX_NODES = 200000 /* aliases and merge keys counted as often as they are used */
};

/*
 * Reads a file or a text. `variables` are --var options as given, "NAME=value", NULL-terminated (NULL: none), the last
 * of a name counts; ${NAME} looks there first and then in the environment. All errors of the text are reported, save
 * that a syntax error ends the reading. Never NULL; look at adl_tree_root.
 */
adl_tree *adl_tree_read_file(const char *path, const char *const *variables, adl_problems *problems);
adl_tree *adl_tree_read_text(const char *name, const char *text, size_t size, const char *const *variables,
                             adl_problems *problems);
/* After the last adl_tree_set: errors for variables that were given and stand nowhere. */
void adl_tree_check_variables(adl_tree *tree, adl_problems *problems);
void adl_tree_free(adl_tree *tree); /* all nodes go; NULL is fine */

/* NULL: there is nothing to work with, and it has been said why. With other errors there may be a root all the same:
 * go on checking, but do not run. */
const adl_node *adl_tree_root(const adl_tree *tree);

/*
 * One --set option, "stage.parameter=value", "stage.holdout.fraction=.3" or "seed=7". A path that begins with the name of
 * a stage goes into that stage, any other below the root; a number steps into a sequence. Mappings that are missing on
 * the way are made, stages are not. A value that begins with [ { " or ' is YAML, any other is one plain scalar as it
 * stands. Places of what it sets are in the text "--set", where line n is the n-th option. False: reported.
 */
bool adl_tree_set(adl_tree *tree, const char *option, adl_problems *problems);

/* The value of a key, NULL if it is not there (or the node is no mapping). */
const adl_node *adl_node_get(const adl_node *mapping, const char *key);
const adl_pair *adl_node_pair(const adl_node *mapping, const char *key);

/* Where byte `offset` of a scalar's text stands in the source, for carets inside expressions: exact for plain and quoted
 * scalars on one line, else the whole scalar. Negative: the whole node. */
adl_place adl_node_place(const adl_node *node, int offset);

/* An error about a node: at its place, and if it came through an alias with a note that says where. */
adl_problem *adl_node_error(const adl_node *node, adl_problems *problems, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A scalar or flow collection made of a default's text; every node is at `place`. A text that does not begin with [ or {
 * is one plain scalar as it stands ("8", "*", ","). NULL: the text is no YAML; *why (static) says so. */
adl_node *adl_node_of_default(adl_region *region, const char *text, adl_place place, const char **why);

#endif
