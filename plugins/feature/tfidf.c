/* tfidf: text to weighted words. The vocabulary and its document frequencies come from one fold over the training rows;
 * a row's vector is its words' counts times their inverse document frequencies. */
#include <adloom/plugin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/documents.h"
#include "common/large.h"
#include "common/row_sorter.h"
#include "common/term_hash.h"
#include "common/terms.h"
#include "common/top_words.h"
#include "common/vocabulary.h"
#include "common/word_weights.h"

enum { MODE_VOCABULARY, MODE_HASH };
enum { LARGE_BITS = 22 };

typedef struct tfidf {
  adl_input text;
  adl_output as;
  adl_ints ngram;
  int32_t analyzer; /* adl_analyzer */
  bool lowercase;
  const char *stop_words, *dictionary;
  int32_t mode;
  int64_t bits;
  double min_df, max_df;
  int64_t max_features;
  bool sublinear, idf;
  int32_t norm;             /* adl_norm */
  adl_tokenizer *tokenizer; /* NULL: `text` holds ready-made words */
} tfidf;

/* The lookup side of a model. */
typedef struct lookup {
  adl_vocabulary *words; /* NULL: terms are hashed */
  float *idf;            /* NULL: 1 */
} lookup;

/* ---- the terms of a batch ---- */

static adl_documents documents_in(const adl_call *call, const tfidf *self, const adl_batch *batch) {
  return (adl_documents){.call = call,
                         .column = batch->slots[self->text.slot],
                         .name = self->text.name,
                         .tokenizer = self->tokenizer,
                         .shortest = self->ngram.items[0],
                         .longest = self->ngram.items[1],
                         .words_whole = self->analyzer == ADL_ANALYZER_CHAR_WORD};
}

/* The dimension of each term of the stretch in hand. */
static void find_dimensions(const tfidf *self, const adl_vocabulary *words, const adl_documents *in,
                            uint32_t *dimension) {
  int64_t count = in->start[in->rows];
  if (words != NULL) {
    adl_vocabulary_find_all(words, in->keys, count, dimension);
    return;
  }
  adl_terms_murmur3(in->keys, count, (uint32_t)((1u << self->bits) - 1), dimension);
}

/* ---- fitting ---- */

/* The partial: how many documents there are; for each term, how many of them it is in and the sum of its weights. */
static int64_t *documents_of(const adl_call *call, adl_tensors *partial) {
  return call->host->tensor(call, partial, "documents", ADL_INT64, 1, (const int64_t[]){1});
}

static adl_status count_terms(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                              adl_tensors *partial) {
  const tfidf *self = instance;
  adl_documents in = documents_in(call, self, batch);
  adl_terms all;
  (void)context;
  adl_terms_open(&all, call, partial, self->max_features > 0);
  while (adl_documents_next(&in)) ADL_TRY(adl_terms_count(&all, in.keys, in.start, in.rows, in.weights));
  adl_terms_close(&all);
  *documents_of(call, partial) += in.documents;
  return ADL_OK;
}

static adl_status count_dimensions(const adl_call *call, const void *instance, const void *context,
                                   const adl_batch *batch, adl_tensors *partial) {
  const tfidf *self = instance;
  const int64_t dimensions = INT64_C(1) << self->bits;
  adl_documents in = documents_in(call, self, batch);
  adl_row_set set = {.call = call};
  adl_room room = {0};
  (void)context;
  uint32_t *held_by = call->host->tensor(call, partial, "held_by", ADL_UINT32, 1, &dimensions);
  while (adl_documents_next(&in)) {
    uint32_t *dimension = adl_room_of(call, &room, in.start[in.rows] * (int64_t)sizeof *dimension);
    find_dimensions(self, NULL, &in, dimension);
    for (int64_t row = 0; row < in.rows; row++)
      adl_row_set_count(&set, dimension, in.start[row], in.start[row + 1], in.start[in.rows], held_by);
  }
  *documents_of(call, partial) += in.documents;
  return ADL_OK;
}

static adl_status merge_terms(const adl_call *call, const void *instance, const void *context, adl_tensors *into,
                              adl_tensors *from) {
  const tfidf *self = instance;
  adl_terms to, more;
  (void)context;
  *documents_of(call, into) += *documents_of(call, from);
  adl_terms_open(&to, call, into, self->max_features > 0);
  adl_terms_open(&more, call, from, self->max_features > 0);
  ADL_TRY(adl_terms_add(&to, &more));
  adl_terms_close(&to);
  return ADL_OK;
}

