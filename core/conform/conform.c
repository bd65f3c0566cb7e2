/* All checks of one plugin, one after the other, and what they found as TAP. See conform.h. */
#include "core/conform/conform.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/conform/internal.h"
#include "core/graph/host.h"

static const adl_check *const tables[] = {adl_checks_of_file,   adl_checks_of_tables, adl_checks_of_params,
                                          adl_checks_of_rows,   adl_checks_of_models, adl_checks_of_memory,
                                          adl_checks_of_manners};
static const char quiet_name[] = "quiet", quiet_sentence[] = "Nothing is written to standard output or standard error.";

/* ---- what a check says ---- */

static void say(adl_exam *exam, adl_verdict verdict, const char *format, va_list list) {
  bool more = verdict == ADL_FAIL && exam->verdict == ADL_WARN;
  if (exam->verdict != ADL_PASS && !more) return;
  exam->verdict = verdict;
  g_string_vprintf(exam->text, format, list);
}

#define SAY(verdict)                                                                                                   \
  do {                                                                                                                 \
    va_list list;                                                                                                      \
    va_start(list, format);                                                                                            \
    say(exam, verdict, format, list);                                                                                  \
    va_end(list);                                                                                                      \
  } while (0)

void adl_exam_fail(adl_exam *exam, const char *format, ...) { SAY(ADL_FAIL); }
void adl_exam_warn(adl_exam *exam, const char *format, ...) { SAY(ADL_WARN); }
void adl_exam_skip(adl_exam *exam, const char *format, ...) { SAY(ADL_SKIP); }

bool adl_exam_load(adl_exam *exam) {
  GString *why = g_string_new(NULL);
  adl_engine_setup_host();
  exam->registry = adl_registry_new(adl_host_table());
  if (adl_registry_add_file(exam->registry, exam->options->path, why))
    exam->loaded = adl_registry_find(exam->registry, exam->id, why);
  if (exam->loaded == NULL) adl_exam_fail(exam, "%s", why->str);
  g_string_free(why, TRUE);
  return exam->loaded != NULL;
}

/* ---- the report ---- */

typedef struct report {
  FILE *out;
  int number, failed;
} report;

/* A finding of several lines stands as comments under its line. */
static void print_text(FILE *out, const char *text) {
  char **lines = g_strsplit(text != NULL ? text : "", "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (**line != '\0') fprintf(out, "#   %s\n", *line);
  g_strfreev(lines);
}

static void print_finding(report *to, const char *id, const char *name, const char *sentence,
                          const adl_finding *finding) {
  static const char *const words[] = {"", "fail: ", "crash: ", "", "warning: "};
  bool bad = finding->verdict == ADL_FAIL || finding->verdict == ADL_CRASH;
  fprintf(to->out, "%sok %d - %s%s%s: %s", bad ? "not " : "", ++to->number, id != NULL ? id : "", id != NULL ? " " : "",
          name, sentence);
  if (finding->verdict == ADL_SKIP)
    fprintf(to->out, " # SKIP %s\n", finding->text);
  else
    fputc('\n', to->out);
  if (finding->verdict != ADL_SKIP && finding->verdict != ADL_PASS) {
    char *text = g_strconcat(words[finding->verdict], finding->text, NULL);
    print_text(to->out, text);
    g_free(text);
  }
  fflush(to->out);
  to->failed += bad;
}

/* ---- running ---- */

static bool is_wanted(const adl_conform_options *options, const char *name) {
  return options->only == NULL || options->only[0] == NULL || g_strv_contains(options->only, name);
}

static adl_finding find(adl_exam *exam, const adl_check *check) {
  adl_finding finding = adl_child_run(exam, check);
  for (int i = 0; i < 2 && check->again && finding.verdict == ADL_FAIL; i++) {
    adl_finding_clear(&finding);
    finding = adl_child_run(exam, check);
  }
  return finding;
}

/* What was written in the first check in which anything was. */
typedef struct noise {
  const char *check;
  char *text;
} noise;

static void run_check(adl_exam *exam, const adl_check *check, report *to, noise *heard) {
  bool finds_draft = strcmp(check->name, "works") == 0;
  if (!is_wanted(exam->options, check->name) && !finds_draft &&
      !(is_wanted(exam->options, quiet_name) && check->of == ADL_OF_STAGE))
    return;
  bool loads = check->of == ADL_OF_FILE || !exam->unloadable;
  adl_finding finding = {ADL_SKIP, -1,
                         g_strdup(loads ? "no parameters are known with which it works" : "it cannot be loaded"), NULL};
  if (loads && (check->of != ADL_OF_STAGE || exam->draft >= 0)) {
    adl_finding_clear(&finding);
    finding = find(exam, check);
  }
  if (finds_draft) exam->draft = finding.draft;
  if (strcmp(check->name, "tables") == 0) exam->unloadable = finding.verdict != ADL_PASS;
  if (finding.noise != NULL && heard->text == NULL && finding.verdict != ADL_CRASH) {
    heard->check = check->name;
    heard->text = g_strdup(finding.noise);
  }
  bool needed = finds_draft && exam->draft < 0; /* what was asked for cannot be checked then */
  if (is_wanted(exam->options, check->name) || needed)
    print_finding(to, exam->id, check->name, check->sentence, &finding);
  adl_finding_clear(&finding);
}

static void run_class(adl_exam *exam, report *to) {
  noise heard = {NULL, NULL};
  exam->draft = -1;
  exam->unloadable = false;
  for (guint t = 0; t < G_N_ELEMENTS(tables); t++)
    for (const adl_check *check = tables[t]; check->name != NULL; check++)
      if ((check->of == ADL_OF_FILE) == (exam->id == NULL)) run_check(exam, check, to, &heard);
  if (exam->id != NULL && is_wanted(exam->options, quiet_name)) {
    adl_finding finding = {ADL_PASS, -1, NULL, NULL};
    if (heard.text != NULL) {
      finding.verdict = ADL_FAIL;
      finding.text = g_strdup_printf("in the check `%s` it wrote: %.*s", heard.check,
                                     (int)MIN(strcspn(heard.text, "\n"), 200), heard.text);
    }
    print_finding(to, exam->id, quiet_name, quiet_sentence, &finding);
    adl_finding_clear(&finding);
  }
  g_free(heard.text);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
  (void)status, (void)type, (void)at;
  return remove(path);
}

/* The files of a check that crashed stay behind: all of them lie in one folder, in memory if there is such a place, since
 * models are made to last on their disk. */
static char *open_folder(void) {
  if (g_getenv("TMPDIR") == NULL && g_access("/dev/shm", W_OK) == 0) g_setenv("TMPDIR", "/dev/shm", TRUE);
  char *folder =
      g_build_filename(g_getenv("TMPDIR") != NULL ? g_getenv("TMPDIR") : "/tmp", "adloom-check-XXXXXX", NULL);
  if (g_mkdtemp(folder) == NULL) g_clear_pointer(&folder, g_free);
  if (folder != NULL) g_setenv("TMPDIR", folder, TRUE);
  return folder;
}

static bool read_note(const char *path, adl_note *note, GString *why) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  struct stat about;
  if (file < 0 || fstat(file, &about) != 0) {
    g_string_append_printf(why, "%s", g_strerror(errno));
    if (file >= 0) close(file);
    return false;
  }
  bool fine = adl_note_read(file, about.st_size, note, why);
  close(file);
  return fine;
}

