/* PATH_IN: the files that a path or a pattern means, relative to the pipeline file, checked before anything starts. */
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/config/params_internal.h"

enum { MAX_NEIGHBOURS = 1000 }; /* files of a directory that are looked at for "did you mean" */

/* One path being looked for. */
typedef struct search {
  adl_filler *filler;
  const adl_arg *arg;
  const adl_node *node;
  const char *path; /* of the parameter */
} search;

static char *absolute(const char *directory, const char *text) {
  if (g_path_is_absolute(text)) return g_strdup(text);
  char *base = g_canonicalize_filename(directory != NULL ? directory : ".", NULL);
  char *made = g_build_filename(base, text, NULL);
  g_free(base);
  return made;
}

static int by_name(gconstpointer a, gconstpointer b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* A file beside the missing one that has nearly its name. */
static void suggest(adl_problem *problem, const char *file) {
  char *folder = g_path_get_dirname(file), *name = g_path_get_basename(file);
  GDir *dir = g_dir_open(folder, 0, NULL);
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  const char *entry;
  while (dir != NULL && names->len < MAX_NEIGHBOURS && (entry = g_dir_read_name(dir)) != NULL) {
    g_ptr_array_add(names, g_strdup(entry));
  }
  g_ptr_array_sort(names, by_name);
  const char *near = adl_text_nearest(name, (const char *const *)names->pdata, names->len);
  if (near != NULL) adl_problem_hint(problem, "did you mean `%s`?", near);
  if (dir != NULL) g_dir_close(dir);
  g_ptr_array_free(names, TRUE);
  g_free(folder);
  g_free(name);
}

/* Can the file be read? If not, reported under the name that was written. */
static bool check(const search *at, const char *file) {
  struct stat info;
  bool fine = stat(file, &info) == 0;
  if (fine && S_ISDIR(info.st_mode)) {
    fine = false;
    errno = EISDIR;
  } else if (fine) {
    fine = access(file, R_OK) == 0;
  }
  if (fine) return true;
  int error = errno;
  adl_problem *problem = adl_args_blame(at->filler->args, at->filler->problems, at->arg, at->node, at->path,
                                        "'%s' cannot be read: %s", at->node->text, g_strerror(error));
  if (strcmp(file, at->node->text) != 0) adl_problem_note(problem, ADL_NO_PLACE, "looked for %s", file);
  if (error == ENOENT) suggest(problem, file);
  if (error == EISDIR && (at->arg->param->flags & ADL_LIST_OF) != 0) {
    adl_problem_hint(problem, "name its files, for example %s/*.csv", at->node->text);
  }
  return false;
}

/* Adds a file that is not there yet; naming one twice would read its rows twice. */
static bool add(const search *at, char *file, GPtrArray *out) {
  for (guint i = 0; i < out->len; i++) {
    if (strcmp(g_ptr_array_index(out, i), file) != 0) continue;
    adl_problem *problem = adl_args_blame(at->filler->args, at->filler->problems, at->arg, at->node, at->path,
                                          "names a file that is named already");
    adl_problem_note(problem, ADL_NO_PLACE, "it is %s", file);
    return false;
  }
  g_ptr_array_add(out, file);
  return true;
}

/* The pattern with its directory taken literally. */
static char *pattern_of(const char *directory, const char *text) {
  if (g_path_is_absolute(text)) return g_strdup(text);
  char *base = g_canonicalize_filename(directory != NULL ? directory : ".", NULL);
  GString *out = g_string_new(NULL);
  for (const char *letter = base; *letter != '\0'; letter++) {
    if (strchr("*?[]\\", *letter) != NULL) g_string_append_c(out, '\\');
    g_string_append_c(out, *letter);
  }
  g_string_append_printf(out, "/%s", text);
  g_free(base);
  return g_string_free(out, FALSE);
}

/* A directory that cannot be listed ends the search, unless it is only not there. */
static int on_glob_error(const char *path, int error) {
  (void)path;
  return error != ENOENT && error != ENOTDIR;
}

static bool expand(const search *at, GPtrArray *out) {
  const adl_params_request *request = at->filler->request;
  char *pattern = pattern_of(request->directory, at->node->text);
  glob_t found = {0};
  int result = glob(pattern, GLOB_NOSORT, on_glob_error, &found);
  bool fine = result == 0;
  if (!fine) {
    adl_problem *problem = adl_args_blame(
        at->filler->args, at->filler->problems, at->arg, at->node, at->path,
        result == GLOB_NOMATCH ? "no file matches '%s'" : "the files of '%s' cannot be listed", at->node->text);
    adl_problem_note(problem, ADL_NO_PLACE, "looked for %s", pattern);
  } else {
    qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, by_name); /* not in the order of some locale */
    for (size_t i = 0; i < found.gl_pathc; i++) {
      char *file = adl_region_text(request->region, found.gl_pathv[i]);
      if (!check(at, file) || !add(at, file, out)) fine = false;
    }
  }
  globfree(&found);
  g_free(pattern);
  return fine;
}

bool adl_params_find_files(adl_filler *filler, const adl_arg *arg, const adl_node *node, const char *path, bool globs,
                           GPtrArray *out) {
  search at = {filler, arg, node, path};
  const adl_params_request *request = filler->request;
  if (*node->text == '\0') {
    adl_args_blame(filler->args, filler->problems, arg, node, path, "is empty");
    return false;
  }
  if (strcmp(node->text, "-") == 0) return add(&at, adl_region_text(request->region, "-"), out);
  char *file = absolute(request->directory, node->text);
  bool fine;
  if (request->check_files && globs && strpbrk(node->text, "*?[") != NULL && access(file, F_OK) != 0) {
    fine = expand(&at, out);
  } else {
    fine = (!request->check_files || check(&at, file)) && add(&at, adl_region_text(request->region, file), out);
  }
  g_free(file);
  return fine;
}
