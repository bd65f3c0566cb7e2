/*
 * What a plugin file says about itself in its ELF notes, read without mapping the file or running any of its code. The
 * file may be hostile: every size and offset is checked. Called by the registry for each file it comes across.
 */
#ifndef ADLOOM_CORE_PLUGIN_NOTE_H
#define ADLOOM_CORE_PLUGIN_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

typedef struct adl_note {
  bool found; /* the note was there and could be read; else only `build` can be set */
  uint16_t abi_major, abi_minor;
  char *text; /* memory of the next three */
  const char *id;
  const char *version;
  const char *ids; /* "kind:id kind:id" */
  char *build;     /* GNU build-id in hexadecimal, NULL: none */
} adl_note;

/* Reads the notes of an open file of `size` bytes. False: no usable plugin, and why is appended as a clause that can
 * follow the file's name and a colon. `note` is to be cleared in both cases. The ABI version is read, not judged. */
bool adl_note_read(int file, int64_t size, adl_note *note, GString *why);
void adl_note_clear(adl_note *note);

/* [a-z][a-z0-9-]*, possibly several joined by dots: ids of plugins and classes. */
bool adl_id_valid(const char *id);

#endif
