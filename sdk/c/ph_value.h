/* What goes into a statement: single values, arrays, and rows of values for a statement that runs once for each. How the database takes
   them, the host decides. */
#ifndef PH_VALUE_H
#define PH_VALUE_H

#include "ph_error.h"
#include "ph_uuid.h"

/* What a value is, and what a column holds. */
typedef enum ph_kind {
    PH_KIND_BOOLEAN,
    PH_KIND_INT64,
    PH_KIND_FLOAT64,
    PH_KIND_DECIMAL,
    PH_KIND_TEXT,
    PH_KIND_BYTES,
    PH_KIND_UUID,
    PH_KIND_DATE,
    PH_KIND_TIME,
    PH_KIND_TIMESTAMP,
    PH_KIND_JSON,
} ph_kind;

/* Bytes that are somewhere else; no zero byte is promised behind them. */
typedef struct ph_slice {
    const char *data;
    size_t length;
} ph_slice;

/* The values of one column, one entry for each row; at a null the entry is the type's zero. Arrow's layout. */
typedef struct ph_column {
    ph_kind kind;
    /* Entries of the list; of `offsets` where there are some, which are one more than the values. */
    size_t length;
    /* One bit a row, least significant bit of the first byte first, 1 = a value, 0 = null; no bytes = no nulls. */
    const uint8_t *validity;
    size_t validity_length;
    union {
        const bool *booleans;
        /* Of the kinds int64, time and timestamp. */
        const int64_t *int64s;
        const double *float64s;
        const ph_uuid *uuids;
        const int32_t *dates;
        /* Of the kinds decimal, text, bytes and json: value `i` is `data[offsets[i]..offsets[i + 1]]`. */
        struct {
            const uint32_t *offsets;
            const char *data;
            size_t data_length;
        };
    };
} ph_column;

/* One value: a parameter, or a cell of a result. Its bytes are not copied, so they stay where they are until the statement has run. */
typedef struct ph_value {
    ph_kind kind;
    bool is_null;
    /* PostgreSQL only: an array of one dimension. */
    bool is_array;
    union {
        bool boolean;
        /* Of the kinds int64, time and timestamp. */
        int64_t int64;
        double float64;
        /* Of the kinds decimal, text, bytes and json. */
        ph_slice slice;
        ph_uuid uuid;
        int32_t date;
        const ph_column *array;
    };
} ph_value;

/* Parameters of a statement: `$1` is the first. */
typedef struct ph_params {
    const ph_value *list;
    size_t count;
} ph_params;

/* `PH_PARAMS(ph_text(name), ph_int64(5))`; of a statement without parameters PH_NO_PARAMS. */
#define PH_PARAMS(...) \
    ((ph_params){(const ph_value[]){__VA_ARGS__}, sizeof((const ph_value[]){__VA_ARGS__}) / sizeof(ph_value)})
#define PH_NO_PARAMS ((ph_params){NULL, 0})

static inline ph_value ph_null(void) {
    return (ph_value){.kind = PH_KIND_TEXT, .is_null = true};
}

/* A null that says of what, for columns of nulls alone. */
static inline ph_value ph_null_of(ph_kind kind) {
    return (ph_value){.kind = kind, .is_null = true};
}

static inline ph_value ph_boolean(bool value) {
    return (ph_value){.kind = PH_KIND_BOOLEAN, .boolean = value};
}

static inline ph_value ph_int64(int64_t value) {
    return (ph_value){.kind = PH_KIND_INT64, .int64 = value};
}

static inline ph_value ph_float64(double value) {
    return (ph_value){.kind = PH_KIND_FLOAT64, .float64 = value};
}

/* A C string of that kind, or null for NULL: see ph_text, ph_decimal and ph_json. */
ph_value ph_string(ph_kind kind, const char *text);

/* A C string in UTF-8; NULL is the database's null. */
static inline ph_value ph_text(const char *value) {
    return ph_string(PH_KIND_TEXT, value);
}

/* So many bytes of UTF-8, zero bytes among them. */
static inline ph_value ph_text_of(const char *data, size_t length) {
    return (ph_value){.kind = PH_KIND_TEXT, .slice = {data, length}};
}

/* An exact decimal number as text, see ph_decimal.h, or PostgreSQL's `NaN`, `Infinity` and `-Infinity`; NULL is the database's null. */
static inline ph_value ph_decimal(const char *value) {
    return ph_string(PH_KIND_DECIMAL, value);
}

/* One JSON text; NULL is the database's null, and not the JSON text `null`. */
static inline ph_value ph_json(const char *value) {
    return ph_string(PH_KIND_JSON, value);
}

static inline ph_value ph_bytes(const void *data, size_t length) {
    return (ph_value){.kind = PH_KIND_BYTES, .slice = {data, length}};
}

static inline ph_value ph_uuid_of(ph_uuid value) {
    return (ph_value){.kind = PH_KIND_UUID, .uuid = value};
}

/* Days since 1970-01-01: see ph_time.h. */
static inline ph_value ph_date(int32_t value) {
    return (ph_value){.kind = PH_KIND_DATE, .date = value};
}

/* Microseconds since midnight. */
static inline ph_value ph_time(int64_t value) {
    return (ph_value){.kind = PH_KIND_TIME, .int64 = value};
}

/* Microseconds since 1970-01-01T00:00:00Z. */
static inline ph_value ph_timestamp(int64_t value) {
    return (ph_value){.kind = PH_KIND_TIMESTAMP, .int64 = value};
}

/* PostgreSQL only: an array of one dimension, `… = ANY($1)`. On SQLite pass JSON and read it with `json_each($1)`. */
static inline ph_value ph_array_of(const ph_column *column) {
    return (ph_value){.is_array = true, .array = column};
}

/* The same of values of one kind, nulls among them; `ph_array(PH_KIND_TEXT, PH_PARAMS(ph_text("AAPL"), ph_text("IBM")))`. Traps where
   one is of another kind. */
ph_value ph_array(ph_kind kind, ph_params values);

/* Rows of values, one value for each parameter, for ph_execute_many; all 0 has none. */
typedef struct ph_records {
    ph_value *values;
    size_t width, count, capacity;
    /* The first row of another width than the rows before it, and that width; 0 = there is none. */
    size_t odd_row, odd_width;
} ph_records;

/* Adds a row; a row of another width than the first is told by ph_execute_many. Its texts and bytes are not copied. */
void ph_records_add(ph_records *records, ph_params row);

/* The rows as columns, `records->width` of them, or NULL and the error: a parameter is of one kind in all rows, or null. */
const ph_column *ph_records_columns(const ph_records *records, ph_error *error);

/* The value of that row, from 0, without copying it. Answers false where the column is shorter or its layout is wrong. */
bool ph_column_value(const ph_column *column, size_t row, ph_value *value);

/* What a value is, in the words of a message: `an integer`. */
const char *ph_value_word(const ph_value *value);

/* How many values a column has, nulls among them. */
size_t ph_column_count(const ph_column *column);

/* Whether the values of that kind are packed into bytes. */
static inline bool ph_is_packed(ph_kind kind) {
    return kind == PH_KIND_DECIMAL || kind == PH_KIND_TEXT || kind == PH_KIND_BYTES || kind == PH_KIND_JSON;
}

#endif
