/* Keys of a table in the order of their bytes, and pairs of words in the order of the first. By counting digits instead of
 * comparing: a million keys are sorted in tens of milliseconds. Used by group
 * and history. */
#ifndef ADLOOM_COMMON_KEY_ORDER_H
#define ADLOOM_COMMON_KEY_ORDER_H

#include <adloom/plugin.h>

typedef struct adl_radix_pair {
  uint64_t key, value;
} adl_radix_pair;

/* By key; pairs of one key stay in the order in which they are. `room`: for as many pairs. `call`
 * (or NULL) is asked host->cancelled on the way: the host may put pages of what is sorted out of memory then. */
void adl_radix_sort(const adl_call *call, adl_radix_pair *pairs, adl_radix_pair *room, int64_t count);

/* Row numbers of the table's `count` keys, by adl_key_compare, in scratch memory. */
int64_t *adl_keys_order(const adl_call *call, const adl_table *table, int64_t count);

#endif
