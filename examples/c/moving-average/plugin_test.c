/* Feeds the strategy bars, natively. */
#include "ph_test.h"

#include "plugin.c"

static void *strategy(const char *fast, const char *slow) {
    ph_error error = {0};
    void *made = ph_strategy_create(&ph_exported_strategy, PH_GIVEN("fast", fast, "slow", slow), &error);
    ph_check(made);
    return made;
}

/* What the strategy answers to a close: `B`, `S` or nothing. */
static const char *at(void *strategy, const char *symbol, double close) {
    ph_bar bar = {symbol, 0, close, close, close, close, 1};
    ph_error error = {0};
    return ph_strategy_on_bar(&ph_exported_strategy, strategy, &bar, &error);
}

static const char *refusal(const char *fast, const char *slow) {
    ph_error error = {0};
    ph_check(!ph_strategy_create(&ph_exported_strategy, PH_GIVEN("fast", fast, "slow", slow), &error));
    return error.message;
}

int main(void) {
    const double closes[] = {3, 2, 1, 4, 4, 4, 1, 1};
    const char *const expected[] = {"", "", "", "B", "", "", "S", ""};
    void *alone = strategy("1", "3");
    for (size_t i = 0; i < 8; i++) ph_check_text(at(alone, "AAPL", closes[i]), expected[i]);

    /* Symbols are kept apart. */
    void *both = strategy("1", "3");
    for (size_t i = 0; i < 8; i++) {
        ph_check_text(at(both, "IBM", closes[i]), expected[i]);
        ph_check_text(at(both, "AAPL", 100), "");
    }

    /* The warm-up rebuilds everything. */
    void *late = strategy("1", "3");
    uint32_t bars = warm_up_bars(late);
    ph_check(bars == 4);
    for (size_t i = 6 - bars; i < 6; i++) at(late, "AAPL", closes[i]);
    for (size_t i = 6; i < 8; i++) ph_check_text(at(late, "AAPL", closes[i]), expected[i]);

    ph_check_text(refusal("30", "10"), "parameter `fast` is 30 and `slow` is 10; fast must be less than slow");
    ph_check_text(refusal("0", "10"), "parameter `fast` is 0; it must be 1 or more");
    ph_check_text(refusal("1", "10001"), "parameter `slow` is 10001; it must be 10000 or less");
    ph_check_text(refusal("ten", "30"), "parameter `fast` is `ten`; it must be a whole number");

    ph_strategy_destroy(&ph_exported_strategy, alone);
    ph_strategy_destroy(&ph_exported_strategy, both);
    ph_strategy_destroy(&ph_exported_strategy, late);
    return ph_checked();
}
