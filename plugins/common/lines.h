/* Files of one record a line: reading them in blocks of whole lines, and taking a block apart line by line. Made of the
 * reader of delimited text, without quotes. Used by read-jsonl, read-libsvm and read-vw. */
#ifndef ADLOOM_PLUGINS_COMMON_LINES_H
#define ADLOOM_PLUGINS_COMMON_LINES_H

#include "common/csv_reader.h"

/* First member of the instance. */
typedef struct adl_lines {
  adl_strings path;   /* the parameter */
  const char **names; /* of the files, for a column; made by adl_lines_bind, freed by adl_lines_destroy */
} adl_lines;

adl_status adl_lines_bind(const adl_call *call, adl_lines *lines);

/* shards, open, next and close of the class; and destroy, where it has nothing else to free. */
adl_status adl_lines_shards(const adl_call *call, void *instance, int32_t *count);
adl_status adl_lines_open(const adl_call *call, void *instance, int32_t shard, void **cursor);
adl_status adl_lines_next(const adl_call *call, void *instance, void *cursor, adl_out *out);
void adl_lines_close(const adl_call *call, void *instance, void *cursor);
void adl_lines_destroy(void *instance);

/* A block being taken apart, in decode. */
typedef struct adl_line_block {
  int32_t file;         /* number of the file */
  uint32_t records;     /* so many lines, blank ones included */
  const char *at, *end; /* what is left; may be read ADL_CSV_PAD bytes beyond */
  int64_t line;         /* number of the next line */
} adl_line_block;

/* One line: text without its end, and its number. */
typedef struct adl_line {
  const char *text;
  uint32_t size;
  int64_t number;
} adl_line;

void adl_line_block_begin(adl_line_block *block, const void *data, int64_t position);
/* The next line; false: there is none. Blank lines come too. */
bool adl_line_block_next(adl_line_block *block, adl_line *line);

#endif
