/*
 * The logs of the simulated market: what stands in each row, as a function of the world and the number of the row. No row
 * needs another one, but for the impressions of one request, which are made together.
 *
 * A log has `rows` rows. Exactly `dirty` of them are spoilt, each in one way, and exactly `duplicates` of the others come
 * twice in succession; both are spread evenly. Used by market, and by the calibration of the click model.
 */
#ifndef ADLOOM_PLUGINS_COMMON_MARKET_LOG_H
#define ADLOOM_PLUGINS_COMMON_MARKET_LOG_H

#include "common/market_click.h"
#include "common/market_world.h"

enum {
  ADL_MARKET_BLOCK = 12, /* impressions that are made together: whole requests */
  ADL_MARKET_KINDS = 6   /* most ways in which rows of a log are spoilt */
};

typedef enum adl_market_table {
  ADL_MARKET_IMPRESSIONS,
  ADL_MARKET_USER_TABLE,
  ADL_MARKET_ITEM_TABLE,
  ADL_MARKET_AD_TABLE,
  ADL_MARKET_BROWSE,
  ADL_MARKET_SEARCHES,
  ADL_MARKET_PURCHASES,
  ADL_MARKET_TABLES
} adl_market_table;

/* How a row is spoilt. */
typedef enum adl_market_dirt {
  ADL_MARKET_CLEAN,
  ADL_MARKET_NULL_USER,
  ADL_MARKET_UNKNOWN,     /* an ad or item that is not in its table */
  ADL_MARKET_ZERO,        /* position 0 */
  ADL_MARKET_NEGATIVE,    /* seconds or amount */
  ADL_MARKET_EMPTY,       /* query "" */
  ADL_MARKET_WRONG_TIME,  /* 1970-01-01 */
  ADL_MARKET_NOT_CLICKED, /* purchased, but not clicked */
  ADL_MARKET_TORN         /* cannot become a row at all */
} adl_market_dirt;

typedef struct adl_market_log {
  const adl_market *market;
  adl_market_table table;
  int64_t rows, dirty, duplicates;
  uint64_t key;
} adl_market_log;

typedef struct adl_market_impression {
  adl_market_place place;
  bool clicked, purchased;
} adl_market_impression;

/* A row of browse, searches or purchases. */
typedef struct adl_market_event {
  int64_t at;
  uint32_t user, item;
  int64_t seconds;
  double amount;
  char query[ADL_MARKET_TEXT];
} adl_market_event;

/* The log of a table; `rows` counts impressions, the other logs are as long in proportion. Tables that are no logs have
 * one row for each user, item or ad, none dirty. */
adl_market_log adl_market_log_of(const adl_market *market, adl_market_table table, int64_t rows, double dirty,
                                 double duplicates);

adl_market_dirt adl_market_dirt_of(const adl_market_log *log, int64_t row);
bool adl_market_repeated(const adl_market_log *log, int64_t row);

const char *adl_market_table_name(adl_market_table table);

/* The ways in which rows of a table are spoilt, how they are called, and how many rows are spoilt in this way. */
int adl_market_dirt_kinds(adl_market_table table);
const char *adl_market_dirt_name(adl_market_table table, int kind);
int64_t adl_market_dirt_count(const adl_market_log *log, int kind);

/* The impressions number block x ADL_MARKET_BLOCK and following, shown but not clicked yet. */
void adl_market_show(const adl_market_log *log, int64_t block, adl_market_impression shown[ADL_MARKET_BLOCK]);
/* Whether impression number `row` is clicked, and what comes of it. */
void adl_market_answer(const adl_market_log *log, int64_t row, adl_market_impression *impression);

/* Row of a log of browse, searches or purchases. */
void adl_market_event_at(const adl_market_log *log, int64_t row, adl_market_event *event);

#endif
