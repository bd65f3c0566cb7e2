/* See problem.h. Problems are kept as they come, under one lock; sorting and layout happen when they are printed. */
#include "core/base/problem.h"

#include <pthread.h>
#include <string.h>

#include "core/base/text.h"

enum {
  MAX_KEPT = 500,     /* further ones are only counted */
  MAX_COLUMNS = 100,  /* of a source line that are shown */
  MAX_SEEN = 1000,    /* characters beside the caret that are looked at */
  MAX_MESSAGE = 1000, /* bytes */
  TAB = 8
};

typedef struct source {
  char *name;
  char *text;
  size_t size;
} source;

typedef struct note {
  bool hint;
  adl_place place; /* file is interned in the list */
  char *text;
} note;

struct adl_problem {
  adl_problems *list;
  adl_severity severity;
  adl_place place; /* file is interned in the list */
  int order;
  char *message;
  GPtrArray *notes;
};

struct adl_problems {
  pthread_mutex_t lock;
  GPtrArray *sources;  /* of source *, in the order in which they were made known */
  GStringChunk *names; /* of files */
  GPtrArray *kept;     /* of adl_problem * */
  GHashTable *known;   /* what makes two problems the same -> adl_problem */
  int count[2];        /* by severity */
  int dropped;
  adl_problem *spare; /* stands for all that are only counted */
};

/* ---- making --------------------------------------------------------------------------------------------------- */

static void free_source(gpointer data) {
  source *old = data;
  g_free(old->name);
  g_free(old->text);
  g_free(old);
}

static void free_note(gpointer data) {
  note *old = data;
  g_free(old->text);
  g_free(old);
}

static void free_problem(gpointer data) {
  adl_problem *old = data;
  g_ptr_array_free(old->notes, TRUE);
  g_free(old->message);
  g_free(old);
}

static adl_problem *new_problem(adl_problems *problems, adl_severity severity, adl_place place, char *message) {
  adl_problem *made = g_new0(adl_problem, 1);
  *made = (adl_problem){.list = problems, .severity = severity, .place = place, .message = message};
  made->notes = g_ptr_array_new_with_free_func(free_note);
  return made;
}

adl_problems *adl_problems_new(void) {
  adl_problems *problems = g_new0(adl_problems, 1);
  pthread_mutex_init(&problems->lock, NULL);
  problems->sources = g_ptr_array_new_with_free_func(free_source);
  problems->names = g_string_chunk_new(256);
  problems->kept = g_ptr_array_new_with_free_func(free_problem);
  problems->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  problems->spare = new_problem(problems, ADL_SEVERITY_ERROR, ADL_NO_PLACE, NULL);
  return problems;
}

void adl_problems_free(adl_problems *problems) {
  if (problems == NULL) return;
  g_ptr_array_free(problems->sources, TRUE);
  g_string_chunk_free(problems->names);
  g_hash_table_destroy(problems->known);
  g_ptr_array_free(problems->kept, TRUE);
  free_problem(problems->spare);
  pthread_mutex_destroy(&problems->lock);
  g_free(problems);
}

static source *find_source(adl_problems *problems, const char *name) {
  for (guint i = 0; i < problems->sources->len; i++) {
    source *at = g_ptr_array_index(problems->sources, i);
    if (strcmp(at->name, name) == 0) return at;
  }
  return NULL;
}

void adl_problems_source(adl_problems *problems, const char *file, const char *text, size_t size) {
  pthread_mutex_lock(&problems->lock);
  source *known = find_source(problems, file);
  if (known == NULL) {
    known = g_new0(source, 1);
    known->name = g_strdup(file);
    g_ptr_array_add(problems->sources, known);
  }
  g_free(known->text);
  known->text = g_strndup("", 0);
  if (size > 0) {
    known->text = g_realloc(known->text, size);
    memcpy(known->text, text, size);
  }
  known->size = size;
  pthread_mutex_unlock(&problems->lock);
}

