/* What is said about records that could not become rows; see csv_tile.h. */
#include "common/csv_tile.h"
#include "common/excerpt.h"

static const char *type_name(const adl_csv_column *column) {
  switch (column->type) {
    case ADL_CSV_INT: return "an int";
    case ADL_CSV_FLOAT: return "a float";
    case ADL_CSV_BOOL: return "a bool (true, false, yes, no, t, f, y, n, 1, 0)";
    case ADL_CSV_TIMESTAMP: return "a timestamp";
    case ADL_CSV_DATE: return "a date";
    default: return "a string";
  }
}

static void reject_value(adl_csv_decoder *d, const adl_csv_record *record, const adl_csv_column *column, uint32_t field,
                         adl_csv_problem problem) {
  const adl_host *host = d->call->host;
  uint32_t end = d->scan.ends[record->first + field];
  uint32_t begin = field > 0 ? d->scan.ends[record->first + field - 1] + 1 : record->begin;
  const char *text = d->text + begin;
  uint32_t size = end - begin;
  char shown[ADL_EXCERPT];
  adl_csv_strip(&d->dialect, &text, &size);
  int64_t line = d->line + record->line;
  if (problem == ADL_CSV_BAD_TEXT)
    host->reject_record(d->call, line, column->name, "invalid UTF-8 at byte %u of the field",
                        (unsigned)adl_utf8_prefix(text, size) + 1);
  else if (problem == ADL_CSV_BAD_RANGE)
    host->reject_record(d->call, line, column->name, "\"%s\" is out of range for %s", adl_excerpt(text, size, shown),
                        type_name(column));
  else if (column->type == ADL_CSV_TIMESTAMP || column->type == ADL_CSV_DATE)
    host->reject_record(d->call, line, column->name, "\"%s\" is not %s in the format %s",
                        adl_excerpt(text, size, shown), type_name(column),
                        column->time.kind != ADL_TIME_ISO ? column->time.pattern
                        : column->type == ADL_CSV_DATE    ? "YYYY-MM-DD"
                                                          : "YYYY-MM-DD HH:MM:SS");
  else
    host->reject_record(d->call, line, column->name, "\"%s\" is not %s", adl_excerpt(text, size, shown),
                        type_name(column));
}

void adl_csv_reject(adl_csv_decoder *d, uint32_t r) {
  const adl_host *host = d->call->host;
  const adl_csv_record *record = &d->scan.records[r];
  const adl_csv_column *column = d->culprit[r] >= 0 ? &d->table->columns[d->culprit[r]] : NULL;
  const char *name = column != NULL ? column->name : NULL;
  int64_t line = d->line + record->line;
  switch ((adl_csv_problem)d->problem[r]) {
    case ADL_CSV_TOO_FEW:
      host->reject_record(d->call, line, name, "too few fields: %u instead of %d", (unsigned)record->count,
                          (int)d->head->fields);
      break;
    case ADL_CSV_TOO_MANY:
      host->reject_record(d->call, line, name, "too many fields: more than %d", (int)d->head->fields);
      break;
    case ADL_CSV_TOO_LONG:
      host->reject_record(d->call, line, name, "a field is longer than max_field (%u bytes)",
                          (unsigned)d->dialect.max_field);
      break;
    case ADL_CSV_HAS_ZERO: host->reject_record(d->call, line, name, "a NUL byte in the text"); break;
    case ADL_CSV_BAD_QUOTE:
      host->reject_record(d->call, line, name,
                          record->fault == ADL_CSV_AFTER_QUOTE
                              ? "the quote that opens at byte %u of the record is closed in the middle of a field"
                              : "the quote that opens at byte %u of the record is not closed",
                          (unsigned)(record->fault_at - record->begin) + 1);
      break;
    case ADL_CSV_FINE: break;
    default: reject_value(d, record, column, (uint32_t)d->head->field[d->culprit[r]], (adl_csv_problem)d->problem[r]);
  }
}
