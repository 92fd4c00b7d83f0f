/* Parameters, signals, and what strategies remember; how the host reaches a strategy is in host_strategy.c. */
#include "ph_strategy.h"

#include "ph_decimal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void ask_for(ph_signals *signals, uint8_t side) {
    if (signals->count == signals->capacity) {
        size_t capacity = signals->capacity ? 2 * signals->capacity : 8;
        uint8_t *sides = ph_alloc(capacity);
        if (signals->count) memcpy(sides, signals->sides, signals->count);
        signals->sides = sides;
        signals->capacity = capacity;
    }
    signals->sides[signals->count++] = side;
}

void ph_buy(ph_signals *signals) {
    ask_for(signals, 0);
}

void ph_sell(ph_signals *signals) {
    ask_for(signals, 1);
}

/* The text of a parameter; NULL after an error. */
static const char *text(const ph_parameters *parameters, const char *name, ph_error *error) {
    if (error->kind) return NULL;
    for (size_t i = 0; i < parameters->count; i++) {
        if (strcmp(parameters->list[i].name, name) == 0) return parameters->list[i].value;
    }
    ph_fail(error, "parameter `%s` is missing; give it in the strategy row", name);
    return NULL;
}

static void refuse(const char *name, const char *value, const char *expected, ph_error *error) {
    ph_fail(error, "parameter `%s` is `%s`; it must be %s", name, value, expected);
}

int64_t ph_parameter_integer(const ph_parameters *parameters, const char *name, ph_error *error) {
    const char *value = text(parameters, name, error);
    if (!value) return 0;
    const char *digits = value + (*value == '-' || *value == '+');
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    /* strtoll also takes blanks in front, which are none of the contract's. */
    if (*digits < '0' || *digits > '9' || *end || errno) {
        refuse(name, value, "a whole number", error);
        return 0;
    }
    return number;
}

size_t ph_parameter_size(const ph_parameters *parameters, const char *name, ph_error *error) {
    int64_t number = ph_parameter_integer(parameters, name, error);
    if (number < 0 || (uint64_t)number > SIZE_MAX) {
        ph_fail(error, "parameter `%s` is %lld, which is out of range", name, (long long)number);
        return 0;
    }
    return (size_t)number;
}

double ph_parameter_number(const ph_parameters *parameters, const char *name, ph_error *error) {
    const char *value = text(parameters, name, error);
    if (!value) return 0;
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end || *value == ' ' || (*value >= '\t' && *value <= '\r')) {
        refuse(name, value, "a number", error);
        return 0;
    }
    if (!isfinite(number)) {
        refuse(name, value, "a finite number", error);
        return 0;
    }
    return number;
}

const char *ph_parameter_decimal(const ph_parameters *parameters, const char *name, ph_error *error) {
    const char *value = text(parameters, name, error);
    if (!value) return "0";
    if (!ph_is_decimal(value)) {
        refuse(name, value, "a decimal number", error);
        return "0";
    }
    return value;
}

const char *ph_parameter_text(const ph_parameters *parameters, const char *name, ph_error *error) {
    const char *value = text(parameters, name, error);
    return value ? value : "";
}

bool ph_parameter_boolean(const ph_parameters *parameters, const char *name, ph_error *error) {
    const char *value = text(parameters, name, error);
    if (!value) return false;
    bool flag = strcmp(value, "true") == 0;
    if (!flag && strcmp(value, "false") != 0) refuse(name, value, "`true` or `false`", error);
    return flag;
}

/* A sorted list, for a row watches few symbols. */
struct ph_symbol_entry {
    char *symbol;
    void *remembered;
};

static void *from_malloc(size_t size) {
    void *taken = calloc(1, size ? size : 1);
    if (!taken) ph_panic("no memory is left for %zu bytes; remember less, or raise the plugin's limit `memory`", size);
    return taken;
}

void *ph_symbol(ph_symbols *symbols, const char *symbol, size_t size) {
    size_t low = 0;
    for (size_t high = symbols->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(symbols->entries[middle].symbol, symbol);
        if (order == 0) return symbols->entries[middle].remembered;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (symbols->count == symbols->capacity) {
        size_t capacity = symbols->capacity ? 2 * symbols->capacity : 4;
        struct ph_symbol_entry *entries = from_malloc(capacity * sizeof *entries);
        if (symbols->count) memcpy(entries, symbols->entries, symbols->count * sizeof *entries);
        free(symbols->entries);
        symbols->entries = entries;
        symbols->capacity = capacity;
    }
    memmove(&symbols->entries[low + 1], &symbols->entries[low], (symbols->count - low) * sizeof symbols->entries[0]);
    size_t length = strlen(symbol) + 1;
    symbols->entries[low] = (struct ph_symbol_entry){memcpy(from_malloc(length), symbol, length), from_malloc(size)};
    symbols->count++;
    return symbols->entries[low].remembered;
}

void ph_symbols_free(ph_symbols *symbols, void (*each)(void *remembered)) {
    for (size_t i = 0; i < symbols->count; i++) {
        if (each) each(symbols->entries[i].remembered);
        free(symbols->entries[i].remembered);
        free(symbols->entries[i].symbol);
    }
    free(symbols->entries);
    *symbols = (ph_symbols){0};
}

void *ph_strategy_create(const ph_strategy *strategy, const char *const *given, ph_error *error) {
    size_t count = 0;
    while (given && given[2 * count]) count++;
    ph_parameter *list = ph_alloc(count * sizeof *list);
    for (size_t i = 0; i < count; i++) list[i] = (ph_parameter){given[2 * i], given[2 * i + 1]};
    void *instance = from_malloc(strategy->size);
    if (strategy->create(instance, &(ph_parameters){list, count}, error)) return instance;
    free(instance);
    return NULL;
}

const char *ph_strategy_on_bar(const ph_strategy *strategy, void *instance, const ph_bar *bar, ph_error *error) {
    ph_signals signals = {0};
    if (!strategy->on_bar(instance, bar, &signals, error)) return NULL;
    char *sides = ph_alloc(signals.count + 1);
    for (size_t i = 0; i < signals.count; i++) sides[i] = signals.sides[i] ? 'S' : 'B';
    return sides;
}

void ph_strategy_destroy(const ph_strategy *strategy, void *instance) {
    if (!instance) return;
    if (strategy->destroy) strategy->destroy(instance);
    free(instance);
}
