/*
 * A decision server, sketched: a host that is not adloom (server_host.h), built on the interface alone. Four threads score
 * the candidates of requests and choose among them while one learns from what came of it; models are published under
 * them, and halfway the plugins are replaced by other builds.
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/sketches/server_host.h"
#include "tests/sketches/sketches.h"

enum { READERS = 4, REQUESTS = 4000, CANDIDATES = 4, QUEUE = 1 << 15, PUBLISH_EVERY = 200 };

typedef struct outcome {
  float features[SERVER_FEATURES];
  double clicked;
} outcome;

typedef struct server {
  pthread_mutex_t mutex; /* of what follows */
  server_model *model;   /* published */
  server_stage *chooser;
  outcome queue[QUEUE];
  int64_t head, tail;
  bool over;
  _Atomic int64_t served, clicks_first, clicks_last;
} server;

static const float probe[SERVER_MAX_ROWS][SERVER_FEATURES] = {{1, 0}, {0, 1}, {0.5F, 0.25F}, {-1, 2}};

/* ---- calls ---- */

static adl_column column_of(adl_element element, adl_shape shape, int64_t width, int64_t rows, const void *data) {
  return (adl_column){.struct_size = sizeof(adl_column),
                      .type = {.element = (uint8_t)element, .shape = (uint8_t)shape, .width = width},
                      .rows = rows,
                      .data = data};
}

static void score(server_answer *answer, const server_model *model, const float *features, int64_t rows) {
  adl_column matrix = column_of(ADL_FLOAT32, ADL_VECTOR, SERVER_FEATURES, rows, features);
  const adl_column *slots[SERVER_SLOTS] = {[SERVER_SLOT_MATRIX] = &matrix};
  adl_batch batch = {.struct_size = sizeof batch, .slot_count = SERVER_SLOTS, .rows = rows, .slots = slots};
  server_begin(answer, model->stage);
  ck_assert_msg(model->stage->class->process(&answer->call, model->stage->self, &model->model, &batch, NULL) == ADL_OK,
                "%s", answer->said);
  server_end(answer);
}

/* The number of the candidate, and its propensity. */
static int64_t choose(server_answer *answer, server_stage *chooser, int64_t request, const float *scores,
                      double *propensity) {
  int64_t keys[CANDIDATES] = {request, request, request, request};
  const int32_t groups[2] = {0, CANDIDATES};
  adl_column key = column_of(ADL_INT64, ADL_SCALAR, 0, CANDIDATES, keys);
  adl_column scored = column_of(ADL_FLOAT32, ADL_SCALAR, 0, CANDIDATES, scores);
  const adl_column *slots[SERVER_SLOTS] = {[SERVER_SLOT_REQUEST] = &key, [SERVER_SLOT_SCORE] = &scored};
  adl_batch batch = {.struct_size = sizeof batch,
                     .slot_count = SERVER_SLOTS,
                     .rows = CANDIDATES,
                     .ordinal = request * CANDIDATES,
                     .slots = slots,
                     .groups = groups,
                     .group_count = 1};
  server_begin(answer, chooser);
  ck_assert_msg(chooser->class->process(&answer->call, chooser->self, NULL, &batch, NULL) == ADL_OK, "%s",
                answer->said);
  server_end(answer);
  ck_assert_int_eq(answer->picked_count, 1);
  *propensity = answer->values[0][0];
  return answer->picked[0];
}

static void learn(server_answer *answer, server_model *model, const outcome *what) {
  adl_column matrix = column_of(ADL_FLOAT32, ADL_VECTOR, SERVER_FEATURES, 1, what->features);
  adl_column label = column_of(ADL_FLOAT64, ADL_SCALAR, 0, 1, &what->clicked);
  const adl_column *slots[SERVER_SLOTS] = {[SERVER_SLOT_MATRIX] = &matrix, [SERVER_SLOT_LABEL] = &label};
  adl_batch batch = {.struct_size = sizeof batch, .slot_count = SERVER_SLOTS, .rows = 1, .slots = slots};
  server_begin(answer, model->stage);
  ck_assert_msg(model->stage->class->learn(&answer->call, model->stage->self, &model->model, &batch, NULL) == ADL_OK,
                "%s", answer->said);
  server_end(answer);
}

