/* derive: new columns computed by expressions. The core computes them; this class only lets them leave. */
#include <adloom/plugin.h>
#include <stdio.h>
#include <string.h>

typedef struct derive {
  adl_inputs columns;
  bool replace;
} derive;

static bool is_input(const adl_call *call, const char *wanted) {
  const char *name;
  adl_type type;
  for (int32_t i = 0; call->host->input_column(call, i, &name, &type); i++)
    if (strcmp(name, wanted) == 0) return true;
  return false;
}

static adl_status bind(const adl_call *call, void *instance) {
  const adl_host *host = call->host;
  derive *self = instance;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_input *column = &self->columns.items[i];
    char parameter[256];
    snprintf(parameter, sizeof parameter, "columns.%s", column->name);
    if (is_input(call, column->name)) {
      if (!self->replace)
        return host->fail(call, parameter, -1, "choose another name, or set `replace: true`",
                          "there is a column `%s` already", column->name);
      ADL_TRY(host->hide(call, parameter, column->name));
    }
    ADL_TRY(host->forward(call, parameter, column, column->name));
  }
  return ADL_OK;
}

static const adl_param params[] = {
    {.name = "columns",
     .type = ADL_PARAM_EXPRESSION,
     .flags = ADL_MAP_OF | ADL_REQUIRED | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(derive, columns),
     .shapes = ADL_ANY_SHAPE,
     .doc = "Names of new columns, each with the expression that gives it, for example `spend: price * quantity`. "
            "Expressions see the columns of the stage before, not each other."},
    {.name = "replace",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(derive, replace),
     .default_value = "false",
     .doc = "Let a new column take the name of one that is there; the old one then does not leave."},
};

static const char doc[] = "Adds columns that expressions compute from the columns of the row. The type follows from "
                          "the expression: numbers are int64 or float64, comparisons bool. An expression that is "
                          "nothing but the name of a column gives that column a second name, whatever its type, "
                          "without copying it.\n\n"
                          "What cannot be computed is null: division by zero, the logarithm of a negative number, an "
                          "arithmetic step with a null. `coalesce(x, 0)` says what to put there instead.";

static const adl_class derive_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "derive",
    .title = "New columns by expressions",
    .doc = doc,
    .flags = ADL_EXACT_ROWS,
    .form = ADL_SAME,
    .instance_size = sizeof(derive),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
};

static const adl_class *const classes[] = {&derive_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "derive",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("derive", "1.0.0", "transform:derive", &plugin);
