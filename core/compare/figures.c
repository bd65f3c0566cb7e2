/* Numbers that stages tell, and how people call one of them. A learner may tell the same of several kinds of rows, as its
 * logloss progressive and in-sample. */
#include <string.h>

#include "core/compare/compare.h"

int adl_figure_weight(const char *over) {
  return strcmp(over, "held-out") == 0      ? 3
         : strcmp(over, "progressive") == 0 ? 2
         : strcmp(over, "in-sample") == 0   ? 0
                                            : 1;
}

const adl_figure *adl_figure_find(const GPtrArray *figures, const char *stage, const char *over, const char *name) {
  const adl_figure *best = NULL;
  for (guint i = 0; i < figures->len; i++) {
    const adl_figure *figure = figures->pdata[i];
    if (strcmp(figure->name, name) != 0 || (stage != NULL && strcmp(figure->stage, stage) != 0)) continue;
    if (over != NULL && strcmp(figure->over, over) != 0) continue;
    if (best == NULL) stage = figure->stage; /* the first, and its rows that count most */
    if (best == NULL || adl_figure_weight(figure->over) > adl_figure_weight(best->over)) best = figure;
  }
  return best;
}

static char *short_call(const adl_figure *figure) { return g_strconcat(figure->stage, ".", figure->name, NULL); }

/* `by` is the name with its rows behind it. */
static bool is_called_in_full(const adl_figure *figure, const char *by) {
  char *full = g_strdup_printf("%s.%s (%s)", figure->stage, figure->name, figure->over);
  bool called = strcmp(by, full) == 0 || strcmp(by, full + strlen(figure->stage) + 1) == 0;
  g_free(full);
  return called;
}

static bool is_called_in_short(const adl_figure *figure, const char *by) {
  char *call = short_call(figure);
  bool called = strcmp(by, call) == 0 || strcmp(by, figure->name) == 0;
  g_free(call);
  return called;
}

const adl_figure *adl_figure_called(const GPtrArray *figures, const char *by) {
  for (guint i = 0; i < figures->len; i++) {
    const adl_figure *figure = figures->pdata[i];
    if (is_called_in_short(figure, by)) return adl_figure_find(figures, figure->stage, NULL, figure->name);
    if (is_called_in_full(figure, by)) return figure;
  }
  return NULL;
}

static bool told_of_others(const GPtrArray *figures, const adl_figure *figure) {
  for (guint i = 0; i < figures->len; i++) {
    const adl_figure *other = figures->pdata[i];
    if (strcmp(other->stage, figure->stage) == 0 && strcmp(other->name, figure->name) == 0 &&
        strcmp(other->over, figure->over) != 0)
      return true;
  }
  return false;
}

void adl_figure_list(const GPtrArray *figures, GString *out) {
  for (guint i = 0; i < figures->len; i++) {
    const adl_figure *figure = figures->pdata[i];
    if (adl_figure_find(figures, figure->stage, figure->over, figure->name) != figure) continue; /* told twice */
    g_string_append_printf(out, "%s%s.%s", i > 0 ? ", " : "", figure->stage, figure->name);
    if (figure->over[0] != '\0' && told_of_others(figures, figure)) g_string_append_printf(out, " (%s)", figure->over);
  }
}
