/* Digests. Of what determines a model, or rows: SHA-256 over tagged fields, the key of the model store. Of the contents
 * of files: XXH3-128, kept for the length of a run, so that a file is read once. */
#ifndef ADLOOM_CORE_MODEL_DIGEST_H
#define ADLOOM_CORE_MODEL_DIGEST_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { ADL_DIGEST_HEX = 65, ADL_FILE_DIGEST_HEX = 33 }; /* bytes of the text, with its NUL */

/* Different sequences of fields never make the same bytes: every field carries its kind, its tag and its length. */
typedef struct adl_digest adl_digest;
adl_digest *adl_digest_new(void);
void adl_digest_free(adl_digest *digest);
/* From now on every field is appended to `fields` as well, as "tag\tvalue", for people (bytes as hexadecimal). */
void adl_digest_record(adl_digest *digest, GPtrArray *fields);
void adl_digest_text(adl_digest *digest, const char *tag, const char *text); /* NULL differs from "" */
void adl_digest_int(adl_digest *digest, const char *tag, int64_t value);
void adl_digest_double(adl_digest *digest, const char *tag, double value); /* by its bits */
void adl_digest_bytes(adl_digest *digest, const char *tag, const void *bytes, size_t size);
/* The digest as lower-case hexadecimal. The digest is gone. */
void adl_digest_finish(adl_digest *digest, char hex[ADL_DIGEST_HEX]);

/* Digests of the contents of files. Any thread. */
typedef struct adl_file_digests adl_file_digests;
adl_file_digests *adl_file_digests_new(void);
void adl_file_digests_free(adl_file_digests *digests);
/* A file known by path, device, inode, size and time of change is not read again. False: it cannot be read, is no
 * regular file, or changed while it was read. *size (may be NULL) is its length. */
bool adl_file_digests_get(adl_file_digests *digests, const char *path, char hex[ADL_FILE_DIGEST_HEX], int64_t *size,
                          GError **error);

#endif
