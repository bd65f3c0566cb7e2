/* Putting parcels back into row order: workers offer them as they come; they are let through one at a time, each when the
 * one before it is done. Whoever offers the missing one also runs those that waited for it. */
#include "core/engine/internal.h"

void adl_turn_init(adl_turn *turn, int64_t first, int64_t stride) {
  pthread_mutex_init(&turn->mutex, NULL);
  turn->next = first;
  turn->next_part = 0;
  turn->stride = stride;
  turn->active = false;
  g_queue_init(&turn->waiting);
}

adl_turn_item *adl_turn_item_new(adl_node_run *node, adl_parcel *parcel, adl_ticket *ticket) {
  adl_turn_item *item = g_new0(adl_turn_item, 1);
  *item = (adl_turn_item){.number = parcel->late ? -1 : parcel->number,
                          .part = parcel->part,
                          .more = parcel->more,
                          .node = node,
                          .parcel = parcel,
                          .ticket = ticket};
  return item;
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
  const adl_turn_item *x = a, *y = b;
  if (x->number != y->number) return x->number < y->number ? -1 : 1;
  return x->part < y->part ? -1 : x->part > y->part;
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
    if (first == NULL || first->number != turn->next || first->part != turn->next_part) break;
    bool more = first->more;
    g_queue_pop_head(&turn->waiting);
    pthread_mutex_unlock(&turn->mutex);
    run(first, data);
    pthread_mutex_lock(&turn->mutex);
    turn->next_part = more ? turn->next_part + 1 : 0;
    if (!more) turn->next += turn->stride;
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

adl_parcel *adl_parcel_like(const adl_parcel *parcel) {
  adl_parcel *other = adl_parcel_new(parcel->number);
  other->part = parcel->part;
  other->more = parcel->more;
  other->first = parcel->first;
  other->late = parcel->late;
  return other;
}

adl_parcel *adl_parcel_share(const adl_parcel *parcel) {
  adl_parcel *other = adl_parcel_like(parcel);
  for (guint i = 0; i < parcel->frames->len; i++)
    g_ptr_array_add(other->frames, adl_frame_ref(parcel->frames->pdata[i]));
  return other;
}

void adl_parcel_free(adl_parcel *parcel) {
  if (parcel == NULL) return;
  g_ptr_array_free(parcel->frames, TRUE);
  g_free(parcel);
}
