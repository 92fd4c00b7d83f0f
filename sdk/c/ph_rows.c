/* Reads cells as the type asked for, exactly or not at all. */
#include "ph_rows.h"

#include "ph_decimal.h"

#include <string.h>

static size_t find(const ph_rows *rows, const char *name) {
    size_t index = 0;
    while (index < rows->column_count && strcmp(rows->infos[index].name, name) != 0) index++;
    return index;
}

size_t ph_column_index(const ph_rows *rows, const char *name, ph_error *error) {
    size_t index = find(rows, name);
    if (index < rows->column_count) return index;
    if (error->kind) return 0;
    const char *names = "";
    for (size_t i = 0; i < rows->column_count; i++) {
        names = ph_format("%s%s`%s`", names, i ? ", " : "", rows->infos[i].name);
    }
    ph_fail_as(error, PH_DECODE, "the result has no column `%s`; it has %s", name, *names ? names : "none");
    return 0;
}

/* `column `balance` of row 2`; rows are counted from 1 here, as a person does. */
static const char *place(ph_row row, size_t column) {
    return ph_format(
        "column `%s` of row %llu", row.rows->infos[column].name, (unsigned long long)(row.rows->before + row.index + 1)
    );
}

static bool read_cell(ph_row row, size_t column, ph_value *value, ph_error *error) {
    *value = (ph_value){0};
    if (error->kind) return false;
    if (column >= row.rows->column_count) {
        return ph_fail_as(
            error, PH_DECODE, "the result has no column %zu; it has %zu, counted from 0", column, row.rows->column_count
        );
    }
    if (row.index < row.rows->count && ph_column_value(&row.rows->columns[column], row.index, value)) return true;
    return ph_fail_as(error, PH_DECODE, "%s has no cell", place(row, column));
}

static void mismatch(ph_row row, size_t column, const ph_value *value, const char *expected, ph_error *error) {
    if (value->is_null) {
        ph_fail_as(error, PH_DECODE, "%s is null; ask ph_row_is_null first", place(row, column));
    } else {
        ph_fail_as(error, PH_DECODE, "%s holds %s, not %s", place(row, column), ph_value_word(value), expected);
    }
}

/* The cell as the contract has it, if it is of the kind. */
static bool read_as(ph_row row, size_t column, ph_kind kind, const char *expected, ph_value *value, ph_error *error) {
    if (!read_cell(row, column, value, error)) return false;
    if (!value->is_null && value->kind == kind) return true;
    mismatch(row, column, value, expected, error);
    *value = (ph_value){0};
    return false;
}

bool ph_row_boolean_at(ph_row row, size_t column, ph_error *error) {
    ph_value value;
    if (!read_cell(row, column, &value, error)) return false;
    if (!value.is_null && value.kind == PH_KIND_BOOLEAN) return value.boolean;
    if (!value.is_null && value.kind == PH_KIND_INT64 && (value.int64 == 0 || value.int64 == 1)) return value.int64 == 1;
    mismatch(row, column, &value, "a boolean", error);
    return false;
}

int64_t ph_row_int64_at(ph_row row, size_t column, ph_error *error) {
    ph_value value;
    if (!read_cell(row, column, &value, error)) return 0;
    if (!value.is_null && value.kind == PH_KIND_INT64) return value.int64;
    if (value.is_null || value.kind != PH_KIND_DECIMAL) {
        mismatch(row, column, &value, "an integer", error);
        return 0;
    }
    const char *text = ph_copy(value.slice.data, value.slice.length);
    int64_t whole = 0;
    if (!ph_is_decimal(text) || !ph_decimal_to_int64(text, &whole)) {
        ph_fail_as(error, PH_DECODE, "%s holds %s, not an integer of 64 bits", place(row, column), text);
    }
    return whole;
}

double ph_row_float64_at(ph_row row, size_t column, ph_error *error) {
    ph_value value;
    return read_as(row, column, PH_KIND_FLOAT64, "a floating-point number", &value, error) ? value.float64 : 0;
}

const char *ph_row_decimal_at(ph_row row, size_t column, ph_error *error) {
    ph_value value;
    if (!read_cell(row, column, &value, error)) return "0";
    if (!value.is_null && value.kind == PH_KIND_INT64) return ph_decimal_of(value.int64);
    if (value.is_null || value.kind != PH_KIND_DECIMAL) {
        mismatch(row, column, &value, "a decimal", error);
        return "0";
    }
    const char *text = ph_copy(value.slice.data, value.slice.length);
    if (ph_is_decimal(text)) return text;
    ph_fail_as(
        error, PH_DECODE, "%s holds `%s`, which is not a finite decimal number; read it with ph_row_text", place(row, column), text
    );
    return "0";
}

