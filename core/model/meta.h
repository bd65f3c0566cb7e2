/* What a model file says about itself beside its tensors: which class made it, of what. Written by the engine, read by
 * whoever loads a model, shown by `adloom model show`. */
#ifndef ADLOOM_CORE_MODEL_META_H
#define ADLOOM_CORE_MODEL_META_H

#include <glib.h>
#include <stdint.h>

#include "core/data/tensors.h"

typedef struct adl_model_input {
  char *name;
  char *type; /* as adl_type_name writes it */
} adl_model_input;

typedef struct adl_model_meta {
  char *stage_class;    /* "kmeans" */
  char *plugin_version; /* "1.0.0" */
  char *plugin_build;   /* digest of the shared object */
  char *parameters;     /* canonical text: equal parameters, equal text */
  char *checksum;       /* of the data, "xxh3-128:..."; set by reading, not heeded by writing */
  char *key;            /* in the model store: the hash that it is kept under; "": not a file of the store */
  uint32_t state_version;
  int32_t input_count;
  adl_model_input *inputs; /* columns that the stage reads */
} adl_model_meta;

/* Strings are copied; NULL is "". */
adl_model_meta *adl_model_meta_new(const char *stage_class, const char *plugin_version, const char *plugin_build,
                                   uint32_t state_version, const char *parameters);
void adl_model_meta_add_input(adl_model_meta *meta, const char *name, const char *type);
void adl_model_meta_free(adl_model_meta *meta);

/* ---- for the files of core/model ---- */

/* The JSON text kept in the file: the above, and what is needed to make `tensors` of its arrays. */
char *adl_model_meta_text(const adl_model_meta *meta, const adl_tensors *tensors, const char *checksum);
/* NULL: *why is a sentence, to be freed. tables: of char *. elements: name to GINT_TO_POINTER(adl_element). */
adl_model_meta *adl_model_meta_parse(const char *text, GPtrArray *tables, GHashTable *elements, char **why);
/* Is this what strict JSON is made of, and not nested more than a model file's is? json-glib takes more than JSON, and its
 * reader and its trees are recursive, so a hostile text must not get that far. */
bool adl_json_harmless(const char *text, size_t size);
const char *adl_element_name(int32_t element);

#endif