/* The terms of a table as a list, in the order of its slots, which are looked at in stretches. */
enum { STRETCHES = 64 };

typedef struct listing {
  const adl_terms *terms;
  adl_counted *counted;
  int64_t start[STRETCHES + 1]; /* of a stretch in the list; first how many terms are in each */
} listing;

static int64_t stretch_begin(const listing *l, int64_t stretch) { return l->terms->slot_count * stretch / STRETCHES; }

static adl_status count_stretch(const adl_call *call, void *context, int64_t stretch) {
  listing *l = context;
  int64_t count = 0;
  (void)call;
  for (int64_t i = stretch_begin(l, stretch); i < stretch_begin(l, stretch + 1); i++)
    count += l->terms->slots[i].documents != 0;
  l->start[stretch + 1] = count;
  return ADL_OK;
}

static adl_status list_stretch(const adl_call *call, void *context, int64_t stretch) {
  listing *l = context;
  adl_counted *next = l->counted + l->start[stretch];
  (void)call;
  for (int64_t i = stretch_begin(l, stretch); i < stretch_begin(l, stretch + 1); i++) {
    const adl_terms_slot *slot = &l->terms->slots[i];
    if (slot->documents == 0) continue;
    *next++ = (adl_counted){.key = {adl_terms_data(l->terms, slot), slot->size},
                            .count = slot->documents,
                            .rank = l->terms->sums != NULL ? l->terms->sums[i] : 0};
  }
  return ADL_OK;
}

static adl_status counted_terms(const adl_call *call, const adl_terms *terms, adl_counted **counted) {
  listing l = {.terms = terms, .counted = call->host->alloc(call, ((size_t)terms->count + 1) * sizeof *l.counted)};
  ADL_TRY(call->host->parallel(call, STRETCHES, count_stretch, &l));
  for (int64_t i = 0; i < STRETCHES; i++) l.start[i + 1] += l.start[i];
  *counted = l.counted;
  return call->host->parallel(call, STRETCHES, list_stretch, &l);
}

/* Sums up over all training rows. */
static adl_status count_all(const adl_call *call, const tfidf *self, adl_rows *rows, adl_tensors *total) {
  const adl_host *host = call->host;
  bool hashed = self->mode == MODE_HASH;
  bool large = hashed && self->bits > LARGE_BITS; /* of these partials there are few anyway */
  adl_fold fold = {.struct_size = sizeof fold,
                   .flags = large ? 0 : ADL_FOLD_KEYS,
                   .step = hashed ? count_dimensions : count_terms,
                   .merge = hashed ? NULL : merge_terms};
  ADL_TRY(host->fold(call, rows, &fold, total));
  if (*documents_of(call, total) == 0)
    return host->fail(call, "text", -1, NULL, "no training row has a document: there is no row, or %s is null in all",
                      self->text.name);
  return ADL_OK;
}

static adl_status fit_hashed(const adl_call *call, const tfidf *self, adl_rows *rows, adl_model *model) {
  const adl_host *host = call->host;
  const int64_t dimensions = INT64_C(1) << self->bits;
  adl_tensors *total = host->scratch_tensors(call);
  *documents_of(call, model->tensors) = 0;
  if (!self->idf) return ADL_OK;
  documents_of(call, total);
  host->tensor(call, total, "held_by", ADL_UINT32, 1, &dimensions);
  ADL_TRY(count_all(call, self, rows, total));
  const uint32_t *held_by = host->tensor(call, total, "held_by", ADL_UINT32, 1, &dimensions);
  float *idf = host->tensor(call, model->tensors, "idf", ADL_FLOAT32, 1, &dimensions);
  int64_t documents = *documents_of(call, model->tensors) = *documents_of(call, total);
  const adl_idf table = adl_idf_for(true, documents);
  for (int64_t d = 0; d < dimensions; d++) idf[d] = adl_idf_of(&table, held_by[d]);
  return ADL_OK;
}

