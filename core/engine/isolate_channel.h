/* Messages between a run and a process that works for one of its stages: two rings of bytes in memory that both share,
 * with futexes to wait on. A message is of any length; one direction has one at a time. Also where the process says
 * that it is alive, and where its keeper (isolate_process.c) says how it died. */
#ifndef ADLOOM_CORE_ENGINE_ISOLATE_CHANNEL_H
#define ADLOOM_CORE_ENGINE_ISOLATE_CHANNEL_H

#include <stdatomic.h>

#include "core/data/pack.h"

enum { ADL_RING_BYTES = 1 << 21 };

typedef struct adl_ring {
  _Alignas(64) _Atomic uint64_t written;
  _Alignas(64) _Atomic uint64_t read;
  _Alignas(64) uint8_t data[ADL_RING_BYTES];
} adl_ring;

/* What one side sleeps on. */
typedef struct adl_bell {
  _Alignas(64) _Atomic uint32_t rings;
  _Atomic uint32_t sleepers;
} adl_bell;

typedef enum adl_wish { ADL_WISH_NONE, ADL_WISH_AGAIN, ADL_WISH_END } adl_wish;

typedef struct adl_channel {
  adl_ring to_child, to_parent;
  adl_bell child_bell, parent_bell, keeper_bell;
  _Atomic int32_t child; /* its process number */
  _Atomic bool dead;
  _Atomic int32_t status;   /* of waitpid, once it is dead */
  _Atomic uint32_t wish;    /* what the run wants of the keeper */
  _Atomic bool cancelled;   /* host->cancelled */
  _Atomic uint64_t beats;   /* rises while the plugin tells of itself: progress, parallel, cancelled */
  _Atomic bool progress_on; /* the next three are being told; all are for people only */
  char what[64];
  _Atomic double done, total;
} adl_channel;

adl_channel *adl_channel_new(void); /* NULL: no memory that can be shared, errno */
void adl_channel_free(adl_channel *channel);
/* Forgets what is on its way: before another process takes over. */
void adl_channel_reset(adl_channel *channel);

/* What is done while a side waits: called some twenty times a second; false: waiting is over, the message is lost. */
typedef struct adl_wait {
  bool (*go_on)(void *data);
  void *data;
} adl_wait;

/* False: given up. `child`: the side of the process. */
bool adl_channel_send(adl_channel *channel, bool child, const adl_pack *message, adl_wait wait);
/* The message replaces what is in `message`. */
bool adl_channel_receive(adl_channel *channel, bool child, adl_pack *message, adl_wait wait);

void adl_bell_ring(adl_bell *bell);
/* Sleeps until it rings after `seen`, or 50 ms. */
void adl_bell_wait(adl_bell *bell, uint32_t seen);

#endif
