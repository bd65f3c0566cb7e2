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

/* Where all fields are in quotes, an empty one is a missing value, of texts too. */
START_TEST(all_in_quotes) {
  program p = program_open();
  GString *log = g_string_new("\"user\",\"price\",\"kind\"\n");
  for (int i = 0; i < 40; i++)
    g_string_append_printf(log, "\"u%d\",\"%s\",\"%s\"\n", i % 7, i % 5 == 0 ? "" : "12", i % 4 == 0 ? "" : "small");
  program_write(&p, "log.csv", log->str, -1);
  draft(&p, "log.csv");
  ASSERT_DRAFT(&p, "    nulls: [\"NULL\", \"null\", \"\\\\N\", \"\"]");
  ASSERT_DRAFT(&p, "; missing in 10\n");
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

/* What stands for a mark: #i the row, #d a day of a month, #m a month, #t 1 in every third row, #3 one of three. */
static int filled(char mark, int row) {
  switch (mark) {
    case 'i': return 10 + row;
    case 'd': return 13 + row % 15;
    case 'm': return 1 + row % 9;
    case 't': return row % 3 == 0;
    default: return row / 2 % 3;
  }
}

/* A log of 60 rows. */
static void write_rows(const program *p, const char *file, const char *header, const char *line) {
  GString *log = g_string_new(header);
  for (int row = 0; row < 60; row++)
    for (const char *c = line; *c != '\0'; c++)
      if (*c == '#')
        g_string_append_printf(log, "%d", filled(*++c, row));
      else
        g_string_append_c(log, *c);
  program_write(p, file, log->str, -1);
  g_string_free(log, TRUE);
}

/* What a log looks like, and what its draft must hold, and must not. */
typedef struct drafted {
  const char *names, *line, *there, *also, *not_there; /* NULL: nothing */
} drafted;

static void check_draft(const drafted *d, const char *file) {
  program p = program_open();
  write_rows(&p, file, d->names, d->line);
  draft(&p, file);
  ASSERT_DRAFT(&p, d->there);
  if (d->also != NULL) ASSERT_DRAFT(&p, d->also);
  if (d->not_there != NULL) ASSERT_NOT(&p, d->not_there);
  program_close(&p);
}

/* What came of a click gives it away, so it teaches nothing: by its name, or as it could be predicted itself. */
static const drafted outcomes[] = {
    {"user,clicked,converted\n", "u#3,#t,0\n", "columns: [user, segment]", "label: clicked", "use: scale"},
    {"user,clicked,converted,price\n", "u#3,#t,#t,#i\n", "inputs: {use: hash, columns: [user, segment]",
     "converted: bool # 2 different values in 60; could be predicted, too; left out, as it may be known only "
     "afterwards\n",
     NULL},
    {"user,clicked,price,revenue\n", "u#3,#t,#d,#i.5\n", "scaled: {use: scale, columns: [price]",
     "answer away: revenue.\n  # To learn from one that is known before, add it to `columns` of `inputs`.\n", NULL},
    {"price,clicked,mobile\n", "#i,#t,#t\n", "answer away: mobile.\n", "inputs: {use: hash, columns: [segment]", NULL},
    {"clicked,converted\n", "#t,#t\n", "# No column is left from which `clicked` could be learned", "use: kmeans",
     "lbfgs"},
    {"user,clicked\n", "u#3,#t\n", "columns: [user, segment]", NULL, "left out"},
};

START_TEST(outcomes_teach_nothing) { check_draft(&outcomes[_i], "log.csv"); }
END_TEST

/* Where it goes back, a run takes it. */
START_TEST(an_outcome_put_back) {
  program p = program_open();
  write_rows(&p, "log.csv", "user,clicked,converted,revenue\n", "u#3,#t,#t,#i.5\n");
  draft(&p, "log.csv");
  char **parts = g_strsplit(p.out, "inputs: {use: hash, columns: [user", 2);
  ck_assert_ptr_nonnull(parts[1]);
  char *text = g_strconcat(parts[0], "inputs: {use: hash, columns: [user, converted, revenue", parts[1], NULL);
  program_write(&p, "q.yaml", text, -1);
  program_run(&p, "run q.yaml --out q --store s");
  ASSERT_STATUS(&p, 0);
  g_strfreev(parts);
  g_free(text);
  program_close(&p);
}
END_TEST

/* How times are written, and what they are read as. */
static const struct {
  const char *name, *written, *type;
} times[] = {
    {"when", "0#m/#d/2025 00:00:39", "timestamp %m/%d/%Y %H:%M:%S"},
    {"when", "2024/0#m/#d 00:00:10", "timestamp %Y/%m/%d %H:%M:%S"},
    {"when", "#m/#d/2024 0:00", "timestamp %m/%d/%Y %H:%M"},
    {"when", "#d/#m/2024 0:00", "timestamp %d/%m/%Y %H:%M"},
    {"when", "#d.03.2025 00:00", "timestamp %d.%m.%Y %H:%M"},
    {"when", "0#m/#d/2024 1:05 PM", "timestamp %m/%d/%Y %I:%M %p"},
    {"when", "#m/#d/2024, 1:05:06 pm", "timestamp %m/%d/%Y, %I:%M:%S %p"},
    {"when", "202401#d", "date %Y%m%d"},
    {"sort", "202401#d", "date %Y%m%d"},
    {"when", "202401#d101112", "timestamp %Y%m%d%H%M%S"},
    {"when", "202401#dT101112Z", "timestamp %Y%m%dT%H%M%S%z"},
    {"when", "17092944#i", "timestamp unix"},
    {"sort", "17092944#i", "timestamp unix"},
    {"when", "17092944#i.123", "timestamp unix"},
    {"when", "17092944#i123", "timestamp unix_ms"},
    {"when", "17092944#i123456", "timestamp unix_us"},
    {"event_ts", "17092944#i123456", "timestamp unix_us"},
    {"when", "#d-Jan-2024", "date %d-%b-%Y"},
    {"when", "#d January 2024", "date %d %b %Y"},
    {"when", "Mar #d, 2024", "date %b %d, %Y"},
    {"when", "#d/Jan/2024:10:11:12 +0100", "timestamp %d/%b/%Y:%H:%M:%S %z"},
    {"when", "Mon, #d Jan 2024 10:11:12 GMT", "timestamp %a, %d %b %Y %H:%M:%S %z"},
    {"when", "2024年#m月#d日", "date %Y年%m月%d日"},
    {"when", "#d.#m.24", "date %d.%m.%y"},
    {"when", "2024-#m-#d 1:02", "timestamp %Y-%m-%d %H:%M"},
    {"when", "2024-01-#dT10:11:12.5+01:00", "timestamp"},
};

START_TEST(times_are_found) {
  program p = program_open();
  char *names = g_strdup_printf("%s,user,clicked\n", times[_i].name);
  char *line = g_strdup_printf("\"%s\",u#3,#t\n", times[_i].written);
  write_rows(&p, "log.csv", names, line);
  draft(&p, "log.csv");
  char *type = g_strdup_printf("      %s: %s # ", times[_i].name, times[_i].type);
  char *holdout = g_strdup_printf("holdout: {newest: 0.2, by: %s}", times[_i].name);
  ASSERT_DRAFT(&p, type);
  ASSERT_DRAFT(&p, "; the time of a row");
  ASSERT_DRAFT(&p, holdout);
  ASSERT_NOT(&p, "fits as well");
  ASSERT_NOT(&p, "no column was found");
  ck_assert_msg(strstr(p.said, "rejected") == NULL, "%s", p.said);
  g_free(holdout);
  g_free(type);
  g_free(line);
  g_free(names);
  program_close(&p);
}
END_TEST

/* Lines above the table are passed over, empty ones, too; where a name is there twice, the line of names with them. */
static const drafted above[] = {
    {"exported by a tool\nuser,price,clicked\n", "u#3,#i,#t\n", "    skip_lines: 1 # what stands above the table\n",
     "      user: id # 3 different values in 60", "header: false"},
    {"\n# by a tool\n# of today, or so\n\nuser;price;clicked\n", "u#3;#i;#t\n", "    skip_lines: 3 #",
     "    delimiter: semicolon\n", NULL},
    {"by a tool\n\nuser,price,clicked,user\n", "u#3,#i,#t,v\n", "    header: false\n    skip_lines: 3\n",
     "      user_2: id", NULL},
    {"\nuser,price,clicked,user\n", "u#3,#i,#t,v\n", "    header: false\n    skip_lines: 2\n", "      user_2: id",
     NULL},
    {"\nuser,price,clicked\n", "u#3,#i,#t\n", "      price: int", NULL, "skip_lines"},
};

START_TEST(lines_above_the_table) { check_draft(&above[_i], "log.csv"); }
END_TEST

static const drafted doubtful[] = {
    /* day and month */
    {"day,user,clicked\n", "0#m/0#m/2024,u#3,#t\n",
     "day: date %m/%d/%Y # 9 different values in 60; the time of a row; "
     "%d/%m/%Y fits as well: look at it\n",
     NULL, NULL},
    {"day,user,clicked\n", "0#m-0#m-2024 10:00,u#3,#t\n", "%m-%d-%Y %H:%M fits as well: look at it\n", NULL, NULL},
    /* times that cannot be read */
    {"when,user,clicked\n", "17092944#i123456789,u#3,#t\n",
     "when: int # 60 different values in 60; the time of a row; "
     "nanoseconds since 1970",
     "holdout: {newest: 0.2, by: when}", "when, segment"},
    {"when,user,clicked\n", "week #i of 2024,u#3,#t\n",
     "when: string # 60 different values in 60; by its name a time, "
     "but in a form that is not read, so nothing is learned from it\n",
     "inputs: {use: hash, columns: [user, segment]", "use: tfidf"},
    {"user,clicked\n", "u#3,#t\n",
     "    # no column was found that tells when a row was; a random fifth is held out to "
     "judge by: rows of later may teach\n    # earlier ones\n    holdout: {fraction: 0.2}\n",
     NULL, NULL},
    {"day,user,clicked\n", "2024-01-01,u#3,#t\n", "holdout: {fraction: 0.2}", NULL, "newest"}, /* all would be */
    /* versions and ids are no times */
    {"version,user,clicked\n", "1.#3.10,u#3,#t\n", "version: id", "holdout: {fraction: 0.2}", NULL},
    {"order_id,user,clicked\n", "17092944#i,u#3,#t\n",
     "order_id: id # 60 different values in 60; nearly every row has "
     "its own, so nothing is learned from it\n",
     "inputs: {use: hash, columns: [user, segment]", NULL},
    {"item,user,clicked\n", "1#i,u#3,#t\n", "item: id # 60 different values", NULL, "use: scale"},
    {"campaign,user,clicked\n", "2#3,u#3,#t\n", "campaign: id # 3 different values",
     "columns: [campaign, user, segment]", NULL},
    {"device,user,clicked\n", "35209900176148#3,u#3,#t\n", "device: id", NULL, NULL},
    {"imei,user,clicked\n", "35209900176148#3,u#3,#t\n", "imei: id # 3 different values", NULL, NULL},
    {"bytes,user,clicked\n", "5#i000000,u#3,#t\n", "bytes: int # 60 different values", NULL,
     NULL}, /* some are shorter */
    /* numbers that cannot be read */
    {"price;user;clicked\n", "15,#3;u#3;#t\n",
     "price: id # 3 different values in 60; numbers with a decimal comma, "
     "which are not read as numbers: write 15.7 for 15,7 in the log\n",
     NULL, NULL},
    {"price,user,clicked\n", "\"1,2#i.50\",u#3,#t\n",
     "; numbers with commas between thousands, which are not read as "
     "numbers: write 1234.50 for 1,234.50 in the log\n",
     "nearly every row has its own", NULL},
    {"share,user,clicked\n", "#3.2%,u#3,#t\n", "numbers with a percent sign", NULL, NULL},
    {"price,user,clicked\n", "€#3.2,u#3,#t\n", "numbers with the sign of a currency", NULL, NULL},
    /* digits too many for a number */
    {"ad,user,clicked\n", "12345678901234567890#3,u#3,#t\n", "ad: id # 3 different values", NULL, NULL},
};

START_TEST(what_is_in_doubt_is_said) { check_draft(&doubtful[_i], "log.csv"); }
END_TEST

static const drafted names[] = {
    {"user, price , clicked\n", "u#3,#i,#t\n", "    trim: true", "      price: int", "header: false"},
    {"user, price, clicked\n", "u#3, #i, #t\n", "    trim: true", "      clicked: bool", "header: false"},
    {"p,x,segment,scaled,is_true,traits,clicked\n", "#i,u#3,#d,#d,#m,a,#t\n", "columns: [clicked, segment_2, p_2]",
     "features: [x_2, scaled_2]", NULL},
    {"p,words,about,traits,is_true,purchase\n", "#i,some words to read #i,b#3,c#3,#3,ok#t\n", "as: words_2",
     "label: "
     "is_true_2",
     NULL},
    {"traits,p_2,p,clicked\n", "a#3,b#3,c#3,#t\n", "as: traits_2}", "as: p_3}", NULL},
    {"user,clicked,\n", "u#3,#t,\n", "    # 1 field has no name in the header and is not read\n", "clicked: bool",
     "header: false"},
    {"user,,clicked\n", "u#3,a,#t\n", "1 field has no name", "clicked: bool", "header: false"},
    {"user,clicked,user,\n", "u#3,#t,v#3,\n", "    # two fields are called `user`, so the line of names is passed over",
     "    header: false\n    skip_lines: 1\n", "the first line holds values"},
    {"user,clicked,user\n", "u#3,#t,v#3\n", "      user: id", "      user_2: id", NULL},
    {"u1,shoes,\n", "u#3,shoes,\n", "header: false # the first line holds values", NULL, "skip_lines"}, /* a row */
    /* labels that are numbers, of which learners take 0 to 1 only */
    {"a,b,y\n", "u#3,#i,#t\n", "label: \"y\"", NULL, "derive"},
    {"a,b,label\n", "u#3,#i,-1\nu1,2,1\n", "columns: {is_true: \"label = 1\"}", "label: is_true", NULL},
    {"a,b,target\n", "u#3,#i,2\nu1,2,1\n", "columns: {is_true: \"target = 2\"}", NULL, NULL},
};

START_TEST(names_are_names) { check_draft(&names[_i], "log.csv"); }
END_TEST

static const drafted members[] = {
    {"", "{\"user.id\":\"x#3\",\"clicked\":#t}\n",
     "      \"user.id\": id # 3 different values in 60; whose row it is\n", "columns: [\"user.id\", segment]", "paths"},
    {"", "{\"user.id\":\"x#3\",\"user\":{\"id\":\"v#d\"},\"clicked\":#t}\n", "      \"user.id\": id # 3 ",
     "      user_id: id # 15 ", NULL},
    {"", "{\"user\":{\"a.b\":1,\"id\":\"v#3\"},\"x.y\":{\"z\":1},\"clicked\":#t}\n",
     "      # user/a.b: left out, since `paths` cannot say it", "      # x.y: left out", NULL},
    {"", "{\"day\":202401#d,\"user\":\"v#3\",\"clicked\":#t}\n",
     "day: int # 15 different values in 60; the time of a row; "
     "days as numbers",
     "newest: 0.2, by: day", "scaled"},
    {"", "{\"when\":\"#d/0#m/2024 10:00\",\"user\":\"v#3\",\"clicked\":#t}\n", "when: timestamp %d/%m/%Y %H:%M # ",
     NULL, NULL},
    {"", "{\"q\":\"12.#3\",\"user\":\"v#3\",\"clicked\":#t}\n", "q: id # 3 different values in 60\n", NULL, NULL},
};

START_TEST(members_of_json) { check_draft(&members[_i], "log.jsonl"); }
END_TEST

static void refused(program *p, const char *command, const char *why) {
  program_run(p, command);
  ASSERT_STATUS(p, 2);
  ASSERT_SAYS(p, why);
  ck_assert_str_eq(p->out, "");
}

/* Logs that are refused, and what there is to do. */
static const struct {
  const char *file, *text, *why;
} unfit[] = {
    {"note.csv", "exported by a tool\n1,2,3\n4,5,6\n", /* without names */
     "line 1 has 1 field, the others 3; if it holds the names, one for each field is needed; if it stands above the "
     "table, take it out, or write a pipeline in which read-csv has `skip_lines: 1`\n"},
    {"notes.csv", "\nby; a tool\na;b;c\n1;2;3\n4;5;6\n7;8;9\n4;5;6\n7;8;9\n", "`skip_lines: 2`\n"},
    {"texts.csv", "a\nx,p,q\ny,r,s\n", "line 1 has 1 field, the others 3"},
    {"short.csv", "a,b\nx,1,2\ny,3,4\n", "line 1 has 2 fields, the others 3"},
    {"pretty.json", "{\n  \"a\": 1,\n  \"b\": {\"c\": 2}\n}\n",
     "each object must stand on one line of its own, as `jq -c . 'pretty.json'` writes them\n"},
    {"array.json", "[\n  {\"a\": 1},\n  {\"a\": 2}\n]\n",
     "it is a JSON array; each object must stand on one line of its "
     "own, as `jq -c '.[]' 'array.json'` writes them\n"},
    {"line.json", "[{\"a\": 1}, {\"a\": 2}]\n", "`jq -c '.[]' 'line.json'`"},
    {"dots.jsonl", "{\"a\": {\"b.c\": 1}}\n", "no member can be named in a pipeline: `a/b.c` has dots"},
    {"nothing.csv", "a,b\n,\n,\n", "no column of it has values that can be read"},
    {"nothing.jsonl", "{\"a\": [[1]]}\n", "no column of it has values that can be read"},
};

START_TEST(unfit_logs) {
  program p = program_open();
  program_write(&p, unfit[_i].file, unfit[_i].text, -1);
  char *command = g_strconcat("init ", unfit[_i].file, NULL);
  refused(&p, command, unfit[_i].why);
  g_free(command);
  program_close(&p);
}
END_TEST

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
  tcase_add_test(cases, all_in_quotes);
  tcase_add_test(cases, row_numbers_without_a_name);
  tcase_add_test(cases, chinese_texts);
  tcase_add_test(cases, json_lines);
  tcase_add_test(cases, odd_logs);
  tcase_add_test(cases, refusals);
  tcase_add_loop_test(cases, outcomes_teach_nothing, 0, G_N_ELEMENTS(outcomes));
  tcase_add_test(cases, an_outcome_put_back);
  tcase_add_loop_test(cases, times_are_found, 0, G_N_ELEMENTS(times));
  tcase_add_loop_test(cases, what_is_in_doubt_is_said, 0, G_N_ELEMENTS(doubtful));
  tcase_add_loop_test(cases, lines_above_the_table, 0, G_N_ELEMENTS(above));
  tcase_add_loop_test(cases, names_are_names, 0, G_N_ELEMENTS(names));
  tcase_add_loop_test(cases, members_of_json, 0, G_N_ELEMENTS(members));
  tcase_add_loop_test(cases, unfit_logs, 0, G_N_ELEMENTS(unfit));
  tcase_set_timeout(cases, 120);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