/* A message is one line of bounded length and cannot play tricks on the terminal. */
static char *clean(const char *format, va_list args) {
  char *raw = g_strdup_vprintf(format, args);
  GString *out = g_string_new(NULL);
  size_t left = strlen(raw);
  for (const char *at = raw; left > 0;) {
    if (out->len >= MAX_MESSAGE) {
      g_string_append(out, "...");
      break;
    }
    gunichar c;
    size_t bytes = adl_text_char(at, left, &c);
    if (c == '\n' || c == '\t') c = ' ';
    g_string_append_unichar(out, adl_text_char_unsafe(c) ? 0xfffd : c);
    at += bytes;
    left -= bytes;
  }
  g_free(raw);
  return g_string_free(out, FALSE);
}

/* With the lock held. */
static adl_place intern(adl_problems *problems, adl_place place) {
  if (place.file != NULL) place.file = g_string_chunk_insert_const(problems->names, place.file);
  return place;
}

adl_problem *adl_problems_add(adl_problems *problems, adl_severity severity, adl_place place, const char *format,
                              va_list args) {
  char *message = clean(format, args);
  char *key = g_strdup_printf("%d %s:%d:%d: %s", (int)severity, place.file != NULL ? place.file : "", place.line,
                              place.column, message);
  pthread_mutex_lock(&problems->lock);
  adl_problem *found = g_hash_table_lookup(problems->known, key);
  if (found == NULL) {
    problems->count[severity]++;
    if (problems->kept->len < MAX_KEPT) {
      found = new_problem(problems, severity, intern(problems, place), message);
      message = NULL;
      found->order = (int)problems->kept->len;
      g_ptr_array_add(problems->kept, found);
      g_hash_table_insert(problems->known, key, found);
      key = NULL;
    } else {
      problems->dropped++;
      found = problems->spare;
    }
  }
  pthread_mutex_unlock(&problems->lock);
  g_free(message);
  g_free(key);
  return found;
}

adl_problem *adl_problems_error(adl_problems *problems, adl_place place, const char *format, ...) {
  va_list args;
  va_start(args, format);
  adl_problem *made = adl_problems_add(problems, ADL_SEVERITY_ERROR, place, format, args);
  va_end(args);
  return made;
}

adl_problem *adl_problems_warning(adl_problems *problems, adl_place place, const char *format, ...) {
  va_list args;
  va_start(args, format);
  adl_problem *made = adl_problems_add(problems, ADL_SEVERITY_WARNING, place, format, args);
  va_end(args);
  return made;
}

static bool same_place(adl_place a, adl_place b) {
  return g_strcmp0(a.file, b.file) == 0 && a.line == b.line && a.column == b.column;
}

/* Takes over the text. */
static void add_note(adl_problem *problem, bool hint, adl_place place, char *text) {
  adl_problems *problems = problem->list;
  pthread_mutex_lock(&problems->lock);
  bool wanted = problem != problems->spare;
  for (guint i = 0; i < problem->notes->len && wanted; i++) {
    const note *known = g_ptr_array_index(problem->notes, i);
    if (strcmp(known->text, text) == 0 && same_place(known->place, place)) wanted = false;
  }
  if (wanted) {
    note *made = g_new0(note, 1);
    *made = (note){.hint = hint, .place = intern(problems, place), .text = text};
    g_ptr_array_add(problem->notes, made);
  } else {
    g_free(text);
  }
  pthread_mutex_unlock(&problems->lock);
}

void adl_problem_note(adl_problem *problem, adl_place place, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add_note(problem, false, place, clean(format, args));
  va_end(args);
}

void adl_problem_hint(adl_problem *problem, const char *format, ...) {
  va_list args;
  va_start(args, format);
  add_note(problem, true, ADL_NO_PLACE, clean(format, args));
  va_end(args);
}

static int count_of(adl_problems *problems, adl_severity severity) {
  pthread_mutex_lock(&problems->lock);
  int count = problems->count[severity];
  pthread_mutex_unlock(&problems->lock);
  return count;
}

int adl_problems_errors(adl_problems *problems) { return count_of(problems, ADL_SEVERITY_ERROR); }
int adl_problems_warnings(adl_problems *problems) { return count_of(problems, ADL_SEVERITY_WARNING); }

