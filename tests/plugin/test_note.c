/*
 * Reading notes from files: what a plugin says about itself, and files that are cut off, damaged or hostile.
 */
#include <adloom/plugin.h>

#include "tests/plugin/scene.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include "core/plugin/note.h"

/* Writes the bytes to a file and reads its note. */
static bool read_bytes(const scene *s, const char *bytes, gsize size, adl_note *note, GString *why) {
  char *path = g_build_filename(s->folder, "file", NULL);
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ck_assert_int_ge(file, 0);
  ck_assert_int_eq(write(file, bytes, size), (ssize_t)size);
  bool fine = adl_note_read(file, (int64_t)size, note, why);
  close(file);
  g_free(path);
  return fine;
}

/* Expects a refusal that contains `text`. */
static void expect_refusal(const scene *s, const char *bytes, gsize size, const char *text) {
  adl_note note;
  GString *why = g_string_new(NULL);
  bool fine = read_bytes(s, bytes, size, &note, why);
  ck_assert_msg(!fine && strstr(why->str, text) != NULL, "expected \"%s\", got \"%s\"", text,
                fine ? "(accepted)" : why->str);
  adl_note_clear(&note);
  g_string_free(why, TRUE);
}

START_TEST(good_note) {
  scene s = scene_open();
  gsize size;
  char *bytes = scene_bytes("good", &size);
  adl_note note;
  GString *why = g_string_new(NULL);
  ck_assert_msg(read_bytes(&s, bytes, size, &note, why), "%s", why->str);
  ck_assert(note.found);
  ck_assert_uint_eq(note.abi_major, ADL_ABI_MAJOR);
  ck_assert_str_eq(note.id, "test.good");
  ck_assert_str_eq(note.version, "1.0.0");
  ck_assert_str_eq(note.ids, "feature:test.number transform:test.old sink:test.nowhere");
  adl_note_clear(&note);
  g_string_free(why, TRUE);
  g_free(bytes);
  scene_close(&s);
}
END_TEST

START_TEST(not_elf) {
  scene s = scene_open();
  expect_refusal(&s, "", 0, "the file is empty");
  expect_refusal(&s, "\177ELF", 4, "too short");
  char text[4096];
  memset(text, 'a', sizeof text);
  expect_refusal(&s, text, sizeof text, "no ELF header");
  scene_close(&s);
}
END_TEST

START_TEST(other_machines) {
  scene s = scene_open();
  gsize size;
  char *bytes = scene_bytes("good", &size);
  ElfW(Ehdr) *header = (ElfW(Ehdr) *)bytes, kept = *header;
  header->e_machine = kept.e_machine == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
  expect_refusal(&s, bytes, size, kept.e_machine == EM_AARCH64 ? "needs x86-64" : "needs 64-bit ARM");
  *header = kept;
  header->e_machine = 60000;
  expect_refusal(&s, bytes, size, "needs machine type 60000");
  *header = kept;
  header->e_ident[EI_CLASS] = ELFCLASS32;
  expect_refusal(&s, bytes, size, "32 bit");
  *header = kept;
  header->e_ident[EI_DATA] = kept.e_ident[EI_DATA] == ELFDATA2LSB ? ELFDATA2MSB : ELFDATA2LSB;
  expect_refusal(&s, bytes, size, "byte order");
  *header = kept;
  header->e_type = ET_REL;
  expect_refusal(&s, bytes, size, "an object file");
  header->e_type = ET_EXEC;
  expect_refusal(&s, bytes, size, "a program");
  g_free(bytes);
  scene_close(&s);
}
END_TEST

START_TEST(damaged_headers) {
  scene s = scene_open();
  gsize size;
  char *bytes = scene_bytes("good", &size);
  ElfW(Ehdr) *header = (ElfW(Ehdr) *)bytes, kept = *header;
  header->e_phnum = 0xffff;
  expect_refusal(&s, bytes, size, "program headers are damaged");
  *header = kept;
  header->e_phentsize = 1;
  expect_refusal(&s, bytes, size, "program headers are damaged");
  *header = kept;
  header->e_phoff = (ElfW(Off)) - 64;
  expect_refusal(&s, bytes, size, "cut off");
  *header = kept;
  header->e_shoff = (ElfW(Off)) - 8;
  expect_refusal(&s, bytes, size, "cut off");
  *header = kept;
  ElfW(Phdr) *segments = (ElfW(Phdr) *)(bytes + header->e_phoff);
  for (int i = 0; i < header->e_phnum; i++) {
    ElfW(Phdr) segment = segments[i];
    segments[i].p_filesz = (ElfW(Xword)) - 1;
    expect_refusal(&s, bytes, size, "cut off");
    segments[i].p_filesz = 0x7fffffff;
    expect_refusal(&s, bytes, size, "cut off");
    segments[i] = segment;
  }
  g_free(bytes);
  scene_close(&s);
}
END_TEST

