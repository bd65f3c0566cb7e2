/*
 * What the tests of the loader share: a folder of their own for each test, plugins copied into it, and surroundings in
 * which no other plugin is found.
 */
#ifndef ADLOOM_TESTS_PLUGIN_SCENE_H
#define ADLOOM_TESTS_PLUGIN_SCENE_H

#include <check.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct scene {
  char *folder;  /* temporary */
  char *plugins; /* in it: what ADLOOM_PLUGIN_PATH names */
} scene;

static inline scene scene_open(void) {
  scene s;
  s.folder = g_dir_make_tmp("adloom-XXXXXX", NULL);
  ck_assert_ptr_nonnull(s.folder);
  s.plugins = g_build_filename(s.folder, "plugins", NULL);
  ck_assert_int_eq(g_mkdir(s.plugins, 0755), 0);
  char *nowhere = g_build_filename(s.folder, "nowhere", NULL);
  g_setenv("ADLOOM_PLUGIN_PATH", s.plugins, TRUE);
  g_setenv("XDG_DATA_HOME", nowhere, TRUE);
  g_free(nowhere);
  return s;
}

static inline void scene_remove(const char *path) {
  GDir *folder = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
  for (const char *name; folder != NULL && (name = g_dir_read_name(folder)) != NULL;) {
    char *inside = g_build_filename(path, name, NULL);
    scene_remove(inside);
    g_free(inside);
  }
  if (folder != NULL) g_dir_close(folder);
  g_remove(path);
}

static inline void scene_close(scene *s) {
  scene_remove(s->folder);
  g_free(s->folder);
  g_free(s->plugins);
}

/* The top of the build tree, where the plugins of tests/badplugins are. */
static inline const char *scene_build(void) {
  const char *top = g_getenv("ADLOOM_BUILD");
  ck_assert_msg(top != NULL, "ADLOOM_BUILD is not set; run this by make check");
  return top;
}

/* Path of a plugin of tests/badplugins. */
static inline char *scene_built(const char *name) {
  char *file = g_strconcat(name, ".so", NULL);
  char *path = g_build_filename(scene_build(), "tests", "badplugins", ".libs", file, NULL);
  g_free(file);
  return path;
}

static inline void scene_write(const char *path, const char *bytes, gsize size) {
  ck_assert(g_file_set_contents(path, bytes, (gssize)size, NULL));
  ck_assert_int_eq(chmod(path, 0755), 0);
}

/* Bytes of a plugin of tests/badplugins; to be freed with g_free. */
static inline char *scene_bytes(const char *name, gsize *size) {
  char *from = scene_built(name), *bytes;
  ck_assert_msg(g_file_get_contents(from, &bytes, size, NULL), "%s is not there", from);
  g_free(from);
  return bytes;
}

/* Copies a plugin of tests/badplugins to folder/as.so; returns that path. */
static inline char *scene_copy(const char *name, const char *folder, const char *as) {
  ck_assert_int_eq(g_mkdir_with_parents(folder, 0755), 0);
  gsize size;
  char *bytes = scene_bytes(name, &size), *file = g_strconcat(as, ".so", NULL);
  char *path = g_build_filename(folder, file, NULL);
  scene_write(path, bytes, size);
  g_free(bytes);
  g_free(file);
  return path;
}

#endif
