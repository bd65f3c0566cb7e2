/* Bytes of a file or of standard input, unpacked when the content begins like gzip or zstd. Used by the sources that read
 * files. One thread at a time on one stream. */
#ifndef ADLOOM_PLUGINS_COMMON_STREAM_H
#define ADLOOM_PLUGINS_COMMON_STREAM_H

#include <stddef.h>
#include <stdint.h>

typedef struct adl_stream adl_stream;

#define ADL_STREAM_MESSAGE 512

/* Opens a file, or standard input for "-". NULL: `message` says why, without the name of the file. */
adl_stream *adl_stream_open(const char *path, char message[ADL_STREAM_MESSAGE]);

/* Up to `size` bytes, fewer only before the end; 0: the end; -1: adl_stream_message says what and where. A regular file is
 * read up to the size it had when it was opened: one that has become shorter is an error, what was appended is left. */
int64_t adl_stream_read(adl_stream *stream, void *buffer, size_t size);

/* ".gz" or ".zst": the file's name ends so, but its content is not packed. NULL: else. */
const char *adl_stream_misnamed(const adl_stream *stream);

/* Bytes of the file that have been read (packed ones, where it is packed). */
int64_t adl_stream_taken(const adl_stream *stream);

const char *adl_stream_message(const adl_stream *stream);
void adl_stream_close(adl_stream *stream); /* NULL is allowed */

#endif
