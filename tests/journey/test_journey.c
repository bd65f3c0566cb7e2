/* The main job, pipelines/journey.yaml, on real data: as good as promised over five seeds, and blind to the future: no
 * model knows what happened after the cut, and no row what happened after its campaign began. */
#include <check.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *scratch; /* folder of this program's runs */

static char *path_in(const char *root, ...) G_GNUC_NULL_TERMINATED;
static char *path_in(const char *root, ...) {
  va_list list;
  va_start(list, root);
  GPtrArray *parts = g_ptr_array_new();
  g_ptr_array_add(parts, (gpointer)(uintptr_t)root);
  for (const char *part = va_arg(list, const char *); part != NULL; part = va_arg(list, const char *))
    g_ptr_array_add(parts, (gpointer)(uintptr_t)part);
  g_ptr_array_add(parts, NULL);
  va_end(list);
  char *path = g_build_filenamev((char **)parts->pdata);
  g_ptr_array_free(parts, TRUE);
  return path;
}

/* Under a sanitizer a run takes half a minute: there one is enough to see what it has to say. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SEEDS = 1, DAYS = 1 };
#else
enum { SEEDS = 5, DAYS = 3 };
#endif

/* Runs a pipeline on the data in `data` into scratch/NAME. */
static void run_pipeline(const char *file, const char *data, const char *name, const char *seed) {
  char *adloom = path_in(g_getenv("ADLOOM_BUILD"), "adloom", NULL);
  char *out = path_in(scratch, name, NULL), *set = g_strdup_printf("seed=%s", seed),
       *var = g_strdup_printf("ADLOOM_DATA=%s", data);
  char *store = path_in(out, "store", NULL);
  char *arguments[] = {adloom,    "run",     (char *)(uintptr_t)file,
                       "--quiet", "--fresh", "--out",
                       out,       "--store", store,
                       "--set",   set,       "--var",
                       var,       NULL};
  char *errors = NULL;
  int status = 0;
  ck_assert(g_spawn_sync(NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &errors, &status, NULL));
  ck_assert_msg(g_spawn_check_wait_status(status, NULL), "%s", errors);
  g_free(errors);
  g_free(adloom);
  g_free(out);
  g_free(set);
  g_free(var);
  g_free(store);
}

static void run_journey(const char *data, const char *name, const char *seed) {
  char *file = path_in(g_getenv("ADLOOM_SRC"), "pipelines", "journey.yaml", NULL);
  run_pipeline(file, data, name, seed);
  g_free(file);
}

/* A held-out number of the stage `quality`, with its interval. */
static double held_out(const char *run, const char *name, double *low, double *high) {
  char *path = path_in(scratch, run, "metrics.json", NULL);
  JsonParser *parser = json_parser_new();
  ck_assert(json_parser_load_from_file(parser, path, NULL));
  JsonArray *items = json_node_get_array(json_parser_get_root(parser));
  double value = -1;
  for (guint i = 0; i < json_array_get_length(items); i++) {
    JsonObject *item = json_array_get_object_element(items, i);
    if (strcmp(json_object_get_string_member_with_default(item, "stage", ""), "quality") != 0 ||
        strcmp(json_object_get_string_member_with_default(item, "over", ""), "held-out") != 0 ||
        strcmp(json_object_get_string_member_with_default(item, "name", ""), name) != 0)
      continue;
    value = json_object_get_double_member(item, "value");
    *low = json_object_get_double_member_with_default(item, "low", -1);
    *high = json_object_get_double_member_with_default(item, "high", -1);
  }
  g_object_unref(parser);
  g_free(path);
  return value;
}

START_TEST(good_over_five_seeds) {
  char seed[16];
  double low = 0, high = 0;
  for (int i = 1; i <= SEEDS; i++) {
    snprintf(seed, sizeof seed, "%d", i);
    run_journey(g_getenv("ADLOOM_DATA"), "quality", seed);
    double rows = held_out("quality", "rows", &low, &high);
    ck_assert_msg(rows == 2421, "%g rows were judged", rows);
    double auc = held_out("quality", "auc", &low, &high);
    ck_assert_msg(auc >= 0.815 && low < auc && auc < high && high - low < 0.08, "seed %d: AUC %g [%g, %g]", i, auc, low,
                  high);
    double logloss = held_out("quality", "logloss", &low, &high);
    ck_assert_msg(logloss > 0 && logloss <= 0.299 && low < logloss && logloss < high, "seed %d: logloss %g [%g, %g]", i,
                  logloss, low, high);
  }
}
END_TEST

/* ---- the leak test ---- */

static const char cut[] = "2017-10-01"; /* of journey.yaml */

static char *inflate(const char *name) {
  char *path = path_in(g_getenv("ADLOOM_DATA"), "complete_journey", name, NULL), *text = NULL;
  char *arguments[] = {"gzip", "-dc", path, NULL};
  int status = 0;
  ck_assert(g_spawn_sync(NULL, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &text, NULL, &status, NULL) &&
            status == 0);
  g_free(path);
  return text;
}

