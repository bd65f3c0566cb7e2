/* The table of classes in a report. */
#include "common/class_report.h"

#include <stdio.h>
#include <string.h>

#include "common/label_classes.h"
#include "common/sgd_model.h"

enum { SPEAKING = 6, NAME_SIZE = 256 };

/* The dimensions with the largest weights above 0, by name. */
static const char *what_speaks_for(const adl_call *call, const adl_input *features, const double *weights,
                                   int64_t width, int64_t outputs) {
  int64_t best[SPEAKING], count = 0;
  for (int64_t i = 0; i < width; i++) {
    double w = weights[i * outputs];
    if (!(w > 0) || (count == SPEAKING && w <= weights[best[count - 1] * outputs])) continue;
    int64_t at = count < SPEAKING ? count++ : count - 1;
    for (; at > 0 && weights[best[at - 1] * outputs] < w; at--) best[at] = best[at - 1];
    best[at] = i;
  }
  char *text = call->host->alloc(call, SPEAKING * (NAME_SIZE + 2)), *end = text;
  *end = '\0';
  for (int64_t i = 0; i < count; i++) {
    if (i > 0) end += sprintf(end, ", ");
    call->host->dimension_name(call, features, best[i], end, NAME_SIZE);
    end += strlen(end);
  }
  return text;
}

static const char *cell(const adl_call *call, double value) {
  char *text = call->host->alloc(call, 32);
  snprintf(text, 32, "%.6g", value);
  return text;
}

void adl_classes_report(const adl_call *call, const adl_input *features, const adl_tensors *tensors,
                        adl_report *report) {
  adl_class_names names = adl_classes_names(call, tensors);
  const double *rows = adl_values_find(call, tensors, "class_weights"), *bias = adl_values_find(call, tensors, "bias");
  adl_tensor weights;
  if (names.count == 0 || rows == NULL || !call->host->find_tensor(call, tensors, "weights", &weights)) return;
  static const char *const titles[] = {"class", "rows", "constant", "what speaks for it"};
  const char **cells = call->host->alloc(call, (size_t)names.count * 4 * sizeof *cells), **at = cells;
  for (int64_t k = 0; k < names.count; k++) {
    adl_text name = adl_class_name(&names, k);
    char *text = call->host->alloc(call, (size_t)name.size + 1);
    if (name.size > 0) memcpy(text, name.data, (size_t)name.size);
    text[name.size] = '\0';
    *at++ = text;
    *at++ = cell(call, rows[k]);
    *at++ = cell(call, bias[k]);
    *at++ = what_speaks_for(call, features, (const double *)weights.data + k, features->type.width, names.count);
  }
  call->host->report_table(call, report, "classes", 4, titles, names.count, cells);
}
