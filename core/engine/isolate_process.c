/* The processes of a stage that is isolated. A keeper is forked while the run has one thread and holds the stage as bind
 * left it; it forks the worker, tells how that died, and forks another when it is asked to. Both end with the run, however
 * it ends. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/engine/crash.h"
#include "core/engine/isolate.h"

enum { LOST = 71 }; /* exit status: whoever it worked for is gone */

/* Dies with its parent, crashes without adloom's own message, leaves Ctrl-C to the run. */
static void become_child(pid_t parent) {
  static const int defaults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGCHLD};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(LOST);
  for (size_t i = 0; i < G_N_ELEMENTS(defaults); i++) signal(defaults[i], SIG_DFL);
  signal(SIGINT, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
}

/* Of the run's files it holds none: what the plugin prints goes to standard error. */
static void close_files(void) {
  int nothing = open("/dev/null", O_RDONLY);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
#ifdef SYS_close_range
  if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0) return;
#endif
  long most = sysconf(_SC_OPEN_MAX);
  for (int fd = 3; fd < MIN(most, 65536); fd++) close(fd);
}

static void wait_for_wish(adl_channel *channel) {
  for (;;) {
    uint32_t seen = atomic_load(&channel->keeper_bell.rings);
    uint32_t wish = atomic_load(&channel->wish);
    if (wish == ADL_WISH_END) _exit(0);
    if (wish == ADL_WISH_AGAIN) break;
    adl_bell_wait(&channel->keeper_bell, seen);
  }
  atomic_store(&channel->wish, ADL_WISH_NONE);
}

static void keep(const adl_serving *serving) {
  adl_channel *channel = serving->channel;
  for (;;) {
    pid_t own = getpid(), worker = fork();
    int status = 0;
    if (worker == 0) {
      become_child(own);
      adl_serve(serving);
      _exit(0);
    }
    atomic_store(&channel->child, worker);
    while (worker > 0 && waitpid(worker, &status, 0) < 0 && errno == EINTR) continue;
    if (worker < 0) status = W_EXITCODE(LOST, 0);
    atomic_store(&channel->status, status);
    atomic_store(&channel->child, 0);
    atomic_store(&channel->dead, true);
    adl_bell_ring(&channel->parent_bell);
    wait_for_wish(channel);
  }
}

bool adl_keeper_start(adl_keeper *keeper, const adl_serving *serving) {
  pid_t parent = getpid();
  fflush(NULL); /* what is not written yet shall not be written twice */
  keeper->channel = serving->channel;
  keeper->pid = fork();
  if (keeper->pid == 0) {
    become_child(parent);
    close_files();
    keep(serving);
  }
  return keeper->pid > 0;
}

static void wish(adl_keeper *keeper, adl_wish what) {
  atomic_store(&keeper->channel->wish, what);
  adl_bell_ring(&keeper->channel->keeper_bell);
}

static bool gone(adl_keeper *keeper) {
  if (keeper->pid > 0 && waitpid(keeper->pid, NULL, WNOHANG) != keeper->pid) return false;
  keeper->pid = 0;
  return true;
}

static bool give_up_at(void *data) { return adl_clock_ns() < *(int64_t *)data; }

void adl_keeper_stop(adl_keeper *keeper, bool at_work) {
  if (keeper->pid <= 0) return;
  int64_t until = adl_clock_ns() + 1000000000;
  adl_pack end = {0};
  adl_pack_int(&end, ADL_REQUEST_END);
  wish(keeper, ADL_WISH_END);
  if (!at_work) adl_channel_send(keeper->channel, false, &end, (adl_wait){give_up_at, &until});
  adl_pack_clear(&end);
  while (!at_work && !gone(keeper) && adl_clock_ns() < until) g_usleep(200);
  if (keeper->pid <= 0) return;
  kill(keeper->pid, SIGKILL); /* the worker dies with it */
  while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR) continue;
  keeper->pid = 0;
}

bool adl_keeper_again(adl_keeper *keeper) {
  if (gone(keeper)) return false;
  adl_channel_reset(keeper->channel);
  wish(keeper, ADL_WISH_AGAIN);
  return true;
}

/* The keeper has not waited for it yet, so the number is still its own. */
void adl_keeper_kill_worker(adl_keeper *keeper) {
  pid_t worker = atomic_load(&keeper->channel->child);
  if (worker > 0) kill(worker, SIGKILL);
  for (int64_t until = adl_clock_ns() + 5000000000; worker > 0 && adl_clock_ns() < until && !gone(keeper);) {
    if (atomic_load(&keeper->channel->dead)) break;
    g_usleep(200);
  }
}

bool adl_keeper_dead(adl_keeper *keeper, char **how) {
  bool dead = atomic_load(&keeper->channel->dead);
  if (!dead && !gone(keeper)) return false;
  int status = atomic_load(&keeper->channel->status);
  if (!dead)
    *how = g_strdup("was lost with its process");
  else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
    *how = g_strdup("was killed (SIGKILL)");
  else if (WIFSIGNALED(status))
    *how = g_strdup_printf("crashed (%s)", adl_signal_text(WTERMSIG(status)));
  else
    *how = g_strdup_printf("ended its process (exit status %d)", WEXITSTATUS(status));
  return true;
}
