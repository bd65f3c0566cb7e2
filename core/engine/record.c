#include "core/engine/record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

enum { FORMAT = 1 };

typedef struct entry_header {
  uint32_t kind, reserved;
  int64_t size;
  uint64_t sum;
} entry_header;

/* ---- writing ---- */

struct adl_record {
  char *path;
  FILE *file;
  int64_t entries;
  int error; /* of the first write that failed */
};

static void add(adl_record *record, adl_entry_kind kind, const adl_pack *bytes) {
  entry_header header = {kind, 0, bytes->size, XXH3_64bits(bytes->data, (size_t)bytes->size)};
  bool ok = fwrite(&header, sizeof header, 1, record->file) == 1 &&
            fwrite(bytes->data, 1, (size_t)bytes->size, record->file) == (size_t)bytes->size;
  if (!ok && record->error == 0) record->error = errno != 0 ? errno : EIO;
  record->entries++;
}

static void pack_input(adl_pack *pack, const adl_stage *stage) {
  adl_pack_text(pack, stage->name);
  adl_pack_int(pack, stage->schema.count);
  for (int32_t c = 0; c < stage->schema.count; c++) {
    adl_pack_text(pack, stage->schema.columns[c].name);
    adl_pack_bytes(pack, &stage->schema.columns[c].field->type, sizeof(adl_type));
  }
}

static void pack_head(adl_pack *pack, const adl_serving *serving) {
  const adl_stage *stage = serving->stage;
  const adl_plugin *plugin = &stage->loaded->plugin;
  GString *parameters = g_string_new(NULL);
  adl_args_json(stage->args, ADL_ARGS_FOR_RECORD, parameters);
  const char *const texts[] = {stage->class->id,    plugin->id,  plugin->version, stage->loaded->build,
                               stage->loaded->path, stage->name, parameters->str};
  adl_pack_int(pack, FORMAT);
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) adl_pack_text(pack, texts[i]);
  const int64_t numbers[] = {plugin->abi_major, plugin->abi_minor,   stage->class->state_version, stage->learn,
                             serving->online,   serving->started_us, (int64_t)stage->seed};
  for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) adl_pack_int(pack, numbers[i]);
  adl_pack_int(pack, stage->from->len);
  adl_pack_int(pack, (int64_t)stage->from->len + stage->sides->len);
  for (guint i = 0; i < stage->from->len; i++) pack_input(pack, stage->from->pdata[i]);
  for (guint i = 0; i < stage->sides->len; i++) pack_input(pack, stage->sides->pdata[i]);
  g_string_free(parameters, TRUE);
}

adl_record *adl_record_new(const char *path, const adl_serving *serving, char **why) {
  FILE *file = fopen(path, "wbe");
  if (file == NULL) {
    *why = g_strdup_printf("the record %s cannot be written: %s", path, g_strerror(errno));
    return NULL;
  }
  adl_record *record = g_new0(adl_record, 1);
  record->path = g_strdup(path);
  record->file = file;
  adl_pack head = {0};
  errno = 0;
  if (fwrite(ADL_RECORD_MAGIC, 8, 1, file) != 1) record->error = errno;
  pack_head(&head, serving);
  add(record, ADL_ENTRY_HEAD, &head);
  adl_pack_clear(&head);
  return record;
}

void adl_record_add(adl_record *record, bool answer, const adl_pack *message) {
  add(record, answer ? ADL_ENTRY_ANSWER : ADL_ENTRY_REQUEST, message);
}

void adl_record_death(adl_record *record, const char *how) {
  adl_pack text = {0};
  adl_pack_text(&text, how);
  add(record, ADL_ENTRY_DEATH, &text);
  fflush(record->file);
  adl_pack_clear(&text);
}

bool adl_record_close(adl_record *record, char **why) {
  if (record == NULL) return true;
  adl_pack end = {0};
  adl_pack_int(&end, record->entries);
  add(record, ADL_ENTRY_END, &end);
  adl_pack_clear(&end);
  if (fclose(record->file) != 0 && record->error == 0) record->error = errno;
  bool ok = record->error == 0;
  if (!ok) *why = g_strdup_printf("the record %s cannot be written: %s", record->path, g_strerror(record->error));
  g_free(record->path);
  g_free(record);
  return ok;
}

/* ---- reading ---- */

static void read_input(adl_unpack *u, adl_record_input *input) {
  input->name = adl_unpack_text(u);
  input->count = adl_unpack_count(u, 24);
  input->columns = g_new0(adl_record_column, (gsize)input->count + 1);
  for (int64_t c = 0; c < input->count; c++) {
    int64_t size = 0;
    input->columns[c].name = adl_unpack_text(u);
    const void *type = adl_unpack_bytes(u, &size);
    if (size == sizeof(adl_type))
      memcpy(&input->columns[c].type, type, sizeof(adl_type));
    else
      u->bad = true;
    u->bad = u->bad || input->columns[c].name == NULL || !adl_type_valid(input->columns[c].type, NULL);
  }
}

