#include "core/engine/isolate_channel.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SLEEP_NS = 50000000 };

adl_channel *adl_channel_new(void) {
  void *memory = mmap(NULL, sizeof(adl_channel), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory; /* zeros: an empty channel */
}

void adl_channel_free(adl_channel *channel) {
  if (channel != NULL) munmap(channel, sizeof *channel);
}

void adl_channel_reset(adl_channel *channel) {
  adl_ring *rings[] = {&channel->to_child, &channel->to_parent};
  for (int i = 0; i < 2; i++) {
    atomic_store(&rings[i]->written, 0);
    atomic_store(&rings[i]->read, 0);
  }
  atomic_store(&channel->dead, false);
  atomic_store(&channel->progress_on, false);
}

/* ---- bells ---- */

void adl_bell_ring(adl_bell *bell) {
  atomic_fetch_add(&bell->rings, 1);
  if (atomic_load(&bell->sleepers) != 0) syscall(SYS_futex, &bell->rings, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

void adl_bell_wait(adl_bell *bell, uint32_t seen) {
  struct timespec most = {.tv_nsec = SLEEP_NS};
  atomic_fetch_add(&bell->sleepers, 1);
  syscall(SYS_futex, &bell->rings, FUTEX_WAIT, seen, &most, NULL, 0);
  atomic_fetch_sub(&bell->sleepers, 1);
}

/* ---- bytes ---- */

/* How many bytes can be read (`reading`) or written now. */
static uint64_t ready(const adl_ring *ring, bool reading) {
  uint64_t there = atomic_load(&ring->written) - atomic_load(&ring->read);
  return reading ? there : ADL_RING_BYTES - there;
}

/* 0: given up. Whoever waits sleeps at once: where other work wants the processors, looking costs more than waking. */
static uint64_t wait_ready(const adl_ring *ring, bool reading, adl_bell *own, adl_wait wait) {
  for (;;) {
    uint32_t seen = atomic_load(&own->rings);
    uint64_t count = ready(ring, reading);
    if (count > 0) return count;
    if (!wait.go_on(wait.data)) return 0;
    adl_bell_wait(own, seen);
  }
}

static bool put(adl_ring *ring, adl_bell *own, adl_bell *other, const uint8_t *from, int64_t size, adl_wait wait) {
  while (size > 0) {
    if (ready(ring, false) == 0) adl_bell_ring(other); /* there is much to read before the end */
    uint64_t count = wait_ready(ring, false, own, wait), at = atomic_load(&ring->written);
    if (count == 0) return false;
    count = MIN(MIN(count, (uint64_t)size), ADL_RING_BYTES - at % ADL_RING_BYTES);
    memcpy(ring->data + at % ADL_RING_BYTES, from, count);
    atomic_store(&ring->written, at + count);
    from += count;
    size -= (int64_t)count;
  }
  return true;
}

static bool get(adl_ring *ring, adl_bell *own, adl_bell *other, uint8_t *to, int64_t size, adl_wait wait) {
  while (size > 0) {
    uint64_t count = wait_ready(ring, true, own, wait), at = atomic_load(&ring->read);
    if (count == 0) return false;
    count = MIN(MIN(count, (uint64_t)size), ADL_RING_BYTES - at % ADL_RING_BYTES);
    memcpy(to, ring->data + at % ADL_RING_BYTES, count);
    atomic_store(&ring->read, at + count);
    /* The other side sleeps only where it found the ring full. */
    if (atomic_load(&ring->written) - at == ADL_RING_BYTES) adl_bell_ring(other);
    to += count;
    size -= (int64_t)count;
  }
  return true;
}

/* ---- messages: their length, then they ---- */

bool adl_channel_send(adl_channel *channel, bool child, const adl_pack *message, adl_wait wait) {
  adl_ring *ring = child ? &channel->to_parent : &channel->to_child;
  adl_bell *own = child ? &channel->child_bell : &channel->parent_bell;
  adl_bell *other = child ? &channel->parent_bell : &channel->child_bell;
  bool sent = put(ring, own, other, (const uint8_t *)&message->size, sizeof message->size, wait) &&
              put(ring, own, other, message->data, message->size, wait);
  adl_bell_ring(other);
  return sent;
}

bool adl_channel_receive(adl_channel *channel, bool child, adl_pack *message, adl_wait wait) {
  adl_ring *ring = child ? &channel->to_child : &channel->to_parent;
  adl_bell *own = child ? &channel->child_bell : &channel->parent_bell;
  adl_bell *other = child ? &channel->parent_bell : &channel->child_bell;
  int64_t size = 0;
  message->size = 0;
  if (!get(ring, own, other, (uint8_t *)&size, sizeof size, wait) || size < 0) return false;
  if (message->capacity < size) {
    uint8_t *data = g_try_realloc(message->data, (gsize)size);
    if (data == NULL) return false;
    message->data = data;
    message->capacity = size;
  }
  message->size = size;
  return get(ring, own, other, message->data, size, wait);
}
