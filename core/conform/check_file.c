/* Checks of the file: what it exports, whether it can be loaded, and how it meets hosts that it was not built for. */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/conform/internal.h"
#include "core/plugin/registry.h"

static const char entry_name[] = "adl_plugin_entry";

/* ---- exports ---- */

/* The whole file in memory; the note has been read from it, so its headers lie inside. */
static char *read_file(adl_exam *exam, gsize *size) {
  char *bytes = NULL;
  GError *error = NULL;
  if (g_file_get_contents(exam->options->path, &bytes, size, &error)) return bytes;
  adl_exam_fail(exam, "%s", error->message);
  g_error_free(error);
  return NULL;
}

static bool inside(gsize size, uint64_t offset, uint64_t bytes) { return offset <= size && bytes <= size - offset; }

/* The symbols that others can see, of one section; false: the section is damaged. */
static bool list_exports(const char *file, gsize size, const ElfW(Shdr) * section, const ElfW(Shdr) * names,
                         GString *strong, GString *weak) {
  if (!inside(size, section->sh_offset, section->sh_size) || !inside(size, names->sh_offset, names->sh_size))
    return false;
  for (uint64_t at = 0; at + sizeof(ElfW(Sym)) <= section->sh_size; at += sizeof(ElfW(Sym))) {
    ElfW(Sym) symbol;
    memcpy(&symbol, file + section->sh_offset + at, sizeof symbol);
    int visibility = ELF64_ST_VISIBILITY(symbol.st_other), binding = ELF64_ST_BIND(symbol.st_info);
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= names->sh_size || binding == STB_LOCAL) continue;
    if (visibility == STV_HIDDEN || visibility == STV_INTERNAL) continue;
    const char *name = file + names->sh_offset + symbol.st_name;
    if (memchr(name, '\0', names->sh_size - symbol.st_name) == NULL) return false;
    GString *list = binding == STB_GLOBAL ? strong : weak;
    if (strcmp(name, entry_name) != 0 && *name != '\0')
      g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", name);
  }
  return true;
}

static void check_exports(adl_exam *exam) {
  gsize size = 0;
  char *file = read_file(exam, &size);
  if (file == NULL) return;
  ElfW(Ehdr) header;
  memcpy(&header, file, sizeof header);
  GString *strong = g_string_new(NULL), *weak = g_string_new(NULL);
  bool sound = inside(size, header.e_shoff, (uint64_t)header.e_shnum * sizeof(ElfW(Shdr))) &&
               header.e_shentsize == sizeof(ElfW(Shdr));
  for (int i = 0; sound && i < header.e_shnum; i++) {
    ElfW(Shdr) section, names;
    memcpy(&section, file + header.e_shoff + (size_t)i * sizeof section, sizeof section);
    if (section.sh_type != SHT_DYNSYM || section.sh_link >= header.e_shnum) continue;
    memcpy(&names, file + header.e_shoff + (size_t)section.sh_link * sizeof names, sizeof names);
    sound = list_exports(file, size, &section, &names, strong, weak);
  }
  if (!sound)
    adl_exam_fail(exam, "its table of symbols is damaged");
  else if (strong->len > 0)
    adl_exam_fail(exam, "it also exports %s; compile with -fvisibility=hidden, or make them static", strong->str);
  else if (weak->len > 0)
    adl_exam_warn(exam, "it also exports weak symbols, as C++ does with templates: %s", weak->str);
  g_string_free(strong, TRUE);
  g_string_free(weak, TRUE);
  g_free(file);
}

/* ---- loading ---- */

static adl_plugin_entry_function open_entry(adl_exam *exam) {
  void *handle = dlopen(exam->options->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == NULL) {
    adl_exam_fail(exam, "%s", dlerror());
    return NULL;
  }
  void *symbol = dlsym(handle, entry_name);
  adl_plugin_entry_function entry = NULL;
  memcpy(&entry, &symbol, sizeof entry);
  if (entry == NULL) adl_exam_fail(exam, "it exports no function %s; ADL_PLUGIN writes it", entry_name);
  return entry;
}

static void check_symbols(adl_exam *exam) { open_entry(exam); }

