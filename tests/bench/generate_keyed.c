/*
 * For grouping and joining: rows with a key (a tenth as many keys as rows, each as likely), an amount in cents and one of
 * 200 tokens by Zipf's law; and a table with one row for each key, in an order of its own. Amounts are whole cents, so that
 * their sums are exact whatever the order. And events as JSON Lines, of the shape of a bid request with what came of it.
 */
#include "generate.h"

#include <inttypes.h>
#include <math.h>

enum { TOKENS = 200, ROWS_A_KEY = 10, CITIES = 50 };

static void put_key(writer *to, uint64_t key) {
  put_char(to, 'k');
  put_number(to, (int64_t)key);
}

static uint64_t common_divisor(uint64_t a, uint64_t b) { return b == 0 ? a : common_divisor(b, a % b); }

void generate_keyed(int64_t rows, uint64_t seed, const char *folder) {
  uint64_t keys = rows > ROWS_A_KEY ? (uint64_t)(rows / ROWS_A_KEY) : 1;
  zipf tokens = zipf_new(TOKENS, 1);
  writer to = writer_open(folder, "keyed.csv");
  put_text(&to, "key,amount,token");
  writer_row(&to);
  int64_t cents = 0;
  for (int64_t i = 0; i < rows; i++) {
    uint64_t stream = adl_random(seed, (uint64_t)i);
    int64_t amount = (int64_t)fmin(floor(100 * exp(2 + random_about_normal(stream, 1))), 99999);
    put_key(&to, adl_random(stream, 0) % keys);
    put_char(&to, ',');
    put_decimal(&to, (double)amount / 100, 2);
    put_text(&to, ",t");
    put_number(&to, zipf_draw(&tokens, adl_random_unit(stream, 2)));
    writer_row(&to);
    cents += amount;
  }
  writer_close(&to);
  zipf_free(&tokens);
  writer table = writer_open(folder, "keys.csv");
  put_text(&table, "key,city,factor");
  writer_row(&table);
  uint64_t step = 700001; /* without a common divisor, so every key comes once */
  while (common_divisor(step, keys) != 1) step++;
  for (uint64_t i = 0; i < keys; i++) {
    uint64_t key = i * step % keys;
    put_key(&table, key);
    put_text(&table, ",c");
    put_number(&table, (int64_t)(adl_random(seed + 1, key) % CITIES));
    put_char(&table, ',');
    put_decimal(&table, (double)(adl_random(seed + 2, key) % 1000) / 100, 2);
    writer_row(&table);
  }
  writer_close(&table);
  printf("rows %" PRId64 "\nkeys %" PRIu64 "\ncents %" PRId64 "\n", rows, keys, cents);
}

static void put_event(writer *to, uint64_t stream, int64_t number) {
  static const char *const devices[] = {"mobile", "desktop", "tablet"};
  put_text(to, "{\"id\":\"e");
  put_number(to, number);
  put_text(to, "\",\"at\":");
  put_number(to, 1700000000 + number / 50);
  put_text(to, ",\"user\":{\"id\":\"u");
  put_number(to, (int64_t)(adl_random(stream, 0) % 1000000));
  put_text(to, "\",\"age\":");
  if (adl_random_unit(stream, 1) < .3)
    put_text(to, "null");
  else
    put_number(to, 18 + (int64_t)(adl_random(stream, 2) % 60));
  put_text(to, "},\"device\":{\"type\":\"");
  put_text(to, devices[adl_random(stream, 3) % 3]);
  put_text(to, "\",\"ip\":\"10.0.");
  put_number(to, (int64_t)(adl_random(stream, 4) % 256));
  put_text(to, ".1\"},\"imp\":[{\"id\":\"1\",\"bidfloor\":");
  put_decimal(to, (double)(adl_random(stream, 5) % 1000) / 1000, 3);
  put_text(to, "}],\"price\":");
  put_decimal(to, exp(random_about_normal(stream, 6)), 4);
  put_text(to, ",\"tags\":[\"t");
  put_number(to, (int64_t)(adl_random(stream, 7) % TOKENS));
  put_text(to, "\",\"t");
  put_number(to, (int64_t)(adl_random(stream, 8) % TOKENS));
  put_text(to, "\"],\"clicked\":");
  put_text(to, adl_random_unit(stream, 9) < .02 ? "true" : "false");
  put_char(to, '}');
  writer_row(to);
}

void generate_events(int64_t rows, uint64_t seed, const char *folder) {
  writer to = writer_open(folder, "events.jsonl");
  for (int64_t i = 0; i < rows; i++) put_event(&to, adl_random(seed, (uint64_t)i), i);
  writer_close(&to);
  printf("rows %" PRId64 "\n", rows);
}
