/* Data as bytes and back: the one serialisation of columns and tensors, for the spool of kept rows, for a stage in a
 * process of its own, and for records of what a stage was given and gave. Little-endian, as all machines that adloom runs
 * on are; what is read is checked, since a file may be cut and another process may have written nonsense. */
#ifndef ADLOOM_CORE_DATA_PACK_H
#define ADLOOM_CORE_DATA_PACK_H

#include <glib.h>
#include <sys/uio.h>

#include "core/data/array.h"
#include "core/data/blocks.h"
#include "core/data/tensors.h"

/* ---- one array: 64 bytes, then its blocks in order, each padded to 64 ---- */

typedef struct adl_array_header {
  uint64_t magic;
  adl_type type;
  int64_t rows, items, bytes;
  int32_t null_count;
  uint32_t has_validity;
  uint64_t reserved;
} adl_array_header;
G_STATIC_ASSERT(sizeof(adl_array_header) == 64);

enum { ADL_ARRAY_PARTS = 1 + 2 * ADL_BLOCK_COUNT };
/* The stretches of memory that make up the array's bytes; returns how many, 0 with errno: more than fits the layout. */
int adl_array_parts(const adl_array *array, adl_array_header *header, struct iovec parts[ADL_ARRAY_PARTS],
                    int64_t *total);
/* The array whose bytes `get` gives: `size` bytes to `to`, then on to the next multiple of 64. NULL with errno; EIO: they
 * are no array. */
adl_array *adl_array_of_parts(bool (*get)(void *data, void *to, int64_t size), void *data);

/* ---- messages ---- */

/* Bytes that grow. Everything in them begins at a multiple of 8. Zeroed: empty. */
typedef struct adl_pack {
  uint8_t *data;
  int64_t size, capacity;
} adl_pack;

void adl_pack_clear(adl_pack *pack); /* frees */
void adl_pack_int(adl_pack *pack, int64_t value);
void adl_pack_float(adl_pack *pack, double value);
void adl_pack_bytes(adl_pack *pack, const void *bytes, int64_t size);
void adl_pack_raw(adl_pack *pack, const void *bytes, int64_t size); /* without their number: not to be unpacked */
void adl_pack_text(adl_pack *pack, const char *text);               /* NULL, too */
void adl_pack_array(adl_pack *pack, const adl_array *array);
void adl_pack_tensors(adl_pack *pack, const adl_tensors *tensors);

/* Reading goes on until `bad`: bytes that are not there, or not what was asked for. Then everything is 0, "" or NULL. */
typedef struct adl_unpack {
  const uint8_t *data;
  int64_t size, at;
  bool bad;
} adl_unpack;

int64_t adl_unpack_int(adl_unpack *unpack);
/* As a number of things that each take at least `each` bytes. */
int64_t adl_unpack_count(adl_unpack *unpack, int64_t each);
double adl_unpack_float(adl_unpack *unpack);
const void *adl_unpack_bytes(adl_unpack *unpack, int64_t *size); /* in the message; 8-aligned */
const char *adl_unpack_text(adl_unpack *unpack);                 /* in the message; NULL where NULL was packed */
adl_array *adl_unpack_array(adl_unpack *unpack);                 /* the caller's */
adl_tensors *adl_unpack_tensors(adl_unpack *unpack);             /* the caller's; never NULL */

#endif
