#include "core/cli/guess.h"

#include <string.h>

#include "core/base/text.h"
#include "core/cli/forms.h"

static const char *const MISSING[] = {"NULL", "null", "\\N", "?", "-", "NA", "N/A", "na", "NaN", "nan", "None"};

/* ---- forms of values ---- */

static bool matches(const char *pattern, const char *text) {
  return g_regex_match_simple(pattern, text, G_REGEX_CASELESS, G_REGEX_MATCH_DEFAULT);
}

/* How much of a column has been seen. */
typedef struct survey {
  const adl_forms *forms;
  guint *fits; /* values of each form */
  guint marks[G_N_ELEMENTS(MISSING)];
  guint real;    /* values that are no such mark */
  guint zeros;   /* begin with a 0 that a number would lose */
  guint codes;   /* ten digits or more, and nothing else: nobody counts so far */
  guint figures; /* have digits in them */
  gint64 characters, words, han;
  GHashTable *distinct; /* text -> number of times */
} survey;

static void look_at(survey *s, adl_guess *guess, const char *value) {
  char *text = g_strstrip(g_strdup(value));
  guess->values++;
  bool mark = false;
  for (size_t i = 0; i < G_N_ELEMENTS(MISSING); i++) {
    bool this_one = strcmp(MISSING[i], text) == 0;
    s->marks[i] += this_one;
    mark = mark || this_one;
  }
  bool shortish = strlen(text) < 64;
  for (guint i = 0; i < s->forms->count && !mark; i++) /* a form that failed once is not tried again */
    s->fits[i] +=
        s->fits[i] == s->real && shortish && g_regex_match(s->forms->items[i].regex, text, G_REGEX_MATCH_DEFAULT, NULL);
  s->real += !mark;
  s->figures += strpbrk(text, "0123456789") != NULL;
  bool digits = text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
  s->codes += digits && strlen(text) >= 10;
  s->zeros += text[0] == '0' && text[1] != '\0' && digits;
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

static bool named_as_key(const char *name) {
  return matches("(^|[^a-z])(user|uid|customer|client|household|member|visitor|cookie|account|device|session)", name) ||
         matches("用户|会员|客户", name);
}

static bool named_as_id(const char *name) {
  return matches("(^|[_ -])(id|no|nr|code|zip|sku|key)$|[a-z]I[dD]$|编号", name);
}

/* What there are many of, each with a number. */
static bool named_as_thing(const char *name) {
  return matches("^(item|ad|advert|product|article|campaign|creative|banner|advertiser|publisher|site|store|shop|"
                 "merchant|seller|(sub_?)?category|brand|department|region|city|country|postcode|plz)$|"
                 "^(商品|广告|店铺|类目|品牌|城市)$",
                 name);
}

static bool named_as_label(const char *name) {
  return matches(
      "click|label|target|purchas|bought|buy|conver|redeem|respon|revenue|churn|income|^y$|outcome|点击|购买", name);
}

/* A number that tells what came of a row, as against one that was there before. */
static bool named_as_outcome(const char *name) {
  return matches("click|purchas|bought|conver|redeem|respon|revenue|churn|outcome|点击|购买", name);
}

/* Whether digits that could be a time are one: by the name of the column, or since it is no id and its values differ. Ten
 * digits are something else more easily than a day or nanoseconds are. */
static bool digits_are_time(const adl_form *form, const adl_guess *guess) {
  const char *name = guess->column->name;
  bool various = strstr(form->type, "unix") == NULL || guess->distinct * 2 > guess->values;
  return adl_named_as_time(name) || (!named_as_id(name) && !named_as_key(name) && guess->distinct >= 3 && various);
}

/* Where JSON says itself what a value is, a form must agree: patterns of times are read from texts only. */
static bool agrees(const adl_form *form, const adl_guess *guess, bool json) {
  uint32_t kinds = guess->column->kinds;
  if (form->digits && !digits_are_time(form, guess)) return false;
  if (form->named && !adl_named_as_time(guess->column->name)) return false;
  if (!json) return true;
  if (form->kind == ADL_GUESS_BOOL) return (kinds & ADL_SAMPLE_TEXT) == 0;
  if (form->kind == ADL_GUESS_NUMBER) return kinds == ADL_SAMPLE_NUMBER;
  bool number = strcmp(form->type, "int") == 0;
  bool either = strstr(form->type, "unix") != NULL;
  return form->kind != ADL_GUESS_TIME || either || kinds == (number ? ADL_SAMPLE_NUMBER : ADL_SAMPLE_TEXT);
}

static bool fits_all(const survey *s, const adl_guess *guess, bool json, guint form) {
  int mark = missing_mark(s);
  guint marks = mark >= 0 && !json ? s->marks[mark] : 0;
  return guess->values > marks && s->fits[form] > 0 && s->fits[form] + marks >= guess->values;
}

/* The narrowest form of all values but those that mean there is none; -1: none has it. */
static int find_form(const survey *s, const adl_guess *guess, bool json) {
  for (guint i = 0; i < s->forms->count; i++)
    if (fits_all(s, guess, json, i) && agrees(&s->forms->items[i], guess, json)) return (int)i;
  return -1;
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

/* A whole number that is a name: by what it is called, since a 0 in front counts, or since all are so long. */
static bool is_name(const adl_guess *guess, const survey *s) {
  const char *name = guess->column->name;
  return s->zeros > 0 || s->codes == s->real || named_as_id(name) || named_as_thing(name) ||
         (named_as_key(name) && guess->distinct > 2);
}

static void take_form(adl_guess *guess, const survey *s, bool json, guint index) {
  const adl_form *form = &s->forms->items[index];
  int mark = missing_mark(s);
  if (!json && mark >= 3) guess->missing = MISSING[mark]; /* the first three read-csv knows */
  set_type(guess, form->kind, form->type);
  guess->note = form->note;
  if (form->twin >= 0 && fits_all(s, guess, json, (guint)form->twin))
    g_strlcpy(guess->twin, s->forms->items[form->twin].type, sizeof guess->twin);
  bool whole = strcmp(guess->type, "int") == 0 || s->zeros > 0;
  if (guess->kind == ADL_GUESS_NUMBER && whole && is_name(guess, s)) set_type(guess, ADL_GUESS_CATEGORY, "id");
  if (guess->kind == ADL_GUESS_BOOL && guess->distinct < 2 && s->figures > 0) set_type(guess, ADL_GUESS_NUMBER, "int");
}

/* A column that is called a time, has digits, and is like nothing that a source reads. */
static bool seems_unread(const adl_guess *guess, const survey *s) {
  return adl_named_as_time(guess->column->name) && s->figures * 10 >= guess->values * 9 &&
         guess->distinct * 2 > guess->values && !named_as_id(guess->column->name);
}

static void find_type(adl_guess *guess, const survey *s, bool json) {
  uint32_t kinds = guess->column->kinds;
  int form = find_form(s, guess, json);
  if (guess->values == 0 || (kinds & ADL_SAMPLE_OTHER) != 0 ||
      (json && (kinds & (kinds - 1)) != 0 && kinds != (ADL_SAMPLE_TEXT | ADL_SAMPLE_NUMBER))) {
    set_type(guess, ADL_GUESS_SKIP, "skip");
  } else if ((kinds & (ADL_SAMPLE_TEXTS | ADL_SAMPLE_NUMBERS)) != 0) {
    set_type(guess, ADL_GUESS_LIST, kinds == ADL_SAMPLE_TEXTS ? "strings" : "floats");
  } else if (form >= 0) {
    take_form(guess, s, json, (guint)form);
  } else {
    type_of_text(guess, s);
    guess->unread = seems_unread(guess, s);
    if (guess->unread) set_type(guess, ADL_GUESS_CATEGORY, "string");
  }
}

/* ---- what it is for ---- */

/* The rarer one of two texts. */
static void find_rarer(adl_guess *guess, const survey *s) {
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

/* Of 1 and -1, as of 1 and 2, the greater one. */
static void find_greater(adl_guess *guess, const survey *s) {
  GHashTableIter iter;
  gpointer text;
  double most = -G_MAXDOUBLE;
  g_hash_table_iter_init(&iter, s->distinct);
  while (g_hash_table_iter_next(&iter, &text, NULL))
    if (guess->missing == NULL || strcmp(text, guess->missing) != 0) most = MAX(most, g_ascii_strtod(text, NULL));
  GString *number = g_string_new(NULL);
  adl_text_number(number, most);
  guess->positive = g_string_free(number, FALSE);
}

static void find_use(adl_guess *guess, const survey *s) {
  const char *name = guess->column->name;
  bool two = guess->distinct - (guess->missing != NULL) == 2, number = guess->kind == ADL_GUESS_NUMBER;
  bool category = guess->kind == ADL_GUESS_CATEGORY && !guess->unread;
  guess->own = guess->values >= 10 && guess->distinct * 10 >= guess->values * 9;
  guess->key = category && guess->distinct > 2 && named_as_key(name);
  guess->label = two && (guess->kind == ADL_GUESS_BOOL || ((category || number) && named_as_label(name)));
  guess->outcome = guess->label || (number && named_as_outcome(name));
  if (guess->label && number) find_greater(guess, s);
  if (guess->label && category) find_rarer(guess, s);
}

static void look_through(adl_guess *guess, const adl_sample *sample, const adl_forms *forms) {
  survey s = {.forms = forms,
              .fits = g_new0(guint, forms->count),
              .distinct = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
  for (guint i = 0; i < guess->column->values->len; i++) {
    const char *value = guess->column->values->pdata[i];
    if (value != NULL && (sample->json || value[0] != '\0')) look_at(&s, guess, value);
  }
  guess->distinct = g_hash_table_size(s.distinct);
  find_type(guess, &s, sample->json);
  find_use(guess, &s);
  g_hash_table_destroy(s.distinct);
  g_free(s.fits);
}

adl_guess *adl_guesses_new(const adl_sample *sample) {
  adl_guess *guesses = g_new0(adl_guess, sample->columns->len + 1);
  adl_forms forms = adl_forms_new();
  for (guint c = 0; c < sample->columns->len; c++) {
    guesses[c].column = sample->columns->pdata[c];
    look_through(&guesses[c], sample, &forms);
  }
  adl_forms_clear(&forms);
  return guesses;
}

void adl_guesses_free(adl_guess *guesses, const adl_sample *sample) {
  for (guint c = 0; c < sample->columns->len; c++) g_free(guesses[c].positive);
  g_free(guesses);
}
