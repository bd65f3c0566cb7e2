/* tfidf: text to weighted words. The vocabulary and its document frequencies come from one fold over the training rows;
 * a row's vector is its words' counts times their inverse document frequencies. */
#include <adloom/plugin.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/entries.h"
#include "common/tokenize.h"
#include "common/vocabulary.h"

enum { NORM_L2, NORM_L1, NORM_NONE };

typedef struct tfidf {
  adl_input text;
  adl_output as;
  adl_ints ngram;
  bool lowercase;
  const char *stop_words;
  double min_df, max_df;
  int64_t max_features;
  bool sublinear, idf;
  int32_t norm;
  adl_tokenizer *tokenizer; /* NULL: `text` holds ready-made words */
} tfidf;

/* The lookup side of a model. */
typedef struct lookup {
  adl_vocabulary *words;
  const float *idf;
} lookup;

/* ---- the terms of a document ---- */

/* One row after another: its words, or n-grams of them, each with its weight (1 in a text). */
typedef struct document {
  const adl_call *call;
  const tfidf *self;
  const adl_column *column;
  adl_words *words; /* NULL: ready-made */
  int64_t count, capacity;
  adl_text *term;
  float *weight;
  uint64_t *entries, *scratch; /* room for adl_entries_merge */
  uint32_t *id;
  float *sum;
} document;

static document *documents_begin(const adl_call *call, const tfidf *self, const adl_batch *batch) {
  document *doc = call->host->alloc(call, sizeof *doc);
  *doc = (document){.call = call, .self = self, .column = batch->slots[self->text.slot]};
  if (self->tokenizer != NULL) doc->words = adl_words_begin(call, self->tokenizer);
  return doc;
}

static void documents_end(document *doc) {
  if (doc->words != NULL) adl_words_end(doc->words);
}

static void make_room(document *doc, int64_t count) {
  if (count <= doc->capacity) return;
  size_t capacity = (size_t)(count + count / 2 + 64);
  const adl_host *host = doc->call->host;
  doc->capacity = (int64_t)capacity;
  doc->term = host->alloc(doc->call, capacity * sizeof *doc->term);
  doc->weight = host->alloc(doc->call, capacity * sizeof *doc->weight);
  doc->entries = host->alloc(doc->call, capacity * sizeof *doc->entries);
  doc->scratch = host->alloc(doc->call, capacity * sizeof *doc->scratch);
  doc->id = host->alloc(doc->call, capacity * sizeof *doc->id);
  doc->sum = host->alloc(doc->call, capacity * sizeof *doc->sum);
}

static void add_term(document *doc, adl_text term, float weight) {
  doc->weight[doc->count] = weight;
  doc->term[doc->count++] = term;
}

static bool split_text(document *doc, int64_t row) {
  const adl_ints *ngram = &doc->self->ngram;
  const char *why = adl_words_split(doc->words, adl_text_at(doc->column, row));
  if (why != NULL) {
    doc->call->host->reject(doc->call, row, doc->self->text.name, "the text cannot be split into words: %s", why);
    return false;
  }
  make_room(doc, doc->words->count * (ngram->items[1] - ngram->items[0] + 1));
  for (int64_t n = ngram->items[0]; n <= ngram->items[1]; n++)
    for (int64_t first = 0; first + n <= doc->words->count; first++)
      add_term(doc, adl_words_gram(doc->words, first, n), 1);
  return true;
}

static bool take_items(document *doc, int64_t row) {
  const adl_column *column = doc->column;
  int64_t from = column->offsets[row], to = column->offsets[row + 1];
  make_room(doc, to - from);
  for (int64_t item = from; item < to; item++) {
    float weight = column->weights != NULL ? column->weights[item] : 1;
    if (!(weight >= 0 && weight <= FLT_MAX)) {
      doc->call->host->reject(doc->call, row, doc->self->text.name, "a word has the weight %g; needed: 0 or more",
                              (double)weight);
      return false;
    }
    if (weight > 0) add_term(doc, adl_text_at(column, item), weight);
  }
  return true;
}

/* False where there is no document: null, or rejected. It has no terms then. */
static bool read_document(document *doc, int64_t row) {
  doc->count = 0;
  bool there = !adl_is_null(doc->column, row) && (doc->words != NULL ? split_text(doc, row) : take_items(doc, row));
  if (!there) doc->count = 0;
  return there;
}

/* ---- fitting ---- */

/* The partial: how many documents there are; for each term, how many of them it is in and the sum of its weights. */
static int64_t *documents_of(const adl_call *call, adl_tensors *partial) {
  return call->host->tensor(call, partial, "documents", ADL_INT64, 1, (const int64_t[]){1});
}

