/* Labels and weights of the learners: reading and refusing. */
#include "common/labels.h"

bool adl_label_read(const adl_call *call, const adl_column *label, const adl_column *weight, adl_loss loss, int64_t row,
                    double *label_value, double *weight_value) {
  double y = adl_number_at(label, row), w = weight != NULL ? adl_number_at(weight, row) : 1.0;
  if (loss == ADL_LOSS_LOGISTIC && !(y >= 0.0 && y <= 1.0)) {
    call->host->reject(call, row, "label", "label %g is not in [0, 1], which logistic loss needs", y);
    return false;
  }
  if (!isfinite(y)) {
    call->host->reject(call, row, "label", "label is %g", y);
    return false;
  }
  if (!(w >= 0.0 && isfinite(w))) {
    call->host->reject(call, row, "weight", "weight %g is negative or not finite", w);
    return false;
  }
  *label_value = y;
  *weight_value = w;
  return w > 0;
}

bool adl_label_warn(const adl_call *call, adl_loss loss, double rows, double label_sum) {
  if (loss != ADL_LOSS_LOGISTIC || (label_sum > 0 && label_sum < rows)) return false;
  call->host->log(call, ADL_WARNING,
                  "all %.0f training labels are %s: the model can learn nothing but that. Check `label` and the "
                  "holdout of the source",
                  rows, label_sum <= 0 ? "0" : "1");
  return true;
}
