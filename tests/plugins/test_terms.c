/* Tables of words and what goes through them: terms and what is counted of each, words that are looked for by the hundred,
 * rows of dimensions, and Chinese words in a dictionary; each against the same done the slow way. */
#include <check.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/dictionary.h"
#include "common/entries.h"
#include "common/row_sorter.h"
#include "common/terms.h"
#include "common/vocabulary.h"
#include "common/word_weights.h"
#include "tests/plugins/bare_host.h"

/* Number n as a word: of 0 to 40 bytes, NUL among them, many alike but for one byte. The caller frees it. */
static char *word_of(uint64_t n, int64_t *size) {
  uint64_t random = adl_random(11, n);
  *size = (int64_t)(random % (n % 5 == 0 ? 41 : 18));
  char *word = g_malloc0((gsize)*size + 1);
  for (int64_t at = 0; at < *size; at++) word[at] = (char)(at % 3);
  for (int i = 0; i < 3 && *size > 0; i++)
    word[adl_random(random, (uint64_t)i) % (uint64_t)*size] = (char)adl_random(random, (uint64_t)i + 9);
  return word;
}

/* ---- terms ---- */

START_TEST(a_term_is_the_same_with_and_without_bytes_behind_it) {
  for (uint64_t n = 0; n < 500; n++) {
    int64_t size;
    char *word = word_of(n, &size), *alone = malloc((size_t)size + (size == 0)), behind[64];
    memcpy(alone, word, (size_t)size);
    memset(behind, (int)n, sizeof behind);
    memcpy(behind, word, (size_t)size);
    adl_term one = adl_term_of(alone, size), other = adl_term_padded(behind, size);
    ck_assert(one.head[0] == other.head[0] && one.head[1] == other.head[1]);
    ck_assert_uint_eq(one.hash, other.hash);
    if (size <= ADL_TERM_HEAD) ck_assert_mem_eq(one.head, word, (size_t)size);
    free(alone);
    g_free(word);
  }
}
END_TEST

typedef struct counted {
  double documents, sum, last;
} counted;

enum { DOCUMENTS = 1500, LONGEST_DOCUMENT = 600 };

/* Documents `first` to `end` into a set, twelve at a time, and into a table of GLib. */
static void count_both(adl_terms *terms, GHashTable *slow, int64_t first, int64_t end, bool weighted) {
  enum { STRETCH = 12 };
  adl_term *keys = g_new(adl_term, STRETCH * LONGEST_DOCUMENT);
  float *weights = g_new(float, STRETCH *LONGEST_DOCUMENT);
  for (int64_t document = first; document < end;) {
    int64_t start[STRETCH + 1] = {0}, rows = 0;
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    for (; rows < STRETCH && document < end; rows++, document++) {
      int64_t count = document % 7 == 0 ? 0 : document % 50 == 1 ? LONGEST_DOCUMENT : document % 30;
      start[rows + 1] = start[rows] + count;
      for (int64_t i = start[rows]; i < start[rows + 1]; i++) {
        uint64_t random = adl_random((uint64_t)document, (uint64_t)i);
        int64_t size;
        char *word = word_of(random % (random >> 62 == 0 ? 20 : 9000), &size);
        g_ptr_array_add(words, word);
        keys[i] = adl_term_of(word, size);
        weights[i] = weighted ? (float)(random % 8) / 4 : 1;
        GBytes *key = g_bytes_new(word, (gsize)size);
        counted *value = g_hash_table_lookup(slow, key);
        if (value == NULL) g_hash_table_insert(slow, g_bytes_ref(key), value = g_new0(counted, 1));
        value->documents += value->last != (double)document + 1;
        value->last = (double)document + 1;
        value->sum += (double)weights[i];
        g_bytes_unref(key);
      }
    }
    ck_assert_int_eq(adl_terms_count(terms, keys, start, rows, weighted ? weights : NULL), ADL_OK);
    g_ptr_array_unref(words);
  }
  g_free(keys);
  g_free(weights);
}

