/* Errors of core/model, see error.h. */
#include "core/model/error.h"

GQuark adl_model_error_quark(void) { return g_quark_from_static_string("adloom-model-error"); }

bool adl_model_fail(GError **error, adl_model_error code, const char *path, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *what = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error(error, ADL_MODEL_ERROR, (int)code, "%s: %s", path, what);
  g_free(what);
  return false;
}
