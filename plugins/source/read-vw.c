/* read-vw: Vowpal Wabbit's lines of text to a label, a weight, a tag and a sparse column, hashed as Vowpal Wabbit hashes
 * them. */
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
#include "common/murmur3.h"

enum { LABELS_NUMBER, LABELS_BINARY };

/* Index of the feature that Vowpal Wabbit adds to every example. */
#define CONSTANT UINT32_C(11650396)

typedef struct read_vw {
  adl_lines lines;
  int64_t bits;
  bool constant;
  int32_t labels;
  adl_output label, weight, base, tag, as, file_column;
} read_vw;

/* ---- one line ---- */

/* What is being made of a line; later lines use the same room. */
typedef struct example {
  bool has_label;
  double label, weight, base;
  const char *tag; /* NULL: none */
  size_t tag_size;
  uint64_t *entries; /* room for all features of the block */
  int64_t count;
} example;

/* A line being taken apart. */
typedef struct parser {
  const adl_call *call;
  const read_vw *self;
  const char *begin, *at, *end;
  int64_t line;
  uint32_t mask;
  uint32_t space;    /* hash of the namespace */
  uint32_t nameless; /* features without a name so far in this namespace */
  float space_weight;
} parser;

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Rejects the line for this word of it; always false. */
static bool refuse(const parser *in, const char *column, const char *word, size_t size, const char *what) {
  char shown[ADL_EXCERPT];
  in->call->host->reject_record(in->call, in->line, column, "\"%s\" at byte %lld %s", adl_excerpt(word, size, shown),
                                (long long)(word - in->begin) + 1, what);
  return false;
}

/* The hash of Vowpal Wabbit's `--hash strings`: a name of digits alone is that number plus the seed, any other is hashed
 * from the seed. Control characters and blanks around a name do not count. */
static uint32_t hash_name(const char *name, size_t size, uint32_t seed) {
  for (; size > 0 && (unsigned char)*name <= ' '; size--) name++;
  while (size > 0 && (unsigned char)name[size - 1] <= ' ') size--;
  uint32_t number = 0;
  for (size_t i = 0; i < size; i++) {
    unsigned digit = (unsigned)(unsigned char)name[i] - '0';
    if (digit > 9) return adl_murmur3(name, size, seed);
    number = 10 * number + digit;
  }
  return number + seed;
}

/* The text up to the next blank, colon or bar. */
static size_t read_name(parser *in) {
  const char *begin = in->at;
  while (in->at < in->end && *in->at != ' ' && *in->at != ':' && *in->at != '|' && *in->at != '\t') in->at++;
  return (size_t)(in->at - begin);
}

/* The text up to the next blank or bar: behind a colon, a value. */
static size_t read_value(parser *in) {
  const char *begin = in->at;
  while (in->at < in->end && *in->at != ' ' && *in->at != '|' && *in->at != '\t') in->at++;
  return (size_t)(in->at - begin);
}

/* Behind the bar: a name, or a blank for the namespace without one, and a weight. */
static bool read_namespace(parser *in) {
  const char *name = in->at, *value;
  size_t size = read_name(in);
  in->nameless = 0;
  in->space_weight = 1;
  in->space = hash_name(name, size, 0);
  if (in->at == in->end || *in->at != ':') return true;
  value = ++in->at;
  size_t value_size = read_value(in);
  double weight;
  if (size == 0 || adl_parse_double(value, value_size, &weight) != ADL_PARSED)
    return refuse(in, in->self->as.name, name, (size_t)(in->at - name), "is not a namespace, or name:weight of one");
  if (!(fabs(weight) <= (double)FLT_MAX))
    return refuse(in, in->self->as.name, name, (size_t)(in->at - name), "has a weight that no float32 holds");
  in->space_weight = (float)weight;
  return true;
}

/* name, name:value, :value, or name:word, which is a feature of its own for each word, of value 1 whatever the namespace
 * weighs. */
