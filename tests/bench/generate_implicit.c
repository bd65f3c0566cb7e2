/*
 * Who had to do with which item, how often: a quarter as many items as users, 67 events a user on average (Pareto). Items
 * by 1 / rank^0.9; three in five events within the user's group of items, of which there are 40. Of every tenth user with at least ten
 * items one item is held out.
 */
#include "generate.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { GROUPS = 40, EVENTS = 67, LEAST_ITEMS = 10, HELD_OUT = 10, MOST_EVENTS = 20000 };

typedef struct catalogue {
  int64_t items;
  zipf all, within; /* within a group: its items are every 40th rank, by the same law */
} catalogue;

static int by_number(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* Draws the user's events and sorts them by item. */
static int64_t draw_user(const catalogue *c, uint64_t seed, int64_t user, uint32_t *items) {
  uint64_t stream = adl_random(seed, (uint64_t)user);
  /* Pareto with shape 1.5, moved by .3 and cut at 60: its mean is about 2.05. */
  double activity = fmin(pow(1 - adl_random_unit(stream, 0), -1 / 1.5) - 1 + .3, 60) / 2.05;
  int64_t events = (int64_t)(activity * EVENTS + adl_random_unit(stream, 1)),
          group = (int64_t)(adl_random(stream, 2) % GROUPS);
  if (events > MOST_EVENTS) events = MOST_EVENTS;
  for (int64_t e = 0; e < events; e++) {
    double u = adl_random_unit(stream, 3 + 2 * (uint64_t)e);
    bool own = adl_random_unit(stream, 4 + 2 * (uint64_t)e) < .6;
    int64_t rank = own ? zipf_draw(&c->within, u) * GROUPS + group : zipf_draw(&c->all, u);
    items[e] = (uint32_t)(rank < c->items ? rank : c->items - 1);
  }
  qsort(items, (size_t)events, sizeof *items, by_number);
  return events;
}

static void put_pair(writer *to, int64_t user, uint32_t item) {
  put_char(to, 'u');
  put_number(to, user);
  put_text(to, ",i");
  put_number(to, item);
}

void generate_implicit(int64_t users, uint64_t seed, const char *folder) {
  catalogue c = {.items = users / 4 > GROUPS ? users / 4 : GROUPS};
  c.all = zipf_new(c.items, .9);
  c.within = zipf_new((c.items + GROUPS - 1) / GROUPS, .9);
  writer to = writer_open(folder, "implicit.csv"), test = writer_open(folder, "implicit-test.csv");
  put_text(&to, "user,item,count");
  writer_row(&to);
  put_text(&test, "user,item");
  writer_row(&test);
  uint32_t *items = take(MOST_EVENTS * sizeof *items);
  int64_t pairs = 0, held = 0;
  for (int64_t user = 0; user < users; user++) {
    int64_t events = draw_user(&c, seed, user, items), different = 0;
    for (int64_t e = 0; e < events; e++) different += e == 0 || items[e] != items[e - 1];
    int64_t out = user % HELD_OUT == 0 && different >= LEAST_ITEMS
                      ? (int64_t)(adl_random(seed + 1, (uint64_t)user) % (uint64_t)different)
                      : -1;
    for (int64_t e = 0, end = 0, number = 0; e < events; e = end, number++) {
      while (end < events && items[end] == items[e]) end++;
      writer *into = number == out ? &test : &to;
      put_pair(into, user, items[e]);
      if (number != out) {
        put_char(into, ',');
        put_number(into, end - e);
      }
      writer_row(into);
    }
    pairs += different - (out >= 0);
    held += out >= 0;
  }
  writer_close(&to);
  writer_close(&test);
  free(items);
  zipf_free(&c.all);
  zipf_free(&c.within);
  printf("rows %" PRId64 "\nusers %" PRId64 "\nitems %" PRId64 "\nheld_out %" PRId64 "\n", pairs, users, c.items, held);
}
