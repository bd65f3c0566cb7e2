/* The words of a vocabulary that count most, for a report. Used by tfidf. */
#ifndef ADLOOM_PLUGINS_COMMON_TOP_WORDS_H
#define ADLOOM_PLUGINS_COMMON_TOP_WORDS_H

#include "common/vocabulary.h"

/* A chart of the words that weigh most in all documents together: how many hold each, times its idf. */
void adl_top_words_report(const adl_call *call, const adl_vocabulary *words, const float *idf, const int64_t *held_by,
                          adl_report *report);

#endif
