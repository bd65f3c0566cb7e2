/* The name somebody may have meant. Used by error messages. */
#ifndef ADLOOM_PLUGINS_COMMON_NEAREST_H
#define ADLOOM_PLUGINS_COMMON_NEAREST_H

#include <stdint.h>

/* Number of the name with the fewest changed, added, dropped or swapped letters (case does not count), if a third of them
 * or fewer; -1: none is near. */
int32_t adl_nearest(const char *name, int32_t count, const char *const *names);

#endif
