/*
 * What the program tells of a pipeline without running it: adloom graph as lines, adloom explain.
 */
#include "tests/faults/program.h"

static const char PIPELINE[] = "adloom: 1\n"
                               "stages:\n"
                               "  log:\n"
                               "    use: read-csv\n"
                               "    path: log.csv\n"
                               "    columns: {user: id, text: string, at: timestamp, clicked: bool, spend: float}\n"
                               "    holdout: {newest: 0.25, by: at}\n"
                               "  words: {use: tfidf, text: text, as: words, min_df: 1}\n"
                               "  segment: {use: kmeans, features: [words], clusters: 2, as: segment}\n"
                               "  means: {use: group, by: segment, columns: {mean_spend: mean(spend)}}\n"
                               "  joined: {use: join, from: segment, with: means, on: segment, columns: [mean_spend]}\n"
                               "  inputs: {use: hash, columns: [user, segment], bits: 8, as: x}\n"
                               "  click: {use: ftrl, features: [x], label: clicked, as: p}\n"
                               "  out: {use: write-csv, path: out.csv, columns: [user, mean_spend, p]}\n";

static const char LOG[] = "user,text,at,clicked,spend\n"
                          "1,red shoe,2024-01-01,1,3\n"
                          "2,blue hat,2024-01-02,0,4\n"
                          "1,red hat,2024-01-03,1,5\n"
                          "3,blue shoe,2024-01-04,0,6\n";

static program scene(void) {
  program p = program_open();
  program_write(&p, "p.yaml", PIPELINE, -1);
  program_write(&p, "log.csv", LOG, -1);
  return p;
}

#define ASSERT_SHOWS(p, text) ck_assert_msg(strstr((p)->out, text) != NULL, "\"%s\" is not in: %s", text, (p)->out)

START_TEST(graph_as_lines) {
  program p = scene();
  program_run(&p, "graph p.yaml --format text");
  ASSERT_STATUS(&p, 0);
  ASSERT_SHOWS(&p, "log      read-csv\n         holds out newest 0.25 by at\nwords    tfidf      <- log ");
  ASSERT_SHOWS(&p, "words: sparse float32");
  ASSERT_SHOWS(&p, "\n                    with means    segment: category int32, mean_spend: float64\n");
  ASSERT_SHOWS(&p, "\nout      write-csv  <- click      user: string, mean_spend: float64, p: float32\n");
  program_run(&p, "graph p.yaml");
  ASSERT_SHOWS(&p, "digraph \"p\" {\n");
  program_run(&p, "graph p.yaml --format svg");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, "adloom graph: --format svg: 'svg' is not one of text, dot or mermaid");
  program_close(&p);
}
END_TEST

/* Names with characters that mean something to Graphviz or Mermaid; and no empty label, which Mermaid refuses. */
START_TEST(graph_of_odd_names) {
  program p = program_open();
  program_write(&p, "p.yaml",
                "adloom: 1\nname: 'a \"b\" \\c'\nstages:\n"
                "  log: {use: read-csv, path: log.csv, columns: {'a\"<b>': id, c: int}}\n"
                "  kept: {use: filter, where: c > 0}\n"
                "  out: {use: write-csv, path: o.csv, columns: ['a\"<b>']}\n",
                -1);
  program_write(&p, "log.csv", "\"a\"\"<b>\",c\n1,2\n", -1);
  program_run(&p, "graph p.yaml --format dot");
  ASSERT_STATUS(&p, 0);
  ASSERT_SHOWS(&p, "digraph \"a \\\"b\\\" \\\\c\" {");
  ASSERT_SHOWS(&p, "[label=\"a\\\"<b>: string\\l");
  program_run(&p, "graph p.yaml --format mermaid");
  ASSERT_SHOWS(&p, "-->|\"a#34;#60;b#62;: string<br>");
  ck_assert_ptr_null(strstr(p.out, "|\"\"|"));
  program_close(&p);
}
END_TEST

START_TEST(explain_a_learner) {
  program p = scene();
  program_run(&p, "explain p.yaml segment --set segment.clusters=3 --store store");
  ASSERT_STATUS(&p, 0);
  ASSERT_SHOWS(&p, "segment: kmeans (profile), ");
  ASSERT_SHOWS(&p, "\n  p.yaml:9\n");
  ASSERT_SHOWS(&p, "\ngets rows from `words` (tfidf)\n"
                   "  words  sparse float32  made by words  read as features\n"
                   "  not read here: user, text, at, clicked, spend\n");
  ASSERT_SHOWS(&p, "\nadds\n  segment  category int32\n");
  ASSERT_SHOWS(&p, "\n  features  [words]  p.yaml:9\n");
  ASSERT_SHOWS(&p, "\n  clusters  3        --set\n");
  ASSERT_SHOWS(&p, "\ndefaults\n");
  ASSERT_SHOWS(&p, "\n  max_iter    300\n");
  ASSERT_SHOWS(&p, "\nlearns from the training rows of `words` (tfidf)\n"
                   "  held out at `log` (test): newest 0.25 by at\n"
                   "model: a run would fit it; the model store has none for these rows and parameters\n");
  program_close(&p);
}
END_TEST

