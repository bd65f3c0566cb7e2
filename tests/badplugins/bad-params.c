/* Parameters with names, flags, choices, ranges and defaults that cannot be. */
#include "working.h"

typedef struct many {
  working base;
  int64_t whole[4];
  int32_t choice[2];
  bool truth[2];
  const char *text;
} many;

static const adl_param params[] = {
    {.name = "learn", .type = ADL_PARAM_BOOL, .offset = offsetof(many, truth), .doc = "A key of the runtime."},
    {.name = "Upper", .type = ADL_PARAM_BOOL, .offset = offsetof(many, truth[1]), .doc = "A capital letter."},
    {.name = "low",
     .type = ADL_PARAM_INT,
     .offset = offsetof(many, whole),
     .default_value = "0",
     .range = "[1, 9]",
     .doc = "Its default is out of range."},
    {.name = "low", .type = ADL_PARAM_INT, .offset = offsetof(many, whole[1]), .doc = "Twice."},
    {.name = "odd", .type = ADL_PARAM_INT, .offset = offsetof(many, whole[2]), .range = "1..9", .doc = "No range."},
    {.name = "word",
     .type = ADL_PARAM_INT,
     .offset = offsetof(many, whole[3]),
     .default_value = "many",
     .doc = "No number."},
    {.name = "none", .type = ADL_PARAM_CHOICE, .offset = offsetof(many, choice), .doc = "No choices."},
    {.name = "other",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(many, choice[1]),
     .choices = "a|b",
     .default_value = "c",
     .doc = "Not among them."},
    {.name = "nulls",
     .type = ADL_PARAM_STRING,
     .flags = ADL_NULLS_PASS | ADL_GROUP_KEY,
     .offset = offsetof(many, text),
     .doc = "Flags of columns."}};
static const adl_class spoiled = {.struct_size = sizeof(adl_class),
                                  .kind = ADL_FEATURE,
                                  .id = "test.bad-params",
                                  .instance_size = sizeof(many),
                                  PARAMS(params),
                                  .process = working_process};
WORKING_ENTRY("test.bad-params");
