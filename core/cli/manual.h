/* The manual page adloom(1), made from the same tables as --help. Called by main for docs/refresh.sh. */
#ifndef ADLOOM_CORE_CLI_MANUAL_H
#define ADLOOM_CORE_CLI_MANUAL_H

#include <glib.h>

/* Appends the page in the man macros of troff. */
void adl_manual_page(GString *out);

#endif
