/* Finds values in a JSON text by path, checking all of it on the way: RFC 8259, nothing more. Used by read-jsonl. */
#ifndef ADLOOM_PLUGINS_COMMON_JSON_SCAN_H
#define ADLOOM_PLUGINS_COMMON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* Takes an object apart; values[node.value] is what stands at its path, ADL_JSON_NONE where nothing does. Of members with
 * the same name the last counts. False: it is not one JSON object; *fault says where and why. The text must be UTF-8. */
bool adl_json_scan(const adl_json_node *nodes, int32_t value_count, const char *text, size_t size,
                   adl_json_value *values, adl_json_fault *fault);

/* The next item of an array that adl_json_scan has found; *at begins as its text + 1, `end` is its text + size. False: it
 * has no more. */
bool adl_json_next_item(const char **at, const char *end, adl_json_value *item);

/* Undoes the escapes of a string that was found; `out` has room for its size. Returns the new size. */
size_t adl_json_unescape(const char *text, size_t size, char *out);

#endif
