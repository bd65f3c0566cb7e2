/* Types of columns as `columns` names them; see column_types.h. */
#include "common/column_types.h"

#include <string.h>

#include "common/nearest.h"

static const struct {
  const char *name;
  adl_csv_type type;
} types[] = {
    {"string", ADL_CSV_STRING}, {"id", ADL_CSV_STRING}, {"category", ADL_CSV_STRING},     {"int", ADL_CSV_INT},
    {"float", ADL_CSV_FLOAT},   {"bool", ADL_CSV_BOOL}, {"timestamp", ADL_CSV_TIMESTAMP}, {"date", ADL_CSV_DATE},
    {"skip", ADL_CSV_SKIP}};
enum { TYPES = sizeof types / sizeof types[0] };

static adl_status unknown_type(const adl_call *call, const char *parameter, const char *text) {
  const char *names[TYPES];
  for (int i = 0; i < TYPES; i++) names[i] = types[i].name;
  int32_t near = adl_nearest(text, TYPES, names);
  char hint[64] = "";
  if (near >= 0) strcat(strcat(strcat(hint, "did you mean `"), names[near]), "`?");
  return call->host->fail(call, parameter, -1, near >= 0 ? hint : NULL,
                          "`%s` is not a type; there are string, id, category, int, float, bool, timestamp, date, skip",
                          text);
}

adl_status adl_column_type_set(const adl_call *call, const char *timestamp_format, const char *text,
                               adl_csv_column *column) {
  char *parameter = call->host->alloc(call, strlen(column->name) + 10);
  strcat(strcpy(parameter, "columns."), column->name);
  size_t word = strcspn(text, " ");
  const char *format = text + word + strspn(text + word, " ");
  int known = 0;
  while (known < TYPES && (strlen(types[known].name) != word || strncmp(types[known].name, text, word) != 0)) known++;
  if (known == TYPES) return unknown_type(call, parameter, text);
  column->type = types[known].type;
  bool time = column->type == ADL_CSV_TIMESTAMP || column->type == ADL_CSV_DATE;
  if (*format != '\0' && !time)
    return call->host->fail(call, parameter, (int32_t)(format - text), NULL, "only timestamp and date take a format");
  bool own = *format != '\0';
  int32_t at;
  const char *wrong = time ? adl_time_format_set(&column->time, own ? format : timestamp_format, &at) : NULL;
  if (wrong != NULL && own)
    return call->host->fail(call, parameter, (int32_t)(format - text) + at, NULL, "\"%s\" %s", format, wrong);
  return ADL_OK; /* timestamp_format itself has been checked */
}

adl_type adl_column_type(adl_csv_type type) {
  static const uint8_t elements[] = {
      [ADL_CSV_STRING] = ADL_STRING, [ADL_CSV_INT] = ADL_INT64,           [ADL_CSV_FLOAT] = ADL_FLOAT64,
      [ADL_CSV_BOOL] = ADL_BOOL,     [ADL_CSV_TIMESTAMP] = ADL_TIMESTAMP, [ADL_CSV_DATE] = ADL_TIMESTAMP};
  return (adl_type){
      .element = elements[type], .shape = ADL_SCALAR, .role = type == ADL_CSV_STRING ? ADL_CATEGORY : ADL_NUMBER};
}