static adl_table *terms_of(const adl_call *call, adl_tensors *partial) {
  return call->host->table(call, partial, "terms", 2);
}

static adl_status count_terms(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                              adl_tensors *partial) {
  const adl_host *host = call->host;
  int64_t *documents = documents_of(call, partial);
  adl_table *table = terms_of(call, partial);
  document *doc = documents_begin(call, self, batch);
  (void)context;
  for (int64_t row = 0; row < batch->rows; row++) {
    *documents += read_document(doc, row);
    for (int64_t i = 0; i < doc->count; i++)
      doc->entries[i] =
          adl_entry((uint32_t)host->table_insert(table, doc->term[i].data, doc->term[i].size), doc->weight[i]);
    int64_t distinct = adl_entries_merge(doc->entries, doc->scratch, doc->count, doc->id, doc->sum);
    for (int64_t i = 0; i < distinct; i++) {
      double *counts = host->table_row(table, doc->id[i]);
      counts[0] += 1;
      counts[1] += (double)doc->sum[i];
    }
  }
  documents_end(doc);
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const adl_host *host = call->host;
  const tfidf *self = instance;
  adl_tensors *total = host->scratch_tensors(call);
  documents_of(call, total);
  terms_of(call, total);
  adl_fold fold = {.struct_size = sizeof fold, .step = count_terms};
  ADL_TRY(host->fold(call, rows, &fold, total));
  int64_t documents = *documents_of(call, total);
  if (documents == 0)
    return host->fail(call, "text", -1, NULL, "no training row has a document: there is no row, or %s is null in all",
                      self->text.name);
  double n = (double)documents;
  double low = self->min_df < 1 ? self->min_df * n : self->min_df;
  double high = self->max_df <= 1 ? self->max_df * n : self->max_df;
  if (high < low)
    return host->fail(call, "max_df", -1, "lower min_df or raise max_df",
                      "of %lld documents, min_df asks for at least %g and max_df for at most %g", (long long)documents,
                      low, high);
  int64_t count;
  adl_counted *terms = adl_counted_keys(call, terms_of(call, total), 1, &count);
  int64_t seen = count;
  count = adl_counted_between(terms, count, low, high);
  if (self->max_features > 0) count = adl_counted_top(terms, count, self->max_features);
  if (count == 0)
    return host->fail(call, "text", -1, seen > 0 ? "lower min_df or raise max_df" : NULL,
                      "no word is left of the %lld in %lld documents", (long long)seen, (long long)documents);
  adl_counted_sort(terms, count);
  adl_vocabulary_save(call, model->tensors, "words", terms, count);
  float *idf = host->tensor(call, model->tensors, "idf", ADL_FLOAT32, 1, &count);
  for (int64_t i = 0; i < count; i++) idf[i] = self->idf ? (float)(log((1 + n) / (1 + terms[i].count)) + 1) : 1;
  *documents_of(call, model->tensors) = documents;
  return ADL_OK;
}

/* ---- using a model ---- */

static void release(void *self, void *prepared) {
  (void)self;
  if (prepared == NULL) return;
  adl_vocabulary_free(((lookup *)prepared)->words);
  free(prepared);
}

static adl_status prepare(const adl_call *call, void *instance, const adl_model *model, void **prepared) {
  const adl_host *host = call->host;
  tfidf *self = instance;
  adl_vocabulary *words;
  adl_tensor idf;
  ADL_TRY(adl_vocabulary_load(call, model->tensors, "words", &words));
  lookup *made = malloc(sizeof *made);
  bool sound =
      host->find_tensor(call, model->tensors, "idf", &idf) && idf.element == ADL_FLOAT32 && idf.count == words->count;
  if (made == NULL || !sound) {
    adl_vocabulary_free(words);
    free(made);
    return sound ? host->fail(call, NULL, -1, NULL, "out of memory")
                 : host->fail(call, NULL, -1, "fit the stage again instead of loading this model",
                              "the model's tensor `idf` is missing or does not fit its words");
  }
  *made = (lookup){.words = words, .idf = idf.data};
  *prepared = made;
  ADL_TRY(host->set_width(call, self->as.slot, words->count));
  return host->set_names(call, self->as.slot, words->count, words->offsets, words->bytes);
}

