#include "core/engine/crash.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/engine/outputs.h"
#include "core/graph/call.h"

enum { STACK = 64 * 1024 };

static void say(const char *text) {
  if (text == NULL) return;
  ssize_t written = write(STDERR_FILENO, text, strlen(text));
  (void)written;
}

const char *adl_signal_text(int number) {
  switch (number) {
    case SIGSEGV: return "SIGSEGV, a bad memory access";
    case SIGBUS: return "SIGBUS, a bad memory access";
    case SIGFPE: return "SIGFPE, an arithmetic error";
    case SIGILL: return "SIGILL, an illegal instruction";
    case SIGKILL: return "SIGKILL";
    case SIGTERM: return "SIGTERM";
    case SIGABRT: return "SIGABRT";
    default: return "a signal";
  }
}

/* Only async-signal-safe calls: the texts were there before. */
static void handle(int number) {
  const adl_context *context = adl_context_current;
  signal(number, SIG_DFL);
  const char *loading = adl_registry_loading();
  if (loading != NULL) {
    say("\nadloom: error: the plugin ");
    say(loading);
    say(" crashed (");
    say(adl_signal_text(number));
    say(") while it was loaded\n  note: nothing was started. Report this to the plugin's author\n");
  } else if (context == NULL || context->stage == NULL || context->stage->loaded == NULL) {
    say("\nadloom: error: adloom itself crashed (");
    say(adl_signal_text(number));
    say("); please report this with the pipeline file\n");
  } else {
    say("\nadloom: error: ");
    say(context->stage->name);
    say(": the plugin crashed (");
    say(adl_signal_text(number));
    say(") in ");
    say(context->function);
    say(" of ");
    say(context->stage->class->id);
    say(" ");
    say(context->stage->loaded->plugin.version);
    say(" (");
    say(context->stage->loaded->path);
    say(")\n  note: nothing was published; models that were fitted before are kept. Report this to the plugin's "
        "author\n");
  }
  adl_outputs_abandon();
  _exit(1);
}

/* exit inside a call of a plugin: the run would end as if all were well. */
static void handle_exit(void) {
  const adl_context *context = adl_context_current;
  if (context == NULL || context->stage == NULL || context->stage->loaded == NULL) return;
  say("\nadloom: error: ");
  say(context->stage->name);
  say(": the plugin called exit in ");
  say(context->function);
  say(" of ");
  say(context->stage->class->id);
  say(" ");
  say(context->stage->loaded->plugin.version);
  say(" (");
  say(context->stage->loaded->path);
  say(")\n  note: nothing was published. Report this to the plugin's author\n");
  adl_outputs_abandon();
  _exit(1);
}

/* AddressSanitizer gives each thread such a stack, and takes it down itself when the thread ends: that one is kept. */
void adl_crash_thread(void) {
  static _Thread_local char memory[STACK];
  stack_t there;
  if (sigaltstack(NULL, &there) == 0 && (there.ss_flags & SS_DISABLE) == 0) return;
  stack_t stack = {.ss_sp = memory, .ss_size = STACK};
  sigaltstack(&stack, NULL);
}

void adl_crash_install(void) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  static bool done = false;
  if (!done) atexit(handle_exit);
  done = true;
  adl_crash_thread();
  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
}
