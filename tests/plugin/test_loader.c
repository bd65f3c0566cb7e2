/*
 * The registry: which plugin provides a class, what a loaded class looks like, and what is said about plugins that are
 * wrong (tests/badplugins has one for each mistake).
 */
#include "tests/plugin/scene.h"

#include <signal.h>
#include <unistd.h>

#include "core/plugin/registry.h"

/* Offers one file as the pipeline would; returns what find says about `id`, or NULL when it loaded. */
static char *refusal(const char *path, const char *id) {
  adl_registry *registry = adl_registry_new(NULL);
  GString *why = g_string_new(NULL);
  bool added = adl_registry_add_file(registry, path, why),
       found = added && adl_registry_find(registry, id, why) != NULL;
  adl_registry_free(registry);
  bool silent = why->len == 0;
  char *text = g_string_free(why, FALSE);
  ck_assert_msg(found == silent, "found: %d, said: %s", found, text);
  if (!found) return text;
  g_free(text);
  return NULL;
}

/* The same without the file's name in front. */
static void expect(const char *plugin, const char *id, const char *reason) {
  char *path = scene_built(plugin), *text = refusal(path, id), *whole;
  ck_assert_msg(text != NULL, "%s was accepted", plugin);
  whole = g_strdup_printf("plugin %s: %s", path, reason);
  ck_assert_msg(g_str_has_suffix(text, whole), "%s: expected \"%s\", got \"%s\"", plugin, whole, text);
  g_free(whole);
  g_free(text);
  g_free(path);
}

/* ---- what a good plugin becomes ---- */

START_TEST(scan_runs_no_code) {
  scene s = scene_open();
  g_free(scene_copy("good", s.plugins, "good"));
  adl_registry *registry = adl_registry_new(NULL);
  adl_registry_scan(registry);
  ck_assert(adl_registry_offers(registry, "test.number"));
  ck_assert_ptr_null(g_getenv("ADLOOM_TEST_GOOD_RAN"));
  GString *why = g_string_new(NULL);
  ck_assert_ptr_nonnull(adl_registry_find(registry, "test.number", why));
  ck_assert_ptr_nonnull(getenv("ADLOOM_TEST_GOOD_RAN"));
  ck_assert_str_eq(getenv("OPENBLAS_NUM_THREADS"), "1");
  g_string_free(why, TRUE);
  adl_registry_free(registry);
  scene_close(&s);
}
END_TEST

START_TEST(loaded_class) {
  scene s = scene_open();
  char *path = scene_copy("good", s.plugins, "good");
  adl_registry *registry = adl_registry_new(NULL);
  adl_registry_scan(registry);
  GString *why = g_string_new(NULL);
  const adl_loaded *number = adl_registry_find(registry, "test.number", why);
  ck_assert_msg(number != NULL, "%s", why->str);
  ck_assert_str_eq(number->class.id, "test.number");
  ck_assert_str_eq(number->path, path);
  ck_assert_str_eq(number->plugin.version, "1.0.0");
  ck_assert_int_eq(number->place, ADL_PLACE_PATH);
  ck_assert_uint_eq(number->class.param_count, 2);
  ck_assert_uint_eq(number->class.param_size, sizeof(adl_param));
  ck_assert_str_eq(number->class.params[1].name, "as");
  ck_assert(!number->forwards_only);
  ck_assert_uint_ge(strlen(number->build), 16);
  ck_assert_uint_eq(strspn(number->build, "0123456789abcdef"), strlen(number->build));
  ck_assert_ptr_null(number->class.fit);
  ck_assert_ptr_null(number->class.finish);
  const adl_class *class = &number->class;
  ck_assert_int_eq(class->create(NULL, NULL), ADL_OK);
  ck_assert_int_eq(class->start(NULL, NULL), ADL_OK);
  ck_assert_int_eq(class->report(NULL, NULL, NULL, NULL), ADL_OK);
  void *prepared = &s;
  ck_assert_int_eq(class->prepare(NULL, NULL, NULL, &prepared), ADL_OK);
  ck_assert_ptr_null(prepared);
  class->release(NULL, NULL);
  class->destroy(NULL);
  ck_assert_ptr_null(class->extension("adloom.arrow/1"));
  ck_assert_ptr_eq(adl_registry_find(registry, "test.number", why), number);
  const adl_loaded *sink = adl_registry_find(registry, "test.nowhere", why);
  ck_assert_ptr_nonnull(sink);
  ck_assert(!sink->forwards_only);
  ck_assert_ptr_null(sink->class.process);
  ck_assert_int_eq(sink->class.commit(NULL, NULL), ADL_OK);
  g_string_free(why, TRUE);
  adl_registry_free(registry);
  g_free(path);
  scene_close(&s);
}
END_TEST

