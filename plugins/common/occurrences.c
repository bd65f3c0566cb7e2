/* The terms of a batch; see occurrences.h. */
#include "common/occurrences.h"

void adl_occurrences_init(adl_occurrences *in, const adl_call *call, int64_t rows, int64_t bytes, bool weighted) {
  const adl_host *host = call->host;
  *in = (adl_occurrences){.call = call, .capacity = bytes / 6 + rows + 64};
  adl_terms_init(&in->terms, call, bytes / 32);
  in->start = host->alloc(call, ((size_t)rows + 1) * sizeof *in->start);
  in->start[0] = 0;
  in->number = host->alloc(call, (size_t)in->capacity * sizeof *in->number);
  if (weighted) in->weight = host->alloc(call, (size_t)in->capacity * sizeof *in->weight);
}

static void *longer(const adl_call *call, const void *old, int64_t used, int64_t capacity) {
  void *memory = call->host->alloc(call, (size_t)capacity * 4);
  if (used > 0) memcpy(memory, old, (size_t)used * 4);
  return memory;
}

adl_term *adl_occurrences_keys(adl_occurrences *in, int64_t count) {
  int64_t used = in->start[in->rows];
  if (count > in->key_capacity) {
    in->key_capacity = count + count / 2 + 64;
    in->keys = in->call->host->alloc(in->call, (size_t)in->key_capacity * sizeof *in->keys);
  }
  if (used + count > in->capacity) {
    in->capacity = 2 * in->capacity + count;
    in->number = longer(in->call, in->number, used, in->capacity);
    if (in->weight != NULL) in->weight = longer(in->call, in->weight, used, in->capacity);
  }
  return in->keys;
}

void adl_occurrences_row(adl_occurrences *in, int64_t count) {
  int64_t used = in->start[in->rows];
  adl_terms_insert(&in->terms, in->keys, count, in->number + used);
  in->start[++in->rows] = used + count;
}

/* ---- transposing ---- */

/* The numbers of the terms that have a dimension, dimensions rising: a stable byte-wise radix sort. Returns how many. */
static int64_t sort_terms(const adl_occurrences *in, const uint32_t *dimension, uint64_t **sorted) {
  const adl_host *host = in->call->host;
  size_t bytes = ((size_t)in->terms.count + 1) * sizeof(uint64_t);
  uint64_t *from = host->alloc(in->call, bytes), *to = host->alloc(in->call, bytes), any = 0;
  int64_t count = 0;
  for (int64_t i = 0; i < in->terms.count; i++) {
    if (dimension[i] == ADL_NO_DIMENSION) continue;
    from[count++] = (uint64_t)dimension[i] << 32 | (uint64_t)i;
    any |= dimension[i];
  }
  for (int shift = 32; any != 0; shift += 8, any >>= 8) {
    int64_t start[257] = {0};
    for (int64_t i = 0; i < count; i++) start[(from[i] >> shift & 255) + 1]++;
    for (int digit = 0; digit < 256; digit++) start[digit + 1] += start[digit];
    for (int64_t i = 0; i < count; i++) to[start[from[i] >> shift & 255]++] = from[i];
    uint64_t *swap = from;
    from = to;
    to = swap;
  }
  *sorted = from;
  return count;
}

/* The place of each term's dimension among the postings; behind the last where it has none. Fills dimension and count. */
static uint32_t *find_places(const adl_occurrences *in, const uint32_t *dimension, adl_postings *out) {
  const adl_host *host = in->call->host;
  size_t terms = (size_t)in->terms.count + 1;
  uint64_t *sorted;
  int64_t count = sort_terms(in, dimension, &sorted);
  uint32_t *place = host->alloc(in->call, terms * sizeof *place);
  out->dimension = host->alloc(in->call, terms * sizeof *out->dimension);
  out->count = 0;
  for (int64_t i = 0; i < count; i++) {
    uint32_t at = (uint32_t)(sorted[i] >> 32);
    if (i == 0 || out->dimension[out->count - 1] != at) out->dimension[out->count++] = at;
    place[(uint32_t)sorted[i]] = (uint32_t)out->count - 1;
  }
  for (int64_t i = 0; i < in->terms.count; i++)
    if (dimension[i] == ADL_NO_DIMENSION) place[i] = (uint32_t)out->count;
  return place;
}

/* Room for as many rows as a dimension has occurrences; end is start as yet. */
static void lay_out(const adl_occurrences *in, const uint32_t *place, adl_postings *out) {
  const adl_host *host = in->call->host;
  size_t places = (size_t)out->count + 1, occurrences = (size_t)in->start[in->rows];
  out->start = host->alloc(in->call, places * sizeof *out->start);
  out->end = host->alloc(in->call, places * sizeof *out->end);
  out->row = host->alloc(in->call, (occurrences + 1) * sizeof *out->row);
  out->value = host->alloc(in->call, (occurrences + 1) * sizeof *out->value);
  memset(out->end, 0, places * sizeof *out->end);
  for (size_t i = 0; i < occurrences; i++) out->end[place[in->number[i]]]++;
  int64_t sum = 0;
  for (size_t i = 0; i < places; i++) {
    int64_t size = out->end[i];
    out->start[i] = out->end[i] = sum;
    sum += size;
  }
}

void adl_occurrences_transpose(const adl_occurrences *in, const uint32_t *dimension, adl_postings *out) {
  const uint32_t *place = find_places(in, dimension, out);
  lay_out(in, place, out);
  for (int64_t row = 0; row < in->rows; row++)
    for (int64_t i = in->start[row]; i < in->start[row + 1]; i++) {
      uint32_t to = place[in->number[i]];
      float weight = in->weight != NULL ? in->weight[i] : 1;
      int64_t at = out->end[to];
      if (at > out->start[to] && out->row[at - 1] == (uint32_t)row) {
        out->value[at - 1] += weight;
      } else {
        out->row[at] = (uint32_t)row;
        out->value[at] = weight;
        out->end[to] = at + 1;
      }
    }
}