void adl_problems_count_text(adl_problems *problems, GString *out) {
  int errors = adl_problems_errors(problems), warnings = adl_problems_warnings(problems);
  if (errors > 0) g_string_append_printf(out, "%d error%s", errors, errors == 1 ? "" : "s");
  if (errors > 0 && warnings > 0) g_string_append(out, " and ");
  if (warnings > 0) g_string_append_printf(out, "%d warning%s", warnings, warnings == 1 ? "" : "s");
  if (errors + warnings == 0) g_string_append(out, "no problems");
}

/* ---- printing ------------------------------------------------------------------------------------------------- */

typedef struct printer {
  adl_problems *problems;
  GString *out;
  bool colour;
} printer;

static void paint(printer *to, const char *code) {
  if (to->colour) g_string_append_printf(to->out, "\033[%sm", code);
}

/* The text of a line, without its end; false: there is no such line. Lines end with LF, CR LF or CR. */
static bool find_line(const source *from, int line, const char **text, size_t *size) {
  size_t at = 0;
  for (int number = 1;; number++) {
    size_t end = at;
    while (end < from->size && from->text[end] != '\n' && from->text[end] != '\r') end++;
    if (number == line) {
      *text = from->text + at;
      *size = end - at;
      return true;
    }
    if (end == from->size) return false;
    at = end + 1;
    if (from->text[end] == '\r' && at < from->size && from->text[at] == '\n') at++;
  }
}

/* One character of a source line as it will stand on the screen; columns count from 0. */
typedef struct cell {
  gunichar c;
  int column;
  int width;
} cell;

/* A source line laid out. Very long lines are cut to the neighbourhood of the caret first. */
typedef struct layout {
  GArray *cells;
  bool cut;     /* something in front is missing */
  bool more;    /* something behind is missing */
  int columns;  /* of all cells */
  int from, to; /* columns of the caret, [from, to) */
} layout;

static cell make_cell(gunichar c, int column) {
  if (c == '\t') return (cell){' ', column, TAB - column % TAB};
  if (adl_text_char_unsafe(c)) c = 0xfffd;
  return (cell){c, column, adl_text_char_width(c)};
}

static layout lay_out(const char *text, size_t size, adl_place place) {
  layout made = {.cells = g_array_new(FALSE, FALSE, sizeof(cell)), .from = -1, .to = -1};
  int character = 1, column = 0, last = place.column + MAX(place.width, 1);
  for (gunichar c; size > 0 && place.column - character > MAX_SEEN; character++) {
    size_t bytes = adl_text_char(text, size, &c);
    text += bytes;
    size -= bytes;
    made.cut = true;
  }
  for (; size > 0 && character - place.column < MAX_SEEN; character++) {
    gunichar c;
    size_t bytes = adl_text_char(text, size, &c);
    cell next = make_cell(c, column);
    if (character == place.column) {
      made.from = next.width == 0 && column > 0 ? column - 1 : column;
      if (c == '\t' && place.width <= 1) made.to = column + 1;
    }
    if (character == last && made.to < 0) made.to = column;
    g_array_append_val(made.cells, next);
    column += next.width;
    text += bytes;
    size -= bytes;
  }
  made.more = size > 0;
  made.columns = column;
  /* Behind the last character there is one column for each. */
  if (made.from < 0) made.from = column + MAX(place.column - character, 0);
  if (made.to < 0) made.to = column;
  made.to = MAX(made.to, made.from + 1);
  return made;
}

/* Under the line number's bar: blanks, the caret and its tail. */
static void print_caret(printer *to, int blanks, int width) {
  g_string_append(to->out, "      | ");
  for (int i = 0; i < blanks; i++) g_string_append_c(to->out, ' ');
  paint(to, "1;32");
  g_string_append_c(to->out, '^');
  for (int i = 1; i < width; i++) g_string_append_c(to->out, '~');
  paint(to, "0");
  g_string_append_c(to->out, '\n');
}

