/* The classes of a label that is a category: counted in a fold, put into an order that does not depend on that of the rows,
 * and looked up by their texts. Used by lbfgs. */
#ifndef ADLOOM_PLUGINS_COMMON_LABEL_CLASSES_H
#define ADLOOM_PLUGINS_COMMON_LABEL_CLASSES_H

#include <adloom/plugin.h>

/* In a fold: the table "classes" of the partial (key: the text of the category; a number: the weight of its rows). */
void adl_classes_begin(const adl_call *call, adl_tensors *total);
void adl_classes_add(const adl_call *call, adl_tensors *partial, const adl_column *label, int64_t row, double weight);

/* After it. `numbers` has the classes as keys, the row of each being its number: by value where all are whole numbers, else
 * by their bytes. Memory is that of the call. */
typedef struct adl_classes {
  int64_t count;
  adl_table *numbers;
  double *weights; /* of the rows of each */
} adl_classes;

adl_classes adl_classes_end(const adl_call *call, const adl_tensors *total);

/* Number of the class of a row; -1: there is none such. */
int64_t adl_classes_find(const adl_call *call, const adl_classes *classes, const adl_column *label, int64_t row);

/* As tensors of a model: "classes" (their texts, end to end) and "classes.offsets" (count + 1). */
void adl_classes_keep(const adl_call *call, const adl_classes *classes, adl_tensors *tensors);

/* From a model: how many; 0 where there are none, or the tensors do not fit each other. */
typedef struct adl_class_names {
  int64_t count;
  const int64_t *offsets;
  const char *bytes;
} adl_class_names;

adl_class_names adl_classes_names(const adl_call *call, const adl_tensors *tensors);

static inline adl_text adl_class_name(const adl_class_names *names, int64_t number) {
  return (adl_text){names->bytes + names->offsets[number],
                    (int32_t)(names->offsets[number + 1] - names->offsets[number])};
}

#endif
