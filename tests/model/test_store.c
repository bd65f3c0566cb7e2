/* The model store and digests. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/model/digest.h"
#include "core/model/store.h"
#include "tests/model/sample.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char *folder;

static void setup(void) { folder = make_folder(); }
static void teardown(void) { remove_folder(folder); }

static void put(adl_model_store *store, const char *hash, const adl_tensors *tensors) {
  GError *error = NULL;
  adl_model_meta *meta = sample_meta();
  ck_assert_msg(adl_model_store_put(store, hash, tensors, meta, &error), "%s", error != NULL ? error->message : "");
  adl_model_meta_free(meta);
}

/* A model of so many bytes. */
static adl_tensors *big_model(int64_t bytes) {
  adl_tensors *tensors = adl_tensors_new();
  adl_tensors_get(tensors, "x", ADL_BYTES, 1, &bytes, NULL);
  return tensors;
}

static bool holds(adl_model_store *store, const char *hash) {
  adl_tensors *tensors = adl_model_store_load(store, hash, NULL, NULL);
  adl_tensors_free(tensors);
  return tensors != NULL;
}

/* Sets when an entry was last used. */
static void used_at(const adl_model_store *store, const char *hash, time_t when) {
  char *path = g_strconcat(adl_model_store_directory(store), "/", hash, ".safetensors", NULL);
  const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
  ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
  g_free(path);
}

/* ---- store ---- */

START_TEST(what_was_put_is_found) {
  adl_model_store *store = adl_model_store_new(folder, 0);
  adl_tensors *tensors = sample_model(1);
  adl_model_meta *meta;
  char *warning;
  ck_assert_ptr_null(adl_model_store_load(store, HASH_A, &meta, &warning));
  ck_assert_ptr_null(warning);
  ck_assert_ptr_null(meta);
  ck_assert_ptr_null(adl_model_store_get(store, HASH_A));
  put(store, HASH_A, tensors);
  adl_tensors *back = adl_model_store_load(store, HASH_A, &meta, &warning);
  ck_assert_ptr_nonnull(back);
  ck_assert_ptr_null(warning);
  ck_assert_str_eq(meta->stage_class, "kmeans");
  same_models(tensors, back);
  char *path = adl_model_store_get(store, HASH_A);
  ck_assert(g_str_has_prefix(path, folder) && g_file_test(path, G_FILE_TEST_IS_REGULAR));
  ck_assert(!holds(store, HASH_B));
  g_free(path);
  adl_model_meta_free(meta);
  adl_tensors_free(back);
  adl_tensors_free(tensors);
  adl_model_store_free(store);
}
END_TEST

START_TEST(only_hashes_are_names) {
  const char *const names[] = {"",  "../../etc/passwd", "abc", "ABCDEF0123456789", "0123456789abcde/", "01234567.",
                               NULL};
  adl_model_store *store = adl_model_store_new(folder, 0);
  adl_tensors *tensors = sample_model(1);
  adl_model_meta *meta = sample_meta();
  for (int i = 0; names[i] != NULL; i++) {
    GError *error = NULL;
    ck_assert(!adl_model_store_put(store, names[i], tensors, meta, &error));
    ck_assert_msg(strstr(error->message, "is no hash") != NULL, "%s", error->message);
    g_error_free(error);
    ck_assert_ptr_null(adl_model_store_get(store, names[i]));
    ck_assert(!holds(store, names[i]));
  }
  ck_assert_int_eq(count_files(folder), 0);
  adl_model_meta_free(meta);
  adl_tensors_free(tensors);
  adl_model_store_free(store);
}
END_TEST

START_TEST(damaged_entries_are_removed_with_a_warning) {
  adl_model_store *store = adl_model_store_new(folder, 0);
  adl_tensors *tensors = sample_model(1);
  put(store, HASH_A, tensors);
  char *path = adl_model_store_get(store, HASH_A), *warning;
  ck_assert_int_eq(truncate(path, 1000), 0);
  ck_assert_ptr_null(adl_model_store_load(store, HASH_A, NULL, &warning));
  ck_assert_msg(strstr(warning, path) != NULL && strstr(warning, "removed") != NULL, "%s", warning);
  g_free(warning);
  ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
  ck_assert_ptr_null(adl_model_store_load(store, HASH_A, NULL, &warning)); /* and told once */
  ck_assert_ptr_null(warning);
  put(store, HASH_A, tensors);
  ck_assert(holds(store, HASH_A));
  g_free(path);
  adl_tensors_free(tensors);
  adl_model_store_free(store);
}
END_TEST