/* The terms that min_df, max_df and max_features leave, in byte order. */
static adl_status choose_terms(const adl_call *call, const tfidf *self, adl_tensors *total, adl_counted **chosen,
                               int64_t *count) {
  const adl_host *host = call->host;
  double n = (double)*documents_of(call, total);
  double low = self->min_df < 1 ? self->min_df * n : self->min_df;
  double high = self->max_df <= 1 ? self->max_df * n : self->max_df;
  if (high < low)
    return host->fail(call, "max_df", -1, "lower min_df or raise max_df",
                      "of %.0f documents, min_df asks for at least %g and max_df for at most %g", n, low, high);
  adl_terms all;
  adl_terms_open(&all, call, total, self->max_features > 0);
  ADL_TRY(counted_terms(call, &all, chosen));
  *count = adl_counted_between(*chosen, all.count, low, high);
  if (self->max_features > 0) *count = adl_counted_top(*chosen, *count, self->max_features);
  if (*count == 0)
    return host->fail(call, "text", -1, all.count > 0 ? "lower min_df or raise max_df" : NULL,
                      "no word is left of the %lld in %.0f documents", (long long)all.count, n);
  return adl_counted_sort(call, *chosen, *count);
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const adl_host *host = call->host;
  const tfidf *self = instance;
  if (self->mode == MODE_HASH) return fit_hashed(call, self, rows, model);
  adl_tensors *total = host->scratch_tensors(call);
  adl_terms none;
  adl_counted *terms = NULL;
  int64_t count;
  documents_of(call, total);
  adl_terms_open(&none, call, total, self->max_features > 0);
  ADL_TRY(count_all(call, self, rows, total));
  ADL_TRY(choose_terms(call, self, total, &terms, &count));
  ADL_TRY(adl_vocabulary_save(call, model->tensors, "words", terms, count));
  float *idf = host->tensor(call, model->tensors, "idf", ADL_FLOAT32, 1, &count);
  int64_t documents = *documents_of(call, model->tensors) = *documents_of(call, total);
  int64_t *held_by = host->tensor(call, model->tensors, "held_by", ADL_INT64, 1, &count);
  const adl_idf table = adl_idf_for(self->idf, documents);
  for (int64_t i = 0; i < count; i++) {
    held_by[i] = (int64_t)terms[i].count;
    idf[i] = adl_idf_of(&table, held_by[i]);
  }
  return ADL_OK;
}

/* ---- using a model ---- */

static void release(const void *self, void *prepared) {
  lookup *made = prepared;
  (void)self;
  if (made == NULL) return;
  adl_vocabulary_free(made->words);
  free(made->idf);
  free(made);
}

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **prepared) {
  const adl_host *host = call->host;
  const tfidf *self = instance;
  adl_vocabulary *words = NULL;
  adl_tensor idf;
  bool hashed = self->mode == MODE_HASH;
  if (!hashed) ADL_TRY(adl_vocabulary_load(call, model->tensors, "words", "held_by", &words));
  int64_t width = hashed ? INT64_C(1) << self->bits : words->count;
  bool there = host->find_tensor(call, model->tensors, "idf", &idf);
  bool sound = there ? idf.element == ADL_FLOAT32 && idf.count == width : hashed && !self->idf;
  lookup *made = calloc(1, sizeof *made);
  float *copy = there && sound ? adl_large_calloc((size_t)width, sizeof *copy) : NULL; /* it is read at random */
  if (made == NULL || !sound || (there && copy == NULL)) {
    adl_vocabulary_free(words);
    free(copy);
    free(made);
    return sound ? host->fail(call, NULL, -1, NULL, "out of memory")
                 : host->fail(call, NULL, -1, "fit the stage again instead of loading this model",
                              "the model's tensor `idf` is missing or does not fit its words");
  }
  if (copy != NULL) memcpy(copy, idf.data, (size_t)width * sizeof *copy);
  *made = (lookup){.words = words, .idf = copy};
  *prepared = made;
  ADL_TRY(host->set_width(call, self->as.slot, width));
  return hashed ? ADL_OK : host->set_names(call, self->as.slot, words->count, words->offsets, words->bytes);
}

/* The rows of a stretch, behind the `used` entries that are there. Returns how many there are then. All of them are put in
 * order before any is weighed: what was just written to places that depend on the data is slow to read. */
