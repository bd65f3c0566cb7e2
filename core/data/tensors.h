/* Sets of named arrays and keyed tables: models, partial results of folds, recorded states. Behind the tensor functions
 * of adl_host; saved by core/model. */
#ifndef ADLOOM_CORE_DATA_TENSORS_H
#define ADLOOM_CORE_DATA_TENSORS_H

#include <adloom/plugin.h>

adl_tensors *adl_tensors_new(void);
void adl_tensors_free(adl_tensors *tensors);
/* Same names, elements and sizes, zeroed; tables empty, same widths. */
adl_tensors *adl_tensors_like(const adl_tensors *tensors);
adl_tensors *adl_tensors_copy(const adl_tensors *tensors);
/* Element by element (wrapping integers, floats, or of bool), tables by key (new keys are appended in from's order);
 * what `into` does not have is copied. Tensors of different sizes or elements, or of bytes: false, *why a static
 * sentence, and nothing has changed. */
bool adl_tensors_add(adl_tensors *into, const adl_tensors *from, const char **why);
/* `into` gets what `from` holds, which is good for nothing then but being freed. Pointers to arrays of `into` stay good
 * where `from` has one of the same name, element and sizes, those to tables where it has one of the same width. */
void adl_tensors_replace(adl_tensors *into, adl_tensors *from);
int64_t adl_tensors_bytes(const adl_tensors *tensors);
bool adl_tensors_empty(const adl_tensors *tensors);

/* See adl_host. tensor_get: NULL with *why when the call is a programming error (other element, inner sizes). */
void *adl_tensors_get(adl_tensors *tensors, const char *name, adl_element element, int32_t dimensions,
                      const int64_t *size, const char **why);
bool adl_tensors_find(const adl_tensors *tensors, const char *name, adl_tensor *tensor);
void adl_tensors_drop(adl_tensors *tensors, const char *name);
/* NULL is a programming error, too: the name belongs to a tensor, or the table has another width (0: a set of keys). */
adl_table *adl_tensors_table(adl_tensors *tensors, const char *name, int64_t width);
const adl_table *adl_tensors_find_table(const adl_tensors *tensors, const char *name);

/* Iteration in order of first appearance, for saving: arrays and tables. False: no such number. */
bool adl_tensors_at(const adl_tensors *tensors, int32_t number, const char **name, adl_tensor *tensor);
bool adl_tensors_table_at(const adl_tensors *tensors, int32_t number, const char **name, const adl_table **table);

/* Gives the set an array that lies in memory of somebody else's (a mapped file), copied on the first adl_tensors_get. */
void adl_tensors_lend(adl_tensors *tensors, const char *name, const adl_tensor *tensor);
/* Calls release(owner) when the set is freed: the owner of what was lent. */
void adl_tensors_keep(adl_tensors *tensors, void *owner, void (*release)(void *owner));
/* Bytes of one element in a tensor, where a BOOL takes a byte (0 or 1); 0: there is no such element. */
int64_t adl_tensor_element_size(adl_element element);

int64_t adl_table_count(const adl_table *table);
int64_t adl_table_width(const adl_table *table);
/* -1: the key has more than 2^31 - 1 bytes. */
int64_t adl_table_insert(adl_table *table, const void *key, int64_t size);
int64_t adl_table_find(const adl_table *table, const void *key, int64_t size);
/* The same for many keys, which stand end to end in `bytes`: key i from offsets[i] to offsets[i + 1]. */
void adl_table_insert_all(adl_table *table, int64_t count, const void *bytes, const int64_t *offsets, int64_t *rows);
void adl_table_find_all(const adl_table *table, int64_t count, const void *bytes, const int64_t *offsets,
                        int64_t *rows);
double *adl_table_row(const adl_table *table, int64_t row); /* NULL: no such row */
adl_text adl_table_key(const adl_table *table, int64_t row);

#endif
