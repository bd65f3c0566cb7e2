/* The worker threads of a run: started once, they run one function at a time together. pthread primitives rather than
 * GLib's, so that ThreadSanitizer understands them. */
#ifndef ADLOOM_CORE_ENGINE_POOL_H
#define ADLOOM_CORE_ENGINE_POOL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct adl_pool adl_pool;

/* As many threads as can be had: at least one, else the program ends. */
adl_pool *adl_pool_new(int32_t threads);
void adl_pool_free(adl_pool *pool);
int32_t adl_pool_threads(const adl_pool *pool);

/* Runs work(data, worker) once on every worker and returns when all have. While it waits, calls `idle` (may be NULL) about
 * ten times a second. One caller at a time. */
void adl_pool_run(adl_pool *pool, void (*work)(void *data, int32_t worker), void *data, void (*idle)(void *data),
                  void *idle_data);

/* The same for short work: the caller is the last worker, and nobody sleeps at once when there is nothing to do. */
void adl_pool_help(adl_pool *pool, void (*work)(void *data, int32_t worker), void *data);

#endif
