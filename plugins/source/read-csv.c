/* read-csv: delimited text to typed columns. This file has the parameters, the wiring and the files' headers; cutting the
 * input into blocks is common/csv_reader.c, taking a block apart common/csv_columns.c. */
#include <adloom/plugin.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/column_types.h"
#include "common/file_names.h"
#include "common/nearest.h"

typedef struct read_csv {
  adl_strings path;
  adl_map columns;
  bool header;
  const char *delimiter, *quote;
  adl_strings nulls;
  const char *timestamp_format, *comment;
  bool trim;
  int64_t skip_lines, max_field;
  adl_output file_column;

  adl_csv_table table;
  adl_csv_column *items; /* table.columns */
  adl_csv_names names;   /* theirs, when they were taken from the header */
  double *begins;        /* of files, in bytes of all, and their end; for the progress */
} read_csv;

/* One file being read. */
typedef struct cursor {
  adl_csv_reader reader;
  adl_csv_head *head; /* for its blocks */
} cursor;

static const adl_param params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_IN,
     .flags = ADL_LIST_OF | ADL_REQUIRED,
     .offset = offsetof(read_csv, path),
     .doc =
         "The file, or several, or globs such as logs/2024-*.csv.gz: read one after the other. `-` is standard input."},
    {.name = "columns",
     .type = ADL_PARAM_STRING,
     .flags = ADL_MAP_OF,
     .offset = offsetof(read_csv, columns),
     .doc =
         "Columns and their types: {user: id, price: float, at: timestamp}. Types are id, string and category (text), "
         "int (64 bits), float (64 bits), bool, timestamp, date, and skip (the field may hold anything). timestamp "
         "and date may be followed by a format of their own: {day: date %d.%m.%Y}. With a header columns are found by "
         "name, and those of the file that are not listed are passed over; without one they are the fields in this "
         "order. "
         "Not given: all columns of the header, as text."},
    {.name = "header",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(read_csv, header),
     .default_value = "true",
     .doc = "Whether the first line of each file names the fields."},
    {.name = "delimiter",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(read_csv, delimiter),
     .doc = "What stands between fields: comma, tab, semicolon, pipe, or one character. Not given: tab for files named "
            ".tsv or .tab (also .tsv.gz and the like), a comma for others."},
    {.name = "quote",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(read_csv, quote),
     .default_value = "\"",
     .doc = "The character around fields that hold delimiters or line ends; \"\": there is none, every quote is text."},
    {.name = "nulls",
     .type = ADL_PARAM_STRING,
     .flags = ADL_LIST_OF,
     .offset = offsetof(read_csv, nulls),
     .default_value = "[\"NULL\", \"null\", \"\\\\N\"]",
     .doc =
         "Texts that stand for a missing value. The empty field always does. In a text column a quoted one of these is "
         "text, and \"\" is the empty string; add \"\" to the list where it stands for a missing value, as in files "
         "with quotes around all fields. Add NA, ? or - where the data mean it."},
    {.name = "timestamp_format",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(read_csv, timestamp_format),
     .default_value = "iso",
     .doc =
         "How timestamp and date columns are written. iso: YYYY-MM-DD, optionally with a blank or T, HH:MM[:SS[.frac]] "
         "and Z, UTC or an offset such as +02:00; years before 0 and after 9999 as -00001 and +10000. unix, unix_ms, "
         "unix_us: since 1970. Or a pattern of %Y %y %m %d %e %b "
         "%B %a %A %H %I %p %M %S %f %z %s %F %T %D %%, with English names. A time without an offset is UTC."},
    {.name = "trim",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(read_csv, trim),
     .default_value = "false",
     .doc = "Blanks and tabs around a field (outside its quotes) do not belong to it."},
    {.name = "comment",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(read_csv, comment),
     .doc = "Lines that begin with this are passed over: \"#\". Not given: no line is."},
    {.name = "skip_lines",
     .type = ADL_PARAM_INT,
     .offset = offsetof(read_csv, skip_lines),
     .default_value = "0",
     .range = "[0, 1000000]",
     .unit = "lines",
     .doc = "So many lines at the beginning of each file are passed over."},
    {.name = "max_field",
     .type = ADL_PARAM_SIZE,
     .offset = offsetof(read_csv, max_field),
     .default_value = "1M",
     .range = "[1, 64M]",
     .unit = "bytes",
     .doc =
         "A longer field is rejected with its record, and a quoted field that does not end within this is taken for an "
         "unclosed quote."},
    {.name = "file_column",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(read_csv, file_column),
     .doc =
         "Name of a new column that says which file a row is from, without the folders that all files have in common."},
};

