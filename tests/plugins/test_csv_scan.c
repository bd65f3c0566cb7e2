/* The scanner of delimited text: every implementation against a byte-at-a-time reader, on texts that are cut anywhere. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/csv_scan.h"
#include "tests/plugins/csv_reference.h"

#include <adloom/plugin.h>

static const char *const implementations[] = {"portable", "sse2", "avx2"};

typedef struct way {
  adl_csv_scanner scanner;
  bool fields;
  uint32_t step;     /* bytes of text that are added at a time; 0: all at once */
  uint32_t capacity; /* of the output: so small that it fills again and again */
} way;

/* Compares the records found so far with the reference and takes them out; what is left is moved to the front. */
static void take(adl_csv_scan *scan, const reference *wanted, uint32_t *taken, bool fields) {
  for (uint32_t i = 0; i < scan->records_count; i++, (*taken)++) {
    const adl_csv_record *record = &scan->records[i];
    if (*taken >= wanted->count) ck_abort_msg("a record too many at byte %u", record->begin);
    const reference_record *right = &wanted->records[*taken];
    bool same = record->begin == right->begin && record->end == right->end && record->line == right->line &&
                record->fault == right->fault && (right->fault == ADL_CSV_GOOD || record->fault_at == right->fault_at);
    if (same && fields)
      same = record->count == right->count &&
             memcmp(scan->ends + record->first, right->ends, right->count * sizeof *right->ends) == 0;
    if (!same)
      ck_abort_msg("record %u: bytes %u to %u on line %u, fault %d, instead of %u to %u on line %u, fault %d", *taken,
                   record->begin, record->end, record->line, record->fault, right->begin, right->end, right->line,
                   right->fault);
  }
  memmove(scan->ends, scan->ends + scan->open.first, (scan->ends_count - scan->open.first) * sizeof *scan->ends);
  scan->ends_count -= scan->open.first;
  scan->open.first = scan->records_count = 0;
}

static void compare(const adl_csv_dialect *dialect, const char *text, uint32_t size, const reference *wanted,
                    const way *how) {
  uint32_t *ends = malloc((how->capacity + size) * sizeof *ends), taken = 0, seen = how->step == 0 ? size : 0;
  adl_csv_record *records = malloc(how->capacity * sizeof *records);
  adl_csv_scan scan = {.dialect = dialect,
                       .fields = how->fields,
                       .ends = ends,
                       .records = records,
                       .ends_capacity = how->capacity + size,
                       .records_capacity = how->capacity};
  adl_csv_progress progress;
  do {
    char *copy = malloc(seen > 0 ? seen : 1); /* so that a look beyond what has been given is found */
    memcpy(copy, text, seen);
    progress = how->scanner(&scan, copy, seen, seen == size);
    free(copy);
    take(&scan, wanted, &taken, how->fields);
    if (progress == ADL_CSV_MORE) {
      if (seen >= size) ck_abort_msg("more text is wanted behind the end");
      seen = size - seen > how->step ? seen + how->step : size;
    }
  } while (progress != ADL_CSV_DONE);
  ck_assert_uint_eq(taken, wanted->count);
  free(ends);
  free(records);
}

static void compare_all(const adl_csv_dialect *dialect, const char *text, uint32_t size, uint32_t step) {
  reference wanted = reference_read(dialect, text, size);
  for (int i = 0; i < 3; i++) {
    adl_csv_scanner scanner = adl_csv_scanner_named(implementations[i]);
    if (scanner == NULL) continue;
    for (int fields = 0; fields < 2; fields++) {
      compare(dialect, text, size, &wanted, &(way){scanner, fields == 1, 0, 1000});
      compare(dialect, text, size, &wanted, &(way){scanner, fields == 1, step, ADL_CSV_ROOM + 3});
    }
  }
  reference_free(&wanted);
}

