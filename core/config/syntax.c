/* libyaml's errors as a person would say them: what was expected, where, and what is often the reason. */
#include <string.h>
#include <yaml.h>

#include "core/config/build.h"

/* Which of libyaml's two marks the message is about. */
typedef enum about { AT_PROBLEM, AT_CONTEXT } about;

typedef struct reading {
  const char *problem; /* begins libyaml's problem */
  const char *context; /* begins its context; NULL: any */
  about where;
  const char *message;
  const char *note; /* at the context's mark; NULL: none */
  const char *hint;
} reading;

static const reading READINGS[] = {
    {"did not find expected ',' or ']'", NULL, AT_PROBLEM, "expected , or ] in this list", "the list begins here",
     NULL},
    {"did not find expected ',' or '}'", NULL, AT_PROBLEM, "expected , or } in this mapping", "the mapping begins here",
     NULL},
    {"did not find expected key", NULL, AT_PROBLEM, "expected a key (`name: value`) here",
     "it would belong to the mapping that begins here", "keys of one mapping begin in the same column"},
    {"did not find expected '-' indicator", NULL, AT_PROBLEM, "expected `- value` here",
     "it would belong to the list that begins here", "items of one list begin in the same column"},
    {"did not find expected node content", NULL, AT_PROBLEM, "expected a value here", NULL, NULL},
    {"did not find expected <document start>", NULL, AT_PROBLEM, "this stands behind the end of the text", NULL,
     "is the indentation right?"},
    {"mapping values are not allowed in this context", NULL, AT_PROBLEM, "a `:` cannot stand here", NULL,
     "is the indentation right? A text that holds `: ` must be in quotes"},
    {"block sequence entries are not allowed in this context", NULL, AT_PROBLEM, "a list item (`- `) cannot begin here",
     NULL, "a list begins on a line of its own, or is written [a, b]"},
    {"mapping keys are not allowed in this context", NULL, AT_PROBLEM, "a key cannot begin here", NULL, NULL},
    {"could not find expected ':'", NULL, AT_CONTEXT, "expected a `:` behind this", NULL, "is the indentation right?"},
    {"found unexpected end of stream", NULL, AT_CONTEXT, "this quote is never closed", NULL, NULL},
    {"found unexpected document indicator", NULL, AT_PROBLEM, "a quoted text cannot hold a line with --- or ...",
     "the text begins here", NULL},
    {"found unknown escape character", NULL, AT_PROBLEM, "no such escape in double quotes", "the text begins here",
     "write \\\\ for a backslash, or put the text in single quotes"},
    {"did not find expected hexdecimal number", NULL, AT_PROBLEM, "expected hexadecimal digits in this escape", NULL,
     NULL},
    {"found invalid Unicode character escape code", NULL, AT_PROBLEM, "there is no such character", NULL, NULL},
    {"did not find expected alphabetic or numeric character", "while scanning an alias", AT_CONTEXT,
     "`*` begins an alias, and a name must follow", NULL, "put the value in quotes if it is meant as text: \"*\""},
    {"did not find expected alphabetic or numeric character", NULL, AT_CONTEXT,
     "`&` begins an anchor, and a name must follow", NULL, "put the value in quotes if it is meant as text"},
    {"found a tab character", NULL, AT_PROBLEM, "a tab cannot indent", NULL, "use blanks"},
    {"found undefined tag handle", NULL, AT_PROBLEM, "`!` begins a tag, and there is none of that name", NULL,
     "put the value in quotes if it is meant as text"},
    {"did not find expected tag URI", NULL, AT_CONTEXT, "`!` begins a tag, and a name must follow", NULL,
     "put the value in quotes if it is meant as text"},
    {"found incompatible YAML document", NULL, AT_PROBLEM, "this version of YAML is not known", NULL,
     "leave the %YAML line out"},
    {"did not find expected comment or line break", "while scanning a block scalar", AT_PROBLEM,
     "nothing can stand behind | or > on its line", NULL, "put the value in quotes if it is meant as text"},
    {"could not find expected directive name", NULL, AT_CONTEXT, "`%` at the beginning of a line begins a directive",
     NULL, "put the value in quotes if it is meant as text"},
    {"found unknown directive name", NULL, AT_CONTEXT, "`%` at the beginning of a line begins a directive", NULL,
     "put the value in quotes if it is meant as text"},
};

static const reading *find_reading(const yaml_parser_t *parser) {
  if (parser->problem == NULL) return NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(READINGS); i++) {
    const reading *at = &READINGS[i];
    if (!g_str_has_prefix(parser->problem, at->problem)) continue;
    if (at->context == NULL || (parser->context != NULL && g_str_has_prefix(parser->context, at->context))) return at;
  }
  return NULL;
}

/* The place of one character; of the last thing in the text where it has ended. */
static adl_place place_at(const adl_source *source, size_t character) {
  if (character < source->characters) return adl_source_place(source, character, character + 1);
  size_t at = source->characters;
  while (at > 0 && strchr(" \t\r\n", source->text[adl_source_byte(source, at - 1)]) != NULL) at--;
  return adl_source_place(source, at, at);
}

/* A character that can begin no value: says which. */
static void report_start(const adl_source *source, size_t character, adl_problems *problems) {
  adl_place place = place_at(source, character);
  size_t at = adl_source_byte(source, character);
  adl_problem *problem;
  if (at < source->size && source->text[at] == '\t') {
    problem = adl_problems_error(problems, place, "a tab cannot stand here");
    adl_problem_hint(problem, "use blanks");
  } else {
    gunichar c = at < source->size ? g_utf8_get_char(source->text + at) : ' ';
    char letter[8] = {0};
    g_unichar_to_utf8(c, letter);
    problem = adl_problems_error(problems, place, "a value cannot begin with %s", letter);
    adl_problem_hint(problem, "put it in quotes");
  }
}

void adl_build_syntax_error(const struct yaml_parser_s *parser, const adl_source *source, size_t first,
                            adl_problems *problems) {
  if (parser->error == YAML_MEMORY_ERROR) g_error("out of memory: reading %s", source->name);
  size_t at = first + parser->problem_mark.index, from = first + parser->context_mark.index;
  if (parser->error == YAML_READER_ERROR) {
    adl_problems_error(problems, (adl_place){source->name, 0, 0, 0}, "%s", parser->problem);
    return;
  }
  if (parser->problem != NULL && strcmp(parser->problem, "found character that cannot start any token") == 0) {
    report_start(source, at, problems);
    return;
  }
  const reading *found = find_reading(parser);
  if (found == NULL) {
    const char *said = parser->problem != NULL ? parser->problem : "no reason given";
    adl_problem *problem = adl_problems_error(problems, place_at(source, at), "this is not YAML: %s", said);
    if (parser->context != NULL) adl_problem_note(problem, place_at(source, from), "%s", parser->context);
    return;
  }
  adl_place place = place_at(source, found->where == AT_CONTEXT ? from : at);
  adl_problem *problem = adl_problems_error(problems, place, "%s", found->message);
  if (found->note != NULL && parser->context != NULL) {
    adl_problem_note(problem, place_at(source, from), "%s", found->note);
  }
  if (found->hint != NULL) adl_problem_hint(problem, "%s", found->hint);
}