static bool read_feature(parser *in, example *row) {
  const char *name = in->at, *as = in->self->as.name;
  size_t size = read_name(in);
  double value = 1;
  float space_weight = in->space_weight;
  uint32_t hash = size > 0 ? hash_name(name, size, in->space) : in->space + in->nameless++;
  if (in->at < in->end && *in->at == ':') {
    const char *text = ++in->at;
    size_t text_size = read_value(in), word = (size_t)(in->at - name);
    if (adl_parse_double(text, text_size, &value) != ADL_PARSED) {
      if (text_size == 0) return refuse(in, as, name, word, "has no value behind the colon");
      if (size == 0 || memchr("+-.0123456789", *text, 13) != NULL || memchr(text, ':', text_size) != NULL)
        return refuse(in, as, name, word, "has a value that is neither a number nor a word");
      hash = hash_name(text, text_size, hash);
      value = space_weight = 1;
    }
    if (!(fabs(value) <= (double)FLT_MAX)) return refuse(in, as, name, word, "has a value that no float32 holds");
  }
  float product = (float)value * space_weight;
  if (!(fabsf(product) <= FLT_MAX))
    return refuse(in, as, name, (size_t)(in->at - name),
                  "times its namespace's weight is a value that no float32 holds");
  if (product != 0) row->entries[row->count++] = adl_entry(hash & in->mask, product);
  return true;
}

/* From the first bar to the end. */
static bool read_features(parser *in, example *row) {
  row->count = 0;
  while (in->at < in->end) {
    in->at++; /* the bar */
    if (!read_namespace(in)) return false;
    while (in->at < in->end && *in->at != '|') {
      if (is_blank(*in->at))
        in->at++;
      else if (!read_feature(in, row))
        return false;
    }
  }
  if (in->self->constant) row->entries[row->count++] = adl_entry(CONSTANT & in->mask, 1);
  return true;
}

static bool read_tag(const parser *in, const char *word, size_t size, example *row) {
  if (size > 0 && *word == '\'') word++, size--;
  if (!adl_utf8_valid(word, size)) return refuse(in, in->self->as.name, word, size, "is a tag that is not UTF-8");
  row->tag = word;
  row->tag_size = size;
  return true;
}

static bool read_label_word(const parser *in, int number, const char *word, size_t size, example *row) {
  static const char *const what[] = {("is not a simple label, which is one number: read-vw reads simple labels, and "
                                      "none of contextual bandits, several classes or several lines"),
                                     "is not a weight, which is a number", "is not a base, which is a number"};
  const read_vw *self = in->self;
  const char *const names[] = {self->label.name, self->weight.name, self->label.name};
  double *to[] = {&row->label, &row->weight, &row->base};
  if (number > 2)
    return refuse(in, self->label.name, word, size, "is more than a simple label's label, weight and base");
  if (adl_parse_double(word, size, to[number]) != ADL_PARSED || !isfinite(*to[number]))
    return refuse(in, names[number], word, size, what[number]);
  if (number > 0) return true;
  row->has_label = true;
  if (self->labels == LABELS_BINARY && row->label != 1 && row->label != -1 && row->label != 0)
    return refuse(in, names[0], word, size, "is not a binary label: 1, -1 or 0");
  return true;
}

/* [label [weight [base]]] [tag], before the first bar. The last word is the tag if the bar follows it at once, or if it
 * begins with an apostrophe. */
static bool read_label(parser *in, const char *bar, example *row) {
  *row = (example){.weight = 1, .entries = row->entries};
  for (int number = 0;; number++) {
    while (in->at < bar && is_blank(*in->at)) in->at++;
    const char *word = in->at;
    while (in->at < bar && !is_blank(*in->at)) in->at++;
    size_t size = (size_t)(in->at - word);
    if (size == 0) return true;
    const char *rest = in->at;
    while (rest < bar && is_blank(*rest)) rest++;
    bool last = rest == bar;
    if (last && (in->at == bar || *word == '\'')) {
      in->at = bar;
      return read_tag(in, word, size, row);
    }
    if (!read_label_word(in, number, word, size, row)) return false;
  }
}

/* False: the line is blank or rejected. */
static bool read_line(const adl_call *call, const read_vw *self, const adl_line *line, example *row) {
  parser in = {.call = call,
               .self = self,
               .begin = line->text,
               .at = line->text,
               .end = line->text + line->size,
               .line = line->number,
               .mask = (uint32_t)((UINT64_C(1) << self->bits) - 1)};
  const char *bar = memchr(line->text, '|', line->size);
  if (bar == NULL) {
    const char *word = line->text;
    while (word < in.end && is_blank(*word)) word++;
    return word < in.end &&
           refuse(&in, self->as.name, word, (size_t)(in.end - word), "has no |, behind which the features stand");
  }
  return read_label(&in, bar, row) && read_features(&in, row);
}

