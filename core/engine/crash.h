/* A crash inside a plugin, and a call of exit, end the run with a message that names stage, function and plugin file. */
#ifndef ADLOOM_CORE_ENGINE_CRASH_H
#define ADLOOM_CORE_ENGINE_CRASH_H

/* For SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT; once, before the first plugin is loaded. */
void adl_crash_install(void);
/* Gives the calling thread a stack for the handler: a stack overflow can be told, too. */
void adl_crash_thread(void);
/* "SIGSEGV, a bad memory access". Async-signal-safe. */
const char *adl_signal_text(int number);

#endif
