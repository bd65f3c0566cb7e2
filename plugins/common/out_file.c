/* The file of a sink, see out_file.h. */
#include "common/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_standard(const adl_out_file *out) { return strcmp(out->path, "-") == 0; }

static adl_status failed(adl_out_file *out, const adl_call *call, const char *doing, int error) {
  const char *hint = error == ENOSPC || error == EDQUOT ? "make room on that disk, or write elsewhere"
                     : error == EACCES || error == EPERM || error == EROFS ? "choose a folder that you may write to"
                                                                           : NULL;
  out->failed = true;
  return call->host->fail(call, "path", -1, hint, "%s: cannot %s: %s", is_standard(out) ? "standard output" : out->path,
                          doing, strerror(error));
}

adl_status adl_out_file_open(adl_out_file *out, const adl_call *call, const char *path) {
  *out = (adl_out_file){.path = path, .packing = adl_out_packing_of(path), .file = -1};
  if (is_standard(out)) {
    out->file = STDOUT_FILENO;
    return ADL_OK;
  }
  do {
    out->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  } while (out->file < 0 && errno == EINTR);
  struct stat state;
  if (out->file < 0) return failed(out, call, "write to it", errno);
  out->begun = fstat(out->file, &state) == 0 && S_ISREG(state.st_mode); /* a device is not ours to remove */
  return ADL_OK;
}

adl_status adl_out_file_write(adl_out_file *out, const adl_call *call, const void *data, int64_t size) {
  const char *at = data;
  out->written = out->written || size > 0;
  while (size > 0) {
    ssize_t done = write(out->file, at, (size_t)size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return failed(out, call, "write to it", errno);
    at += done;
    size -= done;
  }
  return ADL_OK;
}

adl_status adl_out_file_write_text(adl_out_file *out, const adl_call *call, const void *data, int64_t size) {
  const void *packed;
  int64_t packed_size;
  ADL_TRY(adl_out_pack(call, out->packing, data, size, &packed, &packed_size));
  return adl_out_file_write(out, call, packed, packed_size);
}

adl_status adl_out_file_commit(adl_out_file *out, const adl_call *call) {
  if (out->failed) return call->host->fail(call, "path", -1, NULL, "%s: writing has failed before", out->path);
  if (!out->written) ADL_TRY(adl_out_file_write_text(out, call, "", 0)); /* no bytes at all would be no packed file */
  /* what cannot be synchronised (a pipe, a terminal, /dev/null) says so, and needs no more */
  if (fsync(out->file) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
    return failed(out, call, "finish writing to it", errno);
  int file = out->file;
  out->file = -1;
  if (!is_standard(out) && close(file) != 0) return failed(out, call, "finish writing to it", errno);
  out->begun = false;
  return ADL_OK;
}

void adl_out_file_drop(adl_out_file *out) {
  if (out->path == NULL) return;
  if (out->file >= 0 && !is_standard(out)) close(out->file);
  if (out->begun) unlink(out->path);
  *out = (adl_out_file){.file = -1};
}