static uint32_t noise(void) {
  static uint64_t state = 20171001;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}

/* Is this line about something dated on or after the day? `date` is the field that says when; -1: field `campaign` names a
 * campaign, of which `late` knows. */
static bool is_late(const char *day, char **fields, int date, int campaign, GHashTable *late) {
  if (date >= 0) return strcmp(fields[date], day) >= 0;
  return g_hash_table_contains(late, fields[campaign]);
}

/* Copies a file; in late lines every field but those to keep (bits) becomes noise: another value of the same column, so
 * that types still hold. */
static int copy_with_noise(const char *day, const char *folder, const char *name, int date, int campaign, unsigned keep,
                           GHashTable *late) {
  char *zipped = g_strconcat(name, ".gz", NULL), *text = inflate(zipped);
  char **lines = g_strsplit(text, "\n", -1);
  guint count = g_strv_length(lines);
  while (count > 0 && lines[count - 1][0] == '\0') count--;
  GString *out = g_string_new(lines[0]);
  int changed = 0;
  g_string_append_c(out, '\n');
  for (guint i = 1; i < count; i++) {
    char **fields = g_strsplit(lines[i], ",", -1), **other = g_strsplit(lines[1 + noise() % (count - 1)], ",", -1);
    bool noisy = is_late(day, fields, date, campaign, late);
    changed += noisy;
    for (int f = 0; fields[f] != NULL; f++)
      g_string_append_printf(out, "%s%s", f > 0 ? "," : "", noisy && ((keep >> f) & 1) == 0 ? other[f] : fields[f]);
    g_string_append_c(out, '\n');
    g_strfreev(fields);
    g_strfreev(other);
  }
  char *path = path_in(folder, name, NULL);
  ck_assert(g_file_set_contents(path, out->str, (gssize)out->len, NULL));
  g_string_free(out, TRUE);
  g_strfreev(lines);
  g_free(text);
  g_free(zipped);
  g_free(path);
  return changed;
}

/* Campaigns that start on the day or after it. */
static GHashTable *late_campaigns(const char *day) {
  GHashTable *late = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  char *text = inflate("campaign_descriptions.csv.gz");
  char **lines = g_strsplit(text, "\n", -1);
  for (int i = 1; lines[i] != NULL && lines[i][0] != '\0'; i++) {
    char **fields = g_strsplit(lines[i], ",", -1);
    if (strcmp(fields[2], day) >= 0) g_hash_table_add(late, g_strdup(fields[0]));
    g_strfreev(fields);
  }
  g_strfreev(lines);
  g_free(text);
  return late;
}

static char *digest_of(const char *run, const char *file) {
  char *path = path_in(scratch, run, file, NULL), *content = NULL;
  gsize size = 0;
  ck_assert_msg(g_file_get_contents(path, &content, &size, NULL), "%s is missing", path);
  char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)content, size);
  g_free(content);
  g_free(path);
  return digest;
}

/* The data with noise in everything that is dated on or after the day, and in which households are sent the campaigns of
 * `late`, in scratch/NAME; g_free the path. */
static char *noisy_data(const char *day, const char *name, GHashTable *late) {
  char *data = path_in(scratch, name, NULL), *folder = path_in(data, "complete_journey", NULL);
  g_mkdir_with_parents(folder, 0777);
  ck_assert_int_ge(g_hash_table_size(late), 1);
  ck_assert_int_gt(copy_with_noise(day, folder, "transactions_sample.csv", 10, -1, 1u << 10, NULL), 4000);
  ck_assert_int_gt(copy_with_noise(day, folder, "coupon_redemptions.csv", 3, -1, 1u << 3, NULL), 100);
  ck_assert_int_gt(copy_with_noise(day, folder, "campaign_descriptions.csv", -1, 0, 1u << 0 | 1u << 2 | 1u << 3, late),
                   0);
  ck_assert_int_gt(copy_with_noise(day, folder, "campaigns.csv", -1, 0, 1u << 0, late), 100);
  ck_assert_int_gt(copy_with_noise(day, folder, "coupons.csv", -1, 2, 1u << 2, late), 500);
  copy_with_noise(day, folder, "products.csv", 0, -1, ~0u, NULL);
  copy_with_noise(day, folder, "demographics.csv", 0, -1, ~0u, NULL);
  g_free(folder);
  return data;
}