/* Tables of an older header: what they do not have is zero, and what stands behind their end is not looked at. */
START_TEST(old_class) {
  char *path = scene_built("good");
  adl_registry *registry = adl_registry_new(NULL);
  GString *why = g_string_new(NULL);
  ck_assert(adl_registry_add_file(registry, path, why));
  const adl_loaded *old = adl_registry_find(registry, "test.old", why);
  ck_assert_msg(old != NULL, "%s", why->str);
  ck_assert_uint_eq(old->class.struct_size, sizeof(adl_class));
  ck_assert_ptr_null(old->class.next);
  ck_assert_ptr_null(old->class.encode);
  ck_assert(old->forwards_only); /* its process stands behind its end */
  ck_assert_int_eq(old->class.process(NULL, NULL, NULL, NULL, NULL), ADL_OK);
  ck_assert_uint_eq(old->class.param_count, 2);
  const adl_param *params = old->class.params;
  ck_assert_str_eq(params[1].name, "other");
  ck_assert_str_eq(params[1].doc, "Some columns.");
  ck_assert_uint_eq(params[1].flags, ADL_LIST_OF);
  ck_assert_ptr_null(params[0].alias);
  ck_assert_ptr_null(params[1].deprecated);
  ck_assert_str_eq(old->class.doc, "");
  g_string_free(why, TRUE);
  adl_registry_free(registry);
  g_free(path);
}
END_TEST

/* The build identity follows the content, not the name; without a build-id the content is hashed. */
START_TEST(build_identity) {
  scene s = scene_open();
  gsize size;
  char *bytes = scene_bytes("good", &size), *mark = NULL;
  for (gsize i = 0; i + 16 < size && mark == NULL; i++)
    if (memcmp(bytes + i, "\4\0\0\0\24\0\0\0\3\0\0\0GNU", 16) == 0) mark = bytes + i;
  char *builds[3];
  for (int i = 0; i < 3; i++) {
    /* With the build-id (if the linker made one), then without it, then without it and with another content. */
    if (i >= 1 && mark != NULL) mark[8] = 99;
    if (i == 2) {
      gsize at = size - 1; /* the end of the section names' table: read by nobody */
      bytes[at] ^= 1;
    }
    char *name = g_strdup_printf("copy%d.so", i), *path = g_build_filename(s.plugins, name, NULL);
    scene_write(path, bytes, size);
    adl_registry *registry = adl_registry_new(NULL);
    GString *why = g_string_new(NULL);
    ck_assert_msg(adl_registry_add_file(registry, path, why), "%s", why->str);
    const adl_loaded *loaded = adl_registry_find(registry, "test.number", why);
    ck_assert_msg(loaded != NULL, "%s", why->str);
    builds[i] = g_strdup(loaded->build);
    adl_registry_free(registry);
    g_string_free(why, TRUE);
    g_free(name);
    g_free(path);
  }
  if (mark != NULL) ck_assert_uint_eq(strlen(builds[0]), 40);
  ck_assert_uint_eq(strlen(builds[1]), 32);
  ck_assert_str_ne(builds[1], builds[2]);
  for (int i = 0; i < 3; i++) g_free(builds[i]);
  g_free(bytes);
  scene_close(&s);
}
END_TEST

/* ---- who provides a class ---- */

static const char *provider(adl_registry *registry, const char *id) {
  GString *why = g_string_new(NULL);
  const adl_loaded *loaded = adl_registry_find(registry, id, why);
  ck_assert_msg(loaded != NULL, "%s", why->str);
  g_string_free(why, TRUE);
  return loaded->path;
}

