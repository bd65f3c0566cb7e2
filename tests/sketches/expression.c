/* A class with expressions of its own: sketch.rules gives each row the number of the first rule that holds. The rules
 * stand in a file, one a line, where a parameter of type EXPRESSION does not reach. */
#include <adloom/expression.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RULES = 100, LONGEST_RULE = 1000 };

typedef struct rules {
  const char *path;
  adl_inputs columns;
  adl_output as;

  const adl_expression_extension *language;
  adl_expression *rule[MOST_RULES];
  int32_t count;
} rules;

static const adl_param params[] = {
    {.name = "rules",
     .type = ADL_PARAM_PATH_IN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(rules, path),
     .doc = "File of rules: one expression a line, true or false."},
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(rules, columns),
     .elements = ADL_ANY_ELEMENT,
     .shapes = ADL_MASK(ADL_SCALAR),
     .default_value = "*",
     .doc = "Columns that the rules may name."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(rules, as),
     .default_value = "rule",
     .doc = "New column: number of the first rule that holds, from 0; null: none does (int32, a category)."},
};

static adl_status compile(const adl_call *call, rules *self, const char *text) {
  adl_expression **rule = &self->rule[self->count];
  if (self->count == MOST_RULES) return call->host->fail(call, "rules", -1, NULL, "more than %d rules", MOST_RULES);
  ADL_TRY(self->language->compile(call, "rules", text, self->columns.items, self->columns.count, rule));
  self->count++;
  if (self->language->type(*rule).element == ADL_BOOL) return ADL_OK;
  return call->host->fail(call, "rules", -1, "compare it with something", "rule %d, `%s`, is neither true nor false",
                          self->count, text);
}

static adl_status bind(const adl_call *call, void *instance) {
  rules *self = instance;
  char text[LONGEST_RULE];
  self->language = call->host->extension(call, ADL_EXPRESSION_EXTENSION);
  if (self->language == NULL) return call->host->fail(call, NULL, -1, "use a newer adloom", "it has no expressions");
  FILE *file = fopen(self->path, "r");
  if (file == NULL) return call->host->fail(call, "rules", -1, NULL, "%s: %s", self->path, strerror(errno));
  adl_status status = ADL_OK;
  while (fgets(text, sizeof text, file) != NULL) {
    text[strcspn(text, "\n")] = '\0';
    if (text[0] != '\0' && compile(call, self, text) != ADL_OK) status = ADL_FAILED;
  }
  fclose(file);
  ADL_TRY(status);
  return call->host->declare(call, &self->as, (adl_type){.element = ADL_INT32, .role = ADL_CATEGORY});
}

static void destroy(void *instance) {
  rules *self = instance;
  for (int32_t i = 0; i < self->count; i++) self->language->free(self->rule[i]);
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const rules *self = instance;
  const adl_column **columns = call->host->alloc(call, ((size_t)self->columns.count + 1) * sizeof *columns), *holds;
  adl_buffers to;
  (void)model;
  for (int64_t i = 0; i < self->columns.count; i++) columns[i] = batch->slots[self->columns.items[i].slot];
  ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &to));
  for (int64_t r = 0; r < batch->rows; r++) adl_bit_set(to.validity, r, false);
  for (int32_t i = self->count; i-- > 0;) { /* the first rule has the last word */
    ADL_TRY(self->language->evaluate(call, self->rule[i], columns, batch->rows, &holds));
    for (int64_t r = 0; r < batch->rows; r++) {
      if (adl_is_null(holds, r) || !adl_bit(holds->data, r)) continue;
      ((int32_t *)to.data)[r] = i;
      adl_bit_set(to.validity, r, true);
    }
  }
  return ADL_OK;
}

static const adl_class rules_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_PROFILE,
    .id = "sketch.rules",
    .title = "First rule that holds",
    .doc = "Gives each row the number of the first rule that holds. A rule that is null does not hold.",
    .instance_size = sizeof(rules),
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .process = process,
};
ADL_PLUGIN_OF("sketch.rules", "1.0.0", "profile:sketch.rules", &rules_class);
