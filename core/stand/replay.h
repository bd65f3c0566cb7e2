/* Feeds a record of a stage (core/engine/record.h) to a plugin, another build of it as a rule, and compares what it gives
 * with what was recorded, bit for bit. Used by `adloom plugin replay`. */
#ifndef ADLOOM_CORE_STAND_REPLAY_H
#define ADLOOM_CORE_STAND_REPLAY_H

#include <glib.h>

typedef enum adl_replay_outcome {
  ADL_REPLAY_SAME,    /* every answer is the recorded one; where the recorded plugin died, this one did not */
  ADL_REPLAY_DIFFERS, /* or the plugin died */
  ADL_REPLAY_REFUSED  /* the record, or the plugin, cannot be used */
} adl_replay_outcome;

/* `said`: lines for people. The process must have one thread. */
adl_replay_outcome adl_replay(const char *plugin, const char *record, GString *said);

#endif
