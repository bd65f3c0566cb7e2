/* read-libsvm: lines of a label and index:value pairs to a label and a sparse column. */
#include <adloom/plugin.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/convert.h"
#include "common/entries.h"
#include "common/excerpt.h"
#include "common/file_names.h"
#include "common/lines.h"

enum { LABELS_NUMBER, LABELS_BINARY };

typedef struct read_libsvm {
  adl_lines lines;
  int64_t width, first_index;
  int32_t labels;
  adl_output label, as, query, file_column;
} read_libsvm;

/* ---- one line ---- */

/* What is being made of a line; later lines use the same room. */
typedef struct example {
  double label;
  int64_t query;
  bool has_query;
  uint64_t *entries; /* room for all pairs of the block */
  int64_t count;
} example;

/* A line being taken apart. */
typedef struct parser {
  const adl_call *call;
  const read_libsvm *self;
  const char *begin, *at, *end;
  int64_t line;
} parser;

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* The next word; false: the line has no more. */
static bool next_word(parser *in, const char **word, size_t *size) {
  while (in->at < in->end && is_blank(*in->at)) in->at++;
  *word = in->at;
  while (in->at < in->end && !is_blank(*in->at)) in->at++;
  *size = (size_t)(in->at - *word);
  return *size > 0;
}

/* Rejects the line for this word of it; always false. */
static bool refuse(const parser *in, const char *column, const char *word, size_t size, const char *what) {
  char shown[ADL_EXCERPT];
  in->call->host->reject_record(in->call, in->line, column, "\"%s\" at byte %lld %s", adl_excerpt(word, size, shown),
                                (long long)(word - in->begin) + 1, what);
  return false;
}

static bool read_label(parser *in, const char *word, size_t size, example *row) {
  const char *name = in->self->label.name;
  if (memchr(word, ':', size) != NULL)
    return refuse(in, name, word, size, "stands where the label must be: the line has none");
  if (adl_parse_double(word, size, &row->label) != ADL_PARSED || !isfinite(row->label))
    return refuse(in, name, word, size, "is not a label, which is one number");
  if (in->self->labels == LABELS_BINARY && row->label != 1 && row->label != -1 && row->label != 0)
    return refuse(in, name, word, size, "is not a binary label: +1, 1, -1 or 0");
  return true;
}

/* "qid:12", only behind the label. */
static bool read_query(parser *in, const char *word, size_t size, example *row) {
  row->has_query = adl_parse_int64(word + 4, size - 4, &row->query) == ADL_PARSED;
  return row->has_query || refuse(in, in->self->query.name, word, size, "is not qid: and a whole number");
}

static bool read_pair(parser *in, const char *word, size_t size, example *row) {
  const read_libsvm *self = in->self;
  const char *colon = memchr(word, ':', size), *name = self->as.name;
  if (colon == NULL) return refuse(in, name, word, size, "is not index:value");
  size_t index_size = (size_t)(colon - word);
  int64_t index;
  double value;
  if (index_size == 0 || (unsigned char)(*word - '0') > 9 || adl_parse_int64(word, index_size, &index) != ADL_PARSED)
    return refuse(in, name, word, size, "does not begin with an index, which is a whole number");
  if (index < self->first_index) return refuse(in, name, word, size, "has an index below first_index");
  if (index - self->first_index >= self->width) return refuse(in, name, word, size, "has an index beyond width");
  if (adl_parse_double(colon + 1, size - index_size - 1, &value) != ADL_PARSED)
    return refuse(in, name, word, size, "has a value that is not a number");
  if (!(fabs(value) <= (double)FLT_MAX)) return refuse(in, name, word, size, "has a value that no float32 holds");
  row->entries[row->count++] = adl_entry((uint32_t)(index - self->first_index), (float)value);
  return true;
}

static int compare_entries(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return (a > b) - (a < b);
}

