/* Delimited text: what stands between fields, and whether the first line names them. */
#include <string.h>

#include "core/cli/sample_parts.h"

/* How often a character stands in a line outside of quotes. */
static guint count_outside(const char *line, char wanted) {
  bool quoted = false;
  guint count = 0;
  for (const char *c = line; *c != '\0'; c++) {
    if (*c == '"') quoted = !quoted;
    if (*c == wanted && !quoted) count++;
  }
  return count;
}

static const char *word_of(char delimiter) {
  return delimiter == '\t' ? "tab" : delimiter == ';' ? "semicolon" : delimiter == '|' ? "pipe" : "comma";
}

static char find_delimiter(const char *first) {
  static const char candidates[] = ",\t;|";
  char best = ',';
  guint most = 0;
  for (const char *c = candidates; *c != '\0'; c++)
    if (count_outside(first, *c) > most) {
      most = count_outside(first, *c);
      best = *c;
    }
  return best;
}

static bool like_a_value(const char *text) {
  return text[0] == '\0' || g_regex_match_simple("^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$|^[0-9]{4}-[0-9]{2}-[0-9]{2}", text,
                                                 G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT);
}

/* A value, or a word that means true or false: what stands below a name rather than being one. */
static bool surely_a_value(const char *text) {
  return like_a_value(text) ||
         g_regex_match_simple("^(true|false|yes|no)$", text, G_REGEX_CASELESS, G_REGEX_MATCH_DEFAULT);
}

/* ---- notes above the table ---- */

/* How many fields most of the lines behind the first have; 0: they do not agree. */
static guint usual_fields(const GPtrArray *lines, char delimiter) {
  GHashTable *times = g_hash_table_new(NULL, NULL);
  guint best = 0, most = 0, all = 0;
  for (guint i = 1; i < lines->len; i++) {
    if (lines->pdata[i] == NULL) continue;
    guint fields = count_outside(lines->pdata[i], delimiter) + 1;
    guint seen = GPOINTER_TO_UINT(g_hash_table_lookup(times, GUINT_TO_POINTER(fields))) + 1;
    g_hash_table_insert(times, GUINT_TO_POINTER(fields), GUINT_TO_POINTER(seen));
    all++;
    if (seen > most) best = fields;
    most = MAX(most, seen);
  }
  g_hash_table_destroy(times);
  return most * 10 >= all * 8 ? best : 0;
}

static const char *plural(guint count) { return count == 1 ? "field" : "fields"; }

/* How many lines at the beginning are empty or have another number of fields than is usual. */
static guint odd_ones(const GPtrArray *lines, char delimiter, guint usual) {
  guint odd = 0;
  while (odd < lines->len && (lines->pdata[odd] == NULL || count_outside(lines->pdata[odd], delimiter) + 1 != usual))
    odd++;
  return odd;
}

/* Lines above a table that are plainly none of it. */
static bool are_notes(const GPtrArray *lines, guint count, char delimiter) {
  for (guint i = 0; i < count; i++) {
    const char *line = lines->pdata[i];
    if (line != NULL && line[0] != '#' && count_outside(line, delimiter) > 0) return false;
  }
  return count < lines->len;
}

/* A line of words in which nothing stands between fields, above lines in which something does. */
static bool is_note(const char *first, const GPtrArray *lines, char other) {
  bool words = first[0] == '#' || strchr(first, ' ') != NULL;
  return words && find_delimiter(first) != other && usual_fields(lines, other) > 1;
}

/* How many lines at the beginning are not of the table: with them all of its rows would be rejected. *delimiter is then the
 * table's. */
static guint lines_above(const GPtrArray *lines, char *delimiter) {
  const char *first = lines->pdata[0], *middle = lines->pdata[lines->len / 2];
  char other = middle != NULL ? find_delimiter(middle) : *delimiter, found = *delimiter;
  guint usual = usual_fields(lines, found), have = count_outside(first, found) + 1;
  if (usual == have && !(have == 1 && is_note(first, lines, other))) return 0;
  if (usual < 2) usual = usual_fields(lines, found = other);
  have = count_outside(first, found) + 1;
  if (usual < 2 || usual == have) return 0;
  *delimiter = found;
  return odd_ones(lines, found, usual);
}

