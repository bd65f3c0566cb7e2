/* Words: known texts, the table for ASCII against ICU itself, n-grams, stop words. */
#include <check.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include "common/tokenize.h"
#include "tests/plugins/bare_host.h"

/* The words of a text with | between them. */
static char *words_of(const adl_tokenizer *tokenizer, const char *text, int32_t size) {
  adl_words *words = adl_words_begin(bare_call(), tokenizer);
  GString *joined = g_string_new(NULL);
  const char *why = adl_words_split(words, (adl_text){text, size});
  ck_assert_msg(why == NULL, "%s", why);
  for (int64_t i = 0; i < words->count; i++) {
    adl_text word = adl_words_gram(words, i, 1);
    if (i > 0) g_string_append_c(joined, '|');
    g_string_append_len(joined, word.data, word.size);
  }
  adl_words_end(words);
  return g_string_free(joined, FALSE);
}

static adl_tokenizer *tokenizer_new(bool lowercase) {
  adl_tokenizer *tokenizer;
  ck_assert_int_eq(adl_tokenizer_new(bare_call(), &(adl_tokenizer_options){.lowercase = lowercase}, &tokenizer),
                   ADL_OK);
  return tokenizer;
}

static const struct {
  bool lowercase;
  const char *text, *words;
} known[] = {
    {true, "", ""},
    {true, " \t\r\n.,;!? --- \"\" '' ()", ""},
    {true, "The quick BROWN fox", "the|quick|brown|fox"},
    {false, "The quick BROWN fox", "The|quick|BROWN|fox"},
    {true, "a I 7 x", "a|i|7|x"},
    {true, "can't 3.14 1,000 example.com U.S.A.", "can't|3.14|1,000|example.com|u.s.a"},
    {true, "x-ray a..b 'quoted' end.", "x|ray|a|b|quoted|end"},
    {true, "snake_case _x ____ _ a_", "snake_case|_x|a_"},
    {true, "20% off! 50EUR iPhone14", "20|off|50eur|iphone14"},
    {true, "Straße CAFÉ", "strasse|café"},
    {true, "e\xcc\x81t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
    {true, "Ｆｕｌｌ　ｗｉｄｔｈ　１２３", "full|width|123"},
    {true, "ｶﾞｲﾄﾞ", "ガイド"},
    {true, "我", "我"},
    {true, "我 a", "我|a"},
    {true, "手机便宜", "手机|便宜"},
    {true, "東京に行く", "東京|に|行く"},
    {true, "ราคาถูก", "ราคา|ถูก"},
    {true, "Привет, МИР", "привет|мир"},
    {true, "sale \xf0\x9f\x94\xa5 now\xf0\x9f\x98\x80!", "sale|\xf0\x9f\x94\xa5|now|\xf0\x9f\x98\x80"},
    {true,
     "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa \xe2\x9d\xa4 \xc2\xa9 \xe2\x80\x94 \xe2\x82\xac"
     "5",
     "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa|\xe2\x9d\xa4|5"},
    {true, "soft\xc2\xadhyphen zero\xe2\x80\x8bwidth", "softhyphen|zerowidth"},
};

START_TEST(known_texts) {
  adl_tokenizer *tokenizer = tokenizer_new(known[_i].lowercase);
  char *words = words_of(tokenizer, known[_i].text, (int32_t)strlen(known[_i].text));
  ck_assert_str_eq(words, known[_i].words);
  g_free(words);
  adl_tokenizer_free(tokenizer);
  bare_done();
}
END_TEST

START_TEST(nul_is_a_character_like_others) {
  adl_tokenizer *tokenizer = tokenizer_new(true);
  char *ascii = words_of(tokenizer, "a\0b", 3), *other = words_of(tokenizer, "\xc3\xa9\0b", 4);
  ck_assert_str_eq(ascii, "a|b");
  ck_assert_str_eq(other, "\xc3\xa9|b");
  g_free(ascii);
  g_free(other);
  adl_tokenizer_free(tokenizer);
  bare_done();
}
END_TEST

/* The rules of tokenize.h applied to ICU's segments, written down once more, for ASCII. */
static char *words_by_icu(UBreakIterator *iterator, const char *text, int32_t size) {
  UChar wide[64];
  UErrorCode error = U_ZERO_ERROR;
  GString *joined = g_string_new(NULL);
  u_charsToUChars(text, wide, size);
  ubrk_setText(iterator, wide, size, &error);
  int32_t from = ubrk_first(iterator), to;
  for (; (to = ubrk_next(iterator)) != UBRK_DONE; from = to) {
    if (ubrk_getRuleStatus(iterator) < UBRK_WORD_NONE_LIMIT) continue;
    if (strcspn(text + from, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") >= (size_t)(to - from))
      continue;
    char *word = g_ascii_strdown(text + from, to - from);
    g_string_append_printf(joined, "%s%s", joined->len > 0 ? "|" : "", word);
    g_free(word);
  }
  return g_string_free(joined, FALSE);
}

START_TEST(ascii_is_split_as_icu_does) {
  static const char often[] = "aZ09_.',;:\"-@ \r\n";
  UErrorCode error = U_ZERO_ERROR;
  adl_tokenizer *tokenizer = tokenizer_new(true);
  UBreakIterator *iterator = ubrk_open(UBRK_WORD, "", NULL, 0, &error);
  int64_t with_words = 0;
  for (uint64_t n = 0; n < 40000; n++) {
    char text[41];
    int32_t size = (int32_t)(adl_random(n, 0) % 40);
    for (int32_t i = 0; i < size; i++) {
      uint64_t at = adl_random(n, (uint64_t)i + 1);
      text[i] = n % 4 == 0 ? (char)(1 + at % 127) : often[at % (sizeof often - 1)];
    }
    text[size] = '\0';
    char *fast = words_of(tokenizer, text, size), *icu = words_by_icu(iterator, text, size);
    ck_assert_msg(strcmp(fast, icu) == 0, "%s: %s, but ICU says %s", text, fast, icu);
    with_words += fast[0] != '\0';
    g_free(fast);
    g_free(icu);
    if (n % 1000 == 0) bare_done();
  }
  ck_assert_int_gt(with_words, 30000);
  ubrk_close(iterator);
  adl_tokenizer_free(tokenizer);
  bare_done();
}
END_TEST

/* A character that is not ASCII sends the whole text through ICU: the words before it must stay what they were. */
START_TEST(ascii_words_do_not_depend_on_the_way) {
  static const char often[] = "aZ09_.',;:\"-@ \r\n";
  adl_tokenizer *tokenizer = tokenizer_new(true);
  for (uint64_t n = 0; n < 4000; n++) {
    char text[64];
    int32_t size = (int32_t)(adl_random(n, 0) % 40);
    for (int32_t i = 0; i < size; i++) text[i] = often[adl_random(n, (uint64_t)i + 1) % (sizeof often - 1)];
    char *ascii = words_of(tokenizer, text, size);
    memcpy(text + size, " \xc3\xa9", 3);
    char *mixed = words_of(tokenizer, text, size + 3);
    char *expected = g_strconcat(ascii, ascii[0] != '\0' ? "|" : "", "\xc3\xa9", NULL);
    ck_assert_str_eq(mixed, expected);
    g_free(ascii);
    g_free(mixed);
    g_free(expected);
    if (n % 1000 == 0) bare_done();
  }
  adl_tokenizer_free(tokenizer);
  bare_done();
}
END_TEST

START_TEST(grams_are_stretches_of_bytes) {
  adl_tokenizer *tokenizer = tokenizer_new(true);
  adl_words *words = adl_words_begin(bare_call(), tokenizer);
  ck_assert_ptr_null(adl_words_split(words, (adl_text){"One,  two... 便宜!", 20}));
  ck_assert_int_eq(words->count, 3);
  adl_text pair = adl_words_gram(words, 1, 2), all = adl_words_gram(words, 0, 3);
  ck_assert_int_eq(pair.size, 10);
  ck_assert_mem_eq(pair.data, "two 便宜", 10);
  ck_assert_int_eq(all.size, 14);
  ck_assert_mem_eq(all.data, "one two 便宜", 14);
  ck_assert_ptr_null(adl_words_split(words, (adl_text){"", 0}));
  ck_assert_int_eq(words->count, 0);
  adl_words_end(words);
  adl_tokenizer_free(tokenizer);
  bare_done();
}
END_TEST

/* Each U+FDFA is 3 bytes and becomes 18 characters of 33 bytes; many words, and longer than any first guess. */
START_TEST(text_that_grows) {
  adl_tokenizer *tokenizer = tokenizer_new(true);
  GString *text = g_string_new(NULL);
  for (int i = 0; i < 5000; i++) g_string_append(text, "\xef\xb7\xba ");
  adl_words *words = adl_words_begin(bare_call(), tokenizer);
  ck_assert_ptr_null(adl_words_split(words, (adl_text){text->str, (int32_t)text->len}));
  ck_assert_int_eq(words->count, 20000);
  for (int64_t i = 4; i < words->count; i++) {
    adl_text word = adl_words_gram(words, i, 1), before = adl_words_gram(words, i - 4, 1);
    ck_assert_int_eq(word.size, before.size);
    ck_assert_mem_eq(word.data, before.data, (size_t)word.size);
  }
  adl_words_end(words);
  g_string_free(text, TRUE);
  adl_tokenizer_free(tokenizer);
  bare_done();
}
END_TEST

START_TEST(text_that_cannot_be_split) {
  adl_tokenizer *tokenizer = tokenizer_new(true);
  adl_words *words = adl_words_begin(bare_call(), tokenizer);
  ck_assert_str_eq(adl_words_split(words, (adl_text){"ab\xff", 3}), "it is not valid UTF-8");
  ck_assert_str_eq(adl_words_split(words, (adl_text){"\xed\xa0\x80", 3}), "it is not valid UTF-8");
  ck_assert_str_eq(adl_words_split(words, (adl_text){"", (16 << 20) + 1}), "it is longer than 16 MB");
  ck_assert_ptr_null(adl_words_split(words, (adl_text){"\xc3\xa9", 2}));
  ck_assert_int_eq(words->count, 1);
  adl_words_end(words);
  adl_tokenizer_free(tokenizer);
  bare_done();
}
END_TEST

/* Writes `content` to a file, hands it to the tokenizer, removes it. */
static adl_status stop_words(adl_tokenizer *tokenizer, const char *content, gssize size) {
  char *path = g_build_filename(g_get_tmp_dir(), "adloom-stop-XXXXXX", NULL);
  int file = g_mkstemp(path);
  ck_assert_int_ge(file, 0);
  g_close(file, NULL);
  ck_assert(g_file_set_contents(path, content, size, NULL));
  adl_status status = adl_tokenizer_stop_words(bare_call(), tokenizer, "stop_words", path);
  g_unlink(path);
  g_free(path);
  return status;
}

START_TEST(stop_words_are_split_as_text_is) {
  adl_tokenizer *tokenizer = tokenizer_new(true);
  ck_assert_int_eq(stop_words(tokenizer, "\xef\xbb\xbf# a comment\r\nThe\r\nＯＦ and\n#fox\n的\n", -1), ADL_OK);
  char *words = words_of(tokenizer, "THE fox of 便宜的 comment and a", 34);
  ck_assert_str_eq(words, "fox|便宜|comment|a");
  g_free(words);
  adl_tokenizer_free(tokenizer);
  bare_done();
}
END_TEST

START_TEST(stop_words_that_cannot_be_used) {
  adl_tokenizer *tokenizer = tokenizer_new(true);
  ck_assert_int_eq(stop_words(tokenizer, "# nothing\n\n...\n", -1), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(bare_failure(), "holds no word"));
  ck_assert_int_eq(stop_words(tokenizer, "a\n\xff\n", -1), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(bare_failure(), "not valid UTF-8"));
  ck_assert_int_eq(adl_tokenizer_stop_words(bare_call(), tokenizer, "stop_words", "/nonexistent/words"), ADL_FAILED);
  ck_assert_str_eq(bare_failure(), "stop_words: cannot open /nonexistent/words: No such file or directory ()");
  ck_assert_int_eq(adl_tokenizer_stop_words(bare_call(), tokenizer, "stop_words", "-"), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(bare_failure(), "standard input"));
  adl_tokenizer_free(tokenizer);
  bare_done();
}
END_TEST

/* ---- all of Unicode ---- */

/* The rules of tokenize.h for any text, by ICU alone and in one piece. NULL: not valid. */
static char *unicode_words_by_icu(UBreakIterator *iterator, const char *text, int32_t size) {
  static UChar wide[512], normal[8192];
  UErrorCode error = U_ZERO_ERROR;
  int32_t wide_size = 0;
  u_strFromUTF8(wide, 512, &wide_size, text, size, &error);
  const UNormalizer2 *normalizer = unorm2_getNFKCCasefoldInstance(&error);
  int32_t normal_size = unorm2_normalize(normalizer, wide, wide_size, normal, 8192, &error);
  if (U_FAILURE(error)) return NULL;
  ubrk_setText(iterator, normal, normal_size, &error);
  GString *joined = g_string_new(NULL);
  int32_t from = ubrk_first(iterator), to;
  for (; (to = ubrk_next(iterator)) != UBRK_DONE; from = to) {
    char word[4096];
    int32_t bytes = 0, at = from;
    UChar32 c;
    U16_NEXT(normal, at, to, c);
    bool emoji = c > 0xff && (u_hasBinaryProperty(c, UCHAR_EMOJI_PRESENTATION) ||
                              u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC));
    if (ubrk_getRuleStatus(iterator) < UBRK_WORD_NONE_LIMIT && !emoji) continue;
    u_strToUTF8(word, sizeof word, &bytes, normal + from, to - from, &error);
    bool means = false;
    for (int32_t i = 0; i < bytes; i++) means = means || (word[i] & 0x80) != 0 || g_ascii_isalnum(word[i]);
    if (!means) continue;
    if (joined->len > 0) g_string_append_c(joined, '|');
    g_string_append_len(joined, word, bytes);
  }
  return g_string_free(joined, FALSE);
}

/* Words of a text, or NULL where it is refused. */
static char *words_or_null(const adl_tokenizer *tokenizer, const char *text, int32_t size) {
  adl_words *words = adl_words_begin(bare_call(), tokenizer);
  bool valid = adl_words_split(words, (adl_text){text, size}) == NULL;
  adl_words_end(words);
  return valid ? words_of(tokenizer, text, size) : NULL;
}

/* Stretches of ASCII take another way than the rest, by vectors or not: in every mix of scripts the words are those that
 * ICU finds in the whole, and what is not valid UTF-8 is refused. */
START_TEST(every_way_finds_the_words_of_icu) {
  static const char *const pieces[] = {"a",
                                       "Zebra",
                                       "don't",
                                       "3.14",
                                       "_",
                                       "x_y",
                                       " ",
                                       "  ",
                                       "\n",
                                       ". ",
                                       ",",
                                       "@",
                                       "'",
                                       "it's",
                                       "\xc3\xa9",
                                       "Stra\xc3\x9f"
                                       "e",
                                       "\xe6\x88\x91",
                                       "\xe4\xbe\xbf\xe5\xae\x9c",
                                       "\xef\xbc\x8c",
                                       "\xef\xbc\xa1",
                                       "\xe3\x80\x82",
                                       "\xf0\x9f\x94\xa5",
                                       "\xe2\x80\x8d",
                                       "\xcc\x81",
                                       "\xd0\x9f\xd1\x80",
                                       "\xe0\xb8\xa3\xe0\xb8\xb2",
                                       "\xe2\x80\x99",
                                       "\xc2\xb7",
                                       "\xe3\x81\x8c",
                                       "\xc2\xb4",
                                       "a long stretch of plain words, which is worth a change of ways ",
                                       "0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz '.'",
                                       "\xff",
                                       "\xed\xa0\x80"};
  UErrorCode error = U_ZERO_ERROR;
  UBreakIterator *iterator = ubrk_open(UBRK_WORD, "", NULL, 0, &error);
  adl_tokenizer *tokenizer = tokenizer_new(true);
  if (_i == 0)
    g_setenv("ADLOOM_SIMD", "portable", TRUE);
  else
    g_unsetenv("ADLOOM_SIMD");
  int refused = 0;
  for (uint64_t n = 0; n < 20000; n++) {
    GString *text = g_string_new(NULL);
    uint64_t count = adl_random(n, 0) % 14, kinds = G_N_ELEMENTS(pieces) - (n % 8 == 0 ? 0 : 2);
    for (uint64_t i = 1; i <= count && text->len < 300; i++) g_string_append(text, pieces[adl_random(n, i) % kinds]);
    char *fast = words_or_null(tokenizer, text->str, (int32_t)text->len);
    char *icu = unicode_words_by_icu(iterator, text->str, (int32_t)text->len);
    ck_assert_msg(g_strcmp0(fast, icu) == 0, "%s: %s, but ICU says %s", text->str, fast, icu);
    refused += fast == NULL;
    g_free(fast);
    g_free(icu);
    g_string_free(text, TRUE);
    if (n % 1000 == 0) bare_done();
  }
  ck_assert_int_gt(refused, 100);
  g_unsetenv("ADLOOM_SIMD");
  ubrk_close(iterator);
  adl_tokenizer_free(tokenizer);
  bare_done();
}
END_TEST

/* ---- characters ---- */

/* All n-grams of `n` characters, segment by segment. */
static void assert_characters(int32_t analyzer, const char *text, const char *characters, int64_t segments) {
  adl_tokenizer *tokenizer;
  adl_tokenizer_options options = {.lowercase = true, .analyzer = analyzer};
  ck_assert_int_eq(adl_tokenizer_new(bare_call(), &options, &tokenizer), ADL_OK);
  adl_words *words = adl_words_begin(bare_call(), tokenizer);
  ck_assert_ptr_null(adl_words_split(words, (adl_text){text, (int32_t)strlen(text)}));
  ck_assert_int_eq(words->segment_count, segments);
  GString *joined = g_string_new(NULL);
  for (int64_t s = 0; s < segments; s++) {
    if (s > 0) g_string_append_c(joined, '|');
    int64_t from = words->segment[s], to = words->segment[s + 1];
    if (from == to) continue;
    adl_text all = adl_words_gram(words, from, to - from);
    g_string_append_len(joined, all.data, all.size);
  }
  ck_assert_str_eq(joined->str, characters);
  g_string_free(joined, TRUE);
  adl_words_end(words);
  adl_tokenizer_free(tokenizer);
  bare_done();
}

START_TEST(characters_of_a_text) {
  assert_characters(ADL_ANALYZER_CHAR, "a  Bcd\tx", "a bcd\tx", 1);
  assert_characters(ADL_ANALYZER_CHAR, "", "", 1);
  assert_characters(ADL_ANALYZER_CHAR, "\xef\xbc\xa1\xc3\x89\xe3\x80\x80 \xe6\x88\x91", "a\xc3\xa9 \xe6\x88\x91", 1);
  assert_characters(ADL_ANALYZER_CHAR_WORD, " a  Bcd\tx\n", " a | bcd | x ", 3);
  assert_characters(ADL_ANALYZER_CHAR_WORD, "  ", "", 0);
  assert_characters(ADL_ANALYZER_CHAR_WORD, "\xe6\x88\x91", " \xe6\x88\x91 ", 1);
}
END_TEST

/* ---- a dictionary ---- */

static const char dictionary_text[] =
    "研究 100 vn\n研究生 40 n\n生命 80 n\n命 10 n\n起源 50 n\n的 1000 uj\n北京 300 ns\r\n"
    "大学 200 n\n北京大学 150 nt\n大学生 60\n\nT恤 5 n\n";

static adl_status with_dictionary(const char *content, gssize size, adl_tokenizer **tokenizer) {
  char *path = g_build_filename(g_get_tmp_dir(), "adloom-words-XXXXXX", NULL);
  g_close(g_mkstemp(path), NULL);
  ck_assert(g_file_set_contents(path, content, size, NULL));
  adl_tokenizer_options options = {.lowercase = true, .dictionary = path};
  adl_status status = adl_tokenizer_new(bare_call(), &options, tokenizer);
  g_unlink(path);
  g_free(path);
  return status;
}

/* What jieba 0.42 makes of it with this dictionary and HMM off; what is not Han goes by ICU. */
static const char *const chinese[][2] = {
    {"研究生命的起源", "研究|生命|的|起源"},
    {"北京大学生", "北京|大学生"},
    {"北京大学研究生", "北京大学|研究生"},
    {"我在北京大学", "我|在|北京大学"},
    {"命的", "命|的"},
    {"甲乙研究", "甲|乙|研究"},
    {"北京，大学。iPhone14的T恤！ 1，000 don't", "北京|大学|iphone14|的|t|恤|1,000|don't"},
    {"北京é大学 ガイド研究\xf0\x9f\x94\xa5的", "北京|é|大学|ガイド|研究|\xf0\x9f\x94\xa5|的"},
};

START_TEST(chinese_by_dictionary) {
  adl_tokenizer *tokenizer;
  ck_assert_int_eq(with_dictionary(dictionary_text, -1, &tokenizer), ADL_OK);
  char *words = words_of(tokenizer, chinese[_i][0], (int32_t)strlen(chinese[_i][0]));
  ck_assert_str_eq(words, chinese[_i][1]);
  g_free(words);
  adl_words *refused = adl_words_begin(bare_call(), tokenizer);
  ck_assert_str_eq(adl_words_split(refused, (adl_text){"\xe7\xa0\x94\xe7\xa0", 5}), "it is not valid UTF-8");
  adl_words_end(refused);
  adl_tokenizer_free(tokenizer);
  bare_done();
}
END_TEST

static const char *const bad_dictionaries[][2] = {
    {"研究 100 n\n生命\n", "line 2 of "},
    {"研究 100 n\n生命\n", "behind the word, there is no frequency"},
    {"研究 x n\n", "behind the word, there is no frequency"},
    {"研究 -3 n\n", "behind the word, there is no frequency"},
    {"研究 3.5 n\n", "the frequency is not a whole number"},
    {"研究 99999999999999999999 n\n", "the frequency is too large"},
    {" 100 n\n", "there is no word"},
    {"\xe7\xa0 100 n\n", "the word is not valid UTF-8"},
    {"研究 0 n\n", "holds no word with a frequency above 0"},
    {"", "holds no word with a frequency above 0"},
};

START_TEST(dictionaries_that_cannot_be_used) {
  adl_tokenizer *tokenizer;
  ck_assert_int_eq(with_dictionary(bad_dictionaries[_i][0], -1, &tokenizer), ADL_FAILED);
  ck_assert_ptr_null(tokenizer);
  ck_assert_msg(strstr(bare_failure(), bad_dictionaries[_i][1]) != NULL, "%s", bare_failure());
  bare_done();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tokenize");
  TCase *words = tcase_create("words");
  tcase_set_timeout(words, 60);
  tcase_add_loop_test(words, known_texts, 0, (int)G_N_ELEMENTS(known));
  tcase_add_test(words, nul_is_a_character_like_others);
  tcase_add_test(words, ascii_is_split_as_icu_does);
  tcase_add_test(words, ascii_words_do_not_depend_on_the_way);
  tcase_add_test(words, grams_are_stretches_of_bytes);
  tcase_add_test(words, text_that_grows);
  tcase_add_test(words, text_that_cannot_be_split);
  suite_add_tcase(suite, words);
  TCase *more = tcase_create("ways");
  tcase_set_timeout(more, 60);
  tcase_add_loop_test(more, every_way_finds_the_words_of_icu, 0, 2);
  tcase_add_test(more, characters_of_a_text);
  tcase_add_loop_test(more, chinese_by_dictionary, 0, (int)G_N_ELEMENTS(chinese));
  tcase_add_loop_test(more, dictionaries_that_cannot_be_used, 0, (int)G_N_ELEMENTS(bad_dictionaries));
  suite_add_tcase(suite, more);
  TCase *stop = tcase_create("stop words");
  tcase_add_test(stop, stop_words_are_split_as_text_is);
  tcase_add_test(stop, stop_words_that_cannot_be_used);
  suite_add_tcase(suite, stop);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
