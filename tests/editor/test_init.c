/*
 * adloom init: what it makes of logs, ordinary and odd; and that each pipeline it writes runs as it is.
 */
#include "tests/faults/program.h"

#define ASSERT_DRAFT(p, text) ck_assert_msg(strstr((p)->out, text) != NULL, "\"%s\" is not in: %s", text, (p)->out)
#define ASSERT_NOT(p, text) ck_assert_msg(strstr((p)->out, text) == NULL, "\"%s\" is in: %s", text, (p)->out)

/* Drafts a pipeline for the file, runs it, and leaves the draft in p->out. */
static void draft(program *p, const char *file) {
  char *command = g_strconcat("init ", file, NULL);
  program_run(p, command);
  ASSERT_STATUS(p, 0);
  char *text = g_strdup(p->out);
  program_write(p, "p.yaml", text, -1);
  program_run(p, "run p.yaml --out r --store s");
  ck_assert_msg(p->status == 0, "status %d: %s%s", p->status, p->said, text);
  ck_assert(program_has(p, "r/out.csv"));
  g_free(p->out);
  p->out = text;
  g_free(command);
}

static char *clicks(const char *line) {
  GString *log = g_string_new("user_id,page,at,price,zip,clicked,note\n");
  for (int i = 0; i < 60; i++)
    g_string_append_printf(log, line, i % 7, i % 3, 1 + i % 28, i * 0.5, 1000 + i % 9, i % 3 == 0 ? "yes" : "no");
  return g_string_free(log, FALSE);
}

START_TEST(a_log_of_clicks) {
  program p = program_open();
  char *log = clicks("%d,page%d,2024-03-%02d 10:00:00,%g,0%d,%s,\n");
  program_write(&p, "log.csv", log, -1);
  draft(&p, "log.csv");
  ASSERT_DRAFT(&p, "    path: \"log.csv\"\n");
  ASSERT_DRAFT(&p, "      user_id: id # 7 different values in 60; whose row it is\n");
  ASSERT_DRAFT(&p, "      page: id # 3 different values in 60\n");
  ASSERT_DRAFT(&p, "      at: timestamp # 28 different values in 60; the time of a row\n");
  ASSERT_DRAFT(&p, "      price: float # 60 different values in 60\n");
  ASSERT_DRAFT(&p, "      zip: id # 9 different values in 60\n"); /* a 0 in front counts */
  ASSERT_DRAFT(&p, "      clicked: bool # 2 different values in 60; what is predicted\n");
  ASSERT_DRAFT(&p, "      note: skip # empty in the rows that were looked at\n");
  ASSERT_DRAFT(&p, "    holdout: {newest: 0.2, by: at}\n");
  ASSERT_DRAFT(&p, "label: clicked");
  g_free(log);
  program_close(&p);
}
END_TEST

