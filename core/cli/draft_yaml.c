/* Pieces of YAML for a first pipeline; see draft_parts.h. */
#include "core/base/text.h"
#include "core/cli/draft_parts.h"

static bool plain(const char *text) {
  return g_regex_match_simple("^[A-Za-z_][A-Za-z0-9_]*$", text, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT) &&
         !g_regex_match_simple("^(true|false|null|yes|no|on|off|y|n)$", text, G_REGEX_CASELESS, G_REGEX_MATCH_DEFAULT);
}

void adl_draft_put_key(GString *out, const char *text) {
  if (plain(text))
    g_string_append(out, text);
  else
    adl_text_json_string(out, text);
}

void adl_draft_put_text(GString *out, const char *text) {
  GString *quoted = g_string_new(NULL);
  adl_draft_put_key(quoted, text);
  g_string_replace(quoted, "${", "$${", 0);
  g_string_append(out, quoted->str);
  g_string_free(quoted, TRUE);
}

void adl_draft_put_operand(GString *out, const char *name) {
  g_string_append_printf(out, plain(name) ? "%s" : "`%s`", name);
}

void adl_draft_put_comment(GString *out, const char *text) {
  for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c))
    g_string_append_unichar(out, adl_text_char_unsafe(g_utf8_get_char(c)) ? ' ' : g_utf8_get_char(c));
}

void adl_draft_put_list(const adl_draft_plan *plan, bool (*holds)(const adl_draft_plan *, const adl_guess *),
                        const char *more) {
  bool first = true;
  g_string_append_c(plan->out, '[');
  for (guint i = 0; i < adl_draft_count(plan); i++) {
    if (!holds(plan, adl_draft_at(plan, i))) continue;
    g_string_append(plan->out, first ? "" : ", ");
    adl_draft_put_text(plan->out, adl_draft_at(plan, i)->column->name);
    first = false;
  }
  if (more != NULL) g_string_append_printf(plan->out, "%s%s", first ? "" : ", ", more);
  g_string_append_c(plan->out, ']');
}