/* Pairs into rising order, if they are not, and those with the value 0 out; false: an index occurs twice. */
static bool settle(parser *in, example *row) {
  int64_t falls = 0, kept = 0;
  for (int64_t i = 1; i < row->count; i++)
    falls += adl_entry_index(row->entries[i]) <= adl_entry_index(row->entries[i - 1]);
  if (falls > 0) qsort(row->entries, (size_t)row->count, sizeof *row->entries, compare_entries);
  for (int64_t i = 1; falls > 0 && i < row->count; i++) {
    if (adl_entry_index(row->entries[i]) != adl_entry_index(row->entries[i - 1])) continue;
    in->call->host->reject_record(in->call, in->line, in->self->as.name, "the index %lld occurs twice",
                                  (long long)adl_entry_index(row->entries[i]) + (long long)in->self->first_index);
    return false;
  }
  for (int64_t i = 0; i < row->count; i++)
    if (adl_entry_value(row->entries[i]) != 0) row->entries[kept++] = row->entries[i];
  row->count = kept;
  return true;
}

/* False: the line is blank, a comment, or rejected. */
static bool read_line(const adl_call *call, const read_libsvm *self, const adl_line *line, example *row) {
  const char *comment = memchr(line->text, '#', line->size), *word;
  size_t size;
  parser in = {.call = call,
               .self = self,
               .begin = line->text,
               .at = line->text,
               .end = comment != NULL ? comment : line->text + line->size,
               .line = line->number};
  row->count = 0;
  row->has_query = false;
  if (!next_word(&in, &word, &size) || !read_label(&in, word, size, row)) return false;
  for (bool first = true; next_word(&in, &word, &size); first = false) {
    bool query = first && size >= 4 && memcmp(word, "qid:", 4) == 0;
    if (!(query ? read_query(&in, word, size, row) : read_pair(&in, word, size, row))) return false;
  }
  return settle(&in, row);
}

/* ---- blocks ---- */

/* Where the rows of a block go; `wanted` tells which of it anybody reads. */
typedef struct columns {
  adl_buffers label, as, query;
  bool label_wanted, as_wanted, query_wanted;
  int64_t rows, items;
} columns;

static adl_status reserve_columns(const adl_call *call, const read_libsvm *self, int64_t records, int64_t pairs,
                                  adl_out *out, columns *to) {
  const adl_host *host = call->host;
  *to = (columns){.label_wanted = host->wanted(call, self->label.slot),
                  .as_wanted = host->wanted(call, self->as.slot),
                  .query_wanted = host->wanted(call, self->query.slot)};
  if (to->label_wanted) ADL_TRY(host->reserve(call, out, self->label.slot, records, 0, 0, &to->label));
  if (to->as_wanted) ADL_TRY(host->reserve(call, out, self->as.slot, records, pairs, 0, &to->as));
  if (to->query_wanted) ADL_TRY(host->reserve(call, out, self->query.slot, records, 0, 0, &to->query));
  return ADL_OK;
}

static void add_row(const read_libsvm *self, const example *row, columns *to) {
  int64_t at = to->rows++;
  if (to->label_wanted && self->labels == LABELS_BINARY)
    adl_bit_set(to->label.data, at, row->label > 0);
  else if (to->label_wanted)
    ((double *)to->label.data)[at] = row->label;
  if (to->query_wanted) {
    ((int64_t *)to->query.data)[at] = row->has_query ? row->query : 0;
    if (!row->has_query) adl_bit_set(to->query.validity, at, false);
  }
  if (!to->as_wanted) return;
  for (int64_t i = 0; i < row->count; i++, to->items++) {
    to->as.index[to->items] = adl_entry_index(row->entries[i]);
    ((float *)to->as.data)[to->items] = adl_entry_value(row->entries[i]);
  }
  to->as.offsets[at + 1] = (int32_t)to->items;
}

static adl_status decode(const adl_call *call, const void *instance, const void *data, int64_t size, int64_t position,
                         adl_out *out) {
  const adl_host *host = call->host;
  const read_libsvm *self = instance;
  adl_line_block block;
  adl_line line;
  columns to;
  int64_t pairs = 0;
  (void)size;
  adl_line_block_begin(&block, data, position);
  for (const char *at = block.at; (at = memchr(at, ':', (size_t)(block.end - at))) != NULL; at++) pairs++;
  example row = {.entries = host->alloc(call, ((size_t)pairs + 1) * sizeof *row.entries)};
  ADL_TRY(reserve_columns(call, self, block.records, pairs, out, &to));
  int64_t *positions = host->positions(call, out, block.records);
  while (adl_line_block_next(&block, &line)) {
    if (!read_line(call, self, &line, &row)) continue;
    positions[to.rows] = line.number;
    add_row(self, &row, &to);
  }
  ADL_TRY(adl_file_name_fill(call, out, self->file_column.slot, self->lines.names[block.file], to.rows));
  return host->commit(call, out, to.rows);
}