START_TEST(the_cap_drops_what_was_unused_for_longest) {
  adl_model_store *store = adl_model_store_new(folder, 350 * 1024);
  adl_tensors *tensors = big_model(100 * 1024);
  char hash[16];
  for (int i = 0; i < 3; i++) {
    g_snprintf(hash, sizeof hash, "0000000%d", i);
    put(store, hash, tensors);
    used_at(store, hash, 1000000 + i);
  }
  adl_model_store_free(store);
  store = adl_model_store_new(folder, 350 * 1024);
  ck_assert(holds(store, "00000000")); /* the oldest: now the newest */
  put(store, "00000003", tensors);     /* a fourth: one must go */
  ck_assert(!holds(store, "00000001"));
  ck_assert(holds(store, "00000000") && holds(store, "00000002") && holds(store, "00000003"));
  adl_model_store_free(store);
  store = adl_model_store_new(folder, 1); /* not even one fits, but what this run uses stays */
  put(store, "00000004", tensors);
  put(store, "00000005", tensors);
  ck_assert(holds(store, "00000004") && holds(store, "00000005"));
  adl_tensors_free(tensors);
  adl_model_store_free(store);
}
END_TEST

START_TEST(half_written_files_go_after_a_day) {
  char *old = g_build_filename(folder, HASH_A ".safetensors.tmp-1-0", NULL);
  char *young = g_build_filename(folder, HASH_B ".safetensors.tmp-2-0", NULL);
  char *other = g_build_filename(folder, "notes.txt", NULL);
  const struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
  ck_assert(g_file_set_contents(old, "x", 1, NULL) && g_file_set_contents(young, "x", 1, NULL));
  ck_assert(g_file_set_contents(other, "x", 1, NULL));
  ck_assert_int_eq(utimensat(AT_FDCWD, old, long_ago, 0), 0);
  ck_assert_int_eq(utimensat(AT_FDCWD, other, long_ago, 0), 0);
  adl_model_store *store = adl_model_store_new(folder, 1);
  adl_tensors *tensors = big_model(10);
  put(store, "00000000", tensors);
  ck_assert(!g_file_test(old, G_FILE_TEST_EXISTS));
  ck_assert(g_file_test(young, G_FILE_TEST_EXISTS));
  ck_assert(g_file_test(other, G_FILE_TEST_EXISTS)); /* not ours */
  adl_tensors_free(tensors);
  adl_model_store_free(store);
  g_free(old);
  g_free(young);
  g_free(other);
}
END_TEST

/* What one of several processes does: puts and loads the same few models, over a cap that drops them all the time. */
static int hammer(int seed) {
  GRand *rand = g_rand_new_with_seed((guint32)seed);
  adl_model_store *store = adl_model_store_new(folder, 300 * 1024);
  adl_model_meta *meta = sample_meta();
  adl_tensors *tensors = big_model(100 * 1024);
  int bad = 0;
  for (int n = 0; n < 60; n++) {
    char hash[16], *warning = NULL;
    g_snprintf(hash, sizeof hash, "0000000%d", g_rand_int_range(rand, 0, 6));
    if (g_rand_boolean(rand)) {
      bad += !adl_model_store_put(store, hash, tensors, meta, NULL);
    } else {
      adl_tensors *back = adl_model_store_load(store, hash, NULL, &warning);
      adl_tensor tensor;
      if (back != NULL) bad += !adl_tensors_find(back, "x", &tensor) || tensor.count != 100 * 1024;
      bad += warning != NULL; /* nobody may ever see half an entry */
      g_free(warning);
      adl_tensors_free(back);
    }
    if (n % 20 == 19) { /* a new run: earlier models may go */
      adl_model_store_free(store);
      store = adl_model_store_new(folder, 300 * 1024);
    }
  }
  adl_tensors_free(tensors);
  adl_model_meta_free(meta);
  adl_model_store_free(store);
  g_rand_free(rand);
  return bad;
}

