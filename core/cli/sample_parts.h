/* Inside of the sample: a run of read-csv on a log, and the two readers of what comes of it. */
#ifndef ADLOOM_CORE_CLI_SAMPLE_PARTS_H
#define ADLOOM_CORE_CLI_SAMPLE_PARTS_H

#include "core/cli/sample.h"

enum { ADL_SAMPLE_MOST_COLUMNS = 2000 };

/* Cells of the first rows, row by row, as texts (NULL: null), of a file read with some parameters of read-csv. */
typedef struct adl_probe {
  GPtrArray *cells;
  guint columns; /* 0: it cannot be read */
  int64_t rejected;
} adl_probe;

/* `parameters`: more of read-csv, in YAML. The cells are the caller's, whatever comes of it. */
bool adl_probe_read(const char *path, const char *parameters, int64_t rows, adl_probe *probe, GString *why);

/* The same: each line as one text, between characters that no text has. Empty lines, and what is no text, are left out. */
bool adl_probe_lines(const char *path, guint skip, int64_t rows, adl_probe *probe, GString *why);

adl_sample_column *adl_sample_add_column(adl_sample *sample, const char *name, const char *path);
bool adl_sample_has_column(const adl_sample *sample, const char *name);

/* Both from the lines of the log; see adl_sample_read. */
bool adl_sample_read_csv(const char *path, const GPtrArray *lines, int64_t rows, adl_sample *sample, GString *why);
bool adl_sample_read_json(const char *path, const GPtrArray *lines, adl_sample *sample, GString *why);

#endif
