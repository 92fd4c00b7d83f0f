/* Turns the script's values, columns and errors into the SDK's and back, and trusts no layout: a wrong one is a trap. */
#include "cells.h"

/* Copied, for a cursor's batch is gone when the next comes. */
static plugin_list_u8_t bytes_of(ph_slice slice) {
    return (plugin_list_u8_t){(uint8_t *)ph_copy(slice.data, slice.length), slice.length};
}

static ph_column column_of(const poolhouse_database_types_column_t *given) {
    ph_column column = {
        .kind = (ph_kind)given->values.tag,
        .validity = given->validity.ptr,
        .validity_length = given->validity.len,
    };
    switch (column.kind) {
        case PH_KIND_BOOLEAN: column.booleans = given->values.val.boolean.ptr; break;
        case PH_KIND_INT64: column.int64s = given->values.val.int64.ptr; break;
        case PH_KIND_FLOAT64: column.float64s = given->values.val.float64.ptr; break;
        case PH_KIND_UUID: column.uuids = (const ph_uuid *)given->values.val.uuid.ptr; break;
        case PH_KIND_DATE: column.dates = given->values.val.date.ptr; break;
        case PH_KIND_TIME: column.int64s = given->values.val.time.ptr; break;
        case PH_KIND_TIMESTAMP: column.int64s = given->values.val.timestamp.ptr; break;
        case PH_KIND_DECIMAL:
        case PH_KIND_TEXT:
        case PH_KIND_BYTES:
        case PH_KIND_JSON: {
            const poolhouse_database_types_packed_t *packed = &given->values.val.text;
            column.length = packed->offsets.len;
            column.offsets = packed->offsets.ptr;
            column.data = (const char *)packed->data.ptr;
            column.data_length = packed->data.len;
            return column;
        }
    }
    /* Every list has its length in the same place. */
    column.length = given->values.val.int64.len;
    return column;
}

const ph_column *cells_columns(const exports_script_list_column_t *given) {
    ph_column *columns = ph_alloc(given->len * sizeof *columns);
    for (size_t i = 0; i < given->len; i++) columns[i] = column_of(&given->ptr[i]);
    return columns;
}

/* One entry a row, a validity bitmap of the right length or none, offsets that rise from 0 to the data's end. */
static const char *wrong(const ph_column *column, size_t rows) {
    if (ph_column_count(column) != rows) return "a column's entries are not its rows";
    if (column->validity_length && column->validity_length != (rows + 7) / 8) return "a validity bitmap is of another length";
    if (!ph_is_packed(column->kind)) return NULL;
    if (!column->length || column->offsets[0]) return "offsets do not start with 0";
    for (size_t i = 0; i < rows; i++) {
        if (column->offsets[i] > column->offsets[i + 1]) return "offsets do not rise";
    }
    return column->offsets[rows] == column->data_length ? NULL : "offsets do not end with the data";
}

bool cells_records(const ph_column *columns, size_t count, ph_records *records) {
    if (!count) return false;
    size_t rows = ph_column_count(&columns[0]);
    for (size_t i = 0; i < count; i++) {
        if (wrong(&columns[i], rows)) return false;
    }
    for (size_t row = 0; row < rows; row++) {
        ph_value *values = ph_alloc(count * sizeof *values);
        for (size_t i = 0; i < count; i++) ph_column_value(&columns[i], row, &values[i]);
        ph_records_add(records, (ph_params){values, count});
    }
    return true;
}