/* ---- blocks ---- */

/* Where the rows of a block go; `wanted` tells which of it anybody reads. */
typedef struct columns {
  adl_buffers label, weight, base, tag, as;
  bool label_wanted, weight_wanted, base_wanted, tag_wanted, as_wanted;
  uint64_t *scratch;
  int64_t rows, items, bytes;
} columns;

static adl_status reserve_one(const adl_call *call, adl_out *out, int32_t slot, int64_t rows, int64_t items,
                              int64_t bytes, bool *wanted, adl_buffers *to) {
  *wanted = slot >= 0 && call->host->wanted(call, slot);
  return *wanted ? call->host->reserve(call, out, slot, rows, items, bytes, to) : ADL_OK;
}

static adl_status reserve_columns(const adl_call *call, const read_vw *self, int64_t rows, int64_t features,
                                  int64_t bytes, adl_out *out, columns *to) {
  ADL_TRY(reserve_one(call, out, self->label.slot, rows, 0, 0, &to->label_wanted, &to->label));
  ADL_TRY(reserve_one(call, out, self->weight.slot, rows, 0, 0, &to->weight_wanted, &to->weight));
  ADL_TRY(reserve_one(call, out, self->base.slot, rows, 0, 0, &to->base_wanted, &to->base));
  ADL_TRY(reserve_one(call, out, self->tag.slot, rows, 0, bytes, &to->tag_wanted, &to->tag));
  return reserve_one(call, out, self->as.slot, rows, features, 0, &to->as_wanted, &to->as);
}

static void add_tag(const example *row, int64_t at, columns *to) {
  if (row->tag == NULL)
    adl_bit_set(to->tag.validity, at, false);
  else if (row->tag_size > 0)
    memcpy((char *)to->tag.data + to->bytes, row->tag, row->tag_size);
  to->bytes += (int64_t)row->tag_size;
  to->tag.string_offsets[at + 1] = (int32_t)to->bytes;
}

static void add_row(const read_vw *self, example *row, columns *to) {
  int64_t at = to->rows++;
  if (to->label_wanted && self->labels == LABELS_BINARY)
    adl_bit_set(to->label.data, at, row->label > 0);
  else if (to->label_wanted)
    ((double *)to->label.data)[at] = row->label;
  if (to->label_wanted && !row->has_label) adl_bit_set(to->label.validity, at, false);
  if (to->weight_wanted) ((double *)to->weight.data)[at] = row->weight;
  if (to->base_wanted) ((double *)to->base.data)[at] = row->base;
  if (to->tag_wanted) add_tag(row, at, to);
  if (!to->as_wanted) return;
  to->items += adl_entries_merge(row->entries, to->scratch, row->count, to->as.index + to->items,
                                 (float *)to->as.data + to->items);
  to->as.offsets[at + 1] = (int32_t)to->items;
}

/* At least as many as there are features: each stands behind a blank; and the constants. */
static int64_t count_features(const adl_line_block *block) {
  int64_t count = block->records;
  for (const char *at = block->at; at < block->end; at++) count += *at == ' ' || *at == '\t';
  return count;
}

static adl_status decode(const adl_call *call, const void *instance, const void *data, int64_t size, int64_t position,
                         adl_out *out) {
  const adl_host *host = call->host;
  const read_vw *self = instance;
  adl_line_block block;
  adl_line line;
  (void)size;
  adl_line_block_begin(&block, data, position);
  int64_t features = count_features(&block);
  example row = {.entries = host->alloc(call, ((size_t)features + 1) * sizeof *row.entries)};
  columns to = {.scratch = host->alloc(call, ((size_t)features + 1) * sizeof *to.scratch)};
  ADL_TRY(reserve_columns(call, self, block.records, features, block.end - block.at, out, &to));
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
  read_vw *self = instance;
  const adl_host *host = call->host;
  const adl_type number = {.element = ADL_FLOAT64}, text = {.element = ADL_STRING, .role = ADL_CATEGORY};
  ADL_TRY(adl_lines_bind(call, &self->lines));
  ADL_TRY(host->declare(call, &self->label, self->labels == LABELS_BINARY ? (adl_type){.element = ADL_BOOL} : number));
  ADL_TRY(host->declare(call, &self->weight, number));
  ADL_TRY(host->declare(call, &self->base, number));
  ADL_TRY(host->declare(call, &self->tag, text));
  const adl_type sparse = {.element = ADL_FLOAT32, .shape = ADL_SPARSE, .width = INT64_C(1) << self->bits};
  ADL_TRY(host->declare(call, &self->as, sparse));
  return host->declare(call, &self->file_column, text);
}

