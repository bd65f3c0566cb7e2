/* What a plugin's calls of libc lead to while it is checked: allocations are counted, remembered, and refused when asked to;
 * calls that a plugin must not make end the check. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "core/conform/internal.h"
#include "core/graph/call.h"

/* A block that the plugin holds. */
typedef struct held {
  int64_t number;
  const char *function, *stage;
} held;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *blocks; /* of held, by address */
static int64_t total, since, failing = -1;

void adl_calls_fail(int64_t number) {
  pthread_mutex_lock(&mutex);
  since = 0;
  failing = number;
  pthread_mutex_unlock(&mutex);
}

int64_t adl_calls_allocations(void) { return since; }
int64_t adl_calls_total(void) { return total; }
int64_t adl_calls_held(void) { return blocks != NULL ? g_hash_table_size(blocks) : 0; }

const char *adl_calls_oldest(int64_t after) {
  GHashTableIter iter;
  gpointer value;
  const held *oldest = NULL;
  g_hash_table_iter_init(&iter, blocks);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const held *block = value;
    if (block->number >= after && (oldest == NULL || block->number < oldest->number)) oldest = block;
  }
  return oldest != NULL ? oldest->function : "";
}

/* True: this allocation is to fail. */
static bool refused(void) {
  pthread_mutex_lock(&mutex);
  bool fails = failing >= 0 && since == failing;
  since++;
  total++;
  pthread_mutex_unlock(&mutex);
  if (fails) errno = ENOMEM;
  return fails;
}

static void *remember(void *block) {
  const adl_context *context = adl_context_current;
  if (block == NULL) return NULL;
  held *about = g_new0(held, 1);
  about->function = context != NULL && context->function != NULL ? context->function : "(outside of calls)";
  pthread_mutex_lock(&mutex);
  about->number = total;
  g_hash_table_replace(blocks, block, about);
  pthread_mutex_unlock(&mutex);
  return block;
}

static void forget(void *block) {
  if (block == NULL) return;
  pthread_mutex_lock(&mutex);
  g_hash_table_remove(blocks, block);
  pthread_mutex_unlock(&mutex);
}

/* ---- allocating ---- */

static void *watched_malloc(size_t size) { return refused() ? NULL : remember(malloc(size)); }
static void *watched_calloc(size_t count, size_t size) { return refused() ? NULL : remember(calloc(count, size)); }
static void *watched_aligned_alloc(size_t alignment, size_t size) {
  return refused() ? NULL : remember(aligned_alloc(alignment, size));
}
static char *watched_strdup(const char *text) { return refused() ? NULL : remember(strdup(text)); }
static char *watched_strndup(const char *text, size_t size) { return refused() ? NULL : remember(strndup(text, size)); }

static void *watched_realloc(void *block, size_t size) {
  if (refused()) return NULL;
  forget(block); /* where there is no more memory it stays, and is leaked by nobody: the run ends */
  return remember(realloc(block, size));
}

static void *watched_reallocarray(void *block, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return watched_realloc(block, bytes);
}

static int watched_posix_memalign(void **block, size_t alignment, size_t size) {
  if (refused()) return ENOMEM;
  int error = posix_memalign(block, alignment, size);
  if (error == 0) remember(*block);
  return error;
}

static void watched_free(void *block) {
  forget(block);
  free(block);
}

/* ---- C++ ---- */

/* new says that there is no memory by throwing, which libstdc++ does for us. */
static void *watched_new(size_t size) {
  void *block = refused() ? NULL : remember(malloc(size > 0 ? size : 1));
  if (block != NULL) return block;
  void *symbol = dlsym(RTLD_DEFAULT, "_ZSt17__throw_bad_allocv");
  void (*throw_it)(void) = NULL;
  memcpy(&throw_it, &symbol, sizeof throw_it);
  if (throw_it != NULL) throw_it();
  abort();
}

static void *watched_new_nothrow(size_t size, const void *tag) {
  (void)tag;
  return watched_malloc(size > 0 ? size : 1);
}

static void watched_delete_sized(void *block, size_t size) {
  (void)size;
  watched_free(block);
}

/* ---- what a plugin must not do ---- */

static void forbid(const char *what) {
  const adl_context *context = adl_context_current;
  const char *function = context != NULL ? context->function : NULL;
  adl_child_stop(ADL_FAIL, function != NULL ? function : "the plugin", " calls ", what);
}

static void forbidden_exit(int status) {
  (void)status;
  forbid("exit, which would end the run of a user");
}
static void forbidden_abort(void) { forbid("abort, which would end the run of a user"); }
static pid_t forbidden_fork(void) {
  forbid("fork: a plugin starts no processes");
  return -1;
}
static int forbidden_system(const char *command) {
  (void)command;
  forbid("system: a plugin starts no processes");
  return -1;
}
static void *forbidden_popen(const char *command, const char *mode) {
  (void)command, (void)mode;
  forbid("popen: a plugin starts no processes");
  return NULL;
}

#define PATCH(function, with)                                                                                          \
  { function, (void *)(with) }

bool adl_calls_watch(const char *path) {
  const adl_patch patches[] = {
      PATCH("malloc", watched_malloc),
      PATCH("calloc", watched_calloc),
      PATCH("realloc", watched_realloc),
      PATCH("reallocarray", watched_reallocarray),
      PATCH("aligned_alloc", watched_aligned_alloc),
      PATCH("posix_memalign", watched_posix_memalign),
      PATCH("strdup", watched_strdup),
      PATCH("__strdup", watched_strdup),
      PATCH("strndup", watched_strndup),
      PATCH("__strndup", watched_strndup),
      PATCH("free", watched_free),
      PATCH("_Znwm", watched_new),
      PATCH("_Znam", watched_new),
      PATCH("_ZnwmRKSt9nothrow_t", watched_new_nothrow),
      PATCH("_ZnamRKSt9nothrow_t", watched_new_nothrow),
      PATCH("_ZdlPv", watched_free),
      PATCH("_ZdaPv", watched_free),
      PATCH("_ZdlPvm", watched_delete_sized),
      PATCH("_ZdaPvm", watched_delete_sized),
      PATCH("exit", forbidden_exit),
      PATCH("_exit", forbidden_exit),
      PATCH("_Exit", forbidden_exit),
      PATCH("quick_exit", forbidden_exit),
      PATCH("abort", forbidden_abort),
      PATCH("fork", forbidden_fork),
      PATCH("vfork", forbidden_fork),
      PATCH("system", forbidden_system),
      PATCH("popen", forbidden_popen),
  };
  if (blocks == NULL) blocks = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  return adl_patch_calls(path, patches, (int)G_N_ELEMENTS(patches)) >= 0;
}
