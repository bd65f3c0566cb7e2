/*
 * adloom.expression/1: expressions for plugins that hold the texts themselves.
 *
 * A class that wants a computed column declares a parameter of type EXPRESSION and finds it in a slot: that is the way
 * for nearly everything, and needs nothing of this header. It does not reach far enough when the texts are not
 * parameters but come from somewhere else: rules in a file, conditions inside a list of lists, bids in a table. For
 * these the host lends its compiler. It is the same language, with the same errors: a compile that fails has said so
 * through host->fail, with the place inside the text.
 *
 *   const adl_expression_extension *language = call->host->extension(call, ADL_EXPRESSION_EXTENSION);
 *   if (language == NULL) return call->host->fail(call, "rules", -1, "use a newer adloom", "...");
 *   ADL_TRY(language->compile(call, "rules", text, self->columns.items, self->columns.count, &self->rule));
 *
 * An expression belongs to the instance: compile in bind, free in destroy.
 */
#ifndef ADLOOM_EXPRESSION_H
#define ADLOOM_EXPRESSION_H

#include <adloom/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ADL_EXPRESSION_EXTENSION "adloom.expression/1"

typedef struct adl_expression adl_expression; /* immutable */

/* Host side; there is no plugin side. Append-only. */
typedef struct adl_expression_extension {
  uint32_t struct_size;
  uint32_t reserved;

  /* [setup] Compiles a text that may read the columns `inputs` (of bind) by their names. `parameter` is the one to
   * blame; when it holds the text itself, the caret stands inside it. *expression is NULL on failure. */
  adl_status (*compile)(const adl_call *call, const char *parameter, const char *text, const adl_input *inputs,
                        int64_t count, adl_expression **expression) ADL_MUST_USE;

  /* [run] Type of the result: scalar bool, int64, float64, timestamp, string or bytes; the type of the column when the
   * text is nothing but its name. */
  adl_type (*type)(const adl_expression *expression);

  /* [run] Computes it for `rows` rows. columns[i] belongs to inputs[i] of compile; those that the text does not name
   * may be NULL. The result is scratch of the call: valid until the plugin's function returns. */
  adl_status (*evaluate)(const adl_call *call, const adl_expression *expression, const adl_column *const *columns,
                         int64_t rows, const adl_column **result) ADL_MUST_USE;

  /* [setup] NULL is fine. */
  void (*free)(adl_expression *expression);
} adl_expression_extension;

#ifdef __cplusplus
}
#endif
#endif
