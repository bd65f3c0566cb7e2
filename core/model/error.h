/* Errors of core/model: "FILE: what is wrong". */
#ifndef ADLOOM_CORE_MODEL_ERROR_H
#define ADLOOM_CORE_MODEL_ERROR_H

#include <glib.h>
#include <stdbool.h>

#define ADL_MODEL_ERROR (adl_model_error_quark())
GQuark adl_model_error_quark(void);

typedef enum adl_model_error {
  ADL_MODEL_ERROR_IO,     /* the file system said no */
  ADL_MODEL_ERROR_ABSENT, /* there is no such file */
  ADL_MODEL_ERROR_FORMAT, /* the file is not what it should be */
  ADL_MODEL_ERROR_CONTENT /* these tensors or metadata cannot be saved */
} adl_model_error;

/* Sets "PATH: ..." and returns false. */
bool adl_model_fail(GError **error, adl_model_error code, const char *path, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

#endif
