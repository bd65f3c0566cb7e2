/* Checks of models: what was saved does when it is loaded what it did before; what is no model of this class is refused; rows
 * that are held out leave no trace. */
#include <limits.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base/guard.h"
#include "core/conform/internal.h"
#include "core/model/safetensors.h"

enum { ROWS = 120, HELD_OUT = 30 };

/* A run that has saved a model; NULL: there is none to be had, and the verdict is set. */
static adl_result *with_model(adl_exam *exam, adl_draft *draft, char **path) {
  *path = NULL;
  if (!adl_class_saves(draft->class)) {
    adl_exam_skip(exam, "it has no model that is saved");
    return NULL;
  }
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT};
  adl_result *result = adl_exam_trial_success(exam, &trial, "a run that learns");
  if (result == NULL) return NULL;
  *path = adl_result_model_path(result);
  if (*path != NULL) return result;
  adl_exam_skip(exam, "the run saved no model");
  adl_result_free(result);
  return NULL;
}

/* ---- loading ---- */

typedef struct saving {
  adl_draft *draft;
  char *directory; /* shared memory */
} saving;

static void learn_and_save(adl_exam *exam, void *data) {
  saving *s = data;
  char *path;
  adl_result *result = with_model(exam, s->draft, &path);
  if (result != NULL) g_strlcpy(s->directory, result->stand->run_directory, PATH_MAX);
}

/* The run directory of a run in another process: what that one kept beside the model is not in this one. NULL: none. */
static char *save_apart(adl_exam *exam, adl_draft *draft) {
  saving s = {.draft = draft};
  s.directory = mmap(NULL, PATH_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (s.directory == MAP_FAILED) g_error("out of memory");
  adl_child_apart(exam, learn_and_save, &s);
  char *directory = s.directory[0] != '\0' ? g_strdup(s.directory) : NULL;
  munmap(s.directory, PATH_MAX);
  return directory;
}

static void check_reload(adl_exam *exam) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  char *path = NULL, *saved = save_apart(exam, draft);
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = HELD_OUT, .models = saved, .threads = 3};
  adl_result *loaded = saved != NULL ? adl_exam_trial_success(exam, &trial, "a run with the saved model") : NULL;
  adl_result *learned = loaded != NULL ? with_model(exam, draft, &path) : NULL;
  if (loaded != NULL && learned->rows >= HELD_OUT && loaded->rows >= HELD_OUT) {
    char *different = adl_compare_rows(learned, learned->rows - HELD_OUT, loaded, loaded->rows - HELD_OUT,
                                       draft->class->form == ADL_SAME ? HELD_OUT : 0, 0);
    if (different != NULL) adl_exam_fail(exam, "with the model as it was learned and as it was loaded: %s", different);
    g_free(different);
  }
  g_free(path);
  g_free(saved);
  adl_result_free(loaded);
  adl_result_free(learned);
  adl_draft_free(draft);
}

/* ---- files that are no model ---- */

/* A run with whatever stands in `models` of this folder now. */
static adl_result *run_with(const adl_exam *exam, const adl_draft *draft, const char *models) {
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = 3, .models = models, .threads = 1};
  return adl_exam_trial_run(exam, &trial);
}

static void must_be_refused(adl_exam *exam, const adl_draft *draft, const char *models, const char *what) {
  adl_result *result = run_with(exam, draft, models);
  if (result->ok)
    adl_exam_fail(exam, "a model file that is %s was taken", what);
  else
    adl_result_judge(exam, result, what);
  adl_result_free(result);
}

static void check_spoilt(adl_exam *exam) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  char *path, *bytes = NULL;
  gsize size = 0;
  adl_result *learned = with_model(exam, draft, &path);
  if (learned != NULL && g_file_get_contents(path, &bytes, &size, NULL)) {
    const char *models = learned->stand->run_directory;
    adl_model_meta *meta = NULL;
    adl_tensors *tensors = adl_model_read(path, &meta, NULL);
    if (tensors != NULL) {
      meta->state_version++;
      adl_model_write(path, tensors, meta, NULL);
      must_be_refused(exam, draft, models, "of a later state_version");
      adl_tensors_free(tensors);
      adl_model_meta_free(meta);
    }
    g_file_set_contents(path, bytes, 0, NULL);
    must_be_refused(exam, draft, models, "empty");
    g_file_set_contents(path, bytes, (gssize)(size / 2), NULL);
    must_be_refused(exam, draft, models, "cut off");
    bytes[4] ^= 0x55;
    g_file_set_contents(path, bytes, (gssize)size, NULL);
    must_be_refused(exam, draft, models, "damaged in its header");
  }
  g_free(bytes);
  g_free(path);
  adl_result_free(learned);
  adl_draft_free(draft);
}

/* ---- models that are sound files, and nonsense ---- */

