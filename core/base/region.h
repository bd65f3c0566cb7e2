/* A region: memory that is handed out piece by piece and freed at once. Trees, parameters and what else lives exactly as
 * long as a pipeline. Not thread-safe. */
#ifndef ADLOOM_CORE_BASE_REGION_H
#define ADLOOM_CORE_BASE_REGION_H

#include <stddef.h>

typedef struct adl_region adl_region;

adl_region *adl_region_new(void);
void adl_region_free(adl_region *region); /* NULL is fine */

/* Zeroed, aligned to 16 bytes, never NULL. */
void *adl_region_alloc(adl_region *region, size_t size);
char *adl_region_text(adl_region *region, const char *text);                /* copy; NULL stays NULL */
char *adl_region_text_n(adl_region *region, const char *text, size_t size); /* copy of `size` bytes, NUL added */
char *adl_region_printf(adl_region *region, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *adl_region_copy(adl_region *region, const void *data, size_t size);

#define ADL_REGION_NEW(region, type, count) ((type *)adl_region_alloc((region), sizeof(type) * (size_t)(count)))

#endif
