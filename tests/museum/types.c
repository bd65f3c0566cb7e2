/* Every type of the public headers, reachable from one symbol: what abidiff compares with the dump of 1.0. */
#include <adloom/arrow.h>
#include <adloom/expression.h>
#include <adloom/plugin.h>

#define KEEP(type, name) ADL_EXPORT type *adl_abi_##name(type *value);
#define GIVE(type, name)                                                                                               \
  KEEP(type, name)                                                                                                     \
  type *adl_abi_##name(type *value) { return value; }

GIVE(const adl_plugin, plugin)
GIVE(const adl_host, host)
GIVE(const adl_model, model)
GIVE(const adl_tensor, tensor)
GIVE(const adl_fold, fold)
GIVE(const adl_ints, ints)
GIVE(const adl_floats, floats)
GIVE(const adl_strings, strings)
GIVE(const adl_string_lists, string_lists)
GIVE(const adl_map, map)
GIVE(const adl_named_floats, named_floats)
GIVE(const adl_inputs, inputs)
GIVE(const adl_input_lists, input_lists)
GIVE(const adl_output, output)
GIVE(const adl_side, side)
GIVE(const adl_calls, calls)
GIVE(const adl_expression_extension, expression_extension)
GIVE(const adl_arrow_extension, arrow)