/* Path of the file that the list says shadows the id in `path`; NULL: not shadowed. */
static const char *shadow(const adl_registry *registry, const char *path, const char *id) {
  for (uint32_t i = 0; i < adl_registry_file_count(registry); i++) {
    const adl_plugin_file *file = adl_registry_file(registry, i);
    if (strcmp(file->path, path) != 0) continue;
    for (uint32_t k = 0; k < file->offer_count; k++)
      if (strcmp(file->offers[k].id, id) == 0) return file->offers[k].shadowed_by;
  }
  ck_abort_msg("%s does not offer %s", path, id);
}

START_TEST(search_order) {
  scene s = scene_open();
  char *data = g_build_filename(s.folder, "data", NULL), *user = g_build_filename(data, "adloom", "plugins", NULL);
  char *second = g_build_filename(s.folder, "second", NULL);
  char *in_path = scene_copy("good", s.plugins, "b"), *in_second = scene_copy("good", second, "a");
  char *in_user = scene_copy("good", user, "a"), *named = scene_copy("good", s.folder, "named");
  char *list = g_strdup_printf(":%s:%s:", s.plugins, second);
  g_setenv("ADLOOM_PLUGIN_PATH", list, TRUE);
  g_setenv("XDG_DATA_HOME", data, TRUE);
  adl_registry *registry = adl_registry_new(NULL);
  adl_registry_scan(registry);
  ck_assert_str_eq(provider(registry, "test.number"), in_path);
  ck_assert_ptr_null(shadow(registry, in_path, "test.number"));
  ck_assert_str_eq(shadow(registry, in_second, "test.number"), in_path);
  ck_assert_str_eq(shadow(registry, in_user, "test.number"), in_path);
  GString *why = g_string_new(NULL);
  ck_assert(adl_registry_add_file(registry, named, why));
  ck_assert_str_eq(provider(registry, "test.number"), named);
  ck_assert_str_eq(shadow(registry, in_path, "test.number"), named);
  g_string_free(why, TRUE);
  adl_registry_free(registry);
  char *paths[] = {data, user, second, in_path, in_second, in_user, named, list};
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) g_free(paths[i]);
  scene_close(&s);
}
END_TEST

/* An id without a dot is adloom's own: a folder cannot take it over, the pipeline can. */
START_TEST(own_ids) {
  scene s = scene_open();
  char *tree = g_build_filename(s.folder, "plugins-tree", NULL);
  char *kind = g_build_filename(tree, "plugins", "feature", ".libs", NULL);
  char *own = scene_copy("impostor", kind, "ordinary"), *impostor = scene_copy("impostor", s.plugins, "impostor");
  g_setenv("ADLOOM_BUILD", tree, TRUE);
  adl_registry *registry = adl_registry_new(NULL);
  adl_registry_scan(registry);
  ck_assert_str_eq(provider(registry, "ordinary"), own);
  ck_assert_str_eq(shadow(registry, impostor, "ordinary"), own);
  GString *why = g_string_new(NULL);
  ck_assert(adl_registry_add_file(registry, impostor, why));
  ck_assert_str_eq(provider(registry, "ordinary"), impostor);
  ck_assert_str_eq(shadow(registry, own, "ordinary"), impostor);
  g_string_free(why, TRUE);
  adl_registry_free(registry);
  char *paths[] = {tree, kind, own, impostor};
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) g_free(paths[i]);
  scene_close(&s);
}
END_TEST

