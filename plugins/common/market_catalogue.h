/* What is sold in the simulated market: for each interest the things that belong to it, in Chinese and English. Two
 * catalogues, a shop and an online school. Used by the other market_*.c. */
#ifndef ADLOOM_PLUGINS_COMMON_MARKET_CATALOGUE_H
#define ADLOOM_PLUGINS_COMMON_MARKET_CATALOGUE_H

enum {
  ADL_MARKET_INTERESTS = 10,
  ADL_MARKET_THINGS = 6,    /* of each interest */
  ADL_MARKET_MODIFIERS = 8, /* in front of a thing, in titles */
  ADL_MARKET_SLOGANS = 6,   /* behind it, in the titles of ads */
  ADL_MARKET_QUESTIONS = 8, /* behind it, in queries; the first is none */
  ADL_MARKET_TEXT = 160     /* most bytes of a title or query */
};

typedef struct adl_market_words {
  const char *zh, *en;
} adl_market_words;

typedef struct adl_market_thing {
  adl_market_words name;
  float low, high; /* its price */
} adl_market_thing;

typedef struct adl_market_interest {
  const char *category;
  float share;   /* of the people whose main interest it is, before age and gender */
  float age;     /* log odds for 15 years above 35 */
  float female;  /* log odds for women, as many against for men */
  float weekend; /* log odds of a click on Saturday and Sunday */
  adl_market_thing things[ADL_MARKET_THINGS];
} adl_market_interest;

typedef struct adl_market_catalogue {
  adl_market_interest interests[ADL_MARKET_INTERESTS];
  adl_market_words modifiers[ADL_MARKET_MODIFIERS];
  adl_market_words slogans[ADL_MARKET_SLOGANS];
  const char *questions[ADL_MARKET_QUESTIONS];
} adl_market_catalogue;

extern const adl_market_catalogue adl_market_catalogues[2]; /* shop, education */

#endif
