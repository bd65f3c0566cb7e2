/* Finds values in a JSON text by path, checking all of it on the way: RFC 8259, nothing more. Used by read-jsonl.
 *
 * In two steps. adl_json_mask looks at a block of texts 64 bytes at a time and sets a bit for each byte at which a string
 * may end or needs a closer look, and one for each digit (the first stage of Langdale and Lemire, "Parsing gigabytes of
 * JSON per second", 2019). adl_json_scan takes a text apart by recursive descent, and jumps from bit to bit. The names of
 * members are guessed: what stood between two values before is compared as a whole. */
#ifndef ADLOOM_PLUGINS_COMMON_JSON_SCAN_H
#define ADLOOM_PLUGINS_COMMON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/simd.h"

/* Objects and arrays within each other, the outermost counted. */
#define ADL_JSON_DEPTH 128
/* Longest name of a member that can be looked for. */
#define ADL_JSON_NAME 255

/* Members to look for, as a tree; nodes[0] is the outermost object. */
typedef struct adl_json_node {
  const char *name; /* not ended by NUL */
  uint32_t name_size;
  int32_t value;       /* number of the value that this member is, -1: only what lies in it is looked for */
  int32_t first, next; /* first node in it, next one beside it; -1: none */
} adl_json_node;

typedef enum adl_json_kind {
  ADL_JSON_NONE = 0, /* null, or there is no such member */
  ADL_JSON_FALSE,
  ADL_JSON_TRUE,
  ADL_JSON_NUMBER,
  ADL_JSON_STRING,
  ADL_JSON_ARRAY,
  ADL_JSON_OBJECT
} adl_json_kind;

/* A value where it stands in the text: a string without its quotes, an array or object with its brackets. */
typedef struct adl_json_value {
  const char *text;
  uint32_t size;
  uint8_t kind; /* adl_json_kind */
  bool escaped; /* STRING: has a backslash */
} adl_json_value;

typedef struct adl_json_fault {
  const char *at; /* in the text */
  const char *what;
} adl_json_fault;

/* So many bytes may be read before and behind what is scanned; their content does not matter. */
#define ADL_JSON_PAD 64

/* Bits of a block of texts; bit i of a mask is byte i of the block. */
typedef struct adl_json_masks {
  const char *base;
  uint8_t *special; /* " \\ and control characters */
  uint8_t *digits;
  bool high; /* some byte is not ASCII */
} adl_json_masks;

/* Bytes for `memory`, for a block of that size. */
static inline size_t adl_json_masks_size(size_t size) { return 2 * (size / 64 * 8 + 24); }

/* Sets the masks of a block; equal ones at every level. */
void adl_json_mask(adl_simd level, const char *base, size_t size, void *memory, adl_json_masks *masks);

/* What stands from a comma or { to the value of a member, its name and what is around it, as it was found before. */
enum { ADL_JSON_LEADS = 64, ADL_JSON_LEAD = 32 };

typedef struct adl_json_lead {
  uint64_t text[ADL_JSON_LEAD / 8], mask[ADL_JSON_LEAD / 8]; /* little-endian */
  uint32_t size;
  int32_t parent, node; /* in the tree; -1: nothing in it is looked for */
  int32_t next;         /* the lead that came behind this one last; -1: none yet */
} adl_json_lead;

/* Reads texts of one block, with memory for what the last ones were like. That is for speed alone. */
typedef struct adl_json_scanner {
  const adl_json_node *nodes;
  int32_t value_count, lead_count, first; /* first: lead of the first member */
  const adl_json_masks *masks;
  adl_json_lead leads[ADL_JSON_LEADS];
} adl_json_scanner;

void adl_json_begin(adl_json_scanner *scanner, const adl_json_node *nodes, int32_t value_count,
                    const adl_json_masks *masks);

/* Takes an object apart, a text within the block; values[node.value] is what stands at its path, ADL_JSON_NONE where
 * nothing does. Of members with the same name the last counts. False: it is not one JSON object; *fault says where and
 * why. The text must be UTF-8. */
bool adl_json_scan(adl_json_scanner *scanner, const char *text, size_t size, adl_json_value *values,
                   adl_json_fault *fault);

/* The next item of an array that adl_json_scan has found; *at begins as its text + 1, `end` is its text + size. False: it
 * has no more. */
bool adl_json_next_item(const adl_json_masks *masks, const char **at, const char *end, adl_json_value *item);

/* Undoes the escapes of a string that was found; `out` has room for its size. Returns the new size. */
size_t adl_json_unescape(const char *text, size_t size, char *out);

#endif
