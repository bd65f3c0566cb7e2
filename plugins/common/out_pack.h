/* Packed output of sinks, by the ending of the file's name: .gz or .zst. Each block becomes a gzip member or a zstd frame of
 * its own, so that blocks are packed side by side; what a reader unpacks is their contents, one behind the other. */
#ifndef ADLOOM_PLUGINS_COMMON_OUT_PACK_H
#define ADLOOM_PLUGINS_COMMON_OUT_PACK_H

#include <adloom/plugin.h>

#include "common/cells.h"

typedef enum adl_out_packing { ADL_OUT_PLAIN, ADL_OUT_GZIP, ADL_OUT_ZSTD } adl_out_packing;

adl_out_packing adl_out_packing_of(const char *path);

/* The block, packed, in memory of host->alloc; the same bytes each time. Plain: the block itself. */
adl_status adl_out_pack(const adl_call *call, adl_out_packing packing, const void *block, int64_t size,
                        const void **packed, int64_t *packed_size);
/* adl_cells_commit of a packed block. */
adl_status adl_out_pack_cells(adl_cells *cells, adl_out_packing packing);

#endif
