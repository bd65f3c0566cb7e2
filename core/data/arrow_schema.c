/* Types of columns as schemas of the Arrow C Data Interface, and back. See arrow.h. */
#include <glib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/data/arrow.h"
#include "core/data/blocks.h"

static const char role_key[] = "adloom.role", width_key[] = "adloom.width";
static const char *const role_names[] = {"number", "category"};

/* By adl_element. */
static const char *const formats[] = {"b", "i", "l", "I", "f", "g", "tsu:UTC", "u", "z"};

/* ---- writing ---- */

/* What release frees; the children's structs lie behind `children`. */
typedef struct node {
  char *format, *name, *metadata;
  struct ArrowSchema **children;
} node;

static void release_schema(struct ArrowSchema *schema) {
  node *n = schema->private_data;
  for (int64_t i = 0; i < schema->n_children; i++)
    if (n->children[i]->release != NULL) n->children[i]->release(n->children[i]);
  g_free(n->format);
  g_free(n->name);
  g_free(n->metadata);
  g_free(n->children);
  g_free(n);
  *schema = (struct ArrowSchema){0};
}

static void new_schema(struct ArrowSchema *schema, char *format, const char *name, int64_t flags, int64_t children) {
  node *n = g_new0(node, 1);
  n->format = format;
  n->name = g_strdup(name == NULL ? "" : name);
  n->children = g_malloc0((gsize)children * (sizeof *n->children + sizeof **n->children) + 1);
  struct ArrowSchema *structs = (struct ArrowSchema *)(void *)(n->children + children);
  for (int64_t i = 0; i < children; i++) n->children[i] = &structs[i];
  *schema = (struct ArrowSchema){.format = n->format,
                                 .name = n->name,
                                 .flags = flags,
                                 .n_children = children,
                                 .children = children > 0 ? n->children : NULL,
                                 .release = release_schema,
                                 .private_data = n};
}

static void append_text(GByteArray *to, const char *text) {
  int32_t size = (int32_t)strlen(text);
  g_byte_array_append(to, (const guint8 *)&size, sizeof size);
  g_byte_array_append(to, (const guint8 *)text, (guint)size);
}

static void set_metadata(struct ArrowSchema *schema, adl_type type) {
  GByteArray *bytes = g_byte_array_new();
  int32_t pairs = type.shape == ADL_SPARSE && type.width > 0 ? 2 : 1;
  char width[32];
  g_byte_array_append(bytes, (const guint8 *)&pairs, sizeof pairs);
  append_text(bytes, role_key);
  append_text(bytes, role_names[type.role]);
  if (pairs == 2) {
    g_snprintf(width, sizeof width, "%" G_GINT64_FORMAT, type.width);
    append_text(bytes, width_key);
    append_text(bytes, width);
  }
  node *n = schema->private_data;
  schema->metadata = n->metadata = (char *)g_byte_array_free(bytes, FALSE);
}

void adl_arrow_export_type(adl_type type, const char *name, struct ArrowSchema *schema) {
  char *element = g_strdup(formats[type.element]);
  if (type.shape == ADL_SCALAR) {
    new_schema(schema, element, name, ARROW_FLAG_NULLABLE, 0);
  } else {
    bool pairs = type.shape == ADL_SPARSE || type.shape == ADL_BAG;
    char *format = type.shape == ADL_VECTOR ? g_strdup_printf("+w:%" G_GINT64_FORMAT, type.width) : g_strdup("+l");
    new_schema(schema, format, name, ARROW_FLAG_NULLABLE, 1);
    new_schema(schema->children[0], pairs ? g_strdup("+s") : element, "item", 0, pairs ? 2 : 0);
    struct ArrowSchema **fields = schema->children[0]->children;
    if (type.shape == ADL_SPARSE) {
      new_schema(fields[0], g_strdup(formats[ADL_UINT32]), "index", 0, 0);
      new_schema(fields[1], element, "value", 0, 0);
    } else if (pairs) {
      new_schema(fields[0], element, "item", 0, 0);
      new_schema(fields[1], g_strdup(formats[ADL_FLOAT32]), "weight", 0, 0);
    }
  }
  set_metadata(schema, type);
}

void adl_arrow_export_types(const adl_type *types, const char *const *names, int64_t count,
                            struct ArrowSchema *schema) {
  new_schema(schema, g_strdup("+s"), NULL, 0, count);
  for (int64_t i = 0; i < count; i++) adl_arrow_export_type(types[i], names[i], schema->children[i]);
}

/* ---- reading ---- */

/* Appends what is quoted to the sentence so far, and hands it out. */
static bool refuse_quoting(char **why, const char *before, const char *quoted, const char *after) {
  GString *text = g_string_new(before);
  adl_text_quote(text, quoted);
  g_string_append(text, after);
  *why = g_string_free(text, FALSE);
  return false;
}

