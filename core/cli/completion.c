/*
 * adloom completion bash: the script that makes a shell complete command lines; and adloom completion words, which that
 * script asks. All that is known of a command line is in the tables of commands, classes and keys, so the script knows
 * nothing itself.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/pipeline.h"
#include "core/config/keys.h"
#include "core/config/value.h"

static const char FILES[] = ":files"; /* to the script: names of files go here */

/* Splits at blanks only, so that = and : stay in words; gives back what stands behind the last of them that bash takes for
 * the end of a word. */
static const char SCRIPT[] =
    "# bash completion for adloom, written by `adloom completion bash`\n"
    "_adloom() {\n"
    "  local line=${COMP_LINE:0:COMP_POINT} words=() found=() cur prefix= one\n"
    "  read -ra words <<<\"$line\"\n"
    "  [[ $line == *[[:blank:]] ]] && words+=('')\n"
    "  cur=${words[${#words[@]} - 1]}\n"
    "  COMPREPLY=()\n"
    "  mapfile -t found < <(\"${words[0]}\" completion words -- \"${words[@]:1}\" 2>/dev/null)\n"
    "  [[ $cur == *[=:]* && $COMP_WORDBREAKS == *[=:]* ]] && prefix=${cur%\"${cur##*[=:]}\"}\n"
    "  if [[ ${found[0]-} == :files ]]; then\n"
    "    local file=${cur#\"$prefix\"}\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen -f -- \"$file\")\n"
    "    return\n"
    "  fi\n"
    "  for one in \"${found[@]}\"; do\n"
    "    [[ $one == \"$cur\"* ]] && COMPREPLY+=(\"${one#\"$prefix\"}\")\n"
    "  done\n"
    "  [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=.] ]] && compopt -o nospace 2>/dev/null\n"
    "}\n"
    "complete -F _adloom adloom\n";

/* A command line that is being written: the words behind `adloom`, of which the last is not finished. */
typedef struct line {
  const adl_command *command;
  const char *const *words;
  guint count;
  GPtrArray *operands; /* of const char *: those that are finished */
  GString *out;
} line;

static void say(const line *l, const char *prefix, const char *word, const char *suffix) {
  g_string_append_printf(l->out, "%s%s%s\n", prefix, word, suffix);
}

/* ---- what a pipeline file holds ---- */

typedef struct contents {
  adl_pipeline pipeline;
  adl_tree *tree;
  const adl_node *stages; /* NULL: there are none */
} contents;

/* The file that was named; it may be half-written. */
static void contents_open(contents *c, const line *l) {
  adl_pipeline_begin(&c->pipeline);
  const char *file = l->operands->len > 0 ? l->operands->pdata[0] : "";
  c->tree = adl_tree_read_file(file, NULL, c->pipeline.problems);
  const adl_node *root = adl_tree_root(c->tree);
  char *absolute = g_canonicalize_filename(file, NULL), *directory = g_path_get_dirname(absolute);
  if (root != NULL) adl_graph_add_plugins(root, directory, c->pipeline.registry, c->pipeline.problems);
  adl_registry_scan(c->pipeline.registry);
  c->stages = adl_node_get(root, "stages");
  if (c->stages != NULL && c->stages->kind != ADL_NODE_MAPPING) c->stages = NULL;
  g_free(directory);
  g_free(absolute);
}

static void contents_close(contents *c) {
  adl_tree_free(c->tree);
  adl_pipeline_close(&c->pipeline);
}

static const adl_class *class_of(const contents *c, const char *stage) {
  const adl_node *use = adl_node_get(adl_node_get(c->stages, stage), "use");
  if (use == NULL || use->kind != ADL_NODE_SCALAR) return NULL;
  GString *why = g_string_new(NULL);
  const adl_loaded *loaded = adl_registry_find(c->pipeline.registry, use->text, why);
  g_string_free(why, TRUE);
  return loaded != NULL ? &loaded->class : NULL;
}

static void say_stages(const line *l, const contents *c, const char *prefix, const char *suffix) {
  for (int i = 0; c->stages != NULL && i < c->stages->count; i++) say(l, prefix, c->stages->pairs[i].key, suffix);
}

static void say_classes(const line *l, const contents *c, const char *prefix) {
  const char **ids = adl_registry_ids(c->pipeline.registry);
  for (const char **id = ids; *id != NULL; id++) say(l, prefix, *id, "");
  g_free(ids);
}

/* ---- --set and --swap ---- */

static void say_values(const line *l, const contents *c, const adl_param *param, const char *prefix) {
  if (strcmp(param->name, "use") == 0) say_classes(l, c, prefix);
  if (param->type == ADL_PARAM_STAGE) say_stages(l, c, prefix, "");
  if (param->type == ADL_PARAM_BOOL) {
    say(l, prefix, "true", "");
    say(l, prefix, "false", "");
  }
  if (param->type != ADL_PARAM_CHOICE || param->choices == NULL) return;
  char **names = adl_choice_list(param->choices);
  for (char **name = names; *name != NULL; name++) say(l, prefix, *name, "");
  g_strfreev(names);
}

