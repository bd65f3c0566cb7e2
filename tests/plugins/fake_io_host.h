/* A host for one source or one sink, without graph and engine: fills the instance from text, runs
 * open/next/decode/close or encode/write/commit on one thread, and keeps what came out. For tests of read-csv, write-csv
 * and others of their kind. */
#ifndef ADLOOM_TESTS_FAKE_IO_HOST_H
#define ADLOOM_TESTS_FAKE_IO_HOST_H

#include <adloom/plugin.h>

enum { FAKE_COLUMNS = 64 };

/* A batch that a source gave. */
typedef struct fake_batch {
  int64_t rows;
  int64_t *positions;
  adl_column columns[FAKE_COLUMNS]; /* by slot; data NULL: not given */
} fake_batch;

typedef struct fake_io {
  const adl_class *class;
  void *self;
  char failed[4096]; /* "parameter@offset: message (hint)", one a line, of all failures */
  char *rejected;    /* "position column: reason", one a line; "-" where there is no column */
  size_t rejected_size, rejected_room;
  int64_t reject_count;
  int32_t column_count;
  const char *names[FAKE_COLUMNS]; /* declared by a source, or given to a sink */
  adl_type types[FAKE_COLUMNS];
  bool unwanted[FAKE_COLUMNS]; /* set by the test: host->wanted says no */
  bool keep_nothing;           /* set by the test: batches are counted, not kept */
  int64_t rows;
  int64_t batch_count;
  fake_batch *batches;
  int64_t block_bytes;        /* of all blocks */
  int64_t decode_ns, next_ns; /* CPU time */
} fake_io;

/* Parameters as text, as in a pipeline file, in pairs that end with NULL: lists and maps in flow style, PATH_IN without
 * globs. For a sink the columns it will get come first: fake_io_columns. Does not fail the test if create, bind or start
 * do: look at ->failed. */
fake_io *fake_io_new(const adl_class *class, ...);
fake_io *fake_sink_new(const adl_class *class, int32_t columns, const char *const *names, const adl_column *const *data,
                       ...);
void fake_io_free(fake_io *io);

/* All shards. */
adl_status fake_read(fake_io *io);
/* Value of a row over all batches as text: "null", 12, 0.5, true, 1700000000000000 (timestamps), "abc" without its
 * quotes. Valid until the next call. */
const char *fake_cell(const fake_io *io, const char *column, int64_t row);
int64_t fake_position(const fake_io *io, int64_t row);

/* One batch into a sink: a column for each name given to fake_sink_new. */
adl_status fake_write(fake_io *io, int64_t rows, const adl_column *const *columns);
adl_status fake_commit(fake_io *io);

#endif
