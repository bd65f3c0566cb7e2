#include "core/cli/guess.h"

#include <string.h>

static const char *const MISSING[] = {"NULL", "null", "\\N", "?", "-", "NA", "N/A", "na", "NaN", "nan", "None"};

/* ---- forms of values ---- */

static bool matches(const char *pattern, const char *text) {
  return g_regex_match_simple(pattern, text, G_REGEX_CASELESS, G_REGEX_MATCH_DEFAULT);
}

/* From the narrowest to the widest. `name`: what columns of this type are called, NULL: anything. */
static const struct {
  const char *pattern, *type, *name;
  adl_guess_kind kind;
} FORMS[] = {
    {"^(true|false|yes|no|t|f|y|n)$|^[01]$", "bool", NULL, ADL_GUESS_BOOL},
    {"^1[0-9]{9}$", "timestamp unix", "time|date|stamp|^ts$|_at$|^at$", ADL_GUESS_TIME},
    {"^1[0-9]{12}$", "timestamp unix_ms", "time|date|stamp|^ts$|_at$|^at$", ADL_GUESS_TIME},
    {"^[-+]?(0|[1-9][0-9]{0,17})$", "int", NULL, ADL_GUESS_NUMBER},
    {"^[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)(e[-+]?[0-9]+)?$", "float", NULL, ADL_GUESS_NUMBER},
    {"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "date", NULL, ADL_GUESS_TIME},
    {"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)? ?(Z|UTC|[-+][0-9]{2}:?[0-9]{2})?)?$",
     "timestamp", NULL, ADL_GUESS_TIME},
    {"^[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}$", "date %Y/%m/%d", NULL, ADL_GUESS_TIME},
    {"^[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{4}$", "date %d.%m.%Y", NULL, ADL_GUESS_TIME},
    {"^(0?[1-9]|1[0-2])/[0-9]{1,2}/[0-9]{4}$", "date %m/%d/%Y", NULL, ADL_GUESS_TIME},
    {"^[0-9]{1,2}/(0?[1-9]|1[0-2])/[0-9]{4}$", "date %d/%m/%Y", NULL, ADL_GUESS_TIME},
};

/* How much of a column has been seen. */
typedef struct survey {
  guint fits[G_N_ELEMENTS(FORMS)]; /* values of this form */
  guint marks[G_N_ELEMENTS(MISSING)];
  guint real;  /* values that are no such mark */
  guint zeros; /* begin with a 0 that a number would lose */
  gint64 characters, words, han;
  GHashTable *distinct; /* text -> number of times */
} survey;

static void look_at(survey *s, adl_guess *guess, GRegex *const *forms, const char *value) {
  char *text = g_strstrip(g_strdup(value));
  guess->padded = guess->padded || strlen(text) != strlen(value);
  guess->values++;
  bool mark = false;
  for (size_t i = 0; i < G_N_ELEMENTS(MISSING); i++) {
    bool this_one = strcmp(MISSING[i], text) == 0;
    s->marks[i] += this_one;
    mark = mark || this_one;
  }
  bool shortish = strlen(text) < 64;
  for (size_t i = 0; i < G_N_ELEMENTS(FORMS) && !mark; i++) /* a form that failed once is not tried again */
    s->fits[i] += s->fits[i] == s->real && shortish && g_regex_match(forms[i], text, G_REGEX_MATCH_DEFAULT, NULL);
  s->real += !mark;
  s->zeros += text[0] == '0' && text[1] != '\0' && strspn(text, "0123456789") == strlen(text);
  bool blank = true;
  for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c)) {
    gunichar letter = g_utf8_get_char(c);
    s->characters++;
    s->han += g_unichar_get_script(letter) == G_UNICODE_SCRIPT_HAN;
    if (blank && !g_unichar_isspace(letter)) s->words++;
    blank = g_unichar_isspace(letter);
  }
  guint count = GPOINTER_TO_UINT(g_hash_table_lookup(s->distinct, text));
  g_hash_table_replace(s->distinct, text, GUINT_TO_POINTER(count + 1));
}

/* ---- from a survey to a type ---- */

static void set_type(adl_guess *guess, adl_guess_kind kind, const char *type) {
  guess->kind = kind;
  g_strlcpy(guess->type, type, sizeof guess->type);
}

/* The one mark of a missing value that there is most of; -1: none. */
static int missing_mark(const survey *s) {
  int best = -1;
  for (size_t i = 0; i < G_N_ELEMENTS(MISSING); i++)
    if (s->marks[i] > 0 && (best < 0 || s->marks[i] > s->marks[best])) best = (int)i;
  return best;
}

/* The narrowest form of all values but those that mean there is none; -1: none has it. */
static int find_form(const survey *s, const adl_guess *guess, bool json) {
  uint32_t kinds = guess->column->kinds;
  int mark = missing_mark(s);
  guint marks = mark >= 0 && !json ? s->marks[mark] : 0;
  for (size_t i = 0; i < G_N_ELEMENTS(FORMS) && guess->values > marks; i++) {
    if (s->fits[i] + marks < guess->values || s->fits[i] == 0) continue;
    if (FORMS[i].name != NULL && !matches(FORMS[i].name, guess->column->name)) continue;
    bool number = FORMS[i].kind == ADL_GUESS_NUMBER, text = FORMS[i].kind == ADL_GUESS_TIME;
    if (json && FORMS[i].kind == ADL_GUESS_BOOL && (kinds & ADL_SAMPLE_TEXT) != 0) continue;
    if (json && number && kinds != ADL_SAMPLE_NUMBER) continue;
    if (json && text && FORMS[i].name == NULL && kinds != ADL_SAMPLE_TEXT) continue;
    return (int)i;
  }
  return -1;
}

