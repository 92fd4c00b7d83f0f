/* The last few numbers of a series; what they mean is the strategy's. */
#include "ph_strategy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ph_window_push(ph_window *window, size_t length, double number) {
    window->length = length ? length : 1;
    size_t most = 2 * window->length;
    if (window->used == most) {
        memmove(window->numbers, window->numbers + window->length + 1, (window->length - 1) * sizeof(double));
        window->used = window->length - 1;
    }
    if (window->used == window->capacity) {
        size_t capacity = window->capacity ? 2 * window->capacity : 8;
        if (capacity > most) capacity = most;
        double *numbers = realloc(window->numbers, capacity * sizeof(double));
        if (!numbers) ph_panic("no memory is left for a window of %zu numbers; raise the plugin's limit `memory`", length);
        window->numbers = numbers;
        window->capacity = capacity;
    }
    window->numbers[window->used++] = number;
}

bool ph_window_is_full(const ph_window *window) {
    return window->length > 0 && window->used >= window->length;
}

const double *ph_window_newest(const ph_window *window, size_t *count) {
    if (*count > window->length) *count = window->length;
    if (*count > window->used) *count = window->used;
    return window->numbers ? window->numbers + (window->used - *count) : NULL;
}

static double sum(const double *numbers, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += numbers[i];
    return sum;
}

double ph_window_sum(const ph_window *window) {
    size_t count = window->length;
    const double *numbers = ph_window_newest(window, &count);
    return sum(numbers, count);
}

double ph_window_maximum(const ph_window *window) {
    size_t count = window->length;
    const double *numbers = ph_window_newest(window, &count);
    double maximum = -INFINITY;
    /* fmax answers the number where the other is NaN, as Rust's f64::max does. */
    for (size_t i = 0; i < count; i++) maximum = fmax(maximum, numbers[i]);
    return maximum;
}

double ph_window_minimum(const ph_window *window) {
    size_t count = window->length;
    const double *numbers = ph_window_newest(window, &count);
    double minimum = INFINITY;
    for (size_t i = 0; i < count; i++) minimum = fmin(minimum, numbers[i]);
    return minimum;
}

bool ph_window_mean(const ph_window *window, size_t count, double *mean) {
    size_t there = count;
    const double *numbers = ph_window_newest(window, &there);
    if (count == 0 || there != count) return false;
    *mean = sum(numbers, count) / (double)count;
    return true;
}

void ph_window_free(ph_window *window) {
    free(window->numbers);
    *window = (ph_window){0};
}
