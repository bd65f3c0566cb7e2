/* What standard output or standard error is: a terminal, and how wide. */
#ifndef ADLOOM_CORE_BASE_TERMINAL_H
#define ADLOOM_CORE_BASE_TERMINAL_H

#include <stdbool.h>

/* Columns and lines of the terminal behind a file; false: it is none (or does not tell). Asked each time, as windows are
 * resized. */
bool adl_terminal_size(int file, int *columns, int *lines);

/* May the cursor be moved there: it is a terminal, and TERM is not "dumb". */
bool adl_terminal_moves(int file);
/* And be coloured: NO_COLOR is not set as well, or empty. */
bool adl_terminal_colours(int file);

#endif