/* ---- publishing ---- */

static void publish(server *s, const server_model *learned, server_stage *stage, int64_t version) {
  server_answer *answer = g_new0(server_answer, 1);
  server_model *copy = server_model_copy(learned, stage);
  copy->version = version;
  score(answer, copy, probe[0], SERVER_MAX_ROWS);
  memcpy(copy->probe, answer->values[0], sizeof copy->probe);
  pthread_mutex_lock(&s->mutex);
  server_model *before = s->model;
  s->model = copy;
  pthread_mutex_unlock(&s->mutex);
  if (before != NULL) server_model_release(before);
  g_free(answer);
}

static void take(server *s, server_model **model, server_stage **chooser) {
  pthread_mutex_lock(&s->mutex);
  *model = s->model;
  *chooser = s->chooser;
  atomic_fetch_add(&(*model)->references, 1);
  atomic_fetch_add(&(*chooser)->references, 1);
  pthread_mutex_unlock(&s->mutex);
}

/* ---- threads ---- */

static double chance_of(const float *features) { return 1 / (1 + exp(3 - 5 * (double)features[0])); }

static void report(server *s, const float *features, bool clicked) {
  pthread_mutex_lock(&s->mutex);
  outcome *to = &s->queue[s->tail++ % QUEUE];
  memcpy(to->features, features, sizeof to->features);
  to->clicked = clicked;
  pthread_mutex_unlock(&s->mutex);
}

typedef struct reader {
  server *server;
  int64_t number, versions, last_version;
} reader;

static void serve(reader *r, server_answer *answer, int64_t request) {
  server *s = r->server;
  server_model *model;
  server_stage *chooser;
  float features[CANDIDATES][SERVER_FEATURES], scores[CANDIDATES];
  double propensity;
  take(s, &model, &chooser);
  for (int c = 0; c < CANDIDATES; c++)
    for (int f = 0; f < SERVER_FEATURES; f++)
      features[c][f] = (float)adl_random_unit((uint64_t)request, (uint64_t)(c * SERVER_FEATURES + f));
  /* Whatever happens beside it, a model that was taken says what it said when it was published. */
  score(answer, model, probe[0], SERVER_MAX_ROWS);
  ck_assert_msg(memcmp(answer->values[0], model->probe, sizeof model->probe) == 0, "version %lld has changed",
                (long long)model->version);
  ck_assert_int_ge(model->version, r->last_version);
  r->versions += model->version != r->last_version;
  r->last_version = model->version;
  score(answer, model, features[0], CANDIDATES);
  memcpy(scores, answer->values[0], sizeof scores);
  int64_t chosen = choose(answer, chooser, request, scores, &propensity);
  int64_t best = 0; /* the first of the best */
  for (int64_t c = 1; c < CANDIDATES; c++)
    if (scores[c] > scores[best]) best = c;
  ck_assert(chosen >= 0 && chosen < CANDIDATES);
  ck_assert(fabs(propensity - (chosen == best ? 0.925 : 0.025)) < 1e-12);
  bool clicked = adl_random_unit(99, (uint64_t)request) < chance_of(features[chosen]);
  int64_t place = atomic_fetch_add(&s->served, 1);
  if (clicked) atomic_fetch_add(place < READERS * REQUESTS / 8 ? &s->clicks_first : &s->clicks_last, 1);
  report(s, features[chosen], clicked);
  server_model_release(model);
  server_close(chooser);
}

static void *read_on(void *data) {
  reader *r = data;
  server_answer *answer = g_new0(server_answer, 1);
  for (int64_t i = 0; i < REQUESTS; i++) serve(r, answer, r->number + i * READERS);
  g_free(answer);
  return NULL;
}

typedef struct learner {
  server *server;
  server_stage *stage, *next_stage, *next_chooser;
  int64_t learned, versions;
} learner;

/* Another build of both plugins, under the traffic. */
static void swap_plugins(learner *l, server_model **own) {
  server *s = l->server;
  server_model *moved = server_model_copy(*own, l->next_stage);
  server_model_release(*own);
  server_close(l->stage);
  *own = moved;
  l->stage = l->next_stage;
  l->next_stage = NULL;
  pthread_mutex_lock(&s->mutex);
  server_stage *before = s->chooser;
  s->chooser = l->next_chooser;
  pthread_mutex_unlock(&s->mutex);
  server_close(before);
}

