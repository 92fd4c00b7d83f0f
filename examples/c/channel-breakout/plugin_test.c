/* Feeds the strategy bars, natively. */
#include "ph_test.h"

#include "plugin.c"

static void *strategy(const char *lookback) {
    ph_error error = {0};
    void *made = ph_strategy_create(&ph_exported_strategy, PH_GIVEN("lookback", lookback), &error);
    ph_check(made);
    return made;
}

/* What the strategy answers to a bar: `B`, `S` or nothing. */
static const char *at(void *strategy, const char *symbol, double high, double low, double close) {
    ph_bar bar = {symbol, 0, close, high, low, close, 1};
    ph_error error = {0};
    return ph_strategy_on_bar(&ph_exported_strategy, strategy, &bar, &error);
}

static const char *refusal(const char *lookback) {
    ph_error error = {0};
    ph_check(!ph_strategy_create(&ph_exported_strategy, PH_GIVEN("lookback", lookback), &error));
    return error.message;
}

int main(void) {
    static const struct {
        double high, low, close;
        const char *expected;
    } bars[] = {
        {11, 9, 10, ""}, {12, 10, 11, ""},
        /* Above 12, and still above at the next bar. */
        {14, 11, 13, "B"}, {16, 12, 15, ""},
        /* The highs are 14 and 16: at the edge is not outside. */
        {16, 13, 16, ""},
        /* Below 12, the lower of 12 and 13; then inside; then below 10. */
        {13, 10, 11, "S"}, {13, 10, 12, ""}, {11, 9, 9.5, "S"},
    };
    void *alone = strategy("2"), *both = strategy("2"), *late = strategy("2");
    size_t count = sizeof bars / sizeof *bars;
    for (size_t i = 0; i < count; i++) {
        ph_check_text(at(alone, "AAPL", bars[i].high, bars[i].low, bars[i].close), bars[i].expected);
        /* Symbols are kept apart. */
        ph_check_text(at(both, "IBM", bars[i].high, bars[i].low, bars[i].close), bars[i].expected);
        ph_check_text(at(both, "AAPL", 100, 100, 100), "");
    }

    /* The warm-up rebuilds everything. */
    ph_check(warm_up_bars(late) == 3);
    for (size_t i = 2; i < 5; i++) at(late, "AAPL", bars[i].high, bars[i].low, bars[i].close);
    for (size_t i = 5; i < count; i++) {
        ph_check_text(at(late, "AAPL", bars[i].high, bars[i].low, bars[i].close), bars[i].expected);
    }

    ph_check_text(refusal("0"), "parameter `lookback` is 0; it must be from 1 to 10000");
    ph_check_text(refusal("10001"), "parameter `lookback` is 10001; it must be from 1 to 10000");
    ph_check_text(refusal("-1"), "parameter `lookback` is -1, which is out of range");

    ph_strategy_destroy(&ph_exported_strategy, alone);
    ph_strategy_destroy(&ph_exported_strategy, both);
    ph_strategy_destroy(&ph_exported_strategy, late);
    return ph_checked();
}
