#include "core/engine/live.h"

#include <string.h>

#include "core/base/text.h"
#include "core/engine/internal.h"

enum { NAME_WIDTH = 24 };

typedef struct line {
  const adl_node_run *node;
  int64_t rows, before; /* that have left it, or arrived where none leave; at the call before */
  double rate;          /* rows a second, smoothed */
  bool moved;
} line;

struct adl_live {
  const adl_engine *engine;
  GArray *lines; /* of line */
  int64_t when;
  int name_width;
};

adl_live *adl_live_new(const adl_engine *engine) {
  adl_live *live = g_new0(adl_live, 1);
  live->engine = engine;
  live->lines = g_array_new(FALSE, TRUE, sizeof(line));
  live->when = adl_clock_ns();
  for (int32_t i = 0; i < engine->node_count; i++) {
    const adl_stage *stage = engine->nodes[i].stage;
    const line one = {.node = &engine->nodes[i]};
    if (stage->role != ADL_STAGE_CLASS) continue;
    g_array_append_val(live->lines, one);
    live->name_width = MAX(live->name_width, MIN(adl_text_width(stage->name), NAME_WIDTH));
  }
  return live;
}

void adl_live_free(adl_live *live) {
  if (live == NULL) return;
  g_array_free(live->lines, TRUE);
  g_free(live);
}

/* Workers count while this adds up: a sum of a moment or so. */
static int64_t rows_of(const adl_node_run *node) {
  const adl_engine *engine = node->engine;
  int64_t in = 0, out = 0;
  for (int32_t i = 0; i < engine->worker_count; i++) {
    const adl_tally *tally = adl_tally_of(&engine->workers[i], node);
    in += __atomic_load_n(&tally->rows_in, __ATOMIC_RELAXED);
    out += __atomic_load_n(&tally->rows_out, __ATOMIC_RELAXED);
  }
  return out > 0 ? out : in;
}

static bool spoken_of(const char *doing, const adl_stage *stage) {
  const char *name = strchr(doing, ' ');
  return name != NULL && strcmp(name + 1, stage->name) == 0;
}

static void look(adl_live *live, const char *doing) {
  int64_t now = adl_clock_ns();
  double seconds = (double)(now - live->when) / 1e9;
  for (guint i = 0; i < live->lines->len; i++) {
    line *one = &g_array_index(live->lines, line, i);
    one->before = one->rows;
    one->rows = rows_of(one->node);
    double rate = seconds > 0 ? (double)(one->rows - one->before) / seconds : 0;
    one->rate = rate > 0 ? 0.7 * one->rate + 0.3 * rate : 0.5 * one->rate;
    one->moved = one->rows != one->before || spoken_of(doing, one->node->stage);
  }
  live->when = now;
}

static void append_count(GString *out, double count) {
  if (count >= 1e7)
    g_string_append_printf(out, "%7.1f M", count / 1e6);
  else if (count >= 1e5)
    g_string_append_printf(out, "%7.0f k", count / 1e3);
  else
    g_string_append_printf(out, "%9.0f", count);
}

static char *text_of(const adl_live *live, const line *one, const char *doing) {
  const adl_stage *stage = one->node->stage;
  GString *out = g_string_new("  ");
  int width = 0;
  for (const char *c = stage->name; *c != '\0' && width < live->name_width; c = g_utf8_next_char(c), width++)
    g_string_append_unichar(out, g_utf8_get_char(c));
  g_string_append_printf(out, "%*s  %-12.12s", live->name_width - width, "", stage->class->id);
  append_count(out, (double)one->rows);
  g_string_append(out, " rows");
  if (spoken_of(doing, stage)) {
    g_string_append_printf(out, "  %.*s", (int)strcspn(doing, " "), doing);
  } else if (one->moved && one->rate >= 1) {
    append_count(out, one->rate);
    g_string_append(out, " rows/s");
  }
  return g_string_free(out, FALSE);
}

/* Where not all have room: a stretch of lines around those that move. */
static guint first_line(const adl_live *live, guint room) {
  guint first = live->lines->len, last = 0;
  if (live->lines->len <= room) return 0;
  for (guint i = 0; i < live->lines->len; i++) {
    if (!g_array_index(live->lines, line, i).moved) continue;
    first = MIN(first, i);
    last = i;
  }
  if (first > last) return 0;
  guint middle = (first + last) / 2, begin = middle > room / 2 ? middle - room / 2 : 0;
  return MIN(begin, live->lines->len - room);
}

void adl_live_lines(adl_live *live, const char *doing, int lines, GPtrArray *texts) {
  look(live, doing);
  guint first = lines > 0 ? first_line(live, (guint)lines) : live->lines->len;
  for (guint i = first; i < live->lines->len && texts->len < (guint)lines; i++)
    g_ptr_array_add(texts, text_of(live, &g_array_index(live->lines, line, i), doing));
}
