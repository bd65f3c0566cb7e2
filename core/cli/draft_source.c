/* The stage of a first pipeline that reads the log. */
#include <string.h>

#include "core/cli/draft_parts.h"

/* "%d/%m/%Y" of "date %d/%m/%Y" */
static const char *format_of(const char *type) { return strchr(type, '%'); }

static const char *part_of(const adl_draft_plan *plan, const adl_guess *guess) {
  return guess == plan->label  ? "; what is predicted"
         : guess == plan->time ? "; the time of a row"
         : guess == plan->key  ? "; whose row it is"
         : guess == plan->text ? "; becomes words"
                               : "";
}

static const char *kind_of(const adl_guess *guess) {
  return guess->kind != ADL_GUESS_TEXT ? "" : guess->chinese ? "text, Chinese, " : "text, ";
}

/* "60 different values in 60; the time of a row" */
static void put_facts(const adl_draft_plan *plan, const adl_guess *guess) {
  bool category = guess->kind == ADL_GUESS_CATEGORY;
  g_string_append_printf(plan->out, " # %s%u different %s in %u", kind_of(guess), guess->distinct,
                         guess->distinct == 1 ? "value" : "values", guess->values);
  if (guess->unread)
    g_string_append(plan->out, "; by its name a time, but in a form that is not read, so nothing is learned from it");
  else if (adl_draft_is_outcome(plan, guess))
    g_string_append_printf(plan->out, "%s; left out, as it may be known only afterwards",
                           guess->label ? "; could be predicted, too" : "");
  else if (category && guess->own)
    g_string_append(plan->out, "; nearly every row has its own, so nothing is learned from it");
  g_string_append(plan->out, part_of(plan, guess));
  if (guess->note != NULL) g_string_append_printf(plan->out, "; %s", guess->note);
  if (guess->twin[0] != '\0')
    g_string_append_printf(plan->out, "; %s fits as well: look at it", format_of(guess->twin));
}

static void put_column(const adl_draft_plan *plan, const adl_guess *guess) {
  GString *out = plan->out;
  const char *type = guess->kind == ADL_GUESS_SKIP && plan->sample->json ? NULL : guess->type;
  g_string_append(out, type == NULL ? "      # " : "      ");
  adl_draft_put_key(out, guess->column->name);
  g_string_append_printf(out, ": %s", type != NULL ? type : "?");
  if (guess->values == 0)
    g_string_append(out, " # empty in the rows that were looked at");
  else if (guess->kind == ADL_GUESS_SKIP)
    g_string_append(out, " # of several kinds");
  else if (guess->kind == ADL_GUESS_LIST)
    g_string_append(out, " # lists");
  else
    put_facts(plan, guess);
  if (guess->values < plan->sample->rows && guess->values > 0)
    g_string_append_printf(out, "; missing in %u", plan->sample->rows - guess->values);
  g_string_append_c(out, '\n');
}

static void put_nulls(const adl_draft_plan *plan) {
  GPtrArray *marks = g_ptr_array_new();
  for (guint i = 0; i < adl_draft_count(plan); i++) {
    const char *mark = adl_draft_at(plan, i)->missing;
    if (mark != NULL && !g_ptr_array_find_with_equal_func(marks, mark, g_str_equal, NULL))
      g_ptr_array_add(marks, (gpointer)mark);
  }
  if (plan->sample->quoted_empty) g_ptr_array_add(marks, (gpointer) "");
  if (marks->len > 0) g_string_append(plan->out, "    nulls: [\"NULL\", \"null\", \"\\\\N\"");
  for (guint i = 0; i < marks->len; i++) g_string_append_printf(plan->out, ", \"%s\"", (const char *)marks->pdata[i]);
  if (marks->len > 0) g_string_append(plan->out, "] # what stands for a missing value\n");
  g_ptr_array_free(marks, TRUE);
}

