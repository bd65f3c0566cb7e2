/* A model file as text for people, see show.h. */
#include "core/model/show.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "core/model/safetensors.h"

enum { KEYS_SHOWN = 3, KEY_BYTES_SHOWN = 24 };

/* "512 bytes", "1.5 MiB". */
static char *size_text(int64_t bytes) {
  static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
  double value = (double)bytes;
  int unit = -1;
  if (bytes < 1024) return g_strdup_printf("%" G_GINT64_FORMAT " byte%s", bytes, bytes == 1 ? "" : "s");
  while (value >= 1024 && unit < 3) {
    value /= 1024;
    unit++;
  }
  return g_strdup_printf("%.1f %s", value, units[unit]);
}

static char *shape_text(const adl_tensor *tensor) {
  GString *text = g_string_new("[");
  for (int32_t i = 0; i < tensor->dimensions; i++)
    g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "", tensor->size[i]);
  g_string_append_c(text, ']');
  return g_string_free(text, FALSE);
}

/* What is in a tensor of floats, in a few words; NULL for others. */
static char *values_text(const adl_tensor *tensor) {
  bool narrow = tensor->element == ADL_FLOAT32;
  double least = INFINITY, greatest = -INFINITY, sum = 0;
  int64_t finite = 0;
  if ((!narrow && tensor->element != ADL_FLOAT64) || tensor->count == 0) return NULL;
  for (int64_t i = 0; i < tensor->count; i++) {
    double value = narrow ? (double)((const float *)tensor->data)[i] : ((const double *)tensor->data)[i];
    if (!isfinite(value)) continue;
    least = fmin(least, value);
    greatest = fmax(greatest, value);
    sum += value;
    finite++;
  }
  if (finite == 0) return g_strdup("no finite value");
  GString *text = g_string_new(NULL);
  g_string_printf(text, "min %.6g, max %.6g, mean %.6g", least, greatest, sum / (double)finite);
  if (finite < tensor->count) g_string_append_printf(text, ", %" G_GINT64_FORMAT " not finite", tensor->count - finite);
  return g_string_free(text, FALSE);
}

/* Text keys as they are, others in hexadecimal. */
static void append_key(GString *text, adl_text key) {
  int32_t shown = MIN(key.size, KEY_BYTES_SHOWN);
  bool printable = true;
  for (int32_t i = 0; i < key.size; i++)
    printable = printable && (unsigned char)key.data[i] >= 0x20 && key.data[i] != 0x7f;
  if (printable && g_utf8_validate(key.data, key.size, NULL)) {
    while (shown < key.size && shown > 0 && ((unsigned char)key.data[shown] & 0xc0) == 0x80) shown--;
    g_string_append_c(text, '"');
    g_string_append_len(text, key.data, shown);
    g_string_append(text, shown < key.size ? "..." : "\"");
    return;
  }
  g_string_append(text, "0x");
  for (int32_t i = 0; i < shown; i++) g_string_append_printf(text, "%02x", (unsigned char)key.data[i]);
  if (shown < key.size) g_string_append(text, "...");
}

static char *keys_text(const adl_table *table) {
  GString *text = g_string_new(NULL);
  int64_t count = adl_table_count(table);
  for (int64_t row = 0; row < MIN(count, KEYS_SHOWN); row++) {
    if (row > 0) g_string_append(text, ", ");
    append_key(text, adl_table_key(table, row));
  }
  if (count > KEYS_SHOWN) g_string_append(text, ", ...");
  return g_string_free(text, FALSE);
}

/* A value of several lines stands indented below its name. */
static void show_field(FILE *out, const char *name, const char *value) {
  if (value[0] == '\0') return;
  if (strchr(value, '\n') == NULL) {
    fprintf(out, "%-15s %s\n", name, value);
    return;
  }
  char **lines = g_strsplit(value, "\n", -1);
  fprintf(out, "%s\n", name);
  for (char **line = lines; *line != NULL; line++)
    if (**line != '\0') fprintf(out, "  %s\n", *line);
  g_strfreev(lines);
}

static void show_meta(FILE *out, const adl_model_meta *meta) {
  char *version = g_strdup_printf("%u", meta->state_version);
  show_field(out, "class", meta->stage_class);
  show_field(out, "plugin version", meta->plugin_version);
  show_field(out, "plugin build", meta->plugin_build);
  show_field(out, "state version", version);
  show_field(out, "checksum", meta->checksum);
  show_field(out, "parameters", meta->parameters);
  if (meta->input_count > 0) fputs("inputs\n", out);
  for (int32_t i = 0; i < meta->input_count; i++)
    fprintf(out, "  %-24s %s\n", meta->inputs[i].name, meta->inputs[i].type);
  g_free(version);
}

static void show_tensors(FILE *out, const adl_tensors *tensors) {
  const char *name;
  adl_tensor tensor;
  const adl_table *table;
  if (adl_tensors_at(tensors, 0, &name, &tensor)) fputs("tensors\n", out);
  for (int32_t i = 0; adl_tensors_at(tensors, i, &name, &tensor); i++) {
    char *shape = shape_text(&tensor), *values = values_text(&tensor);
    fprintf(out, "  %-24s %-9s ", name, adl_element_name(tensor.element));
    if (values != NULL)
      fprintf(out, "%-16s %s\n", shape, values);
    else
      fprintf(out, "%s\n", shape);
    g_free(shape);
    g_free(values);
  }
  if (adl_tensors_table_at(tensors, 0, &name, &table)) fputs("keyed tables\n", out);
  for (int32_t i = 0; adl_tensors_table_at(tensors, i, &name, &table); i++) {
    int64_t count = adl_table_count(table);
    char *keys = keys_text(table);
    fprintf(out, "  %-24s %" G_GINT64_FORMAT " key%s x %" G_GINT64_FORMAT "%s%s\n", name, count, count == 1 ? "" : "s",
            adl_table_width(table), count > 0 ? ": " : "", keys);
    g_free(keys);
  }
}

bool adl_model_show(const char *path, FILE *out, GError **error) {
  adl_model_meta *meta;
  struct stat state;
  adl_tensors *tensors = adl_model_read(path, &meta, error);
  if (tensors == NULL) return false;
  char *size = size_text(stat(path, &state) == 0 ? (int64_t)state.st_size : adl_tensors_bytes(tensors));
  fprintf(out, "%s: %s\n", path, size);
  show_meta(out, meta);
  show_tensors(out, tensors);
  g_free(size);
  adl_model_meta_free(meta);
  adl_tensors_free(tensors);
  return true;
}