static bool known_check(const char *name) {
  for (guint t = 0; t < G_N_ELEMENTS(tables); t++)
    for (const adl_check *check = tables[t]; check->name != NULL; check++)
      if (strcmp(check->name, name) == 0) return true;
  return strcmp(name, quiet_name) == 0;
}

/* "kind:id kind:id" */
static void run_classes(adl_exam *exam, report *to) {
  char **ids = g_strsplit(exam->note->ids, " ", -1);
  run_class(exam, to);
  for (char **id = ids; *id != NULL; id++) {
    const char *colon = strchr(*id, ':');
    if (colon == NULL) continue;
    exam->id = colon + 1;
    run_class(exam, to);
  }
  g_strfreev(ids);
}

adl_conform_outcome adl_conform_run(const adl_conform_options *options, FILE *out) {
  for (int i = 0; options->only != NULL && options->only[i] != NULL; i++)
    if (!known_check(options->only[i])) {
      fprintf(out, "Bail out! There is no check `%s`; `adloom plugin check --list` names them.\n", options->only[i]);
      return ADL_CONFORM_IMPOSSIBLE;
    }
  adl_note note = {0};
  GString *why = g_string_new(NULL);
  report to = {.out = out};
  bool plugin = read_note(options->path, &note, why);
  if (!plugin) {
    fprintf(out, "Bail out! %s: %s.\n", options->path, why->str);
  } else {
    char *folder = open_folder();
    adl_exam exam = {.options = options, .note = &note, .draft = -1};
    fprintf(out, "TAP version 13\n# %s: %s %s, seed %" G_GUINT64_FORMAT "\n", options->path, note.id, note.version,
            options->seed);
    run_classes(&exam, &to);
    fprintf(out, "1..%d\n", to.number);
    if (to.failed > 0) fprintf(out, "# %d of %d checks failed\n", to.failed, to.number);
    if (folder != NULL) nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    g_free(folder);
  }
  adl_note_clear(&note);
  g_string_free(why, TRUE);
  return !plugin ? ADL_CONFORM_IMPOSSIBLE : to.failed > 0 ? ADL_CONFORM_FAILED : ADL_CONFORM_PASSED;
}

void adl_conform_list(FILE *out) {
  for (guint t = 0; t < G_N_ELEMENTS(tables); t++)
    for (const adl_check *check = tables[t]; check->name != NULL; check++)
      fprintf(out, "%-12s %s\n", check->name, check->sentence);
  fprintf(out, "%-12s %s\n", quiet_name, quiet_sentence);
}
