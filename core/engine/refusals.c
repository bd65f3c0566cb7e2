#include "core/engine/refusals.h"

#include <string.h>

typedef struct grouping {
  GHashTable *stages;
  GHashTable *by_key; /* owns its keys */
  GPtrArray *all;
} grouping;

static void free_refusal(gpointer data) {
  adl_refusal *refusal = data;
  for (guint i = 0; i < refusal->examples; i++) {
    g_free(refusal->example[i].source);
    g_free(refusal->example[i].reason);
  }
  g_free(refusal->stage);
  g_free(refusal->column);
  g_free(refusal->reason);
  g_free(refusal);
}

/* The reason with … for numbers and quoted values. Bytes above 127 are letters here. */
static char *pattern_of(const char *reason) {
  GString *out = g_string_new(NULL);
  bool in_word = false;
  for (const char *c = reason; *c != '\0';) {
    const char *end = *c == '"' || *c == '\'' ? strrchr(c + 1, *c) : NULL;
    if (!in_word && end != NULL) {
      g_string_append(out, "…");
      c = end + 1;
    } else if (!in_word && g_ascii_isdigit(*c)) {
      g_string_append(out, "…");
      while (g_ascii_isdigit(*c) || ((*c == '.' || *c == ',') && g_ascii_isdigit(c[1]))) c++;
    } else {
      in_word = g_ascii_isalpha(*c) || *c == '_' || (*c & 0x80) != 0;
      g_string_append_c(out, *c++);
    }
  }
  return g_string_free(out, FALSE);
}

static void add_reject(void *data, const char *stage, const char *source, int64_t position, const char *column,
                       const char *reason) {
  grouping *g = data;
  if (g->stages != NULL && !g_hash_table_contains(g->stages, stage)) return;
  char *pattern = pattern_of(reason);
  char *key = g_strdup_printf("%s\n%s\n%s", stage, column != NULL ? column : "", pattern);
  adl_refusal *refusal = g_hash_table_lookup(g->by_key, key);
  if (refusal == NULL) {
    refusal = g_new0(adl_refusal, 1);
    *refusal = (adl_refusal){.stage = g_strdup(stage), .column = g_strdup(column), .reason = g_strdup(reason)};
    refusal->place = g->all->len;
    g_ptr_array_add(g->all, refusal);
    g_hash_table_insert(g->by_key, g_steal_pointer(&key), refusal);
  } else if (strcmp(refusal->reason, reason) != 0) {
    g_free(refusal->reason);
    refusal->reason = g_steal_pointer(&pattern);
  }
  g_free(pattern);
  g_free(key);
  refusal->count++;
  if (refusal->examples < ADL_REFUSAL_EXAMPLES)
    refusal->example[refusal->examples++] = (adl_refusal_example){g_strdup(source), g_strdup(reason), position};
}

static int by_count(const void *a, const void *b) {
  const adl_refusal *x = *(adl_refusal *const *)a, *y = *(adl_refusal *const *)b;
  if (x->count != y->count) return x->count > y->count ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

GPtrArray *adl_refusals(const adl_engine *engine, GHashTable *stages) {
  grouping g = {.stages = stages,
                .by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                .all = g_ptr_array_new_with_free_func(free_refusal)};
  adl_engine_each_reject(engine, add_reject, &g);
  g_ptr_array_sort(g.all, by_count);
  g_hash_table_destroy(g.by_key);
  return g.all;
}

char *adl_refusal_text(const adl_refusal *refusal) {
  const char *reason = refusal->example[0].reason;
  return g_strdup_printf("%s: %s%s%s%s", refusal->stage, refusal->column != NULL ? refusal->column : "",
                         refusal->column != NULL ? ": " : "", reason,
                         strcmp(reason, refusal->reason) != 0 ? ", and the like" : "");
}
