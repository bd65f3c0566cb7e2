#include "core/cli/draft.h"

#include <string.h>

#include "core/base/text.h"

enum { CLUSTERS = 8, LEAST_JUDGED = 10 /* rows from which some are held out */ };

typedef struct draft {
  const char *path;
  const adl_sample *sample;
  const adl_guess *guesses;
  const adl_guess *time, *text, *label, *key;
  guint numbers, categories;
  GString *out;
} draft;

/* ---- pieces of YAML ---- */

static bool plain(const char *text) {
  return g_regex_match_simple("^[A-Za-z_][A-Za-z0-9_]*$", text, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT) &&
         !g_regex_match_simple("^(true|false|null|yes|no|on|off|y|n)$", text, G_REGEX_CASELESS, G_REGEX_MATCH_DEFAULT);
}

static void put_key(GString *out, const char *text) {
  if (plain(text))
    g_string_append(out, text);
  else
    adl_text_json_string(out, text);
}

/* In values, though not in keys, ${...} would be taken for a variable, in quotes as well: $${ is a plain one. */
static void put_text(GString *out, const char *text) {
  GString *quoted = g_string_new(NULL);
  put_key(quoted, text);
  g_string_replace(quoted, "${", "$${", 0);
  g_string_append(out, quoted->str);
  g_string_free(quoted, TRUE);
}

/* A column in an expression. */
static void put_operand(GString *out, const char *name) {
  g_string_append_printf(out, plain(name) ? "%s" : "`%s`", name);
}

/* A text in a comment: one line. */
static void put_comment(GString *out, const char *text) {
  for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c))
    g_string_append_unichar(out, adl_text_char_unsafe(g_utf8_get_char(c)) ? ' ' : g_utf8_get_char(c));
}

static const adl_guess *at(const draft *d, guint i) { return &d->guesses[i]; }

static guint count(const draft *d) { return d->sample->columns->len; }

/* "[a, b]": the columns for which `holds`. */
static void put_list(const draft *d, bool (*holds)(const draft *, const adl_guess *), const char *more) {
  bool first = true;
  g_string_append_c(d->out, '[');
  for (guint i = 0; i < count(d); i++) {
    if (!holds(d, at(d, i))) continue;
    g_string_append(d->out, first ? "" : ", ");
    put_text(d->out, at(d, i)->column->name);
    first = false;
  }
  if (more != NULL) g_string_append_printf(d->out, "%s%s", first ? "" : ", ", more);
  g_string_append_c(d->out, ']');
}

static bool is_number(const draft *d, const adl_guess *guess) {
  (void)d;
  return guess->kind == ADL_GUESS_NUMBER;
}

/* What a click is learned from beside numbers and words. A bool is a category of two. */
static bool is_category(const draft *d, const adl_guess *guess) {
  bool fits = guess->kind == ADL_GUESS_CATEGORY || guess->kind == ADL_GUESS_BOOL || guess->kind == ADL_GUESS_LIST;
  return fits && guess != d->label && !(guess->kind == ADL_GUESS_LIST && strcmp(guess->type, "strings") != 0) &&
         (guess->distinct < guess->values || guess->values < 10 || guess->kind == ADL_GUESS_LIST);
}

/* ---- what plays which part ---- */

static int label_rank(const adl_guess *guess) {
  static const char *const names[] = {"click",  "label",  "target", "purchas", "buy",
                                      "bought", "conver", "redeem", "revenue"};
  char *lower = g_ascii_strdown(guess->column->name, -1);
  int rank = guess->kind == ADL_GUESS_BOOL ? 20 : 30;
  for (int i = 0; i < (int)G_N_ELEMENTS(names); i++)
    if (strstr(lower, names[i]) != NULL) rank = MIN(rank, i);
  g_free(lower);
  return rank;
}

static void cast(draft *d) {
  for (guint i = 0; i < count(d); i++) {
    const adl_guess *guess = at(d, i);
    if (guess->kind == ADL_GUESS_TIME && d->time == NULL) d->time = guess;
    if (guess->kind == ADL_GUESS_TEXT && (d->text == NULL || guess->distinct > d->text->distinct)) d->text = guess;
    if (guess->key && d->key == NULL) d->key = guess;
    if (guess->label && (d->label == NULL || label_rank(guess) < label_rank(d->label))) d->label = guess;
  }
  for (guint i = 0; i < count(d); i++) {
    d->numbers += is_number(d, at(d, i));
    d->categories += is_category(d, at(d, i));
  }
}

/* ---- the source ---- */

static const char *part_of(const draft *d, const adl_guess *guess) {
  return guess == d->label  ? "; what is predicted"
         : guess == d->time ? "; the time of a row"
         : guess == d->key  ? "; whose row it is"
         : guess == d->text ? "; becomes words"
                            : "";
}