static int64_t write_rows(const tfidf *self, const lookup *known, const adl_documents *in, const uint32_t *dimension,
                          adl_row_sorter *sorter, const adl_buffers *column, int64_t used) {
  float *values = column->data;
  int32_t *end = column->offsets + in->first + 1;
  int64_t at = used;
  for (int64_t row = 0; row < in->rows; row++) {
    int64_t from = in->start[row], count = in->start[row + 1] - from;
    const float *weights = in->weights != NULL ? in->weights + from : NULL;
    used += adl_row_sort(sorter, dimension + from, weights, count, column->index + used, values + used);
    end[row] = (int32_t)used;
  }
  for (int64_t row = 0; row < in->rows; at = end[row++]) {
    if (row + 2 < in->rows)
      adl_word_weights_fetch(known->idf, end[row + 2] - end[row + 1], column->index + end[row + 1]);
    adl_word_weights(self->sublinear, known->idf, end[row] - at, column->index + at, values + at);
    adl_word_weights_scale((adl_norm)self->norm, end[row] - at, values + at);
  }
  return used;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const tfidf *self = instance;
  const lookup *known = model->prepared;
  adl_documents in = documents_in(call, self, batch);
  adl_row_sorter sorter = {.call = call};
  adl_room room = {0};
  adl_buffers column = {0};
  int64_t used = 0;
  ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, adl_documents_bytes(&in) / 8, 0, &column));
  while (adl_documents_next(&in)) {
    int64_t count = in.start[in.rows];
    uint32_t *dimension = adl_room_of(call, &room, count * (int64_t)sizeof *dimension);
    find_dimensions(self, known->words, &in, dimension);
    if (used + count > column.item_capacity)
      ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 2 * used + count, 0, &column));
    used = write_rows(self, known, &in, dimension, &sorter, &column, used);
  }
  return ADL_OK;
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report) {
  const tfidf *self = instance;
  const lookup *known = model->prepared;
  adl_tensor documents, held_by;
  if (known->words != NULL)
    call->host->report_number(call, report, "", "words", (double)known->words->count, NAN, NAN);
  else
    call->host->report_number(call, report, "", "dimensions", (double)(INT64_C(1) << self->bits), NAN, NAN);
  if (known->idf != NULL && call->host->find_tensor(call, model->tensors, "documents", &documents) &&
      documents.element == ADL_INT64)
    call->host->report_number(call, report, "", "documents", (double)*(const int64_t *)documents.data, NAN, NAN);
  if (known->words != NULL && call->host->find_tensor(call, model->tensors, "held_by", &held_by) &&
      held_by.element == ADL_INT64 && held_by.count == known->words->count)
    adl_top_words_report(call, known->words, known->idf, held_by.data, report);
  return ADL_OK;
}

/* ---- binding ---- */

/* Ready-made words are taken as they are: what is about splitting makes no sense with them. */
static adl_status check_ready_made(const adl_call *call, const tfidf *self) {
  const char *wrong = self->ngram.items[1] > 1              ? "ngram"
                      : self->stop_words != NULL            ? "stop_words"
                      : self->dictionary != NULL            ? "dictionary"
                      : self->analyzer != ADL_ANALYZER_WORD ? "analyzer"
                                                            : NULL;
  if (wrong == NULL) return ADL_OK;
  return call->host->fail(call, wrong, -1, "leave it out, or give a column of text",
                          "%s holds ready-made words, which are taken as they are", self->text.name);
}

static adl_status make_tokenizer(const adl_call *call, tfidf *self) {
  bool words = self->analyzer == ADL_ANALYZER_WORD;
  const char *wrong = words                      ? NULL
                      : self->stop_words != NULL ? "stop_words"
                      : self->dictionary != NULL ? "dictionary"
                                                 : NULL;
  if (wrong != NULL)
    return call->host->fail(call, wrong, -1, "leave it out, or use `analyzer: word`",
                            "characters are not split into words, so %s does nothing for them",
                            strcmp(wrong, "stop_words") == 0 ? "a list of stop words" : "a dictionary");
  adl_tokenizer_options options = {.lowercase = self->lowercase,
                                   .analyzer = self->analyzer,
                                   .alone = self->ngram.items[1] == 1,
                                   .dictionary = self->dictionary};
  ADL_TRY(adl_tokenizer_new(call, &options, &self->tokenizer));
  if (self->stop_words == NULL) return ADL_OK;
  return adl_tokenizer_stop_words(call, self->tokenizer, "stop_words", self->stop_words);
}