START_TEST(several_processes_at_once) {
  pid_t children[3];
  for (int i = 0; i < 3; i++) {
    children[i] = fork();
    ck_assert_int_ge(children[i], 0);
    if (children[i] == 0) _exit(hammer(i + 1) == 0 ? 0 : 1);
  }
  for (int i = 0; i < 3; i++) {
    int status;
    ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}
END_TEST

/* Sound files, of the same class and parameters, which are not what their names say: another entry's, and a run's. */
START_TEST(another_models_file_is_not_the_entry) {
  static const char *const reasons[] = {"holds the model of another hash", "does not say which hash its model is of"};
  adl_model_store *store = adl_model_store_new(folder, 0);
  adl_tensors *first = sample_model(1), *second = sample_model(2);
  adl_model_meta *meta = sample_meta();
  for (int i = 0; i < 2; i++) {
    char *warning = NULL;
    put(store, HASH_A, first);
    put(store, HASH_B, second);
    char *path = adl_model_store_get(store, HASH_A), *other = adl_model_store_get(store, HASH_B), *content;
    gsize size;
    if (i == 1) ck_assert(adl_model_write(other, second, meta, NULL));
    ck_assert(g_file_get_contents(other, &content, &size, NULL));
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC); /* as cp does */
    ck_assert_int_eq(write(fd, content, size), (ssize_t)size);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_ptr_null(adl_model_store_load(store, HASH_A, NULL, &warning));
    ck_assert_msg(strstr(warning, reasons[i]) != NULL && strstr(warning, "removed") != NULL, "%s", warning);
    ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
    ck_assert_int_eq(holds(store, HASH_B), i == 0);
    g_free(warning);
    g_free(content);
    g_free(other);
    g_free(path);
  }
  adl_model_meta_free(meta);
  adl_tensors_free(first);
  adl_tensors_free(second);
  adl_model_store_free(store);
}
END_TEST

START_TEST(a_store_that_cannot_be_made) {
  char *file = g_build_filename(folder, "file", NULL), *below = g_build_filename(file, "models", NULL);
  ck_assert(g_file_set_contents(file, "x", 1, NULL));
  adl_model_store *store = adl_model_store_new(below, 0);
  adl_tensors *tensors = big_model(10);
  adl_model_meta *meta = sample_meta();
  GError *error = NULL;
  ck_assert(!holds(store, HASH_A));
  ck_assert(!adl_model_store_put(store, HASH_A, tensors, meta, &error));
  ck_assert_msg(g_str_has_prefix(error->message, below), "%s", error->message);
  g_error_free(error);
  adl_model_meta_free(meta);
  adl_tensors_free(tensors);
  adl_model_store_free(store);
  g_free(file);
  g_free(below);
}
END_TEST

START_TEST(the_usual_place) {
  g_setenv("XDG_CACHE_HOME", folder, TRUE);
  adl_model_store *store = adl_model_store_new(NULL, 0);
  char *expected = g_build_filename(folder, "adloom", "models", NULL);
  ck_assert_str_eq(adl_model_store_directory(store), expected);
  g_free(expected);
  adl_model_store_free(store);
}
END_TEST

/* ---- digests ---- */

static const char *digest_of(const char *tag, const char *text) {
  static char hex[ADL_DIGEST_HEX];
  adl_digest *digest = adl_digest_new();
  adl_digest_text(digest, tag, text);
  adl_digest_finish(digest, hex);
  return hex;
}

START_TEST(digests_have_a_known_value) {
  /* SHA-256 of: "t", 1 and 2 as 64-bit little-endian, "k", "ab". */
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  const guchar bytes[] = "t\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0kab";
  g_checksum_update(sum, bytes, sizeof bytes - 1);
  ck_assert_str_eq(digest_of("k", "ab"), g_checksum_get_string(sum));
  g_checksum_free(sum);
}
END_TEST

START_TEST(fields_do_not_run_together) {
  GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  const char *const pairs[][2] = {{"a", "bc"}, {"ab", "c"}, {"abc", ""}, {"abc", NULL}, {"", "abc"}, {"", ""}};
  char hex[ADL_DIGEST_HEX];
  for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
    ck_assert(g_hash_table_add(seen, g_strdup(digest_of(pairs[i][0], pairs[i][1]))));
  for (int kind = 0; kind < 4; kind++) { /* the same eight bytes, as four kinds of field */
    adl_digest *digest = adl_digest_new();
    double number;
    memcpy(&number, "abcdefg\0", 8);
    int64_t integer;
    memcpy(&integer, "abcdefg\0", 8);
    if (kind == 0)
      adl_digest_text(digest, "x", "abcdefg");
    else if (kind == 1)
      adl_digest_bytes(digest, "x", "abcdefg\0", 8);
    else if (kind == 2)
      adl_digest_int(digest, "x", integer);
    else
      adl_digest_double(digest, "x", number);
    adl_digest_finish(digest, hex);
    ck_assert(g_hash_table_add(seen, g_strdup(hex)));
  }
  for (int order = 0; order < 2; order++) {
    adl_digest *digest = adl_digest_new();
    adl_digest_int(digest, "x", order);
    adl_digest_int(digest, "x", !order);
    adl_digest_finish(digest, hex);
    ck_assert(g_hash_table_add(seen, g_strdup(hex)));
  }
  g_hash_table_destroy(seen);
}
END_TEST

