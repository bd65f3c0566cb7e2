/*
 * Keys: the values of a row as one byte string, for keyed tables. Equal values give equal bytes, whatever the width of an
 * integer (an int32 5 is an int64 5) or the sign of a zero; and the order of the bytes is the order of the values, numbers
 * by size, strings by their bytes, so that a table is sorted by sorting its keys. Used by group, join,
 * history, dedupe and tags.
 */
#ifndef ADLOOM_COMMON_KEY_H
#define ADLOOM_COMMON_KEY_H

#include <adloom/plugin.h>

/* A key in the making, in scratch memory of the call. */
typedef struct adl_key {
  const adl_call *call;
  uint8_t *data;
  int64_t size, capacity;
} adl_key;

void adl_key_begin(adl_key *key, const adl_call *call);

/* Appends the value of a SCALAR row that is not null. `last`: nothing will be appended behind it (a string is then
 * written as it is). */
void adl_key_add(adl_key *key, const adl_column *column, int64_t row, bool last);

/* The key of a row of SCALAR columns, alone in `key`; false: one of them is null there. */
bool adl_key_of_row(adl_key *key, const adl_batch *batch, const adl_inputs *columns, int64_t row);

/* Many keys, end to end in `key`, for table_insert_all and table_find_all. */
typedef struct adl_keys {
  adl_key key;
  int64_t *offsets; /* count + 1 */
  int64_t count, capacity;
  int64_t *rows; /* what was inserted or found last */
  int64_t row_capacity;
} adl_keys;

void adl_keys_begin(adl_keys *keys, const adl_call *call, int64_t capacity); /* grows where that is too few */
/* What has been appended to `key` since the last one is a key. */
void adl_keys_end(adl_keys *keys);
/* The key of a row, as adl_key_of_row; false: one of the columns is null there, and nothing is added. */
bool adl_keys_add_row(adl_keys *keys, const adl_batch *batch, const adl_inputs *columns, int64_t row);
void adl_keys_empty(adl_keys *keys);
/* Their rows in the table, until `keys` are inserted or looked for again. */
int64_t *adl_keys_insert(adl_keys *keys, adl_table *table);
int64_t *adl_keys_find(adl_keys *keys, const adl_table *table); /* -1: not there */

/* Appends the value of a row of any shape; null is a value of its own. For comparing keys of the same columns only. */
void adl_key_add_any(adl_key *key, const adl_column *column, int64_t row);

/* Bytes of values that are not in a column. */
void adl_key_add_integer(adl_key *key, int64_t value);
void adl_key_add_float(adl_key *key, double value);
void adl_key_add_text(adl_key *key, adl_text text, bool last);

/* Takes a key apart again, value by value, in the order in which they were appended. */
typedef struct adl_key_reader {
  const uint8_t *at, *end;
} adl_key_reader;

typedef struct adl_key_value {
  int64_t integer; /* bool, integers, timestamp */
  double number;   /* floats */
  adl_text text;   /* string, bytes: in the key itself, or in `buffer` */
} adl_key_value;

/* `buffer`: room for a text as long as the rest of the key. */
void adl_key_next(adl_key_reader *reader, adl_element element, bool last, char *buffer, adl_key_value *value);

int adl_key_compare(adl_text a, adl_text b); /* by bytes */

/* Whether keys of the two types can be equal: integers of any width, floats of any width, else the same element. */
bool adl_key_comparable(adl_type a, adl_type b);

/* "user 42, city 'Wien'": the values that make a key, for a message. Cut to fit; ends with NUL. */
void adl_key_describe(const adl_batch *batch, const adl_inputs *columns, int64_t row, char *buffer, size_t size);

#endif