ph_slice ph_row_slice_at(ph_row row, size_t column, ph_error *error) {
    ph_value value;
    if (!read_cell(row, column, &value, error)) return (ph_slice){"", 0};
    if (!value.is_null && ph_is_packed(value.kind)) return value.slice;
    mismatch(row, column, &value, "bytes or a text", error);
    return (ph_slice){"", 0};
}

const char *ph_row_text_at(ph_row row, size_t column, ph_error *error) {
    ph_value value;
    if (!read_cell(row, column, &value, error)) return "";
    if (value.is_null || !ph_is_packed(value.kind) || value.kind == PH_KIND_BYTES) {
        mismatch(row, column, &value, "a text", error);
        return "";
    }
    if (value.slice.length && memchr(value.slice.data, 0, value.slice.length)) {
        ph_fail_as(
            error, PH_DECODE, "%s holds a text with a zero byte in it, where a C string ends; read it with ph_row_slice",
            place(row, column)
        );
        return "";
    }
    return ph_copy(value.slice.data, value.slice.length);
}

ph_uuid ph_row_uuid_at(ph_row row, size_t column, ph_error *error) {
    ph_value value;
    read_as(row, column, PH_KIND_UUID, "a UUID", &value, error);
    return value.uuid;
}

int32_t ph_row_date_at(ph_row row, size_t column, ph_error *error) {
    ph_value value;
    return read_as(row, column, PH_KIND_DATE, "a date", &value, error) ? value.date : 0;
}

int64_t ph_row_time_at(ph_row row, size_t column, ph_error *error) {
    ph_value value;
    return read_as(row, column, PH_KIND_TIME, "a time", &value, error) ? value.int64 : 0;
}

int64_t ph_row_timestamp_at(ph_row row, size_t column, ph_error *error) {
    ph_value value;
    return read_as(row, column, PH_KIND_TIMESTAMP, "a timestamp", &value, error) ? value.int64 : 0;
}

bool ph_row_is_null_at(ph_row row, size_t column, ph_error *error) {
    ph_value value;
    return read_cell(row, column, &value, error) && value.is_null;
}

ph_value ph_row_value_at(ph_row row, size_t column, ph_error *error) {
    ph_value value;
    read_cell(row, column, &value, error);
    return value;
}

/* Reading by name is reading by the name's index. */
#define BY_NAME(type, name) \
    type name(ph_row row, const char *column, ph_error *error) { \
        return name##_at(row, ph_column_index(row.rows, column, error), error); \
    }

BY_NAME(bool, ph_row_boolean)
BY_NAME(int64_t, ph_row_int64)
BY_NAME(double, ph_row_float64)
BY_NAME(const char *, ph_row_decimal)
BY_NAME(const char *, ph_row_text)
BY_NAME(ph_slice, ph_row_slice)
BY_NAME(ph_uuid, ph_row_uuid)
BY_NAME(int32_t, ph_row_date)
BY_NAME(int64_t, ph_row_time)
BY_NAME(int64_t, ph_row_timestamp)
BY_NAME(bool, ph_row_is_null)
BY_NAME(ph_value, ph_row_value)

ph_rows ph_rows_of(const ph_records *records, ...) {
    ph_error error = {0};
    const ph_column *columns = ph_records_columns(records, &error);
    if (!columns) ph_panic("ph_rows_of: %s", error.message);
    va_list names;
    va_start(names, records);
    size_t count = 0;
    while (va_arg(names, const char *)) count++;
    va_end(names);
    /* Without rows, the records do not know how wide they are. */
    if (records->count && count != records->width) {
        ph_panic("ph_rows_of: %zu names for %zu columns; give each column one, then NULL", count, records->width);
    }
    ph_column_info *infos = ph_alloc(count * sizeof *infos);
    va_start(names, records);
    for (size_t i = 0; i < count; i++) {
        infos[i] = (ph_column_info){va_arg(names, const char *), records->count ? columns[i].kind : PH_KIND_TEXT, ""};
    }
    va_end(names);
    if (!records->count) columns = ph_alloc(count * sizeof *columns);
    return (ph_rows){records->count, infos, columns, count, 0};
}
