/* A host that is not adloom: what a decision server needs of it, written against <adloom/plugin.h> alone. It serves classes
 * that score rows of a vector (one MATRIX parameter), learn from a label (one learn-only COLUMN), or choose within groups
 * of rows (a GROUP_KEY and one more COLUMN), and knows no class by name.
 *
 * A stage is immutable once it is open. Models are published: a learner copies its own, readers hold what they have taken
 * until they let it go, and whoever holds the last reference to a model or a stage frees it. */
#ifndef ADLOOM_TESTS_SKETCHES_SERVER_HOST_H
#define ADLOOM_TESTS_SKETCHES_SERVER_HOST_H

#include <adloom/plugin.h>
#include <stdatomic.h>

enum { SERVER_FEATURES = 2, SERVER_OUTPUTS = 4, SERVER_MAX_ROWS = 64 };

/* Slots of every batch of this server. */
enum { SERVER_SLOT_MATRIX, SERVER_SLOT_LABEL, SERVER_SLOT_REQUEST, SERVER_SLOT_SCORE, SERVER_SLOTS };

/* One instance of a class of one build of a plugin. */
typedef struct server_stage {
  const adl_class *class;
  void *self;
  int32_t outputs;
  _Atomic int32_t references;
} server_stage;

typedef struct server_model {
  server_stage *stage;
  adl_model model;
  int64_t version;
  float probe[SERVER_MAX_ROWS]; /* what it says of the rows of server_probe */
  _Atomic int32_t references;
} server_model;

/* What one call gave, and the memory behind it: one for each thread. */
typedef struct server_answer {
  adl_call call;
  server_stage *stage;
  adl_tensors *scratch;
  char said[256]; /* by host->fail */
  double values[SERVER_OUTPUTS][SERVER_MAX_ROWS];
  int64_t picked[SERVER_MAX_ROWS], picked_count;
} server_answer;

const adl_host *server_host(void);
server_stage *server_open(const char *path); /* the plugin's first class; aborts where it cannot be had */
void server_close(server_stage *stage);      /* one reference less */

server_model *server_model_new(server_stage *stage);                       /* as init makes it, not prepared */
server_model *server_model_copy(const server_model *of, server_stage *to); /* prepared, for `to` */
void server_model_release(server_model *model);
extern _Atomic int64_t server_alive; /* stages and models that are not freed */

void server_begin(server_answer *answer, server_stage *stage);
void server_end(server_answer *answer);

#endif
