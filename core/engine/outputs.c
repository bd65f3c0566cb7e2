#include "core/engine/outputs.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STALE_AFTER = 24 * 60 * 60 }; /* seconds */

struct adl_outputs {
  char *directory;
  GPtrArray *targets, *temporaries; /* of char * */
  GPtrArray *in_place;              /* of char *: what has been published, for people */
  bool published;                   /* all of it */
};

/* What a dying process has to clear away. */
static adl_outputs *volatile newest;

adl_outputs *adl_outputs_new(const char *directory) {
  adl_outputs *outputs = g_new0(adl_outputs, 1);
  outputs->directory = g_strdup(directory);
  outputs->targets = g_ptr_array_new_with_free_func(g_free);
  outputs->temporaries = g_ptr_array_new_with_free_func(g_free);
  outputs->in_place = g_ptr_array_new_with_free_func(g_free);
  return outputs;
}

static bool is_temporary(const adl_outputs *outputs, guint i) {
  return strcmp(outputs->targets->pdata[i], outputs->temporaries->pdata[i]) != 0;
}

void adl_outputs_free(adl_outputs *outputs) {
  if (outputs == NULL) return;
  if (newest == outputs) newest = NULL;
  for (guint i = 0; !outputs->published && i < outputs->temporaries->len; i++)
    if (is_temporary(outputs, i)) g_unlink(outputs->temporaries->pdata[i]);
  g_ptr_array_free(outputs->targets, TRUE);
  g_ptr_array_free(outputs->temporaries, TRUE);
  g_ptr_array_free(outputs->in_place, TRUE);
  g_free(outputs->directory);
  g_free(outputs);
}

/* A device or a pipe cannot be replaced: it is written to as it is. So is /dev/stdout, whatever it stands for. */
static bool is_special(const char *path) {
  if (g_str_has_prefix(path, "/dev/") || g_str_has_prefix(path, "/proc/")) return true;
  return g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_REGULAR) &&
         !g_file_test(path, G_FILE_TEST_IS_DIR);
}

/* A link stays one: what it points to is replaced. */
static char *without_links(char *path) {
  char *real = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? realpath(path, NULL) : NULL;
  if (real == NULL) return path;
  g_free(path);
  path = g_strdup(real);
  free(real);
  return path;
}

char *adl_outputs_path(void *data, const char *text) {
  adl_outputs *outputs = data;
  char *target = g_canonicalize_filename(text, outputs->directory), *temporary = NULL;
  if (!is_special(target)) target = without_links(target);
  if (is_special(target)) {
    temporary = g_strdup(target);
  } else {
    char *folder = g_path_get_dirname(target), *base = g_path_get_basename(target);
    char *name = g_strdup_printf(".%d.part.%s", (int)getpid(), base); /* classes may go by the ending */
    temporary = g_build_filename(folder, name, NULL);
    g_free(folder);
    g_free(base);
    g_free(name);
  }
  g_ptr_array_add(outputs->targets, target);
  g_ptr_array_add(outputs->temporaries, g_strdup(temporary));
  return temporary;
}

/* A name as adl_outputs_path makes them, by a process that is gone; `base`: for this target, NULL: for any. */
static bool is_left(const char *name, const char *base) {
  char *end = NULL;
  if (name[0] != '.' || !g_ascii_isdigit(name[1])) return false;
  gint64 pid = g_ascii_strtoll(name + 1, &end, 10);
  if (!g_str_has_prefix(end, ".part.") || end[6] == '\0' || (base != NULL && strcmp(end + 6, base) != 0)) return false;
  return pid > 0 && pid <= INT32_MAX && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* Half-written files that killed runs have left in a folder. */
static void remove_left(const char *folder, const char *base, time_t age) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  for (const char *name = dir != NULL ? g_dir_read_name(dir) : NULL; name != NULL; name = g_dir_read_name(dir)) {
    if (!is_left(name, base)) continue;
    char *path = g_build_filename(folder, name, NULL);
    GStatBuf state;
    if (g_lstat(path, &state) == 0 && S_ISREG(state.st_mode) && state.st_mtime + age <= time(NULL)) g_unlink(path);
    g_free(path);
  }
  if (dir != NULL) g_dir_close(dir);
}

/* The run directory is this run's alone: whatever was left there goes. Elsewhere a process of another machine, which is
 * not known here, may be writing: what is of this target goes after a day. */
static void remove_stale(const adl_outputs *outputs, const char *target) {
  char *folder = g_path_get_dirname(target), *base = g_path_get_basename(target);
  size_t size = strlen(outputs->directory);
  bool ours = strncmp(folder, outputs->directory, size) == 0 && (folder[size] == '/' || folder[size] == '\0');
  remove_left(folder, ours ? NULL : base, ours ? 0 : STALE_AFTER);
  g_free(folder);
  g_free(base);
}

bool adl_outputs_prepare(adl_outputs *outputs, char **why) {
  remove_left(outputs->directory, NULL, 0); /* also where this run writes no file */
  for (guint i = 0; i < outputs->targets->len; i++) {
    const char *target = outputs->targets->pdata[i];
    if (g_file_test(target, G_FILE_TEST_IS_DIR)) {
      *why = g_strdup_printf("cannot write the output %s: it is a folder", target);
      return false;
    }
    char *folder = g_path_get_dirname(target);
    bool made = g_mkdir_with_parents(folder, 0777) == 0;
    if (!made) *why = g_strdup_printf("cannot make the folder %s: %s", folder, g_strerror(errno));
    g_free(folder);
    if (!made) return false;
    remove_stale(outputs, target);
  }
  newest = outputs;
  return true;
}

void adl_outputs_abandon(void) {
  const adl_outputs *outputs = newest;
  for (guint i = 0; outputs != NULL && !outputs->published && i < outputs->temporaries->len; i++)
    if (is_temporary(outputs, i)) unlink(outputs->temporaries->pdata[i]);
}

bool adl_outputs_published(const adl_outputs *outputs) { return outputs->published; }

void adl_outputs_add_in_place(adl_outputs *outputs, const char *what) {
  g_ptr_array_add(outputs->in_place, g_strdup(what));
}

char *adl_outputs_told(const adl_outputs *outputs) {
  if (outputs->published) return g_strdup("the outputs were published");
  if (outputs->in_place->len == 0) return g_strdup("nothing was published");
  GString *text = g_string_new("not all outputs were published, but these: ");
  for (guint i = 0; i < outputs->in_place->len; i++)
    g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (const char *)outputs->in_place->pdata[i]);
  return g_string_free(text, FALSE);
}

bool adl_outputs_publish(adl_outputs *outputs, char **why) {
  for (guint i = 0; i < outputs->targets->len; i++) {
    const char *target = outputs->targets->pdata[i];
    if (!is_temporary(outputs, i)) continue;
    if (g_rename(outputs->temporaries->pdata[i], target) != 0) {
      *why = g_strdup_printf("cannot rename the finished output to %s: %s", target, g_strerror(errno));
      return false;
    }
    adl_outputs_add_in_place(outputs, target);
  }
  outputs->published = true;
  return true;
}

const GPtrArray *adl_outputs_targets(const adl_outputs *outputs) { return outputs->targets; }
