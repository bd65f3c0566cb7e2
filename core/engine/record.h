/*
 * A record: what one stage was given in a run and what it gave, in one file. Written by `run --record`, read by `plugin
 * replay`.
 *
 *   8 bytes   "ADLREC01"
 *   entries   uint32 kind, uint32 0, int64 size, uint64 XXH3-64 of the bytes; the bytes, a multiple of 8 of them
 *
 * The first entry is the head, the last the end. Between them stand the messages that a stage in a process of its own is
 * sent and answers with (isolate.h), in the order in which they went.
 */
#ifndef ADLOOM_CORE_ENGINE_RECORD_H
#define ADLOOM_CORE_ENGINE_RECORD_H

#include "core/data/pack.h"
#include "core/engine/isolate.h"

#define ADL_RECORD_MAGIC "ADLREC01"

typedef enum adl_entry_kind {
  ADL_ENTRY_HEAD = 1,
  ADL_ENTRY_REQUEST,
  ADL_ENTRY_ANSWER,
  ADL_ENTRY_DEATH, /* text: how the plugin's process ended; another one goes on, or nothing follows */
  ADL_ENTRY_END    /* number of entries before it */
} adl_entry_kind;

typedef struct adl_entry {
  adl_entry_kind kind;
  int64_t size;
  const uint8_t *data; /* in the file's memory */
} adl_entry;

/* A column of an input, as it was when the stage was bound. */
typedef struct adl_record_column {
  const char *name;
  adl_type type;
} adl_record_column;

typedef struct adl_record_input {
  const char *name; /* of the stage */
  int64_t count;
  adl_record_column *columns;
} adl_record_input;

/* All texts are the file's. */
typedef struct adl_record_head {
  const char *class, *plugin, *version, *build, *path, *stage, *parameters; /* parameters: JSON */
  int64_t abi_major, abi_minor, state_version, learn, online, started_us;
  uint64_t seed;
  int64_t main_count; /* of inputs: 0 or 1; the others are sides, by number */
  int64_t input_count;
  adl_record_input *inputs;
} adl_record_head;

typedef struct adl_record_file {
  GMappedFile *mapped;
  GArray *entries; /* of adl_entry, without head and end */
  adl_record_head head;
} adl_record_file;

/* NULL: *why (free it): not a record, of another version, cut, damaged. */
adl_record_file *adl_record_read(const char *path, char **why);
void adl_record_file_free(adl_record_file *file);

#endif