/* ---------------------------------------------------------------------------------------------- parameters ---- */

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

static bool is_named(const char *path, const char *ending) {
  static const char *const packings[] = {"", ".gz", ".zst"};
  size_t length = strlen(path), end = strlen(ending);
  for (int i = 0; i < 3; i++) {
    size_t packing = strlen(packings[i]);
    if (length >= end + packing && strcmp(path + length - packing, packings[i]) == 0 &&
        strncmp(path + length - packing - end, ending, end) == 0)
      return true;
  }
  return false;
}

/* The delimiter for a file; '\0': what the parameter says makes no sense. */
static char delimiter_for(const read_csv *self, const char *path) {
  static const char *const names[] = {"comma", "tab", "semicolon", "pipe", "\\t"};
  const char *given = self->delimiter;
  if (given == NULL) return is_named(path, ".tsv") || is_named(path, ".tab") ? '\t' : ',';
  for (int i = 0; i < 5; i++)
    if (strcmp(given, names[i]) == 0) return ",\t;|\t"[i];
  bool one = given[0] != '\0' && given[1] == '\0' && (unsigned char)given[0] < 128;
  return one && strchr("\n\r", given[0]) == NULL ? given[0] : '\0';
}

static adl_csv_dialect dialect_for(const read_csv *self, const char *path) {
  adl_csv_dialect dialect = self->table.dialect;
  dialect.delimiter = delimiter_for(self, path);
  return dialect;
}

static adl_status set_dialect(const adl_call *call, read_csv *self) {
  const adl_host *host = call->host;
  adl_status status = ADL_OK;
  char delimiter = delimiter_for(self, "");
  const char *quote = self->quote != NULL ? self->quote : "";
  if (delimiter == '\0')
    status = host->fail(call, "delimiter", -1, NULL,
                        "\"%s\" is neither comma, tab, semicolon, pipe nor one ASCII character", self->delimiter);
  if (strlen(quote) > 1 || (unsigned char)quote[0] >= 128 || (quote[0] != '\0' && strchr("\n\r \t", quote[0]) != NULL))
    status = host->fail(call, "quote", -1, NULL, "\"%s\" is not one ASCII character", quote);
  else if (quote[0] != '\0' && quote[0] == delimiter)
    status = host->fail(call, "quote", -1, NULL, "quote and delimiter are the same character");
  if (self->comment != NULL && strpbrk(self->comment, "\n\r") != NULL)
    status = host->fail(call, "comment", -1, NULL, "a comment begins and ends on one line");
  self->table.dialect = (adl_csv_dialect){.delimiter = delimiter,
                                          .quote = quote[0],
                                          .trim = self->trim,
                                          .comment = self->comment,
                                          .comment_size = self->comment != NULL ? (uint32_t)strlen(self->comment) : 0,
                                          .max_field = (uint32_t)self->max_field};
  return status;
}