static bool check_node(const struct ArrowSchema *schema, const char *where, char **why) {
  const int64_t known = ARROW_FLAG_DICTIONARY_ORDERED | ARROW_FLAG_NULLABLE | ARROW_FLAG_MAP_KEYS_SORTED;
  if (schema == NULL || schema->release == NULL) {
    *why = g_strdup_printf("the schema of %s has been released", where);
  } else if (schema->format == NULL) {
    *why = g_strdup_printf("the schema of %s has no format", where);
  } else if ((schema->flags & ~known) != 0) {
    *why = g_strdup_printf("the schema of %s has flags %" G_GINT64_FORMAT
                           "; only 1 (ordered dictionary), 2 (nullable) and 4 (sorted keys) are known",
                           where, schema->flags);
  } else if (schema->n_children < 0 || (schema->n_children > 0 && schema->children == NULL)) {
    *why = g_strdup_printf("the schema of %s has %" G_GINT64_FORMAT " children%s", where, schema->n_children,
                           schema->n_children > 0 ? ", but where they are it does not say" : "");
  } else {
    return true;
  }
  return false;
}

static bool check_children(const struct ArrowSchema *schema, const char *where, int64_t count, char **why) {
  if (schema->n_children == count) return true;
  *why = g_strdup_printf("the schema of %s has %" G_GINT64_FORMAT " children; its format needs %" G_GINT64_FORMAT,
                         where, schema->n_children, count);
  return false;
}

/* An element without children or dictionary. */
static bool read_element(const struct ArrowSchema *schema, const char *where, adl_arrow_layout *layout, char **why) {
  const char *format = schema->format;
  int element = -1;
  for (int i = 0; i <= ADL_BYTES; i++)
    if (strcmp(format, formats[i]) == 0) element = i;
  if (g_str_has_prefix(format, "tsu:") && format[4] != '\0') element = ADL_TIMESTAMP; /* all zones count in UTC */
  layout->large_text = strcmp(format, "U") == 0 || strcmp(format, "Z") == 0;
  if (layout->large_text) element = format[0] == 'U' ? ADL_STRING : ADL_BYTES;
  if (element >= 0) {
    layout->type.element = (uint8_t)element;
    return check_children(schema, where, 0, why);
  }
  char *before = g_strdup_printf("the format of %s is ", where);
  refuse_quoting(why, before, format,
                 "; known are b (bool), i (int32), l (int64), I (uint32), f (float32), g (float64), tsu:UTC "
                 "(timestamp), u and U (string), z and Z (bytes), and lists (+l, +L, +w:N) of these");
  g_free(before);
  return false;
}

static bool no_dictionary(const struct ArrowSchema *schema, const char *where, char **why) {
  if (schema->dictionary == NULL) return true;
  *why = g_strdup_printf("the schema of %s has a dictionary; decode it first: only scalar columns may have one", where);
  return false;
}

/* Sparse columns and bags: the items are pairs. */
static bool read_pairs(const struct ArrowSchema *items, adl_arrow_layout *layout, char **why) {
  static const char *const fields[] = {"the first field of its items", "the second field of its items"};
  adl_arrow_layout of[2] = {0};
  if (!check_children(items, "its items", 2, why)) return false;
  for (int i = 0; i < 2; i++) {
    const struct ArrowSchema *field = items->children[i];
    if (!check_node(field, fields[i], why) || !no_dictionary(field, fields[i], why) ||
        !read_element(field, fields[i], &of[i], why))
      return false;
  }
  bool sparse = of[0].type.element == ADL_UINT32 && of[1].type.element == ADL_FLOAT32;
  bool bag = of[0].type.element == ADL_STRING && of[1].type.element == ADL_FLOAT32;
  layout->type.shape = sparse ? ADL_SPARSE : ADL_BAG;
  layout->type.element = sparse ? ADL_FLOAT32 : ADL_STRING;
  layout->large_text = of[0].large_text;
  if (sparse || bag) return true;
  *why = g_strdup_printf("its items are structs of %s and %s; known are I and f (a sparse column), u and f (a bag)",
                         formats[of[0].type.element], formats[of[1].type.element]);
  return false;
}

static bool read_vector_width(const char *digits, int64_t *width) {
  guint64 value = 0;
  if (!g_ascii_string_to_unsigned(digits, 10, 1, INT32_MAX, &value, NULL)) return false;
  *width = (int64_t)value;
  return true;
}

static bool read_list(const struct ArrowSchema *schema, adl_arrow_layout *layout, char **why) {
  const char *format = schema->format;
  layout->large_list = strcmp(format, "+L") == 0;
  layout->type.shape = ADL_LIST;
  if (g_str_has_prefix(format, "+w:")) {
    layout->type.shape = ADL_VECTOR;
    if (!read_vector_width(format + 3, &layout->type.width))
      return refuse_quoting(why, "a vector has a width from 1 to 2147483647; its format is ", format, "");
  } else if (!layout->large_list && strcmp(format, "+l") != 0) {
    return refuse_quoting(why, "the format of the column is ", format,
                          "; of the nested ones, +l, +L and +w:N are known, and +s inside of lists");
  }
  if (!no_dictionary(schema, "the column", why) || !check_children(schema, "the column", 1, why)) return false;
  const struct ArrowSchema *items = schema->children[0];
  if (!check_node(items, "its items", why) || !no_dictionary(items, "its items", why)) return false;
  if (layout->type.shape == ADL_LIST && strcmp(items->format, "+s") == 0) return read_pairs(items, layout, why);
  return read_element(items, "its items", layout, why);
}