/* What it says about the model is what a run then does. */
START_TEST(explain_the_model) {
  program p = scene();
  program_run(&p, "run p.yaml --out r --store store --quiet");
  ASSERT_STATUS(&p, 0);
  program_run(&p, "explain p.yaml click --store store");
  ASSERT_SHOWS(&p, "model: a run would load it from the model store: ");
  program_run(&p, "explain p.yaml click --store store --set segment.clusters=3");
  ASSERT_SHOWS(&p, "model: a run would fit it; ");
  program_run(&p, "explain p.yaml click --models r");
  ASSERT_SHOWS(&p, "\nlearns nothing here: it is frozen\nmodel: loaded from ");
  ASSERT_SHOWS(&p, "r/models/click.safetensors\n");
  program_run(&p, "explain p.yaml words --set log.path=- --store store");
  ASSERT_SHOWS(&p, "model: a run would fit it; what stands before it is not the same each time\n");
  program_close(&p);
}
END_TEST

START_TEST(explain_others) {
  program p = scene();
  program_run(&p, "explain p.yaml joined");
  ASSERT_SHOWS(&p, "\nlooks up rows of `means` (group)\n"
                   "  segment     category int32  made by means  read as on\n"
                   "  mean_spend  float64         made by means  brought along\n");
  ASSERT_SHOWS(&p, "model: belongs to the run, and is not kept\n");
  program_run(&p, "explain p.yaml log");
  ASSERT_SHOWS(&p, "\nrows begin here\n\ngives\n");
  ASSERT_SHOWS(&p, "\nholds out (test): newest 0.25 by at\n");
  ASSERT_SHOWS(&p, "\nlearns nothing\n");
  program_run(&p, "explain p.yaml out");
  ASSERT_SHOWS(&p, "\nno rows leave it\n");
  program_run(&p, "explain p.yaml sgement");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, "adloom explain: there is no stage `sgement` in p.yaml; did you mean `segment`?\n");
  program_run(&p, "explain p.yaml");
  ASSERT_STATUS(&p, 2);
  program_run(&p, "explain p.yaml click --set click.alhpa=1");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, "did you mean `alpha`?");
  ASSERT_SAYS(&p, "1 error; nothing was explained\n");
  program_close(&p);
}
END_TEST

/* Every command that is about a stage says the same of one that is not there. */
START_TEST(a_stage_that_is_not_there) {
  program p = scene();
  program_write(&p, "few.yaml",
                "adloom: 1\nstages:\n"
                "  log: {use: read-csv, path: log.csv, columns: {user: id, spend: float}, holdout: {fraction: 0.5}}\n"
                "  kept: {use: filter, where: spend > 3}\n",
                -1);
  static const char *const commands[] = {"peek", "explain"};
  for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
    static const char *const said[][2] = {
        {"p.yaml sgement", "there is no stage `sgement` in p.yaml; did you mean `segment`?\n"},
        {"few.yaml quality", "there is no stage `quality` in few.yaml; there are log and kept\n"}};
    for (size_t k = 0; k < G_N_ELEMENTS(said); k++) {
      char *command = g_strdup_printf("%s %s", commands[i], said[k][0]);
      char *expected = g_strdup_printf("adloom %s: %s", commands[i], said[k][1]);
      program_run(&p, command);
      ASSERT_STATUS(&p, 2);
      ASSERT_SAYS(&p, expected);
      g_free(command);
      g_free(expected);
    }
  }
  program_close(&p);
}
END_TEST

/* A key of the file that the class put in by --set does not know: what can be done is said, and can be done. */
START_TEST(another_class_by_set) {
  program p = program_open();
  program_write(&p, "p.yaml",
                "adloom: 1\nname: p\nstages:\n"
                "  log: {use: read-csv, path: log.csv, columns: {x: float, clicked: bool}}\n"
                "  click: {use: ftrl, features: [x], label: clicked, alpha: 0.2, as: p}\n"
                "  quality: {use: metrics, label: clicked, score: p}\n",
                -1);
  program_write(&p, "log.csv", "x,clicked\n1,1\n2,0\n3,1\n4,0\n", -1);
  program_run(&p, "check p.yaml --set click.use=lbfgs");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, "click.alpha: lbfgs has no such parameter");
  ASSERT_SAYS(&p, "hint: take `alpha` out of the file, or run `adloom compare p.yaml --swap click=lbfgs`");
  program_run(&p, "check p.yaml --set click.use=time"); /* of several keys once */
  ASSERT_SAYS(&p, "hint: take `features`, `label`, `alpha` and `as` out of the file, or run `adloom compare p.yaml");
  ck_assert_ptr_null(strstr(strstr(p.said, "adloom compare") + 1, "adloom compare"));
  program_run(&p, "check p.yaml --set click.beta2=1");
  ck_assert_ptr_null(strstr(p.said, "adloom compare"));
  program_run(&p, "compare p.yaml --swap click=lbfgs --quiet");
  ASSERT_STATUS(&p, 0);
  program_close(&p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("inspect");
  TCase *cases = tcase_create("inspect");
  tcase_add_test(cases, graph_as_lines);
  tcase_add_test(cases, graph_of_odd_names);
  tcase_add_test(cases, explain_a_learner);
  tcase_add_test(cases, explain_the_model);
  tcase_add_test(cases, explain_others);
  tcase_add_test(cases, a_stage_that_is_not_there);
  tcase_add_test(cases, another_class_by_set);
  tcase_set_timeout(cases, 120);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