static adl_status bind(const adl_call *call, void *instance) {
  const adl_host *host = call->host;
  tfidf *self = instance;
  const adl_ints *ngram = &self->ngram;
  if (ngram->count != 2 || ngram->items[0] > ngram->items[1])
    return host->fail(call, "ngram", -1, "write the shortest and the longest, such as [1, 2]",
                      "ngram is two numbers, the first not above the second");
  const char *chooses = self->max_features > 0 ? "max_features"
                        : self->min_df != 1    ? "min_df"
                        : self->max_df != 1    ? "max_df"
                                               : NULL;
  if (self->mode == MODE_HASH && chooses != NULL)
    return host->fail(call, chooses, -1, "leave it out, or use `mode: vocabulary`",
                      "%s chooses among the words of a vocabulary, and `mode: hash` has none", chooses);
  if (self->text.type.shape != ADL_SCALAR)
    ADL_TRY(check_ready_made(call, self));
  else
    ADL_TRY(make_tokenizer(call, self));
  return host->declare(call, &self->as, (adl_type){.element = ADL_FLOAT32, .shape = ADL_SPARSE, .role = ADL_NUMBER});
}

static void destroy(void *instance) { adl_tokenizer_free(((tfidf *)instance)->tokenizer); }

static const adl_param params[] = {
    {.name = "text",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED | ADL_NULLS_PASS,
     .offset = offsetof(tfidf, text),
     .elements = ADL_MASK(ADL_STRING),
     .shapes = ADL_MASK(ADL_SCALAR) | ADL_MASK(ADL_LIST) | ADL_MASK(ADL_BAG),
     .doc = "The text: a string column. A list or bag of strings is taken as ready-made words, a bag's weights as how "
            "often each occurs."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(tfidf, as),
     .default_value = "words",
     .doc = "Name of the new column: sparse, one dimension a word, named after it."},
    {.name = "mode",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(tfidf, mode),
     .default_value = "vocabulary",
     .choices = "vocabulary|hash",
     .doc =
         "What a dimension is: `vocabulary`: a word that was learned, by name; `hash`: a hash of `bits` bits, so that "
         "no words are held, new words count, and a few of them share a dimension."},
    {.name = "bits",
     .type = ADL_PARAM_INT,
     .offset = offsetof(tfidf, bits),
     .default_value = "20",
     .range = "[4, 28]",
     .unit = "bits",
     .doc = "With `mode: hash`, there are 2 to the power of this many dimensions."},
    {.name = "analyzer",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(tfidf, analyzer),
     .default_value = "word",
     .choices = "word|char|char_word",
     .doc = "What n-grams are made of: `word`: words; `char`: characters, runs of white space counting as one blank; "
            "`char_word`: characters within what stands between white space, with a blank at either end."},
    {.name = "ngram",
     .type = ADL_PARAM_INT,
     .flags = ADL_LIST_OF,
     .offset = offsetof(tfidf, ngram),
     .default_value = "[1, 1]",
     .range = "[1, 16]",
     .unit = "words or characters",
     .doc =
         "Shortest and longest run of words that counts as one: [1, 2] takes single words and pairs of neighbours. "
         "A pair is named by its words with a blank between them. Characters likewise: [3, 5] takes runs of 3, 4 and "
         "5 of them."},
    {.name = "lowercase",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(tfidf, lowercase),
     .default_value = "true",
     .doc = "Fold case, so that \"Sale\" and \"SALE\" are one word."},
    {.name = "stop_words",
     .type = ADL_PARAM_PATH_IN,
     .offset = offsetof(tfidf, stop_words),
     .doc = "A file of words to leave out, before n-grams are made: UTF-8, split into words as the text is; lines that "
            "begin with # are comments."},
    {.name = "dictionary",
     .type = ADL_PARAM_PATH_IN,
     .offset = offsetof(tfidf, dictionary),
     .doc = "A file of Chinese words, by which runs of Han characters are split instead of by ICU's own: UTF-8, a line "
            "`word frequency tag` for each (jieba's format; the tag may be missing)."},
    {.name = "min_df",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(tfidf, min_df),
     .default_value = "1",
     .range = "[0, inf)",
     .unit = "documents",
     .doc = "Leave out words that are in fewer documents than this; below 1, it is a share of the documents."},
    {.name = "max_df",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(tfidf, max_df),
     .default_value = "1",
     .range = "(0, inf)",
     .unit = "documents",
     .doc = "Leave out words that are in more documents than this; up to 1, it is a share of the documents, so that 1 "
            "keeps all."},
    {.name = "max_features",
     .type = ADL_PARAM_INT,
     .offset = offsetof(tfidf, max_features),
     .default_value = "0",
     .range = "[0, 2147483647]",
     .unit = "words",
     .doc = "Keep at most this many words, those that occur most often in all documents together; 0 keeps all."},
    {.name = "sublinear",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(tfidf, sublinear),
     .default_value = "false",
     .doc = "Count a word that occurs n times in a document as 1 + ln n instead of n. Weights up to 1 stay."},
    {.name = "idf",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(tfidf, idf),
     .default_value = "true",
     .doc = "Weigh words by how rare they are; without it, only counts matter."},
    {.name = "norm",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(tfidf, norm),
     .default_value = "l2",
     .choices = "l2|l1|none",
     .doc = "Scale each row to length 1 (l2), to a sum of 1 (l1), or not at all."},
};

