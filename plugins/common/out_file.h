/* The file that a sink writes: opened in start, written in write, made safe in commit, removed again when the sink is
 * destroyed without commit. One thread at a time. */
#ifndef ADLOOM_PLUGINS_COMMON_OUT_FILE_H
#define ADLOOM_PLUGINS_COMMON_OUT_FILE_H

#include <adloom/plugin.h>

#include "common/out_pack.h"

typedef struct adl_out_file {
  const char *path;        /* as the parameter gave it; "-" is standard output */
  adl_out_packing packing; /* that its name asks for */
  int file;                /* meant only while path is set; -1: closed */
  bool begun;              /* the file at path is ours to remove */
  bool written;            /* it has bytes */
  bool failed;
} adl_out_file;

/* Zeroed memory is one that was never opened. All of them explain failures, blaming the parameter `path`. */
adl_status adl_out_file_open(adl_out_file *out, const adl_call *call, const char *path);
/* As it is: blocks of adl_cells have been packed already. */
adl_status adl_out_file_write(adl_out_file *out, const adl_call *call, const void *data, int64_t size);
/* Packs first. */
adl_status adl_out_file_write_text(adl_out_file *out, const adl_call *call, const void *data, int64_t size);
/* Everything has reached the disk (standard output: the pipe or terminal), and the file is closed. */
adl_status adl_out_file_commit(adl_out_file *out, const adl_call *call);

/* Closes, and removes the file if it was not committed. */
void adl_out_file_drop(adl_out_file *out);

#endif
