/* Reading nodes that are not a class's parameters: top-level keys and the reserved keys of a stage. Every function
 * reports what is wrong as "WHAT: ..." and returns false then, leaving *value as it was. Used by core/graph. */
#ifndef ADLOOM_CORE_CONFIG_READ_H
#define ADLOOM_CORE_CONFIG_READ_H

#include "core/config/tree.h"
#include "core/config/value.h"

/* `range` as in adl_param, NULL: any. Texts are owned by the tree. */
bool adl_read_bool(const adl_node *node, const char *what, bool *value, adl_problems *problems);
bool adl_read_int(const adl_node *node, const char *what, const char *range, int64_t *value, adl_problems *problems);
bool adl_read_float(const adl_node *node, const char *what, const char *range, double *value, adl_problems *problems);
bool adl_read_size(const adl_node *node, const char *what, const char *range, int64_t *value, adl_problems *problems);
bool adl_read_duration(const adl_node *node, const char *what, const char *range, int64_t *value,
                       adl_problems *problems);
/* Any scalar but null; not empty. */
bool adl_read_text(const adl_node *node, const char *what, const char **value, adl_problems *problems);
bool adl_read_choice(const adl_node *node, const char *what, const char *choices, int32_t *value,
                     adl_problems *problems);

/* Is it a mapping (sequence, scalar that is not null)? `example` (may be NULL) is shown: "write ...". */
bool adl_read_kind(const adl_node *node, const char *what, adl_node_kind kind, const char *example,
                   adl_problems *problems);

/* Reports every key of a mapping that is not among the names (NULL-terminated), with the nearest one. Keys that begin
 * with "x-" pass when `own` is set. False if there was any. */
bool adl_read_keys(const adl_node *mapping, const char *what, const char *const *names, bool own,
                   adl_problems *problems);

/* "a number", "a list", "a mapping", "nothing": for messages. */
const char *adl_node_kind_name(const adl_node *node);

#endif