START_TEST(not_found) {
  scene s = scene_open();
  g_free(scene_copy("good", s.plugins, "good"));
  char *junk = g_build_filename(s.plugins, "junk.so", NULL), *nowhere = g_build_filename(s.folder, "gone", NULL);
  scene_write(junk, "no plugin at all", 16);
  char *list = g_strdup_printf("%s:%s", nowhere, s.plugins);
  g_setenv("ADLOOM_PLUGIN_PATH", list, TRUE);
  char *tree = g_build_filename(s.folder, "plugins-tree", NULL);
  char *feature = g_build_filename(tree, "plugins", "feature", ".libs", NULL),
       *source = g_build_filename(tree, "plugins", "source", ".libs", NULL);
  g_free(scene_copy("impostor", feature, "ordinary"));
  g_free(scene_copy("good", source, "good"));
  g_setenv("ADLOOM_BUILD", tree, TRUE);
  adl_registry *registry = adl_registry_new(NULL);
  adl_registry_scan(registry);
  GString *why = g_string_new(NULL);
  ck_assert_ptr_null(adl_registry_find(registry, "test.nmuber", why));
  ck_assert_msg(g_str_has_prefix(why->str, "there is no class `test.nmuber`; did you mean `test.number`?\n"), "%s",
                why->str);
  char *lines[] = {
      g_strdup_printf("\nlooked in %s (ADLOOM_PLUGIN_PATH): no such directory", nowhere),
      g_strdup_printf("\nlooked in %s (ADLOOM_PLUGIN_PATH): 1 plugin\n", s.plugins),
      g_strdup_printf("\nlooked in %s/nowhere/adloom/plugins (your own plugins): no such directory", s.folder),
      g_strdup_printf("\nlooked in %s/plugins/*/.libs (the build tree): 2 plugins\n", tree), /* together */
      g_strdup_printf("\nrefused %s: it is no plugin: ", junk)};
  for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
    ck_assert_msg(strstr(why->str, lines[i]) != NULL, "\"%s\" is missing in \"%s\"", lines[i], why->str);
    g_free(lines[i]);
  }
  g_string_free(why, TRUE);
  adl_registry_free(registry);
  g_free(tree);
  g_free(feature);
  g_free(source);
  g_free(junk);
  g_free(nowhere);
  g_free(list);
  scene_close(&s);
}
END_TEST

/* Asked for a class that a refused file says it has, or whose name suggests it, the file's own reason is given. */
START_TEST(reason_quoted) {
  scene s = scene_open();
  char *wrong = scene_copy("wrong-major", s.plugins, "some-name"), *junk = g_build_filename(s.plugins, "hats.so", NULL);
  scene_write(junk, "no plugin at all", 16);
  adl_registry *registry = adl_registry_new(NULL);
  adl_registry_scan(registry);
  GString *why = g_string_new(NULL);
  ck_assert_ptr_null(adl_registry_find(registry, "test.wrong-major", why));
  char *text =
      g_strdup_printf("class `test.wrong-major` cannot be used: plugin %s: it was built for plugin ABI 7.0, this "
                      "adloom has 1.0; use a newer adloom, or build it with the adloom/plugin.h of this one",
                      wrong);
  ck_assert_str_eq(why->str, text);
  g_string_truncate(why, 0);
  ck_assert_ptr_null(adl_registry_find(registry, "acme.hats", why));
  ck_assert_msg(strstr(why->str, junk) != NULL && strstr(why->str, "not a shared object") != NULL, "%s", why->str);
  g_free(text);
  g_string_free(why, TRUE);
  adl_registry_free(registry);
  g_free(wrong);
  g_free(junk);
  scene_close(&s);
}
END_TEST

START_TEST(open_to_all) {
  scene s = scene_open();
  char *path = scene_copy("good", s.plugins, "good"), *text;
  ck_assert_int_eq(chmod(path, 0666), 0);
  text = refusal(path, "test.number");
  ck_assert_ptr_nonnull(text);
  ck_assert_msg(strstr(text, "every user of this machine may write to it; run chmod o-w") != NULL, "%s", text);
  g_free(text);
  ck_assert_int_eq(chmod(path, 0644), 0);
  ck_assert_int_eq(chmod(s.plugins, 0777), 0);
  text = refusal(path, "test.number");
  ck_assert_ptr_nonnull(text);
  ck_assert_msg(strstr(text, "may write to its folder") != NULL, "%s", text);
  g_free(text);
  adl_registry *registry = adl_registry_new(NULL);
  adl_registry_scan(registry);
  ck_assert(!adl_registry_offers(registry, "test.number"));
  GString *why = g_string_new(NULL);
  ck_assert_ptr_null(adl_registry_find(registry, "test.number", why));
  ck_assert_msg(strstr(why->str, "every user of this machine may write to it") != NULL, "%s", why->str);
  adl_registry_free(registry);
  g_string_free(why, TRUE);
  g_free(path);
  scene_close(&s);
}
END_TEST

