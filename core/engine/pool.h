/* The worker threads of a run. Work is a function that several of them run at once, each taking from what is left to do;
 * whoever has nothing to do joins the oldest work that is open, until the first of those in it finds nothing left. Work may
 * open further work. pthread primitives rather than GLib's, so that ThreadSanitizer understands them. */
#ifndef ADLOOM_CORE_ENGINE_POOL_H
#define ADLOOM_CORE_ENGINE_POOL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct adl_pool adl_pool;

/* As many threads as can be had: at least one, else the program ends. */
adl_pool *adl_pool_new(int32_t threads);
void adl_pool_free(adl_pool *pool);
int32_t adl_pool_threads(const adl_pool *pool);

/* Opens work(data, worker) for the workers and returns when it is done. While it waits, calls `idle` about ten times
 * a second. Not from inside of work. */
void adl_pool_run(adl_pool *pool, void (*work)(void *data, int32_t worker), void *data, void (*idle)(void *data),
                  void *idle_data);

/* The same where the caller takes part, as worker `number`: its own inside of work, or one that is not the pool's. Of the
 * pool's, those from `most` on stay away. */
void adl_pool_help(adl_pool *pool, int32_t number, int32_t most, void (*work)(void *data, int32_t worker), void *data);

#endif
