/* What can go wrong: the host's typed errors, cells of another type, and sentences of the plugin's own. How an error leaves the plugin,
   ph_strategy.h and ph_service.h say. */
#ifndef PH_ERROR_H
#define PH_ERROR_H

#include "ph_memory.h"

/* The cases of an error. */
typedef enum ph_error_kind {
    /* Nothing went wrong: an error that is all 0. */
    PH_OK = 0,
    /* The plugin's own, made by ph_fail. */
    PH_FAILED,
    /* The grant does not allow it; the message has the lines to add to host.toml. */
    PH_DENIED,
    /* The host refused it before the database saw it: mend the plugin. */
    PH_INVALID,
    /* No connection became free in time, or none was free at once for a chain that holds one. */
    PH_POOL_EXHAUSTED,
    /* The database can't be reached, or the connection broke. */
    PH_UNAVAILABLE,
    /* The statement's, the transaction's or the call's time was up. */
    PH_TIMEOUT,
    /* A rule of the table would have been broken. */
    PH_CONSTRAINT,
    /* Somebody else's work was in the way: the transaction is gone, run it again from its start. */
    PH_CONFLICT,
    /* The database refused the SQL. */
    PH_STATEMENT,
    /* Too many rows, bytes, handles, parameters… */
    PH_LIMIT,
    /* The transaction or cursor had ended. */
    PH_CLOSED,
    /* A cell is none of the type asked for, or there is no such column. */
    PH_DECODE,
    /* One row was needed, and there is none. */
    PH_NO_ROW,
    /* One row was needed, and there are more. */
    PH_MANY_ROWS,
} ph_error_kind;

typedef enum ph_unavailable_reason {
    PH_UNREACHABLE,
    PH_AUTHENTICATION,
    PH_NO_DATABASE,
    PH_TLS,
    PH_NOT_READY,
    PH_FILE,
    PH_OTHER_REASON,
} ph_unavailable_reason;

typedef enum ph_timeout_kind { PH_STATEMENT_TIME, PH_TRANSACTION_TIME, PH_CALL_TIME } ph_timeout_kind;

typedef enum ph_constraint_kind { PH_UNIQUE, PH_FOREIGN_KEY, PH_NOT_NULL, PH_CHECK, PH_EXCLUSION } ph_constraint_kind;

typedef enum ph_conflict_kind { PH_SERIALIZATION, PH_DEADLOCK, PH_BUSY } ph_conflict_kind;

typedef enum ph_limit_kind {
    PH_LIMIT_ROWS,
    PH_LIMIT_BYTES,
    PH_LIMIT_CONNECTIONS,
    PH_LIMIT_HANDLES,
    PH_LIMIT_SQL_LENGTH,
    PH_LIMIT_PARAMETERS,
    PH_LIMIT_DEPTH,
} ph_limit_kind;

/* Begins as `ph_error error = {0};`, and its texts live until the call ends. Every function that takes one answers whether all went
   well, or says what it answers instead; it writes the error only if something went wrong. */
typedef struct ph_error {
    ph_error_kind kind;
    /* One sentence for a person; NULL while nothing went wrong. */
    const char *message;
    /* Of the kind alone that it is named after. */
    union {
        struct {
            /* Microseconds. */
            uint64_t waited;
            /* Connections. */
            uint32_t size, overflow, checked_out, waiting;
        } pool_exhausted;
        struct {
            ph_unavailable_reason reason;
            /* A commit was under way: look whether the work is there before doing it again. */
            bool outcome_unknown;
        } unavailable;
        struct {
            ph_timeout_kind kind;
            /* Microseconds. */
            uint64_t limit;
        } timeout;
        struct {
            ph_constraint_kind kind;
            /* Empty where the database does not tell: SQLite names no unique constraint, but its columns. */
            const char *name, *table;
            const char *const *columns;
            size_t column_count;
        } constraint;
        struct {
            ph_conflict_kind kind;
        } conflict;
        struct {
            /* SQLSTATE on PostgreSQL, the extended result code in decimal on SQLite. */
            const char *code;
            /* The database's own words, of which `message` is made; NULL where there are none. */
            const char *message, *detail, *hint;
            /* Characters into the SQL text, from 1; 0 where it is not known. */
            uint32_t position;
        } statement;
        struct {
            ph_limit_kind kind;
            /* In the kind's own unit. */
            uint64_t maximum;
        } limit;
    };
} ph_error;

/* Makes it an error of the plugin's own, and answers false: `return ph_fail(error, "account `%s` does not exist", name);` */
bool ph_fail(ph_error *error, const char *format, ...) PH_PRINTF(2);

/* The same of another kind, for code that stands in for the database. */
bool ph_fail_as(ph_error *error, ph_error_kind kind, const char *format, ...) PH_PRINTF(3);

/* Whether the unique constraint of that name, or of those columns in any order, would have been broken: PostgreSQL tells the name,
   SQLite the columns. The columns end with NULL: `ph_is_unique_violation(&error, "users_name_key", "name", NULL)`. */
bool ph_is_unique_violation(const ph_error *error, const char *name, ...) __attribute__((sentinel));

/* Whether a row that is referred to is missing, or one that is still referred to would go. */
bool ph_is_foreign_key_violation(const ph_error *error);

/* Whether somebody else's work was in the way: run the transaction again from its start, as ph_in_transaction_retrying does. */
bool ph_is_conflict(const ph_error *error);

/* Whether an answer had more rows or bytes than the plugin's limit; a cursor reads it. */
bool ph_is_too_large(const ph_error *error);

/* Whether nobody knows if the commit happened. */
bool ph_is_outcome_unknown(const ph_error *error);

#endif
