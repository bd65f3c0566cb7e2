/* A model file as text for people: `adloom model show FILE`. */
#ifndef ADLOOM_CORE_MODEL_SHOW_H
#define ADLOOM_CORE_MODEL_SHOW_H

#include <stdio.h>

#include "core/model/error.h"

/* What the file says about itself, its tensors with least, greatest and mean value, its keyed tables. False: *error. */
bool adl_model_show(const char *path, FILE *out, GError **error);

#endif
