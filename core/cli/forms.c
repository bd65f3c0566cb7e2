#include "core/cli/forms.h"

#include <string.h>

#define TWO_DIGIT_MONTH "(0[1-9]|1[0-2])"
#define TWO_DIGIT_DAY "(0[1-9]|[12][0-9]|3[01])"
#define COMPACT_DAY "(19|20)[0-9]{2}" TWO_DIGIT_MONTH TWO_DIGIT_DAY
#define COMPACT_CLOCK "([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"

static const char nanoseconds[] =
    "nanoseconds since 1970, which no format reads: as a number they still tell which row is newer";
static const char day_number[] =
    "days as numbers, YYYYMMDD, where only texts have a pattern: they still tell which row is newer";
static const char thousands[] =
    "numbers with commas between thousands, which are not read as numbers: write 1234.50 for 1,234.50 in the log";
static const char decimal_comma[] =
    "numbers with a decimal comma, which are not read as numbers: write 15.7 for 15,7 in the log";
static const char percent[] =
    "numbers with a percent sign, which are not read as numbers: write 91.2 for 91.2% in the log";
static const char currency[] =
    "numbers with the sign of a currency, which are not read as numbers: leave the sign out in the log";

/* Those in front of the patterns of dates. */
static const struct {
  const char *pattern, *type;
  adl_guess_kind kind;
  bool digits;
  const char *note;
} PLAIN[] = {
    {"(true|false|yes|no|t|f|y|n)|[01]", "bool", ADL_GUESS_BOOL, false, NULL},
    {"1[0-9]{9}(\\.[0-9]+)?", "timestamp unix", ADL_GUESS_TIME, true, NULL},
    {"1[0-9]{12}(\\.[0-9]+)?", "timestamp unix_ms", ADL_GUESS_TIME, true, NULL},
    {"1[0-9]{15}", "timestamp unix_us", ADL_GUESS_TIME, true, NULL},
    {"1[0-9]{18}", "int", ADL_GUESS_TIME, true, nanoseconds},
    {COMPACT_DAY, "date %Y%m%d", ADL_GUESS_TIME, true, NULL},
    {COMPACT_DAY COMPACT_CLOCK, "timestamp %Y%m%d%H%M%S", ADL_GUESS_TIME, true, NULL},
    {COMPACT_DAY "(" COMPACT_CLOCK ")?", "int", ADL_GUESS_TIME, true, day_number},
    {"[-+]?(0|[1-9][0-9]{0,17})", "int", ADL_GUESS_NUMBER, false, NULL},
    {"[0-9]+", "id", ADL_GUESS_CATEGORY, false, NULL}, /* too long for a number, or with a 0 in front */
    {"[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)(e[-+]?[0-9]+)?", "float", ADL_GUESS_NUMBER, false, NULL},
    {"[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)(e[-+]?[0-9]+)?", "id", ADL_GUESS_CATEGORY, false,
     NULL}, /* in quotes, in JSON */
    {"[-+]?[0-9]{1,3}(,[0-9]{3})*(\\.[0-9]+)?", "id", ADL_GUESS_CATEGORY, false, thousands},
    {"[-+]?([0-9]{1,3}(\\.[0-9]{3})*|[0-9]+)(,[0-9]+)?", "id", ADL_GUESS_CATEGORY, false, decimal_comma},
    {"[-+]?[0-9][0-9.,]* ?%", "id", ADL_GUESS_CATEGORY, false, percent},
    {"[-+]?[$€£¥] ?[0-9][0-9.,]*|[-+]?[0-9][0-9.,]* ?[$€£¥]", "id", ADL_GUESS_CATEGORY, false, currency},
    {"[0-9]{4}-" TWO_DIGIT_MONTH "-" TWO_DIGIT_DAY, "date", ADL_GUESS_TIME, false, NULL},
    {"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)? "
     "?(Z|UTC|GMT|[-+][0-9]{2}(:?[0-9]{2})?)?)?",
     "timestamp", ADL_GUESS_TIME, false, NULL},
    {COMPACT_DAY "T" COMPACT_CLOCK, "timestamp %Y%m%dT%H%M%S", ADL_GUESS_TIME, false, NULL},
    {COMPACT_DAY "T" COMPACT_CLOCK "(Z|[-+][0-9]{2}(:?[0-9]{2})?)", "timestamp %Y%m%dT%H%M%S%z", ADL_GUESS_TIME, false,
     NULL},
};

/* Days as read-csv's patterns say them. Where two fit, the first is taken. */
static const char *const DAYS[] = {"%Y/%m/%d",  "%d.%m.%Y",     "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y",
                                   "%m-%d-%Y",  "%Y-%m-%d",     "%Y.%m.%d", "%d-%b-%Y", "%d %b %Y",
                                   "%b %d, %Y", "%d/%b/%Y",     "%b %d %Y", "%d.%m.%y", "%m/%d/%y",
                                   "%d/%m/%y",  "%Y年%m月%d日", "%d-%b-%y", "%d %b %y", "%a, %d %b %Y"};