/* How many lines of the file stand before `lines[number]`: empty ones and what is no text are not among those. */
static guint lines_before(const char *path, const GPtrArray *lines, guint number) {
  enum { MOST_MORE = 50 };
  guint skip = number;
  for (bool found = number == 0 || number >= lines->len; !found && skip < number + MOST_MORE; skip += !found) {
    adl_probe p;
    GString *why = g_string_new(NULL);
    adl_probe_lines(path, skip, 1, &p, why);
    found = p.cells->len > 0 && g_strcmp0(p.cells->pdata[0], lines->pdata[number]) == 0;
    g_ptr_array_free(p.cells, TRUE);
    g_string_free(why, TRUE);
  }
  return skip;
}

static void refuse_first(const GPtrArray *lines, char delimiter, guint skip, GString *why) {
  guint have = count_outside(lines->pdata[0], delimiter) + 1;
  g_string_append_printf(why,
                         "line 1 has %u %s, the others %u; if it holds the names, one for each field is needed; if it "
                         "stands above the table, take it out, or write a pipeline in which read-csv has "
                         "`skip_lines: %u`",
                         have, plural(have), usual_fields(lines, delimiter), skip);
}

/* ---- the names ---- */

static const char *name_at(const adl_probe *p, guint c) { return p->cells->pdata[c] != NULL ? p->cells->pdata[c] : ""; }

/* Row numbers, as data frames write them, in front of the rows, have no name. */
static bool is_index(const adl_probe *p) { return p->columns > 1 && name_at(p, 0)[0] == '\0'; }

/* A name that is there twice; NULL: none is. */
static const char *find_double(const adl_probe *p) {
  GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
  const char *found = NULL;
  for (guint c = 0; c < p->columns && found == NULL; c++)
    if (name_at(p, c)[0] != '\0' && !g_hash_table_add(seen, (gpointer)name_at(p, c))) found = name_at(p, c);
  g_hash_table_destroy(seen);
  return found;
}

/* Is there a column with nothing but values below what may be its name? */
static bool stands_out(const adl_probe *p) {
  for (guint c = 0; c < p->columns; c++) {
    guint values = 0, texts = 0;
    for (guint i = c + p->columns; i < p->cells->len; i += p->columns) {
      const char *text = p->cells->pdata[i];
      if (text == NULL || text[0] == '\0') continue;
      values += surely_a_value(text);
      texts += !surely_a_value(text);
    }
    if (name_at(p, c)[0] != '\0' && !surely_a_value(name_at(p, c)) && values > 0 && texts == 0) return true;
  }
  return false;
}

/* Names: there are any, and none is a number or a date. Rows have empty fields, and the same value twice, so where these
 * have, too, the rows below must look otherwise. */
static bool is_header(const adl_probe *p) {
  guint empty = 0;
  for (guint c = 0; c < p->columns; c++) {
    bool none = name_at(p, c)[0] == '\0';
    if (!none && like_a_value(name_at(p, c))) return false;
    empty += none && !(c == 0 && is_index(p));
  }
  bool any = empty + is_index(p) < p->columns;
  return any && ((empty == 0 && find_double(p) == NULL) || stands_out(p));
}

/* In a log without names, or with one of them twice, the columns are the fields in their order. */
static char *made_name(const adl_sample *sample, const adl_probe *p, guint c) {
  if (sample->doubled == NULL || name_at(p, c)[0] == '\0') return g_strdup_printf("c%u", c + 1);
  char *name = g_strdup(name_at(p, c));
  for (guint i = 2; adl_sample_has_column(sample, name); i++) {
    g_free(name);
    name = g_strdup_printf("%s_%u", name_at(p, c), i);
  }
  return name;
}

static void take_column(adl_sample *sample, const adl_probe *p, guint c, bool names, guint end) {
  bool found = names && sample->doubled == NULL; /* by its name, in the header */
  if (found && name_at(p, c)[0] == '\0') {
    sample->unnamed++;
    return;
  }
  char *name = found ? g_strdup(name_at(p, c)) : made_name(sample, p, c);
  adl_sample_column *column = adl_sample_add_column(sample, name, NULL);
  for (guint i = c + (names ? p->columns : 0); i < end; i += p->columns)
    g_ptr_array_add(column->values, g_strdup(p->cells->pdata[i]));
  g_free(name);
}

