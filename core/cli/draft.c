#include "core/cli/draft_parts.h"

#include <string.h>

#include "core/cli/sample_parts.h"

enum { CLUSTERS = 8 };

bool adl_draft_is_outcome(const adl_draft_plan *plan, const adl_guess *guess) {
  return plan->label != NULL && guess != plan->label && guess->outcome;
}

bool adl_draft_is_number(const adl_draft_plan *plan, const adl_guess *guess) {
  return guess->kind == ADL_GUESS_NUMBER && guess != plan->label && !adl_draft_is_outcome(plan, guess);
}

/* A bool is a category of two. */
bool adl_draft_is_category(const adl_draft_plan *plan, const adl_guess *guess) {
  if (guess == plan->label || adl_draft_is_outcome(plan, guess)) return false;
  if (guess->kind == ADL_GUESS_LIST) return strcmp(guess->type, "strings") == 0;
  return guess->kind == ADL_GUESS_BOOL || (guess->kind == ADL_GUESS_CATEGORY && !guess->own && !guess->unread);
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

static void cast(adl_draft_plan *plan) {
  for (guint i = 0; i < adl_draft_count(plan); i++) {
    const adl_guess *guess = adl_draft_at(plan, i);
    /* The time of the most rows: of a purchase there often is none. Of a single one all rows would be the newest. */
    bool time = guess->kind == ADL_GUESS_TIME && guess->distinct > 1;
    if (time && (plan->time == NULL || guess->values > plan->time->values)) plan->time = guess;
    if (guess->kind == ADL_GUESS_TEXT && (plan->text == NULL || guess->distinct > plan->text->distinct))
      plan->text = guess;
    if (guess->key && plan->key == NULL) plan->key = guess;
    if (guess->label && (plan->label == NULL || label_rank(guess) < label_rank(plan->label))) plan->label = guess;
  }
}

static void count_parts(adl_draft_plan *plan) {
  plan->numbers = plan->categories = 0;
  for (guint i = 0; i < adl_draft_count(plan); i++) {
    plan->numbers += adl_draft_is_number(plan, adl_draft_at(plan, i));
    plan->categories += adl_draft_is_category(plan, adl_draft_at(plan, i));
  }
}

static bool has_profile(const adl_draft_plan *plan) {
  return plan->text != NULL || plan->numbers > 0 || plan->categories > 0;
}

/* A label without anything to learn it from is a column like others. */
static void give_up_label(adl_draft_plan *plan) {
  if (plan->label == NULL || has_profile(plan)) return;
  plan->given_up = plan->label;
  plan->label = NULL;
  count_parts(plan);
}

static void name_made(adl_draft_plan *plan) {
  static const char *const names[ADL_MADE_COUNT] = {"words", "scaled",  "traits", "segment",
                                                    "about", "is_true", "x",      "p"};
  for (int i = 0; i < ADL_MADE_COUNT; i++) {
    char *name = g_strdup(names[i]);
    for (int number = 2; adl_sample_has_column(plan->sample, name); number++) {
      g_free(name);
      name = g_strdup_printf("%s_%d", names[i], number);
    }
    plan->made[i] = name;
  }
}

/* ---- the stages behind ---- */

/* Rows of which the part that matters is there. */
static void put_filter(const adl_draft_plan *plan, const char *stage, const adl_guess *guess) {
  if (guess->values == plan->sample->rows && guess->missing == NULL) return;
  GString *where = g_string_new(NULL);
  adl_draft_put_operand(where, guess->column->name);
  g_string_append(where, " is not null");
  g_string_append_printf(plan->out, "  %s: {use: filter, where: ", stage);
  adl_draft_put_text(plan->out, where->str);
  g_string_append(plan->out, "}\n");
  g_string_free(where, TRUE);
}

/* Ends a stage that makes a column. */
static void put_as(const adl_draft_plan *plan, adl_draft_made made, const char *more) {
  g_string_append_printf(plan->out, ", as: %s%s}\n", plan->made[made], more);
}

static void put_words(const adl_draft_plan *plan) {
  g_string_append_printf(plan->out, "\n  # what the texts are about: weighted words%s, and clusters of them\n",
                         plan->text->chinese ? " (ICU's dictionary splits Chinese; `dictionary` takes another)" : "");
  g_string_append(plan->out, "  words: {use: tfidf, text: ");
  adl_draft_put_text(plan->out, plan->text->column->name);
  put_as(plan, ADL_MADE_WORDS, ", sublinear: true");
}

static void put_scaled(const adl_draft_plan *plan) {
  g_string_append(plan->out, "\n  # numbers on one scale; a missing one counts as the mean\n"
                             "  scaled: {use: scale, columns: ");
  adl_draft_put_list(plan, adl_draft_is_number, NULL);
  g_string_append(plan->out, ", null: mean");
  put_as(plan, ADL_MADE_SCALED, "");
}

static void put_traits(const adl_draft_plan *plan) {
  g_string_append(plan->out, "\n  # a dimension for each value\n  traits: {use: hash, columns: ");
  adl_draft_put_list(plan, adl_draft_is_category, NULL);
  g_string_append(plan->out, ", bits: 12");
  put_as(plan, ADL_MADE_TRAITS, "");
}

static void put_profile(const adl_draft_plan *plan) {
  adl_draft_made features = plan->text != NULL ? ADL_MADE_WORDS : plan->numbers > 0 ? ADL_MADE_SCALED : ADL_MADE_TRAITS;
  if (plan->text != NULL) put_words(plan);
  if (plan->numbers > 0) put_scaled(plan);
  if (features == ADL_MADE_TRAITS) put_traits(plan);
  g_string_append_printf(plan->out,
                         "  # rows that are alike; try other numbers of clusters: --set segment.clusters=12\n"
                         "  segment: {use: kmeans, features: [%s], clusters: %u, as: %s",
                         plan->made[features], CLAMP(plan->sample->rows / 3, 1, CLUSTERS),
                         plan->made[ADL_MADE_SEGMENT]);
  if (plan->text != NULL) g_string_append_printf(plan->out, ", about: %s", plan->made[ADL_MADE_ABOUT]);
  g_string_append(plan->out, "}\n");
}

/* What makes a label true that is no bool: `kind = 'bought'`, `y = 1`. */
static void put_test(GString *test, const adl_guess *label) {
  adl_draft_put_operand(test, label->column->name);
  if (label->kind == ADL_GUESS_NUMBER) {
    g_string_append_printf(test, " = %s", label->positive);
    return;
  }
  char **parts = g_strsplit(label->positive, "'", -1), *value = g_strjoinv("''", parts);
  g_string_append_printf(test, " = '%s'", value);
  g_strfreev(parts);
  g_free(value);
}

/* The label as truth value; its name in `name`. */
static void put_label(const adl_draft_plan *plan, GString *name) {
  if (plan->label->kind == ADL_GUESS_BOOL) {
    adl_draft_put_text(name, plan->label->column->name);
    return;
  }
  GString *test = g_string_new(NULL);
  put_test(test, plan->label);
  g_string_append(name, plan->made[ADL_MADE_TRUE]);
  g_string_append_printf(plan->out, "  truth: {use: derive, columns: {%s: ", name->str);
  adl_draft_put_text(plan->out, test->str);
  g_string_append(plan->out, "}}\n");
  g_string_free(test, TRUE);
}

static bool has_outcomes(const adl_draft_plan *plan) {
  bool any = false;
  for (guint i = 0; i < adl_draft_count(plan); i++) any = any || adl_draft_is_outcome(plan, adl_draft_at(plan, i));
  return any;
}

static void put_outcomes(const adl_draft_plan *plan) {
  if (!has_outcomes(plan)) return;
  g_string_append(plan->out,
                  "  # left out, since they may be known only afterwards, which would give the answer away: ");
  bool first = true;
  for (guint i = 0; i < adl_draft_count(plan); i++) {
    if (!adl_draft_is_outcome(plan, adl_draft_at(plan, i))) continue;
    g_string_append(plan->out, first ? "" : ", ");
    adl_draft_put_comment(plan->out, adl_draft_at(plan, i)->column->name);
    first = false;
  }
  g_string_append(plan->out, ".\n  # To learn from one that is known before, add it to `columns` of `inputs`.\n");
}

static void put_inputs(const adl_draft_plan *plan) {
  GString *more = g_string_new(plan->made[ADL_MADE_SEGMENT]);
  if (plan->text != NULL) g_string_append_printf(more, ", %s", plan->made[ADL_MADE_WORDS]);
  g_string_append(plan->out, "  inputs: {use: hash, columns: ");
  adl_draft_put_list(plan, adl_draft_is_category, more->str);
  g_string_append(plan->out, ", bits: 18");
  put_as(plan, ADL_MADE_X, "");
  g_string_free(more, TRUE);
}

static void put_learner(const adl_draft_plan *plan) {
  GString *out = plan->out, *label = g_string_new(NULL);
  bool inputs = plan->categories > 0 || plan->text != NULL || has_outcomes(plan), numbers = plan->numbers > 0;
  g_string_append(
      out, "\n  # who will, who will not: learned from the rows that are not held out, judged on those that are\n");
  put_filter(plan, "labelled", plan->label);
  put_label(plan, label);
  put_outcomes(plan);
  if (inputs) put_inputs(plan);
  g_string_append_printf(out, "  predict: {use: lbfgs, features: [%s%s%s], label: %s, l2: 1e-4",
                         inputs ? plan->made[ADL_MADE_X] : "", inputs && numbers ? ", " : "",
                         numbers ? plan->made[ADL_MADE_SCALED] : "", label->str);
  put_as(plan, ADL_MADE_P, "");
  g_string_append_printf(out, "  quality: {use: metrics, label: %s, score: %s}\n", label->str, plan->made[ADL_MADE_P]);
  g_string_free(label, TRUE);
}

static void put_name(const adl_draft_plan *plan, bool *any, const char *name) {
  g_string_append(plan->out, *any ? ", " : "");
  adl_draft_put_text(plan->out, name);
  *any = true;
}

static void put_sink(const adl_draft_plan *plan) {
  bool predicts = plan->label != NULL, profile = has_profile(plan), any = false;
  g_string_append_printf(plan->out, "\n  out: {use: write-csv, %spath: out.csv, columns: [",
                         predicts ? "from: predict, " : "");
  const adl_guess *shown[] = {plan->key, plan->time, plan->label};
  for (size_t i = 0; i < G_N_ELEMENTS(shown); i++)
    if (shown[i] != NULL) put_name(plan, &any, shown[i]->column->name);
  if (profile) put_name(plan, &any, plan->made[ADL_MADE_SEGMENT]);
  if (profile && plan->text != NULL) put_name(plan, &any, plan->made[ADL_MADE_ABOUT]);
  if (predicts) put_name(plan, &any, plan->made[ADL_MADE_P]);
  for (guint i = 0; i < adl_draft_count(plan) && !any; i++) /* nothing to make profiles of either */
    if (adl_draft_at(plan, i)->kind != ADL_GUESS_SKIP) put_name(plan, &any, adl_draft_at(plan, i)->column->name);
  g_string_append(plan->out, "]}\n");
}

/* ---- the whole ---- */

static void put_head(const adl_draft_plan *plan) {
  const adl_sample *sample = plan->sample;
  g_string_append(plan->out, "# A first pipeline for ");
  adl_draft_put_comment(plan->out, plan->path);
  g_string_append_printf(plan->out, ", made by `adloom init` from %s%u %s: what it guessed stands in comments.\n",
                         sample->rows > 1 ? "its first " : "its only ", sample->rows,
                         sample->rows == 1 ? "row" : "rows");
  if (plan->given_up != NULL) {
    g_string_append(plan->out, "# No column is left from which `");
    adl_draft_put_comment(plan->out, plan->given_up->column->name);
    g_string_append(plan->out, "` could be learned, so there are profiles only.\n");
  } else if (plan->label == NULL) {
    g_string_append(
        plan->out,
        "# No column looks like something to predict (a truth value, or two texts), so there are profiles only.\n");
  }
  g_string_append(plan->out, "adloom: 1\nseed: 42\n\nstages:\n");
}

void adl_draft(const char *path, const adl_sample *sample, const adl_guess *guesses, GString *out) {
  adl_draft_plan plan = {.path = path, .sample = sample, .guesses = guesses, .out = out};
  cast(&plan);
  count_parts(&plan);
  give_up_label(&plan);
  name_made(&plan);
  put_head(&plan);
  adl_draft_put_source(&plan);
  if (has_profile(&plan)) put_profile(&plan);
  if (plan.label != NULL) put_learner(&plan);
  put_sink(&plan);
  for (int i = 0; i < ADL_MADE_COUNT; i++) g_free(plan.made[i]);
}