START_TEST(random_texts) {
  char text[800];
  for (uint64_t round = 0; round < 1000; round++) {
    uint64_t seed = (uint64_t)_i * 1000 + round;
    uint32_t size = reference_text(seed, sizeof text, text);
    static const uint32_t limits[] = {0, 3, 40, 100000};
    adl_csv_dialect dialect = {.delimiter = _i % 2 == 0 ? ',' : '\t',
                               .quote = _i % 5 == 4 ? 0 : '"',
                               .trim = _i / 2 % 2 == 1,
                               .comment = "#",
                               .comment_size = _i / 4 % 2,
                               .max_field = limits[round % 4]};
    compare_all(&dialect, text, size, 1 + (uint32_t)(seed % 90));
  }
}
END_TEST

/* Texts as programs write them: every other field is quoted, some with delimiters and doubled quotes inside; now and then a
 * byte is not as it should be, so that the usual and the unusual meet at every place of a chunk. */
static uint32_t written_text(uint64_t seed, uint32_t size, char *text) {
  static const char *const fields[] = {"\"\"",
                                       "\"a\"",
                                       "b",
                                       "",
                                       "\"c,d\"",
                                       "\"e \"\"f\"\"\"",
                                       "\"\"\"\"",
                                       "12345678",
                                       "\"a long one, with a comma\"",
                                       "\"line\nfeed\""};
  uint32_t at = 0;
  for (uint64_t i = 0; at + 40 < size; i++) {
    uint64_t random = adl_random(seed, i);
    const char *field = fields[random % (random >> 60 == 0 ? 10 : 9)];
    memcpy(text + at, field, strlen(field));
    at += (uint32_t)strlen(field);
    text[at++] = random >> 32 & 7 ? ',' : '\n';
  }
  if (seed % 3 == 0) text[adl_random(seed, 1u << 20) % at] = "\",x\n\r"[seed / 3 % 5];
  return at;
}

START_TEST(written_texts) {
  char text[800];
  adl_csv_dialect dialect = {.delimiter = ',', .quote = '"', .max_field = 100000};
  for (uint64_t round = 0; round < 1000; round++) {
    uint64_t seed = (uint64_t)_i * 1000 + round;
    dialect.max_field = seed % 7 == 0 ? 70 : 100000;
    compare_all(&dialect, text, written_text(seed, sizeof text, text), 1 + (uint32_t)(seed % 150));
  }
}
END_TEST

/* The fields that need work after the scan are in records that say so, whichever way they were scanned. */
START_TEST(records_know_their_quotes) {
  static char text[800];
  adl_csv_dialect dialect = {.delimiter = ',', .quote = '"', .max_field = 100000};
  for (uint64_t seed = 1; seed < 1000; seed++) {
    uint32_t ends[900];
    adl_csv_record records[900];
    if (seed % 3 == 0) continue;
    uint32_t size = written_text(seed, sizeof text, text);
    for (int i = 0; i < 3; i++) {
      adl_csv_scanner scanner = adl_csv_scanner_named(implementations[i]);
      adl_csv_scan scan = {.dialect = &dialect, .fields = true, .ends = ends, .ends_capacity = 900};
      scan.records = records;
      scan.records_capacity = 900;
      if (scanner == NULL) continue;
      ck_assert_int_eq(scanner(&scan, text, size, true), ADL_CSV_DONE);
      for (uint32_t r = 0; r < scan.records_count; r++) {
        bool quotes = false, doubled = false;
        for (uint32_t at = records[r].begin; at < records[r].end; at++) {
          quotes |= text[at] == '"';
          doubled |=
              text[at] == '"' && at + 1 < records[r].end && text[at + 1] == '"' && /* not an empty field */
              !((at == records[r].begin || text[at - 1] == ',') && (at + 2 == records[r].end || text[at + 2] == ','));
        }
        ck_assert_int_eq(records[r].quotes, quotes);
        ck_assert_int_eq(records[r].doubled, doubled);
      }
    }
  }
}
END_TEST

