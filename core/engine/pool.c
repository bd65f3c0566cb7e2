#include "core/engine/pool.h"

#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "core/engine/crash.h"
#include "core/engine/internal.h"

/* Whoever waits for work, or for its end, looks so long, in ns, before it sleeps: loops of a few hundred microseconds follow
 * each other closely, and waking a thread takes tens of them. */
enum { LOOKING = 50000 };

/* Work that is open, or still being done. */
typedef struct job {
  void (*work)(void *data, int32_t worker);
  void *data;
  int32_t most; /* workers from this number on stay away */
  _Atomic int32_t inside;
  bool closed; /* somebody found nothing left to do */
  struct job *next;
} job;

struct adl_pool {
  pthread_mutex_t mutex;
  pthread_cond_t start, done;
  int32_t threads;
  bool look;               /* there is a processor for each thread */
  job *open;               /* the oldest first; each lives where it was opened */
  _Atomic uint64_t opened; /* rises with every job */
  _Atomic bool stop;
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

/* ---- the list of open jobs; with the mutex held ---- */

static void open_job(adl_pool *pool, job *j) {
  job **at = &pool->open;
  while (*at != NULL) at = &(*at)->next;
  *at = j;
  atomic_fetch_add(&pool->opened, 1);
  pthread_cond_broadcast(&pool->start);
}

static void close_job(adl_pool *pool, job *j) {
  job **at = &pool->open;
  while (*at != NULL && *at != j) at = &(*at)->next;
  if (*at == j) *at = j->next;
  j->closed = true;
}

static job *job_for(const adl_pool *pool, int32_t worker) {
  job *j = pool->open;
  while (j != NULL && worker >= j->most) j = j->next;
  return j;
}

static void leave_job(adl_pool *pool, job *j) {
  close_job(pool, j);
  if (atomic_fetch_sub(&j->inside, 1) == 1) pthread_cond_broadcast(&pool->done);
}

/* ---- workers ---- */

/* Lets go of the mutex while it looks. */
static void look_for_work(adl_pool *pool) {
  uint64_t seen = atomic_load(&pool->opened);
  if (!pool->look || seen == 0) return;
  pthread_mutex_unlock(&pool->mutex);
  for (int64_t until = adl_clock_ns() + LOOKING;
       atomic_load(&pool->opened) == seen && !atomic_load(&pool->stop) && adl_clock_ns() < until;)
    pause_a_little();
  pthread_mutex_lock(&pool->mutex);
}

/* NULL: the pool ends. */
static job *next_job(adl_pool *pool, int32_t worker) {
  job *j = job_for(pool, worker);
  if (j == NULL && !atomic_load(&pool->stop)) look_for_work(pool);
  while ((j = job_for(pool, worker)) == NULL && !atomic_load(&pool->stop))
    pthread_cond_wait(&pool->start, &pool->mutex);
  return j;
}

static void *thread_main(void *argument) {
  thread_start start = *(thread_start *)argument;
  g_free(argument);
  adl_pool *pool = start.pool;
  adl_crash_thread();
  pthread_mutex_lock(&pool->mutex);
  for (job *j = next_job(pool, start.worker); j != NULL; j = next_job(pool, start.worker)) {
    atomic_fetch_add(&j->inside, 1);
    pthread_mutex_unlock(&pool->mutex);
    j->work(j->data, start.worker);
    pthread_mutex_lock(&pool->mutex);
    leave_job(pool, j);
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
    pool->threads = i; /* nobody is waited for before the first work */
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

static struct timespec in_a_while(void) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 100000000;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  return until;
}

void adl_pool_run(adl_pool *pool, void (*work)(void *data, int32_t worker), void *data, void (*idle)(void *data),
                  void *idle_data) {
  job j = {.work = work, .data = data, .most = pool->threads};
  struct timespec until = in_a_while();
  pthread_mutex_lock(&pool->mutex);
  open_job(pool, &j);
  while (!j.closed || atomic_load(&j.inside) > 0) {
    if (pthread_cond_timedwait(&pool->done, &pool->mutex, &until) == 0)
      continue; /* work inside of this may have ended */
    pthread_mutex_unlock(&pool->mutex);
    idle(idle_data);
    until = in_a_while();
    pthread_mutex_lock(&pool->mutex);
  }
  pthread_mutex_unlock(&pool->mutex);
}

void adl_pool_help(adl_pool *pool, int32_t number, int32_t most, void (*work)(void *data, int32_t worker), void *data) {
  job j = {.work = work, .data = data, .most = most};
  if (most == 0 || pool->threads == 1) return work(data, number);
  pthread_mutex_lock(&pool->mutex);
  open_job(pool, &j);
  pthread_mutex_unlock(&pool->mutex);
  work(data, number);
  pthread_mutex_lock(&pool->mutex);
  close_job(pool, &j);
  pthread_mutex_unlock(&pool->mutex);
  if (pool->look)
    for (int64_t until = adl_clock_ns() + LOOKING; atomic_load(&j.inside) > 0 && adl_clock_ns() < until;)
      pause_a_little();
  pthread_mutex_lock(&pool->mutex);
  while (atomic_load(&j.inside) > 0) pthread_cond_wait(&pool->done, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}
