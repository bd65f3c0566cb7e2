/* One check in a process of its own: what it found comes through a pipe, what it wrote to stdout and stderr through a file
 * without a name. A process that ends without having found anything has crashed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/guard.h"
#include "core/conform/internal.h"
#include "core/engine/crash.h"
#include "core/graph/call.h"

enum { USUAL_LIMIT = 180, MOST_NOISE = 2000, STOPPED = 3 };

static int report_to = -1; /* in the child: the pipe */

void adl_finding_clear(adl_finding *finding) {
  g_free(finding->text);
  g_free(finding->noise);
  *finding = (adl_finding){0};
}

static void put(const void *bytes, size_t size) {
  for (const char *at = bytes; size > 0;) {
    ssize_t written = write(report_to, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    at += written;
    size -= (size_t)written;
  }
}

static void put_head(adl_verdict verdict, int draft) {
  int32_t head[2] = {(int32_t)verdict, draft};
  put(head, sizeof head);
}

void adl_child_stop(adl_verdict verdict, const char *first, const char *second, const char *third) {
  static atomic_flag telling = ATOMIC_FLAG_INIT;
  const char *texts[] = {first, second, third};
  while (atomic_flag_test_and_set(&telling)) pause(); /* another thread has found the same, and is about to end us */
  put_head(verdict, -1);
  for (int i = 0; i < 3; i++)
    if (texts[i] != NULL) put(texts[i], strlen(texts[i]));
  _exit(STOPPED);
}

/* ---- what the guard catches ---- */

static struct sigaction before_guard;

static void touched(int number, siginfo_t *info, void *machine) {
  const adl_context *context = adl_context_current;
  const char *what = adl_guard_explain(info->si_addr);
  if (what != NULL && context != NULL) adl_child_stop(ADL_FAIL, context->function, " ", what);
  if (what != NULL) adl_child_stop(ADL_FAIL, "the plugin ", what, NULL);
  (void)machine;
  sigaction(number, &before_guard, NULL); /* comes again, and is told as any other crash */
}

static void catch_touches(void) {
  struct sigaction action = {.sa_sigaction = touched, .sa_flags = SA_ONSTACK | SA_SIGINFO};
  sigemptyset(&action.sa_mask);
  sigaction(SIGSEGV, &action, &before_guard);
}

/* ---- the child ---- */

/* What GLib ends a program for. There is never enough memory for everything that can be asked for. */
static bool memory_is_short; /* and that is no wonder */

void adl_child_forgive_memory(void) { memory_is_short = true; }

static void told_fatal(const char *domain, GLogLevelFlags level, const char *message, gpointer data) {
  (void)domain, (void)data;
  bool memory = strstr(message, "out of memory") != NULL || strstr(message, "failed to allocate") != NULL;
  if (memory && memory_is_short) _exit(0);
  if ((level & G_LOG_FLAG_FATAL) != 0) adl_child_stop(ADL_CRASH, message, NULL, NULL);
  fprintf(stderr, "%s\n", message);
}

void adl_child_apart(adl_exam *exam, void (*body)(adl_exam *exam, void *data), void *data) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    body(exam, data);
    if (exam->verdict == ADL_PASS) _exit(0);
    adl_child_stop(exam->verdict, exam->text->str, NULL, NULL);
  }
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 1) _exit(1); /* a crash is told by the noise */
  if (WEXITSTATUS(status) == STOPPED) _exit(0);                 /* a finding is told already */
}

static void be_child(adl_exam *exam, const adl_check *check, int noise) {
  setpgid(0, 0);
  dup2(noise, STDOUT_FILENO);
  dup2(noise, STDERR_FILENO);
  g_log_set_default_handler(told_fatal, NULL);
  adl_crash_install();
  catch_touches();
  signal(SIGPIPE, SIG_IGN);
  exam->verdict = ADL_PASS;
  exam->text = g_string_new(NULL);
  if (check->of == ADL_OF_FILE || adl_exam_load(exam)) check->run(exam);
  fflush(NULL);
  put_head(exam->verdict, exam->draft);
  put(exam->text->str, exam->text->len);
  _exit(0);
}

/* ---- the parent ---- */

static char *read_noise(int file) {
  char *text = g_malloc0(MOST_NOISE + 1);
  ssize_t got = pread(file, text, MOST_NOISE, 0);
  if (got > 0) return text;
  g_free(text);
  return NULL;
}

/* The line in which the crash handler says what happened, else what came last. */
static char *crash_text(const char *noise, int status) {
  const char *told = noise != NULL ? strstr(noise, "adloom: error: ") : NULL;
  if (told != NULL) return g_strndup(told + 15, strcspn(told + 15, "\n"));
  if (WIFSIGNALED(status)) return g_strdup_printf("the process was ended by signal %d", WTERMSIG(status));
  if (noise != NULL) return g_strndup(noise, strcspn(noise, "\n"));
  return g_strdup_printf("the process ended with status %d: does the plugin call exit?", WEXITSTATUS(status));
}

/* Reads the pipe until the child is gone or the time is up. */
static bool listen_to(pid_t child, int from, GByteArray *heard, int64_t seconds, int *status) {
  int64_t end = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
  for (bool gone = false; g_get_monotonic_time() < end;) {
    uint8_t bytes[4096];
    struct pollfd poll_it = {.fd = from, .events = POLLIN};
    int ready = poll(&poll_it, 1, 20);
    ssize_t got = ready > 0 && (poll_it.revents & POLLIN) != 0 ? read(from, bytes, sizeof bytes) : 0;
    if (got > 0) g_byte_array_append(heard, bytes, (guint)got);
    if (got > 0) continue;
    if (gone) return true;
    if (ready > 0) g_usleep(200); /* hung up, and about to be gone */
    gone = waitpid(child, status, WNOHANG) == child;
  }
  kill(-child, SIGKILL);
  kill(child, SIGKILL);
  waitpid(child, status, 0);
  return false;
}

static adl_finding conclude(const GByteArray *heard, char *noise, int status) {
  int32_t head[2] = {ADL_CRASH, -1};
  if (heard->len < sizeof head) return (adl_finding){ADL_CRASH, -1, crash_text(noise, status), noise};
  memcpy(head, heard->data, sizeof head);
  char *text = g_strndup((const char *)heard->data + sizeof head, heard->len - sizeof head);
  return (adl_finding){(adl_verdict)head[0], head[1], text, noise};
}

adl_finding adl_child_run(adl_exam *exam, const adl_check *check) {
  int ends[2], status = 0, noise = memfd_create("noise", MFD_CLOEXEC);
  if (noise < 0 || pipe2(ends, O_CLOEXEC) != 0) g_error("no process for a check: %s", g_strerror(errno));
  fflush(NULL);
  pid_t child = fork();
  if (child < 0) g_error("no process for a check: %s", g_strerror(errno));
  if (child == 0) {
    close(ends[0]);
    report_to = ends[1];
    be_child(exam, check, noise);
  }
  close(ends[1]);
  int64_t limit = exam->options->limit > 0 ? exam->options->limit : USUAL_LIMIT;
  GByteArray *heard = g_byte_array_new();
  bool ended = listen_to(child, ends[0], heard, limit, &status);
  kill(-child, SIGKILL); /* what the plugin may have left behind */
  adl_finding finding = conclude(heard, read_noise(noise), status);
  if (!ended) {
    g_free(finding.text);
    finding.verdict = ADL_CRASH;
    finding.text = g_strdup_printf("it had not ended after %" G_GINT64_FORMAT " seconds", limit);
  }
  g_byte_array_unref(heard);
  close(ends[0]);
  close(noise);
  return finding;
}