static void put_column(const draft *d, const adl_guess *guess) {
  GString *out = d->out;
  const char *type = guess->kind == ADL_GUESS_SKIP && d->sample->json ? NULL : guess->type;
  g_string_append(out, type == NULL ? "      # " : "      ");
  put_key(out, guess->column->name);
  g_string_append_printf(out, ": %s", type != NULL ? type : "?");
  const char *what = guess->kind == ADL_GUESS_TEXT ? guess->chinese ? "text, Chinese, " : "text, " : "";
  if (guess->values == 0)
    g_string_append(out, " # empty in the rows that were looked at");
  else if (guess->kind == ADL_GUESS_SKIP)
    g_string_append(out, " # of several kinds");
  else if (guess->kind == ADL_GUESS_LIST)
    g_string_append(out, " # lists");
  else
    g_string_append_printf(out, " # %s%u different %s in %u%s%s", what, guess->distinct,
                           guess->distinct == 1 ? "value" : "values", guess->values,
                           guess->label && guess != d->label ? "; could be predicted, too" : "", part_of(d, guess));
  if (guess->values < d->sample->rows && guess->values > 0)
    g_string_append_printf(out, "; missing in %u", d->sample->rows - guess->values);
  g_string_append_c(out, '\n');
}

static void put_format(const draft *d) {
  const adl_sample *sample = d->sample;
  if (sample->json) return;
  if (!sample->header)
    g_string_append(d->out, "    header: false # the first line holds values; the names are made up\n");
  if (sample->delimiter != NULL) g_string_append_printf(d->out, "    delimiter: %s\n", sample->delimiter);
  bool padded = false;
  GPtrArray *marks = g_ptr_array_new();
  for (guint i = 0; i < count(d); i++) {
    padded = padded || at(d, i)->padded;
    const char *mark = at(d, i)->missing;
    if (mark != NULL && !g_ptr_array_find_with_equal_func(marks, mark, g_str_equal, NULL))
      g_ptr_array_add(marks, (gpointer)mark);
  }
  if (padded) g_string_append(d->out, "    trim: true # there are blanks around values\n");
  if (marks->len > 0) g_string_append(d->out, "    nulls: [\"NULL\", \"null\", \"\\\\N\"");
  for (guint i = 0; i < marks->len; i++) g_string_append_printf(d->out, ", \"%s\"", (const char *)marks->pdata[i]);
  if (marks->len > 0) g_string_append(d->out, "] # what stands for a missing value\n");
  g_ptr_array_free(marks, TRUE);
}

static void put_paths(const draft *d) {
  bool any = false;
  for (guint i = 0; i < count(d); i++) {
    const adl_guess *guess = at(d, i);
    if (guess->column->path == NULL || guess->kind == ADL_GUESS_SKIP) continue;
    if (!any) g_string_append(d->out, "    paths:\n");
    any = true;
    g_string_append(d->out, "      ");
    put_key(d->out, guess->column->name);
    g_string_append(d->out, ": ");
    put_text(d->out, guess->column->path);
    g_string_append_c(d->out, '\n');
  }
}

static void put_source(const draft *d) {
  GString *out = d->out;
  g_string_append_printf(out, "  log:\n    use: %s\n    path: ", d->sample->json ? "read-jsonl" : "read-csv");
  put_text(out, d->path);
  g_string_append_c(out, '\n');
  put_format(d);
  g_string_append(
      out,
      "    # id: a name or number of something; string: text; also category, int, float, bool, date, timestamp, skip\n"
      "    columns:\n");
  for (guint i = 0; i < count(d); i++) put_column(d, at(d, i));
  put_paths(d);
  if (d->label == NULL || d->sample->rows < LEAST_JUDGED) return;
  if (d->time != NULL) {
    g_string_append(
        out, "    # nothing learns from the newest fifth: it is there to judge by\n    holdout: {newest: 0.2, by: ");
    put_text(out, d->time->column->name);
    g_string_append(out, "}\n");
  } else {
    g_string_append(
        out, "    # nothing learns from a fifth of the rows: it is there to judge by\n    holdout: {fraction: 0.2}\n");
  }
}

/* ---- the stages behind ---- */

/* Rows of which the part that matters is there. */
static void put_filter(const draft *d, const char *stage, const adl_guess *guess) {
  if (guess->values == d->sample->rows && guess->missing == NULL) return;
  GString *where = g_string_new(NULL);
  put_operand(where, guess->column->name);
  g_string_append(where, " is not null");
  g_string_append_printf(d->out, "  %s: {use: filter, where: ", stage);
  put_text(d->out, where->str);
  g_string_append(d->out, "}\n");
  g_string_free(where, TRUE);
}