typedef enum spoil { SPOIL_DROP, SPOIL_SHRINK, SPOIL_EMPTY, SPOIL_LARGE_NUMBERS, SPOILS } spoil;

/* A copy of the model in which one tensor is not what it was. False: there is no such tensor. */
static bool spoil_tensor(adl_tensors *tensors, int32_t number, spoil how) {
  const char *name;
  adl_tensor tensor;
  const char *why = NULL;
  if (!adl_tensors_at(tensors, number, &name, &tensor)) return false;
  char *copy = g_strdup(name);
  int64_t size[ADL_MAX_DIMENSIONS];
  memcpy(size, tensor.size, sizeof size);
  if (how == SPOIL_DROP) adl_tensors_drop(tensors, copy);
  if (how == SPOIL_SHRINK) size[0] = MAX(size[0] - 1, 0);
  if (how == SPOIL_EMPTY) size[0] = 0;
  void *data = how == SPOIL_DROP
                   ? NULL
                   : adl_tensors_get(tensors, copy, (adl_element)tensor.element, tensor.dimensions, size, &why);
  if (how == SPOIL_LARGE_NUMBERS && data != NULL)
    memset(data, tensor.element == ADL_BOOL ? 1 : 0x7f,
           (size_t)(tensor.count * adl_tensor_element_size((adl_element)tensor.element)));
  g_free(copy);
  return true;
}

static void check_nonsense(adl_exam *exam) {
  static const char *const names[] = {"without its tensor number %d", "with its tensor number %d cut by one",
                                      "with its tensor number %d empty", "with absurd values in its tensor number %d"};
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  char *path;
  adl_result *learned = with_model(exam, draft, &path);
  adl_model_meta *meta = NULL;
  adl_tensors *model = learned != NULL ? adl_model_read(path, &meta, NULL) : NULL;
  adl_guard_up();
  for (int32_t number = 0; model != NULL && number < 16 && !adl_exam_failed(exam); number++)
    for (int how = 0; how < SPOILS && !adl_exam_failed(exam); how++) {
      adl_tensors *copy = adl_tensors_copy(model);
      if (spoil_tensor(copy, number, (spoil)how) && adl_model_write(path, copy, meta, NULL)) {
        char **around = g_strsplit(names[how], "%d", 2),
             *what = g_strdup_printf("%s%d%s", around[0], number, around[1]);
        adl_result *result = run_with(exam, draft, learned->stand->run_directory);
        adl_result_judge(exam, result, what);
        adl_result_free(result);
        g_strfreev(around);
        g_free(what);
      }
      adl_tensors_free(copy);
    }
  adl_tensors_free(model);
  if (meta != NULL) adl_model_meta_free(meta);
  g_free(path);
  adl_result_free(learned);
  adl_draft_free(draft);
}

/* ---- held-out rows ---- */

static void check_held_out(adl_exam *exam) {
  adl_draft *draft = adl_draft_new(exam, exam->draft);
  const adl_class *class = draft->class;
  bool learns = class->fit != NULL || class->learn != NULL;
  if (!learns || !adl_class_saves(class)) {
    adl_exam_skip(exam, "it learns nothing that is kept");
    adl_draft_free(draft);
    return;
  }
  adl_exam_trial trial = {.draft = draft, .rows = ROWS, .held_out = 2 * HELD_OUT, .threads = 1};
  adl_result *one = adl_exam_trial_success(exam, &trial, "a run"), *other = NULL;
  trial.poison = true;
  if (one != NULL) other = adl_exam_trial_success(exam, &trial, "a run with other held-out rows");
  char *different = other != NULL ? adl_compare_models(adl_result_model(one), adl_result_model(other), 0) : NULL;
  if (different == NULL && other != NULL && class->form == ADL_SAME)
    different = adl_compare_rows(one, 0, other, 0, MIN(ROWS, MIN(one->rows, other->rows)), 0);
  if (different != NULL)
    adl_exam_fail(
        exam, "other values in the held-out rows change what is learned: %s%s", different,
        (class->flags & ADL_ALL_ROWS) != 0 ? "; ADL_ALL_ROWS is for classes that keep nothing of what they learn" : "");
  g_free(different);
  adl_result_free(other);
  adl_result_free(one);
  adl_draft_free(draft);
}

const adl_check adl_checks_of_models[] = {
    {"reload", "A model that was saved and loaded does what it did before.", ADL_OF_STAGE, false, check_reload},
    {"spoilt", "Model files that are empty, cut off, damaged or of a later version are refused.", ADL_OF_STAGE, false,
     check_spoilt},
    {"nonsense", "A model with missing, short or absurd tensors does it no harm.", ADL_OF_STAGE, false, check_nonsense},
    {"held-out", "Held-out rows leave no trace in what it learns.", ADL_OF_STAGE, false, check_held_out},
    {NULL, NULL, ADL_OF_STAGE, false, NULL},
};