/* The column is known by its keys, and each key stands for a value of the dictionary. */
static bool read_dictionary(const struct ArrowSchema *schema, adl_arrow_layout *layout, char **why) {
  static const char keys[] = "cCsSiIlL";
  const char *format = schema->format, *key = strchr(keys, format[0]);
  if (format[0] == '\0' || format[1] != '\0' || key == NULL)
    return refuse_quoting(why, "keys of a dictionary are integers (c, C, s, S, i, I, l, L); their format is ", format,
                          "");
  layout->key_size = (uint8_t)(1 << ((key - keys) / 2));
  layout->key_is_signed = (key - keys) % 2 == 0;
  return check_children(schema, "the column", 0, why) && check_node(schema->dictionary, "the dictionary", why) &&
         no_dictionary(schema->dictionary, "the dictionary", why) &&
         read_element(schema->dictionary, "the dictionary", layout, why);
}

/* Steps over one sized text of metadata; NULL: its size is negative. */
static const char *next_text(const char **at, int32_t *size) {
  memcpy(size, *at, sizeof *size);
  const char *text = *at + sizeof *size;
  if (*size < 0) return NULL;
  *at = text + *size;
  return text;
}

static bool is_text(const char *text, int32_t size, const char *other) {
  return (size_t)size == strlen(other) && memcmp(text, other, (size_t)size) == 0;
}

static bool read_width(const char *text, int32_t size, adl_arrow_layout *layout, char **why) {
  guint64 value = 0;
  char *digits = g_strndup(text, (gsize)size);
  bool ok = g_ascii_string_to_unsigned(digits, 10, 1, G_GUINT64_CONSTANT(1) << 32, &value, NULL);
  if (!ok) refuse_quoting(why, "adloom.width in the metadata is a number from 1 to 4294967296, not ", digits, "");
  if (ok && layout->type.shape == ADL_SPARSE) layout->type.width = (int64_t)value;
  g_free(digits);
  return ok;
}

static bool read_role(const char *text, int32_t size, adl_arrow_layout *layout, char **why) {
  for (uint8_t role = 0; role < G_N_ELEMENTS(role_names); role++) {
    if (!is_text(text, size, role_names[role])) continue;
    layout->role_told = true;
    layout->type.role = role;
    return true;
  }
  char *given = g_strndup(text, (gsize)size);
  refuse_quoting(why, "adloom.role in the metadata is number or category, not ", given, "");
  g_free(given);
  return false;
}

static bool read_metadata(const char *metadata, adl_arrow_layout *layout, char **why) {
  int32_t pairs = 0, size = 0, key_size = 0;
  bool role = false, width = false, ok = true;
  if (metadata == NULL) return true;
  memcpy(&pairs, metadata, sizeof pairs);
  metadata += sizeof pairs;
  if (pairs < 0) *why = g_strdup_printf("the metadata say that there are %d of them", pairs);
  for (int32_t i = 0; ok && i < pairs; i++) {
    const char *key = next_text(&metadata, &key_size);
    const char *value = key == NULL ? NULL : next_text(&metadata, &size);
    if (value == NULL) {
      *why = g_strdup_printf("the metadata have a text of %d bytes", key == NULL ? key_size : size);
      return false;
    }
    bool *seen = is_text(key, key_size, role_key) ? &role : is_text(key, key_size, width_key) ? &width : NULL;
    if (seen == NULL) continue;
    if (*seen) *why = g_strdup_printf("the metadata have %s twice", seen == &role ? role_key : width_key);
    ok = !*seen && (seen == &role ? read_role : read_width)(value, size, layout, why);
    *seen = true;
  }
  return ok && pairs >= 0;
}

bool adl_arrow_read_schema(const struct ArrowSchema *schema, adl_arrow_layout *layout, char **why) {
  *layout = (adl_arrow_layout){0};
  if (!check_node(schema, "the column", why)) return false;
  bool ok = schema->dictionary != NULL ? read_dictionary(schema, layout, why)
            : schema->format[0] == '+' ? read_list(schema, layout, why)
                                       : read_element(schema, "the column", layout, why);
  if (!ok) return false;
  if (layout->type.element == ADL_STRING) layout->type.role = ADL_CATEGORY;
  if (!read_metadata(schema->metadata, layout, why)) return false;
  const char *reason = NULL;
  if (adl_type_valid(layout->type, &reason)) return true;
  *why = g_strdup_printf("it has a type that adloom has not: %s", reason);
  return false;
}
