/* The host table that a plugin sees in a process of its own, and the call behind it: what the plugin does is written into
 * an answer. */
#ifndef ADLOOM_CORE_ENGINE_ISOLATE_HOST_H
#define ADLOOM_CORE_ENGINE_ISOLATE_HOST_H

#include "core/engine/isolate.h"

typedef struct adl_server adl_server;

/* One call of the plugin. */
typedef struct adl_served {
  adl_context context; /* first */
  adl_server *server;
  adl_pack answer;
  adl_batch batch;       /* rows -1: the call has none */
  GPtrArray *arrays;     /* of adl_array *: the columns, NULL where there is none */
  const uint8_t *splits; /* by row; NULL: all for training */
  adl_split split;
  int64_t picked; /* rows; -1: none were picked */
} adl_served;

struct adl_server {
  const adl_serving *serving;
  const adl_class *class;
  adl_problems *problems; /* nobody reads it: failures are told through host->fail */
  adl_host host;
  adl_served outer, inner; /* a call, and those of a fold inside it */
  adl_pack request;
  adl_builder **builders; /* by output slot; of the outer call */
  guint builder_count;
  adl_model model;
  /* the fold that goes on */
  const adl_fold *fold;
  adl_tensors *total;
  GHashTable *partials; /* number -> adl_tensors * */
};

void adl_served_fill(adl_host *host);
/* The columns of a call that are not told yet, `rows` long. */
void adl_served_tell_columns(adl_served *served, int64_t rows);
void adl_served_drop_columns(adl_server *server);
/* host->fold: isolate_serve.c */
adl_status adl_served_fold(const adl_call *call, adl_rows *rows, const adl_fold *fold, adl_tensors *total);

#endif
