/* Values in JSON texts; see json_scan.h. */
#include "common/json_scan.h"

#include <string.h>

#include "common/convert.h"

/* A text being taken apart. Where that has come to is not in here but given from function to function, which return where
 * they have come to, or NULL where the text is refused: so it stays in a register. */
typedef struct parser {
  const char *end;
  const adl_json_masks *masks;
  adl_json_scanner *scanner;
  const adl_json_node *nodes;
  adl_json_value *values;
  adl_json_fault *fault;
  int depth;
  uint64_t seen;         /* bit i: a node was met whose number is i, or i and a multiple of 64 */
  int32_t *next_lead;    /* where the guess for the next member stands */
  adl_json_value unused; /* of a member that is not looked for */
} parser;

static const char *refuse(parser *in, const char *at, const char *what) {
  *in->fault = (adl_json_fault){at, what};
  return NULL;
}

static inline const char *pass_blanks(const parser *in, const char *at) {
  if (__builtin_expect((unsigned char)*at > ' ', 1)) return at;
  while (at < in->end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')) at++;
  return at;
}

/* ---- masks ---- */

/* At least 57 bits of a mask from a byte of the block on. */
static inline uint64_t bits_from(const uint8_t *mask, size_t at) {
  return adl_load_little((const char *)mask + at / 8) >> (at % 8);
}

enum { BITS = 57 };

/* Where the next special byte is; there is one at or behind the end of the block. */
static inline const char *next_special(const adl_json_masks *masks, const char *from) {
  for (size_t at = (size_t)(from - masks->base);; at += BITS) {
    uint64_t bits = bits_from(masks->special, at);
    if (__builtin_expect(bits != 0, 1)) return masks->base + at + __builtin_ctzll(bits);
  }
}

/* The first byte that is no digit. */
static inline const char *pass_digits_from(const adl_json_masks *masks, const char *from) {
  for (size_t at = (size_t)(from - masks->base);; at += BITS) {
    uint64_t others = ~bits_from(masks->digits, at) & (~UINT64_C(0) >> (64 - BITS));
    if (__builtin_expect(others != 0, 1)) return masks->base + at + __builtin_ctzll(others);
  }
}

/* ---- strings ---- */

/* Value of four hexadecimal digits, -1: they are not. */
static int32_t hex4(const char *text, const char *end) {
  int32_t value = 0;
  if (end - text < 4) return -1;
  for (int i = 0; i < 4; i++) {
    char c = text[i];
    int32_t digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
    if (digit < 0) return -1;
    value = 16 * value + digit;
  }
  return value;
}

static bool is_high(int32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
static bool is_low(int32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

/* Passes over one escape, at its backslash. */
static const char *pass_escape(parser *in, const char *at) {
  const char *begin = at++;
  if (at == in->end) return refuse(in, begin, "the string does not end");
  char c = *at++;
  if (c != 'u') return memchr("\"\\/bfnrt", c, 8) != NULL ? at : refuse(in, begin, "this escape is none of JSON's");
  int32_t unit = hex4(at, in->end);
  if (unit < 0) return refuse(in, begin, "\\u needs four hexadecimal digits");
  at += 4;
  if (is_low(unit)) return refuse(in, begin, "a low surrogate without a high one before it");
  if (!is_high(unit)) return at;
  bool pair = in->end - at >= 6 && at[0] == '\\' && at[1] == 'u' && is_low(hex4(at + 2, in->end));
  return pair ? at + 6 : refuse(in, begin, "a high surrogate without a low one behind it");
}

/* A string that begins at `begin` and is plain up to `at`. */
static const char *read_odd_string(parser *in, const char *begin, const char *at, adl_json_value *value) {
  bool escaped = false;
  for (;; at = next_special(in->masks, at)) {
    if (at >= in->end) return refuse(in, begin - 1, "the string does not end");
    if (*at == '"') break;
    if (*at != '\\') return refuse(in, at, "a control character in a string must be escaped");
    escaped = true;
    at = pass_escape(in, at);
    if (at == NULL) return NULL;
  }
  *value = (adl_json_value){begin, (uint32_t)(at - begin), ADL_JSON_STRING, escaped};
  return at + 1;
}

/* At the opening quote. */
static inline const char *read_string(parser *in, const char *at, adl_json_value *value) {
  const char *begin = at + 1;
  at = next_special(in->masks, begin);
  if (__builtin_expect(at >= in->end || *at != '"', 0)) return read_odd_string(in, begin, at, value);
  *value = (adl_json_value){begin, (uint32_t)(at - begin), ADL_JSON_STRING, false};
  return at + 1;
}

static size_t put_utf8(int32_t code, char *out) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  out[0] = (char)((more == 1 ? 0xc0 : more == 2 ? 0xe0 : 0xf0) | code >> (6 * more));
  for (int i = 1; i <= more; i++) out[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3f));
  return (size_t)more + 1;
}

size_t adl_json_unescape(const char *text, size_t size, char *out) {
  static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
  const char *at = text, *end = text + size;
  char *begin = out;
  while (at < end) {
    if (*at != '\\') {
      *out++ = *at++;
      continue;
    }
    char c = at[1];
    at += 2;
    if (c != 'u') {
      const char *known = memchr(from, c, 5);
      *out++ = known != NULL ? to[known - from] : c;
      continue;
    }
    int32_t code = hex4(at, end);
    at += 4;
    if (is_high(code)) {
      code = 0x10000 + ((code - 0xd800) << 10) + (hex4(at + 2, end) - 0xdc00);
      at += 6;
    }
    out += put_utf8(code, out);
  }
  return (size_t)(out - begin);
}

/* ---- plain values ---- */

/* Behind the digits at `at`; NULL: there are none. */
static inline const char *pass_digits(const parser *in, const char *at) {
  const char *end = pass_digits_from(in->masks, at);
  if (__builtin_expect(end > in->end, 0)) end = in->end;
  return end > at ? end : NULL;
}

static inline const char *read_number(parser *in, const char *at, adl_json_value *value) {
  const char *begin = at, *digits = at + (*at == '-');
  at = pass_digits(in, digits);
  if (at == NULL) return refuse(in, begin, "this is no value");
  if (*digits == '0' && at > digits + 1) return refuse(in, begin, "a number does not begin with 0");
  if (at < in->end && *at == '.') {
    at = pass_digits(in, at + 1);
    if (at == NULL) return refuse(in, begin, "digits are missing behind the point");
  }
  if (__builtin_expect(at < in->end && (*at == 'e' || *at == 'E'), 0)) {
    at++;
    at = pass_digits(in, at + (at < in->end && (*at == '+' || *at == '-')));
    if (at == NULL) return refuse(in, begin, "the exponent has no digits");
  }
  *value = (adl_json_value){begin, (uint32_t)(at - begin), ADL_JSON_NUMBER, false};
  return at;
}

static const char *read_word(parser *in, const char *at, adl_json_value *value) {
  static const struct {
    const char *word;
    adl_json_kind kind;
  } words[] = {{"null", ADL_JSON_NONE}, {"false", ADL_JSON_FALSE}, {"true", ADL_JSON_TRUE}};
  for (int i = 0; i < 3; i++) {
    size_t size = strlen(words[i].word);
    if ((size_t)(in->end - at) < size || memcmp(at, words[i].word, size) != 0) continue;
    *value = (adl_json_value){at, (uint32_t)size, (uint8_t)words[i].kind, false};
    return at + size;
  }
  return refuse(in, at, "this is no value");
}

/* ---- names ---- */

/* The node in `parent` that has this name, -1: none. */
static int32_t find_node(const parser *in, int32_t parent, const adl_json_value *name) {
  char buffer[6 * ADL_JSON_NAME];
  const char *text = name->text;
  size_t size = name->size;
  if (parent < 0 || in->nodes[parent].first < 0 || size > sizeof buffer) return -1;
  if (name->escaped) {
    size = adl_json_unescape(text, size, buffer);
    text = buffer;
  }
  int32_t node = in->nodes[parent].first;
  while (node >= 0 && (in->nodes[node].name_size != size || memcmp(in->nodes[node].name, text, size) != 0))
    node = in->nodes[node].next;
  return node;
}

/* Forgets what an earlier member of the same name has left. */
static void forget(const parser *in, int32_t node) {
  if (in->nodes[node].value >= 0) in->values[in->nodes[node].value] = (adl_json_value){0};
  for (int32_t child = in->nodes[node].first; child >= 0; child = in->nodes[child].next) forget(in, child);
}

/* ---- leads ---- */

static inline bool is_lead(const adl_json_lead *lead, const char *at, const char *end, int32_t parent) {
  if (lead->parent != parent || (int64_t)lead->size > end - at) return false;
  uint64_t other = (adl_load_little(at) ^ lead->text[0]) & lead->mask[0];
  if (lead->size > 8) other |= (adl_load_little(at + 8) ^ lead->text[1]) & lead->mask[1];
  if (lead->size > 16)
    for (int i = 2; i < ADL_JSON_LEAD / 8; i++) other |= (adl_load_little(at + 8 * i) ^ lead->text[i]) & lead->mask[i];
  return other == 0;
}

/* The lead that stands here, if it is known; else NULL. */
static inline const adl_json_lead *find_lead(parser *in, const char *at, int32_t parent) {
  adl_json_scanner *scanner = in->scanner;
  int32_t guess = *in->next_lead;
  if (__builtin_expect(guess < 0 || !is_lead(&scanner->leads[guess], at, in->end, parent), 0)) {
    for (guess = 0; guess < scanner->lead_count; guess++)
      if (is_lead(&scanner->leads[guess], at, in->end, parent)) break;
    if (guess == scanner->lead_count) return NULL;
    *in->next_lead = guess;
  }
  in->next_lead = &scanner->leads[guess].next;
  return &scanner->leads[guess];
}

static void keep_lead(parser *in, const char *begin, const char *end, int32_t parent, int32_t node) {
  adl_json_scanner *scanner = in->scanner;
  size_t size = (size_t)(end - begin);
  if (size > ADL_JSON_LEAD || scanner->lead_count == ADL_JSON_LEADS) return;
  adl_json_lead *lead = &scanner->leads[scanner->lead_count];
  *lead = (adl_json_lead){.size = (uint32_t)size, .parent = parent, .node = node, .next = -1};
  for (size_t i = 0; i < size; i++) {
    lead->text[i / 8] |= (uint64_t)(unsigned char)begin[i] << 8 * (i % 8);
    lead->mask[i / 8] |= UINT64_C(0xff) << 8 * (i % 8);
  }
  *in->next_lead = scanner->lead_count++;
  in->next_lead = &lead->next;
}

/* A member's name and the colon that have not stood so before. */
static const char *read_new_name(parser *in, const char *at, int32_t parent, int32_t *node) {
  adl_json_value name;
  const char *begin = at;
  at = pass_blanks(in, at);
  if (at == in->end || *at != '"') return refuse(in, at, "a member must begin with its name in quotes");
  at = read_string(in, at, &name);
  if (at == NULL) return NULL;
  *node = find_node(in, parent, &name);
  at = pass_blanks(in, at);
  if (at == in->end || *at != ':') return refuse(in, at, "a colon must stand behind the name of a member");
  at = pass_blanks(in, at + 1);
  keep_lead(in, begin, at, parent, *node);
  return at;
}

/* A member's name and the colon; the node that it is, or -1. */
static inline const char *read_name(parser *in, const char *at, int32_t parent, int32_t *node) {
  const adl_json_lead *lead = find_lead(in, at, parent);
  if (__builtin_expect(lead == NULL, 0)) return read_new_name(in, at, parent, node);
  *node = lead->node;
  return pass_blanks(in, at + lead->size);
}

/* ---- objects and arrays ---- */

static const char *read_object(parser *in, const char *at, int32_t node, adl_json_value *value);
static const char *read_array(parser *in, const char *at, adl_json_value *value);

static inline __attribute__((always_inline)) const char *read_value(parser *in, const char *at, int32_t node,
                                                                    adl_json_value *value) {
  if (__builtin_expect(at == in->end, 0)) return refuse(in, at, "the text ends where a value is needed");
  char c = *at;
  if (c == '"') return read_string(in, at, value);
  if (c == '-' || (unsigned char)(c - '0') <= 9) return read_number(in, at, value);
  if (c == '{') return read_object(in, at, node, value);
  if (c == '[') return read_array(in, at, value);
  return read_word(in, at, value);
}

/* Where the value of a member goes. */
static inline adl_json_value *slot_of(parser *in, int32_t node) {
  if (node < 0) return &in->unused;
  uint64_t bit = UINT64_C(1) << (node & 63);
  if (__builtin_expect((in->seen & bit) != 0, 0)) forget(in, node);
  in->seen |= bit;
  return in->nodes[node].value >= 0 ? &in->values[in->nodes[node].value] : &in->unused;
}

static inline const char *go_in(parser *in, const char *at) {
  if (in->depth++ == ADL_JSON_DEPTH) return refuse(in, at, "objects and arrays are nested deeper than 128 levels");
  return at + 1;
}

static inline const char *go_out(parser *in, const char *begin, const char *at, adl_json_kind kind,
                                 adl_json_value *value) {
  in->depth--;
  *value = (adl_json_value){begin, (uint32_t)(at - begin), (uint8_t)kind, false};
  return at;
}

/* At the opening bracket. */
static const char *read_object(parser *in, const char *at, int32_t node, adl_json_value *value) {
  const char *begin = at, *end = in->end;
  at = go_in(in, at);
  if (at == NULL) return NULL;
  const char *first = pass_blanks(in, at);
  if (first < end && *first == '}') return go_out(in, begin, first + 1, ADL_JSON_OBJECT, value);
  for (;; at++) { /* the blanks before a name are part of its lead */
    int32_t member;
    at = read_name(in, at, node, &member);
    if (__builtin_expect(at == NULL, 0)) return NULL;
    at = read_value(in, at, member, slot_of(in, member));
    if (__builtin_expect(at == NULL, 0)) return NULL;
    at = pass_blanks(in, at);
    if (at < end && *at == ',') continue;
    if (at < end && *at == '}') return go_out(in, begin, at + 1, ADL_JSON_OBJECT, value);
    return refuse(in, at, "a comma or } is missing");
  }
}

static const char *read_array(parser *in, const char *at, adl_json_value *value) {
  const char *begin = at, *end = in->end;
  adl_json_value item;
  at = go_in(in, at);
  if (at == NULL) return NULL;
  at = pass_blanks(in, at);
  if (at < end && *at == ']') return go_out(in, begin, at + 1, ADL_JSON_ARRAY, value);
  for (;;) {
    at = read_value(in, at, -1, &item);
    if (__builtin_expect(at == NULL, 0)) return NULL;
    at = pass_blanks(in, at);
    if (at < end && *at == ']') return go_out(in, begin, at + 1, ADL_JSON_ARRAY, value);
    if (at == end || *at != ',') return refuse(in, at, "a comma or ] is missing");
    at = pass_blanks(in, at + 1);
  }
}

void adl_json_begin(adl_json_scanner *scanner, const adl_json_node *nodes, int32_t value_count,
                    const adl_json_masks *masks) {
  scanner->nodes = nodes;
  scanner->value_count = value_count;
  scanner->masks = masks;
  scanner->lead_count = 0;
  scanner->first = -1;
}

bool adl_json_scan(adl_json_scanner *scanner, const char *text, size_t size, adl_json_value *values,
                   adl_json_fault *fault) {
  parser in = {.end = text + size,
               .masks = scanner->masks,
               .scanner = scanner,
               .nodes = scanner->nodes,
               .values = values,
               .fault = fault,
               .next_lead = &scanner->first};
  adl_json_value whole;
  memset(values, 0, (size_t)scanner->value_count * sizeof *values);
  const char *at = pass_blanks(&in, text);
  if (at == in.end || *at != '{') return refuse(&in, at, "a line must be one object, in { }");
  at = read_object(&in, at, 0, &whole);
  if (at == NULL) return false;
  at = pass_blanks(&in, at);
  if (at != in.end) refuse(&in, at, "something stands behind the object");
  return at == in.end;
}

/* Any item but a plain string. */
static bool next_other_item(const adl_json_masks *masks, const char **at, const char *end, adl_json_value *item) {
  /* An object in the array has been checked, and nothing in it is looked for: nobody needs to keep its leads. */
  adl_json_fault fault;
  adl_json_scanner none;
  parser in = {.end = end, .masks = masks, .scanner = &none, .fault = &fault, .next_lead = &none.first};
  none.lead_count = 0;
  none.first = -1;
  const char *from = pass_blanks(&in, *at);
  if (*from == ',') from = pass_blanks(&in, from + 1);
  if (*from == ']') return false;
  *at = read_value(&in, from, -1, item);
  return *at != NULL;
}

bool adl_json_next_item(const adl_json_masks *masks, const char **at, const char *end, adl_json_value *item) {
  const char *begin = *at + (**at == ',');
  const char *close = *begin == '"' ? next_special(masks, begin + 1) : end;
  if (close >= end || *close != '"') return next_other_item(masks, at, end, item);
  *item = (adl_json_value){begin + 1, (uint32_t)(close - begin - 1), ADL_JSON_STRING, false};
  *at = close + 1;
  return true;
}
