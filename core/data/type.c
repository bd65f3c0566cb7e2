/* Column types: which pairs of element and shape exist, and their names for messages. */
#include "core/data/array.h"

#include <glib.h>

static const char *const element_names[] = {"bool",    "int32",     "int64",  "uint32", "float32",
                                            "float64", "timestamp", "string", "bytes"};

bool adl_type_valid(adl_type type, const char **why) {
  const char *reason = NULL;
  bool is_float = type.element == ADL_FLOAT32 || type.element == ADL_FLOAT64;
  bool wide = type.shape == ADL_VECTOR || type.shape == ADL_SPARSE;
  if (type.element > ADL_BYTES)
    reason = "There is no such element.";
  else if (type.shape > ADL_BAG)
    reason = "There is no such shape.";
  else if (type.role > ADL_CATEGORY)
    reason = "There is no such role.";
  else if (type.reserved != 0 || type.reserved2 != 0)
    reason = "Reserved members of a type must be 0.";
  else if (type.shape == ADL_LIST && type.element == ADL_BOOL)
    reason = "There are no lists of bool.";
  else if (type.shape == ADL_VECTOR && !is_float)
    reason = "Vectors hold float32 or float64.";
  else if (type.shape == ADL_SPARSE && type.element != ADL_FLOAT32)
    reason = "Sparse columns hold float32.";
  else if (type.shape == ADL_BAG && type.element != ADL_STRING)
    reason = "Bags hold strings.";
  else if (type.element == ADL_STRING && type.role != ADL_CATEGORY)
    reason = "Strings are always categories.";
  else if (wide && type.role != ADL_NUMBER)
    reason = "Vectors and sparse columns are always numbers.";
  else if (!wide && type.width != 0)
    reason = "Only vectors and sparse columns have a width.";
  else if (type.width < 0)
    reason = "A width cannot be negative.";
  else if (type.shape == ADL_VECTOR && type.width > INT32_MAX)
    reason = "A vector has at most 2^31 - 1 elements.";
  else if (type.shape == ADL_SPARSE && type.width > (INT64_C(1) << 32))
    reason = "A sparse column has at most 2^32 dimensions.";
  if (why != NULL) *why = reason;
  return reason == NULL;
}

bool adl_type_equal(adl_type a, adl_type b) {
  return a.element == b.element && a.shape == b.shape && a.role == b.role &&
         (a.width == b.width || a.width == 0 || b.width == 0);
}

/* Strings are categories and floats numbers as a matter of course; of the others a category is told. */
static bool role_is_news(adl_type type) {
  return type.role == ADL_CATEGORY && type.element != ADL_STRING && type.shape != ADL_BAG;
}

const char *adl_type_name(adl_type type, char *buffer, size_t size) {
  static const char *const shape_names[] = {"", "list of ", "vector ", "sparse ", "bag of "};
  const char *element = type.element <= ADL_BYTES ? element_names[type.element] : "unknown";
  const char *shape = type.shape <= ADL_BAG ? shape_names[type.shape] : "unknown shape of ";
  const char *role = role_is_news(type) ? "category " : "";
  if (type.width > 0)
    g_snprintf(buffer, size, "%s%s%s[%" G_GINT64_FORMAT "]", role, shape, element, type.width);
  else
    g_snprintf(buffer, size, "%s%s%s", role, shape, element);
  return buffer;
}

adl_type adl_type_scalar(adl_element element, adl_role role) {
  return (adl_type){
      .element = (uint8_t)element, .shape = ADL_SCALAR, .role = (uint8_t)(element == ADL_STRING ? ADL_CATEGORY : role)};
}
