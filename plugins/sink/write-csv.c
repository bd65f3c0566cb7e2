/* write-csv: rows as delimited text. encode makes the lines of a batch on any thread, write puts them into the file in
 * order. */
#include <adloom/plugin.h>

#include <ctype.h>
#include <string.h>

#include "common/cells.h"
#include "common/out_file.h"

typedef struct write_csv {
  const char *path;
  adl_inputs columns;
  const char *delimiter, *null;
  bool header;

  char separator;
  size_t null_size;
  bool special[256]; /* bytes that ask for quotes */
  adl_out_file file;
} write_csv;

static const adl_param params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_OUT,
     .flags = ADL_REQUIRED,
     .offset = offsetof(write_csv, path),
     .doc = "The file. It appears under this name when the run has succeeded, packed where the name ends in .gz or "
            ".zst. `-` is standard output."},
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(write_csv, columns),
     .elements = ADL_ANY_ELEMENT,
     .shapes = ADL_ANY_SHAPE,
     .default_value = "*",
     .doc = "Which columns, in this order."},
    {.name = "header",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(write_csv, header),
     .default_value = "true",
     .doc = "Whether the first line has the names of the columns."},
    {.name = "delimiter",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(write_csv, delimiter),
     .default_value = "comma",
     .doc = "What stands between fields: comma, tab, semicolon, pipe, or one character."},
    {.name = "null",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(write_csv, null),
     .doc =
         "What is written for a missing value; not given: nothing, or, since a blank line is no row, \"\" in a file of "
         "one column. A string that is equal to it is quoted."},
};

/* Whether read-csv takes it for a missing value, unless it is told not to. */
static bool is_null_word(const char *text, int64_t size) {
  if (size == 4) return memcmp(text, "NULL", 4) == 0 || memcmp(text, "null", 4) == 0;
  return size == 0 || (size == 2 && memcmp(text, "\\N", 2) == 0);
}

/* Whether a text must be quoted to be read back as it is. */
static bool needs_quotes(const write_csv *self, const char *text, int64_t size) {
  if (is_null_word(text, size) || text[0] == ' ' || text[size - 1] == ' ') return true;
  bool special = false;
  for (int64_t i = 0; i < size; i++) special |= self->special[(unsigned char)text[i]];
  return special || ((size_t)size == self->null_size && memcmp(text, self->null, (size_t)size) == 0);
}

/* A text as a field: at most 2 * size + 2 bytes, which are returned. */
static int64_t put_field(const write_csv *self, const char *text, int64_t size, char *to) {
  if (!needs_quotes(self, text, size)) {
    memcpy(to, text, (size_t)size);
    return size;
  }
  char *out = to;
  *out++ = '"';
  for (int64_t i = 0; i < size; i++) {
    if (text[i] == '"') *out++ = '"';
    *out++ = text[i];
  }
  *out++ = '"';
  return out - to;
}

static void add_field(const write_csv *self, adl_cells *cells, const char *text, int64_t size) {
  char *to = adl_cells_room(cells, 2 * size + 2);
  cells->size += put_field(self, text, size, to);
}

/* Writes the JSON of a value behind the cells, then in its place as a CSV field. */
static void add_json(const write_csv *self, adl_cells *cells, const adl_column *column, int64_t row) {
  int64_t begin = cells->size;
  adl_cells_json(cells, column, row);
  int64_t size = cells->size - begin;
  char *copy = cells->call->host->alloc(cells->call, (size_t)size);
  memcpy(copy, cells->data + begin, (size_t)size);
  cells->size = begin;
  add_field(self, cells, copy, size);
}

static void add_cell(const write_csv *self, adl_cells *cells, const adl_column *column, int64_t row) {
  if (adl_is_null(column, row)) {
    bool blank = self->null[0] == '\0' && self->columns.count == 1; /* a blank line would not be a row */
    adl_cells_add(cells, blank ? "\"\"" : self->null, blank ? 2 : (int64_t)self->null_size);
  } else if (adl_cells_is_plain(column->type)) {
    adl_cells_plain(cells, column, row);
  } else if (column->type.shape == ADL_SCALAR && column->type.element == ADL_STRING) {
    adl_text text = adl_text_at(column, row);
    add_field(self, cells, text.data, text.size);
  } else {
    add_json(self, cells, column, row);
  }
}

