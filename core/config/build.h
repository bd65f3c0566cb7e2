/* From libyaml's events to nodes. Used by tree.c and set.c only. */
#ifndef ADLOOM_CORE_CONFIG_BUILD_H
#define ADLOOM_CORE_CONFIG_BUILD_H

#include "core/config/source.h"
#include "core/config/tree.h"
#include "core/config/variables.h"

/* What nodes are made of and where they go. */
typedef struct adl_build {
  adl_region *region;
  adl_variables *variables; /* NULL: ${...} stays as it is */
  int *nodes;               /* made so far, of ADL_TREE_MAX_NODES */
  adl_problems *problems;
  const adl_source *source; /* its text must live as long as the region */
  const adl_place *fixed;   /* every node's place; NULL: where it stands in the source */
} adl_build;

/* The text from character `first` on as one YAML document. NULL: reported. */
adl_node *adl_build_yaml(const adl_build *build, size_t first);

/* The characters [first, end) as one plain scalar, whatever they are. NULL: reported. */
adl_node *adl_build_plain(const adl_build *build, size_t first, size_t end);

/* libyaml's error as a person would say it. `parser` is a yaml_parser_t whose text began at character `first`. */
struct yaml_parser_s;
void adl_build_syntax_error(const struct yaml_parser_s *parser, const adl_source *source, size_t first,
                            adl_problems *problems);

typedef enum adl_scalar_form { ADL_SCALAR_PLAIN, ADL_SCALAR_SINGLE, ADL_SCALAR_DOUBLE } adl_scalar_form;

/* How a scalar on one line was written, for adl_node_place. */
struct adl_scalar_source {
  adl_scalar_form form;
  const char *raw; /* with its quotes, in the source */
  int size;
  int replaced_count;
  const adl_replaced *replaced;
};

#endif