/* A name among keys and parameters of a stage (class NULL: of the file); NULL: none. */
static const adl_param *find_key(const adl_class *class, const adl_param *keys, const char *name) {
  for (uint32_t i = 0; class != NULL && i < class->param_count; i++)
    if (strcmp(class->params[i].name, name) == 0) return &class->params[i];
  return adl_key_find(keys, name);
}

/* "stage.parameter=value" or "key=value". */
static void complete_set(const line *l, const char *prefix, const char *text) {
  contents c;
  contents_open(&c, l);
  const char *equals = strchr(text, '='), *dot = strchr(text, '.');
  if (dot != NULL && equals != NULL && dot > equals) dot = NULL;
  char *stage = dot != NULL ? g_strndup(text, (gsize)(dot - text)) : NULL;
  const adl_class *class = stage != NULL ? class_of(&c, stage) : NULL;
  const adl_param *keys = stage != NULL ? adl_keys_of_stage : adl_keys_of_file;
  const char *name = dot != NULL ? dot + 1 : text;
  if (equals != NULL) {
    char *bare = g_strndup(name, (gsize)(equals - name));
    char *before = g_strdup_printf("%s%.*s=", prefix, (int)(equals - text), text);
    const adl_param *param = find_key(class, keys, bare);
    if (param != NULL) say_values(l, &c, param, before);
    g_free(before);
    g_free(bare);
  } else {
    char *before = g_strdup_printf("%s%.*s", prefix, (int)(name - text), text);
    for (uint32_t i = 0; class != NULL && i < class->param_count; i++) say(l, before, class->params[i].name, "=");
    for (const adl_param *key = keys; key->name != NULL; key++)
      if (key->type != 0) say(l, before, key->name, "=");
    if (stage == NULL) say_stages(l, &c, prefix, ".");
    g_free(before);
  }
  g_free(stage);
  contents_close(&c);
}

/* "stage=class,class" or "stage.parameter=value,value": what stands behind the last comma is being written. */
static void complete_swap(const line *l, const char *prefix, const char *text) {
  const char *equals = strchr(text, '='), *dot = strchr(text, '.');
  const char *comma = equals != NULL ? strrchr(equals, ',') : NULL;
  const char *at = comma != NULL ? comma + 1 : equals != NULL ? equals + 1 : NULL;
  char *before = at != NULL ? g_strdup_printf("%s%.*s", prefix, (int)(at - text), text) : NULL;
  if (at == NULL && dot != NULL) {
    complete_set(l, prefix, text);
  } else {
    contents c;
    contents_open(&c, l);
    if (at == NULL) {
      say_stages(l, &c, prefix, "=");
      say_stages(l, &c, prefix, ".");
    } else if (dot == NULL || dot > equals) {
      say_classes(l, &c, before);
    } else {
      char *stage = g_strndup(text, (gsize)(dot - text)), *name = g_strndup(dot + 1, (gsize)(equals - dot - 1));
      const adl_param *param = find_key(class_of(&c, stage), adl_keys_of_stage, name);
      if (param != NULL) say_values(l, &c, param, before);
      g_free(stage);
      g_free(name);
    }
    contents_close(&c);
  }
  g_free(before);
}

/* ---- options ---- */

static const adl_option *find_option(const adl_command *command, const char *word, size_t length) {
  for (const adl_option *option = command->options; option->name != NULL; option++)
    if (strlen(option->name) == length && strncmp(option->name, word, length) == 0) return option;
  return NULL;
}

/* The value of an option; `prefix` stands before it in the word ("--set="). */
static void complete_value(const line *l, const adl_option *option, const char *prefix, const char *text) {
  if (strcmp(option->name, "set") == 0) {
    complete_set(l, prefix, text);
  } else if (strcmp(option->name, "swap") == 0) {
    complete_swap(l, prefix, text);
  } else if (strchr(option->argument, '|') != NULL) {
    char **names = adl_choice_list(option->argument);
    for (char **name = names; *name != NULL; name++) say(l, prefix, *name, "");
    g_strfreev(names);
  } else if (option->type == ADL_OPTION_TEXT) {
    say(l, "", FILES, "");
  }
}

static void say_options(const line *l) {
  for (const adl_option *option = l->command->options; option->name != NULL; option++) say(l, "--", option->name, "");
  say(l, "--", "help", "");
}

/* ---- operands ---- */

/* "FILE", "[FILE]", "STAGE", "NAME...", "list": what the usage line says comes here. */
static void complete_operand(const line *l, const char *token) {
  if (g_ascii_islower(token[0])) {
    say(l, "", token, "");
  } else if (strstr(token, "STAGE") != NULL || strstr(token, "NAME") != NULL) {
    contents c;
    contents_open(&c, l);
    if (strstr(token, "STAGE") != NULL)
      say_stages(l, &c, "", "");
    else
      say_classes(l, &c, "");
    contents_close(&c);
  } else if (strstr(token, "OPTION") == NULL) {
    say(l, "", FILES, "");
  }
}