/* Counts (or sums of weights) to weights. */
static void weigh(const tfidf *self, const float *idf, int64_t count, const uint32_t *id, float *value) {
  double norm = 0;
  for (int64_t i = 0; i < count; i++) {
    if (self->sublinear && value[i] > 1) value[i] = 1 + logf(value[i]);
    value[i] *= idf[id[i]];
    norm += self->norm == NORM_L1 ? fabs((double)value[i]) : (double)value[i] * (double)value[i];
  }
  if (self->norm == NORM_NONE || count == 0) return;
  if (self->norm == NORM_L2) norm = sqrt(norm);
  for (int64_t i = 0; i < count; i++) value[i] = (float)((double)value[i] / norm);
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_host *host = call->host;
  const tfidf *self = instance;
  const lookup *known = model->prepared;
  adl_buffers column = {0};
  int64_t used = 0;
  document *doc = documents_begin(call, self, batch);
  adl_status status = host->reserve(call, out, self->as.slot, batch->rows, 16 * batch->rows, 0, &column);
  for (int64_t row = 0; status == ADL_OK && row < batch->rows; row++) {
    int64_t count = 0;
    read_document(doc, row);
    for (int64_t i = 0; i < doc->count; i++) {
      int64_t id = adl_vocabulary_find(known->words, doc->term[i].data, doc->term[i].size);
      if (id >= 0) doc->entries[count++] = adl_entry((uint32_t)id, doc->weight[i]);
    }
    if (used + count > column.item_capacity)
      status = host->reserve(call, out, self->as.slot, batch->rows, 2 * (used + count), 0, &column);
    if (status != ADL_OK) break;
    float *values = (float *)column.data + used;
    int64_t distinct = adl_entries_merge(doc->entries, doc->scratch, count, column.index + used, values);
    weigh(self, known->idf, distinct, column.index + used, values);
    used += distinct;
    column.offsets[row + 1] = (int32_t)used;
  }
  documents_end(doc);
  return status;
}

static adl_status report(const adl_call *call, const void *self, const adl_model *model, adl_report *report) {
  const lookup *known = model->prepared;
  adl_tensor documents;
  (void)self;
  call->host->report_number(call, report, "", "words", (double)known->words->count, NAN, NAN);
  if (call->host->find_tensor(call, model->tensors, "documents", &documents) && documents.element == ADL_INT64)
    call->host->report_number(call, report, "", "documents", (double)*(const int64_t *)documents.data, NAN, NAN);
  return ADL_OK;
}

/* ---- binding ---- */

static adl_status bind(const adl_call *call, void *instance) {
  const adl_host *host = call->host;
  tfidf *self = instance;
  const adl_ints *ngram = &self->ngram;
  bool ready_made = self->text.type.shape != ADL_SCALAR;
  if (ngram->count != 2 || ngram->items[0] > ngram->items[1])
    return host->fail(call, "ngram", -1, "write the shortest and the longest, such as [1, 2]",
                      "ngram is two numbers, the first not above the second");
  if (ready_made && (ngram->items[1] > 1 || self->stop_words != NULL))
    return host->fail(call, ngram->items[1] > 1 ? "ngram" : "stop_words", -1, "leave it out, or give a column of text",
                      "%s holds ready-made words, which are taken as they are", self->text.name);
  if (!ready_made) ADL_TRY(adl_tokenizer_new(call, self->lowercase, &self->tokenizer));
  if (self->stop_words != NULL)
    ADL_TRY(adl_tokenizer_stop_words(call, self->tokenizer, "stop_words", self->stop_words));
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
    {.name = "ngram",
     .type = ADL_PARAM_INT,
     .flags = ADL_LIST_OF,
     .offset = offsetof(tfidf, ngram),
     .default_value = "[1, 1]",
     .range = "[1, 5]",
     .unit = "words",
     .doc = "Shortest and longest run of words that counts as one: [1, 2] takes single words and pairs of neighbours. "
            "A pair is named by its words with a blank between them."},
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
    "without blanks are split by dictionary. Words of one character count, in Chinese above all; numbers are words, "
    "and so are emoji. \"can't\", \"3.14\" and \"example.com\" are one word each, \"x-ray\" is two. Punctuation is "
    "left out.\n\n"
    "The vocabulary is learned from the training rows and frozen then: its words stand in byte order, and the model "
    "holds them with their idf. Words that are not in it are ignored, so a row of nothing but unknown words is an "
    "empty row. Null and empty text gives an empty row as well; null text does not count as a document, empty text "
    "does. A document of more than 16 MB is rejected. Training rows without any document, or limits that leave no "
    "word, end the run.\n\n"
    "A list or bag of strings may be given instead of text, for example what the group class collects of a customer's "
    "purchases: its strings are words as they are, and a bag's weights (0 or more) are added up in place of counting.";

static const adl_class tfidf_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_FEATURE,
    .id = "tfidf",
    .title = "Text to weighted words",
    .doc = doc,
    .flags = ADL_SINGLE_PASS,
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