static const char doc[] =
    "Splits text into words and gives each row a sparse vector of them. A word's value is how often it occurs in the "
    "row's document, times its inverse document frequency ln((1 + n) / (1 + df)) + 1, where n is the number of "
    "documents and df the number of those that hold the word; rows are then scaled to length 1. This is what "
    "scikit-learn's TfidfVectorizer computes, except for what counts as a word.\n\n"
    "Words are those of Unicode's rules (UAX 29), found by ICU, after the text has been normalised (NFKC) and its "
    "case folded: full-width letters and digits become ordinary ones. Chinese, Japanese, Thai and other scripts "
    "without blanks are split by ICU's dictionaries; with `dictionary`, runs of Chinese characters are split into the "
    "most "
    "likely words of that file instead, by the product of their frequencies (unigram model, best path, as jieba does "
    "without HMM). Words of one character count, in Chinese above all; numbers are words, "
    "and so are emoji. \"can't\", \"3.14\" and \"example.com\" are one word each, \"x-ray\" is two. Punctuation is "
    "left out.\n\n"
    "The vocabulary is learned from the training rows and frozen then: its words stand in byte order, and the model "
    "holds them with their idf. Words that are not in it are ignored, so a row of nothing but unknown words is an "
    "empty row. Null and empty text gives an empty row as well; null text does not count as a document, empty text "
    "does. A document of more than 16 MB is rejected. Training rows without any document, or limits that leave no "
    "word, end the run.\n\n"
    "With `analyzer: char` or `char_word`, n-grams of characters take the place of words, of the normalised text and "
    "as "
    "scikit-learn's analyzers `char` and `char_wb` make them: a word that is not longer than the n-gram, blanks "
    "included, counts once.\n\n"
    "With `mode: hash` the dimension of a word is its MurmurHash3 (x86, 32 bits, seed 0), cut to `bits` bits "
    "(Weinberger "
    "et al. 2009, without signs, so that values stay counts). Nothing but how many documents hold a dimension is "
    "learned, and with `idf: false` nothing at all.\n\n"
    "A list or bag of strings may be given instead of text, for example what the group class collects of a customer's "
    "purchases: its strings are words as they are, and a bag's weights (0 or more) are added up in place of counting.";

static const adl_class tfidf_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_FEATURE,
    .id = "tfidf",
    .title = "Text to weighted words",
    .doc = doc,
    .flags = ADL_SINGLE_PASS | ADL_EXACT_ROWS,
    .form = ADL_SAME,
    .instance_size = sizeof(tfidf),
    .state_version = 1,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .fit = fit,
    .prepare = prepare,
    .release = release,
    .process = process,
    .report = report,
};

static const adl_class *const classes[] = {&tfidf_class};
static const adl_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "tfidf",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};
ADL_PLUGIN("tfidf", "1.0.0", "feature:tfidf", &plugin);