/* The ways of the usage line ("list | show NAME... | show --all") that begin like the operands that are there. */
static void complete_operands(const line *l) {
  char **ways = g_strsplit(l->command->arguments, " | ", -1);
  for (char **way = ways; *way != NULL; way++) {
    char **tokens = g_strsplit(*way, " ", -1);
    guint count = g_strv_length(tokens), at = l->operands->len;
    bool same = true;
    for (guint i = 0; i < MIN(count, at) && g_ascii_islower(tokens[i][0]); i++)
      same = same && strcmp(tokens[i], l->operands->pdata[i]) == 0;
    bool more = at >= count && count > 0 && g_str_has_suffix(tokens[count - 1], "...");
    if (same && (at < count || more)) complete_operand(l, tokens[more ? count - 1 : at]);
    g_strfreev(tokens);
  }
  g_strfreev(ways);
}

/* ---- the line ---- */

/* The option whose value the last word is; NULL: it is none. Collects operands on the way. */
static const adl_option *read_line(line *l) {
  const adl_option *open = NULL;
  for (guint i = 1; i + 1 < l->count; i++) {
    const char *word = l->words[i];
    if (open != NULL)
      open = NULL;
    else if (g_str_has_prefix(word, "--"))
      open = strchr(word, '=') == NULL ? find_option(l->command, word + 2, strlen(word + 2)) : NULL;
    else
      g_ptr_array_add(l->operands, (gpointer)word);
    if (open != NULL && open->type == ADL_OPTION_FLAG) open = NULL;
  }
  return open;
}

static void complete(line *l) {
  const char *last = l->words[l->count - 1];
  if (l->count == 1) {
    for (const adl_command *const *command = adl_commands(); *command != NULL; command++)
      say(l, "", (*command)->name, "");
    say(l, "", "help", "");
    say(l, "--", "help", "");
    say(l, "--", "version", "");
    return;
  }
  if (strcmp(l->words[0], "help") == 0) {
    for (const adl_command *const *command = adl_commands(); *command != NULL && l->count == 2; command++)
      say(l, "", (*command)->name, "");
    return;
  }
  l->command = adl_command_find(l->words[0]);
  if (l->command == NULL) return;
  const adl_option *option = read_line(l);
  const char *equals = g_str_has_prefix(last, "--") ? strchr(last, '=') : NULL;
  if (option != NULL) {
    complete_value(l, option, "", last);
  } else if (equals != NULL) {
    option = find_option(l->command, last + 2, (size_t)(equals - last - 2));
    char *prefix = g_strndup(last, (gsize)(equals - last) + 1);
    if (option != NULL && option->argument != NULL) complete_value(l, option, prefix, equals + 1);
    g_free(prefix);
  } else if (last[0] == '-') {
    say_options(l);
  } else {
    complete_operands(l);
  }
}

static int print_words(const GPtrArray *operands) {
  line l = {.words = (const char *const *)operands->pdata + 1,
            .count = operands->len - 1,
            .operands = g_ptr_array_new(),
            .out = g_string_new(NULL)};
  if (l.count > 0) complete(&l);
  fputs(l.out->str, stdout);
  g_string_free(l.out, TRUE);
  g_ptr_array_free(l.operands, TRUE);
  return ADL_EXIT_OK;
}

static int command_completion(int argc, char **argv) {
  adl_cli_options options;
  int status = adl_cli_parse(&adl_command_completion, argc, argv, &options, -1);
  if (status < 0) {
    const char *what = options.operands->len > 0 ? options.operands->pdata[0] : "";
    status = ADL_EXIT_OK;
    if (strcmp(what, "bash") == 0 && options.operands->len == 1)
      fputs(SCRIPT, stdout);
    else if (strcmp(what, "words") == 0)
      status = print_words(options.operands);
    else {
      fprintf(stderr, "Usage: adloom completion %s\n`adloom completion --help` tells more.\n",
              adl_command_completion.arguments);
      status = ADL_EXIT_USAGE;
    }
  }
  adl_cli_clear(&options);
  return status;
}

static const adl_option options_of_completion[] = {{NULL, ADL_OPTION_FLAG, 0, NULL, NULL}};

const adl_command adl_command_completion = {
    "completion",
    "bash | words -- WORD...",
    "makes a shell complete adloom's command lines",
    "bash: writes a script for bash: source <(adloom completion bash). make install puts it where bash-completion "
    "finds "
    "it. It completes commands, options, files, stages, parameters and choices behind --set, and classes.\n\n"
    "words: what may stand in place of the last WORD of a command line, one a line; the script asks this.",
    options_of_completion,
    command_completion};