static adl_status bind(const adl_call *call, void *instance) {
  write_csv *self = instance;
  static const char *const names[] = {"comma", "tab", "semicolon", "pipe", "\\t"};
  const char *given = self->delimiter;
  if (self->null == NULL) self->null = "";
  self->null_size = strlen(self->null);
  self->separator = given[0] != '\0' && given[1] == '\0' && (unsigned char)given[0] < 128 ? given[0] : '\0';
  if (isalnum((unsigned char)given[0]) || strchr("\"\n\r+-.:", given[0]) != NULL) self->separator = '\0';
  for (int i = 0; i < 5; i++)
    if (strcmp(given, names[i]) == 0) self->separator = ",\t;|\t"[i];
  if (self->separator == '\0')
    return call->host->fail(call, "delimiter", -1, NULL,
                            "\"%s\" is neither comma, tab, semicolon, pipe nor one ASCII character that is not part of "
                            "numbers, times and quotes",
                            given);
  if (strpbrk(self->null, "\"\n\r") != NULL || strchr(self->null, self->separator) != NULL)
    return call->host->fail(call, "null", -1, NULL, "it must not hold the delimiter, quotes or line ends");
  if (self->columns.count == 0) return call->host->fail(call, "columns", -1, NULL, "there are no columns to write");
  self->special[(unsigned char)self->separator] = self->special['"'] = self->special['\n'] = self->special['\r'] = true;
  return ADL_OK;
}

/* The first line. */
static adl_status write_names(const adl_call *call, write_csv *self) {
  int64_t most = 0, size = 0;
  for (int64_t i = 0; i < self->columns.count; i++) most += 2 * (int64_t)strlen(self->columns.items[i].name) + 3;
  char *line = call->host->alloc(call, (size_t)most);
  for (int64_t i = 0; i < self->columns.count; i++) {
    const char *name = self->columns.items[i].name;
    size += put_field(self, name, (int64_t)strlen(name), line + size);
    line[size++] = i + 1 < self->columns.count ? self->separator : '\n';
  }
  return adl_out_file_write_text(&self->file, call, line, size);
}

static adl_status start(const adl_call *call, void *instance) {
  write_csv *self = instance;
  ADL_TRY(adl_out_file_open(&self->file, call, self->path));
  return self->header ? write_names(call, self) : ADL_OK;
}

static adl_status encode(const adl_call *call, const void *instance, const adl_batch *batch, adl_out *out) {
  const write_csv *self = instance;
  adl_cells cells;
  adl_cells_begin(&cells, call, out, 64 + batch->rows * self->columns.count * 16);
  for (int64_t row = 0; row < batch->rows; row++)
    for (int64_t i = 0; i < self->columns.count; i++) {
      add_cell(self, &cells, batch->slots[self->columns.items[i].slot], row);
      adl_cells_add_byte(&cells, i + 1 < self->columns.count ? self->separator : '\n');
    }
  return adl_out_pack_cells(&cells, self->file.packing);
}

static adl_status write_block(const adl_call *call, void *instance, const adl_batch *batch, const void *block,
                              int64_t size) {
  (void)batch;
  return adl_out_file_write(&((write_csv *)instance)->file, call, block, size);
}

static adl_status commit(const adl_call *call, void *instance) {
  return adl_out_file_commit(&((write_csv *)instance)->file, call);
}

static void destroy(void *instance) { adl_out_file_drop(&((write_csv *)instance)->file); }

static const char doc[] =
    "Writes rows as delimited text (RFC 4180, UTF-8, lines end with LF) that read-csv and others read back to the "
    "same values.\n\n"
    "Numbers are the shortest decimal that rounds to the same value; NaN and infinities are nan, inf and -inf. Bools "
    "are true and false, timestamps 2024-01-31T09:30:00Z with three or six decimals where there is a fraction. A "
    "string is quoted where it has to be, and where it reads NULL, null or \\N; the empty string is written as \"\", a "
    "missing value as the text of `null`. "
    "What is not one value is JSON in one field: lists and vectors [0.5,1], bags {\"token\":2}, sparse vectors "
    "{\"7\":0.5}; in them NaN and infinities are null. Bytes are base64, in quotes.\n\n"
    "Without any rows the file has the header alone. The file is complete or it is not there: it is written under "
    "another name, flushed to the disk and renamed when the run succeeds.";

static const adl_class write_csv_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SINK,
    .id = "write-csv",
    .title = "Rows to CSV",
    .doc = doc,
    .instance_size = sizeof(write_csv),
    .state_version = 0,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .start = start,
    .encode = encode,
    .write = write_block,
    .commit = commit,
};

static const adl_class *const classes[] = {&write_csv_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "write-csv",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("write-csv", "1.0.0", "sink:write-csv", &plugin);
