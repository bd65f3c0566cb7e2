/* tfidf: text to weighted words. The vocabulary and its document frequencies come from one fold over the training rows;
 * a row's vector is its words' counts times their inverse document frequencies. */
#include <adloom/plugin.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/occurrences.h"
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

/* ---- the terms of a batch ---- */

/* The document in hand, or the last one. */
typedef struct reader {
  const adl_call *call;
  const tfidf *self;
  const adl_column *column;
  adl_words *words; /* NULL: ready-made */
  adl_occurrences *in;
} reader;

static bool split_text(reader *read, int64_t row) {
  const adl_ints *ngram = &read->self->ngram;
  const char *why = adl_words_split(read->words, adl_text_at(read->column, row));
  if (why != NULL) {
    read->call->host->reject(read->call, row, read->self->text.name, "the text cannot be split into words: %s", why);
    return false;
  }
  const adl_words *words = read->words;
  adl_term *keys = adl_occurrences_keys(read->in, words->count * (ngram->items[1] - ngram->items[0] + 1));
  int64_t count = 0;
  for (int64_t n = ngram->items[0]; n <= ngram->items[1]; n++)
    for (int64_t first = 0; first + n <= words->count; first++) {
      adl_text gram = adl_words_gram(words, first, n);
      keys[count++] = adl_term_of(gram.data, gram.size);
    }
  adl_occurrences_row(read->in, count);
  return true;
}

static bool take_items(reader *read, int64_t row) {
  const adl_column *column = read->column;
  int64_t from = column->offsets[row], to = column->offsets[row + 1], count = 0;
  adl_term *keys = adl_occurrences_keys(read->in, to - from);
  float *weights = read->in->weight != NULL ? read->in->weight + read->in->start[read->in->rows] : NULL;
  for (int64_t item = from; item < to; item++) {
    float weight = column->weights != NULL ? column->weights[item] : 1;
    if (!(weight >= 0 && weight <= FLT_MAX)) {
      read->call->host->reject(read->call, row, read->self->text.name, "a word has the weight %g; needed: 0 or more",
                               (double)weight);
      return false;
    }
    if (weight == 0) continue;
    adl_text word = adl_text_at(column, item);
    if (weights != NULL) weights[count] = weight;
    keys[count++] = adl_term_of(word.data, word.size);
  }
  adl_occurrences_row(read->in, count);
  return true;
}

static int64_t text_bytes(const adl_column *column) {
  int64_t items = column->type.shape == ADL_SCALAR ? column->rows : column->offsets[column->rows];
  return column->string_offsets[items];
}

/* The terms of all rows; returns how many documents there are. A row that is null or was rejected has no terms. */
static int64_t read_batch(const adl_call *call, const tfidf *self, const adl_batch *batch, adl_occurrences *in) {
  reader read = {.call = call, .self = self, .column = batch->slots[self->text.slot], .in = in};
  int64_t documents = 0;
  adl_occurrences_init(in, call, batch->rows, text_bytes(read.column), read.column->weights != NULL);
  if (self->tokenizer != NULL) read.words = adl_words_begin(call, self->tokenizer);
  for (int64_t row = 0; row < batch->rows; row++) {
    bool there =
        !adl_is_null(read.column, row) && (read.words != NULL ? split_text(&read, row) : take_items(&read, row));
    if (!there) adl_occurrences_row(in, 0);
    documents += there;
  }
  if (read.words != NULL) adl_words_end(read.words);
  return documents;
}

/* ---- fitting ---- */

/* The partial: how many documents there are; for each term, how many of them it is in and the sum of its weights. */
static int64_t *documents_of(const adl_call *call, adl_tensors *partial) {
  return call->host->tensor(call, partial, "documents", ADL_INT64, 1, (const int64_t[]){1});
}

/* Adds what was counted of a batch's terms to those of the partial. */
static void add_counts(const adl_call *call, const adl_terms *seen, const adl_terms_value *counted,
                       adl_tensors *partial) {
  const adl_host *host = call->host;
  adl_terms all;
  adl_term *keys = host->alloc(call, ((size_t)seen->count + 1) * sizeof *keys);
  uint32_t *number = host->alloc(call, ((size_t)seen->count + 1) * sizeof *number);
  for (int64_t i = 0; i < seen->count; i++) keys[i] = adl_terms_key(seen, i);
  adl_terms_open(&all, call, partial);
  adl_terms_insert(&all, keys, seen->count, number);
  for (int64_t i = 0; i < seen->count; i++) {
    all.values[number[i]].count += counted[i].count;
    all.values[number[i]].sum += counted[i].sum;
  }
  adl_terms_close(&all);
}

