/* Makes errors of the plugin's own and tells apart those of the host; how the host's come here is in host_database.c. */
#include "ph_error.h"

#include <string.h>

bool ph_fail(ph_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    *error = (ph_error){.kind = PH_FAILED, .message = ph_format_list(format, arguments)};
    va_end(arguments);
    return false;
}

bool ph_fail_as(ph_error *error, ph_error_kind kind, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    *error = (ph_error){.kind = kind, .message = ph_format_list(format, arguments)};
    va_end(arguments);
    return false;
}

bool ph_is_unique_violation(const ph_error *error, const char *name, ...) {
    if (error->kind != PH_CONSTRAINT || error->constraint.kind != PH_UNIQUE) return false;
    if (error->constraint.name && *error->constraint.name) return strcmp(error->constraint.name, name) == 0;
    va_list columns;
    va_start(columns, name);
    size_t named = 0;
    bool all = true;
    for (const char *column; (column = va_arg(columns, const char *)); named++) {
        bool told = false;
        for (size_t i = 0; i < error->constraint.column_count; i++) {
            told = told || strcmp(error->constraint.columns[i], column) == 0;
        }
        all = all && told;
    }
    va_end(columns);
    return all && named == error->constraint.column_count;
}

bool ph_is_foreign_key_violation(const ph_error *error) {
    return error->kind == PH_CONSTRAINT && error->constraint.kind == PH_FOREIGN_KEY;
}

bool ph_is_conflict(const ph_error *error) {
    return error->kind == PH_CONFLICT;
}

bool ph_is_too_large(const ph_error *error) {
    return error->kind == PH_LIMIT && (error->limit.kind == PH_LIMIT_ROWS || error->limit.kind == PH_LIMIT_BYTES);
}

bool ph_is_outcome_unknown(const ph_error *error) {
    return error->kind == PH_UNAVAILABLE && error->unavailable.outcome_unknown;
}
