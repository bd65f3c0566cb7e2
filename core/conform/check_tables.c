/* Checks of what a class says about itself: texts for people, and the table of its parameters. The loader has seen to what
 * would be dangerous; this is about what would be poor. */
#include <string.h>

#include "core/config/value.h"
#include "core/conform/internal.h"

/* Nothing to do: the loader has looked at all tables, and says what is wrong with them. */
static void check_loads(adl_exam *exam) { (void)exam; }

static bool check_text(adl_exam *exam, const char *what, const char *name, const char *text) {
  if (text == NULL || g_utf8_validate(text, -1, NULL)) return true;
  adl_exam_fail(exam, "%s%s is not valid UTF-8", what, name);
  return false;
}

static void check_strings(adl_exam *exam) {
  const adl_class *class = &exam->loaded->class;
  const adl_plugin *plugin = &exam->loaded->plugin;
  const char *const texts[][2] = {{"the version", plugin->version}, {"the licence", plugin->licence},
                                  {"the author", plugin->author},   {"the home page", plugin->home},
                                  {"the title", class->title},      {"the documentation", class->doc}};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
    if (!check_text(exam, texts[i][0], "", texts[i][1])) return;
  for (uint32_t i = 0; i < class->param_count; i++) {
    const adl_param *param = &class->params[i];
    const char *const parts[] = {param->default_value, param->range, param->choices,   param->unit,
                                 param->doc,           param->since, param->deprecated};
    for (guint k = 0; k < G_N_ELEMENTS(parts); k++)
      if (!check_text(exam, "a text of the parameter ", param->name, parts[k])) return;
  }
  if (class->title[0] == '\0') return adl_exam_fail(exam, "the class has no title");
  if (class->doc[0] == '\0') adl_exam_fail(exam, "the class has no documentation (doc)");
}

static void check_documented(adl_exam *exam) {
  const adl_class *class = &exam->loaded->class;
  for (uint32_t i = 0; i < class->param_count; i++) {
    const char *doc = class->params[i].doc, *name = class->params[i].name;
    if (doc == NULL || doc[0] == '\0')
      return adl_exam_fail(exam, "the parameter `%s` has no documentation (doc)", name);
    size_t size = strlen(doc);
    gunichar first = g_utf8_get_char(doc);
    bool choices = class->params[i].type == ADL_PARAM_CHOICE; /* may begin with the first of them */
    if (g_unichar_islower(first) && !choices && strcspn(doc, ":") > strcspn(doc, " "))
      adl_exam_warn(exam, "the documentation of `%s` does not begin with a capital letter", name);
    if (strchr(".!?)`\"", doc[size - 1]) == NULL)
      adl_exam_warn(exam, "the documentation of `%s` does not end with a full stop", name);
  }
}

/* Lists and maps, whose defaults the loader does not read: a stage that is given nothing else must take them. */
static void check_defaults(adl_exam *exam) {
  const adl_class *class = &exam->loaded->class;
  const uint32_t ranged = ADL_MASK(ADL_PARAM_INT) | ADL_MASK(ADL_PARAM_FLOAT);
  for (uint32_t i = 0; i < class->param_count; i++) {
    const adl_param *param = &class->params[i];
    adl_range range;
    GString *why = g_string_new(NULL);
    bool listed = param->default_value != NULL && param->range != NULL && (param->flags & ADL_LIST_OF) != 0 &&
                  (ranged & ADL_MASK(param->type)) != 0 &&
                  adl_range_read(param->range, (adl_param_type)param->type, &range, why);
    char *inside = listed ? g_strdelimit(g_strdup(param->default_value), "[]", ' ') : NULL;
    char **items = inside != NULL ? g_strsplit(inside, ",", -1) : NULL;
    for (char **item = items; item != NULL && *item != NULL; item++) {
      double value = 0;
      if (g_strstrip(*item)[0] == '\0') continue;
      if (!adl_value_float(*item, &value, why) || !adl_range_holds(&range, value))
        adl_exam_fail(exam, "the default %s of `%s` is out of its range %s", param->default_value, param->name,
                      param->range);
    }
    g_strfreev(items);
    g_free(inside);
    g_string_free(why, TRUE);
    if ((param->flags & ADL_REQUIRED) != 0 && param->default_value != NULL)
      adl_exam_warn(exam, "the parameter `%s` is required, so its default is never used", param->name);
  }
}

const adl_check adl_checks_of_tables[] = {
    {"tables", "Its class and its parameters are such as the loader takes.", ADL_OF_CLASS, false, check_loads},
    {"strings", "Its texts are there, and valid UTF-8.", ADL_OF_CLASS, false, check_strings},
    {"documented", "Every parameter is documented, in sentences.", ADL_OF_CLASS, false, check_documented},
    {"defaults", "Every default is within its range.", ADL_OF_CLASS, false, check_defaults},
    {NULL, NULL, ADL_OF_CLASS, false, NULL},
};
