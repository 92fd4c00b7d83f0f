/* Hands log lines to the host, where the plugin's world imports `wasi:logging/logging`. */
#include "plugin.h"

#ifdef WASI_LOGGING_LOGGING_LEVEL_TRACE

#include "ph_log.h"

#include <string.h>

/* The SDK's levels are the contract's, in the same order. */
_Static_assert(PH_TRACE == WASI_LOGGING_LOGGING_LEVEL_TRACE && PH_CRITICAL == WASI_LOGGING_LOGGING_LEVEL_CRITICAL, "levels");

static void to_host(ph_log_level level, const char *line) {
    plugin_string_t none = {(uint8_t *)"", 0};
    plugin_string_t message = {(uint8_t *)line, strlen(line)};
    wasi_logging_logging_log((wasi_logging_logging_level_t)level, &none, &message);
}

__attribute__((constructor)) static void log_to_host(void) {
    ph_log_sink = to_host;
}

#endif
