/* Putting parcels back into row order: workers offer them as they come; they are let through one at a time, each when the
 * one before it is done. Whoever offers the missing one also runs those that waited for it. */
#include "core/engine/internal.h"

void adl_turn_init(adl_turn *turn, int64_t first, int64_t stride) {
  pthread_mutex_init(&turn->mutex, NULL);
  turn->next = first;
  turn->stride = stride;
  turn->active = false;
  g_queue_init(&turn->waiting);
}

void adl_turn_item_free(adl_turn_item *item) {
  adl_parcel_free(item->parcel);
  if (item->block != NULL) g_bytes_unref(item->block);
  g_free(item);
}

void adl_turn_clear(adl_turn *turn) {
  for (adl_turn_item *item = g_queue_pop_head(&turn->waiting); item != NULL; item = g_queue_pop_head(&turn->waiting))
    adl_turn_item_free(item);
  pthread_mutex_destroy(&turn->mutex);
}

static int by_number(const void *a, const void *b, void *data) {
  (void)data;
  int64_t x = ((const adl_turn_item *)a)->number, y = ((const adl_turn_item *)b)->number;
  return x < y ? -1 : x > y;
}

void adl_turn_offer(adl_turn *turn, adl_turn_item *item, void (*run)(adl_turn_item *item, void *data), void *data) {
  pthread_mutex_lock(&turn->mutex);
  if (item->number < 0) item->number = turn->next; /* late: comes after everything */
  g_queue_insert_sorted(&turn->waiting, item, by_number, NULL);
  if (turn->active) {
    pthread_mutex_unlock(&turn->mutex);
    return;
  }
  turn->active = true;
  for (;;) {
    adl_turn_item *first = g_queue_peek_head(&turn->waiting);
    if (first == NULL || first->number != turn->next) break;
    g_queue_pop_head(&turn->waiting);
    pthread_mutex_unlock(&turn->mutex);
    run(first, data);
    pthread_mutex_lock(&turn->mutex);
    turn->next += turn->stride;
  }
  turn->active = false;
  pthread_mutex_unlock(&turn->mutex);
}

adl_parcel *adl_parcel_new(int64_t number) {
  adl_parcel *parcel = g_new0(adl_parcel, 1);
  parcel->number = number;
  parcel->frames = g_ptr_array_new_with_free_func((GDestroyNotify)adl_frame_unref);
  return parcel;
}

adl_parcel *adl_parcel_share(const adl_parcel *parcel) {
  adl_parcel *other = adl_parcel_new(parcel->number);
  other->late = parcel->late;
  for (guint i = 0; i < parcel->frames->len; i++)
    g_ptr_array_add(other->frames, adl_frame_ref(parcel->frames->pdata[i]));
  return other;
}

void adl_parcel_free(adl_parcel *parcel) {
  if (parcel == NULL) return;
  g_ptr_array_free(parcel->frames, TRUE);
  g_free(parcel);
}