/* As data frames are written: row numbers under no name are left out, and the rest has its own. */
START_TEST(row_numbers_without_a_name) {
  program p = program_open();
  GString *log = g_string_new(",user,price,clicked\n");
  for (int i = 0; i < 60; i++) g_string_append_printf(log, "%d,u%d,%g,%d\n", i, i % 7, i * 0.25, i % 3 == 0);
  program_write(&p, "log.csv", log->str, -1);
  draft(&p, "log.csv");
  ASSERT_NOT(&p, "header: false");
  ASSERT_DRAFT(&p, "      user: id # 7 different values in 60");
  ASSERT_DRAFT(&p, "      price: float # 60 different values in 60");
  ASSERT_DRAFT(&p, "      clicked: bool # 2 different values in 60; what is predicted");
  ASSERT_NOT(&p, "      c1:");
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

/* Nothing to predict, semicolons, blanks, marks for missing values, dates as Germans write them. */
START_TEST(nothing_to_predict) {
  program p = program_open();
  GString *log = g_string_new("day;size;kind\n");
  for (int i = 0; i < 40; i++)
    g_string_append_printf(log, "%d.3.2024; %s ;%s\n", 1 + i % 28,
                           i % 5 == 0   ? "?"
                           : i % 2 == 0 ? "7"
                                        : "12",
                           i % 4 == 0   ? "large"
                           : i % 2 == 0 ? "small"
                                        : "medium");
  program_write(&p, "log.csv", log->str, -1);
  draft(&p, "log.csv");
  ASSERT_DRAFT(&p, "so there are profiles only.\n");
  ASSERT_DRAFT(&p, "    delimiter: semicolon\n");
  ASSERT_DRAFT(&p, "    trim: true");
  ASSERT_DRAFT(&p, "    nulls: [\"NULL\", \"null\", \"\\\\N\", \"?\"]");
  ASSERT_DRAFT(&p, "      day: date %d.%m.%Y");
  ASSERT_DRAFT(&p, "      size: int");
  ASSERT_DRAFT(&p, "use: kmeans");
  ASSERT_NOT(&p, "lbfgs");
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

START_TEST(chinese_texts) {
  program p = program_open();
  static const char *const words[] = {"手机屏幕很清楚", "苹果又甜又脆好吃", "酒店房间干净安静", "衣服颜色漂亮质量好"};
  GString *log = g_string_new("用户,评论\n");
  for (int i = 0; i < 40; i++)
    g_string_append_printf(log, "u%d,%s%d次，%s\n", i % 5, words[i % 4], i, words[(i + 1) % 4]);
  program_write(&p, "log.csv", log->str, -1);
  draft(&p, "log.csv");
  ASSERT_DRAFT(&p, "      \"用户\": id # 5 different values in 40; whose row it is\n");
  ASSERT_DRAFT(&p, "      \"评论\": string # text, Chinese, 40 different values in 40; becomes words\n");
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

START_TEST(json_lines) {
  program p = program_open();
  GString *log = g_string_new(NULL);
  for (int i = 0; i < 60; i++)
    g_string_append_printf(log,
                           "{\"user\":{\"id\":%d,\"tags\":[\"a\",\"b%d\"]},\"user_id\":1,\"ts\":%d,\"won\":%s,"
                           "\"bid\":%g,\"odd\":%s,\"text\":\"word%d and other%d words here\"}\n",
                           i % 6, i % 3, 1700000000 + i, i % 2 == 0 ? "true" : "false", i / 4.0,
                           i % 2 == 0 ? "1" : "{\"x\":[1,\"a\"]}", i, i % 5);
  program_write(&p, "log.jsonl", log->str, -1);
  draft(&p, "log.jsonl");
  ASSERT_DRAFT(&p, "    use: read-jsonl\n");
  ASSERT_DRAFT(&p, "      user_id: id # 6 different values in 60");
  ASSERT_DRAFT(&p, "      user_id: \"user.id\"\n"); /* where it stands */
  ASSERT_DRAFT(&p, "      user_id_: ");             /* and the other one of that name */
  ASSERT_DRAFT(&p, "      user_tags: strings # lists\n");
  ASSERT_DRAFT(&p, "      ts: timestamp unix # 60 different values in 60; the time of a row\n");
  ASSERT_DRAFT(&p, "      won: bool # 2 different values in 60; what is predicted\n");
  ASSERT_DRAFT(&p, "      bid: float");
  ASSERT_DRAFT(&p, "      # odd: ? # of several kinds; missing in 30\n");
  ASSERT_DRAFT(&p, "      text: string # text, ");
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

START_TEST(odd_logs) {
  program p = program_open();
  program_write(&p, "one.csv", "a,b\n1,x\n", -1);
  draft(&p, "one.csv");
  ASSERT_DRAFT(&p, "from its only 1 row");
  program_write(&p, "bare.csv", "1,x,2024-01-01\n2,y,2024-01-02\n3,x,2024-01-03\n", -1);
  draft(&p, "bare.csv");
  ASSERT_DRAFT(&p, "    header: false");
  ASSERT_DRAFT(&p, "      c3: date");
  /* Names that mean something to YAML, to expressions and to variables; a label of two texts with a quote. */
  GString *log = g_string_new("\"a: b\",${HOME},no,purchase type\n");
  for (int i = 0; i < 30; i++)
    g_string_append_printf(log, "%d,k%d,%d,%s\n", i, i % 3, i % 5, i % 3 == 0 ? "it's" : i == 1 ? "" : "never");
  program_write(&p, "names.csv", log->str, -1);
  draft(&p, "names.csv");
  ASSERT_DRAFT(&p, "\"`purchase type` = 'it''s'\"");
  ASSERT_DRAFT(&p, "\"`purchase type` is not null\"");
  g_string_free(log, TRUE);
  program_write(&p, "t.tsv", "a\tb\n1\t2\n3\t4\n", -1);
  draft(&p, "t.tsv");
  ASSERT_NOT(&p, "delimiter");
  program_close(&p);
}
END_TEST

static void refused(program *p, const char *command, const char *why) {
  program_run(p, command);
  ASSERT_STATUS(p, 2);
  ASSERT_SAYS(p, why);
  ck_assert_str_eq(p->out, "");
}

START_TEST(refusals) {
  program p = program_open();
  program_write(&p, "empty.csv", "", 0);
  refused(&p, "init empty.csv", "adloom init: empty.csv: it is empty\n");
  program_write(&p, "names.csv", "a,b\n", -1);
  refused(&p, "init names.csv", "adloom init: names.csv: it has a line of names and no rows\n");
  char bytes[4096];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 7919 >> 3);
  program_write(&p, "binary.csv", bytes, sizeof bytes);
  refused(&p, "init binary.csv", "adloom init: binary.csv: it does not look like text (UTF-8) in lines\n");
  refused(&p, "init none.csv", "adloom init: none.csv: there is no such file\n");
  refused(&p, "init .", "adloom init: .: it is no regular file\n");
  program_write(&p, "broken.jsonl", "{\"a\": \n{\"b\"\n", -1);
  refused(&p, "init broken.jsonl",
          "adloom init: broken.jsonl: no line of it is a JSON object with members; each object must stand on one "
          "line of its own, as `jq -c . 'broken.jsonl'` writes them\n");
  program_write(&p, "one.csv", "a,b\n1,x\n", -1);
  program_write(&p, "kept.yaml", "mine\n", -1);
  refused(&p, "init one.csv --out kept.yaml", "adloom init: kept.yaml: File exists; it is left as it is");
  char *kept = program_read(&p, "kept.yaml", NULL);
  ck_assert_str_eq(kept, "mine\n");
  g_free(kept);
  program_run(&p, "init one.csv --out new.yaml");
  ASSERT_STATUS(&p, 0);
  program_run(&p, "check new.yaml");
  ASSERT_STATUS(&p, 0);
  program_close(&p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("init");
  TCase *cases = tcase_create("init");
  tcase_add_test(cases, a_log_of_clicks);
  tcase_add_test(cases, nothing_to_predict);
  tcase_add_test(cases, row_numbers_without_a_name);
  tcase_add_test(cases, chinese_texts);
  tcase_add_test(cases, json_lines);
  tcase_add_test(cases, odd_logs);
  tcase_add_test(cases, refusals);
  tcase_set_timeout(cases, 120);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
