/* Single values, and how they are read out of columns. */
#include "ph_value.h"

#include <string.h>

ph_value ph_string(ph_kind kind, const char *text) {
    if (!text) return ph_null_of(kind);
    return (ph_value){.kind = kind, .slice = {text, strlen(text)}};
}

ph_value ph_array(ph_kind kind, ph_params values) {
    ph_records records = {0};
    for (size_t i = 0; i < values.count; i++) {
        ph_value value = values.list[i];
        if (value.is_null) value = ph_null_of(kind);
        if (value.kind != kind || value.is_array) ph_panic("ph_array: value %zu is of another kind than the array", i + 1);
        ph_records_add(&records, (ph_params){&value, 1});
    }
    ph_error error = {0};
    if (!values.count) {
        ph_column *empty = ph_alloc(sizeof *empty);
        empty->kind = kind;
        if (ph_is_packed(kind)) {
            empty->offsets = ph_alloc(sizeof(uint32_t));
            empty->length = 1;
        }
        return ph_array_of(empty);
    }
    const ph_column *column = ph_records_columns(&records, &error);
    if (!column) ph_panic("ph_array: %s", error.message);
    return ph_array_of(column);
}

const char *ph_value_word(const ph_value *value) {
    static const char *const words[] = {
        [PH_KIND_BOOLEAN] = "a boolean",
        [PH_KIND_INT64] = "an integer",
        [PH_KIND_FLOAT64] = "a floating-point number",
        [PH_KIND_DECIMAL] = "a decimal",
        [PH_KIND_TEXT] = "a text",
        [PH_KIND_BYTES] = "bytes",
        [PH_KIND_UUID] = "a UUID",
        [PH_KIND_DATE] = "a date",
        [PH_KIND_TIME] = "a time",
        [PH_KIND_TIMESTAMP] = "a timestamp",
        [PH_KIND_JSON] = "JSON",
    };
    return value->is_null ? "null" : value->is_array ? "an array" : words[value->kind];
}

size_t ph_column_count(const ph_column *column) {
    if (!ph_is_packed(column->kind)) return column->length;
    return column->length ? column->length - 1 : 0;
}

bool ph_column_value(const ph_column *column, size_t row, ph_value *value) {
    if (row >= ph_column_count(column)) return false;
    *value = (ph_value){.kind = column->kind};
    if (column->validity_length) {
        if (row / 8 >= column->validity_length) return false;
        value->is_null = !(column->validity[row / 8] >> (row % 8) & 1);
        if (value->is_null) return true;
    }
    switch (column->kind) {
        case PH_KIND_BOOLEAN: value->boolean = column->booleans[row]; return true;
        case PH_KIND_INT64:
        case PH_KIND_TIME:
        case PH_KIND_TIMESTAMP: value->int64 = column->int64s[row]; return true;
        case PH_KIND_FLOAT64: value->float64 = column->float64s[row]; return true;
        case PH_KIND_UUID: value->uuid = column->uuids[row]; return true;
        case PH_KIND_DATE: value->date = column->dates[row]; return true;
        case PH_KIND_DECIMAL:
        case PH_KIND_TEXT:
        case PH_KIND_BYTES:
        case PH_KIND_JSON: break;
    }
    uint32_t start = column->offsets[row], end = column->offsets[row + 1];
    if (start > end || end > column->data_length) return false;
    value->slice = (ph_slice){column->data + start, end - start};
    return true;
}
