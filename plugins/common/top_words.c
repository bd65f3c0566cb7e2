#include "common/top_words.h"

#include "common/plots.h"
#include "common/reporting.h"

enum { TOP_WORDS = 25, WORD_SHOWN = 60 };

void adl_top_words_report(const adl_call *call, const adl_vocabulary *words, const float *idf, const int64_t *held_by,
                          adl_report *report) {
  const char *names[TOP_WORDS];
  double weight[TOP_WORDS];
  int64_t best[TOP_WORDS], count = 0;
  for (int64_t i = 0; i < words->count; i++) {
    double value = (double)held_by[i] * (double)idf[i];
    if (count == TOP_WORDS && value <= weight[count - 1]) continue;
    int64_t at = count < TOP_WORDS ? count++ : count - 1;
    for (; at > 0 && weight[at - 1] < value; at--) {
      weight[at] = weight[at - 1];
      best[at] = best[at - 1];
    }
    weight[at] = value;
    best[at] = i;
  }
  for (int64_t i = 0; i < count; i++) {
    int64_t from = words->offsets[best[i]];
    names[i] = adl_text_shown(call, (adl_text){words->bytes + from, (int32_t)(words->offsets[best[i] + 1] - from)},
                              WORD_SHOWN);
  }
  adl_plot_named(call, report, "words that weigh most", "word", "documents that hold it, times its idf", count, names,
                 weight, NULL, NULL);
}
