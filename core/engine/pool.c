#include "core/engine/pool.h"

#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "core/engine/crash.h"
#include "core/engine/internal.h"

/* Whoever waits for a round to begin or to end looks so long, in ns, before it sleeps: loops of a few hundred microseconds
 * follow each other closely, and waking a thread takes tens of them. */
enum { LOOKING = 50000 };

struct adl_pool {
  pthread_mutex_t mutex;
  pthread_cond_t start, done;
  int32_t threads, active; /* of the threads, those that work in this round */
  bool look;               /* there is a processor for each thread */
  _Atomic int32_t running;
  _Atomic uint64_t round; /* rises with every run */
  _Atomic bool stop;
  void (*work)(void *data, int32_t worker);
  void *data;
  pthread_t *ids;
};

typedef struct thread_start {
  adl_pool *pool;
  int32_t worker;
} thread_start;

static void pause_a_little(void) {
#if defined(__x86_64__)
  for (int i = 0; i < 32; i++) __builtin_ia32_pause();
#else
  sched_yield();
#endif
}

static bool begun(adl_pool *pool, uint64_t seen) {
  return atomic_load(&pool->round) != seen || atomic_load(&pool->stop);
}

static void wait_for_round(adl_pool *pool, uint64_t seen) {
  if (pool->look && seen > 0)
    for (int64_t until = adl_clock_ns() + LOOKING; !begun(pool, seen) && adl_clock_ns() < until;) pause_a_little();
  pthread_mutex_lock(&pool->mutex);
  while (!begun(pool, seen)) pthread_cond_wait(&pool->start, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}

static void *thread_main(void *argument) {
  thread_start start = *(thread_start *)argument;
  g_free(argument);
  adl_pool *pool = start.pool;
  adl_crash_thread();
  uint64_t seen = 0;
  for (;;) {
    wait_for_round(pool, seen);
    if (atomic_load(&pool->stop)) break;
    pthread_mutex_lock(&pool->mutex);
    seen = atomic_load(&pool->round);
    bool mine = start.worker < pool->active;
    pthread_mutex_unlock(&pool->mutex);
    if (!mine) continue;
    pool->work(pool->data, start.worker);
    if (atomic_fetch_sub(&pool->running, 1) != 1) continue;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_signal(&pool->done);
    pthread_mutex_unlock(&pool->mutex);
  }
  return NULL;
}

adl_pool *adl_pool_new(int32_t threads) {
  adl_pool *pool = g_new0(adl_pool, 1);
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->start, NULL);
  pthread_cond_init(&pool->done, NULL);
  pool->threads = threads;
  pool->look = threads <= (int32_t)g_get_num_processors();
  pool->ids = g_new0(pthread_t, (gsize)threads);
  /* Signals are for the main thread. */
  sigset_t all, before;
  sigfillset(&all);
  sigdelset(&all, SIGSEGV);
  sigdelset(&all, SIGBUS);
  sigdelset(&all, SIGFPE);
  sigdelset(&all, SIGILL);
  sigdelset(&all, SIGABRT);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  for (int32_t i = 0; i < pool->threads; i++) {
    thread_start *start = g_new(thread_start, 1);
    *start = (thread_start){pool, i};
    if (pthread_create(&pool->ids[i], NULL, thread_main, start) == 0) continue;
    g_free(start);
    pool->threads = i; /* nobody is waited for before the first round */
  }
  if (pool->threads == 0) g_error("cannot start a worker thread");
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return pool;
}

void adl_pool_free(adl_pool *pool) {
  if (pool == NULL) return;
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->stop, true);
  pthread_cond_broadcast(&pool->start);
  pthread_mutex_unlock(&pool->mutex);
  for (int32_t i = 0; i < pool->threads; i++) pthread_join(pool->ids[i], NULL);
  pthread_mutex_destroy(&pool->mutex);
  pthread_cond_destroy(&pool->start);
  pthread_cond_destroy(&pool->done);
  g_free(pool->ids);
  g_free(pool);
}

int32_t adl_pool_threads(const adl_pool *pool) { return pool->threads; }

static void begin(adl_pool *pool, int32_t active, void (*work)(void *data, int32_t worker), void *data) {
  pthread_mutex_lock(&pool->mutex);
  pool->work = work;
  pool->data = data;
  pool->active = active;
  atomic_store(&pool->running, active);
  atomic_fetch_add(&pool->round, 1);
  pthread_cond_broadcast(&pool->start);
  pthread_mutex_unlock(&pool->mutex);
}

void adl_pool_run(adl_pool *pool, void (*work)(void *data, int32_t worker), void *data, void (*idle)(void *data),
                  void *idle_data) {
  begin(pool, pool->threads, work, data);
  pthread_mutex_lock(&pool->mutex);
  while (atomic_load(&pool->running) > 0) {
    if (idle == NULL) {
      pthread_cond_wait(&pool->done, &pool->mutex);
      continue;
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) {
      until.tv_sec++;
      until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&pool->done, &pool->mutex, &until);
    if (atomic_load(&pool->running) > 0) {
      pthread_mutex_unlock(&pool->mutex);
      idle(idle_data);
      pthread_mutex_lock(&pool->mutex);
    }
  }
  pthread_mutex_unlock(&pool->mutex);
}

void adl_pool_help(adl_pool *pool, void (*work)(void *data, int32_t worker), void *data) {
  if (pool->threads > 1) begin(pool, pool->threads - 1, work, data);
  work(data, pool->threads - 1);
  if (pool->threads == 1) return;
  if (pool->look)
    for (int64_t until = adl_clock_ns() + LOOKING; atomic_load(&pool->running) > 0 && adl_clock_ns() < until;)
      pause_a_little();
  pthread_mutex_lock(&pool->mutex);
  while (atomic_load(&pool->running) > 0) pthread_cond_wait(&pool->done, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}
