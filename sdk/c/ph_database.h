/* The host's database: sessions, transactions, statements and cursors over the host's one connection pool. Which plugin may do what,
   the host decides.

   SQL has one statement to a text, and placeholders are `$1`, `$2`… on both databases. Functions answer whether all went well; else
   they write the error, whose kinds are in ph_error.h. */
#ifndef PH_DATABASE_H
#define PH_DATABASE_H

#include "ph_rows.h"

/* Which connection a session uses. */
typedef enum ph_sharing {
    /* The call chain's own, where a caller's open transaction is joined. */
    PH_SHARED,
    /* Its own, for what must survive the caller's rollback, such as an audit record. */
    PH_SEPARATE,
} ph_sharing;

typedef enum ph_isolation {
    /* The database's own default. */
    PH_DEFAULT,
    PH_READ_COMMITTED,
    PH_REPEATABLE_READ,
    PH_SERIALIZABLE,
} ph_isolation;

/* All 0 is a transaction that may write, at the database's own isolation, until the call's deadline. */
typedef struct ph_options {
    ph_isolation isolation;
    bool read_only;
    /* Whether there is a timeout, which is in microseconds from begin to commit. */
    bool has_timeout;
    uint64_t timeout;
} ph_options;

/* What runs statements: a session or a transaction. Every function for statements takes either. */
typedef struct ph_db {
    const struct ph_backend *backend;
    /* The host's handle; 0 = closed. */
    int32_t handle;
    bool is_transaction;
    /* Whether somebody else's work was in the way of one of its statements. */
    bool met_conflict;
    /* Of a test's own backend. */
    void *context;
} ph_db;

/* A way to the database that holds no connection between statements: each takes one, commits by itself, and gives it back. It may be kept
   in a global and used in later calls. */
typedef ph_db ph_session;

/* An open transaction or savepoint. It ends with the call. */
typedef ph_db ph_transaction;

/* The plugin's shared session, which is opened once and stays open; NULL and the error where it can't be opened. */
ph_session *ph_shared(ph_error *error);

/* A session of one's own. ph_close gives it back. */
bool ph_session_open(ph_sharing sharing, ph_session *session, ph_error *error);

/* Gives a session back, or rolls a transaction back that has not ended. What is closed already, and what is all 0, stays so. */
void ph_close(ph_db *db);

/* All rows of a result. More rows or bytes than the plugin's limit are an error (ph_is_too_large), never a part of the rows. */
bool ph_query(ph_db *db, const char *sql, ph_params params, ph_rows *rows, ph_error *error);

/* The only row. None is the error PH_NO_ROW, more than one PH_MANY_ROWS. */
bool ph_query_one(ph_db *db, const char *sql, ph_params params, ph_row *row, ph_error *error);

/* The only row, if there is one; `found` says so. */
bool ph_query_optional(ph_db *db, const char *sql, ph_params params, bool *found, ph_row *row, ph_error *error);

/* The first cell of the only row; 0 or an empty text with an error. An error that is there already stays, and nothing is asked then. */
int64_t ph_query_int64(ph_db *db, const char *sql, ph_params params, ph_error *error);
bool ph_query_boolean(ph_db *db, const char *sql, ph_params params, ph_error *error);
const char *ph_query_text(ph_db *db, const char *sql, ph_params params, ph_error *error);
const char *ph_query_decimal(ph_db *db, const char *sql, ph_params params, ph_error *error);

/* Runs a statement and counts the rows that it changed; `changed` may be NULL. */
bool ph_execute(ph_db *db, const char *sql, ph_params params, uint64_t *changed, ph_error *error);

/* Runs one prepared statement once for each record, in order and all of it or nothing, and sums up the rows changed; `changed` may be
   NULL. The error names the record where that is known. Without records nothing is asked.

       ph_records fills = {0};
       ph_records_add(&fills, PH_PARAMS(ph_text("AAPL"), ph_decimal("101.10")));
       ph_execute_many(tx, "INSERT INTO fills (symbol, price) VALUES ($1, $2)", &fills, NULL, error); */
bool ph_execute_many(ph_db *db, const char *sql, const ph_records *records, uint64_t *changed, ph_error *error);

/* The same of columns that are there already, one for each parameter. */
bool ph_execute_columns(
    ph_db *db, const char *sql, const ph_column *columns, size_t count, uint64_t *changed, ph_error *error
);

/* A result that is read bit by bit. It ends with the transaction that it was opened in, and with the call. */
typedef struct ph_cursor {
    const struct ph_backend *backend;
    /* The host's handle; 0 = closed. */
    int32_t handle;
    /* Whether it is closed because everything was read. */
    bool at_end;
    const ph_column_info *infos;
    size_t column_count;
    /* The batch that rows are taken from, and the next row's index. */
    ph_rows batch;
    size_t next;
    /* Of one batch; the infos are the call's. */
    ph_arena *arena;
    void *context;
} ph_cursor;