/* What may stand behind a day. */
static const char *const CLOCKS[] = {
    "",          " %H:%M",       " %H:%M:%S",   " %H:%M:%S.%f",   " %H:%M %z",  " %H:%M:%S %z",  " %H:%M:%S.%f %z",
    " %I:%M %p", " %I:%M:%S %p", ", %H:%M",     ", %H:%M:%S",     ", %I:%M %p", ", %I:%M:%S %p", "T%H:%M",
    "T%H:%M:%S", "T%H:%M:%S.%f", "T%H:%M:%S%z", "T%H:%M:%S.%f%z", ":%H:%M:%S",  ":%H:%M:%S %z"};

/* What a directive of a pattern takes. */
static const char *taken_by(char directive) {
  switch (directive) {
    case 'Y': return "[0-9]{4}";
    case 'y': return "[0-9]{2}";
    case 'm':
    case 'I': return "(0?[1-9]|1[0-2])";
    case 'd': return "(0?[1-9]|[12][0-9]|3[01])";
    case 'H': return "([01]?[0-9]|2[0-3])";
    case 'f': return "[0-9]+";
    case 'b':
      return "(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(tember)?|oct(ober)?|nov(ember)?|"
             "dec(ember)?)";
    case 'a': return "(mon(day)?|tue(sday)?|wed(nesday)?|thu(rsday)?|fri(day)?|sat(urday)?|sun(day)?)";
    case 'p': return "[ap]m";
    case 'z': return "((?-i)Z|UTC|GMT|[-+][0-9]{2}(:?[0-9]{2})?)";
    default: return "[0-5]?[0-9]"; /* M, S */
  }
}

static GRegex *whole(const char *pattern) {
  char *text = g_strdup_printf("^(?:%s)$", pattern);
  GRegex *regex = g_regex_new(text, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, G_REGEX_MATCH_DEFAULT, NULL);
  g_free(text);
  return regex;
}

/* What a pattern of read-csv reads, as a regular expression. */
static GRegex *regex_of(const char *format) {
  GString *text = g_string_new(NULL);
  for (const char *c = format; *c != '\0'; c++) {
    if (*c == '%')
      g_string_append(text, taken_by(*++c));
    else if (*c == ' ')
      g_string_append(text, " *");
    else if (*c == '.')
      g_string_append(text, "\\.");
    else
      g_string_append_c(text, *c);
  }
  GRegex *regex = whole(text->str);
  g_string_free(text, TRUE);
  return regex;
}

static void add_day(adl_forms *forms, const char *day, const char *clock) {
  adl_form *form = &forms->items[forms->count++];
  char format[sizeof form->type];
  g_snprintf(format, sizeof format, "%s%s", day, clock);
  *form = (adl_form){.kind = ADL_GUESS_TIME, .twin = -1, .named = strstr(day, "%y") != NULL};
  g_snprintf(form->type, sizeof form->type, "%s %s", clock[0] != '\0' ? "timestamp" : "date", format);
  form->regex = regex_of(format);
}

/* %m/%d is %d/%m's twin. */
static int find_twin(const adl_forms *forms, const adl_form *form) {
  char other[sizeof form->type];
  g_strlcpy(other, form->type, sizeof other);
  char *month = strstr(other, "%m"), *day = strstr(other, "%d");
  if (month == NULL || day == NULL) return -1;
  month[1] = 'd';
  day[1] = 'm';
  for (guint i = 0; i < forms->count; i++)
    if (strcmp(forms->items[i].type, other) == 0) return (int)i;
  return -1;
}

adl_forms adl_forms_new(void) {
  adl_forms forms = {.items = g_new0(adl_form, G_N_ELEMENTS(PLAIN) + G_N_ELEMENTS(DAYS) * G_N_ELEMENTS(CLOCKS))};
  for (size_t i = 0; i < G_N_ELEMENTS(PLAIN); i++) {
    adl_form *form = &forms.items[forms.count++];
    *form = (adl_form){.kind = PLAIN[i].kind, .digits = PLAIN[i].digits, .note = PLAIN[i].note, .twin = -1};
    g_strlcpy(form->type, PLAIN[i].type, sizeof form->type);
    form->regex = whole(PLAIN[i].pattern);
  }
  for (size_t day = 0; day < G_N_ELEMENTS(DAYS); day++)
    for (size_t clock = 0; clock < G_N_ELEMENTS(CLOCKS); clock++) add_day(&forms, DAYS[day], CLOCKS[clock]);
  for (guint i = 0; i < forms.count; i++) forms.items[i].twin = find_twin(&forms, &forms.items[i]);
  return forms;
}

void adl_forms_clear(adl_forms *forms) {
  for (guint i = 0; i < forms->count; i++) g_regex_unref(forms->items[i].regex);
  g_free(forms->items);
}

bool adl_named_as_time(const char *name) {
  return g_regex_match_simple("time|date|stamp|epoch|created|updated|(^|[_ -])(ts|dt|day|at|when|tm)([_ -]|$)|"
                              "(?-i)[a-z](At|Ts)$|时间|日期",
                              name, G_REGEX_CASELESS, G_REGEX_MATCH_DEFAULT);
}
