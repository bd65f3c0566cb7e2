/* What params.c, fields.c, paths.c and args.c share. */
#ifndef ADLOOM_CORE_CONFIG_PARAMS_INTERNAL_H
#define ADLOOM_CORE_CONFIG_PARAMS_INTERNAL_H

#include "core/config/params.h"

/* One stage being filled. */
typedef struct adl_filler {
  const adl_params_request *request;
  adl_problems *problems;
  adl_args *args;
} adl_filler;

enum { ADL_FORMS = ADL_LIST_OF | ADL_LISTS_OF | ADL_MAP_OF };

/* The i-th parameter of a class, whatever its table's stride. */
static inline const adl_param *adl_param_at(const adl_class *class, int i) {
  size_t stride = class->param_size > 0 ? class->param_size : sizeof(adl_param);
  return (const adl_param *)((const char *)class->params + (size_t)i * stride);
}

/* Bytes of the field of a parameter; 0: there is no such type, or not in this form. */
size_t adl_param_field_size(const adl_param *param);

/* "an integer", "a list of columns", "a mapping of names to texts": what the parameter takes. */
const char *adl_param_takes(const adl_param *param, char *buffer, size_t size);

/* Checks arg->node, which is there, and fills the field. `side`: number of a STAGE parameter. False: reported. */
bool adl_params_convert(adl_filler *filler, const adl_arg *arg, int side);

/* Sets the field of a parameter that has no value: slots to -1, all else stays zero. */
void adl_params_clear(adl_filler *filler, const adl_param *param);

/* PATH_IN: one node to absolute paths of files that can be read, appended to `out` (of char *, the region's). With
 * `globs` patterns are expanded. */
bool adl_params_find_files(adl_filler *filler, const adl_arg *arg, const adl_node *node, const char *path, bool globs,
                           GPtrArray *out);

/* An error about a node of an argument (NULL: where the argument stands): "stage.path: message", with its notes. */
adl_problem *adl_args_blame(const adl_args *args, adl_problems *problems, const adl_arg *arg, const adl_node *node,
                            const char *path, const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
