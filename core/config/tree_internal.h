/* What tree.c and set.c share. */
#ifndef ADLOOM_CORE_CONFIG_TREE_INTERNAL_H
#define ADLOOM_CORE_CONFIG_TREE_INTERNAL_H

#include "core/config/build.h"

struct adl_tree {
  adl_region *region;
  adl_variables *variables;
  adl_node *root;
  int nodes;        /* made so far */
  GString *options; /* the text "--set": one option a line */
  int option_count;
};

#endif
