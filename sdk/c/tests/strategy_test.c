/* Memory, windows, symbols and parameters, natively. */
#include "ph_test.h"

#include <math.h>

static void windows(void) {
    double series[50];
    for (int i = 0; i < 50; i++) series[i] = (i * 7919) % 101 - 50.0;
    for (size_t length = 1; length < 8; length++) {
        ph_window window = {0};
        ph_check(!ph_window_is_full(&window) && ph_window_maximum(&window) == -INFINITY && ph_window_sum(&window) == 0);
        for (size_t i = 0; i < 50; i++) {
            ph_window_push(&window, length, series[i]);
            size_t there = i + 1 < length ? i + 1 : length, count = 99;
            const double *numbers = ph_window_newest(&window, &count);
            double sum = 0, maximum = -INFINITY, minimum = INFINITY, mean;
            ph_check(count == there && ph_window_is_full(&window) == (there == length));
            for (size_t j = 0; j < there; j++) {
                double number = series[i + 1 - there + j];
                ph_check(numbers[j] == number);
                sum += number;
                maximum = number > maximum ? number : maximum;
                minimum = number < minimum ? number : minimum;
            }
            ph_check(ph_window_sum(&window) == sum && ph_window_maximum(&window) == maximum && ph_window_minimum(&window) == minimum);
            ph_check(ph_window_mean(&window, length, &mean) == (there == length) && !ph_window_mean(&window, length + 1, &mean));
            ph_check(!ph_window_mean(&window, 0, &mean) && (there < length || mean == sum / (double)length));
        }
        ph_check(window.capacity <= 2 * length);
        ph_window_free(&window);
    }
}

static void symbols(void) {
    static const char *const seen[] = {"MSFT", "AAPL", "MSFT", "IBM", "MSFT", "AAPL", "FB", "GOOG", "A"};
    ph_symbols counts = {0};
    int *first = ph_symbol(&counts, "MSFT", sizeof(int));
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) ++*(int *)ph_symbol(&counts, seen[i], sizeof(int));
    ph_check(*first == 3 && ph_symbol(&counts, "MSFT", sizeof(int)) == first);
    ph_check(*(int *)ph_symbol(&counts, "AAPL", sizeof(int)) == 2 && *(int *)ph_symbol(&counts, "ZZZ", sizeof(int)) == 0);
    ph_symbols_free(&counts, NULL);
}

static const char *refusal(const char *what, const char *value) {
    ph_parameter list[] = {{"p", value}};
    ph_parameters parameters = {list, 1};
    ph_error error = {0};
    if (strcmp(what, "integer") == 0) ph_parameter_integer(&parameters, "p", &error);
    if (strcmp(what, "size") == 0) ph_parameter_size(&parameters, "p", &error);
    if (strcmp(what, "number") == 0) ph_parameter_number(&parameters, "p", &error);
    if (strcmp(what, "decimal") == 0) ph_parameter_decimal(&parameters, "p", &error);
    if (strcmp(what, "boolean") == 0) ph_parameter_boolean(&parameters, "p", &error);
    return error.message;
}

static void parameters(void) {
    ph_parameter list[] = {{"fast", "10"}, {"below", "-1"}, {"factor", "2.5"}, {"venue", "paper"}, {"short", "true"}};
    ph_parameters given = {list, 5};
    ph_error error = {0};
    ph_check(ph_parameter_size(&given, "fast", &error) == 10 && ph_parameter_integer(&given, "below", &error) == -1);
    ph_check(ph_parameter_number(&given, "factor", &error) == 2.5 && ph_parameter_boolean(&given, "short", &error));
    ph_check_text(ph_parameter_text(&given, "venue", &error), "paper");
    ph_check_text(ph_parameter_decimal(&given, "factor", &error), "2.5");
    ph_check(!error.kind);
    ph_parameter_integer(&given, "slow", &error);
    ph_parameter_integer(&given, "factor", &error);
    ph_check_text(error.message, "parameter `slow` is missing; give it in the strategy row");
    ph_check_text(refusal("integer", "2.5"), "parameter `p` is `2.5`; it must be a whole number");
    ph_check_text(refusal("integer", "9223372036854775808"), "parameter `p` is `9223372036854775808`; it must be a whole number");
    ph_check_text(refusal("integer", " 1"), "parameter `p` is ` 1`; it must be a whole number");
    ph_check_text(refusal("size", "-1"), "parameter `p` is -1, which is out of range");
    ph_check_text(refusal("number", "nan"), "parameter `p` is `nan`; it must be a finite number");
    ph_check_text(refusal("number", "1x"), "parameter `p` is `1x`; it must be a number");
    ph_check_text(refusal("decimal", "1e3"), "parameter `p` is `1e3`; it must be a decimal number");
    ph_check_text(refusal("boolean", "yes"), "parameter `p` is `yes`; it must be `true` or `false`");
}

static void memory(void) {
    /* What a hundred thousand calls make is given back, however much each makes. */
    for (int call = 0; call < 100000; call++) {
        ph_call_begin();
        ph_format("%d", call);
        if (call % 1000 == 0) memset(ph_alloc(300000), 1, 300000);
        ph_call_end();
    }
    ph_call_begin();
    ph_check(ph_memory_held() == 0);

    /* A scope gives back what was made in it, and what was there before stays. */
    const char *before = ph_format("before");
    for (int i = 0; i < 10000; i++) PH_SCOPE {
        memset(ph_alloc(100000), 1, 100000);
    }
    ph_check_text(before, "before");
    size_t held = ph_memory_held();
    ph_check(held <= 200000);

    /* A loop that carries texts on needs no more for many rounds than for one. */
    const char *sum = "0", *none = NULL, *name = ph_format("alice");
    ph_scope scope = ph_scope_begin();
    for (int i = 0; i < 100000; i++) {
        sum = ph_decimal_add(sum, "0.01");
        ph_scope_keep(&scope, &sum, &none, &name, NULL);
    }
    ph_check_text(sum, "1000.00");
    ph_check_text(name, "alice");
    ph_check(!none && ph_memory_held() <= held + 65536);

    /* An arena of its own is not touched by the call's end. */
    ph_arena *arena = ph_arena_new();
    ph_arena *call = ph_arena_use(arena);
    const char *kept = ph_format("kept");
    ph_arena_use(call);
    ph_call_end();
    ph_call_begin();
    ph_check_text(kept, "kept");
    ph_arena_free(arena);
    ph_call_end();
    ph_call_begin();
    ph_check(ph_memory_held() == 0);

    /* The host's bytes are C strings as they are; a text longer than any buffer is formatted whole. */
    ph_call_end();
    char *bytes = ph_alloc_for_host(3, 1);
    memcpy(bytes, "abc", 3);
    ph_check_text(bytes, "abc");
    ph_call_begin();
    ph_check_text(bytes, "abc");
    ph_check(strlen(ph_format("%01000d", 7)) == 1000);
    ph_call_end();
}

int main(void) {
    windows();
    symbols();
    parameters();
    memory();
    return ph_checked();
}