static void put_profile(const draft *d) {
  GString *out = d->out;
  if (d->text != NULL) {
    g_string_append_printf(out, "\n  # what the texts are about: weighted words%s, and clusters of them\n",
                           d->text->chinese ? " (ICU's dictionary splits Chinese; `dictionary` takes another)" : "");
    g_string_append(out, "  words: {use: tfidf, text: ");
    put_text(out, d->text->column->name);
    g_string_append(out, ", as: words, sublinear: true}\n");
  }
  if (d->numbers > 0) {
    g_string_append(out,
                    "\n  # numbers on one scale; a missing one counts as the mean\n  scaled: {use: scale, columns: ");
    put_list(d, is_number, NULL);
    g_string_append(out, ", null: mean, as: scaled}\n");
  }
  if (d->text == NULL && d->numbers == 0 && d->categories > 0) {
    g_string_append(out, "\n  # a dimension for each value\n  traits: {use: hash, columns: ");
    put_list(d, is_category, NULL);
    g_string_append(out, ", bits: 12, as: traits}\n");
  }
  const char *features = d->text != NULL ? "words" : d->numbers > 0 ? "scaled" : d->categories > 0 ? "traits" : NULL;
  if (features != NULL)
    g_string_append_printf(out,
                           "  # rows that are alike; try other numbers of clusters: --set segment.clusters=12\n"
                           "  segment: {use: kmeans, features: [%s], clusters: %u, as: segment%s}\n",
                           features, CLAMP(d->sample->rows / 3, 1, CLUSTERS), d->text != NULL ? ", about: about" : "");
}

static bool has_profile(const draft *d) { return d->text != NULL || d->numbers > 0 || d->categories > 0; }

/* The label as truth value; its name in `name`. */
static void put_label(const draft *d, GString *name) {
  if (d->label->kind == ADL_GUESS_BOOL) {
    put_text(name, d->label->column->name);
    return;
  }
  GString *test = g_string_new(NULL);
  put_operand(test, d->label->column->name);
  char **parts = g_strsplit(d->label->positive, "'", -1), *value = g_strjoinv("''", parts);
  g_string_append_printf(test, " = '%s'", value);
  g_string_append(name, "is_true");
  g_string_append_printf(d->out, "  truth: {use: derive, columns: {%s: ", name->str);
  put_text(d->out, test->str);
  g_string_append(d->out, "}}\n");
  g_strfreev(parts);
  g_free(value);
  g_string_free(test, TRUE);
}

static void put_learner(const draft *d) {
  GString *out = d->out, *label = g_string_new(NULL);
  bool inputs = d->categories > 0 || d->text != NULL;
  g_string_append(
      out, "\n  # who will, who will not: learned from the rows that are not held out, judged on those that are\n");
  put_filter(d, "labelled", d->label);
  put_label(d, label);
  if (inputs) {
    g_string_append(out, "  inputs: {use: hash, columns: ");
    put_list(d, is_category, d->text != NULL ? "segment, words" : has_profile(d) ? "segment" : NULL);
    g_string_append(out, ", bits: 18, as: x}\n");
  }
  g_string_append_printf(out, "  predict: {use: lbfgs, features: [%s%s%s], label: %s, l2: 1e-4, as: p}\n",
                         inputs ? "x" : "", inputs && d->numbers > 0 ? ", " : "", d->numbers > 0 ? "scaled" : "",
                         label->str);
  g_string_append_printf(out, "  quality: {use: metrics, label: %s, score: p}\n", label->str);
  g_string_free(label, TRUE);
}

static void put_sink(const draft *d) {
  GString *out = d->out;
  bool predicts = d->label != NULL;
  g_string_append_printf(out, "\n  out: {use: write-csv, %spath: out.csv, columns: [",
                         predicts ? "from: predict, " : "");
  const adl_guess *shown[] = {d->key, d->time, d->label};
  bool any = false;
  for (size_t i = 0; i < G_N_ELEMENTS(shown); i++) {
    if (shown[i] == NULL) continue;
    g_string_append(out, any ? ", " : "");
    put_text(out, shown[i]->column->name);
    any = true;
  }
  if (has_profile(d)) g_string_append_printf(out, "%ssegment", any ? ", " : "");
  if (has_profile(d) && d->text != NULL) g_string_append(out, ", about");
  if (predicts) g_string_append(out, ", p");
  g_string_append(out, "]}\n");
}

void adl_draft(const char *path, const adl_sample *sample, const adl_guess *guesses, GString *out) {
  draft d = {.path = path, .sample = sample, .guesses = guesses, .out = out};
  cast(&d);
  g_string_append(out, "# A first pipeline for ");
  put_comment(out, path);
  g_string_append_printf(out, ", made by `adloom init` from %s%u %s: what it guessed stands in comments.\n",
                         sample->rows > 1 ? "its first " : "its only ", sample->rows,
                         sample->rows == 1 ? "row" : "rows");
  if (d.label == NULL)
    g_string_append(
        out,
        "# No column looks like something to predict (a truth value, or two texts), so there are profiles only.\n");
  g_string_append(out, "adloom: 1\nseed: 42\n\nstages:\n");
  put_source(&d);
  if (has_profile(&d)) put_profile(&d);
  if (d.label != NULL && (d.categories > 0 || d.text != NULL || d.numbers > 0)) {
    put_learner(&d);
  } else {
    d.label = NULL;
  }
  put_sink(&d);
}
