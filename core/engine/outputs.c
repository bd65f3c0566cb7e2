#include "core/engine/outputs.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

struct adl_outputs {
  char *directory;
  GPtrArray *targets, *temporaries; /* of char * */
  bool published;
};

adl_outputs *adl_outputs_new(const char *directory) {
  adl_outputs *outputs = g_new0(adl_outputs, 1);
  outputs->directory = g_strdup(directory);
  outputs->targets = g_ptr_array_new_with_free_func(g_free);
  outputs->temporaries = g_ptr_array_new_with_free_func(g_free);
  return outputs;
}

void adl_outputs_free(adl_outputs *outputs) {
  if (outputs == NULL) return;
  for (guint i = 0; !outputs->published && i < outputs->temporaries->len; i++) g_unlink(outputs->temporaries->pdata[i]);
  g_ptr_array_free(outputs->targets, TRUE);
  g_ptr_array_free(outputs->temporaries, TRUE);
  g_free(outputs->directory);
  g_free(outputs);
}

char *adl_outputs_path(void *data, const char *text) {
  adl_outputs *outputs = data;
  char *target = g_canonicalize_filename(text, outputs->directory);
  char *folder = g_path_get_dirname(target), *base = g_path_get_basename(target);
  g_mkdir_with_parents(folder, 0777); /* the sink says why it cannot write, if this did not work */
  char *name = g_strdup_printf(".%s.%d.part", base, (int)getpid());
  char *temporary = g_build_filename(folder, name, NULL);
  g_ptr_array_add(outputs->targets, target);
  g_ptr_array_add(outputs->temporaries, g_strdup(temporary));
  g_free(folder);
  g_free(base);
  g_free(name);
  return temporary;
}

bool adl_outputs_publish(adl_outputs *outputs, char **why) {
  for (guint i = 0; i < outputs->targets->len; i++) {
    const char *target = outputs->targets->pdata[i];
    if (g_rename(outputs->temporaries->pdata[i], target) == 0) continue;
    *why = g_strdup_printf("cannot rename the finished output to %s: %s", target, g_strerror(errno));
    return false;
  }
  outputs->published = true;
  return true;
}

const GPtrArray *adl_outputs_targets(const adl_outputs *outputs) { return outputs->targets; }
