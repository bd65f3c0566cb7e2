/* The model store: fitted models under the hash of all that determined them, so that a run that was interrupted, or in
 * which one stage was exchanged, fits only what it must. A folder of model files; any number of processes may use it at
 * once. The engine makes the hashes (core/model/digest.h). */
#ifndef ADLOOM_CORE_MODEL_STORE_H
#define ADLOOM_CORE_MODEL_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/data/tensors.h"
#include "core/model/error.h"
#include "core/model/meta.h"

#define ADL_MODEL_STORE_CAP (INT64_C(2) << 30) /* bytes: the default */

typedef struct adl_model_store adl_model_store;

/* directory NULL: $XDG_CACHE_HOME/adloom/models, or ~/.cache/adloom/models; it is made when something is put. cap 0: the
 * default. Never fails: what cannot be used is told by put, and holds no models. Any thread may use a store. */
adl_model_store *adl_model_store_new(const char *directory, int64_t cap);
void adl_model_store_free(adl_model_store *store);
const char *adl_model_store_directory(const adl_model_store *store);

/* Hashes are lower-case hexadecimal. */

/* The model of that hash, or NULL. An entry that is damaged or another model's is removed, and is NULL with *warning (a sentence to be freed; may be
 * NULL); the stage is then fitted again. */
adl_tensors *adl_model_store_load(adl_model_store *store, const char *hash, adl_model_meta **meta, char **warning);
/* The same, which does not count as a use: for lists. */
adl_tensors *adl_model_store_look(adl_model_store *store, const char *hash, adl_model_meta **meta, char **warning);
/* Path of the file, to be freed, or NULL; unlike load it promises nothing about its content. */
char *adl_model_store_get(adl_model_store *store, const char *hash);
/* Keeps a model, all at once, and drops those unused for longest when the store has passed its cap; never one that was
 * used since this adl_model_store was made. It outlives the process at once; should the machine stop before it is on the disk,
 * it may be damaged, which is as if it were not there. */
bool adl_model_store_put(adl_model_store *store, const char *hash, const adl_tensors *tensors,
                         const adl_model_meta *meta, GError **error);
typedef struct adl_stored {
  char *hash;
  int64_t bytes; /* on the disk */
  int64_t used;  /* when it was last used, seconds since 1970 */
} adl_stored;
/* All entries, longest unused first; of adl_stored *, free it. */
GPtrArray *adl_model_store_list(const adl_model_store *store);
/* Removes what was not used for so many seconds, and then what was unused for longest until no more than `cap` bytes are
 * left (-1: as many as there are). Adds up what went. False: another process is at it just now, nothing was done. */
bool adl_model_store_prune(const adl_model_store *store, int64_t unused, int64_t cap, int64_t *entries, int64_t *bytes);

#endif