START_TEST(files_are_known_by_content) {
  char *one = g_build_filename(folder, "one", NULL), *two = g_build_filename(folder, "two", NULL);
  char hex[ADL_FILE_DIGEST_HEX], other[ADL_FILE_DIGEST_HEX];
  int64_t size;
  GError *error = NULL;
  adl_file_digests *digests = adl_file_digests_new();
  ck_assert(g_file_set_contents(one, "", 0, NULL));
  ck_assert(adl_file_digests_get(digests, one, hex, &size, NULL));
  ck_assert_str_eq(hex, "99aa06d3014798d86001c324468d497f"); /* XXH3-128 of nothing */
  ck_assert_int_eq(size, 0);
  GString *text = g_string_new(NULL);
  for (int i = 0; i < 400000; i++) g_string_append_printf(text, "%d,", i); /* longer than one read */
  ck_assert(g_file_set_contents(one, text->str, (gssize)text->len, NULL));
  ck_assert(g_file_set_contents(two, text->str, (gssize)text->len, NULL));
  ck_assert(adl_file_digests_get(digests, one, hex, &size, NULL)); /* no longer what it was */
  ck_assert(adl_file_digests_get(digests, two, other, NULL, NULL));
  ck_assert_str_eq(hex, other);
  ck_assert_int_eq(size, text->len);
  text->str[text->len / 2] ^= 1;
  ck_assert(g_file_set_contents(two, text->str, (gssize)text->len, NULL));
  ck_assert(adl_file_digests_get(digests, two, other, NULL, NULL));
  ck_assert_str_ne(hex, other);
  ck_assert(!adl_file_digests_get(digests, folder, hex, NULL, &error));
  ck_assert_msg(strstr(error->message, "no regular file") != NULL, "%s", error->message);
  g_clear_error(&error);
  char *fifo = g_build_filename(folder, "fifo", NULL);
  ck_assert_int_eq(mkfifo(fifo, 0600), 0);
  ck_assert(!adl_file_digests_get(digests, fifo, hex, NULL, &error)); /* and does not wait for a writer */
  g_clear_error(&error);
  ck_assert_int_eq(g_unlink(two), 0);
  ck_assert(!adl_file_digests_get(digests, two, hex, NULL, &error));
  ck_assert_msg(strstr(error->message, "cannot be opened: No such file") != NULL, "%s", error->message);
  g_clear_error(&error);
  adl_file_digests_free(digests);
  g_string_free(text, TRUE);
  g_free(fifo);
  g_free(one);
  g_free(two);
}
END_TEST

START_TEST(a_known_file_is_not_read_again) {
  char *path = g_build_filename(folder, "file", NULL), first[ADL_FILE_DIGEST_HEX], second[ADL_FILE_DIGEST_HEX];
  const struct timespec when[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
  adl_file_digests *digests = adl_file_digests_new();
  int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  ck_assert_int_eq(write(fd, "one", 3), 3);
  ck_assert_int_eq(futimens(fd, when), 0);
  ck_assert(adl_file_digests_get(digests, path, first, NULL, NULL));
  ck_assert_int_eq(pwrite(fd, "two", 3, 0), 3);
  ck_assert_int_eq(futimens(fd, when), 0); /* same size, same time: taken for the same, which shows that it is kept */
  ck_assert(adl_file_digests_get(digests, path, second, NULL, NULL));
  ck_assert_str_eq(first, second);
  const struct timespec later[2] = {{.tv_sec = 1001}, {.tv_sec = 1001}};
  ck_assert_int_eq(futimens(fd, later), 0);
  ck_assert(adl_file_digests_get(digests, path, second, NULL, NULL));
  ck_assert_str_ne(first, second);
  close(fd);
  adl_file_digests_free(digests);
  g_free(path);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("store");
  TCase *store = tcase_create("store");
  tcase_add_checked_fixture(store, setup, teardown);
  tcase_set_timeout(store, 60);
  suite_add_tcase(suite, store);
  tcase_add_test(store, what_was_put_is_found);
  tcase_add_test(store, only_hashes_are_names);
  tcase_add_test(store, damaged_entries_are_removed_with_a_warning);
  tcase_add_test(store, the_cap_drops_what_was_unused_for_longest);
  tcase_add_test(store, half_written_files_go_after_a_day);
  tcase_add_test(store, several_processes_at_once);
  tcase_add_test(store, another_models_file_is_not_the_entry);
  tcase_add_test(store, a_store_that_cannot_be_made);
  tcase_add_test(store, the_usual_place);
  TCase *digests = tcase_create("digests");
  tcase_add_checked_fixture(digests, setup, teardown);
  suite_add_tcase(suite, digests);
  tcase_add_test(digests, digests_have_a_known_value);
  tcase_add_test(digests, fields_do_not_run_together);
  tcase_add_test(digests, files_are_known_by_content);
  tcase_add_test(digests, a_known_file_is_not_read_again);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
