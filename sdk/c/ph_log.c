/* Formats log lines and hands them to where they go. */
#include "ph_log.h"

#include <stdio.h>

void (*ph_log_sink)(ph_log_level level, const char *line);

void ph_log(ph_log_level level, const char *format, ...) {
    static const char *const words[] = {"trace", "debug", "info", "warn", "error", "critical"};
    PH_SCOPE {
        va_list arguments;
        va_start(arguments, format);
        const char *line = ph_format_list(format, arguments);
        va_end(arguments);
        if (ph_log_sink) {
            ph_log_sink(level, line);
        } else {
            fprintf(stderr, "%s: %s\n", words[level], line);
        }
    }
}