static adl_status count_terms(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                              adl_tensors *partial) {
  adl_occurrences in;
  *documents_of(call, partial) += read_batch(call, self, batch, &in);
  (void)context;
  size_t terms = (size_t)in.terms.count + 1;
  adl_terms_value *counted = call->host->alloc(call, terms * sizeof *counted);
  int64_t *last = call->host->alloc(call, terms * sizeof *last); /* row + 1 in which the term was seen last */
  memset(counted, 0, terms * sizeof *counted);
  memset(last, 0, terms * sizeof *last);
  for (int64_t row = 0; row < in.rows; row++)
    for (int64_t i = in.start[row]; i < in.start[row + 1]; i++) {
      uint32_t term = in.number[i];
      counted[term].count += last[term] != row + 1;
      counted[term].sum += in.weight != NULL ? (double)in.weight[i] : 1;
      last[term] = row + 1;
    }
  add_counts(call, &in.terms, counted, partial);
  return ADL_OK;
}

static adl_status merge_terms(const adl_call *call, const void *self, const void *context, adl_tensors *into,
                              adl_tensors *from) {
  adl_terms to, more;
  (void)self;
  (void)context;
  *documents_of(call, into) += *documents_of(call, from);
  adl_terms_open(&to, call, into);
  adl_terms_open(&more, call, from);
  adl_terms_add(&to, &more);
  adl_terms_close(&to);
  return ADL_OK;
}

static adl_counted *counted_terms(const adl_call *call, const adl_terms *terms) {
  adl_counted *counted = call->host->alloc(call, ((size_t)terms->count + 1) * sizeof *counted);
  for (int64_t i = 0; i < terms->count; i++)
    counted[i] =
        (adl_counted){.key = adl_terms_text(terms, i), .count = terms->values[i].count, .rank = terms->values[i].sum};
  return counted;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const adl_host *host = call->host;
  const tfidf *self = instance;
  adl_tensors *total = host->scratch_tensors(call);
  adl_terms all;
  documents_of(call, total);
  adl_terms_open(&all, call, total);
  adl_fold fold = {.struct_size = sizeof fold, .step = count_terms, .merge = merge_terms};
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
  adl_terms_open(&all, call, total);
  adl_counted *terms = counted_terms(call, &all);
  int64_t seen = all.count, count = adl_counted_between(terms, seen, low, high);
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

/* Counts (or sums of weights) to weights, before rows are scaled. */
static void weigh(const tfidf *self, const lookup *known, adl_postings *of) {
  for (int64_t d = 0; d < of->count; d++) {
    float idf = known->idf[of->dimension[d]];
    for (int64_t i = of->start[d]; i < of->end[d]; i++) {
      if (self->sublinear && of->value[i] > 1) of->value[i] = 1 + logf(of->value[i]);
      of->value[i] *= idf;
    }
  }
}

static void scale(int32_t norm, int64_t count, float *to, const float *from) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++)
    sum += norm == NORM_L1 ? fabs((double)from[i]) : (double)from[i] * (double)from[i];
  if (norm == NORM_L2) sum = sqrt(sum);
  if (norm == NORM_NONE) sum = 1;
  for (int64_t i = 0; i < count; i++) to[i] = (float)((double)from[i] / sum);
}

/* Postings back to rows: each row's entries begin where its occurrences did, then the gaps are closed. */
static void write_rows(const adl_call *call, const tfidf *self, const adl_occurrences *in, const adl_postings *of,
                       adl_buffers *column) {
  int64_t *end = call->host->alloc(call, ((size_t)in->rows + 1) * sizeof *end);
  float *values = column->data;
  memcpy(end, in->start, (size_t)in->rows * sizeof *end);
  for (int64_t d = 0; d < of->count; d++)
    for (int64_t i = of->start[d]; i < of->end[d]; i++) {
      int64_t at = end[of->row[i]]++;
      column->index[at] = of->dimension[d];
      values[at] = of->value[i];
    }
  int64_t used = 0;
  for (int64_t row = 0; row < in->rows; row++) {
    int64_t from = in->start[row], count = end[row] - from;
    if (used != from) memmove(column->index + used, column->index + from, (size_t)count * sizeof *column->index);
    scale(self->norm, count, values + used, values + from);
    used += count;
    column->offsets[row + 1] = (int32_t)used;
  }
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_host *host = call->host;
  const tfidf *self = instance;
  const lookup *known = model->prepared;
  adl_buffers column = {0};
  adl_occurrences in;
  adl_postings of;
  read_batch(call, self, batch, &in);
  const adl_terms *terms = &in.terms;
  adl_term *keys = host->alloc(call, ((size_t)terms->count + 1) * sizeof *keys);
  uint32_t *dimension = host->alloc(call, ((size_t)terms->count + 1) * sizeof *dimension);
  for (int64_t i = 0; i < terms->count; i++) keys[i] = adl_terms_key(terms, i);
  adl_vocabulary_find_all(known->words, keys, terms->count, dimension);
  adl_occurrences_transpose(&in, dimension, &of);
  weigh(self, known, &of);
  ADL_TRY(host->reserve(call, out, self->as.slot, batch->rows, in.start[in.rows], 0, &column));
  write_rows(call, self, &in, &of, &column);
  return ADL_OK;
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