static void put_header(const adl_draft_plan *plan) {
  const adl_sample *sample = plan->sample;
  if (sample->skip > 0 && sample->doubled == NULL)
    g_string_append_printf(plan->out, "    skip_lines: %u # what stands above the table\n", sample->skip);
  if (sample->doubled != NULL) {
    g_string_append(plan->out, "    # two fields are called `");
    adl_draft_put_comment(plan->out, sample->doubled);
    g_string_append(plan->out, "`, so the line of names is passed over, and all are named below in their order\n"
                               "    header: false\n");
    g_string_append_printf(plan->out, "    skip_lines: %u\n", sample->skip);
  } else if (!sample->header) {
    g_string_append(plan->out, "    header: false # the first line holds values; the names are made up\n");
  } else if (sample->unnamed > 0) {
    g_string_append_printf(plan->out, "    # %u %s no name in the header and %s not read\n", sample->unnamed,
                           sample->unnamed == 1 ? "field has" : "fields have", sample->unnamed == 1 ? "is" : "are");
  }
}

static void put_format(const adl_draft_plan *plan) {
  const adl_sample *sample = plan->sample;
  if (sample->json) return;
  put_header(plan);
  if (sample->delimiter != NULL) g_string_append_printf(plan->out, "    delimiter: %s\n", sample->delimiter);
  if (sample->trim) g_string_append(plan->out, "    trim: true # there are blanks around values\n");
  put_nulls(plan);
}

static void put_left_out(const adl_draft_plan *plan) {
  const GPtrArray *names = plan->sample->left_out;
  for (guint i = 0; i < names->len; i++) {
    g_string_append(plan->out, "      # ");
    adl_draft_put_comment(plan->out, names->pdata[i]);
    g_string_append(plan->out, ": left out, since `paths` cannot say it: a name in it is empty or has a dot\n");
  }
}

static void put_paths(const adl_draft_plan *plan) {
  bool any = false;
  for (guint i = 0; i < adl_draft_count(plan); i++) {
    const adl_guess *guess = adl_draft_at(plan, i);
    if (guess->column->path == NULL || guess->kind == ADL_GUESS_SKIP) continue;
    if (!any) g_string_append(plan->out, "    paths:\n");
    any = true;
    g_string_append(plan->out, "      ");
    adl_draft_put_key(plan->out, guess->column->name);
    g_string_append(plan->out, ": ");
    adl_draft_put_text(plan->out, guess->column->path);
    g_string_append_c(plan->out, '\n');
  }
}

static void put_holdout(const adl_draft_plan *plan) {
  GString *out = plan->out;
  if (plan->label == NULL || plan->sample->rows < ADL_DRAFT_LEAST_JUDGED) return;
  if (plan->time == NULL) {
    g_string_append(out, "    # no column was found that tells when a row was; a random fifth is held out to judge by: "
                         "rows of later may teach\n    # earlier ones\n    holdout: {fraction: 0.2}\n");
    return;
  }
  g_string_append(
      out, "    # nothing learns from the newest fifth: it is there to judge by\n    holdout: {newest: 0.2, by: ");
  adl_draft_put_text(out, plan->time->column->name);
  g_string_append(out, "}\n");
}

void adl_draft_put_source(const adl_draft_plan *plan) {
  GString *out = plan->out;
  g_string_append_printf(out, "  log:\n    use: %s\n    path: ", plan->sample->json ? "read-jsonl" : "read-csv");
  adl_draft_put_text(out, plan->path);
  g_string_append_c(out, '\n');
  put_format(plan);
  g_string_append(
      out,
      "    # id: a name or number of something; string: text; also category, int, float, bool, date, timestamp, skip\n"
      "    columns:\n");
  for (guint i = 0; i < adl_draft_count(plan); i++) put_column(plan, adl_draft_at(plan, i));
  put_left_out(plan);
  put_paths(plan);
  put_holdout(plan);
}