START_TEST(every_length_around_a_chunk) {
  char text[200];
  adl_csv_dialect dialect = {.delimiter = ',', .quote = '"', .max_field = 1000};
  for (uint32_t length = 0; length < 132; length++)
    for (int kind = 0; kind < 6; kind++) {
      static const char *const tails[] = {"", "\n", "\"", ",\"q\"", ",\"q\"\"", "\r\n"};
      memset(text, 'x', length);
      memcpy(text + length, tails[kind], strlen(tails[kind]));
      compare_all(&dialect, text, length + (uint32_t)strlen(tails[kind]), 1);
    }
}
END_TEST

static adl_csv_scan scan_text(const adl_csv_dialect *dialect, const char *text) {
  static uint32_t ends[1000];
  static adl_csv_record records[1000];
  adl_csv_scan scan = {.dialect = dialect,
                       .fields = true,
                       .ends = ends,
                       .ends_capacity = 1000,
                       .records = records,
                       .records_capacity = 1000};
  ck_assert_int_eq(adl_csv_scan_run(&scan, text, (uint32_t)strlen(text), true), ADL_CSV_DONE);
  return scan;
}

/* Known answers, in case scanner and reference share a misunderstanding. */
START_TEST(known_answers) {
  adl_csv_dialect dialect = {.delimiter = ',', .quote = '"', .max_field = 1000};
  adl_csv_scan scan = scan_text(&dialect, "a,\"b,\n\"\"c\"\r\n5\" pipe,x\n\n\"open,2\n3,4\n");
  ck_assert_uint_eq(scan.records_count, 5);
  ck_assert_uint_eq(scan.records[0].count, 2);
  ck_assert_uint_eq(scan.records[0].end, 11);
  ck_assert_uint_eq(scan.records[1].line, 2); /* the first record has two lines */
  ck_assert_uint_eq(scan.records[1].count, 2);
  ck_assert_uint_eq(scan.records[1].fault, ADL_CSV_GOOD); /* a quote inside a field is text */
  ck_assert_uint_eq(scan.records[2].begin, scan.records[2].end);
  ck_assert_uint_eq(scan.records[3].fault, ADL_CSV_UNCLOSED);
  ck_assert_uint_eq(scan.records[4].count, 2); /* what follows the unclosed quote is read */
  ck_assert_uint_eq(scan.records[4].line, 5);
}
END_TEST

/* Byte classes that are remembered for the caller. */
START_TEST(high_and_zero_bytes) {
  adl_csv_dialect dialect = {.delimiter = ',', .quote = '"', .max_field = 1000};
  static uint32_t ends[100 + ADL_CSV_ROOM];
  static adl_csv_record records[100 + ADL_CSV_ROOM];
  for (int i = 0; i < 3; i++)
    for (uint32_t at = 0; at < 100; at++)
      for (int c = 0; c < 3; c++) {
        adl_csv_scanner scanner = adl_csv_scanner_named(implementations[i]);
        if (scanner == NULL) continue;
        char text[100];
        memset(text, 'a', sizeof text);
        text[at] = "b\0\x80"[c];
        adl_csv_scan scan = {.dialect = &dialect,
                             .fields = true,
                             .ends = ends,
                             .ends_capacity = 100 + ADL_CSV_ROOM,
                             .records = records,
                             .records_capacity = 100 + ADL_CSV_ROOM};
        ck_assert_int_eq(scanner(&scan, text, sizeof text, true), ADL_CSV_DONE);
        ck_assert_int_eq(scan.zero, c == 1);
        ck_assert_int_eq(scan.high, c == 2);
      }
}
END_TEST

START_TEST(a_machine_has_at_least_the_portable_one) {
  ck_assert_ptr_nonnull(adl_csv_scanner_named("portable"));
  ck_assert_ptr_null(adl_csv_scanner_named("mmx"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("csv_scan");
  TCase *tcase = tcase_create("scan");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, random_texts, 0, 16);
  tcase_add_loop_test(tcase, written_texts, 0, 8);
  tcase_add_test(tcase, records_know_their_quotes);
  tcase_add_test(tcase, every_length_around_a_chunk);
  tcase_add_test(tcase, known_answers);
  tcase_add_test(tcase, high_and_zero_bytes);
  tcase_add_test(tcase, a_machine_has_at_least_the_portable_one);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
