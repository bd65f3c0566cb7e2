/* Edit distance of short names, see nearest.h (optimal string alignment: Damerau 1964). */
#include "common/nearest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 63 };

static int smallest(int a, int b, int c) { return a < b ? (a < c ? a : c) : (b < c ? b : c); }

static int distance(const char *a, const char *b) {
  size_t rows = strlen(a), columns = strlen(b);
  if (rows > LONGEST || columns > LONGEST) return LONGEST;
  int cost[LONGEST + 1][LONGEST + 1];
  for (size_t j = 0; j <= columns; j++) cost[0][j] = (int)j;
  for (size_t i = 1; i <= rows; i++) {
    cost[i][0] = (int)i;
    for (size_t j = 1; j <= columns; j++) {
      int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
      cost[i][j] = smallest(cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (x != y));
      if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && tolower((unsigned char)a[i - 2]) == y)
        cost[i][j] = smallest(cost[i][j], cost[i - 2][j - 2] + 1, cost[i][j]);
    }
  }
  return cost[rows][columns];
}

int32_t adl_nearest(const char *name, int32_t count, const char *const *names) {
  int least = (int)(strlen(name) + 2) / 3 + 1;
  int32_t best = -1;
  for (int32_t i = 0; i < count; i++) {
    int cost = distance(name, names[i]);
    if (cost < least) {
      least = cost;
      best = i;
    }
  }
  return best;
}
