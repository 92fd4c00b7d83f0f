/* Trades when the average of the last few closes crosses the average of more of them; sizes and prices of orders are not its
   business. */
#include "poolhouse.h"

/* Most bars of the slow average; what is remembered of a symbol is at most twice as many numbers. */
#define MAX_BARS 10000

/* One strategy row. */
struct moving_average {
    size_t fast, slow;
    ph_symbols seen;
};

/* What is remembered of one symbol. */
struct seen {
    ph_window closes;
    /* Fast average minus slow average at the bar before, once there was a slow average. */
    double difference;
    bool has_difference;
};

static bool create(void *instance, const ph_parameters *parameters, ph_error *error) {
    struct moving_average *self = instance;
    self->fast = ph_parameter_size(parameters, "fast", error);
    self->slow = ph_parameter_size(parameters, "slow", error);
    if (error->kind) return false;
    if (self->fast < 1) return ph_fail(error, "parameter `fast` is 0; it must be 1 or more");
    if (self->slow <= self->fast) {
        return ph_fail(error, "parameter `fast` is %zu and `slow` is %zu; fast must be less than slow", self->fast, self->slow);
    }
    if (self->slow > MAX_BARS) return ph_fail(error, "parameter `slow` is %zu; it must be %d or less", self->slow, MAX_BARS);
    return true;
}

static uint32_t warm_up_bars(const void *instance) {
    const struct moving_average *self = instance;
    /* `slow` closes give the window and with it the newest difference; one bar more repeats the newest signal too. */
    return (uint32_t)self->slow + 1;
}

static bool on_bar(void *instance, const ph_bar *bar, ph_signals *signals, ph_error *error) {
    (void)error;
    struct moving_average *self = instance;
    struct seen *seen = ph_symbol(&self->seen, bar->symbol, sizeof(struct seen));
    ph_window_push(&seen->closes, self->slow, bar->close);

    double fast, slow;
    if (!ph_window_mean(&seen->closes, self->fast, &fast) || !ph_window_mean(&seen->closes, self->slow, &slow)) return true;
    double difference = fast - slow;
    if (seen->has_difference) {
        if (seen->difference <= 0.0 && difference > 0.0) ph_buy(signals);
        if (seen->difference >= 0.0 && difference < 0.0) ph_sell(signals);
    }
    seen->difference = difference;
    seen->has_difference = true;
    return true;
}

static void forget(void *seen) {
    ph_window_free(&((struct seen *)seen)->closes);
}

static void destroy(void *instance) {
    struct moving_average *self = instance;
    ph_symbols_free(&self->seen, forget);
}

const ph_strategy ph_exported_strategy = {
    .summary = "Buys when the fast moving average of closes crosses above the slow one, sells when it crosses below.",
    .parameters = PH_PARAMETERS(
        {"fast", PH_INTEGER, "Bars of the fast average; fewer than slow", .minimum = "1", .maximum = "9999"},
        {"slow", PH_INTEGER, "Bars of the slow average", .minimum = "2", .maximum = "10000"}
    ),
    .size = sizeof(struct moving_average),
    .create = create,
    .warm_up_bars = warm_up_bars,
    .on_bar = on_bar,
    .destroy = destroy,
};