static adl_status set_columns(const adl_call *call, read_csv *self) {
  int32_t count = self->columns.count > 0 ? (int32_t)self->columns.count : self->names.count;
  adl_status status = ADL_OK;
  self->items = calloc((size_t)count, sizeof *self->items);
  if (self->items == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  for (int32_t i = 0; i < count; i++) {
    self->items[i] = (adl_csv_column){.type = ADL_CSV_STRING, .slot = -1};
    self->items[i].name = self->columns.count > 0 ? self->columns.keys[i] : self->names.items[i];
    if (self->columns.count > 0 &&
        adl_column_type_set(call, self->timestamp_format, self->columns.values[i], &self->items[i]) != ADL_OK)
      status = ADL_FAILED;
  }
  self->table.columns = self->items;
  self->table.column_count = count;
  return status;
}

/* ------------------------------------------------------------------------------------------------- headers ---- */

static adl_status file_failed(const adl_call *call, const char *path, const char *message) {
  return call->host->fail(call, "path", -1, NULL, "%s: %s", strcmp(path, "-") == 0 ? "standard input" : path, message);
}

static adl_status no_such_column(const adl_call *call, const adl_csv_reader *reader, const char *path, const char *name,
                                 const adl_csv_names *names) {
  const char *ending = adl_stream_misnamed(reader->stream);
  char list[512] = "", hint[160] = "", *parameter = call->host->alloc(call, strlen(name) + 10);
  const char *const *known = (const char *const *)names->items;
  for (int32_t i = 0; i < names->count; i++) {
    if (strlen(list) + strlen(names->items[i]) > sizeof list - 16) {
      strcat(list, ", ...");
      break;
    }
    strcat(strcat(list, i > 0 ? ", " : ""), names->items[i]);
  }
  int32_t near = adl_nearest(name, names->count, known);
  if (near >= 0 && strlen(known[near]) < 100) strcat(strcat(strcat(hint, "did you mean `"), known[near]), "`?");
  if (near < 0 &&
      names->count == 1) { /* the whole line is one name: most likely something else stands between fields */
    static const char other[] = ";\t|,", *const words[] = {"semicolon", "tab", "pipe", "comma"};
    size_t at = strcspn(known[0], other);
    if (known[0][at] != '\0')
      strcat(strcat(strcpy(hint, "the header is a single name: is `delimiter: "),
                    words[strchr(other, known[0][at]) - other]),
             "` meant?");
  }
  if (hint[0] == '\0' && ending != NULL)
    strcat(strcat(strcpy(hint, "its name ends in "), ending),
           ", but it is not packed so, and was read as text: is it the right file, or packed by something else?");
  strcat(strcpy(parameter, "columns."), name);
  return call->host->fail(call, parameter, -1, hint[0] != '\0' ? hint : NULL,
                          "%s has no column `%s`; its header has %s", base_name(path), name, list);
}

/* Which field is which column. */
static adl_status find_fields(const adl_call *call, const read_csv *self, const adl_csv_reader *reader,
                              const char *path, const adl_csv_names *names, int32_t *field) {
  adl_status status = ADL_OK;
  for (int32_t c = 0; c < self->table.column_count; c++) {
    const char *name = self->items[c].name;
    field[c] = -1;
    for (int32_t i = 0; i < names->count; i++) {
      if (strcmp(names->items[i], name) != 0) continue;
      if (field[c] >= 0)
        return call->host->fail(call, "columns", -1, NULL, "the header of %s has the column `%s` twice",
                                base_name(path), name);
      field[c] = i;
    }
    if (field[c] < 0) status = no_such_column(call, reader, path, name, names);
  }
  return status;
}

/* Reads the header of a file and looks all columns up in it, before there are any data. */
static adl_status check_file(const adl_call *call, read_csv *self, const char *path) {
  struct stat facts;
  bool regular = strcmp(path, "-") != 0 && stat(path, &facts) == 0 && S_ISREG(facts.st_mode);
  if (!regular && self->columns.count == 0 && self->names.count == 0)
    return call->host->fail(call, "columns", -1, NULL, "%s cannot be looked at beforehand: say which columns it has",
                            strcmp(path, "-") == 0 ? "standard input" : path);
  if (!regular) return ADL_OK;
  adl_csv_dialect dialect = dialect_for(self, path);
  adl_csv_reader reader;
  adl_csv_names names = {0, NULL};
  adl_status status = ADL_OK;
  if (!adl_csv_reader_open(&reader, path, &dialect, self->skip_lines) ||
      (self->header && !adl_csv_reader_header(&reader, &names))) {
    status = file_failed(call, path, reader.message);
  } else if (self->table.columns == NULL) {
    self->names = names;
    names = (adl_csv_names){0, NULL};
    status = set_columns(call, self);
  }
  if (status == ADL_OK && self->header) {
    int32_t *field = call->host->alloc(call, (size_t)self->table.column_count * sizeof *field);
    status = find_fields(call, self, &reader, path, names.items != NULL ? &names : &self->names, field);
  }
  adl_csv_reader_close(&reader);
  adl_csv_names_free(&names);
  return status;
}

/* -------------------------------------------------------------------------------------------------- wiring ---- */

static adl_status declare_columns(const adl_call *call, read_csv *self) {
  const adl_host *host = call->host;
  adl_status status = ADL_OK;
  bool any = false;
  for (int32_t c = 0; c < self->table.column_count; c++) {
    adl_csv_column *column = &self->items[c];
    if (column->type == ADL_CSV_SKIP) continue;
    any = true;
    if (host->declare_named(call, "columns", column->name, adl_column_type(column->type), &column->slot) != ADL_OK)
      status = ADL_FAILED;
  }
  if (!any) status = host->fail(call, "columns", -1, NULL, "every column is skipped: there is nothing to read");
  if (host->declare(call, &self->file_column, adl_column_type(ADL_CSV_STRING)) != ADL_OK) status = ADL_FAILED;
  self->table.file_slot = self->file_column.name != NULL ? self->file_column.slot : -1;
  return status;
}

static adl_status bind(const adl_call *call, void *instance) {
  read_csv *self = instance;
  const adl_host *host = call->host;
  int32_t at;
  adl_time_format format;
  adl_status status = set_dialect(call, self);
  const char *wrong = adl_time_format_set(&format, self->timestamp_format, &at);
  if (wrong != NULL)
    status = host->fail(call, "timestamp_format", at, NULL, "\"%s\" %s", self->timestamp_format, wrong);
  if (self->columns.count == 0 && !self->header)
    status = host->fail(call, "columns", -1, NULL, "without a header the columns must be named here");
  if (self->columns.count > 0 && set_columns(call, self) != ADL_OK) status = ADL_FAILED;
  self->table.nulls = self->nulls;
  for (int64_t i = 0; i < self->nulls.count; i++) {
    unsigned char begin = (unsigned char)self->nulls.items[i][0];
    self->table.null_begins[begin] = begin != '\0';
    self->table.null_quoted |= begin == '\0';
    self->table.null_numbers |= begin != '\0' && strchr("0123456789+-.", begin) != NULL;
  }
  ADL_TRY(status);
  self->table.file_names = adl_file_names(&self->path);
  if (self->table.file_names == NULL) return host->fail(call, NULL, -1, NULL, "out of memory");
  for (int64_t i = 0; i < self->path.count; i++)
    if (check_file(call, self, self->path.items[i]) != ADL_OK) status = ADL_FAILED;
  if (self->table.columns == NULL) return ADL_FAILED;
  return declare_columns(call, self) == ADL_OK ? status : ADL_FAILED;
}

static void destroy(void *instance) {
  read_csv *self = instance;
  free(self->items);
  free((void *)self->table.file_names);
  free(self->begins);
  adl_csv_names_free(&self->names);
}

/* ------------------------------------------------------------------------------------------------- reading ---- */

/* How much there is to read, for the progress: where each file begins, in bytes, and all of them; 0 where one of them is no
 * regular file. */
static adl_status measure_files(const adl_call *call, read_csv *self) {
  free(self->begins); /* of an earlier scan */
  self->begins = calloc((size_t)self->path.count + 1, sizeof *self->begins);
  if (self->begins == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  for (int64_t i = 0; i < self->path.count; i++) {
    struct stat facts;
    bool known = stat(self->path.items[i], &facts) == 0 && S_ISREG(facts.st_mode);
    if (!known) {
      self->begins[self->path.count] = 0;
      return ADL_OK;
    }
    self->begins[i + 1] = self->begins[i] + (double)facts.st_size;
  }
  return ADL_OK;
}

static adl_status shards(const adl_call *call, void *instance, int32_t *count) {
  read_csv *self = instance;
  *count = (int32_t)self->path.count;
  return measure_files(call, self);
}

static void close_file(const adl_call *call, void *instance, void *state) {
  (void)call;
  (void)instance;
  cursor *file = state;
  if (file == NULL) return;
  adl_csv_reader_close(&file->reader);
  free(file->head);
  free(file);
}

static adl_status open_header(const adl_call *call, const read_csv *self, const char *path, cursor *file) {
  adl_csv_names names = {0, NULL};
  adl_status status = ADL_OK;
  if (!adl_csv_reader_header(&file->reader, &names))
    status = file_failed(call, path, file->reader.message);
  else
    status = find_fields(call, self, &file->reader, path, &names, file->head->field);
  file->head->fields = names.count;
  adl_csv_names_free(&names);
  return status;
}

static adl_status open_file(const adl_call *call, void *instance, int32_t shard, void **state) {
  read_csv *self = instance;
  const char *path = self->path.items[shard];
  int32_t columns = self->table.column_count;
  cursor *file = calloc(1, sizeof *file);
  adl_csv_head *head = calloc(1, adl_csv_head_size(columns));
  call->host->shard_name(call, strcmp(path, "-") == 0 ? "standard input" : path);
  if (file == NULL || head == NULL) {
    free(file);
    free(head);
    return call->host->fail(call, NULL, -1, NULL, "out of memory");
  }
  adl_csv_dialect dialect = dialect_for(self, path);
  adl_status status = ADL_OK;
  file->head = head;
  head->file = shard;
  head->fields = columns;
  head->delimiter = dialect.delimiter;
  for (int32_t c = 0; c < columns; c++) head->field[c] = c;
  if (!adl_csv_reader_open(&file->reader, path, &dialect, self->skip_lines))
    status = file_failed(call, path, file->reader.message);
  else if (self->header)
    status = open_header(call, self, path, file);
  if (status == ADL_OK)
    *state = file;
  else
    close_file(call, instance, file);
  return status;
}

static adl_status next(const adl_call *call, void *instance, void *state, adl_out *out) {
  read_csv *self = instance;
  cursor *file = state;
  uint32_t head_size = adl_csv_head_size(self->table.column_count);
  uint8_t *block;
  int64_t line;
  adl_status status =
      adl_csv_reader_block(&file->reader, call, out, head_size, &block, &file->head->size, &file->head->records, &line);
  if (status == ADL_FAILED) return file_failed(call, self->path.items[file->head->file], file->reader.message);
  double begin = self->begins[file->head->file], all = self->begins[self->path.count];
  if (all > 0) call->host->progress(call, "bytes", begin + (double)adl_stream_taken(file->reader.stream), all);
  if (status != ADL_OK) return status;
  memcpy(block, file->head, head_size);
  return call->host->block_commit(call, out, (int64_t)head_size + file->head->size + ADL_CSV_PAD, line);
}

static adl_status decode(const adl_call *call, const void *instance, const void *block, int64_t size, int64_t position,
                         adl_out *out) {
  (void)size;
  return adl_csv_decode(&((const read_csv *)instance)->table, call, block, position, out);
}

static const char doc[] =
    "Reads CSV, TSV and other delimited text, plain or packed with gzip or zstd (told by the content, not by the "
    "name).\n\n"
    "The text is RFC 4180's: fields with delimiters, quotes or line ends in them are quoted, and a quote inside is "
    "doubled. Lines end with LF or CR LF, the last one may lack it; a byte order mark is passed over, and so are "
    "blank lines. A quote that is not the first character of its field is text. The text must be UTF-8.\n\n"
    "Every column that is listed is checked in every row, whether something reads it or not. A record with a value "
    "that is not of its type, with too few or too many fields, a NUL byte, invalid UTF-8 in a text column or a field "
    "longer than max_field is rejected, with its line number, the column and the reason. A record of more than 16 MiB "
    "(or four times max_field, if that is more) is rejected without being looked at.\n\n"
    "A quote that opens but does not close properly costs one record only: not within max_field, not before the end "
    "of the file, or with something other than a delimiter or line end behind the closing quote. The line in which it "
    "opens is rejected, and reading goes on with the next line.\n\n"
    "An int is a sign and digits and fits 64 bits; 1.0 is not one. A float is a decimal number, correctly rounded; "
    "nan, inf and infinity are numbers too, and stages that cannot use them reject the row. A bool is true, false, "
    "yes, no, t, f, y, n, 1 or 0 in any case. A date is a timestamp at 00:00 UTC of the day that is written, whatever "
    "time stands behind it.\n\n"
    "A file that cannot be read to its end (damaged or incomplete gzip or zstd data, a file that became shorter while "
    "it was read) ends the run; what is appended to a file while it is read is not seen. Types are never guessed from "
    "the data, because then a new row could change the meaning of old ones.";

static const adl_class read_csv_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SOURCE,
    .id = "read-csv",
    .title = "CSV, TSV and other delimited text",
    .doc = doc,
    .form = ADL_NEW,
    .instance_size = sizeof(read_csv),
    .state_version = 0,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .shards = shards,
    .open = open_file,
    .next = next,
    .decode = decode,
    .close = close_file,
};

static const adl_class *const classes[] = {&read_csv_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "read-csv",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("read-csv", "1.0.0", "source:read-csv", &plugin);
