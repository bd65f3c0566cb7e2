/* An arena: memory that is handed out piece by piece and freed at once. Trees, parameters and what else lives exactly as
 * long as a pipeline. Not thread-safe. */
#ifndef ADLOOM_CORE_BASE_ARENA_H
#define ADLOOM_CORE_BASE_ARENA_H

#include <stddef.h>

typedef struct adl_arena adl_arena;

adl_arena *adl_arena_new(void);
void adl_arena_free(adl_arena *arena); /* NULL is fine */

/* Zeroed, aligned to 16 bytes, never NULL. */
void *adl_arena_alloc(adl_arena *arena, size_t size);
char *adl_arena_text(adl_arena *arena, const char *text);                 /* copy; NULL stays NULL */
char *adl_arena_text_n(adl_arena *arena, const char *text, size_t size); /* copy of `size` bytes, NUL added */
char *adl_arena_printf(adl_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *adl_arena_copy(adl_arena *arena, const void *data, size_t size);

#define ADL_ARENA_NEW(arena, type, count) ((type *)adl_arena_alloc((arena), sizeof(type) * (size_t)(count)))

#endif