/* Opens a cursor over a query that only reads. Outside a transaction it holds a connection of its own until it is closed: at its end, at
   an error, or by ph_cursor_close. */
bool ph_open_cursor(ph_db *db, const char *sql, ph_params params, ph_cursor *cursor, ph_error *error);

/* The next row, which is there until the one after it is asked for. Answers false at the end, where `error->kind` is PH_OK, and at an
   error; the cursor is closed then. Of one that was closed before its end, it answers PH_CLOSED.

       ph_row row;
       while (ph_cursor_next(&cursor, &row, error)) PH_SCOPE {
           …
       }
       if (error->kind) return false; */
bool ph_cursor_next(ph_cursor *cursor, ph_row *row, ph_error *error);

/* The next rows as the host batches them, instead of row by row; they are there until the next are asked for. Ends as ph_cursor_next. */
bool ph_cursor_next_batch(ph_cursor *cursor, ph_rows *rows, ph_error *error);

/* Cancels the rest of a cursor that is left before its end. One that is closed, and one that is all 0, stays so. */
void ph_cursor_close(ph_cursor *cursor);

/* What is done with one row; false ends it with the error. */
typedef bool (*ph_visit)(ph_row row, void *context, ph_error *error);

/* Hands each row to `visit`: in one answer where that is within the plugin's limits, through a cursor where it is not. The right way to
   read a table whose size nobody promised. A query that changes rows is not for it, for it may run twice. */
bool ph_each(ph_db *db, const char *sql, ph_params params, ph_visit visit, void *context, ph_error *error);

/* Work that belongs together. */
typedef bool (*ph_work)(ph_transaction *tx, void *context, ph_error *error);

/* Runs `work` in a transaction: committed if it answers true, rolled back if it answers false. Where a caller has a transaction open, it
   is a savepoint in that. `options` may be NULL. */
bool ph_in_transaction(const ph_options *options, ph_work work, void *context, ph_error *error);

/* The same on a connection of its own, which the caller's rollback does not undo. */
bool ph_in_separate(const ph_options *options, ph_work work, void *context, ph_error *error);

/* ph_in_transaction, run again from its start when somebody else's work was in the way, at most `attempts` times and at least once. For
   work that does nothing outside the transaction: `work` begins anew each time, so must what it writes to `context`. */
bool ph_in_transaction_retrying(
    unsigned attempts, const ph_options *options, ph_work work, void *context, ph_error *error
);

/* Runs `work` in a savepoint: what may fail without ending the transaction, which on PostgreSQL a failed statement does. */
bool ph_in_savepoint(ph_transaction *tx, ph_work work, void *context, ph_error *error);

/* The same by hand. A transaction that is neither committed nor rolled back when the call ends is rolled back, and fails the call. */
bool ph_begin(ph_session *session, const ph_options *options, ph_transaction *tx, ph_error *error);
/* While a savepoint is open, the transaction around it is not to be used. */
bool ph_savepoint(ph_transaction *tx, ph_transaction *savepoint, ph_error *error);
bool ph_commit(ph_transaction *tx, ph_error *error);
bool ph_rollback(ph_transaction *tx, ph_error *error);

/* What stands behind sessions, transactions and cursors: the host, or a test's own. A test fills in what its code asks for, and makes
   `ph_host` point at it. */
typedef struct ph_backend {
    bool (*open)(ph_sharing sharing, ph_session *session, ph_error *error);
    void (*close)(ph_db *db);
    bool (*query)(ph_db *db, const char *sql, ph_params params, ph_rows *rows, ph_error *error);
    bool (*execute)(ph_db *db, const char *sql, ph_params params, uint64_t *changed, ph_error *error);
    bool (*execute_columns)(
        ph_db *db, const char *sql, const ph_column *columns, size_t count, uint64_t *changed, ph_error *error
    );
    bool (*begin)(ph_session *session, const ph_options *options, ph_transaction *tx, ph_error *error);
    bool (*savepoint)(ph_transaction *tx, ph_transaction *savepoint, ph_error *error);
    /* Ends the transaction either way, also with an error. */
    bool (*end)(ph_transaction *tx, bool commits, ph_error *error);
    bool (*open_cursor)(ph_db *db, const char *sql, ph_params params, ph_cursor *cursor, ph_error *error);
    /* Answers false at the end and at an error. */
    bool (*next)(ph_cursor *cursor, ph_rows *rows, ph_error *error);
    void (*close_cursor)(ph_cursor *cursor);
} ph_backend;

/* The one that sessions are opened on; NULL natively, and in a world that does not import the database. */
extern const ph_backend *ph_host;

#endif
