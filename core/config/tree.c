/* See tree.h. Files and texts in, nodes found, places told; nodes are made in build.c. */
#include "core/config/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config/tree_internal.h"

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static adl_tree *new_tree(const char *const *variables, adl_problems *problems) {
  adl_tree *tree = g_new0(adl_tree, 1);
  tree->region = adl_region_new();
  tree->variables = adl_variables_new(variables, problems);
  tree->options = g_string_new(NULL);
  return tree;
}

void adl_tree_free(adl_tree *tree) {
  if (tree == NULL) return;
  adl_variables_free(tree->variables);
  adl_region_free(tree->region);
  g_string_free(tree->options, TRUE);
  g_free(tree);
}

void adl_tree_check_variables(adl_tree *tree, adl_problems *problems) {
  adl_variables_check_used(tree->variables, problems);
}

const adl_node *adl_tree_root(const adl_tree *tree) { return tree->root; }

/* `text` is the region's. */
static void read_into(adl_tree *tree, const char *name, const char *text, size_t size, adl_problems *problems) {
  adl_source source;
  if (adl_source_open(&source, name, text, size, 0, problems)) {
    adl_build build = {tree->region, tree->variables, &tree->nodes, problems, &source, NULL};
    tree->root = adl_build_yaml(&build, 0);
  }
  adl_source_close(&source);
}

adl_tree *adl_tree_read_text(const char *name, const char *text, size_t size, const char *const *variables,
                             adl_problems *problems) {
  /* The file first: it comes first among the problems. */
  bool bom = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
  size_t kept = MIN(size, (size_t)ADL_TREE_MAX_BYTES);
  adl_problems_source(problems, name, bom ? text + 3 : text, bom ? kept - 3 : kept);
  adl_tree *tree = new_tree(variables, problems);
  name = adl_region_text(tree->region, name);
  if (size > ADL_TREE_MAX_BYTES) {
    adl_problems_error(problems, (adl_place){name, 0, 0, 0}, "is larger than %d MiB", ADL_TREE_MAX_BYTES >> 20);
  } else {
    read_into(tree, name, adl_region_text_n(tree->region, text, size), size, problems);
  }
  return tree;
}

/* Reads up to one byte more than a file may have. False: errno says why. */
static bool read_whole(const char *path, GByteArray *out) {
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return false;
  struct stat info;
  bool fine = fstat(file, &info) == 0;
  if (fine && S_ISDIR(info.st_mode)) {
    errno = EISDIR;
    fine = false;
  }
  while (fine && out->len <= ADL_TREE_MAX_BYTES) {
    guint before = out->len;
    g_byte_array_set_size(out, before + 65536);
    ssize_t got = read(file, out->data + before, 65536);
    if (got < 0 && errno == EINTR) got = -2;
    g_byte_array_set_size(out, before + (guint)MAX(got, 0));
    if (got == -1) fine = false;
    if (got == 0) break;
  }
  int error = errno;
  close(file);
  errno = error;
  return fine;
}

adl_tree *adl_tree_read_file(const char *path, const char *const *variables, adl_problems *problems) {
  GByteArray *bytes = g_byte_array_new();
  adl_tree *tree;
  if (read_whole(path, bytes)) {
    tree = adl_tree_read_text(path, (const char *)bytes->data, bytes->len, variables, problems);
  } else {
    adl_problems_error(problems, (adl_place){path, 0, 0, 0}, "cannot be read: %s", g_strerror(errno));
    tree = new_tree(variables, problems);
  }
  g_byte_array_free(bytes, TRUE);
  return tree;
}

/* ---- finding ---------------------------------------------------------------------------------------------------- */

const adl_pair *adl_node_pair(const adl_node *mapping, const char *key) {
  if (mapping == NULL || mapping->kind != ADL_NODE_MAPPING) return NULL;
  for (int i = 0; i < mapping->count; i++) {
    if (strcmp(mapping->pairs[i].key, key) == 0) return &mapping->pairs[i];
  }
  return NULL;
}

