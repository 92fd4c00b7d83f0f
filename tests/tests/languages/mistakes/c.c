/* A strategy that makes the mistake that its row asks for, at its third bar. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "poolhouse.h"

struct mistakes {
    char mistake[32];
    int bars;
};

static bool create(void *instance, const ph_parameters *parameters, ph_error *error) {
    struct mistakes *self = instance;
    const char *mistake = ph_parameter_text(parameters, "mistake", error);
    if (error->kind) return false;
    strncpy(self->mistake, mistake, sizeof self->mistake - 1);
    return true;
}

static uint32_t warm_up_bars(const void *instance) {
    (void)instance;
    return 0;
}

static bool on_bar(void *instance, const ph_bar *bar, ph_signals *signals, ph_error *error) {
    (void)bar;
    (void)signals;
    struct mistakes *self = instance;
    if (++self->bars < 3) return true;
    if (!strcmp(self->mistake, "error")) return ph_fail(error, "the market is closed");
    if (!strcmp(self->mistake, "exception")) assert(!"no such price");
    if (!strcmp(self->mistake, "crash")) __builtin_trap();
    if (!strcmp(self->mistake, "loop")) {
        volatile int spins = 0;
        for (;;) spins++;
    }
    if (!strcmp(self->mistake, "memory")) {
        for (;;) {
            /* What nobody looks at would not be allocated at all. */
            volatile char *kept = malloc(1 << 20);
            if (!kept) abort();
            for (int at = 0; at < 1 << 20; at += 4096) kept[at] = 1;
        }
    }
    return true;
}

const ph_strategy ph_exported_strategy = {
    .summary = "Makes a mistake.",
    .parameters = PH_PARAMETERS({"mistake", PH_TEXT, "Which"}),
    .size = sizeof(struct mistakes),
    .create = create,
    .warm_up_bars = warm_up_bars,
    .on_bar = on_bar,
};
