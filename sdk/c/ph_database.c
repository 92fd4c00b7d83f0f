/* Statements and cursors on whatever backend there is; transactions as scopes are in ph_transaction.c. */
#include "ph_database.h"

const ph_backend *ph_host;

/* A function of the backend that is not there is a test's mistake. */
#define BACKEND(of, function) \
    ((of)->backend && (of)->backend->function \
         ? (of)->backend->function \
         : (ph_panic("%s: there is no database behind it; open it first, or fill in `%s` of the test's ph_backend", __func__, #function), \
            (of)->backend->function))

/* Remembers a conflict, so that the transaction is run again even if the plugin answers an error of its own. */
static bool noted(ph_db *db, bool fine, const ph_error *error) {
    if (!fine && error->kind == PH_CONFLICT) db->met_conflict = true;
    return fine;
}

bool ph_session_open(ph_sharing sharing, ph_session *session, ph_error *error) {
    *session = (ph_session){.backend = ph_host};
    if (ph_host && ph_host->open) return ph_host->open(sharing, session, error);
    return ph_fail_as(
        error, PH_INVALID,
        "there is no database here; import `poolhouse:database/database@0.1.0` in wit/world.wit, or in a test point ph_host at a backend"
    );
}

ph_session *ph_shared(ph_error *error) {
    static ph_session session;
    if (session.backend && session.backend == ph_host) return &session;
    ph_session opened;
    if (!ph_session_open(PH_SHARED, &opened, error)) return NULL;
    session = opened;
    return &session;
}

void ph_close(ph_db *db) {
    if (db->backend && db->backend->close) db->backend->close(db);
    *db = (ph_db){0};
}

bool ph_query(ph_db *db, const char *sql, ph_params params, ph_rows *rows, ph_error *error) {
    return noted(db, BACKEND(db, query)(db, sql, params, rows, error), error);
}

bool ph_query_optional(ph_db *db, const char *sql, ph_params params, bool *found, ph_row *row, ph_error *error) {
    ph_rows *rows = ph_alloc(sizeof *rows);
    *found = false;
    *row = ph_row_at(rows, 0);
    if (!ph_query(db, sql, params, rows, error)) return false;
    if (rows->count > 1) {
        return ph_fail_as(
            error, PH_MANY_ROWS, "the query answered %zu rows, and one is needed; narrow its WHERE, add LIMIT 1, or read them all",
            rows->count
        );
    }
    *found = rows->count == 1;
    return true;
}

bool ph_query_one(ph_db *db, const char *sql, ph_params params, ph_row *row, ph_error *error) {
    bool found;
    if (!ph_query_optional(db, sql, params, &found, row, error)) return false;
    if (found) return true;
    return ph_fail_as(
        error, PH_NO_ROW, "the query answered no row, and one is needed; where there may be none, use ph_query_optional"
    );
}

#define SCALAR(type, name, none) \
    type ph_query_##name(ph_db *db, const char *sql, ph_params params, ph_error *error) { \
        ph_row row; \
        if (error->kind || !ph_query_one(db, sql, params, &row, error)) return none; \
        return ph_row_##name##_at(row, 0, error); \
    }

SCALAR(int64_t, int64, 0)
SCALAR(bool, boolean, false)
SCALAR(const char *, text, "")
SCALAR(const char *, decimal, "0")

bool ph_execute(ph_db *db, const char *sql, ph_params params, uint64_t *changed, ph_error *error) {
    uint64_t count = 0;
    bool fine = noted(db, BACKEND(db, execute)(db, sql, params, &count, error), error);
    if (changed) *changed = count;
    return fine;
}

bool ph_execute_columns(
    ph_db *db, const char *sql, const ph_column *columns, size_t count, uint64_t *changed, ph_error *error
) {
    uint64_t sum = 0;
    bool fine = noted(db, BACKEND(db, execute_columns)(db, sql, columns, count, &sum, error), error);
    if (changed) *changed = sum;
    return fine;
}

