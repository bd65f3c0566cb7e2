/*
 * JSON Schema (draft-07) of the pipeline file, made from the tables: the keys of core/config/keys.h and the parameters of
 * every class there is. For editors; `adloom check` knows more (columns, expressions, files). Called by `adloom schema`.
 */
#ifndef ADLOOM_CORE_PLUGIN_SCHEMA_H
#define ADLOOM_CORE_PLUGIN_SCHEMA_H

#include <json-glib/json-glib.h>

#include "core/plugin/registry.h"

/* Appends the schema as indented JSON. Loads every class; what cannot be loaded is left out, and `left_out` (lines) says
 * why. */
void adl_schema_print(adl_registry *registry, GString *out, GString *left_out);

/* schema_value.c: writes into the object that is open in `builder` which values a parameter takes, what it is, and its
 * default. */
void adl_schema_value(JsonBuilder *builder, const adl_param *param);
void adl_schema_text(JsonBuilder *builder, const char *member, const char *text);

#endif