const adl_node *adl_node_get(const adl_node *mapping, const char *key) {
  const adl_pair *pair = adl_node_pair(mapping, key);
  return pair != NULL ? pair->value : NULL;
}

/* ---- places ----------------------------------------------------------------------------------------------------- */

/* From an offset into the value to one into the text as written. */
static int before_expansion(const adl_scalar_source *source, int offset) {
  int shift = 0; /* what replacements in front have added */
  for (int i = 0; i < source->replaced_count; i++) {
    const adl_replaced *at = &source->replaced[i];
    int begin = at->at + shift;
    if (offset < begin) break;
    if (offset < begin + at->to) return at->at; /* inside of what a variable brought */
    shift += at->to - at->from;
  }
  return offset - shift;
}

static int utf8_bytes(unsigned long code) { return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4; }

/* One escape of a double-quoted scalar, from its backslash: bytes of it, and bytes of what it stands for. */
static int escape(const char *at, int left, int *made) {
  *made = 1;
  if (left < 2) return 1;
  int digits = at[1] == 'x' ? 2 : at[1] == 'u' ? 4 : at[1] == 'U' ? 8 : 0;
  if (digits > 0) {
    char hex[9] = {0};
    memcpy(hex, at + 2, (size_t)MIN(digits, left - 2));
    *made = utf8_bytes(strtoul(hex, NULL, 16));
  }
  if (at[1] == 'N' || at[1] == '_') *made = 2;
  if (at[1] == 'L' || at[1] == 'P') *made = 3;
  return 2 + digits;
}

/* From an offset into the unexpanded value to one into the raw text. */
static int raw_offset(const adl_scalar_source *source, int offset) {
  if (source->form == ADL_SCALAR_PLAIN) return MIN(offset, source->size);
  int at = 1, value = 0, end = source->size - 1; /* between the quotes */
  while (at < end && value < offset) {
    int made = 1, size = 1;
    if (source->form == ADL_SCALAR_SINGLE && source->raw[at] == '\'') size = 2;
    if (source->form == ADL_SCALAR_DOUBLE && source->raw[at] == '\\') size = escape(source->raw + at, end - at, &made);
    if (value + made > offset) break;
    at += size;
    value += made;
  }
  return MIN(at, end);
}

adl_place adl_node_place(const adl_node *node, int offset) {
  adl_place place = node->place;
  const adl_scalar_source *source = node->source;
  if (offset < 0 || source == NULL || source->size == 0) return place;
  place.width = 1;
  int at = raw_offset(source, before_expansion(source, offset));
  place.column += (int)g_utf8_strlen(source->raw, at);
  return place;
}

adl_problem *adl_node_error(const adl_node *node, adl_problems *problems, const char *format, ...) {
  va_list args;
  va_start(args, format);
  adl_problem *problem = adl_problems_add(problems, ADL_SEVERITY_ERROR, node->place, format, args);
  va_end(args);
  if (node->alias != NULL) adl_problem_note(problem, *node->alias, "it is used here");
  return problem;
}

/* ---- defaults --------------------------------------------------------------------------------------------------- */

adl_node *adl_node_of_default(adl_region *region, const char *text, adl_place place, const char **why) {
  adl_problems *problems = adl_problems_new();
  adl_node *node = NULL;
  adl_source source;
  text = adl_region_text(region, text);
  if (adl_source_open(&source, "default", text, strlen(text), 0, problems)) {
    int nodes = 0;
    adl_build build = {region, NULL, &nodes, problems, &source, adl_region_copy(region, &place, sizeof place)};
    node = *text == '[' || *text == '{' ? adl_build_yaml(&build, 0) : adl_build_plain(&build, 0, source.characters);
  }
  adl_source_close(&source);
  if (adl_problems_errors(problems) > 0) node = NULL;
  if (node == NULL) *why = "the text is no YAML";
  adl_problems_free(problems);
  return node;
}
