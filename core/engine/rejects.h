/* Rows in quarantine: collected while the run goes on, each once for a stage however many passes met it, written sorted to
 * rejects.jsonl at the end, so that the file does not depend on threads. A row that several stages refuse, in branches beside
 * each other, is there for each, and is one row where rows are counted. */
#ifndef ADLOOM_CORE_ENGINE_REJECTS_H
#define ADLOOM_CORE_ENGINE_REJECTS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct adl_rejects adl_rejects;

typedef struct adl_reject {
  const char *stage;  /* that refused it */
  int32_t shard;      /* number in the run's table: which file */
  int64_t position;   /* line or offset */
  const char *column; /* may be NULL */
  const char *reason;
  bool record; /* it never became a row */
} adl_reject;

adl_rejects *adl_rejects_new(void);
void adl_rejects_free(adl_rejects *rejects);
/* Copies. From any thread. */
void adl_rejects_add(adl_rejects *rejects, const adl_reject *reject);
bool adl_rejects_any(adl_rejects *rejects);
int64_t adl_rejects_rows(adl_rejects *rejects);    /* a row that several stages refused is one */
int64_t adl_rejects_records(adl_rejects *rejects); /* those of them that never became rows */
/* One that lasts by itself; free it with adl_reject_free. */
adl_reject *adl_reject_copy(const adl_reject *reject);
void adl_reject_free(adl_reject *reject);
/* Sorted by shard, position, stage, column. */
void adl_rejects_each(adl_rejects *rejects, void (*visit)(void *data, const adl_reject *reject), void *data);

#endif