START_TEST(the_future_leaves_no_trace_in_a_model) {
  GHashTable *late = late_campaigns(cut);
  char *data = noisy_data(cut, "noisy", late);
  run_journey(g_getenv("ADLOOM_DATA"), "clean", "42");
  run_journey(data, "noised", "42");
  char *models = path_in(scratch, "clean", "models", NULL);
  GDir *dir = g_dir_open(models, 0, NULL);
  int compared = 0;
  for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
    char *file = g_build_filename("models", name, NULL), *a = digest_of("clean", file), *b = digest_of("noised", file);
    ck_assert_msg(strcmp(a, b) == 0, "%s has seen the future", name);
    compared++;
    g_free(file);
    g_free(a);
    g_free(b);
  }
  g_dir_close(dir);
  ck_assert_int_ge(compared, 8);
  /* The noise did arrive: what is said of the held-out campaigns is different. */
  char *a = digest_of("clean", "predictions.csv"), *b = digest_of("noised", "predictions.csv");
  ck_assert_str_ne(a, b);
  g_free(a);
  g_free(b);
  g_hash_table_destroy(late);
  g_free(models);
  g_free(data);
}
END_TEST

/* journey.yaml, and every feature that is looked up by time written to features.csv. */
static char *with_features(void) {
  static const char sink[] =
      "  features:\n    use: write-csv\n    from: by_type\n    path: features.csv\n"
      "    columns: [household_id, campaign_id, spend, baskets, discount, coupon_spend, late_spend, late_baskets, "
      "late_discount, late_coupon_spend, late_coupons, offered_spend, offered_items, coupons, answered, mailed, "
      "months]\n";
  char *from = path_in(g_getenv("ADLOOM_SRC"), "pipelines", "journey.yaml", NULL), *text = NULL;
  char *to = path_in(scratch, "features.yaml", NULL);
  ck_assert(g_file_get_contents(from, &text, NULL, NULL));
  char *both = g_strconcat(text, sink, NULL);
  ck_assert(g_file_set_contents(to, both, -1, NULL));
  g_free(both);
  g_free(text);
  g_free(from);
  return to;
}

/* Lines of a run's features.csv about campaigns that are, or are not, in the set; sorted. */
static char *features_of(const char *run, GHashTable *campaigns, bool in) {
  char *path = path_in(scratch, run, "features.csv", NULL), *text = NULL;
  ck_assert(g_file_get_contents(path, &text, NULL, NULL));
  char **lines = g_strsplit(text, "\n", -1);
  GPtrArray *kept = g_ptr_array_new();
  for (int i = 1; lines[i] != NULL && lines[i][0] != '\0'; i++) {
    char **fields = g_strsplit(lines[i], ",", 3);
    if (g_hash_table_contains(campaigns, fields[1]) == in) g_ptr_array_add(kept, lines[i]);
    g_strfreev(fields);
  }
  g_ptr_array_add(kept, NULL);
  char *told = g_strjoinv("\n", (char **)kept->pdata);
  ck_assert_uint_gt(kept->len, 100);
  g_ptr_array_free(kept, TRUE);
  g_strfreev(lines);
  g_free(text);
  g_free(path);
  return told;
}

/* Noise in all that happened on the day a campaign began, and later, changes no feature of its rows or of earlier ones. The
 * days: a campaign's of the training rows, one after the cut, and the last. */
START_TEST(no_row_sees_its_future) {
  static const char *const days[] = {"2017-05-08", "2017-10-30", "2017-12-06"}, *const next[] = {"2017-05-09",
                                                                                                 "2017-10-31",
                                                                                                 "2017-12-07"};
  char *file = with_features();
  run_pipeline(file, g_getenv("ADLOOM_DATA"), "features", "42");
  for (int i = 0; i < DAYS; i++) {
    GHashTable *later = late_campaigns(next[i]); /* the day's own campaigns keep their households */
    char *data = noisy_data(days[i], "noisy", later);
    run_pipeline(file, data, "events", "42");
    char *a = features_of("features", later, false), *b = features_of("events", later, false);
    ck_assert_msg(strcmp(a, b) == 0, "rows of campaigns until %s have seen their future", days[i]);
    g_free(a);
    g_free(b);
    a = features_of("features", later, true); /* the noise did arrive */
    b = features_of("events", later, true);
    ck_assert_str_ne(a, b);
    g_free(a);
    g_free(b);
    g_hash_table_destroy(later);
    g_free(data);
  }
  g_free(file);
}
END_TEST

int main(void) {
  char *folder = g_getenv("ADLOOM_DATA") == NULL ? NULL : path_in(g_getenv("ADLOOM_DATA"), "complete_journey", NULL);
  if (folder == NULL || !g_file_test(folder, G_FILE_TEST_IS_DIR)) {
    puts("1..0 # SKIP ADLOOM_DATA names no folder with complete_journey");
    return 0;
  }
  scratch = g_dir_make_tmp("adloom-journey-XXXXXX", NULL);
  Suite *s = suite_create("journey");
  TCase *t = tcase_create("main job");
  tcase_set_timeout(t, 900);
  tcase_add_test(t, good_over_five_seeds);
  tcase_add_test(t, the_future_leaves_no_trace_in_a_model);
  tcase_add_test(t, no_row_sees_its_future);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  char *remove[] = {"rm", "-rf", scratch, NULL};
  g_spawn_sync(NULL, remove, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_free(scratch);
  g_free(folder);
  return failed == 0 ? 0 : 1;
}
