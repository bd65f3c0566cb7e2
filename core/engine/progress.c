#include "core/engine/progress.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "core/base/terminal.h"
#include "core/base/text.h"

struct adl_progress {
  pthread_mutex_t mutex;
  const adl_run_options *options;
  const _Atomic int64_t *rows;
  FILE *log;
  char what[160];   /* "fitting segment" */
  char inside[120]; /* "iteration 3 of 300" */
  double read;      /* share of a source that has been read; 0: not known */
  int64_t began, shown, rows_at_begin;
  bool line_open; /* terminal: the line has to be ended or overwritten */
};

adl_progress *adl_progress_new(const adl_run_options *options, const _Atomic int64_t *rows) {
  adl_progress *progress = g_new0(adl_progress, 1);
  pthread_mutex_init(&progress->mutex, NULL);
  progress->options = options;
  progress->rows = rows;
  if (options->directory != NULL) {
    char *path = g_build_filename(options->directory, "log.txt", NULL);
    progress->log = fopen(path, "we");
    g_free(path);
  }
  return progress;
}

static void clear_line(adl_progress *progress) {
  if (progress->line_open) fputs("\r\033[K", progress->options->progress_file);
  progress->line_open = false;
}

void adl_progress_free(adl_progress *progress) {
  if (progress == NULL) return;
  clear_line(progress);
  if (progress->log != NULL) fclose(progress->log);
  pthread_mutex_destroy(&progress->mutex);
  g_free(progress);
}

static void rows_text(int64_t rows, char *buffer, size_t size) {
  if (rows >= 10000000)
    g_snprintf(buffer, size, "%.1f M rows", (double)rows / 1e6);
  else if (rows >= 100000)
    g_snprintf(buffer, size, "%.0f k rows", (double)rows / 1e3);
  else
    g_snprintf(buffer, size, "%" G_GINT64_FORMAT " rows", rows);
}

/* "35 %, 1:20 left", as soon as there is enough behind to tell. */
static void left_text(double share, double seconds, char *buffer, size_t size) {
  if (share < 0.001 || share >= 1 || seconds < 0.5) return;
  double left = seconds * (1 - share) / share;
  if (left >= 3600)
    g_snprintf(buffer, size, "%.0f %%, %.0f h %02.0f min left", 100 * share, floor(left / 3600),
               floor(fmod(left, 3600) / 60));
  else
    g_snprintf(buffer, size, "%.0f %%, %.0f:%02.0f left", 100 * share, floor(left / 60), floor(fmod(left, 60)));
}

/* A line that changes in place must not reach the last column: what wraps cannot be overwritten, and stays as litter. The
 * width is asked for each time, since windows are resized. What is cut is the end. */
static void show_line(adl_progress *progress, const char *line) {
  FILE *file = progress->options->progress_file;
  int columns = 80, lines = 0, used = 0;
  adl_terminal_size(fileno(file), &columns, &lines);
  clear_line(progress);
  for (size_t left = strlen(line); left > 0;) {
    gunichar c;
    size_t bytes = adl_text_char(line, left, &c);
    used += adl_text_char_width(c);
    if (used >= columns) break;
    fwrite(line, 1, bytes, file);
    line += bytes;
    left -= bytes;
  }
  fflush(file);
  progress->line_open = true;
}

/* With the mutex held. */
static void show(adl_progress *progress, bool begin) {
  FILE *file = progress->options->progress_file;
  int64_t now = g_get_monotonic_time(), rows = atomic_load(progress->rows);
  double seconds = (double)(now - progress->began) / 1e6;
  double rate = seconds > 0.2 ? (double)(rows - progress->rows_at_begin) / seconds : 0;
  progress->shown = now;
  if (progress->options->progress == ADL_PROGRESS_TERMINAL) {
    char count[40], speed[40] = "", left[60] = "";
    rows_text(rows, count, sizeof count);
    left_text(progress->read, seconds, left, sizeof left);
    if (rate > 0) {
      rows_text((int64_t)rate, speed, sizeof speed);
      strncat(speed, "/s", sizeof speed - strlen(speed) - 1);
    }
    char *line =
        g_strdup_printf("%s  %s  %s  %s", progress->what, count, speed, progress->read > 0 ? left : progress->inside);
    show_line(progress, g_strchomp(line));
    g_free(line);
  } else if (progress->options->progress == ADL_PROGRESS_LINES && begin) {
    fprintf(file, "%s\n", progress->what);
  } else if (progress->options->progress == ADL_PROGRESS_JSON) {
    char *escaped = g_strescape(progress->inside, NULL);
    fprintf(file,
            "{\"event\":\"progress\",\"doing\":\"%s\",\"rows\":%" G_GINT64_FORMAT
            ",\"rows_per_second\":%.0f,\"inside\":\"%s\",\"share\":%.4f}\n",
            progress->what, rows, rate, escaped, progress->read);
    fflush(file);
    g_free(escaped);
  }
}

void adl_progress_begin(adl_progress *progress, const char *what, const char *stage) {
  pthread_mutex_lock(&progress->mutex);
  g_snprintf(progress->what, sizeof progress->what, "%s %s", what, stage);
  progress->inside[0] = '\0';
  progress->read = 0;
  progress->began = g_get_monotonic_time();
  progress->rows_at_begin = atomic_load(progress->rows);
  if (progress->log != NULL) fprintf(progress->log, "%s\n", progress->what);
  show(progress, true);
  pthread_mutex_unlock(&progress->mutex);
}

void adl_progress_tick(adl_progress *progress) {
  pthread_mutex_lock(&progress->mutex);
  int64_t pause = progress->options->progress == ADL_PROGRESS_TERMINAL ? 100000 : 1000000;
  if (g_get_monotonic_time() - progress->shown >= pause) show(progress, false);
  pthread_mutex_unlock(&progress->mutex);
}

void adl_progress_inside(adl_progress *progress, bool source, const char *what, double done, double total) {
  pthread_mutex_lock(&progress->mutex);
  if (source && total > 0) progress->read = done < total ? done / total : 1;
  if (total > 0)
    g_snprintf(progress->inside, sizeof progress->inside, "%s %.0f of %.0f", what, done, total);
  else
    g_snprintf(progress->inside, sizeof progress->inside, "%s %.0f", what, done);
  pthread_mutex_unlock(&progress->mutex);
  adl_progress_tick(progress);
}

void adl_progress_log(adl_progress *progress, const char *stage, adl_level level, const char *text) {
  static const char *const names[] = {"debug", "info", "warning"};
  pthread_mutex_lock(&progress->mutex);
  if (progress->log != NULL) fprintf(progress->log, "%s: %s: %s\n", names[level], stage, text);
  pthread_mutex_unlock(&progress->mutex);
}
