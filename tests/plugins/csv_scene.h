/* What the tests of read-csv share: files in a folder of their own, and rows as text. */
#ifndef ADLOOM_TESTS_CSV_SCENE_H
#define ADLOOM_TESTS_CSV_SCENE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/plugins/fake_io_host.h"

const adl_plugin *adl_entry_read_csv(const adl_host *host);

static inline const adl_class *read_csv(void) {
  static const adl_host host = {.abi_major = ADL_ABI_MAJOR};
  return adl_entry_read_csv(&host)->classes[0];
}

static char folder[256];

static inline void make_folder(void) {
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/adloom-test-XXXXXX", base != NULL ? base : "/tmp");
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

static inline void remove_folder(void) {
  char command[300];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  ck_assert_int_eq(system(command), 0);
}

/* Path of a new file in the test's folder. */
static inline const char *file_with(const char *name, const void *data, size_t size) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(data, 1, size, file), size);
  ck_assert_int_eq(fclose(file), 0);
  return path;
}

static inline const char *text_file(const char *text) { return file_with("a.csv", text, strlen(text)); }

static inline fake_io *read_good(fake_io *io) {
  ck_assert_str_eq(io->failed, "");
  ck_assert_msg(fake_read(io) == ADL_OK, "%s", io->failed);
  return io;
}

/* All values of a row, with blanks between. */
static inline const char *row_text(const fake_io *io, int64_t row) {
  static char text[4096];
  text[0] = '\0';
  for (int32_t c = 0; c < io->column_count; c++)
    strcat(strcat(text, c > 0 ? " " : ""), fake_cell(io, io->names[c], row));
  return text;
}

static inline void check_rows(fake_io *io, int64_t count, const char *const *rows) {
  for (int64_t i = 0; i < count && i < io->rows; i++) ck_assert_str_eq(row_text(io, i), rows[i]);
  ck_assert_int_eq(io->rows, count);
}

#endif
