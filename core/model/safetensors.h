/*
 * Model files: sets of tensors in the safetensors format, which every tensor library reads and which holds no code.
 *
 *   8 bytes, little-endian: length of the header
 *   the header, JSON, filled up with blanks so that the data begin at a multiple of 64
 *   the data: arrays, each at a multiple of 64, gaps filled by arrays `_pad.N` of zeros
 *
 *   bool BOOL (a byte each), int32 I32, int64 and timestamp I64, uint32 U32, float32 F32, float64 F64, string, bytes U8
 *   keyed table NAME: NAME.keys U8 (end to end), NAME.key_offsets I64 (count + 1), NAME.rows F64 (count x width)
 *
 * The header's `__metadata__` has one string, `adloom`: JSON with what adl_model_meta holds. Equal content makes equal
 * bytes: there is no time or name in the file.
 */
#ifndef ADLOOM_CORE_MODEL_SAFETENSORS_H
#define ADLOOM_CORE_MODEL_SAFETENSORS_H

#include "core/data/tensors.h"
#include "core/model/error.h"
#include "core/model/meta.h"

/* No header is longer: what a hostile file can make the JSON reader do is bounded. */
enum { ADL_MODEL_HEADER_LIMIT = 8 * 1024 * 1024 };

/* Writes beside `path` and renames, so that nobody ever sees half a file; then it is on the disk. */
bool adl_model_write(const char *path, const adl_tensors *tensors, const adl_model_meta *meta, GError **error);
/* The same, but when the machine stops it may be half a file yet, which adl_model_read refuses. */
bool adl_model_write_unsynced(const char *path, const adl_tensors *tensors, const adl_model_meta *meta, GError **error);

/* The tensors of a file, mapped read-only (copied if the file has them unaligned). Everything is checked: a file that is
 * damaged, cut or made up is an error that says what is wrong, never a crash. *meta (may be NULL) is the caller's. */
adl_tensors *adl_model_read(const char *path, adl_model_meta **meta, GError **error);

#endif
