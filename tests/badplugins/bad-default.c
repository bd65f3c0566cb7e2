/* The default of its list is out of its range. */
#include "working.h"

typedef struct listing {
  working base;
  adl_ints sizes;
} listing;

static const adl_param params[] = {WORKING_PARAMS,
                                   {.name = "sizes",
                                    .type = ADL_PARAM_INT,
                                    .flags = ADL_LIST_OF,
                                    .offset = offsetof(listing, sizes),
                                    .default_value = "[1, 200]",
                                    .range = "[1, 100]",
                                    .doc = "Some sizes."}};

static const adl_class spoiled = {.struct_size = sizeof(adl_class),
                                  .kind = ADL_FEATURE,
                                  .title = "A number in every row",
                                  .doc = "Adds a column that holds the same number in every row.",
                                  .instance_size = sizeof(listing),
                                  .id = "test.bad-default",
                                  PARAMS(params),
                                  .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.bad-default");
