/* What json-glib holds, as text. Its own generator writes the number 1e-08 as 1e-08.0, which is no JSON. */
#ifndef ADLOOM_CORE_BASE_JSON_H
#define ADLOOM_CORE_BASE_JSON_H

#include <json-glib/json-glib.h>
#include <stdbool.h>

/* Numbers in the fewest digits that read back the same, with .0 behind those that are float64 and whole; what is not finite
 * is null. Pretty: a line for each member, two blanks deeper than what holds it. Free the text with g_free. */
char *adl_json_text(JsonNode *node, bool pretty);
/* The same of what was built; the builder goes. */
char *adl_json_built(JsonBuilder *builder, bool pretty);

#endif
