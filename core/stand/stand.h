/*
 * A stand: runs a pipeline on the real engine inside this process, in a folder of its own, and collects what leaves one of
 * its stages. Used by the harness and by `adloom plugin check`.
 *
 *   adl_stand *stand = adl_stand_new();
 *   adl_stand_run(stand, "adloom: 1\nname: test\nstages:\n  ...", "stage");
 *   if (adl_stand_ok(stand)) ... adl_stand_column(stand, "cluster") ...
 *   adl_stand_free(stand);
 *
 * Rows that stand in memory (rows.h) can be read by the pipeline. One thread at a time.
 */
#ifndef ADLOOM_CORE_STAND_STAND_H
#define ADLOOM_CORE_STAND_STAND_H

#include "core/data/frame.h"
#include "core/data/tensors.h"
#include "core/engine/engine.h"

typedef struct adl_stand {
  /* Set before a run; they stay for later ones. */
  int32_t threads;            /* 2 */
  int64_t memory, limit;      /* plenty; all rows */
  bool store;                 /* with a model store in the folder; else none */
  char *models;               /* --models: directory of a run; NULL: none. Freed with the stand */
  FILE *progress_file;        /* stderr */
  const char *const *plugins; /* files that the pipeline may use, NULL-terminated, absolute; NULL: none */
  GString *(*report)(void *data, const adl_engine *engine, adl_outcome outcome); /* see adl_run_options */

  char *directory; /* the folder, which goes with the stand */

  /* Of the last run. */
  char *run_directory;
  adl_outcome outcome;
  adl_problems *problems;
  GString *errors; /* all problems, as users see them */
  adl_graph *graph;
  adl_engine *engine; /* NULL: the pipeline did not load */
  adl_stage *tapped;

  /* The stand's own. */
  int runs;
  adl_registry *registry;
  struct adl_outputs *outputs;
  adl_run_options options;
  GPtrArray *whole; /* of adl_array *: columns given out */
} adl_stand;

adl_stand *adl_stand_new(void);
void adl_stand_free(adl_stand *stand);

/* Runs a pipeline, whose text it writes into the folder, and collects what leaves the stage `tap` (NULL: nothing; a name
 * that is not there is a programming error). Earlier results go. */
adl_outcome adl_stand_run(adl_stand *stand, const char *pipeline, const char *tap);
/* Loads a pipeline and runs nothing: true if there is no error. Earlier results go. */
bool adl_stand_load(adl_stand *stand, const char *pipeline);
/* Writes a file into the folder; its path, to be freed. */
char *adl_stand_file(const adl_stand *stand, const char *name, const char *content, gssize size);

/* ---- afterwards ---- */
bool adl_stand_ok(const adl_stand *stand); /* it ran, with no error */
/* What left the tapped stage. */
int64_t adl_stand_rows_out(const adl_stand *stand);
const GPtrArray *adl_stand_frames(const adl_stand *stand);            /* of adl_frame * */
int32_t adl_stand_find(const adl_stand *stand, const char *column);   /* its number; -1: none */
const adl_column *adl_stand_column(adl_stand *stand, int32_t number); /* all rows as one, the stand's; NULL: no rows */
const adl_tensors *adl_stand_model(const adl_stand *stand, const char *stage); /* NULL: none */
/* Digest of what the run published (models, outputs, metrics, rejects), free it: equal bytes, equal text. */
char *adl_stand_digest(const adl_stand *stand);

#endif
