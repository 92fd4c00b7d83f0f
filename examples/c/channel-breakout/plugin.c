/* Trades when the close leaves the channel between the highest high and the lowest low of the bars before it; sizes and prices of
   orders are not its business. */
#include "poolhouse.h"

/* Most bars of the channel; what is remembered of a symbol is at most four times as many numbers. */
#define MAX_BARS 10000

/* One strategy row. */
struct channel_breakout {
    size_t lookback;
    ph_symbols seen;
};

/* What is remembered of one symbol. */
struct seen {
    ph_window highs, lows;
    /* Whether the bar before closed above or below its own channel. */
    bool above, below;
};

static bool create(void *instance, const ph_parameters *parameters, ph_error *error) {
    struct channel_breakout *self = instance;
    self->lookback = ph_parameter_size(parameters, "lookback", error);
    if (error->kind) return false;
    if (self->lookback < 1 || self->lookback > MAX_BARS) {
        return ph_fail(error, "parameter `lookback` is %zu; it must be from 1 to %d", self->lookback, MAX_BARS);
    }
    return true;
}

static uint32_t warm_up_bars(const void *instance) {
    const struct channel_breakout *self = instance;
    /* The channel, and one bar that tells whether the newest one was outside its own. */
    return (uint32_t)self->lookback + 1;
}

static bool on_bar(void *instance, const ph_bar *bar, ph_signals *signals, ph_error *error) {
    (void)error;
    struct channel_breakout *self = instance;
    struct seen *seen = ph_symbol(&self->seen, bar->symbol, sizeof(struct seen));

    bool complete = ph_window_is_full(&seen->highs);
    bool above = complete && bar->close > ph_window_maximum(&seen->highs);
    bool below = complete && bar->close < ph_window_minimum(&seen->lows);
    if (above && !seen->above) ph_buy(signals);
    if (below && !seen->below) ph_sell(signals);

    ph_window_push(&seen->highs, self->lookback, bar->high);
    ph_window_push(&seen->lows, self->lookback, bar->low);
    seen->above = above;
    seen->below = below;
    return true;
}

static void forget(void *remembered) {
    struct seen *seen = remembered;
    ph_window_free(&seen->highs);
    ph_window_free(&seen->lows);
}

static void destroy(void *instance) {
    struct channel_breakout *self = instance;
    ph_symbols_free(&self->seen, forget);
}

const ph_strategy ph_exported_strategy = {
    .summary = "Buys when the close breaks above the highest high of the bars before it, sells when it breaks below the lowest low.",
    .parameters = PH_PARAMETERS(
        {"lookback", PH_INTEGER, "Bars of the channel, the newest bar not among them", .minimum = "1", .maximum = "10000"}
    ),
    .size = sizeof(struct channel_breakout),
    .create = create,
    .warm_up_bars = warm_up_bars,
    .on_bar = on_bar,
    .destroy = destroy,
};
