/* Lays rows of values out as columns, packed as the contract has them. */
#include "ph_value.h"

#include <string.h>

void ph_records_add(ph_records *records, ph_params row) {
    if (!records->count) records->width = row.count;
    if (row.count != records->width) {
        if (!records->odd_row) {
            records->odd_row = records->count + 1;
            records->odd_width = row.count;
        }
        return;
    }
    if (records->count == records->capacity) {
        size_t capacity = records->capacity ? 2 * records->capacity : 16;
        ph_value *values = ph_alloc(capacity * records->width * sizeof *values);
        if (records->count) memcpy(values, records->values, records->count * records->width * sizeof *values);
        records->values = values;
        records->capacity = capacity;
    }
    memcpy(records->values + records->count * records->width, row.list, row.count * sizeof *row.list);
    records->count++;
}

static const ph_value *value_at(const ph_records *records, size_t row, size_t column) {
    return &records->values[row * records->width + column];
}

/* The kind of the column's values, which is the first null's where there are nulls alone. Answers false where they are of several. */
static bool find_kind(const ph_records *records, size_t column, ph_kind *kind, ph_error *error) {
    const ph_value *first = NULL;
    for (size_t row = 0; row < records->count; row++) {
        const ph_value *value = value_at(records, row, column);
        if (value->is_null) continue;
        if (value->is_array) {
            return ph_fail_as(
                error, PH_INVALID, "row %zu has an array for $%zu, which rows can't have; give it in a statement of its own",
                row + 1, column + 1
            );
        }
        if (!first) first = value;
        if (value->kind != first->kind) {
            return ph_fail_as(
                error, PH_INVALID, "row %zu has %s for $%zu, and the rows before have %s; give a parameter one kind in all rows",
                row + 1, ph_value_word(value), column + 1, ph_value_word(first)
            );
        }
    }
    *kind = first ? first->kind : value_at(records, 0, column)->kind;
    return true;
}

static bool pack(const ph_records *records, size_t column, ph_column *made, ph_error *error) {
    uint64_t size = 0;
    for (size_t row = 0; row < records->count; row++) {
        const ph_value *value = value_at(records, row, column);
        if (!value->is_null) size += value->slice.length;
    }
    if (size > UINT32_MAX) {
        return ph_fail_as(error, PH_INVALID, "$%zu has more than 4 GiB in all rows; write fewer rows at once", column + 1);
    }
    uint32_t *offsets = ph_alloc((records->count + 1) * sizeof *offsets);
    char *data = ph_alloc((size_t)size);
    for (size_t row = 0; row < records->count; row++) {
        const ph_value *value = value_at(records, row, column);
        size_t length = value->is_null ? 0 : value->slice.length;
        if (length) memcpy(data + offsets[row], value->slice.data, length);
        offsets[row + 1] = offsets[row] + (uint32_t)length;
    }
    made->length = records->count + 1;
    made->offsets = offsets;
    made->data = data;
    made->data_length = (size_t)size;
    return true;
}

/* A list with one entry a row, the type's zero at nulls. */
#define LIST(type, into, field) \
    do { \
        type *list = ph_alloc(records->count * sizeof *list); \
        for (size_t row = 0; row < records->count; row++) { \
            const ph_value *value = value_at(records, row, column); \
            if (!value->is_null) list[row] = value->field; \
        } \
        made->into = list; \
    } while (0)

static bool lay_out(const ph_records *records, size_t column, ph_column *made, ph_error *error) {
    if (!find_kind(records, column, &made->kind, error)) return false;
    size_t bytes = (records->count + 7) / 8;
    uint8_t *validity = ph_alloc(bytes);
    bool nulls = false;
    for (size_t row = 0; row < records->count; row++) {
        if (value_at(records, row, column)->is_null) {
            nulls = true;
        } else {
            validity[row / 8] = (uint8_t)(validity[row / 8] | 1 << row % 8);
        }
    }
    if (nulls) {
        made->validity = validity;
        made->validity_length = bytes;
    }
    made->length = records->count;
    switch (made->kind) {
        case PH_KIND_BOOLEAN: LIST(bool, booleans, boolean); return true;
        case PH_KIND_INT64:
        case PH_KIND_TIME:
        case PH_KIND_TIMESTAMP: LIST(int64_t, int64s, int64); return true;
        case PH_KIND_FLOAT64: LIST(double, float64s, float64); return true;
        case PH_KIND_UUID: LIST(ph_uuid, uuids, uuid); return true;
        case PH_KIND_DATE: LIST(int32_t, dates, date); return true;
        case PH_KIND_DECIMAL:
        case PH_KIND_TEXT:
        case PH_KIND_BYTES:
        case PH_KIND_JSON: break;
    }
    return pack(records, column, made, error);
}

const ph_column *ph_records_columns(const ph_records *records, ph_error *error) {
    if (records->odd_row) {
        ph_fail_as(
            error, PH_INVALID, "row %zu has %zu values, and the rows before have %zu; give each row one for each parameter",
            records->odd_row, records->odd_width, records->width
        );
        return NULL;
    }
    ph_column *columns = ph_alloc(records->width * sizeof *columns);
    for (size_t column = 0; records->count && column < records->width; column++) {
        if (!lay_out(records, column, &columns[column], error)) return NULL;
    }
    return columns;
}
