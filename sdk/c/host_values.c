/* Turns the SDK's values, columns and errors into the bindings' and back, without copying what columns hold. */
#include "plugin.h"

#ifdef POOLHOUSE_DATABASE_DATABASE_SHARING_SHARED

#include "host_values.h"

#include <string.h>

/* The SDK's enums are the contract's, case by case in the same order. */
_Static_assert((int)PH_KIND_JSON == POOLHOUSE_DATABASE_TYPES_KIND_JSON, "kinds");
_Static_assert((int)PH_KIND_JSON == POOLHOUSE_DATABASE_TYPES_VALUES_JSON, "values");
_Static_assert((int)PH_KIND_JSON + 1 == POOLHOUSE_DATABASE_TYPES_VALUE_JSON, "a value is null, or of a kind");
_Static_assert((int)PH_DENIED == POOLHOUSE_DATABASE_TYPES_ERROR_DENIED + 2, "errors");
_Static_assert((int)PH_CLOSED == POOLHOUSE_DATABASE_TYPES_ERROR_CLOSED + 2, "errors");
_Static_assert((int)PH_OTHER_REASON == POOLHOUSE_DATABASE_TYPES_UNAVAILABLE_REASON_OTHER, "reasons");
_Static_assert((int)PH_CALL_TIME == POOLHOUSE_DATABASE_TYPES_TIMEOUT_KIND_CALL, "timeouts");
_Static_assert((int)PH_EXCLUSION == POOLHOUSE_DATABASE_TYPES_CONSTRAINT_KIND_EXCLUSION, "constraints");
_Static_assert((int)PH_BUSY == POOLHOUSE_DATABASE_TYPES_CONFLICT_KIND_BUSY, "conflicts");
_Static_assert((int)PH_LIMIT_DEPTH == POOLHOUSE_DATABASE_TYPES_LIMIT_KIND_DEPTH, "limits");
_Static_assert((int)PH_SEPARATE == POOLHOUSE_DATABASE_DATABASE_SHARING_SEPARATE, "sharing");
_Static_assert((int)PH_SERIALIZABLE == POOLHOUSE_DATABASE_DATABASE_ISOLATION_SERIALIZABLE, "isolation");
_Static_assert(sizeof(ph_uuid) == sizeof(poolhouse_database_types_uuid_t), "uuids");

plugin_string_t host_string(const char *text) {
    return (plugin_string_t){(uint8_t *)text, strlen(text)};
}

static const char *copy(plugin_string_t text) {
    return ph_copy(text.ptr, text.len);
}

static const char *copy_optional(plugin_option_string_t text) {
    return text.is_some ? copy(text.val) : NULL;
}

static void statement(const poolhouse_database_types_statement_failed_t *failed, ph_error *error) {
    error->statement.code = copy(failed->code);
    error->statement.message = copy(failed->message);
    error->statement.detail = copy_optional(failed->detail);
    error->statement.hint = copy_optional(failed->hint);
    error->statement.position = failed->position.is_some ? failed->position.val : 0;
    const char *message = error->statement.message;
    if (error->statement.detail) message = ph_format("%s (%s)", message, error->statement.detail);
    if (error->statement.hint) message = ph_format("%s (%s)", message, error->statement.hint);
    error->message = message;
}

static void constraint(const poolhouse_database_types_constraint_t *failed, ph_error *error) {
    const char **columns = ph_alloc(failed->columns.len * sizeof *columns);
    for (size_t i = 0; i < failed->columns.len; i++) columns[i] = copy(failed->columns.ptr[i]);
    error->message = copy(failed->message);
    error->constraint.kind = (ph_constraint_kind)failed->kind;
    error->constraint.name = copy(failed->name);
    error->constraint.table = copy(failed->table);
    error->constraint.columns = columns;
    error->constraint.column_count = failed->columns.len;
}

bool host_error(const poolhouse_database_types_error_t *failed, ph_error *error) {
    *error = (ph_error){.kind = (ph_error_kind)(failed->tag + PH_DENIED)};
    switch (error->kind) {
        case PH_DENIED: error->message = copy(failed->val.denied.message); break;
        case PH_INVALID: error->message = copy(failed->val.invalid.message); break;
        case PH_POOL_EXHAUSTED:
            error->message = copy(failed->val.pool_exhausted.message);
            error->pool_exhausted.waited = failed->val.pool_exhausted.waited;
            error->pool_exhausted.size = failed->val.pool_exhausted.size;
            error->pool_exhausted.overflow = failed->val.pool_exhausted.overflow;
            error->pool_exhausted.checked_out = failed->val.pool_exhausted.checked_out;
            error->pool_exhausted.waiting = failed->val.pool_exhausted.waiting;
            break;
        case PH_UNAVAILABLE:
            error->message = copy(failed->val.unavailable.message);
            error->unavailable.reason = (ph_unavailable_reason)failed->val.unavailable.reason;
            error->unavailable.outcome_unknown = failed->val.unavailable.outcome_unknown;
            break;
        case PH_TIMEOUT:
            error->message = copy(failed->val.timeout.message);
            error->timeout.kind = (ph_timeout_kind)failed->val.timeout.kind;
            error->timeout.limit = failed->val.timeout.limit;
            break;
        case PH_CONSTRAINT: constraint(&failed->val.constraint, error); break;
        case PH_CONFLICT:
            error->message = copy(failed->val.conflict.message);
            error->conflict.kind = (ph_conflict_kind)failed->val.conflict.kind;
            break;
        case PH_STATEMENT: statement(&failed->val.statement, error); break;
        case PH_LIMIT:
            error->message = copy(failed->val.limit.message);
            error->limit.kind = (ph_limit_kind)failed->val.limit.kind;
            error->limit.maximum = failed->val.limit.maximum;
            break;
        default: error->message = copy(failed->val.closed); break;
    }
    return false;
}

