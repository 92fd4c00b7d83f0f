/* What a strategy is in C, and what it remembers things in; when it is called, the host decides. */
#ifndef PH_STRATEGY_H
#define PH_STRATEGY_H

#include "ph_error.h"

/* One bar of one symbol. Prices are finite; within a feed times never decrease. */
typedef struct ph_bar {
    const char *symbol;
    /* When the bar begins, in microseconds since 1970-01-01T00:00:00Z: ph_time.h makes a date and a time of it. */
    int64_t time;
    double open, high, low, close;
    /* In the feed's unit, usually shares. */
    double volume;
} ph_bar;

typedef enum ph_parameter_kind {
    /* A whole number that fits an int64_t. */
    PH_INTEGER,
    /* A decimal number. */
    PH_NUMBER,
    /* Any text. */
    PH_TEXT,
    /* `true` or `false`. */
    PH_BOOLEAN,
} ph_parameter_kind;

/* A parameter that the strategy takes; the host checks rows against it. */
typedef struct ph_parameter_info {
    const char *name;
    ph_parameter_kind kind;
    /* One line for a person. */
    const char *summary;
    /* Smallest and largest value of an integer or number, both allowed, as text; NULL = no limit. */
    const char *minimum, *maximum;
    /* The value of a row that gives none, as text; NULL = a row must give one. */
    const char *fallback;
} ph_parameter_info;

/* The parameters of one strategy row. */
typedef struct ph_parameters ph_parameters;

/* A list that a strategy's answer to a bar is collected in. */
typedef struct ph_signals ph_signals;

/* A strategy. The plugin defines the one that is `ph_exported_strategy`; the host makes one instance of it for each enabled strategy
   row, in a sandbox of its own, and calls it for one bar after the other. */
typedef struct ph_strategy {
    /* One line for a person. */
    const char *summary;
    /* `PH_PARAMETERS({"bars", PH_INTEGER, "Bars of the average", .minimum = "1"}, …)`, or NULL. */
    const ph_parameter_info *parameters;
    /* Of the struct that an instance is; it is all 0 when `create` is called. */
    size_t size;

    /* Fills in the instance of one row. The host has checked the parameters against `parameters` and filled in the defaults; what only
       the strategy knows, such as `fast` below `slow`, it checks itself. Answers false with an error, one sentence for a person: which
       parameter, what is wrong, what is allowed. `destroy` is not called then. */
    bool (*create)(void *instance, const ph_parameters *parameters, ph_error *error);

    /* How many bars of one symbol, newest last, are enough to rebuild everything that `on_bar` remembers of it. */
    uint32_t (*warm_up_bars)(const void *instance);

    /* The next bar. What is remembered must be kept apart by symbol, for a row may watch several: see ph_symbol. Answers false with an
       error, which is a failure of this bar alone; three in a row set the strategy row aside. */
    bool (*on_bar)(void *instance, const ph_bar *bar, ph_signals *signals, ph_error *error);

    /* Gives back what the instance has from malloc, its windows among it; NULL where there is none. */
    void (*destroy)(void *instance);
} ph_strategy;

#define PH_PARAMETERS(...) ((const ph_parameter_info[]){__VA_ARGS__, {0}})

extern const ph_strategy ph_exported_strategy;

/* Asks for one order to buy or to sell, for each subscribed user, at the bar's close. */
void ph_buy(ph_signals *signals);
void ph_sell(ph_signals *signals);

/* One parameter by name. A parameter that is missing or none of the kind becomes the error, a sentence that names it, and the answer is
   0 then. An error that is there already stays: read them all, then look at `error->kind` once. */
int64_t ph_parameter_integer(const ph_parameters *parameters, const char *name, ph_error *error);
/* A whole number of 0 or more. */
size_t ph_parameter_size(const ph_parameters *parameters, const char *name, ph_error *error);
/* A finite number. */
double ph_parameter_number(const ph_parameters *parameters, const char *name, ph_error *error);
/* An exact decimal number as text; for ph_decimal.h. It lives until the call ends. */
const char *ph_parameter_decimal(const ph_parameters *parameters, const char *name, ph_error *error);
/* Any text; it lives until the call ends. */
const char *ph_parameter_text(const ph_parameters *parameters, const char *name, ph_error *error);
bool ph_parameter_boolean(const ph_parameters *parameters, const char *name, ph_error *error);

/* What is remembered, apart by symbol; all 0 is an empty one. */
typedef struct ph_symbols {
    struct ph_symbol_entry *entries;
    size_t count, capacity;
} ph_symbols;

/* The symbol's own `size` bytes, the same at every call and never moved; all 0 when the symbol is seen for the first time. A symbols' size
   is always the same. */
void *ph_symbol(ph_symbols *symbols, const char *symbol, size_t size);

/* Gives all of it back, after handing each symbol's bytes to `each`, which may be NULL. */
void ph_symbols_free(ph_symbols *symbols, void (*each)(void *remembered));

/* The last `length` numbers of a series, oldest first; all 0 is an empty one of no length. */
typedef struct ph_window {
    double *numbers;
    /* Up to twice `length` numbers, so that most pushes move nothing. */
    size_t used, capacity, length;
} ph_window;

/* Adds the newest number to a window of `length` numbers, 1 or more, the same at every call; the oldest goes when it is full. */
void ph_window_push(ph_window *window, size_t length, double number);

/* Whether `length` numbers are there. */
bool ph_window_is_full(const ph_window *window);

/* The newest `count` numbers, oldest first, until the next push; `count` becomes less while fewer are there. */
const double *ph_window_newest(const ph_window *window, size_t *count);

/* The sum of all of them, taken afresh and oldest first, so that it depends on nothing that has left the window. */
double ph_window_sum(const ph_window *window);

/* The largest number; negative infinity of an empty window. */
double ph_window_maximum(const ph_window *window);

/* The smallest number; infinity of an empty window. */
double ph_window_minimum(const ph_window *window);

/* The mean of the newest `count` numbers, summed afresh and oldest first. Answers false while fewer are there, and of none. */
bool ph_window_mean(const ph_window *window, size_t count, double *mean);

void ph_window_free(ph_window *window);

/* For tests: an instance of a strategy with parameters as text, `PH_GIVEN("fast", "10", "slow", "30")`, or NULL and the error. */
void *ph_strategy_create(const ph_strategy *strategy, const char *const *given, ph_error *error);
#define PH_GIVEN(...) ((const char *const[]){__VA_ARGS__, NULL})

/* For tests: answers a bar's signals as text, `B` for each buy and `S` for each sell, or NULL and the error. */
const char *ph_strategy_on_bar(const ph_strategy *strategy, void *instance, const ph_bar *bar, ph_error *error);

/* For tests: gives an instance back. */
void ph_strategy_destroy(const ph_strategy *strategy, void *instance);

/* One parameter of a row, as the host hands it in. */
typedef struct ph_parameter {
    const char *name, *value;
} ph_parameter;

struct ph_parameters {
    const ph_parameter *list;
    size_t count;
};

struct ph_signals {
    /* 0 = buy, 1 = sell. */
    uint8_t *sides;
    size_t count, capacity;
};

#endif
