#include "core/engine/rejects.h"

#include <glib.h>
#include <pthread.h>
#include <string.h>

struct adl_rejects {
  pthread_mutex_t mutex;
  GStringChunk *texts;
  GPtrArray *items;  /* of adl_reject * */
  GHashTable *known; /* the items themselves, by shard, position and stage */
  int64_t records;
  bool sorted;
};

static guint hash(const void *key) {
  const adl_reject *reject = key;
  return (guint)(reject->position * 0x9e3779b1) ^ (guint)reject->shard ^ g_str_hash(reject->stage);
}

static gboolean equal(const void *a, const void *b) {
  const adl_reject *x = a, *y = b;
  return x->position == y->position && x->shard == y->shard && strcmp(x->stage, y->stage) == 0;
}

adl_rejects *adl_rejects_new(void) {
  adl_rejects *rejects = g_new0(adl_rejects, 1);
  pthread_mutex_init(&rejects->mutex, NULL);
  rejects->texts = g_string_chunk_new(4096);
  rejects->items = g_ptr_array_new_with_free_func(g_free);
  rejects->known = g_hash_table_new(hash, equal);
  return rejects;
}

void adl_rejects_free(adl_rejects *rejects) {
  if (rejects == NULL) return;
  g_hash_table_destroy(rejects->known);
  g_ptr_array_free(rejects->items, TRUE);
  g_string_chunk_free(rejects->texts);
  pthread_mutex_destroy(&rejects->mutex);
  g_free(rejects);
}

static int order(const adl_reject *x, const adl_reject *y) {
  if (x->shard != y->shard) return x->shard < y->shard ? -1 : 1;
  if (x->position != y->position) return x->position < y->position ? -1 : 1;
  int names = strcmp(x->stage, y->stage);
  if (names != 0) return names;
  names = g_strcmp0(x->column, y->column);
  return names != 0 ? names : strcmp(x->reason, y->reason);
}

/* Of two reasons for the same row at the same stage the first in order stays, whichever came first. */
void adl_rejects_add(adl_rejects *rejects, const adl_reject *reject) {
  pthread_mutex_lock(&rejects->mutex);
  adl_reject *known = g_hash_table_lookup(rejects->known, reject);
  if (known == NULL || order(reject, known) < 0) {
    adl_reject *copy = known;
    if (copy == NULL) {
      copy = g_new(adl_reject, 1);
      rejects->records += reject->record;
      g_ptr_array_add(rejects->items, copy);
    }
    *copy = *reject;
    copy->stage = g_string_chunk_insert_const(rejects->texts, reject->stage);
    copy->column = reject->column == NULL ? NULL : g_string_chunk_insert_const(rejects->texts, reject->column);
    copy->reason = g_string_chunk_insert_const(rejects->texts, reject->reason);
    if (known == NULL) g_hash_table_add(rejects->known, copy);
    rejects->sorted = false;
  }
  pthread_mutex_unlock(&rejects->mutex);
}

int64_t adl_rejects_records(adl_rejects *rejects) {
  pthread_mutex_lock(&rejects->mutex);
  int64_t count = rejects->records;
  pthread_mutex_unlock(&rejects->mutex);
  return count;
}

adl_reject *adl_reject_copy(const adl_reject *reject) {
  adl_reject *copy = g_memdup2(reject, sizeof *reject);
  copy->stage = g_strdup(reject->stage);
  copy->column = g_strdup(reject->column);
  copy->reason = g_strdup(reject->reason);
  return copy;
}

void adl_reject_free(adl_reject *reject) {
  g_free((char *)(uintptr_t)reject->stage);
  g_free((char *)(uintptr_t)reject->column);
  g_free((char *)(uintptr_t)reject->reason);
  g_free(reject);
}

static int by_order(const void *a, const void *b) {
  return order(*(const adl_reject *const *)a, *(const adl_reject *const *)b);
}

/* With the mutex held. */
static void sort(adl_rejects *rejects) {
  if (!rejects->sorted) g_ptr_array_sort(rejects->items, by_order);
  rejects->sorted = true;
}

void adl_rejects_each(adl_rejects *rejects, void (*visit)(void *data, const adl_reject *reject), void *data) {
  pthread_mutex_lock(&rejects->mutex);
  sort(rejects);
  for (guint i = 0; i < rejects->items->len; i++) visit(data, rejects->items->pdata[i]);
  pthread_mutex_unlock(&rejects->mutex);
}

bool adl_rejects_any(adl_rejects *rejects) {
  pthread_mutex_lock(&rejects->mutex);
  bool any = rejects->items->len > 0;
  pthread_mutex_unlock(&rejects->mutex);
  return any;
}

int64_t adl_rejects_rows(adl_rejects *rejects) {
  int64_t count = 0;
  const adl_reject *last = NULL;
  pthread_mutex_lock(&rejects->mutex);
  sort(rejects);
  for (guint i = 0; i < rejects->items->len; i++) {
    const adl_reject *reject = rejects->items->pdata[i];
    count += last == NULL || last->shard != reject->shard || last->position != reject->position;
    last = reject;
  }
  pthread_mutex_unlock(&rejects->mutex);
  return count;
}