/* Two sets whose words overlap, counted and brought together. Opened again before each use, as lanes of a fold are. */
START_TEST(terms_are_counted_and_merged) {
  bool sums = _i > 0, weighted = _i > 1;
  const adl_call *call = bare_call();
  adl_tensors *homes[2] = {call->host->scratch_tensors(call), call->host->scratch_tensors(call)};
  GHashTable *slow = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, g_free);
  adl_terms terms[2];
  for (int64_t part = 0; part < 10; part++) {
    adl_terms_open(&terms[part % 2], call, homes[part % 2], sums);
    count_both(&terms[part % 2], slow, part * DOCUMENTS / 10, (part + 1) * DOCUMENTS / 10, weighted);
    adl_terms_close(&terms[part % 2]);
  }
  adl_terms_open(&terms[0], call, homes[0], sums);
  ck_assert_int_eq(adl_terms_add(&terms[0], &terms[1]), ADL_OK);
  ck_assert_int_eq(terms[0].count, g_hash_table_size(slow));
  int64_t found = 0;
  for (int64_t i = 0; i < terms[0].slot_count; i++) {
    const adl_terms_slot *slot = &terms[0].slots[i];
    if (slot->documents == 0) continue;
    GBytes *key = g_bytes_new(adl_terms_data(&terms[0], slot), (gsize)slot->size);
    const counted *value = g_hash_table_lookup(slow, key);
    ck_assert_ptr_nonnull(value);
    ck_assert_double_eq(slot->documents, value->documents);
    if (sums) ck_assert_double_eq(terms[0].sums[i], value->sum);
    g_bytes_unref(key);
    found++;
  }
  ck_assert_int_eq(found, terms[0].count);
  g_hash_table_destroy(slow);
  bare_done();
}
END_TEST

/* ---- vocabularies ---- */

enum { WORDS = 3000 };

/* Words of a vocabulary and others, all at once, as one by one. Some stand in it twice: the first counts, however much more
 * frequent the second is said to be. */
START_TEST(many_words_are_found_at_once) {
  GByteArray *bytes = g_byte_array_new();
  GHashTable *first = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
  int64_t offsets[WORDS + 1] = {0}, frequency[WORDS], *wanted = g_new(int64_t, 2 * WORDS);
  adl_term *keys = g_new(adl_term, 2 * WORDS);
  uint32_t *number = g_new(uint32_t, 2 * WORDS);
  char *words[2 * WORDS];
  for (int64_t i = 0; i < 2 * WORDS; i++) {
    int64_t size;
    words[i] = word_of((uint64_t)(i % 10 == 9 && i < WORDS ? i - 9 : i), &size);
    keys[i] = adl_term_of(words[i], size);
    GBytes *key = g_bytes_new(words[i], (gsize)size);
    if (i < WORDS) {
      g_byte_array_append(bytes, (const guint8 *)words[i], (guint)size);
      offsets[i + 1] = offsets[i] + size;
      frequency[i] = i % 10 == 9 ? 1000000 : (int64_t)(adl_random(3, (uint64_t)i) % 1000);
      if (!g_hash_table_contains(first, key)) g_hash_table_insert(first, g_bytes_ref(key), GINT_TO_POINTER(i + 1));
    }
    wanted[i] = GPOINTER_TO_INT(g_hash_table_lookup(first, key)) - 1;
    g_bytes_unref(key);
  }
  for (int known = 0; known < 2; known++) {
    adl_vocabulary *vocabulary =
        adl_vocabulary_new((const char *)bytes->data, offsets, WORDS, known > 0 ? frequency : NULL);
    ck_assert_ptr_nonnull(vocabulary);
    adl_vocabulary_find_all(vocabulary, keys, 2 * WORDS, number);
    for (int64_t i = 0; i < 2 * WORDS; i++) {
      ck_assert_uint_eq(number[i], wanted[i] < 0 ? UINT32_MAX : (uint32_t)wanted[i]);
      ck_assert_int_eq(adl_vocabulary_find(vocabulary, words[i], keys[i].size), wanted[i]);
    }
    adl_vocabulary_free(vocabulary);
  }
  for (int64_t i = 0; i < 2 * WORDS; i++) g_free(words[i]);
  g_free(wanted);
  g_free(keys);
  g_free(number);
  g_hash_table_destroy(first);
  g_byte_array_unref(bytes);
}
END_TEST

