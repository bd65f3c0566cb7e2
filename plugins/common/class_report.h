/* The table of classes in the report of a linear model with several of them. Used by lbfgs. */
#ifndef ADLOOM_PLUGINS_COMMON_CLASS_REPORT_H
#define ADLOOM_PLUGINS_COMMON_CLASS_REPORT_H

#include <adloom/plugin.h>

/* Reports each class of the model ("classes", "class_weights", "bias", and "weights", width x classes): its rows, its
 * constant, and the dimensions with the largest weights for it, by name. */
void adl_classes_report(const adl_call *call, const adl_input *features, const adl_tensors *tensors,
                        adl_report *report);

#endif