static plugin_list_u8_t bytes_of(const void *data, size_t length) {
    return (plugin_list_u8_t){(uint8_t *)data, length};
}

static poolhouse_database_types_packed_t packed_of(const ph_column *column) {
    return (poolhouse_database_types_packed_t){
        .offsets = {(uint32_t *)column->offsets, column->length},
        .data = bytes_of(column->data, column->data_length),
    };
}

static poolhouse_database_types_column_t column_out(const ph_column *column) {
    poolhouse_database_types_column_t out = {
        .validity = bytes_of(column->validity, column->validity_length),
        .values.tag = (uint8_t)column->kind,
    };
    switch (column->kind) {
        case PH_KIND_BOOLEAN: out.values.val.boolean = (plugin_list_bool_t){(bool *)column->booleans, column->length}; break;
        /* The lists of whole numbers of 64 bits are laid out alike. */
        case PH_KIND_INT64:
        case PH_KIND_TIME:
        case PH_KIND_TIMESTAMP: out.values.val.int64 = (plugin_list_s64_t){(int64_t *)column->int64s, column->length}; break;
        case PH_KIND_FLOAT64: out.values.val.float64 = (plugin_list_f64_t){(double *)column->float64s, column->length}; break;
        case PH_KIND_UUID:
            out.values.val.uuid.ptr = (poolhouse_database_types_uuid_t *)column->uuids;
            out.values.val.uuid.len = column->length;
            break;
        case PH_KIND_DATE:
            out.values.val.date.ptr = (int32_t *)column->dates;
            out.values.val.date.len = column->length;
            break;
        case PH_KIND_DECIMAL:
        case PH_KIND_TEXT:
        case PH_KIND_BYTES:
        case PH_KIND_JSON: out.values.val.text = packed_of(column); break;
    }
    return out;
}

poolhouse_database_database_list_column_t host_columns_out(const ph_column *columns, size_t count) {
    poolhouse_database_types_column_t *list = ph_alloc(count * sizeof *list);
    for (size_t i = 0; i < count; i++) list[i] = column_out(&columns[i]);
    return (poolhouse_database_database_list_column_t){list, count};
}

static poolhouse_database_types_value_t value_out(const ph_value *value) {
    poolhouse_database_types_value_t out = {.tag = POOLHOUSE_DATABASE_TYPES_VALUE_NULL};
    if (value->is_null) return out;
    if (value->is_array) {
        out.tag = POOLHOUSE_DATABASE_TYPES_VALUE_ARRAY;
        out.val.array = column_out(value->array);
        return out;
    }
    out.tag = (uint8_t)(value->kind + 1);
    switch (value->kind) {
        case PH_KIND_BOOLEAN: out.val.boolean = value->boolean; break;
        case PH_KIND_INT64:
        case PH_KIND_TIME:
        case PH_KIND_TIMESTAMP: out.val.int64 = value->int64; break;
        case PH_KIND_FLOAT64: out.val.float64 = value->float64; break;
        case PH_KIND_UUID: out.val.uuid = (poolhouse_database_types_uuid_t){value->uuid.high, value->uuid.low}; break;
        case PH_KIND_DATE: out.val.date = value->date; break;
        case PH_KIND_DECIMAL:
        case PH_KIND_TEXT:
        case PH_KIND_BYTES:
        case PH_KIND_JSON: out.val.bytes = bytes_of(value->slice.data, value->slice.length); break;
    }
    return out;
}

poolhouse_database_database_list_value_t host_params(ph_params params) {
    poolhouse_database_types_value_t *list = ph_alloc(params.count * sizeof *list);
    for (size_t i = 0; i < params.count; i++) list[i] = value_out(&params.list[i]);
    return (poolhouse_database_database_list_value_t){list, params.count};
}

static ph_column column_in(const poolhouse_database_types_column_t *in) {
    ph_column column = {
        .kind = (ph_kind)in->values.tag,
        .validity = in->validity.ptr,
        .validity_length = in->validity.len,
    };
    if (ph_is_packed(column.kind)) {
        const poolhouse_database_types_packed_t *packed = &in->values.val.text;
        column.length = packed->offsets.len;
        column.offsets = packed->offsets.ptr;
        column.data = (const char *)packed->data.ptr;
        column.data_length = packed->data.len;
        return column;
    }
    /* Every list is a pointer and a length. */
    column.length = in->values.val.int64.len;
    column.int64s = in->values.val.int64.ptr;
    return column;
}

const ph_column *host_columns_in(const poolhouse_database_types_list_column_t *list) {
    ph_column *columns = ph_alloc(list->len * sizeof *columns);
    for (size_t i = 0; i < list->len; i++) columns[i] = column_in(&list->ptr[i]);
    return columns;
}

const ph_column_info *host_infos(const poolhouse_database_types_column_info_t *list, size_t count) {
    ph_column_info *infos = ph_alloc(count * sizeof *infos);
    for (size_t i = 0; i < count; i++) {
        /* Texts of the host end with a zero byte, but one without any bytes has none. */
        infos[i] = (ph_column_info){
            .name = list[i].name.len ? (const char *)list[i].name.ptr : "",
            .kind = (ph_kind)list[i].kind,
            .database_type = list[i].database_type.len ? (const char *)list[i].database_type.ptr : "",
        };
    }
    return infos;
}

#endif