static ph_value value_of(const poolhouse_database_types_value_t *given) {
    if (given->tag == POOLHOUSE_DATABASE_TYPES_VALUE_NULL) return ph_null();
    if (given->tag == POOLHOUSE_DATABASE_TYPES_VALUE_ARRAY) {
        ph_column *column = ph_alloc(sizeof *column);
        *column = column_of(&given->val.array);
        return ph_array_of(column);
    }
    ph_value value = {.kind = (ph_kind)(given->tag - 1)};
    switch (value.kind) {
        case PH_KIND_BOOLEAN: return ph_boolean(given->val.boolean);
        case PH_KIND_INT64: return ph_int64(given->val.int64);
        case PH_KIND_FLOAT64: return ph_float64(given->val.float64);
        case PH_KIND_UUID: return ph_uuid_of((ph_uuid){given->val.uuid.high, given->val.uuid.low});
        case PH_KIND_DATE: return ph_date(given->val.date);
        case PH_KIND_TIME: return ph_time(given->val.time);
        case PH_KIND_TIMESTAMP: return ph_timestamp(given->val.timestamp);
        case PH_KIND_DECIMAL:
        case PH_KIND_TEXT:
        case PH_KIND_BYTES:
        case PH_KIND_JSON: break;
    }
    value.slice = (ph_slice){(const char *)given->val.bytes.ptr, given->val.bytes.len};
    return value;
}

ph_params cells_params(const exports_script_list_value_t *given) {
    ph_value *list = ph_alloc(given->len * sizeof *list);
    for (size_t i = 0; i < given->len; i++) list[i] = value_of(&given->ptr[i]);
    return (ph_params){list, given->len};
}

static poolhouse_database_types_value_t given_of(ph_value value) {
    poolhouse_database_types_value_t given = {.tag = POOLHOUSE_DATABASE_TYPES_VALUE_NULL};
    if (value.is_null) return given;
    given.tag = (uint8_t)(value.kind + 1);
    switch (value.kind) {
        case PH_KIND_BOOLEAN: given.val.boolean = value.boolean; break;
        case PH_KIND_INT64: given.val.int64 = value.int64; break;
        case PH_KIND_FLOAT64: given.val.float64 = value.float64; break;
        case PH_KIND_UUID: given.val.uuid = (poolhouse_database_types_uuid_t){value.uuid.high, value.uuid.low}; break;
        case PH_KIND_DATE: given.val.date = value.date; break;
        case PH_KIND_TIME: given.val.time = value.int64; break;
        case PH_KIND_TIMESTAMP: given.val.timestamp = value.int64; break;
        case PH_KIND_DECIMAL:
        case PH_KIND_TEXT:
        case PH_KIND_BYTES:
        case PH_KIND_JSON: given.val.bytes = bytes_of(value.slice); break;
    }
    return given;
}

/* The cell by the getter of its kind, as a plugin reads it. */
static ph_value cell(ph_row row, size_t column, ph_error *error) {
    if (ph_row_is_null_at(row, column, error)) return ph_null();
    ph_kind kind = row.rows->columns[column].kind;
    switch (kind) {
        case PH_KIND_BOOLEAN: return ph_boolean(ph_row_boolean_at(row, column, error));
        case PH_KIND_INT64: return ph_int64(ph_row_int64_at(row, column, error));
        case PH_KIND_FLOAT64: return ph_float64(ph_row_float64_at(row, column, error));
        case PH_KIND_UUID: return ph_uuid_of(ph_row_uuid_at(row, column, error));
        case PH_KIND_DATE: return ph_date(ph_row_date_at(row, column, error));
        case PH_KIND_TIME: return ph_time(ph_row_time_at(row, column, error));
        case PH_KIND_TIMESTAMP: return ph_timestamp(ph_row_timestamp_at(row, column, error));
        case PH_KIND_DECIMAL: return ph_decimal(ph_row_text_at(row, column, error));
        /* A text may have zero bytes, and JSON is as large as a text. */
        case PH_KIND_TEXT:
        case PH_KIND_BYTES:
        case PH_KIND_JSON: break;
    }
    return (ph_value){.kind = kind, .slice = ph_row_slice_at(row, column, error)};
}

exports_script_list_list_value_t cells_rows(const ph_rows *rows) {
    for (size_t i = 0; i < rows->column_count; i++) {
        const char *reason = wrong(&rows->columns[i], rows->count);
        if (reason) ph_panic("column %zu: %s", i, reason);
    }
    exports_script_list_value_t *list = ph_alloc(rows->count * sizeof *list);
    ph_error error = {0};
    for (size_t row = 0; row < rows->count; row++) {
        list[row] = (exports_script_list_value_t){
            ph_alloc(rows->column_count * sizeof(poolhouse_database_types_value_t)), rows->column_count
        };
        for (size_t i = 0; i < rows->column_count; i++) list[row].ptr[i] = given_of(cell(ph_row_at(rows, row), i, &error));
    }
    if (error.kind) ph_panic("%s", error.message);
    return (exports_script_list_list_value_t){list, rows->count};
}

