/*
 * What classes say about themselves, for people: everything here comes out of the tables of the plugins. Called by
 * `adloom plugin` and by the makefile's rule for the plugin reference.
 */
#ifndef ADLOOM_CORE_PLUGIN_DESCRIBE_H
#define ADLOOM_CORE_PLUGIN_DESCRIBE_H

#include "core/plugin/registry.h"

/* "list of columns (string; scalar)", "int", "map of expressions": a parameter's type. */
void adl_describe_type(const adl_param *param, GString *out);

/* `adloom plugin list`: every class with kind, plugin and file; what is shadowed; what was refused, and why. */
void adl_describe_list(const adl_registry *registry, GString *out);

/* `adloom plugin show NAME`: one class, wrapped to `width` columns. */
void adl_describe_class(const adl_loaded *loaded, int width, GString *out);

/* The same as a section of Markdown; its heading has `level` # signs. */
void adl_describe_markdown(const adl_loaded *loaded, int level, GString *out);

/* The plugin reference: every class that comes with adloom (its id has no dot), by kind. Loads them all; false, and why,
 * when one does not load. */
bool adl_describe_reference(adl_registry *registry, GString *out, GString *why);

#endif