static bool named_as_key(const char *name) {
  return matches("(^|[^a-z])(user|uid|customer|client|household|member|visitor|cookie|account|device|session)", name) ||
         matches("用户|会员|客户", name);
}

static bool named_as_id(const char *name) {
  return matches("(^|[_ -])(id|no|nr|code|zip|sku|key)$|[a-z]I[dD]$|编号", name);
}

static bool named_as_label(const char *name) {
  return matches(
      "click|label|target|purchas|bought|buy|conver|redeem|respon|revenue|churn|income|^y$|outcome|点击|购买", name);
}

static void type_of_text(adl_guess *guess, const survey *s) {
  guint values = MAX(guess->values, 1u);
  bool various = guess->distinct * 2 > values || guess->distinct > 200;
  bool han = s->han * 2 > s->characters;
  bool wordy = han ? s->characters >= 4 * (gint64)values : s->words >= 3 * (gint64)values;
  guess->chinese = han;
  if (wordy && (various || values < 10))
    set_type(guess, ADL_GUESS_TEXT, "string");
  else
    set_type(guess, ADL_GUESS_CATEGORY, "id");
}

/* A whole number that is a name: by what it is called, or since a 0 in front counts. */
static bool is_name(const adl_guess *guess, const survey *s) {
  const char *name = guess->column->name;
  return s->zeros > 0 || named_as_id(name) || (named_as_key(name) && guess->distinct > 2);
}

static void find_type(adl_guess *guess, const survey *s, bool json) {
  uint32_t kinds = guess->column->kinds;
  int form = find_form(s, guess, json), mark = missing_mark(s);
  if (guess->values == 0 || (kinds & ADL_SAMPLE_OTHER) != 0 ||
      (json && (kinds & (kinds - 1)) != 0 && kinds != (ADL_SAMPLE_TEXT | ADL_SAMPLE_NUMBER))) {
    set_type(guess, ADL_GUESS_SKIP, "skip");
  } else if ((kinds & (ADL_SAMPLE_TEXTS | ADL_SAMPLE_NUMBERS)) != 0) {
    set_type(guess, ADL_GUESS_LIST, kinds == ADL_SAMPLE_TEXTS ? "strings" : "floats");
  } else if (form >= 0) {
    if (!json && mark >= 3) guess->missing = MISSING[mark]; /* the first three read-csv knows */
    set_type(guess, FORMS[form].kind, FORMS[form].type);
    bool whole = strcmp(guess->type, "int") == 0 || s->zeros > 0;
    if (guess->kind == ADL_GUESS_NUMBER && whole && is_name(guess, s)) set_type(guess, ADL_GUESS_CATEGORY, "id");
    if (guess->kind == ADL_GUESS_BOOL && guess->distinct < 2 && s->fits[3] > 0)
      set_type(guess, ADL_GUESS_NUMBER, "int");
  } else {
    type_of_text(guess, s);
  }
}

/* ---- what it is for ---- */

static void find_use(adl_guess *guess, const survey *s) {
  const char *name = guess->column->name;
  bool two = guess->distinct - (guess->missing != NULL) == 2;
  guess->key = guess->kind == ADL_GUESS_CATEGORY && guess->distinct > 2 && named_as_key(name);
  guess->label = two && (guess->kind == ADL_GUESS_BOOL || (guess->kind == ADL_GUESS_CATEGORY && named_as_label(name)));
  if (!guess->label || guess->kind == ADL_GUESS_BOOL) return;
  GHashTableIter iter;
  gpointer text, count, least = GUINT_TO_POINTER(G_MAXUINT);
  g_hash_table_iter_init(&iter, s->distinct);
  while (g_hash_table_iter_next(&iter, &text, &count)) {
    bool rarer = GPOINTER_TO_UINT(count) < GPOINTER_TO_UINT(least) ||
                 (count == least && strcmp(text, guess->positive) > 0); /* "yes" rather than "no" */
    if (!rarer) continue;
    g_free(guess->positive);
    guess->positive = g_strdup(text);
    least = count;
  }
}

adl_guess *adl_guesses_new(const adl_sample *sample) {
  adl_guess *guesses = g_new0(adl_guess, sample->columns->len + 1);
  GRegex *forms[G_N_ELEMENTS(FORMS)];
  for (size_t i = 0; i < G_N_ELEMENTS(FORMS); i++)
    forms[i] = g_regex_new(FORMS[i].pattern, G_REGEX_OPTIMIZE | G_REGEX_CASELESS, G_REGEX_MATCH_DEFAULT, NULL);
  for (guint c = 0; c < sample->columns->len; c++) {
    adl_guess *guess = &guesses[c];
    guess->column = sample->columns->pdata[c];
    survey s = {.distinct = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    for (guint i = 0; i < guess->column->values->len; i++) {
      const char *value = guess->column->values->pdata[i];
      if (value != NULL && (sample->json || value[0] != '\0')) look_at(&s, guess, forms, value);
    }
    guess->distinct = g_hash_table_size(s.distinct);
    find_type(guess, &s, sample->json);
    find_use(guess, &s);
    g_hash_table_destroy(s.distinct);
  }
  for (size_t i = 0; i < G_N_ELEMENTS(FORMS); i++) g_regex_unref(forms[i]);
  return guesses;
}

void adl_guesses_free(adl_guess *guesses, const adl_sample *sample) {
  for (guint c = 0; c < sample->columns->len; c++) g_free(guesses[c].positive);
  g_free(guesses);
}
