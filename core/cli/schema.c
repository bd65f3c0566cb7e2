/* adloom schema [FILE] */
#include <stddef.h>
#include <stdio.h>

#include "core/cli/pipeline.h"
#include "core/plugin/schema.h"

static const adl_option options_of_schema[] = {
    {"var", ADL_OPTION_TEXTS, offsetof(adl_cli_options, vars), "NAME=VALUE", "Value of ${NAME} in FILE."},
    {NULL, ADL_OPTION_FLAG, 0, NULL, NULL},
};

/* The plugins that a file names. The rest of the file may be half-written: that is when a schema is wanted. */
static void add_plugins_of(adl_pipeline *pipeline, const char *path, const adl_cli_options *options) {
  adl_tree *tree = adl_tree_read_file(path, (const char *const *)options->vars->pdata, pipeline->problems);
  char *absolute = g_canonicalize_filename(path, NULL), *directory = g_path_get_dirname(absolute);
  if (adl_tree_root(tree) != NULL)
    adl_graph_add_plugins(adl_tree_root(tree), directory, pipeline->registry, pipeline->problems);
  adl_tree_free(tree);
  g_free(directory);
  g_free(absolute);
}

static int print_schema(adl_pipeline *pipeline) {
  adl_registry_scan(pipeline->registry);
  GString *text = g_string_new(NULL), *left_out = g_string_new(NULL);
  adl_schema_print(pipeline->registry, text, left_out);
  fputs(text->str, stdout);
  char **lines = g_strsplit(left_out->str, "\n", -1);
  for (char **line = lines; *line != NULL && **line != '\0'; line++)
    fprintf(stderr, "adloom schema: left out: %s\n", *line);
  g_strfreev(lines);
  g_string_free(text, TRUE);
  g_string_free(left_out, TRUE);
  return ADL_EXIT_OK;
}

static int command_schema(int argc, char **argv) {
  adl_cli_options options;
  int status = adl_cli_parse(&adl_command_schema, argc, argv, &options, -1);
  if (status < 0 && options.operands->len > 1) {
    fprintf(stderr, "Usage: adloom schema %s\n`adloom schema --help` tells more.\n", adl_command_schema.arguments);
    status = ADL_EXIT_USAGE;
  }
  if (status < 0) {
    adl_pipeline pipeline;
    adl_pipeline_begin(&pipeline);
    if (options.operands->len == 1) add_plugins_of(&pipeline, options.operands->pdata[0], &options);
    status = adl_problems_errors(pipeline.problems) > 0 ? ADL_EXIT_USAGE : ADL_EXIT_OK;
    adl_pipeline_print(&pipeline, "no schema was made");
    if (status == ADL_EXIT_OK) status = print_schema(&pipeline);
    adl_pipeline_close(&pipeline);
  }
  adl_cli_clear(&options);
  return status;
}

const adl_command adl_command_schema = {
    "schema",
    "[FILE] [OPTION...]",
    "writes a JSON Schema of the pipeline file, for editors",
    "Writes a JSON Schema (draft-07) for the plugins installed: every key, class and parameter with its documentation, "
    "default, range and choices. An editor with a YAML language server completes, explains and checks with it; "
    "`adloom check` knows more, such as columns, expressions and files.\n\n"
    "With FILE, the plugins that this pipeline file names are counted as well.\n\n"
    "Save it (adloom schema >adloom.schema.json) and begin the pipeline file with the line: "
    "# yaml-language-server: $schema=adloom.schema.json",
    options_of_schema,
    command_schema};