/* ---- plugins that are wrong ---- */

START_TEST(wrong_abi) {
  expect("wrong-major", "test.wrong-major",
         "it was built for plugin ABI 7.0, this adloom has 1.0; use a newer adloom, or build it with the "
         "adloom/plugin.h of this one");
  expect("newer-minor", "test.newer-minor",
         "it was built for plugin ABI 1.999, this adloom has 1.0; use a newer adloom, or build it with the "
         "adloom/plugin.h of this one");
}
END_TEST

START_TEST(no_plugin) {
  expect("no-note", "x",
         "it is no plugin: it has no adloom note (ADL_PLUGIN writes one; strip with -R .note.adloom removes it)");
  expect(
      "two-notes", "test.first",
      "its adloom note is damaged: there are two of them; one file holds one plugin; build it again with ADL_PLUGIN");
  expect("bad-note", "test.bad-note",
         "its adloom note is damaged: not a kind:class pair of its own: 'magic:test.bad-note'");
  char *gone = refusal("/nowhere/gone.so", "x");
  ck_assert_str_eq(gone, "plugin /nowhere/gone.so: it cannot be opened: No such file or directory");
  g_free(gone);
}
END_TEST

START_TEST(other_architecture) {
  scene s = scene_open();
  gsize size;
  char *bytes = scene_bytes("good", &size), *path = g_build_filename(s.plugins, "good.so", NULL);
  bytes[18] = (char)(bytes[18] == 40 ? 8 : 40); /* e_machine: 32-bit ARM or MIPS */
  bytes[19] = 0;
  scene_write(path, bytes, size);
  adl_registry *registry = adl_registry_new(NULL);
  adl_registry_scan(registry);
  GString *why = g_string_new(NULL);
  ck_assert_ptr_null(adl_registry_find(registry, "test.good", why));
  ck_assert_msg(strstr(why->str, "it was built for another architecture: it needs ") != NULL, "%s", why->str);
  g_string_free(why, TRUE);
  adl_registry_free(registry);
  g_free(bytes);
  g_free(path);
  scene_close(&s);
}
END_TEST

START_TEST(cannot_be_loaded) {
  expect("no-entry", "test.no-entry",
         "it has an adloom note but no function adl_plugin_entry; ADL_PLUGIN writes both, and the function must not be "
         "hidden by a linker script");
  expect("unresolved", "test.unresolved",
         "it cannot be loaded: undefined symbol: adloom_test_nobody_has_this; it needs a function that neither it nor "
         "its libraries have (linking it with -Wl,-z,defs finds such mistakes when it is built)");
  expect("declines", "test.declines",
         "its entry point declines: it does not work with plugin ABI 1.0; look for a version of it that does");
}
END_TEST

START_TEST(note_and_descriptor) {
  expect("other-class", "test.other",
         "its note and its descriptor disagree: the note has feature:test.promised, the descriptor does not");
  expect("other-kind", "test.other-kind",
         "its note and its descriptor disagree: the note does not have feature:test.other-kind; list it in ADL_PLUGIN");
  expect("other-version", "test.other-version",
         "its note and its descriptor disagree: the note says `test.other-version`, the descriptor `test.another`; its "
         "note and its descriptor disagree: the note says version 2.0.0, the descriptor 1.0.0");
}
END_TEST

START_TEST(missing_functions) {
  expect("no-process", "test.no-process",
         "class `test.no-process` lacks the function process: it adds columns, and process fills them");
  expect("no-init", "test.no-init",
         "class `test.no-init` lacks the function init: learn starts from the tensors that it makes");
  expect("exact-sink", "test.exact-sink",
         "class `test.exact-sink` has ADL_EXACT_ROWS, which says how process answers: sources and sinks have none");
  expect("bare-source", "test.bare-sink",
         "class `test.bare-source` lacks the function open: every source needs it; class `test.bare-source` lacks the "
         "function next: every source needs it; class `test.bare-sink` lacks the function write: every sink needs it");
}
END_TEST

