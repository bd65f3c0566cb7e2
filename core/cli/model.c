/* adloom model show FILE */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/cli/command.h"
#include "core/model/show.h"

static const adl_option options_of_model[] = {{NULL, ADL_OPTION_FLAG, 0, NULL, NULL}};

static int command_model(int argc, char **argv) {
  adl_cli_options options;
  int status = adl_cli_parse(&adl_command_model, argc, argv, &options, 2);
  if (status < 0 && strcmp(options.operands->pdata[0], "show") != 0) {
    fprintf(stderr, "adloom model: there is no `%s`; write `adloom model show FILE`\n",
            (const char *)options.operands->pdata[0]);
    status = ADL_EXIT_USAGE;
  } else if (status < 0) {
    GError *error = NULL;
    status = ADL_EXIT_OK;
    if (!adl_model_show(options.operands->pdata[1], stdout, &error)) {
      fprintf(stderr, "adloom model: %s\n", error->message);
      g_error_free(error);
      status = ADL_EXIT_FAILED;
    }
  }
  adl_cli_clear(&options);
  return status;
}

const adl_command adl_command_model = {"model",
                                       "show FILE",
                                       "shows what a model file holds",
                                       "Prints what a .safetensors model file says about itself (class, version, "
                                       "parameters, inputs), its tensors with their "
                                       "sizes and ranges, and its tables.",
                                       options_of_model,
                                       command_model};
