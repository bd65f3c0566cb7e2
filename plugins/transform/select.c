/* select: which columns go on, in which order, under which names. All is said in bind; no row is touched. */
#include <adloom/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"

typedef struct selection {
  adl_inputs columns;
  adl_strings drop;
  adl_map rename;     /* old name -> new name */
  adl_input *renamed; /* without `columns`: the inputs of rename's keys */
} selection;

static bool is_input(const adl_call *call, const char *wanted) {
  const char *name;
  adl_type type;
  for (int32_t i = 0; call->host->input_column(call, i, &name, &type); i++)
    if (strcmp(name, wanted) == 0) return true;
  return false;
}

static adl_status unknown_column(const adl_call *call, const char *parameter, const char *wanted) {
  const adl_host *host = call->host;
  const char *name;
  adl_type type;
  int32_t count = 0;
  while (host->input_column(call, count, &name, &type)) count++;
  const char **names = host->alloc(call, ((size_t)count + 1) * sizeof *names);
  for (int32_t i = 0; i < count; i++) host->input_column(call, i, &names[i], &type);
  int32_t near = adl_nearest(wanted, count, names);
  if (near < 0) return host->fail(call, parameter, -1, NULL, "no column is called `%s`", wanted);
  return host->fail(call, parameter, -1, NULL, "no column is called `%s`; did you mean `%s`?", wanted, names[near]);
}

static const char *new_name(const selection *self, const char *name) {
  for (int64_t i = 0; i < self->rename.count; i++)
    if (strcmp(self->rename.keys[i], name) == 0) return self->rename.values[i];
  return name;
}

static bool is_selected(const selection *self, const char *name) {
  for (int64_t i = 0; i < self->columns.count; i++)
    if (strcmp(self->columns.items[i].name, name) == 0) return true;
  return false;
}

/* Nothing stays where it is: what is listed is forwarded in the order of the list. */
static adl_status keep_listed(const adl_call *call, const selection *self) {
  const adl_host *host = call->host;
  const char *name;
  adl_type type;
  for (int64_t i = 0; i < self->rename.count; i++) {
    char parameter[256];
    snprintf(parameter, sizeof parameter, "rename.%s", self->rename.keys[i]);
    if (!is_selected(self, self->rename.keys[i]))
      return host->fail(call, parameter, -1, "name it there as well", "`%s` is not among `columns`",
                        self->rename.keys[i]);
  }
  for (int32_t i = 0; host->input_column(call, i, &name, &type); i++) ADL_TRY(host->hide(call, "columns", name));
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_input *column = &self->columns.items[i];
    char parameter[40];
    snprintf(parameter, sizeof parameter, "columns[%lld]", (long long)i);
    ADL_TRY(host->forward(call, parameter, column, new_name(self, column->name)));
  }
  return ADL_OK;
}

static adl_status drop_listed(const adl_call *call, const selection *self) {
  adl_status status = ADL_OK;
  for (int64_t i = 0; i < self->drop.count; i++) {
    char parameter[40];
    snprintf(parameter, sizeof parameter, "drop[%lld]", (long long)i);
    if (!is_input(call, self->drop.items[i]))
      status = unknown_column(call, parameter, self->drop.items[i]);
    else if (call->host->hide(call, parameter, self->drop.items[i]) != ADL_OK)
      status = ADL_FAILED;
  }
  return status;
}

static bool is_dropped(const selection *self, const char *name) {
  for (int64_t i = 0; i < self->drop.count; i++)
    if (strcmp(self->drop.items[i], name) == 0) return true;
  return false;
}

/* A column under another name: hidden under the old one, forwarded under the new one. */
static adl_status rename_listed(const adl_call *call, selection *self) {
  const adl_host *host = call->host;
  self->renamed = calloc((size_t)self->rename.count + 1, sizeof *self->renamed);
  if (self->renamed == NULL) return host->fail(call, "rename", -1, NULL, "no memory for the list");
  adl_status status = ADL_OK;
  for (int64_t i = 0; i < self->rename.count; i++) {
    const char *name = self->rename.keys[i];
    char parameter[256];
    snprintf(parameter, sizeof parameter, "rename.%s", name);
    if (!is_input(call, name)) {
      status = unknown_column(call, parameter, name);
      continue;
    }
    if (is_dropped(self, name)) {
      status = host->fail(call, parameter, -1, "name it in one of the two", "`%s` is dropped and renamed", name);
      continue;
    }
    ADL_TRY(host->column_input(call, parameter, name, &self->renamed[i]));
    ADL_TRY(host->hide(call, parameter, name));
    ADL_TRY(host->forward(call, parameter, &self->renamed[i], self->rename.values[i]));
  }
  return status;
}

static adl_status bind(const adl_call *call, void *instance) {
  selection *self = instance;
  if (self->columns.count > 0 && self->drop.count > 0)
    return call->host->fail(call, "drop", -1, "what `columns` does not name is dropped anyway",
                            "give either `columns` or `drop`");
  if (self->columns.count == 0 && self->drop.count == 0 && self->rename.count == 0)
    return call->host->fail(call, NULL, -1, "give `columns`, `drop` or `rename`", "there is nothing to do");
  if (self->columns.count > 0) return keep_listed(call, self);
  adl_status dropped = drop_listed(call, self), renamed = rename_listed(call, self);
  return dropped == ADL_OK ? renamed : dropped;
}

static void destroy(void *instance) { free(((selection *)instance)->renamed); }

static const adl_param params[] = {
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(selection, columns),
     .shapes = ADL_ANY_SHAPE,
     .doc = "Columns that go on, in this order; the others do not leave."},
    {.name = "drop",
     .type = ADL_PARAM_STRING,
     .flags = ADL_LIST_OF,
     .offset = offsetof(selection, drop),
     .doc = "Columns that do not leave; the others do. Instead of `columns`."},
    {.name = "rename",
     .type = ADL_PARAM_STRING,
     .flags = ADL_MAP_OF,
     .offset = offsetof(selection, rename),
     .doc = "Old names, each with the new one. With `columns`, the old names stand there."},
};

static const char doc[] = "Chooses columns by name, puts them in order, gives them other names. No value is copied, "
                          "and columns that are dropped and that nobody before needs are not even read.\n\n"
                          "With `columns` exactly these leave, in the order given. With `drop` all others leave. "
                          "Columns that `rename` names stand behind the rest, unless `columns` says where.";

static const adl_class select_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "select",
    .title = "Columns by name",
    .doc = doc,
    .flags = ADL_EXACT_ROWS,
    .form = ADL_SAME,
    .instance_size = sizeof(selection),
    .state_version = 1,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
};

static const adl_class *const classes[] = {&select_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "select",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("select", "1.0.0", "transform:select", &plugin);