exports_script_list_column_info_t cells_infos(const ph_column_info *infos, size_t count) {
    poolhouse_database_types_column_info_t *list = ph_alloc(count * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i].name = ph_out(infos[i].name);
        list[i].kind = (poolhouse_database_types_kind_t)infos[i].kind;
        list[i].database_type = ph_out(infos[i].database_type);
    }
    return (exports_script_list_column_info_t){list, count};
}

uint64_t cells_checksum(const ph_rows *rows) {
    uint64_t sum = 0;
    for (size_t i = 0; i < rows->column_count; i++) {
        const ph_column *column = &rows->columns[i];
        if (column->kind == PH_KIND_INT64) {
            for (size_t row = 0; row < column->length; row++) sum += (uint64_t)column->int64s[row];
        } else if (column->kind == PH_KIND_TEXT) {
            for (size_t byte = 0; byte < column->data_length; byte++) sum += (uint8_t)column->data[byte];
        }
    }
    return sum;
}

static plugin_option_string_t optional(const char *text) {
    plugin_option_string_t option = {.is_some = text};
    if (text) option.val = ph_out(text);
    return option;
}

static plugin_list_string_t strings(const char *const *list, size_t count) {
    plugin_string_t *strings = ph_alloc(count * sizeof *strings);
    for (size_t i = 0; i < count; i++) strings[i] = ph_out(list[i]);
    return (plugin_list_string_t){strings, count};
}

exports_script_error_t cells_error(const ph_error *error) {
    if (error->kind < PH_DENIED || error->kind > PH_CLOSED) ph_panic("the SDK itself failed: %s", error->message);
    exports_script_error_t given = {.tag = (uint8_t)(error->kind - PH_DENIED)};
    plugin_string_t message = ph_out(error->message);
    switch (error->kind) {
        case PH_DENIED: given.val.denied.message = message; break;
        case PH_INVALID: given.val.invalid.message = message; break;
        case PH_POOL_EXHAUSTED:
            given.val.pool_exhausted = (poolhouse_database_types_pool_exhausted_t){
                message, error->pool_exhausted.waited, error->pool_exhausted.size, error->pool_exhausted.overflow,
                error->pool_exhausted.checked_out, error->pool_exhausted.waiting,
            };
            break;
        case PH_UNAVAILABLE:
            given.val.unavailable = (poolhouse_database_types_unavailable_t){
                (uint8_t)error->unavailable.reason, message, error->unavailable.outcome_unknown,
            };
            break;
        case PH_TIMEOUT:
            given.val.timeout =
                (poolhouse_database_types_timeout_t){(uint8_t)error->timeout.kind, message, error->timeout.limit};
            break;
        case PH_CONSTRAINT:
            given.val.constraint = (poolhouse_database_types_constraint_t){
                (uint8_t)error->constraint.kind, message, ph_out(error->constraint.name), ph_out(error->constraint.table),
                strings(error->constraint.columns, error->constraint.column_count),
            };
            break;
        case PH_CONFLICT:
            given.val.conflict = (poolhouse_database_types_conflict_t){(uint8_t)error->conflict.kind, message};
            break;
        case PH_STATEMENT:
            given.val.statement = (poolhouse_database_types_statement_failed_t){
                ph_out(error->statement.code), ph_out(error->statement.message), optional(error->statement.detail),
                optional(error->statement.hint), {error->statement.position > 0, error->statement.position},
            };
            break;
        case PH_LIMIT:
            given.val.limit = (poolhouse_database_types_limit_t){(uint8_t)error->limit.kind, message, error->limit.maximum};
            break;
        default: given.val.closed = message; break;
    }
    return given;
}