/* Bytes of the adloom note within the file. */
static ElfW(Nhdr) * find_note(char *bytes) {
  ElfW(Ehdr) *header = (ElfW(Ehdr) *)bytes;
  ElfW(Phdr) *segments = (ElfW(Phdr) *)(bytes + header->e_phoff);
  for (int i = 0; i < header->e_phnum; i++) {
    if (segments[i].p_type != PT_NOTE) continue;
    for (char *at = bytes + segments[i].p_offset; at < bytes + segments[i].p_offset + segments[i].p_filesz;) {
      ElfW(Nhdr) *note = (ElfW(Nhdr) *)at;
      if (note->n_namesz == 7 && memcmp(at + sizeof *note, "adloom", 7) == 0) return note;
      at += sizeof *note + ((note->n_namesz + 3) & ~3u) + ((note->n_descsz + 3) & ~3u);
    }
  }
  ck_abort_msg("no adloom note");
}

START_TEST(damaged_notes) {
  scene s = scene_open();
  gsize size;
  char *bytes = scene_bytes("good", &size);
  ElfW(Nhdr) *note = find_note(bytes), kept = *note;
  char *text = (char *)(note + 1) + 8 + 4;
  note->n_descsz = 0xffffffff;
  expect_refusal(&s, bytes, size, "notes are damaged");
  note->n_descsz = 5;
  expect_refusal(&s, bytes, size, "too short");
  note->n_descsz = kept.n_descsz - 1;
  expect_refusal(&s, bytes, size, "a text without an end");
  *note = kept;
  note->n_namesz = 0xfffffff0;
  expect_refusal(&s, bytes, size, "notes are damaged");
  *note = kept;
  note->n_type = 2;
  expect_refusal(&s, bytes, size, "no adloom note");
  *note = kept;
  text[0] = 'T'; /* of "test.good" */
  expect_refusal(&s, bytes, size, "the plugin's id");
  text[0] = 't';
  text[strlen("test.good") + 1] = '\n'; /* of "1.0.0" */
  expect_refusal(&s, bytes, size, "the version");
  text[strlen("test.good") + 1] = '\0';
  expect_refusal(&s, bytes, size, "more text than");
  g_free(bytes);
  scene_close(&s);
}
END_TEST

START_TEST(cut_off) {
  scene s = scene_open();
  gsize size;
  char *bytes = scene_bytes("good", &size);
  for (gsize keep = 0; keep < size; keep += keep < 5000 ? 13 : 997) expect_refusal(&s, bytes, keep, "");
  expect_refusal(&s, bytes, size - 1, "cut off");
  expect_refusal(&s, bytes, size / 2, "cut off");
  g_free(bytes);
  scene_close(&s);
}
END_TEST

/* Random bytes anywhere in the headers and notes: any answer will do, a crash or a read out of bounds (AddressSanitizer)
 * will not. */
START_TEST(noise) {
  scene s = scene_open();
  gsize size;
  char *bytes = scene_bytes("good", &size), *spoiled = g_malloc(size);
  GRand *random = g_rand_new_with_seed(20240601);
  int accepted = 0;
  for (int round = 0; round < 4000; round++) {
    memcpy(spoiled, bytes, size);
    int changes = g_rand_int_range(random, 1, 6);
    for (int i = 0; i < changes; i++)
      spoiled[g_rand_int_range(random, 16, 1024)] = (char)g_rand_int_range(random, 0, 256);
    adl_note note;
    GString *why = g_string_new(NULL);
    bool fine = read_bytes(&s, spoiled, size, &note, why);
    ck_assert(fine == note.found || !fine);
    ck_assert(fine == (why->len == 0));
    accepted += fine;
    adl_note_clear(&note);
    g_string_free(why, TRUE);
  }
  ck_assert_int_gt(accepted, 0);
  ck_assert_int_lt(accepted, 4000);
  g_rand_free(random);
  g_free(bytes);
  g_free(spoiled);
  scene_close(&s);
}
END_TEST

START_TEST(ids) {
  const char *good[] = {"kmeans", "read-csv", "acme.k2", "a", "a.b.c-d"};
  const char *bad[] = {"", "Kmeans", "2d", "-x", "a_b", "a b", ".a", "a.", "a..b", "acme.2d", "caf\xc3\xa9"};
  for (size_t i = 0; i < G_N_ELEMENTS(good); i++) ck_assert_msg(adl_id_valid(good[i]), "%s", good[i]);
  for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) ck_assert_msg(!adl_id_valid(bad[i]), "%s", bad[i]);
  ck_assert(!adl_id_valid(NULL));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("note");
  TCase *tests = tcase_create("note");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, good_note);
  tcase_add_test(tests, not_elf);
  tcase_add_test(tests, other_machines);
  tcase_add_test(tests, damaged_headers);
  tcase_add_test(tests, damaged_notes);
  tcase_add_test(tests, cut_off);
  tcase_add_test(tests, noise);
  tcase_add_test(tests, ids);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
