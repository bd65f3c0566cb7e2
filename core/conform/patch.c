/*
 * Leads a loaded plugin's calls of given functions elsewhere: the table of addresses (GOT) through which it calls other
 * libraries is its own, so only its calls change, and those of nobody else. Its relocations say which entry belongs to
 * which name.
 */
#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/conform/internal.h"

#if defined(__x86_64__)
#define IS_ADDRESS(type) ((type) == R_X86_64_JUMP_SLOT || (type) == R_X86_64_GLOB_DAT || (type) == R_X86_64_64)
#elif defined(__aarch64__)
#define IS_ADDRESS(type) ((type) == R_AARCH64_JUMP_SLOT || (type) == R_AARCH64_GLOB_DAT || (type) == R_AARCH64_ABS64)
#endif

#ifdef IS_ADDRESS

/* What the dynamic section of a loaded file tells. */
typedef struct linked {
  const ElfW(Sym) * symbols;
  const char *names;
  const ElfW(Rela) * calls, *data;
  size_t call_bytes, data_bytes;
} linked;

/* glibc puts addresses there; others leave offsets. */
static const void *address(const struct link_map *map, uintptr_t value) {
  return (const void *)(value < map->l_addr ? map->l_addr + value : value);
}

static linked read_dynamic(const struct link_map *map) {
  linked found = {0};
  for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
    switch (entry->d_tag) {
      case DT_SYMTAB: found.symbols = address(map, entry->d_un.d_ptr); break;
      case DT_STRTAB: found.names = address(map, entry->d_un.d_ptr); break;
      case DT_JMPREL: found.calls = address(map, entry->d_un.d_ptr); break;
      case DT_RELA: found.data = address(map, entry->d_un.d_ptr); break;
      case DT_PLTRELSZ: found.call_bytes = entry->d_un.d_val; break;
      case DT_RELASZ: found.data_bytes = entry->d_un.d_val; break;
      default: break;
    }
  }
  return found;
}

static void write_address(void **place, void *value) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *from = (char *)((uintptr_t)place & ~(page - 1)); /* an address does not cross a page */
  mprotect(from, page, PROT_READ | PROT_WRITE);          /* it is read-only since it was loaded */
  *place = value;
}

static int patch_table(const struct link_map *map, const linked *file, const ElfW(Rela) * table, size_t bytes,
                       const adl_patch *patches, int count) {
  int changed = 0;
  for (size_t i = 0; table != NULL && i < bytes / sizeof *table; i++) {
    if (!IS_ADDRESS(ELF64_R_TYPE(table[i].r_info))) continue;
    const ElfW(Sym) *symbol = &file->symbols[ELF64_R_SYM(table[i].r_info)];
    if (symbol->st_shndx != SHN_UNDEF) continue;
    for (int k = 0; k < count; k++)
      if (strcmp(file->names + symbol->st_name, patches[k].name) == 0) {
        write_address((void **)(map->l_addr + table[i].r_offset), patches[k].replacement);
        changed++;
      }
  }
  return changed;
}

int adl_patch_calls(const char *path, const adl_patch *patches, int count) {
  struct link_map *map = NULL;
  void *handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  if (handle == NULL || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) return -1;
  linked file = read_dynamic(map);
  if (file.symbols == NULL || file.names == NULL) return -1;
  return patch_table(map, &file, file.calls, file.call_bytes, patches, count) +
         patch_table(map, &file, file.data, file.data_bytes, patches, count);
}

#else

int adl_patch_calls(const char *path, const adl_patch *patches, int count) {
  (void)path, (void)patches, (void)count;
  return -1;
}

#endif
