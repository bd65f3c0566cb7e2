/*
 * ELF notes of a plugin file: the GNU build-id and the note ".note.adloom" that ADL_PLUGIN writes. The usual file costs
 * one pread. Called by the registry.
 */
#include "core/plugin/note.h"

#include <adloom/plugin.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#if UINTPTR_MAX == UINT64_MAX
#define OWN_CLASS ELFCLASS64
#else
#define OWN_CLASS ELFCLASS32
#endif

/* Limits far above what any plugin has: they bound what a hostile file can make us read. */
enum { MAX_SEGMENTS = 256, MAX_NOTE_BYTES = 1 << 16, FIRST_READ = 4096, MAX_VERSION = 64 };

typedef struct reader {
  int file;
  int64_t size;
  uint8_t first[FIRST_READ]; /* the beginning of the file, where headers and notes usually are */
  int64_t first_size;
} reader;

/* Copies bytes of the file; false when they are not all there. */
static bool read_at(const reader *in, uint64_t offset, void *to, size_t size) {
  if (offset > (uint64_t)in->size || size > (uint64_t)in->size - offset) return false;
  if (offset + size <= (uint64_t)in->first_size) {
    memcpy(to, in->first + offset, size);
    return true;
  }
  for (size_t done = 0; done < size;) {
    ssize_t got = pread(in->file, (char *)to + done, size - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += (size_t)got;
  }
  return true;
}

static const char *machine_name(unsigned machine) {
  static const struct {
    unsigned machine;
    const char *name;
  } names[] = {
      {EM_386, "32-bit x86"},     {EM_X86_64, "x86-64"}, {EM_ARM, "32-bit ARM"},
      {EM_AARCH64, "64-bit ARM"}, {EM_RISCV, "RISC-V"},  {EM_PPC64, "POWER"},
      {EM_S390, "S/390"},         {EM_MIPS, "MIPS"},     {258 /* newer than some elf.h */, "LoongArch"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    if (names[i].machine == machine) return names[i].name;
  return NULL;
}

static void name_machine(GString *out, unsigned machine) {
  const char *name = machine_name(machine);
  if (name != NULL)
    g_string_append(out, name);
  else
    g_string_append_printf(out, "machine type %u", machine);
}

/* The machine that this program was built for, from its own header; EM_NONE when that cannot be read. */
static unsigned own_machine(void) {
  static unsigned machine = EM_NONE;
  if (machine != EM_NONE) return machine;
  int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (file < 0) return EM_NONE;
  ElfW(Ehdr) header;
  if (pread(file, &header, sizeof header, 0) == (ssize_t)sizeof header) machine = header.e_machine;
  close(file);
  return machine;
}

/* Is it a shared object that this program could load at all? */
static bool check_header(const ElfW(Ehdr) * header, GString *why) {
  const unsigned char *ident = header->e_ident;
  uint16_t probe = 1;
  int own_data = *(const uint8_t *)&probe == 1 ? ELFDATA2LSB : ELFDATA2MSB;
  if (ident[EI_CLASS] != OWN_CLASS || ident[EI_DATA] != own_data) {
    g_string_append_printf(why, "it was built for another architecture: %s, %s byte order; this adloom is %s (",
                           ident[EI_CLASS] == ELFCLASS64   ? "64 bit"
                           : ident[EI_CLASS] == ELFCLASS32 ? "32 bit"
                                                           : "unknown word size",
                           ident[EI_DATA] == ELFDATA2LSB   ? "little-endian"
                           : ident[EI_DATA] == ELFDATA2MSB ? "big-endian"
                                                           : "unknown",
                           OWN_CLASS == ELFCLASS64 ? "64 bit" : "32 bit");
    name_machine(why, own_machine());
    g_string_append(why, "); build the plugin on this kind of machine");
    return false;
  }
  if (own_machine() != EM_NONE && header->e_machine != own_machine()) {
    g_string_append(why, "it was built for another architecture: it needs ");
    name_machine(why, header->e_machine);
    g_string_append(why, ", this adloom is ");
    name_machine(why, own_machine());
    g_string_append(why, "; build the plugin on this kind of machine");
    return false;
  }
  if (header->e_type != ET_DYN) {
    g_string_append_printf(why, "it is no plugin: %s; link it with -shared",
                           header->e_type == ET_REL ? "an object file, not a shared object"
                                                    : "a program or core dump, not a shared object");
    return false;
  }
  return true;
}

static bool truncated(GString *why, const reader *in, uint64_t end) {
  g_string_append_printf(why,
                         "it is cut off or damaged: its headers speak of %" G_GUINT64_FORMAT
                         " bytes, the file has %" G_GINT64_FORMAT "; copy or build it again",
                         end, in->size);
  return false;
}

/* Everything that the headers point to lies inside the file. dlopen does not check this: it would die of SIGBUS. */
static bool check_extent(const reader *in, const ElfW(Ehdr) * header, const ElfW(Phdr) * segments, GString *why) {
  for (unsigned i = 0; i < header->e_phnum; i++) {
    uint64_t offset = segments[i].p_offset, size = segments[i].p_filesz;
    if (size > (uint64_t)INT64_MAX || offset > (uint64_t)INT64_MAX) return truncated(why, in, UINT64_MAX);
    if (segments[i].p_type != PT_NULL && offset + size > (uint64_t)in->size) return truncated(why, in, offset + size);
  }
  uint64_t sections = header->e_shoff, bytes = (uint64_t)header->e_shnum * header->e_shentsize;
  if (sections > (uint64_t)INT64_MAX) return truncated(why, in, UINT64_MAX);
  if (sections != 0 && sections + bytes > (uint64_t)in->size) return truncated(why, in, sections + bytes);
  return true;
}

static bool damaged(GString *why, const char *what) {
  g_string_append_printf(why, "its adloom note is damaged: %s; build it again with ADL_PLUGIN", what);
  return false;
}

static bool printable(const char *text) {
  for (; *text != '\0'; text++)
    if (*text <= ' ' || *text > '~') return false;
  return true;
}

/* A short lower-case word of [a-z][a-z0-9-]*; returns what follows it, NULL: no word. */
static const char *word_end(const char *text) {
  if (*text < 'a' || *text > 'z') return NULL;
  while ((*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9') || *text == '-') text++;
  return text;
}

bool adl_id_valid(const char *id) {
  if (id == NULL || strlen(id) > 64) return false;
  const char *end = word_end(id);
  while (end != NULL && *end == '.') end = word_end(end + 1);
  return end != NULL && *end == '\0';
}

/* Descriptor: two uint16, then id, version and ids, each with its NUL, and nothing else. */
static bool parse_descriptor(const uint8_t *data, uint32_t size, adl_note *note, GString *why) {
  if (note->found) return damaged(why, "there are two of them; one file holds one plugin");
  if (size < 4 + 3) return damaged(why, "too short");
  memcpy(&note->abi_major, data, 2);
  memcpy(&note->abi_minor, data + 2, 2);
  size -= 4;
  note->text = g_memdup2(data + 4, size);
  const char *fields[3], *at = note->text, *end = note->text + size;
  for (int i = 0; i < 3; i++) {
    const char *stop = memchr(at, '\0', (size_t)(end - at));
    if (stop == NULL) return damaged(why, "a text without an end");
    fields[i] = at;
    at = stop + 1;
  }
  if (at != end) return damaged(why, "more text than id, version and classes");
  if (!adl_id_valid(fields[0])) return damaged(why, "the plugin's id is not of the form [a-z][a-z0-9-]*");
  if (fields[1][0] == '\0' || strlen(fields[1]) > MAX_VERSION || !printable(fields[1]))
    return damaged(why, "the version is not a short printable text");
  note->id = fields[0];
  note->version = fields[1];
  note->ids = fields[2];
  note->found = true;
  return true;
}

static void keep_build(const uint8_t *data, uint32_t size, adl_note *note) {
  if (note->build != NULL || size == 0 || size > 64) return;
  note->build = g_malloc(2 * (gsize)size + 1);
  for (uint32_t i = 0; i < size; i++) g_snprintf(note->build + 2 * (gsize)i, 3, "%02x", data[i]);
}

/* One PT_NOTE segment: a sequence of (owner size, descriptor size, type, owner, descriptor), each padded. */
static bool parse_segment(const uint8_t *data, uint64_t size, uint64_t align, adl_note *note, GString *why) {
  uint64_t at = 0;
  while (size - at >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    memcpy(&header, data + at, sizeof header);
    at += sizeof header;
    uint64_t owner_end = at + header.n_namesz;
    uint64_t from = (owner_end + align - 1) & ~(align - 1), end = from + header.n_descsz;
    if (end > size) {
      g_string_append(why, "it is no plugin: its notes are damaged");
      return false;
    }
    const char *owner = (const char *)data + at;
    bool ours = header.n_namesz == sizeof ADL_NOTE_OWNER && memcmp(owner, ADL_NOTE_OWNER, sizeof ADL_NOTE_OWNER) == 0;
    if (ours && header.n_type == ADL_NOTE_TYPE && !parse_descriptor(data + from, header.n_descsz, note, why))
      return false;
    if (header.n_namesz == 4 && memcmp(owner, "GNU", 4) == 0 && header.n_type == NT_GNU_BUILD_ID)
      keep_build(data + from, header.n_descsz, note);
    at = (end + align - 1) & ~(align - 1);
    if (at > size) break;
  }
  return true;
}

static bool read_segments(const reader *in, const ElfW(Ehdr) * header, const ElfW(Phdr) * segments, adl_note *note,
                          GString *why) {
  for (unsigned i = 0; i < header->e_phnum; i++) {
    if (segments[i].p_type != PT_NOTE || segments[i].p_filesz == 0) continue;
    uint64_t size = segments[i].p_filesz;
    if (size > MAX_NOTE_BYTES) {
      g_string_append_printf(why, "it is no plugin: its notes take %" G_GUINT64_FORMAT " bytes, more than %d", size,
                             MAX_NOTE_BYTES);
      return false;
    }
    uint8_t *data = g_malloc(size);
    bool fine = read_at(in, segments[i].p_offset, data, size);
    if (!fine)
      g_string_append(why, "it cannot be read to its end");
    else
      fine = parse_segment(data, size, segments[i].p_align == 8 ? 8 : 4, note, why);
    g_free(data);
    if (!fine) return false;
  }
  return true;
}

bool adl_note_read(int file, int64_t size, adl_note *note, GString *why) {
  memset(note, 0, sizeof *note);
  reader in = {.file = file, .size = size};
  ssize_t got;
  do got = pread(file, in.first, sizeof in.first, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) {
    g_string_append_printf(why, "it cannot be read: %s", g_strerror(errno));
    return false;
  }
  in.first_size = got;
  ElfW(Ehdr) header;
  if (size == 0) {
    g_string_append(why, "it is no plugin: the file is empty");
    return false;
  }
  if (got < SELFMAG || memcmp(in.first, ELFMAG, SELFMAG) != 0) {
    g_string_append(why, "it is no plugin: not a shared object (no ELF header)");
    return false;
  }
  if (!read_at(&in, 0, &header, sizeof header)) {
    g_string_append(why, "it is no plugin: too short for a shared object");
    return false;
  }
  if (!check_header(&header, why)) return false;
  if (header.e_phentsize != sizeof(ElfW(Phdr)) || header.e_phnum == 0 || header.e_phnum > MAX_SEGMENTS) {
    g_string_append_printf(why, "it is no plugin: its program headers are damaged (%u of %u bytes)",
                           (unsigned)header.e_phnum, (unsigned)header.e_phentsize);
    return false;
  }
  ElfW(Phdr) segments[MAX_SEGMENTS];
  if (!read_at(&in, header.e_phoff, segments, header.e_phnum * sizeof segments[0]))
    return truncated(why, &in, header.e_phoff + header.e_phnum * sizeof segments[0]);
  if (!check_extent(&in, &header, segments, why)) return false;
  if (!read_segments(&in, &header, segments, note, why)) return false;
  if (note->found) return true;
  g_string_append(why, "it is no plugin: it has no adloom note (ADL_PLUGIN writes one; strip with -R .note.adloom "
                       "removes it)");
  return false;
}

void adl_note_clear(adl_note *note) {
  g_free(note->text);
  g_free(note->build);
  memset(note, 0, sizeof *note);
}
