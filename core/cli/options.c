/* Options of the subcommands: parsing and --help, both from the tables. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/cli/command.h"
#include "core/config/keys.h"
#include "core/config/value.h"

static void *field(adl_cli_options *options, const adl_option *option) { return (char *)options + option->offset; }

static const adl_option *find(const adl_command *command, const char *name, size_t length) {
  for (const adl_option *option = command->options; option->name != NULL; option++)
    if (strlen(option->name) == length && strncmp(option->name, name, length) == 0) return option;
  return NULL;
}

static int unknown(const adl_command *command, const char *given) {
  const char *names[32];
  size_t count = 0;
  for (const adl_option *option = command->options; option->name != NULL && count < 32; option++)
    names[count++] = option->name;
  char *bare = g_strndup(given + 2, strcspn(given + 2, "="));
  const char *near = adl_text_nearest(bare, names, count);
  fprintf(stderr, "adloom %s: there is no option %s", command->name, given);
  if (near != NULL) fprintf(stderr, "; did you mean --%s?", near);
  fprintf(stderr, "\n`adloom %s --help` lists the options.\n", command->name);
  g_free(bare);
  return ADL_EXIT_USAGE;
}

/* What the file may say too has the same range there. */
static bool read_number(const adl_option *option, const char *text, int64_t *value, GString *why) {
  bool size = option->type == ADL_OPTION_SIZE;
  const adl_param *key = adl_key_find(adl_keys_of_file, option->name);
  const char *range = key != NULL && key->range != NULL ? key->range : "[1, inf]";
  adl_range within;
  int64_t read = 0;
  if (!(size ? adl_value_size : adl_value_int)(text, &read, why)) return false;
  if (!adl_range_read(range, size ? ADL_PARAM_SIZE : ADL_PARAM_INT, &within, why)) return false;
  if (!adl_range_holds_int(&within, read)) {
    g_string_append_printf(why, "it is out of range %s", range);
    return false;
  }
  *value = read;
  return true;
}

static bool store(const adl_command *command, adl_cli_options *options, const adl_option *option, const char *text) {
  GString *why = g_string_new(NULL);
  bool ok = true;
  switch (option->type) {
    case ADL_OPTION_FLAG: *(bool *)field(options, option) = true; break;
    case ADL_OPTION_TEXT:
      g_free(*(char **)field(options, option));
      *(char **)field(options, option) = g_strdup(text);
      break;
    case ADL_OPTION_TEXTS: g_ptr_array_add(*(GPtrArray **)field(options, option), g_strdup(text)); break;
    case ADL_OPTION_COUNT:
    case ADL_OPTION_SIZE: ok = read_number(option, text, field(options, option), why); break;
  }
  if (!ok) fprintf(stderr, "adloom %s: --%s %s: %s\n", command->name, option->name, text, why->str);
  g_string_free(why, TRUE);
  return ok;
}

static void begin(adl_cli_options *options) {
  *options = (adl_cli_options){0};
  options->sets = g_ptr_array_new_with_free_func(g_free);
  options->vars = g_ptr_array_new_with_free_func(g_free);
  options->swaps = g_ptr_array_new_with_free_func(g_free);
  options->only = g_ptr_array_new_with_free_func(g_free);
  options->operands = g_ptr_array_new_with_free_func(g_free);
}

int adl_cli_parse(const adl_command *command, int argc, char **argv, adl_cli_options *options, int operands_wanted) {
  begin(options);
  bool only_operands = false;
  for (int i = 1; i < argc; i++) {
    if (only_operands || argv[i][0] != '-' || argv[i][1] == '\0') {
      g_ptr_array_add(options->operands, g_strdup(argv[i]));
      continue;
    }
    if (strcmp(argv[i], "--") == 0) {
      only_operands = true;
      continue;
    }
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      GString *text = g_string_new(NULL);
      adl_cli_help(command, text);
      fputs(text->str, stdout);
      g_string_free(text, TRUE);
      return ADL_EXIT_OK;
    }
    if (argv[i][1] != '-') return unknown(command, argv[i]);
    size_t length = strcspn(argv[i] + 2, "=");
    const adl_option *option = find(command, argv[i] + 2, length);
    if (option == NULL) return unknown(command, argv[i]);
    const char *text = argv[i][2 + length] == '=' ? argv[i] + 3 + length : NULL;
    if (option->type != ADL_OPTION_FLAG && text == NULL) text = ++i < argc ? argv[i] : NULL;
    if (option->type != ADL_OPTION_FLAG && (text == NULL || text[0] == '\0')) { /* "" would be the current folder */
      fprintf(stderr, "adloom %s: --%s needs %s\n", command->name, option->name, option->argument);
      return ADL_EXIT_USAGE;
    }
    if (!store(command, options, option, text)) return ADL_EXIT_USAGE;
  }
  if (operands_wanted >= 0 && options->operands->len != (guint)operands_wanted) {
    fprintf(stderr, "Usage: adloom %s %s\n`adloom %s --help` tells more.\n", command->name, command->arguments,
            command->name);
    return ADL_EXIT_USAGE;
  }
  g_ptr_array_add(options->sets, NULL);
  g_ptr_array_add(options->vars, NULL);
  g_ptr_array_add(options->swaps, NULL);
  g_ptr_array_add(options->only, NULL);
  return -1;
}

void adl_cli_clear(adl_cli_options *options) {
  g_ptr_array_free(options->sets, TRUE);
  g_ptr_array_free(options->vars, TRUE);
  g_ptr_array_free(options->swaps, TRUE);
  g_ptr_array_free(options->only, TRUE);
  g_ptr_array_free(options->operands, TRUE);
  g_free(options->models);
  g_free(options->record);
  g_free(options->out);
  g_free(options->store);
  g_free(options->format);
  g_free(options->from);
  g_free(options->by);
  g_free(options->unused);
  g_free(options->lang);
  g_free(options->dir);
}

static void append_wrapped(GString *out, const char *text, int indent) {
  const int width = 80;
  int at = 0;
  char **words = g_strsplit(text, " ", -1);
  for (int i = 0; words[i] != NULL; i++) {
    int length = (int)g_utf8_strlen(words[i], -1);
    if (at == 0 || at + 1 + length > width) {
      if (at > 0) g_string_append_c(out, '\n');
      g_string_append_printf(out, "%*s%s", indent, "", words[i]);
      at = indent + length;
    } else {
      g_string_append_printf(out, " %s", words[i]);
      at += 1 + length;
    }
  }
  g_string_append_c(out, '\n');
  g_strfreev(words);
}

void adl_cli_help(const adl_command *command, GString *out) {
  g_string_append_printf(out, "Usage: adloom %s %s\n\n", command->name, command->arguments);
  char **paragraphs = g_strsplit(command->doc, "\n\n", -1);
  for (int i = 0; paragraphs[i] != NULL; i++) {
    append_wrapped(out, paragraphs[i], 0);
    g_string_append_c(out, '\n');
  }
  g_strfreev(paragraphs);
  if (command->options->name != NULL) g_string_append(out, "Options:\n");
  for (const adl_option *option = command->options; option->name != NULL; option++) {
    g_string_append_printf(out, "  --%s%s%s\n", option->name, option->argument != NULL ? " " : "",
                           option->argument != NULL ? option->argument : "");
    append_wrapped(out, option->doc, 6);
  }
}