/* ---- rows ---- */

static const int64_t row_lengths[] = {0, 1, 2, 6, 7, 8, 9, 33, 63, 64, 65, 193, 1500};

static uint32_t *random_row(uint64_t key, int64_t count, int bits) {
  uint32_t *row = g_new(uint32_t, (gsize)count + 1);
  for (int64_t i = 0; i < count; i++) row[i] = (uint32_t)(adl_random(key, (uint64_t)i) >> (64 - bits));
  return row;
}

START_TEST(dimensions_of_a_row_are_sorted_and_counted) {
  static const int bits[] = {1, 4, 10, 24, 26, 31};
  adl_row_sorter sorter = {.call = bare_call()};
  for (size_t l = 0; l < G_N_ELEMENTS(row_lengths); l++)
    for (size_t b = 0; b < G_N_ELEMENTS(bits); b++) {
      int64_t length = row_lengths[l], kept = 0;
      uint32_t *row = random_row(100 * l + b, length, bits[b]), *index = g_new(uint32_t, (gsize)length + 1);
      float *value = g_new(float, (gsize)length + 1), *weight = g_new(float, (gsize)length + 1);
      for (int64_t i = 0; i < length; i++) {
        weight[i] = 1;
        if (i % 5 == 3) row[i] = ADL_NO_DIMENSION;
        kept += row[i] != ADL_NO_DIMENSION;
      }
      for (int weighted = 0; weighted < 2; weighted++) {
        int64_t count = adl_row_sort(&sorter, row, weighted > 0 ? weight : NULL, length, index, value), sum = 0;
        for (int64_t i = 0; i < count; i++) {
          int64_t times = 0;
          for (int64_t k = 0; k < length; k++) times += row[k] == index[i];
          ck_assert(times > 0 && value[i] == (float)times);
          ck_assert(i == 0 || index[i] > index[i - 1]);
          sum += times;
        }
        ck_assert_int_eq(sum, kept);
      }
      g_free(row);
      g_free(index);
      g_free(value);
      g_free(weight);
    }
  bare_done();
}
END_TEST

START_TEST(rows_that_hold_a_dimension_are_counted) {
  enum { BITS = 12 };
  adl_row_set set = {.call = bare_call()};
  uint32_t held_by[1 << BITS] = {0}, expected[1 << BITS] = {0};
  for (uint64_t r = 0; r < 300; r++) {
    int64_t length = row_lengths[adl_random(1, r) % G_N_ELEMENTS(row_lengths)], from = length / 3;
    uint32_t *row = random_row(r, length, r % 2 > 0 ? BITS : 5);
    bool seen[1 << BITS] = {false};
    adl_row_set_count(&set, row, 0, from, length, held_by); /* two rows in one */
    adl_row_set_count(&set, row, from, length, length, held_by);
    for (int64_t i = 0; i < length; i++) {
      if (i == from) memset(seen, 0, sizeof seen);
      expected[row[i]] += !seen[row[i]];
      seen[row[i]] = true;
    }
    g_free(row);
  }
  ck_assert_mem_eq(held_by, expected, sizeof held_by);
  bare_done();
}
END_TEST

START_TEST(inverse_document_frequencies) {
  const adl_idf idf = adl_idf_for(true, 5000), none = adl_idf_for(false, 5000);
  for (int64_t n = 0; n <= 5000; n++) {
    ck_assert(adl_idf_of(&idf, n) == (float)(log(5001.0 / (1.0 + (double)n)) + 1));
    ck_assert(adl_idf_of(&none, n) == 1);
  }
}
END_TEST

/* ---- a dictionary ---- */

enum { CHARACTERS = 12, RUN = 150 };

/* Frequencies of the words of a dictionary by their letters, which stand for characters. */
static double frequency_of(GHashTable *words, const char *letters, int64_t count) {
  char *word = g_strndup(letters, (gsize)count);
  const double *frequency = g_hash_table_lookup(words, word);
  g_free(word);
  return frequency != NULL ? *frequency : 0;
}

