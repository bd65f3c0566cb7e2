/* What a learner is taught with: the label and the weight of a row, checked. Used by ftrl, sgd and calibrate. */
#ifndef ADLOOM_PLUGINS_COMMON_LABELS_H
#define ADLOOM_PLUGINS_COMMON_LABELS_H

#include <adloom/plugin.h>

#include "common/logistic.h"

/* Label and weight of a row. False: the row cannot be learned from and has been rejected with the reason; or its weight is
 * 0, and it is passed over as if it were not there. `weight` may be NULL: every row counts once. Logistic loss takes
 * labels in [0, 1] (between them: a probability), squared loss any finite number; weights are finite and not negative. */
bool adl_label_read(const adl_call *call, const adl_column *label, const adl_column *weight, adl_loss loss, int64_t row,
                    double *label_value, double *weight_value);

/* Says in the log that every label is the same, when it is; returns whether. */
bool adl_label_warn(const adl_call *call, adl_loss loss, double rows, double label_sum);

#endif
