/*
 * The context behind an adl_call: which stage is being called, for what, and where its scratch memory and its errors go.
 * The host table is one for the whole program; its functions find everything through call->core. Functions used in
 * bind are filled in by this layer (host.c), those used while rows move by the engine.
 */
#ifndef ADLOOM_CORE_GRAPH_CALL_H
#define ADLOOM_CORE_GRAPH_CALL_H

#include "core/base/arena.h"
#include "core/graph/graph.h"

typedef struct adl_run_call adl_run_call; /* the engine's part */

typedef struct adl_context {
  adl_call call; /* first: call->core points back here */
  adl_stage *stage;
  const char *function; /* "process": for crash reports and messages */
  adl_graph *graph;
  adl_problems *problems;
  adl_arena scratch;
  GPtrArray *scratch_tensors; /* of adl_tensors *; freed with the scratch */
  bool failed;                /* host->fail was called */
  adl_problem *problem;       /* what it reported last; NULL: nothing */
  adl_run_call *run;          /* NULL while binding */
} adl_context;

void adl_context_init(adl_context *context, adl_graph *graph, const adl_host *host, int32_t worker);
void adl_context_clear(adl_context *context);
/* Around each call of a plugin's function: says who is being called, and afterwards frees the scratch. */
static inline const adl_call *adl_context_enter(adl_context *context, adl_stage *stage, const char *function);
void adl_context_leave(adl_context *context);

static inline adl_context *adl_context_of(const adl_call *call) { return (adl_context *)call->core; }

/* What this thread is calling, for the crash report; NULL: nothing. */
extern _Thread_local adl_context *volatile adl_context_current;

static inline const adl_call *adl_context_enter(adl_context *context, adl_stage *stage, const char *function) {
  context->stage = stage;
  context->function = function;
  context->failed = false;
  context->problem = NULL;
  adl_context_current = context;
  return &context->call;
}

/* Checks the status that a plugin's function returned: one that failed without a word gets one. True: OK. */
bool adl_context_check(adl_context *context, adl_status status);

/* The functions of the table that need no running engine: fail, log, alloc, random_key, declaring, widths and names,
 * tensors. */
void adl_host_fill(adl_host *host);
/* host->extension as far as no engine is needed; the engine's asks it for what it has not itself. */
const void *adl_graph_extension(const adl_call *call, const char *id);

#endif