/* The ends of the best way's words, done the slow way: from behind, longer words first where two ways are alike. */
static void cut_slowly(GHashTable *words, double total, const char *letters, int64_t count, int64_t *end) {
  double *score = g_new0(double, (gsize)count + 1);
  for (int64_t from = count - 1; from >= 0; from--) {
    score[from] = -INFINITY;
    end[from] = from + 1;
    for (int64_t to = from + 1; to <= count; to++) {
      double frequency = frequency_of(words, letters + from, to - from);
      if (frequency <= 0) continue;
      double here = (double)(float)log(frequency) - log(total) + score[to];
      if (here >= score[from]) score[from] = here, end[from] = to;
    }
    if (isinf(score[from])) score[from] = score[from + 1] - log(total);
  }
  g_free(score);
}

/* Words of up to seven of a few characters, some of frequency 0, and runs much longer than they are. */
START_TEST(runs_are_cut_the_best_way) {
  char *path = g_build_filename(g_get_tmp_dir(), "adloom-terms-XXXXXX", NULL);
  g_close(g_mkstemp(path), NULL);
  GString *text = g_string_new(NULL);
  GHashTable *words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  double total = 0;
  for (uint64_t n = 0; n < 250; n++) {
    uint64_t random = adl_random(77 + (uint64_t)_i, n), letters = 1 + random % 7;
    char word[8] = "";
    for (uint64_t i = 0; i < letters; i++) word[i] = (char)('a' + adl_random(random, i) % (i < 3 ? 4 : CHARACTERS));
    double *frequency = g_new(double, 1);
    *frequency = n % 9 == 0 ? 0 : (double)(1 + random % 500);
    for (uint64_t i = 0; i < letters; i++) g_string_append_unichar(text, 0x4e00 + 37 * (gunichar)(word[i] - 'a'));
    g_string_append_printf(text, " %.0f n\n", *frequency);
    g_hash_table_insert(words, g_strdup(word), frequency);
    total += *frequency;
  }
  ck_assert(g_file_set_contents(path, text->str, -1, NULL));
  adl_dictionary *dictionary;
  ck_assert_int_eq(adl_dictionary_load(bare_call(), "dictionary", path, &dictionary), ADL_OK);
  for (uint64_t run = 0; run < 300; run++) {
    int64_t count = (int64_t)(adl_random(5, run) % RUN), end[RUN];
    char letters[RUN];
    uint16_t characters[RUN];
    adl_dictionary_route route[RUN + 1];
    for (int64_t i = 0; i < count; i++) {
      letters[i] = (char)('a' + adl_random(run, (uint64_t)i) % (i % 5 < 4 ? 4 : CHARACTERS));
      characters[i] = (uint16_t)(0x4e00 + 37 * (letters[i] - 'a'));
    }
    adl_dictionary_cut(dictionary, characters, count, route);
    cut_slowly(words, total, letters, count, end);
    for (int64_t i = 0; i < count; i++) ck_assert_int_eq(route[i].end, end[i]);
  }
  adl_dictionary_free(dictionary);
  g_hash_table_destroy(words);
  g_string_free(text, TRUE);
  g_unlink(path);
  g_free(path);
  bare_done();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("terms");
  TCase *terms = tcase_create("terms");
  tcase_set_timeout(terms, 60);
  tcase_add_test(terms, a_term_is_the_same_with_and_without_bytes_behind_it);
  tcase_add_loop_test(terms, terms_are_counted_and_merged, 0, 3);
  tcase_add_test(terms, many_words_are_found_at_once);
  suite_add_tcase(suite, terms);
  TCase *rows = tcase_create("rows");
  tcase_add_test(rows, dimensions_of_a_row_are_sorted_and_counted);
  tcase_add_test(rows, rows_that_hold_a_dimension_are_counted);
  tcase_add_test(rows, inverse_document_frequencies);
  suite_add_tcase(suite, rows);
  TCase *dictionary = tcase_create("dictionary");
  tcase_set_timeout(dictionary, 60);
  tcase_add_loop_test(dictionary, runs_are_cut_the_best_way, 0, 4);
  suite_add_tcase(suite, dictionary);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
