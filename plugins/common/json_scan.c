/* Values in JSON texts; see json_scan.h. */
#include "common/json_scan.h"

#include <string.h>

#include "common/convert.h"

/* A text being taken apart. */
typedef struct parser {
  const char *at, *end;
  const adl_json_masks *masks;
  adl_json_scanner *scanner;
  const adl_json_node *nodes;
  adl_json_value *values;
  adl_json_fault *fault;
  int depth;
  int32_t *next_lead; /* where the guess for the next member stands */
} parser;

static bool refuse(parser *in, const char *at, const char *what) {
  *in->fault = (adl_json_fault){at, what};
  return false;
}

static inline void pass_blanks(parser *in) {
  while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' || *in->at == '\r' || *in->at == '\n')) in->at++;
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
static bool pass_escape(parser *in) {
  const char *begin = in->at++;
  if (in->at == in->end) return refuse(in, begin, "the string does not end");
  char c = *in->at++;
  if (c != 'u') return memchr("\"\\/bfnrt", c, 8) != NULL || refuse(in, begin, "this escape is none of JSON's");
  int32_t unit = hex4(in->at, in->end);
  if (unit < 0) return refuse(in, begin, "\\u needs four hexadecimal digits");
  in->at += 4;
  if (is_low(unit)) return refuse(in, begin, "a low surrogate without a high one before it");
  if (!is_high(unit)) return true;
  bool pair = in->end - in->at >= 6 && in->at[0] == '\\' && in->at[1] == 'u' && is_low(hex4(in->at + 2, in->end));
  if (!pair) return refuse(in, begin, "a high surrogate without a low one behind it");
  in->at += 6;
  return true;
}

/* At the opening quote. */
static inline bool read_string(parser *in, adl_json_value *value) {
  const char *begin = ++in->at;
  bool escaped = false;
  for (;;) {
    in->at = next_special(in->masks, in->at);
    if (__builtin_expect(in->at >= in->end, 0)) return refuse(in, begin - 1, "the string does not end");
    if (*in->at == '"') break;
    if (*in->at != '\\') return refuse(in, in->at, "a control character in a string must be escaped");
    escaped = true;
    if (!pass_escape(in)) return false;
  }
  *value = (adl_json_value){begin, (uint32_t)(in->at - begin), ADL_JSON_STRING, escaped};
  in->at++;
  return true;
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

static inline bool pass_digits(parser *in) {
  const char *begin = in->at, *end = pass_digits_from(in->masks, begin);
  in->at = __builtin_expect(end > in->end, 0) ? in->end : end;
  return in->at > begin;
}

static inline bool read_number(parser *in, adl_json_value *value) {
  const char *begin = in->at;
  if (*in->at == '-') in->at++;
  const char *digits = in->at;
  if (!pass_digits(in)) return refuse(in, begin, "this is no value");
  if (*digits == '0' && in->at > digits + 1) return refuse(in, begin, "a number does not begin with 0");
  if (in->at < in->end && *in->at == '.') {
    in->at++;
    if (!pass_digits(in)) return refuse(in, begin, "digits are missing behind the point");
  }
  if (in->at < in->end && (*in->at == 'e' || *in->at == 'E')) {
    in->at++;
    if (in->at < in->end && (*in->at == '+' || *in->at == '-')) in->at++;
    if (!pass_digits(in)) return refuse(in, begin, "the exponent has no digits");
  }
  *value = (adl_json_value){begin, (uint32_t)(in->at - begin), ADL_JSON_NUMBER, false};
  return true;
}

static bool read_word(parser *in, adl_json_value *value) {
  static const struct {
    const char *word;
    adl_json_kind kind;
  } words[] = {{"null", ADL_JSON_NONE}, {"false", ADL_JSON_FALSE}, {"true", ADL_JSON_TRUE}};
  for (int i = 0; i < 3; i++) {
    size_t size = strlen(words[i].word);
    if ((size_t)(in->end - in->at) < size || memcmp(in->at, words[i].word, size) != 0) continue;
    *value = (adl_json_value){in->at, (uint32_t)size, (uint8_t)words[i].kind, false};
    in->at += size;
    return true;
  }
  return refuse(in, in->at, "this is no value");
}

/* ---- names ---- */

static bool read_value(parser *in, int32_t node, adl_json_value *value);

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

static bool is_lead(const adl_json_lead *lead, const char *at, const char *end, int32_t parent) {
  if (lead->parent != parent || (int64_t)lead->size > end - at) return false;
  uint64_t other = (adl_load_little(at) ^ lead->text[0]) & lead->mask[0];
  if (lead->size > 8) other |= (adl_load_little(at + 8) ^ lead->text[1]) & lead->mask[1];
  if (lead->size > 16)
    for (int i = 2; i < ADL_JSON_LEAD / 8; i++) other |= (adl_load_little(at + 8 * i) ^ lead->text[i]) & lead->mask[i];
  return other == 0;
}

/* Passes over a lead that is known; NULL: what stands here is none. */
static inline const adl_json_lead *pass_lead(parser *in, int32_t parent) {
  adl_json_scanner *scanner = in->scanner;
  int32_t guess = *in->next_lead;
  if (__builtin_expect(guess < 0 || !is_lead(&scanner->leads[guess], in->at, in->end, parent), 0)) {
    for (guess = 0; guess < scanner->lead_count; guess++)
      if (is_lead(&scanner->leads[guess], in->at, in->end, parent)) break;
    if (guess == scanner->lead_count) return NULL;
    *in->next_lead = guess;
  }
  adl_json_lead *lead = &scanner->leads[guess];
  in->next_lead = &lead->next;
  in->at += lead->size;
  return lead;
}

static void keep_lead(parser *in, const char *begin, int32_t parent, int32_t node) {
  adl_json_scanner *scanner = in->scanner;
  size_t size = (size_t)(in->at - begin);
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

/* A member's name and the colon; the node that it is, or -1. */
static bool read_name(parser *in, int32_t parent, int32_t *node) {
  adl_json_value name;
  const char *begin = in->at;
  const adl_json_lead *lead = pass_lead(in, parent);
  if (__builtin_expect(lead != NULL, 1)) {
    *node = lead->node;
    pass_blanks(in);
    return true;
  }
  pass_blanks(in);
  if (in->at == in->end || *in->at != '"') return refuse(in, in->at, "a member must begin with its name in quotes");
  if (!read_string(in, &name)) return false;
  *node = find_node(in, parent, &name);
  pass_blanks(in);
  if (in->at == in->end || *in->at != ':') return refuse(in, in->at, "a colon must stand behind the name of a member");
  in->at++;
  pass_blanks(in);
  keep_lead(in, begin, parent, *node);
  return true;
}

/* ---- objects and arrays ---- */

static inline bool read_member(parser *in, int32_t parent) {
  adl_json_value value;
  int32_t node;
  if (!read_name(in, parent, &node)) return false;
  if (node >= 0 && in->nodes[node].first >= 0) forget(in, node);
  if (!read_value(in, node, &value)) return false;
  if (node >= 0 && in->nodes[node].value >= 0) in->values[in->nodes[node].value] = value;
  return true;
}

/* At the opening bracket. */
static bool read_inside(parser *in, int32_t node, char close, adl_json_value *value) {
  const char *begin = in->at++;
  bool object = close == '}';
  adl_json_value item;
  if (in->depth++ == ADL_JSON_DEPTH) return refuse(in, begin, "objects and arrays are nested deeper than 128 levels");
  const char *inside = in->at;
  pass_blanks(in);
  bool empty = in->at < in->end && *in->at == close;
  if (object && !empty) in->at = inside; /* the blanks are part of the lead */
  while (!empty) {
    if (!(object ? read_member(in, node) : read_value(in, -1, &item))) return false;
    pass_blanks(in);
    if (in->at < in->end && *in->at == close) break;
    if (in->at == in->end || *in->at != ',')
      return refuse(in, in->at, object ? "a comma or } is missing" : "a comma or ] is missing");
    in->at++;
    if (!object) pass_blanks(in);
  }
  in->at++;
  in->depth--;
  *value = (adl_json_value){begin, (uint32_t)(in->at - begin), object ? ADL_JSON_OBJECT : ADL_JSON_ARRAY, false};
  return true;
}

static bool read_value(parser *in, int32_t node, adl_json_value *value) {
  if (in->at == in->end) return refuse(in, in->at, "the text ends where a value is needed");
  char c = *in->at;
  if (c == '"') return read_string(in, value);
  if (c == '-' || (unsigned char)(c - '0') <= 9) return read_number(in, value);
  if (c == '{') return read_inside(in, node, '}', value);
  if (c == '[') return read_inside(in, -1, ']', value);
  return read_word(in, value);
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
  parser in = {.at = text,
               .end = text + size,
               .masks = scanner->masks,
               .scanner = scanner,
               .nodes = scanner->nodes,
               .values = values,
               .fault = fault,
               .next_lead = &scanner->first};
  adl_json_value whole;
  memset(values, 0, (size_t)scanner->value_count * sizeof *values);
  pass_blanks(&in);
  if (in.at == in.end || *in.at != '{') return refuse(&in, in.at, "a line must be one object, in { }");
  if (!read_value(&in, 0, &whole)) return false;
  pass_blanks(&in);
  return in.at == in.end || refuse(&in, in.at, "something stands behind the object");
}

bool adl_json_next_item(const adl_json_masks *masks, const char **at, const char *end, adl_json_value *item) {
  /* An object in the array has been checked, and nothing in it is looked for: nobody needs to keep its leads. */
  adl_json_fault fault;
  adl_json_scanner none;
  parser in = {.at = *at, .end = end, .masks = masks, .scanner = &none, .fault = &fault, .next_lead = &none.first};
  none.lead_count = 0;
  none.first = -1;
  pass_blanks(&in);
  if (*in.at == ',') in.at++;
  pass_blanks(&in);
  if (*in.at == ']') return false;
  bool found = read_value(&in, -1, item);
  *at = in.at;
  return found;
}