static bool read_head(adl_record_file *file, const adl_entry *entry, const char *path, char **why) {
  adl_unpack u = {.data = entry->data, .size = entry->size};
  adl_record_head *head = &file->head;
  int64_t format = adl_unpack_int(&u);
  if (!u.bad && format != FORMAT) {
    *why = g_strdup_printf("%s is a record of format %" G_GINT64_FORMAT "; this adloom reads format %d", path, format,
                           FORMAT);
    return false;
  }
  const char **texts[] = {&head->class, &head->plugin, &head->version,   &head->build,
                          &head->path,  &head->stage,  &head->parameters};
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    *texts[i] = adl_unpack_text(&u);
    u.bad = u.bad || *texts[i] == NULL;
  }
  int64_t *numbers[] = {&head->abi_major, &head->abi_minor, &head->state_version,
                        &head->learn,     &head->online,    &head->started_us};
  for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) *numbers[i] = adl_unpack_int(&u);
  head->seed = (uint64_t)adl_unpack_int(&u);
  head->main_count = adl_unpack_int(&u);
  head->input_count = adl_unpack_count(&u, 16);
  head->inputs = g_new0(adl_record_input, (gsize)head->input_count + 1);
  for (int64_t i = 0; i < head->input_count; i++) read_input(&u, &head->inputs[i]);
  if (!u.bad && head->main_count >= 0 && head->main_count <= MIN(1, head->input_count)) return true;
  *why = g_strdup_printf("the record %s is damaged: its head cannot be read", path);
  return false;
}

/* The entries between head and end; what is wrong with the file is told. */
static bool read_entries(adl_record_file *file, const char *path, char **why) {
  const uint8_t *data = (const uint8_t *)g_mapped_file_get_contents(file->mapped);
  int64_t size = (int64_t)g_mapped_file_get_length(file->mapped), at = 8, count = 0;
  if (size < 8 || memcmp(data, ADL_RECORD_MAGIC, 8) != 0) {
    *why = g_strdup_printf("%s is no record of a stage; `adloom run FILE --record STAGE=FILE` writes one", path);
    return false;
  }
  for (;; count++) {
    entry_header header;
    if (size - at < (int64_t)sizeof header) break;
    memcpy(&header, data + at, sizeof header);
    at += (int64_t)sizeof header;
    if (header.size < 0 || header.size > size - at) break;
    adl_entry entry = {(adl_entry_kind)header.kind, header.size, data + at};
    at += header.size;
    bool known = header.kind >= ADL_ENTRY_HEAD && header.kind <= ADL_ENTRY_END && header.reserved == 0;
    if (!known || (count == 0) != (header.kind == ADL_ENTRY_HEAD) ||
        XXH3_64bits(entry.data, (size_t)entry.size) != header.sum) {
      *why = g_strdup_printf("the record %s is damaged: entry %" G_GINT64_FORMAT " has other bytes than were written",
                             path, count);
      return false;
    }
    if (entry.kind == ADL_ENTRY_HEAD && !read_head(file, &entry, path, why)) return false;
    if (entry.kind == ADL_ENTRY_END) {
      adl_unpack u = {.data = entry.data, .size = entry.size};
      if (adl_unpack_int(&u) == count && at == size) return true;
      *why = g_strdup_printf("the record %s is damaged: entries are missing, or something stands behind its end", path);
      return false;
    }
    if (entry.kind != ADL_ENTRY_HEAD) g_array_append_val(file->entries, entry);
  }
  *why =
      g_strdup_printf("the record %s is cut off after %" G_GINT64_FORMAT " entries; the run that wrote it was killed, "
                      "or the file was not copied whole",
                      path, count);
  return false;
}

adl_record_file *adl_record_read(const char *path, char **why) {
  GError *error = NULL;
  GMappedFile *mapped = g_mapped_file_new(path, FALSE, &error);
  if (mapped == NULL) {
    *why = g_strdup_printf("the record cannot be read: %s", error->message);
    g_error_free(error);
    return NULL;
  }
  adl_record_file *file = g_new0(adl_record_file, 1);
  file->mapped = mapped;
  file->entries = g_array_new(FALSE, FALSE, sizeof(adl_entry));
  if (read_entries(file, path, why)) return file;
  adl_record_file_free(file);
  return NULL;
}

void adl_record_file_free(adl_record_file *file) {
  if (file == NULL) return;
  for (int64_t i = 0; i < file->head.input_count; i++) g_free(file->head.inputs[i].columns);
  g_free(file->head.inputs);
  g_array_free(file->entries, TRUE);
  g_mapped_file_unref(file->mapped);
  g_free(file);
}
