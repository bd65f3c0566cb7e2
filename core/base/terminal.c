#include "core/base/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool adl_terminal_size(int file, int *columns, int *lines) {
  struct winsize size;
  if (isatty(file) == 0 || ioctl(file, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return false;
  *columns = size.ws_col;
  *lines = size.ws_row;
  return true;
}

bool adl_terminal_moves(int file) {
  const char *term = getenv("TERM");
  return isatty(file) != 0 && term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

bool adl_terminal_colours(int file) {
  const char *never = getenv("NO_COLOR");
  return adl_terminal_moves(file) && (never == NULL || never[0] == '\0');
}
