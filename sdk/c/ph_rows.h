/* Results, read cell by cell out of the columns that the host laid them out in. How they are asked for is in ph_database.h. */
#ifndef PH_ROWS_H
#define PH_ROWS_H

#include "ph_value.h"

/* What the database says of a result's column. */
typedef struct ph_column_info {
    const char *name;
    ph_kind kind;
    /* The database's own name of the type; empty for an SQLite expression. */
    const char *database_type;
} ph_column_info;

/* A result, or a batch of one. */
typedef struct ph_rows {
    size_t count;
    /* Infos and columns are in the same order. */
    const ph_column_info *infos;
    const ph_column *columns;
    size_t column_count;
    /* Rows of the batches before this one. */
    uint64_t before;
} ph_rows;

/* One row; it is there as long as its result. */
typedef struct ph_row {
    const ph_rows *rows;
    size_t index;
} ph_row;

/* The row of that index, from 0; `index` is less than `rows->count`. */
static inline ph_row ph_row_at(const ph_rows *rows, size_t index) {
    return (ph_row){rows, index};
}

/* The index of the column of that name. For loops over many rows, whose cells are then read by index; reading by name looks for the
   column each time. Where there is none, that becomes the error, and the answer is 0. */
size_t ph_column_index(const ph_rows *rows, const char *name, ph_error *error);

/* One cell by its column's name, or by its column's index from 0. A cell that is null or none of the type becomes the error, which names
   column and row, and the answer is 0 then, or the empty text. An error that is there already stays: read a whole row, then look at
   `error->kind` once.

   Nothing is rounded, cut off or taken for something else. Texts live until the call ends. */

/* A boolean; SQLite's expressions are 0 or 1, which is taken, too. */
bool ph_row_boolean(ph_row row, const char *column, ph_error *error);
bool ph_row_boolean_at(ph_row row, size_t column, ph_error *error);

/* An integer, or a decimal that is a whole number and fits: PostgreSQL's sums of integers are decimals. */
int64_t ph_row_int64(ph_row row, const char *column, ph_error *error);
int64_t ph_row_int64_at(ph_row row, size_t column, ph_error *error);

/* A floating-point number. */
double ph_row_float64(ph_row row, const char *column, ph_error *error);
double ph_row_float64_at(ph_row row, size_t column, ph_error *error);

/* A decimal or an integer, as text for ph_decimal.h. PostgreSQL's `NaN` and infinities are none; ph_row_text reads them. */
const char *ph_row_decimal(ph_row row, const char *column, ph_error *error);
const char *ph_row_decimal_at(ph_row row, size_t column, ph_error *error);

/* A text, JSON or a decimal, as a C string. One with a zero byte in it is none; ph_row_slice reads it. */
const char *ph_row_text(ph_row row, const char *column, ph_error *error);
const char *ph_row_text_at(ph_row row, size_t column, ph_error *error);

/* Bytes, a text, JSON or a decimal, where they are: nothing is copied. They are there as long as the result. */
ph_slice ph_row_slice(ph_row row, const char *column, ph_error *error);
ph_slice ph_row_slice_at(ph_row row, size_t column, ph_error *error);

ph_uuid ph_row_uuid(ph_row row, const char *column, ph_error *error);
ph_uuid ph_row_uuid_at(ph_row row, size_t column, ph_error *error);

/* Days, microseconds since midnight, and microseconds since 1970-01-01T00:00:00Z: see ph_time.h, also for PostgreSQL's infinities. */
int32_t ph_row_date(ph_row row, const char *column, ph_error *error);
int32_t ph_row_date_at(ph_row row, size_t column, ph_error *error);
int64_t ph_row_time(ph_row row, const char *column, ph_error *error);
int64_t ph_row_time_at(ph_row row, size_t column, ph_error *error);
int64_t ph_row_timestamp(ph_row row, const char *column, ph_error *error);
int64_t ph_row_timestamp_at(ph_row row, size_t column, ph_error *error);

/* Whether the cell is null. What may be null is asked first:
   `ph_row_is_null(row, "note", error) ? NULL : ph_row_text(row, "note", error)`. */
bool ph_row_is_null(ph_row row, const char *column, ph_error *error);
bool ph_row_is_null_at(ph_row row, size_t column, ph_error *error);

/* The cell as it is, whatever its kind. */
ph_value ph_row_value(ph_row row, const char *column, ph_error *error);
ph_value ph_row_value_at(ph_row row, size_t column, ph_error *error);

/* For tests that stand in for the database: a result of records, whose columns are named until NULL. Traps where the records can't be
   columns. `ph_rows_of(&records, "name", "balance", NULL)` */
ph_rows ph_rows_of(const ph_records *records, ...) __attribute__((sentinel));

#endif