/* ---- binding ---- */

static adl_status bind(const adl_call *call, void *instance) {
  read_libsvm *self = instance;
  const adl_host *host = call->host;
  ADL_TRY(adl_lines_bind(call, &self->lines));
  adl_type label = {.element = self->labels == LABELS_BINARY ? ADL_BOOL : ADL_FLOAT64};
  ADL_TRY(host->declare(call, &self->label, label));
  ADL_TRY(
      host->declare(call, &self->as, (adl_type){.element = ADL_FLOAT32, .shape = ADL_SPARSE, .width = self->width}));
  ADL_TRY(host->declare(call, &self->query, (adl_type){.element = ADL_INT64, .role = ADL_CATEGORY}));
  return host->declare(call, &self->file_column, (adl_type){.element = ADL_STRING, .role = ADL_CATEGORY});
}

static const adl_param params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_IN,
     .flags = ADL_LIST_OF | ADL_REQUIRED,
     .offset = offsetof(read_libsvm, lines.path),
     .doc = "The file, or several, or globs: read one after the other. `-` is standard input."},
    {.name = "width",
     .type = ADL_PARAM_INT,
     .flags = ADL_REQUIRED,
     .offset = offsetof(read_libsvm, width),
     .range = "[1, 4294967296]",
     .unit = "dimensions",
     .doc = "How many features there are: with first_index 1 the largest index. It is not guessed from the data, since "
            "a file of other rows could then have another width than the model."},
    {.name = "first_index",
     .type = ADL_PARAM_INT,
     .offset = offsetof(read_libsvm, first_index),
     .default_value = "1",
     .range = "[0, 1]",
     .doc = "Which index is the first: 1, as LIBSVM and liblinear write, or 0. It becomes dimension 0 of the column."},
    {.name = "labels",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(read_libsvm, labels),
     .default_value = "number",
     .choices = "number|binary",
     .doc = "number: the label as it stands (float64). binary: a bool, true for 1 and false for -1 and 0."},
    {.name = "label",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(read_libsvm, label),
     .default_value = "label",
     .doc = "Name of the column of labels."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(read_libsvm, as),
     .default_value = "x",
     .doc = "Name of the sparse column of features."},
    {.name = "query",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(read_libsvm, query),
     .doc = "Name of a new column for the number of `qid:`, which ranking data have behind the label (int64, a "
            "category); null where a line has none."},
    {.name = "file_column",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(read_libsvm, file_column),
     .doc = "Name of a new column that says which file a row is from, without the folders that all files have in "
            "common."},
};

static const char doc[] =
    "Reads the format of LIBSVM, liblinear and svmlight, plain or packed with gzip or zstd (told by the content, not "
    "by the name): a line is a label and index:value pairs with blanks or tabs between, for example `+1 3:1 11:0.5`. "
    "Blank lines are passed over, and so is what stands behind a #.\n\n"
    "The format is described in LIBSVM's README (Chang and Lin, ACM TIST 2011) and at svmlight.joachims.org.\n\n"
    "Indices should rise; pairs in another order are sorted. A line with the same index twice, an index below "
    "first_index or beyond width, a value that is not a number or that no float32 holds (NaN and infinities among "
    "them), without a label, with several (1,3) or with one that is not binary where `labels` says so is rejected, "
    "with its line number and the place. Values of 0 are left out, as the format leaves them out: the row is the "
    "same. A line of a label alone is a row without features.\n\n"
    "A line of more than 16 MiB is rejected without being looked at. A file that cannot be read to its end ends the "
    "run.";

static const adl_class read_libsvm_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SOURCE,
    .id = "read-libsvm",
    .title = "LIBSVM and svmlight files",
    .doc = doc,
    .form = ADL_NEW,
    .instance_size = sizeof(read_libsvm),
    .state_version = 0,
    ADL_PARAMS(params),
    .destroy = adl_lines_destroy,
    .bind = bind,
    .shards = adl_lines_shards,
    .open = adl_lines_open,
    .next = adl_lines_next,
    .decode = decode,
    .close = adl_lines_close,
};

ADL_PLUGIN_OF("read-libsvm", "1.0.0", "source:read-libsvm", &read_libsvm_class);
