#include "core/engine/pool.h"

#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "core/engine/crash.h"

struct adl_pool {
  pthread_mutex_t mutex;
  pthread_cond_t start, done;
  int32_t threads, running;
  uint64_t round; /* rises with every run */
  bool stop;
  void (*work)(void *data, int32_t worker);
  void *data;
  pthread_t *ids;
};

typedef struct thread_start {
  adl_pool *pool;
  int32_t worker;
} thread_start;

static void *thread_main(void *argument) {
  thread_start start = *(thread_start *)argument;
  g_free(argument);
  adl_pool *pool = start.pool;
  adl_crash_thread();
  uint64_t seen = 0;
  pthread_mutex_lock(&pool->mutex);
  for (;;) {
    while (!pool->stop && pool->round == seen) pthread_cond_wait(&pool->start, &pool->mutex);
    if (pool->stop) break;
    seen = pool->round;
    pthread_mutex_unlock(&pool->mutex);
    pool->work(pool->data, start.worker);
    pthread_mutex_lock(&pool->mutex);
    if (--pool->running == 0) pthread_cond_signal(&pool->done);
  }
  pthread_mutex_unlock(&pool->mutex);
  return NULL;
}

adl_pool *adl_pool_new(int32_t threads) {
  adl_pool *pool = g_new0(adl_pool, 1);
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->start, NULL);
  pthread_cond_init(&pool->done, NULL);
  pool->threads = threads;
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
  pool->stop = true;
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

void adl_pool_run(adl_pool *pool, void (*work)(void *data, int32_t worker), void *data, void (*idle)(void *data),
                  void *idle_data) {
  pthread_mutex_lock(&pool->mutex);
  pool->work = work;
  pool->data = data;
  pool->running = pool->threads;
  pool->round++;
  pthread_cond_broadcast(&pool->start);
  while (pool->running > 0) {
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
    if (pool->running > 0) {
      pthread_mutex_unlock(&pool->mutex);
      idle(idle_data);
      pthread_mutex_lock(&pool->mutex);
    }
  }
  pthread_mutex_unlock(&pool->mutex);
}
