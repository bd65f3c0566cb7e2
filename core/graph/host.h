/* The one host table of the program. The graph layer fills its part (adl_host_fill), the engine the rest, before any plugin
 * is loaded; afterwards it is constant. */
#ifndef ADLOOM_CORE_GRAPH_HOST_H
#define ADLOOM_CORE_GRAPH_HOST_H

#include <adloom/plugin.h>

const adl_host *adl_host_table(void);
adl_host *adl_host_table_to_fill(void);

#endif
