/* Exports the plugin's `ph_exported_strategy`, where its world exports `poolhouse:trading/strategy`. */
#include "plugin.h"

#ifdef EXPORTS_POOLHOUSE_TRADING_STRATEGY_PARAMETER_KIND_INTEGER

#include "ph_strategy.h"

#include <stdlib.h>
#include <string.h>

/* The SDK's kinds and sides are the contract's. */
_Static_assert(PH_INTEGER == EXPORTS_POOLHOUSE_TRADING_STRATEGY_PARAMETER_KIND_INTEGER, "kinds");
_Static_assert(PH_NUMBER == EXPORTS_POOLHOUSE_TRADING_STRATEGY_PARAMETER_KIND_NUMBER, "kinds");
_Static_assert(PH_TEXT == EXPORTS_POOLHOUSE_TRADING_STRATEGY_PARAMETER_KIND_TEXT, "kinds");
_Static_assert(PH_BOOLEAN == EXPORTS_POOLHOUSE_TRADING_STRATEGY_PARAMETER_KIND_BOOLEAN, "kinds");
_Static_assert(POOLHOUSE_TRADING_TYPES_SIDE_BUY == 0 && POOLHOUSE_TRADING_TYPES_SIDE_SELL == 1, "sides");
_Static_assert(sizeof(exports_poolhouse_trading_strategy_signal_t) == 1, "a signal is its side");

/* Only its address is handed around: it is the plugin's own struct. */
struct exports_poolhouse_trading_strategy_instance_t {
    char unused;
};

static plugin_string_t string(const char *text) {
    return (plugin_string_t){(uint8_t *)text, strlen(text)};
}

static plugin_option_string_t optional(const char *text) {
    plugin_option_string_t option = {.is_some = text};
    if (text) option.val = string(text);
    return option;
}

/* Texts of the host end with a zero byte, but one without any bytes has none. */
static const char *c_string(plugin_string_t string) {
    return string.len ? (const char *)string.ptr : "";
}

void exports_poolhouse_trading_strategy_describe(exports_poolhouse_trading_strategy_description_t *answer) {
    const ph_parameter_info *infos = ph_exported_strategy.parameters;
    size_t count = 0;
    while (infos && infos[count].name) count++;
    exports_poolhouse_trading_strategy_parameter_info_t *list = ph_alloc(count * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = (exports_poolhouse_trading_strategy_parameter_info_t){
            .name = string(infos[i].name),
            .kind = (exports_poolhouse_trading_strategy_parameter_kind_t)infos[i].kind,
            .summary = string(infos[i].summary ? infos[i].summary : ""),
            .minimum = optional(infos[i].minimum),
            .maximum = optional(infos[i].maximum),
            .default_ = optional(infos[i].fallback),
        };
    }
    answer->summary = string(ph_exported_strategy.summary);
    answer->parameters.ptr = list;
    answer->parameters.len = count;
}

bool exports_poolhouse_trading_strategy_static_instance_create(
    exports_poolhouse_trading_strategy_list_parameter_t *given,
    exports_poolhouse_trading_strategy_own_instance_t *made,
    plugin_string_t *refused
) {
    ph_parameter *list = ph_alloc(given->len * sizeof *list);
    for (size_t i = 0; i < given->len; i++) {
        list[i] = (ph_parameter){c_string(given->ptr[i].name), c_string(given->ptr[i].value)};
    }
    void *instance = calloc(1, ph_exported_strategy.size ? ph_exported_strategy.size : 1);
    if (!instance) ph_panic("no memory is left for the strategy; raise the plugin's limit `memory`");
    ph_error error = {0};
    if (!ph_exported_strategy.create(instance, &(ph_parameters){list, given->len}, &error)) {
        free(instance);
        *refused = string(error.message ? error.message : "the strategy could not be made, and does not say why");
        return false;
    }
    *made = exports_poolhouse_trading_strategy_instance_new(instance);
    return true;
}

uint32_t exports_poolhouse_trading_strategy_method_instance_warm_up_bars(
    exports_poolhouse_trading_strategy_borrow_instance_t instance
) {
    return ph_exported_strategy.warm_up_bars(instance);
}

bool exports_poolhouse_trading_strategy_method_instance_on_bar(
    exports_poolhouse_trading_strategy_borrow_instance_t instance,
    exports_poolhouse_trading_strategy_bar_t *given,
    exports_poolhouse_trading_strategy_list_signal_t *answer,
    plugin_string_t *failed
) {
    ph_bar bar = {
        .symbol = c_string(given->symbol),
        .time = given->time,
        .open = given->open,
        .high = given->high,
        .low = given->low,
        .close = given->close,
        .volume = given->volume,
    };
    ph_signals signals = {0};
    ph_error error = {0};
    if (!ph_exported_strategy.on_bar(instance, &bar, &signals, &error)) {
        *failed = string(error.message ? error.message : "the strategy failed at this bar, and does not say why");
        return false;
    }
    answer->ptr = (exports_poolhouse_trading_strategy_signal_t *)signals.sides;
    answer->len = signals.count;
    return true;
}

void exports_poolhouse_trading_strategy_instance_destructor(exports_poolhouse_trading_strategy_instance_t *instance) {
    if (ph_exported_strategy.destroy) ph_exported_strategy.destroy(instance);
    free(instance);
}

#endif