/* The source line of a place with its caret; of a long line, a window with the caret in its first third. */
static void print_line(printer *to, adl_place place) {
  source *from = place.file != NULL && place.line > 0 ? find_source(to->problems, place.file) : NULL;
  const char *text;
  size_t size;
  if (from == NULL || !find_line(from, place.line, &text, &size)) return;

  layout line = lay_out(text, size, place);
  int left = 0, right = MAX(line.columns, line.from);
  if (right > MAX_COLUMNS) {
    left = MAX(0, MIN(line.from - MAX_COLUMNS / 3, line.columns - MAX_COLUMNS));
    right = left + MAX_COLUMNS;
  }
  bool cut = line.cut || left > 0;
  g_string_append_printf(to->out, "%5d | %s", place.line, cut ? "..." : "");
  int shown_from = -1;
  for (guint i = 0; i < line.cells->len; i++) {
    const cell *at = &g_array_index(line.cells, cell, i);
    if (at->column < left || at->column + at->width > right) continue;
    if (shown_from < 0 && at->width == 0) continue; /* belongs to a character that was cut */
    if (shown_from < 0) shown_from = at->column;
    if (at->c != ' ') {
      g_string_append_unichar(to->out, at->c);
    } else {
      for (int j = 0; j < at->width; j++) g_string_append_c(to->out, ' ');
    }
  }
  g_string_append(to->out, line.more || right < line.columns ? "...\n" : "\n");
  int end = MAX(MIN(line.to, right), line.from + 1);
  print_caret(to, line.from - MAX(shown_from, 0) + (cut ? 3 : 0), end - line.from);
  g_array_free(line.cells, TRUE);
}

static void print_place(printer *to, adl_place place) {
  if (place.file == NULL) return;
  paint(to, "1");
  g_string_append(to->out, place.file);
  if (place.line > 0) g_string_append_printf(to->out, ":%d:%d", place.line, MAX(place.column, 1));
  g_string_append(to->out, ": ");
  paint(to, "0");
}

static void print_problem(printer *to, const adl_problem *problem) {
  bool error = problem->severity == ADL_SEVERITY_ERROR;
  print_place(to, problem->place);
  paint(to, error ? "1;31" : "1;35");
  g_string_append(to->out, error ? "error: " : "warning: ");
  paint(to, "0");
  g_string_append_printf(to->out, "%s\n", problem->message);
  print_line(to, problem->place);
  for (guint i = 0; i < problem->notes->len; i++) {
    const note *at = g_ptr_array_index(problem->notes, i);
    g_string_append(to->out, "   ");
    print_place(to, at->place);
    paint(to, "1;36");
    g_string_append(to->out, at->hint ? "hint: " : "note: ");
    paint(to, "0");
    g_string_append_printf(to->out, "%s\n", at->text);
    print_line(to, at->place);
  }
}

/* Files in the order in which they became known, others behind them by name, no file at all last. */
static int rank(adl_problems *problems, const char *file) {
  if (file == NULL) return G_MAXINT;
  for (guint i = 0; i < problems->sources->len; i++) {
    const source *at = g_ptr_array_index(problems->sources, i);
    if (strcmp(at->name, file) == 0) return (int)i;
  }
  return G_MAXINT - 1;
}

static int compare(gconstpointer a, gconstpointer b, gpointer data) {
  const adl_problem *x = *(adl_problem *const *)a, *y = *(adl_problem *const *)b;
  int rank_x = rank(data, x->place.file), rank_y = rank(data, y->place.file);
  if (rank_x != rank_y) return rank_x < rank_y ? -1 : 1;
  int names = g_strcmp0(x->place.file, y->place.file);
  if (names != 0) return names;
  if (x->place.line != y->place.line) return x->place.line < y->place.line ? -1 : 1;
  if (x->place.column != y->place.column) return x->place.column < y->place.column ? -1 : 1;
  return x->order < y->order ? -1 : x->order > y->order;
}

void adl_problems_print(adl_problems *problems, GString *out, bool colour) {
  pthread_mutex_lock(&problems->lock);
  printer to = {problems, out, colour};
  GPtrArray *sorted = g_ptr_array_sized_new(problems->kept->len);
  for (guint i = 0; i < problems->kept->len; i++) g_ptr_array_add(sorted, g_ptr_array_index(problems->kept, i));
  g_ptr_array_sort_with_data(sorted, compare, problems);
  for (guint i = 0; i < sorted->len; i++) print_problem(&to, g_ptr_array_index(sorted, i));
  g_ptr_array_free(sorted, TRUE);
  if (problems->dropped > 0) g_string_append_printf(out, "and %d more that are not shown\n", problems->dropped);
  pthread_mutex_unlock(&problems->lock);
}
