#include "core/cli/run_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/command.h"
#include "core/cli/earlier.h"

/* Lies in the directory as long as a run is at work there, and stays when that is killed. */
#define LOCK ".running"

struct adl_run_directory {
  char *path, *absolute, *lock;
  bool given; /* by --out */
  int held;   /* the open lock; -1: not taken */
};

/* runs/NAME-20240601-120000, with a number behind it if that is taken. If it cannot be made, the one who takes it says why. */
static char *default_path(const char *name) {
  GDateTime *now = g_date_time_new_now_local();
  char *stamp = g_date_time_format(now, "%Y%m%d-%H%M%S");
  char *path = g_strdup_printf("runs/%s-%s", name, stamp);
  g_mkdir("runs", 0777);
  for (int i = 2; g_mkdir(path, 0777) != 0 && errno == EEXIST; i++) {
    g_free(path);
    path = g_strdup_printf("runs/%s-%s-%d", name, stamp, i);
  }
  g_date_time_unref(now);
  g_free(stamp);
  return path;
}

adl_run_directory *adl_run_directory_new(const char *out, const char *name) {
  adl_run_directory *directory = g_new0(adl_run_directory, 1);
  directory->given = out != NULL;
  directory->path = out != NULL ? g_strdup(out) : default_path(name);
  directory->absolute = g_canonicalize_filename(directory->path, NULL);
  directory->lock = g_build_filename(directory->absolute, LOCK, NULL);
  directory->held = -1;
  return directory;
}

const char *adl_run_directory_path(const adl_run_directory *directory) { return directory->path; }
const char *adl_run_directory_absolute(const adl_run_directory *directory) { return directory->absolute; }

/* ---- whose it is ---- */

static bool is_empty(const char *path) {
  GDir *entries = g_dir_open(path, 0, NULL);
  bool empty = entries != NULL && g_dir_read_name(entries) == NULL;
  if (entries != NULL) g_dir_close(entries);
  return empty;
}

/* Something in the directory that this run would write over though no run has made it; NULL: nothing. */
static const char *somebody_elses(const adl_run_directory *directory) {
  static const char *const names[] = {"manifest.json", "metrics.json", "report.html",
                                      "rejects.jsonl", "log.txt",      "models"};
  if (g_file_test(directory->lock, G_FILE_TEST_EXISTS) || adl_earlier_run_was_in(directory->absolute)) return NULL;
  const char *found = NULL;
  for (size_t i = 0; found == NULL && i < G_N_ELEMENTS(names); i++) {
    char *path = g_build_filename(directory->absolute, names[i], NULL);
    if (g_file_test(path, G_FILE_TEST_EXISTS) && !is_empty(path)) found = names[i];
    g_free(path);
  }
  return found;
}

/* The process that has locked it; 0: nobody has. */
static pid_t holder_of(int file) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

typedef enum locking { LOCKED, HELD, UNLOCKABLE } locking;

static locking try_lock(int file) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(file, F_SETLK, &lock) == 0) return LOCKED;
  return errno == EACCES || errno == EAGAIN ? HELD : UNLOCKABLE; /* a file system without locks */
}

static bool still_there(const char *path, int file) {
  struct stat named, open;
  return stat(path, &named) == 0 && fstat(file, &open) == 0 && named.st_ino == open.st_ino &&
         named.st_dev == open.st_dev;
}

/* False: it is locked by *holder, or (0) errno tells. Where nothing can be locked there is nothing to respect. */
static bool take_lock(adl_run_directory *directory, pid_t *holder) {
  for (;;) {
    int file = open(directory->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    *holder = 0;
    if (file < 0) return false;
    locking state = try_lock(file);
    if (state == HELD) *holder = holder_of(file);
    if (state != HELD && still_there(directory->lock, file)) {
      directory->held = file;
      return true;
    }
    close(file);
    if (*holder != 0) return false; /* else its owner has just gone, and has removed it */
  }
}

int adl_run_directory_take(adl_run_directory *directory) {
  char *models = g_build_filename(directory->absolute, "models", NULL);
  const char *path = directory->path, *found = somebody_elses(directory);
  pid_t holder;
  int status = ADL_EXIT_FAILED;
  if (found != NULL) {
    fprintf(stderr,
            "adloom run: %s is not the directory of an earlier run, but holds %s, which a run would write over; "
            "nothing was started, give --out a new folder\n",
            path, found);
    status = ADL_EXIT_USAGE;
  } else if (g_mkdir_with_parents(models, 0777) != 0) {
    fprintf(stderr, "adloom run: cannot make the run directory %s: %s\n", path, g_strerror(errno));
  } else if (take_lock(directory, &holder)) {
    status = -1;
  } else if (holder != 0) {
    fprintf(stderr,
            "adloom run: the process %d is running a pipeline in %s; wait for its end, or give --out another folder\n",
            (int)holder, path);
  } else {
    fprintf(stderr, "adloom run: cannot write into the run directory %s: %s\n", path, g_strerror(errno));
  }
  g_free(models);
  return status;
}

void adl_run_directory_forget(const adl_run_directory *directory) {
  if (directory->given) return;
  g_rmdir(directory->absolute);
  g_rmdir("runs"); /* stays where there are others */
}

void adl_run_directory_free(adl_run_directory *directory) {
  if (directory->held >= 0) {
    g_unlink(directory->lock);
    close(directory->held);
  }
  g_free(directory->path);
  g_free(directory->absolute);
  g_free(directory->lock);
  g_free(directory);
}