static void check_quick(adl_exam *exam) {
  enum { MOST_MS = 100 };
  struct timespec before, after;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  if (open_entry(exam) == NULL) return;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  double ms = (double)(after.tv_sec - before.tv_sec) * 1e3 + (double)(after.tv_nsec - before.tv_nsec) / 1e6;
  if (ms > MOST_MS)
    adl_exam_fail(exam,
                  "loading it took %.0f ms of the processor, more than %d: what is done when it is loaded belongs "
                  "into create or start",
                  ms, (int)MOST_MS);
}

/* A host table of which only the version can be read: what an entry point may look at. */
static adl_host *bare_host(uint16_t major, uint16_t minor) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) != 0) g_error("out of memory");
  adl_host *host = (adl_host *)(void *)(pages + page - offsetof(adl_host, threads));
  host->struct_size = (uint32_t)sizeof(adl_host);
  host->abi_major = major;
  host->abi_minor = minor;
  return host;
}

static void check_hosts(adl_exam *exam) {
  adl_plugin_entry_function entry = open_entry(exam);
  if (entry == NULL) return;
  const int majors[] = {ADL_ABI_MAJOR - 1, ADL_ABI_MAJOR + 1, UINT16_MAX};
  for (guint i = 0; i < G_N_ELEMENTS(majors); i++)
    if (majors[i] >= 0 && entry(bare_host((uint16_t)majors[i], 0)) != NULL)
      return adl_exam_fail(exam,
                           "its entry point gives tables of ABI %d to a host of ABI %d; it must return NULL where "
                           "host->abi_major is another (ADL_PLUGIN does)",
                           ADL_ABI_MAJOR, majors[i]);
  if (entry(bare_host(ADL_ABI_MAJOR, UINT16_MAX)) == NULL)
    return adl_exam_fail(exam,
                         "its entry point declines a host with a newer minor version, which has all that it needs");
  if (entry(bare_host(ADL_ABI_MAJOR, ADL_ABI_MINOR)) == NULL) adl_exam_fail(exam, "its entry point declines this host");
}

static void check_note(adl_exam *exam) {
  adl_plugin_entry_function entry = open_entry(exam);
  const adl_plugin *plugin = entry != NULL ? entry(bare_host(ADL_ABI_MAJOR, ADL_ABI_MINOR)) : NULL;
  if (plugin == NULL || adl_exam_failed(exam)) return;
  const adl_note *note = exam->note;
  if (g_strcmp0(plugin->id, note->id) != 0 || g_strcmp0(plugin->version, note->version) != 0)
    return adl_exam_fail(exam, "its note says %s %s, its descriptor %s %s", note->id, note->version, plugin->id,
                         plugin->version);
  if (plugin->abi_major != note->abi_major || plugin->abi_minor != note->abi_minor)
    return adl_exam_fail(exam, "its note says ABI %d.%d, its descriptor %d.%d", note->abi_major, note->abi_minor,
                         plugin->abi_major, plugin->abi_minor);
  GString *ids = g_string_new(NULL);
  for (uint32_t i = 0; i < plugin->class_count; i++)
    g_string_append_printf(ids, "%s%s:%s", i > 0 ? " " : "", adl_kind_name(plugin->classes[i]->kind),
                           plugin->classes[i]->id);
  if (strcmp(ids->str, note->ids) != 0)
    adl_exam_fail(exam, "its note lists `%s`, its descriptor `%s`: write both the same, in the same order", note->ids,
                  ids->str);
  g_string_free(ids, TRUE);
}

const adl_check adl_checks_of_file[] = {
    {"exports", "It exports its entry point and nothing else.", ADL_OF_FILE, false, check_exports},
    {"symbols", "It loads with every symbol resolved.", ADL_OF_FILE, false, check_symbols},
    {"quick", "It loads in less than 100 ms.", ADL_OF_FILE, true, check_quick},
    {"hosts", "Its entry point looks at the host's version only, and declines hosts of another major one.", ADL_OF_FILE,
     false, check_hosts},
    {"note", "Its ELF note says what its descriptor says.", ADL_OF_FILE, false, check_note},
    {NULL, NULL, ADL_OF_FILE, false, NULL},
};