static const adl_param params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_IN,
     .flags = ADL_LIST_OF | ADL_REQUIRED,
     .offset = offsetof(read_vw, lines.path),
     .doc = "The file, or several, or globs: read one after the other. `-` is standard input."},
    {.name = "bits",
     .type = ADL_PARAM_INT,
     .offset = offsetof(read_vw, bits),
     .default_value = "18",
     .range = "[1, 31]",
     .doc = "Features are hashed to 2^bits dimensions, as with Vowpal Wabbit's -b."},
    {.name = "constant",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(read_vw, constant),
     .default_value = "false",
     .doc =
         "Add the constant feature that Vowpal Wabbit adds to every example (number 11650396, value 1): for a "
         "learner with `bias: false`, which then treats the constant like any other feature, as Vowpal Wabbit does."},
    {.name = "labels",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(read_vw, labels),
     .default_value = "number",
     .choices = "number|binary",
     .doc = "number: the label as it stands (float64). binary: a bool, true for 1 and false for -1 and 0."},
    {.name = "label",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(read_vw, label),
     .default_value = "label",
     .doc = "Name of the column of labels; null where a line has none."},
    {.name = "weight",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(read_vw, weight),
     .default_value = "weight",
     .doc = "Name of the column of importance weights (float64): the second number, 1 where there is none."},
    {.name = "base",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(read_vw, base),
     .doc = "Name of a new column for the base, or initial prediction (float64): the third number, 0 where there is "
            "none."},
    {.name = "tag",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(read_vw, tag),
     .doc = "Name of a new column for the tag (string, without its apostrophe); null where a line has none."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(read_vw, as),
     .default_value = "x",
     .doc = "Name of the sparse column of features."},
    {.name = "file_column",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(read_vw, file_column),
     .doc = "Name of a new column that says which file a row is from, without the folders that all files have in "
            "common."},
};

static const char doc[] =
    "Reads the text format of Vowpal Wabbit with simple labels, plain or packed with gzip or zstd (told by the "
    "content, "
    "not by the name): a line is `label weight base 'tag|namespace:weight feature:value ...|namespace ...`, of which "
    "only the first | must be there, for example `1 'row7|ad shoes price:0.5`. Blank lines are passed over.\n\n"
    "Features get the dimension that Vowpal Wabbit gives them (its wiki, \"Input format\" and \"Feature hashing and "
    "extraction\"; `--hash strings`), so models can be compared: MurmurHash3 of the name, seeded with the hash of the "
    "namespace's name (0 for the one without a name); a name of digits alone is that number plus the seed; a feature "
    "without a name (`:0.5`) has the seed plus its number among those; a value that is a word (`city:Rome`) is hashed "
    "from the hash of the name, with value 1 in any namespace. Otherwise the value is 1 where none is given, times the "
    "namespace's weight. Values "
    "of one dimension in a row are summed (Vowpal Wabbit keeps them apart, which learners only notice where two "
    "features collide), and sums of 0 are left out.\n\n"
    "As in Vowpal Wabbit, the last word before the | is the tag if no blank stands between them or if it begins with "
    "an apostrophe: `1|f a` is a line with the tag 1 and without a label.\n\n"
    "Rejected, with line number and place: a line without |, labels of other kinds (contextual bandits, several "
    "classes, "
    "several lines), numbers that are none, NaN, infinities and values that no float32 holds, a weight of a namespace "
    "that is not a number, a tag that is not UTF-8. A line of more than 16 MiB is rejected without being looked at. A "
    "file that cannot be read to its end ends the run.";

static const adl_class read_vw_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SOURCE,
    .id = "read-vw",
    .title = "Vowpal Wabbit's text files",
    .doc = doc,
    .form = ADL_NEW,
    .instance_size = sizeof(read_vw),
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

ADL_PLUGIN_OF("read-vw", "1.0.0", "source:read-vw", &read_vw_class);