static void take_columns(adl_sample *sample, const adl_probe *p, int64_t rows) {
  bool names = is_header(p);
  sample->header = names && find_double(p) == NULL;
  if (names) sample->doubled = g_strdup(find_double(p));
  guint lines = MIN(p->cells->len / p->columns, (guint)rows + names);
  for (guint c = 0; c < p->columns; c++) take_column(sample, p, c, names, lines * p->columns);
  sample->rows = lines - names;
}

/* ---- the whole ---- */

static bool has_quoted_empty(const GPtrArray *lines, char delimiter) {
  const char ends[] = {delimiter, '\r', '\0'};
  for (guint i = 0; i < lines->len; i++) {
    const char *line = lines->pdata[i];
    for (const char *at = line; at != NULL && (at = strstr(at, "\"\"")) != NULL; at++)
      if ((at == line || at[-1] == delimiter) && strchr(ends, at[2]) != NULL) return true;
  }
  return false;
}

static bool is_padded(const adl_probe *p) {
  for (guint i = 0; i < p->cells->len; i++) {
    const char *text = p->cells->pdata[i];
    if (text == NULL || text[0] == '\0') continue;
    if (strchr(" \t", text[0]) != NULL || strchr(" \t", text[strlen(text) - 1]) != NULL) return true;
  }
  return false;
}

/* How a table is read. */
typedef struct table {
  const char *path, *delimiter;
  guint columns, skip; /* skip: lines above it */
  int64_t rows;
} table;

static bool probe_fields(const table *t, bool trim, adl_probe *p, GString *why) {
  GString *parameters = g_string_new(NULL);
  g_string_append_printf(parameters,
                         "    header: false\n    nulls: []\n    skip_lines: %u\n    trim: %s\n    delimiter: %s\n"
                         "    columns:\n",
                         t->skip, trim ? "true" : "false", t->delimiter);
  for (guint c = 0; c < t->columns; c++) g_string_append_printf(parameters, "      c%u: string\n", c + 1);
  bool fine = adl_probe_read(t->path, parameters->str, t->rows, p, why);
  g_string_free(parameters, TRUE);
  return fine;
}

/* With blanks around fields, in names as in values, taken away if there are any. */
static bool probe_table(const table *t, adl_sample *sample, adl_probe *p, GString *why) {
  bool fine = probe_fields(t, false, p, why);
  if (!fine || !is_padded(p)) return fine;
  sample->trim = true;
  g_ptr_array_free(p->cells, TRUE);
  return probe_fields(t, true, p, why);
}

bool adl_sample_read_csv(const char *path, const GPtrArray *lines, int64_t rows, adl_sample *sample, GString *why) {
  char delimiter = find_delimiter(lines->pdata[0]);
  guint above = lines_above(lines, &delimiter), skip = lines_before(path, lines, above);
  if (above > 0 && !are_notes(lines, above, delimiter)) {
    refuse_first(lines, delimiter, skip, why);
    return false;
  }
  const table t = {path, word_of(delimiter), count_outside(lines->pdata[above], delimiter) + 1, skip, rows + 1};
  bool tabs = g_regex_match_simple("\\.(tsv|tab)(\\.[a-z0-9]+)?$", path, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT);
  if (delimiter != (tabs ? '\t' : ',')) sample->delimiter = g_strdup(word_of(delimiter));
  if (t.columns > ADL_SAMPLE_MOST_COLUMNS) {
    g_string_append_printf(why, "its first line has %u fields, which is more than a log has", t.columns);
    return false;
  }
  adl_probe p;
  bool fine = probe_table(&t, sample, &p, why);
  if (fine && (p.columns == 0 || p.cells->len < p.columns)) {
    g_string_append(why, "no line of it can be read as delimited text");
    fine = false;
  }
  sample->quoted_empty = has_quoted_empty(lines, delimiter);
  if (fine && above > 0 && !(is_header(&p) && stands_out(&p))) { /* who knows what was above it, then */
    refuse_first(lines, delimiter, skip, why);
    fine = false;
  }
  if (fine) take_columns(sample, &p, rows);
  sample->skip = sample->doubled == NULL ? skip : lines_before(path, lines, above + 1);
  g_ptr_array_free(p.cells, TRUE);
  return fine;
}
