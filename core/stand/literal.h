/*
 * Rows written down in a test: a JSON object a line, and the types of its columns. Unlike a source that reads files it has
 * every type there is, and no row is refused: what is wrong is the test's mistake. Called by the harness.
 */
#ifndef ADLOOM_CORE_STAND_LITERAL_H
#define ADLOOM_CORE_STAND_LITERAL_H

#include "core/stand/rows.h"

/* `columns`: "{user: id, spend: float, v: vector 3, s: sparse 10, seen: list of string, words: bag}". A value that is null
 * or left out is null; a sparse vector is {"3": 0.5}, a bag {"shoe": 2} or ["shoe", "hat"]. Adds the columns to `rows`.
 * False: *why is appended to. */
bool adl_stand_literal(adl_stand_rows *rows, const char *columns, const char *lines, GString *why);

#endif