START_TEST(bad_tables) {
  expect("bad-offset", "test.bad-offset",
         "class `test.bad-offset`, parameter `far`: its field (8 bytes at offset 24) does not fit the instance of 24 "
         "bytes; use offsetof and sizeof of the same struct; class `test.bad-offset`, parameter `near`: its field "
         "overlaps that of `as`; check offsetof; class `test.bad-offset`, parameter `crooked`: its type does not exist "
         "with this of ADL_LIST_OF, ADL_LISTS_OF, ADL_MAP_OF (see the table at adl_param_type)");
  char *path = scene_built("bad-params"), *text = refusal(path, "test.bad-params");
  ck_assert_ptr_nonnull(text);
  const char *parts[] = {"parameter `learn`: `learn` is a key of the pipeline file itself; rename it",
                         "parameter `Upper`: `Upper` is not of the form [a-z][a-z0-9_]*",
                         "parameter `low`: its default 0 is out of its range [1, 9]",
                         "parameter `low`: the name `low` is taken by another parameter",
                         "parameter `odd`: its range \"1..9\" cannot be read: ",
                         "parameter `word`: its default \"many\" cannot be read: ",
                         "parameter `none`: its type needs choices (\"a|b|c\")",
                         "parameter `other`: its default \"c\" cannot be read: ",
                         "parameter `nulls`: ADL_NULLS_PASS does not go with its type",
                         "parameter `nulls`: ADL_GROUP_KEY does not go with its type"};
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
    ck_assert_msg(strstr(text, parts[i]) != NULL, "\"%s\" is missing in \"%s\"", parts[i], text);
  g_free(text);
  g_free(path);
}
END_TEST

/* What goes wrong only later does not keep a plugin from loading; the engine deals with it. */
START_TEST(loadable) {
  const char *names[] = {"crash-create", "crash-process", "fail-bind", "fail-process", "mute-process", "lazy-process"};
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    char *path = scene_built(names[i]), *id = g_strconcat("test.", names[i], NULL), *text = refusal(path, id);
    ck_assert_msg(text == NULL, "%s", text);
    g_free(path);
    g_free(id);
  }
}
END_TEST

static char *crashing;

static void on_crash(int number) {
  (void)number;
  const char *path = adl_registry_loading();
  _exit(path != NULL && strcmp(path, crashing) == 0 ? 7 : 8);
}

/* A crash in foreign code that runs while a plugin is loaded: the handler can name the plugin. */
START_TEST(crash_while_loading) {
  crashing = scene_built("crash-load");
  adl_registry *registry = adl_registry_new(NULL);
  GString *why = g_string_new(NULL);
  ck_assert(adl_registry_add_file(registry, crashing, why));
  ck_assert_ptr_null(adl_registry_loading());
  signal(SIGSEGV, on_crash);
  adl_registry_find(registry, "test.crash-load", why);
  ck_abort_msg("it has not crashed");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("loader");
  TCase *good = tcase_create("good"), *order = tcase_create("order"), *bad = tcase_create("bad");
  tcase_add_test(good, scan_runs_no_code);
  tcase_add_test(good, loaded_class);
  tcase_add_test(good, old_class);
  tcase_add_test(good, build_identity);
  tcase_add_test(order, search_order);
  tcase_add_test(order, own_ids);
  tcase_add_test(order, not_found);
  tcase_add_test(order, reason_quoted);
  tcase_add_test(order, open_to_all);
  tcase_add_test(bad, wrong_abi);
  tcase_add_test(bad, no_plugin);
  tcase_add_test(bad, other_architecture);
  tcase_add_test(bad, cannot_be_loaded);
  tcase_add_test(bad, note_and_descriptor);
  tcase_add_test(bad, missing_functions);
  tcase_add_test(bad, bad_tables);
  tcase_add_test(bad, loadable);
  tcase_add_exit_test(bad, crash_while_loading, 7);
  suite_add_tcase(suite, good);
  suite_add_tcase(suite, order);
  suite_add_tcase(suite, bad);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
