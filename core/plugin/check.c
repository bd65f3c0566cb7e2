/*
 * Is what a plugin hands over fit for use? Checks descriptor and class tables and says everything that is wrong, by name.
 * Called by load.c, once per plugin.
 */
#include <stdarg.h>
#include <string.h>

#include "core/plugin/internal.h"

/* Appends one complaint; several are joined by semicolons. */
static void complain(GString *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void complain(GString *why, const char *format, ...) {
  if (why->len > 0) g_string_append(why, "; ");
  va_list args;
  va_start(args, format);
  g_string_append_vprintf(why, format, args);
  va_end(args);
}

/* Tables may be smaller than ours (an older plugin); nothing that grows like this is ever near this size. */
enum { MAX_STRUCT = 4096, MAX_CLASSES = 256, MAX_PARAMS = 256 };

static void check_version(const adl_plugin *plugin, const adl_note *note, GString *why) {
  int major = plugin->abi_major, minor = plugin->abi_minor;
  if (note != NULL && (major != note->abi_major || minor != note->abi_minor))
    complain(why,
             "its note and its descriptor disagree: the note says ABI %u.%u, the descriptor %d.%d; use "
             "ADL_ABI_MAJOR and ADL_ABI_MINOR in the descriptor",
             note->abi_major, note->abi_minor, major, minor);
  else if (major != ADL_ABI_MAJOR || minor > ADL_ABI_MINOR)
    complain(why, "it was built for plugin ABI %d.%d, this adloom has %d.%d", major, minor, ADL_ABI_MAJOR,
             ADL_ABI_MINOR);
}

bool adl_check_plugin(const adl_plugin *plugin, const adl_note *note, adl_plugin *copy, GString *why) {
  if (plugin == NULL) {
    complain(why,
             "its entry point declines: it does not work with plugin ABI %d.%d; look for a version of it that does",
             ADL_ABI_MAJOR, ADL_ABI_MINOR);
    return false;
  }
  size_t size = plugin->struct_size;
  if (size < offsetof(adl_plugin, classes) + sizeof plugin->classes || size > MAX_STRUCT) {
    complain(why, "its descriptor's struct_size is %zu; set it to sizeof(adl_plugin)", size);
    return false;
  }
  memset(copy, 0, sizeof *copy);
  memcpy(copy, plugin, MIN(size, sizeof *copy));
  check_version(copy, note, why);
  if (copy->id == NULL || !adl_id_valid(copy->id))
    complain(why, "its descriptor has no id of the form [a-z][a-z0-9-]*");
  else if (note != NULL && strcmp(copy->id, note->id) != 0)
    complain(why, "its note and its descriptor disagree: the note says `%s`, the descriptor `%s`", note->id, copy->id);
  if (copy->version == NULL)
    complain(why, "its descriptor has no version");
  else if (note != NULL && strcmp(copy->version, note->version) != 0)
    complain(why, "its note and its descriptor disagree: the note says version %s, the descriptor %s", note->version,
             copy->version);
  if (copy->class_count == 0 || copy->class_count > MAX_CLASSES || copy->classes == NULL)
    complain(why, "its descriptor has %u classes; it needs 1 to %d", copy->classes == NULL ? 0 : copy->class_count,
             MAX_CLASSES);
  for (uint32_t i = 0; why->len == 0 && i < copy->class_count; i++)
    if (copy->classes[i] == NULL || !adl_id_valid(copy->classes[i]->id))
      complain(why, "its class number %u has no id of the form [a-z][a-z0-9-]*", i);
  if (copy->licence == NULL) copy->licence = "";
  if (copy->author == NULL) copy->author = "";
  if (copy->home == NULL) copy->home = "";
  return why->len == 0;
}

/* ---- one class ---- */

static bool copy_class(const adl_class *class, adl_class *copy, GString *why) {
  size_t size = class->struct_size;
  if (size < offsetof(adl_class, create) || size > MAX_STRUCT) {
    complain(why, "class `%s`: its struct_size is %zu; set it to sizeof(adl_class)", class->id, size);
    return false;
  }
  memset(copy, 0, sizeof *copy);
  memcpy(copy, class, MIN(size, sizeof *copy));
  copy->struct_size = sizeof *copy;
  const void *params = copy->params;
  uint32_t count = copy->param_count, stride = copy->param_size;
  copy->params = NULL;
  copy->param_size = sizeof(adl_param);
  if (copy->title == NULL) copy->title = "";
  if (copy->doc == NULL) copy->doc = "";
  if (count == 0) return true;
  if (params == NULL || count > MAX_PARAMS || stride < offsetof(adl_param, elements) || stride > MAX_STRUCT) {
    complain(why, "class `%s`: its parameter table (%u entries of %u bytes) makes no sense; write ADL_PARAMS(table)",
             copy->id, count, stride);
    return false;
  }
  adl_param *full = g_new0(adl_param, count);
  for (uint32_t i = 0; i < count; i++)
    memcpy(&full[i], (const char *)params + (size_t)i * stride, MIN(stride, sizeof *full));
  copy->params = full;
  return true;
}

static bool has_param(const adl_class *class, int type, uint32_t flags) {
  for (uint32_t i = 0; i < class->param_count; i++)
    if ((type == 0 || class->params[i].type == type) && (class->params[i].flags & flags) == flags) return true;
  return false;
}

static void need(GString *why, const adl_class *class, const char *function, bool there, const char *because) {
  if (!there) complain(why, "class `%s` lacks the function %s: %s", class->id, function, because);
}

static void refuse(GString *why, const adl_class *class, const char *function, bool there, const char *because) {
  if (there) complain(why, "class `%s` has the function %s, but %s", class->id, function, because);
}

static void check_source(const adl_class *class, GString *why) {
  bool source = class->kind == ADL_SOURCE;
  if (source) {
    need(why, class, "open", class->open != NULL, "every source needs it");
    need(why, class, "next", class->next != NULL, "every source needs it");
    const char *because = "a source gets no rows";
    refuse(why, class, "process", class->process != NULL, because);
    refuse(why, class, "fit", class->fit != NULL, because);
    refuse(why, class, "learn", class->learn != NULL, because);
    refuse(why, class, "finish", class->finish != NULL, because);
    return;
  }
  const char *because = "only a source may have it; set its kind to ADL_SOURCE";
  refuse(why, class, "open", class->open != NULL, because);
  refuse(why, class, "next", class->next != NULL, because);
  refuse(why, class, "decode", class->decode != NULL, because);
}

static void check_sink(const adl_class *class, GString *why) {
  bool sink = class->kind == ADL_SINK;
  if (sink) {
    need(why, class, "write", class->write != NULL, "every sink needs it");
    const char *because = "no rows leave a sink";
    refuse(why, class, "process", class->process != NULL, because);
    refuse(why, class, "learn", class->learn != NULL, because);
    refuse(why, class, "finish", class->finish != NULL, because);
    return;
  }
  const char *because = "only a sink may have it; set its kind to ADL_SINK";
  refuse(why, class, "encode", class->encode != NULL, because);
  refuse(why, class, "write", class->write != NULL, because);
}

/* Who must have process: whoever does something to rows. Who only forwards, hides or measures them need not. */
static void check_rows(const adl_class *class, GString *why) {
  if (class->kind == ADL_SOURCE || class->kind == ADL_SINK) return;
  need(why, class, "init", class->learn == NULL || class->init != NULL, "learn starts from the tensors that it makes");
  if (class->process != NULL) return;
  need(why, class, "process", class->learn == NULL, "rows that are not learned from are scored by it");
  if (class->learn != NULL || class->finish != NULL || class->kind == ADL_EVALUATE) return;
  if (class->form == ADL_PICKED)
    need(why, class, "process", false, "its form is ADL_PICKED, and process picks the rows");
  else if (class->form == ADL_NEW)
    need(why, class, "process", false, "its form is ADL_NEW, and process or finish makes the rows");
  else if (has_param(class, ADL_PARAM_NEW_COLUMN, 0))
    need(why, class, "process", false, "it adds columns, and process fills them");
}

static void check_flags(const adl_class *class, GString *why) {
  const uint32_t known = ADL_ALL_ROWS | ADL_WHOLE_GROUPS | ADL_ORDERED | ADL_NOT_REPEATABLE | ADL_WHOLE_TABLE |
                         ADL_SINGLE_PASS | ADL_TRANSIENT | ADL_SPLIT_ROWS | ADL_FOR_JUDGING | ADL_EXACT_ROWS;
  if ((class->flags & ~known) != 0)
    complain(why, "class `%s` has flags 0x%x that plugin ABI %d.%d does not know", class->id, class->flags & ~known,
             ADL_ABI_MAJOR, ADL_ABI_MINOR);
  if (class->form > ADL_NEW) complain(why, "class `%s` has no valid form: %u", class->id, class->form);
  if ((class->flags & ADL_WHOLE_TABLE) != 0 && class->form != ADL_PICKED)
    complain(why, "class `%s` has ADL_WHOLE_TABLE, which only the form ADL_PICKED may have", class->id);
  if ((class->flags & ADL_WHOLE_GROUPS) != 0 && !has_param(class, ADL_PARAM_COLUMN, ADL_GROUP_KEY))
    complain(why, "class `%s` has ADL_WHOLE_GROUPS but no column parameter with ADL_GROUP_KEY", class->id);
  if ((class->flags & ADL_SINGLE_PASS) != 0 && class->fit == NULL)
    complain(why, "class `%s` has ADL_SINGLE_PASS but no fit", class->id);
  if ((class->flags & ADL_EXACT_ROWS) != 0 && (class->next != NULL || class->write != NULL))
    complain(why, "class `%s` has ADL_EXACT_ROWS, which says how process answers: sources and sinks have none",
             class->id);
}

bool adl_check_class(const adl_class *class, adl_loaded *loaded, GString *why) {
  gsize before = why->len;
  if (!copy_class(class, &loaded->class, why)) return false;
  adl_check_params(&loaded->class, why);
  check_flags(&loaded->class, why);
  check_source(&loaded->class, why);
  check_sink(&loaded->class, why);
  check_rows(&loaded->class, why);
  if (why->len != before) return false;
  adl_stubs_fill(loaded);
  return true;
}