bool ph_execute_many(ph_db *db, const char *sql, const ph_records *records, uint64_t *changed, ph_error *error) {
    if (changed) *changed = 0;
    if (!records->count && !records->odd_row) return true;
    ph_scope scope = ph_scope_begin();
    const ph_column *columns = ph_records_columns(records, error);
    if (!columns || !ph_execute_columns(db, sql, columns, records->width, changed, error)) return false;
    ph_scope_end(&scope);
    return true;
}

bool ph_open_cursor(ph_db *db, const char *sql, ph_params params, ph_cursor *cursor, ph_error *error) {
    *cursor = (ph_cursor){.backend = db->backend, .context = db->context};
    cursor->arena = ph_arena_new();
    if (!noted(db, BACKEND(db, open_cursor)(db, sql, params, cursor, error), error)) {
        ph_arena_free(cursor->arena);
        *cursor = (ph_cursor){0};
        return false;
    }
    return true;
}

/* Gives everything back but what is known of the columns. */
static void close_cursor(ph_cursor *cursor) {
    if (cursor->handle && cursor->backend->close_cursor) cursor->backend->close_cursor(cursor);
    ph_arena_free(cursor->arena);
    *cursor = (ph_cursor){.infos = cursor->infos, .column_count = cursor->column_count};
}

bool ph_cursor_next_batch(ph_cursor *cursor, ph_rows *rows, ph_error *error) {
    if (cursor->at_end) return false;
    if (!cursor->handle) return ph_fail_as(error, PH_CLOSED, "the cursor is closed; open another");
    uint64_t before = cursor->batch.before + cursor->batch.count;
    ph_arena_clear(cursor->arena);
    *rows = (ph_rows){.infos = cursor->infos, .column_count = cursor->column_count};
    if (!BACKEND(cursor, next)(cursor, rows, error)) {
        /* Closed here, so that its connection goes back although the cursor itself lives on. */
        close_cursor(cursor);
        cursor->at_end = !error->kind;
        return false;
    }
    rows->before = before;
    cursor->batch = *rows;
    cursor->next = rows->count;
    return true;
}

bool ph_cursor_next(ph_cursor *cursor, ph_row *row, ph_error *error) {
    while (cursor->next >= cursor->batch.count) {
        ph_rows rows;
        if (!ph_cursor_next_batch(cursor, &rows, error)) return false;
        cursor->next = 0;
    }
    *row = ph_row_at(&cursor->batch, cursor->next++);
    return true;
}

void ph_cursor_close(ph_cursor *cursor) {
    close_cursor(cursor);
    *cursor = (ph_cursor){0};
}

static bool each_of_cursor(ph_cursor *cursor, ph_visit visit, void *context, ph_error *error) {
    ph_row row;
    while (ph_cursor_next(cursor, &row, error)) {
        ph_scope scope = ph_scope_begin();
        if (!visit(row, context, error)) {
            ph_cursor_close(cursor);
            return false;
        }
        ph_scope_end(&scope);
    }
    return !error->kind;
}

bool ph_each(ph_db *db, const char *sql, ph_params params, ph_visit visit, void *context, ph_error *error) {
    ph_rows rows;
    if (ph_query(db, sql, params, &rows, error)) {
        for (size_t i = 0; i < rows.count; i++) {
            ph_scope scope = ph_scope_begin();
            if (!visit(ph_row_at(&rows, i), context, error)) return false;
            ph_scope_end(&scope);
        }
        return true;
    }
    if (!ph_is_too_large(error)) return false;
    ph_error limit = *error;
    ph_cursor cursor;
    *error = (ph_error){0};
    if (ph_open_cursor(db, sql, params, &cursor, error)) return each_of_cursor(&cursor, visit, context, error);
    /* A query that can't have a cursor: the limit is what matters. */
    if (error->kind == PH_INVALID) *error = limit;
    return false;
}