static void *learn_on(void *data) {
  learner *l = data;
  server *s = l->server;
  server_answer *answer = g_new0(server_answer, 1);
  server_model *own = server_model_new(l->stage);
  for (bool over = false; !over;) {
    outcome what = {{0}, 0};
    pthread_mutex_lock(&s->mutex);
    bool any = s->head < s->tail;
    if (any) what = s->queue[s->head++ % QUEUE];
    over = !any && s->over;
    pthread_mutex_unlock(&s->mutex);
    if (!any) {
      g_usleep(50);
      continue;
    }
    learn(answer, own, &what);
    if (++l->learned % PUBLISH_EVERY == 0) publish(s, own, l->stage, ++l->versions);
    if (l->learned == READERS * REQUESTS / 2) swap_plugins(l, &own);
  }
  server_model_release(own);
  server_close(l->stage);
  g_free(answer);
  return NULL;
}

/* ---- the test ---- */

static char *plugin_path(const char *name) {
  char *file = g_strconcat(name, ".so", NULL), *folder = sketches_folder();
  char *path = g_build_filename(folder, file, NULL);
  g_free(file);
  g_free(folder);
  return path;
}

static server_stage *open_copy(const char *name, const char *folder) {
  char *path = plugin_path(name), *copy = g_build_filename(folder, name, NULL), *content;
  gsize size;
  ck_assert(g_file_get_contents(path, &content, &size, NULL));
  ck_assert(g_file_set_contents(copy, content, (gssize)size, NULL));
  server_stage *stage = server_open(copy);
  unlink(copy);
  g_free(content);
  g_free(copy);
  g_free(path);
  return stage;
}

static server_stage *open_built(const char *name) {
  char *path = plugin_path(name);
  server_stage *stage = server_open(path);
  g_free(path);
  return stage;
}

START_TEST(decisions_while_learning) {
  server *s = g_new0(server, 1);
  char *folder = g_dir_make_tmp("adloom-XXXXXX", NULL);
  pthread_mutex_init(&s->mutex, NULL);
  learner l = {.server = s,
               .stage = open_built("online"),
               .next_stage = open_copy("online", folder),
               .next_chooser = open_copy("bandit", folder)};
  ck_assert_ptr_ne(l.stage->class, l.next_stage->class);
  s->chooser = open_built("bandit");
  server_model *first = server_model_new(l.stage);
  publish(s, first, l.stage, 0);
  server_model_release(first);
  pthread_t threads[READERS], learning;
  reader readers[READERS];
  pthread_create(&learning, NULL, learn_on, &l);
  for (int i = 0; i < READERS; i++) {
    readers[i] = (reader){.server = s, .number = i};
    pthread_create(&threads[i], NULL, read_on, &readers[i]);
  }
  int64_t seen = 0;
  for (int i = 0; i < READERS; i++) {
    pthread_join(threads[i], NULL);
    seen += readers[i].versions;
  }
  pthread_mutex_lock(&s->mutex);
  s->over = true;
  pthread_mutex_unlock(&s->mutex);
  pthread_join(learning, NULL);
  ck_assert_int_eq(l.learned, READERS * REQUESTS);
  ck_assert_int_eq(l.versions, READERS * REQUESTS / PUBLISH_EVERY);
  ck_assert_msg(seen > READERS, "models were published, but nobody saw them");
  /* Any candidate: .46 of all; the best, with a tenth of exploration: .74. */
  double rate = (double)s->clicks_last / (READERS * REQUESTS * 7 / 8);
  ck_assert_msg(rate > 0.6, "click rate at first %g, later %g", (double)s->clicks_first / (READERS * REQUESTS / 8),
                rate);
  server_model_release(s->model);
  server_close(s->chooser);
  ck_assert_int_eq(atomic_load(&server_alive), 0);
  pthread_mutex_destroy(&s->mutex);
  rmdir(folder);
  g_free(folder);
  g_free(s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("server");
  TCase *tests = tcase_create("threads");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, decisions_while_learning);
  suite_add_tcase(suite, tests);
  return sketches_run(suite);
}
