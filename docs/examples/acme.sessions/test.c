/* Tests of acme.sessions, on the engine itself. <adloom/test.h> tells what else a test can ask for. */
#include <adloom/test.h>

#include <string.h>

static const char stage[] = "use: acme.sessions, user: user, at: at, elapsed: elapsed, pause: pause";

static void visits(adl_test *t) {
  adl_test_plugin(t, "acme.sessions.so");
  adl_test_csv(t, "{user: id, at: timestamp}",
               "user,at\n"
               "ann,2026-01-05T10:00:00\n"
               "bob,2026-01-05T10:00:10\n"
               "ann,2026-01-05T10:01:30\n"
               "ann,2026-01-05T10:31:30\n"  /* 30 minutes later, to the second: the same visit */
               "ann,2026-01-05T11:01:31\n"  /* a second more: another one */
               "bob,2026-01-05T10:00:09\n"  /* earlier than bob's first: refused */
               "bob,2026-01-05T10:00:10\n"
               ",2026-01-05T12:00:00\n");   /* nobody: refused */
}

static void counts_visits_and_events(adl_test *t) {
  static const double sessions[] = {1, 1, 1, 1, 2, 1}, positions[] = {1, 1, 2, 3, 1, 2};
  static const double elapsed[] = {0, 0, 90, 1890, 0, 0}, pauses[] = {-1, -1, 90, 1800, 1801, 0};
  visits(t);
  adl_test_stage(t, stage);
  ADL_CHECK_ROWS(t, 6);
  for (int row = 0; row < 6; row++) {
    ADL_CHECK_NUMBER(t, "session", row, sessions[row], 0);
    ADL_CHECK_NUMBER(t, "position", row, positions[row], 0);
    ADL_CHECK_NUMBER(t, "elapsed", row, elapsed[row], 0);
    if (pauses[row] < 0) ADL_CHECK_NULL(t, "pause", row);
    else ADL_CHECK_NUMBER(t, "pause", row, pauses[row], 0);
  }
  ADL_CHECK_NEAR(t, adl_test_rejected(t), 2, 0);
  ADL_CHECK(t, strstr(adl_test_rejects(t), "sort the log by time") != NULL);
}

static void idle_time_decides(adl_test *t) {
  visits(t);
  adl_test_stage(t, "use: acme.sessions, user: user, at: at, idle: 1m, session: visit");
  ADL_CHECK_NUMBER(t, "visit", 2, 2, 0);
  ADL_CHECK_NUMBER(t, "visit", 4, 4, 0);
  ADL_CHECK(t, !adl_test_has(t, "elapsed") && !adl_test_has(t, "pause")); /* nobody named them */
}

static void does_not_depend_on_threads_or_batches(adl_test *t) {
  visits(t);
  ADL_CHECK_INVARIANT(t, stage, 0);
}

static void refuses_no_idle_time(adl_test *t) {
  visits(t);
  adl_test_stage(t, "use: acme.sessions, user: user, at: at, idle: 0s");
  ADL_CHECK_SAYS(t, "idle");
}

int main(int argc, char **argv) {
  static const adl_test_case cases[] = {ADL_CASE(counts_visits_and_events), ADL_CASE(idle_time_decides),
                                        ADL_CASE(does_not_depend_on_threads_or_batches), ADL_CASE(refuses_no_idle_time)};
  return adl_test_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
