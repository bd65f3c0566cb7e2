/* Evidence for tags: see evidence.h. */
#include "common/evidence.h"

#include <string.h>

enum { PAIR_CELLS = sizeof(adl_evidence_pair) / sizeof(double) };

adl_evidence adl_evidence_open(const adl_call *call, adl_tensors *tensors) {
  const int64_t one = 1;
  const adl_host *host = call->host;
  return (adl_evidence){.users = host->table(call, tensors, "users", 1),
                        .pairs = host->table(call, tensors, "pairs", PAIR_CELLS),
                        .newest = host->tensor(call, tensors, "newest", ADL_INT64, 1, &one),
                        .rows = host->tensor(call, tensors, "rows", ADL_INT64, 1, &one)};
}

void adl_evidence_see(adl_evidence *to, int64_t time, int64_t rows) {
  if (*to->rows == 0 || time > *to->newest) *to->newest = time;
  *to->rows += rows;
}

int64_t adl_evidence_user(const adl_host *host, adl_evidence *to, const char *key, int64_t size, double first) {
  int64_t user = host->table_insert(to->users, key, size);
  double *before = host->table_row(to->users, user);
  if (*before == 0 || first < *before) *before = first;
  return user;
}

void adl_evidence_add(const adl_host *host, adl_evidence *to, adl_key *key, int64_t user, adl_text tag,
                      const adl_evidence_pair *more) {
  adl_evidence_pair all;
  key->size = 0;
  adl_key_add_integer(key, user);
  adl_key_add_text(key, tag, true);
  double *cells = host->table_row(to->pairs, host->table_insert(to->pairs, key->data, key->size));
  memcpy(&all, cells, sizeof all);
  adl_decayed_add(&all.weight, &more->weight);
  all.events += more->events;
  memcpy(cells, &all, sizeof all);
}

int64_t adl_evidence_of(adl_text key, adl_text *tag) {
  adl_key_reader reader = {(const uint8_t *)key.data, (const uint8_t *)key.data + key.size};
  adl_key_value value;
  adl_key_next(&reader, ADL_INT64, false, NULL, &value);
  *tag = (adl_text){(const char *)reader.at, (int32_t)(reader.end - reader.at)};
  return value.integer;
}

void adl_evidence_merge(const adl_call *call, adl_tensors *into, adl_tensors *from) {
  const adl_host *host = call->host;
  adl_evidence to = adl_evidence_open(call, into), more = adl_evidence_open(call, from);
  int64_t users = host->table_count(more.users), pairs = host->table_count(more.pairs);
  int64_t *map = host->alloc(call, ((size_t)users + 1) * sizeof *map);
  adl_key key;
  adl_key_begin(&key, call);
  if (*more.rows > 0) adl_evidence_see(&to, *more.newest, *more.rows);
  for (int64_t i = 0; i < users; i++) {
    adl_text user = host->table_key(more.users, i);
    map[i] = adl_evidence_user(host, &to, user.data, user.size, *host->table_row(more.users, i));
  }
  for (int64_t i = 0; i < pairs; i++) {
    adl_text tag;
    adl_evidence_pair one;
    memcpy(&one, host->table_row(more.pairs, i), sizeof one);
    int64_t user = adl_evidence_of(host->table_key(more.pairs, i), &tag);
    adl_evidence_add(host, &to, &key, map[user], tag, &one);
  }
}
