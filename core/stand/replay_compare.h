/* Two answers of a plugin side by side, for the replay of a record. */
#ifndef ADLOOM_CORE_STAND_REPLAY_COMPARE_H
#define ADLOOM_CORE_STAND_REPLAY_COMPARE_H

#include "core/engine/isolate.h"

/* True: they say the same, log lines aside. Else the first difference, in words: column, row, both values. */
bool adl_replay_compare(const adl_stage *stage, const adl_pack *recorded, const adl_pack *now, GString *difference);
bool adl_replay_is_fold(const adl_pack *answer);

#endif
