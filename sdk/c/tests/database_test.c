/* Sessions, transactions and cursors on a backend that stands in for the host, natively. */
#include "ph_test.h"

/* What the code did, letter by letter: begin, savepoint, commit, rollback, query, execute, cursor, next, close. */
static char did[64];
static size_t conflicts, rows_left;
static ph_error_kind begin_fails, too_large, next_fails;

static void note(char letter) {
    did[strlen(did)] = letter;
}

static const char *done(void) {
    char *was = ph_copy(did, strlen(did));
    memset(did, 0, sizeof did);
    return was;
}

static bool open_session(ph_sharing sharing, ph_session *session, ph_error *error) {
    (void)error;
    session->handle = sharing == PH_SHARED ? 1 : 2;
    return true;
}

static void close_any(ph_db *db) {
    if (db->handle) note(db->is_transaction ? 'd' : '.');
}

static bool begin(ph_session *session, const ph_options *options, ph_transaction *tx, ph_error *error) {
    (void)session, (void)options;
    note('b');
    if (begin_fails) return ph_fail_as(error, begin_fails, "not begun");
    tx->handle = 3;
    return true;
}

static bool savepoint(ph_transaction *tx, ph_transaction *made, ph_error *error) {
    (void)tx, (void)error;
    note('s');
    made->handle = 4;
    return true;
}

static bool end(ph_transaction *tx, bool commits, ph_error *error) {
    (void)tx, (void)error;
    note(commits ? 'c' : 'r');
    return true;
}

static bool execute(ph_db *db, const char *sql, ph_params params, uint64_t *changed, ph_error *error) {
    (void)db, (void)sql;
    note('e');
    if (conflicts && conflicts--) return ph_fail_as(error, PH_CONFLICT, "somebody else was first");
    *changed = params.count;
    return true;
}

static bool execute_columns(ph_db *db, const char *sql, const ph_column *columns, size_t count, uint64_t *changed, ph_error *error) {
    (void)db, (void)sql, (void)error;
    note('m');
    *changed = ph_column_count(&columns[0]) * 10 + count;
    return true;
}

static ph_rows numbers(size_t count) {
    ph_records records = {0};
    for (size_t i = 0; i < count; i++) ph_records_add(&records, PH_PARAMS(ph_int64((int64_t)i + 1)));
    return ph_rows_of(&records, "n", NULL);
}

static bool query(ph_db *db, const char *sql, ph_params params, ph_rows *rows, ph_error *error) {
    (void)db, (void)params;
    note('q');
    if (too_large) {
        ph_fail_as(error, too_large, "too many rows");
        error->limit.kind = PH_LIMIT_ROWS;
        return false;
    }
    *rows = numbers((size_t)(*sql - '0'));
    return true;
}

static bool open_cursor(ph_db *db, const char *sql, ph_params params, ph_cursor *cursor, ph_error *error) {
    (void)db, (void)params, (void)error;
    note('o');
    cursor->handle = 5;
    cursor->infos = numbers(1).infos;
    cursor->column_count = 1;
    rows_left = (size_t)(*sql - '0');
    return true;
}

static bool next(ph_cursor *cursor, ph_rows *rows, ph_error *error) {
    note('n');
    if (!rows_left) return next_fails ? ph_fail_as(error, next_fails, "broken") : false;
    ph_arena *before = ph_arena_use(cursor->arena);
    size_t count = rows_left < 2 ? rows_left : 2;
    rows_left -= count;
    *rows = numbers(count);
    ph_arena_use(before);
    return true;
}

static void close_cursor(ph_cursor *cursor) {
    (void)cursor;
    note('x');
}

static const ph_backend stand_in = {
    .open = open_session,
    .close = close_any,
    .query = query,
    .execute = execute,
    .execute_columns = execute_columns,
    .begin = begin,
    .savepoint = savepoint,
    .end = end,
    .open_cursor = open_cursor,
    .next = next,
    .close_cursor = close_cursor,
};

/* Does what the letters say: `e` executes, `E` executes in a savepoint whose failure is put up with, `f` fails. */
static bool work(ph_transaction *tx, void *context, ph_error *error) {
    for (const char *step = context; *step; step++) {
        if (*step == 'e' && !ph_execute(tx, "", PH_NO_PARAMS, NULL, error)) return false;
        if (*step == 'o' && !ph_execute(tx, "", PH_NO_PARAMS, NULL, error)) return ph_fail(error, "of its own");
        if (*step == 'E') {
            ph_error put_up_with = {0};
            ph_in_savepoint(tx, work, "e", &put_up_with);
        }
        if (*step == 'f') return ph_fail(error, "failed");
        if (*step == '?') return false;
    }
    return true;
}

static void transactions(void) {
    ph_error error = {0};
    ph_check(ph_in_transaction(NULL, work, "ee", &error) && !error.kind);
    ph_check_text(done(), "beec");
    ph_check(!ph_in_transaction(NULL, work, "ef", &error));
    ph_check_text(error.message, "failed");
    ph_check_text(done(), "ber");
    ph_check(!ph_in_transaction(NULL, work, "?", &error) && error.message);
    done();
    conflicts = 1;
    ph_check(ph_in_transaction(NULL, work, "Ee", &(ph_error){0}));
    ph_check_text(done(), "bserec");
    ph_check(ph_in_separate(NULL, work, "e", &(ph_error){0}));
    ph_check_text(done(), "bec.");

    /* Conflicts run it again, also where the work answers an error of its own; nothing else does. */
    conflicts = 2;
    ph_check(ph_in_transaction_retrying(3, NULL, work, "e", &error));
    ph_check_text(done(), "berberbec");
    conflicts = 1;
    ph_check(ph_in_transaction_retrying(3, NULL, work, "o", &error));
    ph_check_text(done(), "berbec");
    conflicts = 9;
    ph_check(!ph_in_transaction_retrying(3, NULL, work, "e", &error) && ph_is_conflict(&error));
    ph_check_text(done(), "berberber");
    conflicts = 0;
    ph_check(!ph_in_transaction_retrying(3, NULL, work, "f", &error));
    ph_check_text(done(), "br");
    begin_fails = PH_CLOSED;
    ph_check(!ph_in_transaction_retrying(3, NULL, work, "e", &error) && error.kind == PH_CLOSED);
    ph_check_text(done(), "b");
    begin_fails = PH_OK;

    ph_transaction tx = {0};
    ph_check(!ph_commit(&tx, &error) && error.kind == PH_CLOSED);
    ph_check(ph_begin(ph_shared(&error), NULL, &tx, &error) && ph_rollback(&tx, &error));
    ph_check(!ph_rollback(&tx, &error) && error.kind == PH_CLOSED);
    ph_close(&tx);
    ph_check_text(done(), "br");
}

static void statements(void) {
    ph_error error = {0};
    ph_session *session = ph_shared(&error);
    ph_check(ph_query_int64(session, "1", PH_NO_PARAMS, &error) == 1 && !error.kind);
    ph_row row;
    bool found = true;
    ph_check(ph_query_optional(session, "0", PH_NO_PARAMS, &found, &row, &error) && !found);
    ph_check(!ph_query_one(session, "0", PH_NO_PARAMS, &row, &error) && error.kind == PH_NO_ROW);
    ph_check(!ph_query_one(session, "3", PH_NO_PARAMS, &row, &error) && error.kind == PH_MANY_ROWS);
    /* An error that is there already stays, and nothing is asked. */
    done();
    ph_check(ph_query_int64(session, "1", PH_NO_PARAMS, &error) == 0 && error.kind == PH_MANY_ROWS);
    ph_check_text(done(), "");

    uint64_t changed = 9;
    ph_records records = {0};
    ph_check(ph_execute_many(session, "", &records, &changed, &error) && changed == 0);
    ph_records_add(&records, PH_PARAMS(ph_int64(1), ph_text("a")));
    ph_records_add(&records, PH_PARAMS(ph_int64(2), ph_text("b")));
    ph_check(ph_execute_many(session, "", &records, &changed, &error) && changed == 22);
    ph_check_text(done(), "m");
}

static bool add(ph_row row, void *context, ph_error *error) {
    *(int64_t *)context += ph_row_int64(row, "n", error);
    return !error->kind;
}

static bool refuse(ph_row row, void *context, ph_error *error) {
    (void)row, (void)context;
    return ph_fail(error, "enough");
}

static void cursors(void) {
    ph_error error = {0};
    ph_session *session = ph_shared(&error);
    ph_cursor cursor;
    ph_row row;
    int64_t sum = 0;
    ph_check(ph_open_cursor(session, "5", PH_NO_PARAMS, &cursor, &error));
    while (ph_cursor_next(&cursor, &row, &error)) PH_SCOPE sum += ph_row_int64(row, "n", &error);
    ph_check(!error.kind && sum == 1 + 2 + 1 + 2 + 1);
    ph_check(!ph_cursor_next(&cursor, &row, &error) && !error.kind);
    ph_check_text(done(), "onnnnx");
    ph_cursor_close(&cursor);

    next_fails = PH_STATEMENT;
    ph_check(ph_open_cursor(session, "1", PH_NO_PARAMS, &cursor, &error) && ph_cursor_next(&cursor, &row, &error));
    ph_check(!ph_cursor_next(&cursor, &row, &error) && error.kind == PH_STATEMENT);
    ph_check(!ph_cursor_next(&cursor, &row, &error) && error.kind == PH_CLOSED);
    ph_check_text(done(), "onnx");
    next_fails = PH_OK;

    error = (ph_error){0};
    sum = 0;
    ph_check(ph_each(session, "3", PH_NO_PARAMS, add, &sum, &error) && sum == 6);
    ph_check_text(done(), "q");
    too_large = PH_LIMIT;
    sum = 0;
    ph_check(ph_each(session, "3", PH_NO_PARAMS, add, &sum, &error) && sum == 1 + 2 + 1 && !error.kind);
    ph_check_text(done(), "qonnnx");
    ph_check(!ph_each(session, "3", PH_NO_PARAMS, refuse, NULL, &error));
    ph_check_text(error.message, "enough");
    ph_check_text(done(), "qonx");
    too_large = PH_OK;
}

static void errors(void) {
    static const char *const columns[] = {"symbol", "user_id"};
    ph_error error = {.kind = PH_CONSTRAINT};
    error.constraint.kind = PH_UNIQUE;
    error.constraint.name = "";
    error.constraint.columns = columns;
    error.constraint.column_count = 2;
    ph_check(ph_is_unique_violation(&error, "orders_key", "user_id", "symbol", NULL));
    ph_check(!ph_is_unique_violation(&error, "orders_key", "user_id", NULL));
    ph_check(!ph_is_unique_violation(&error, "orders_key", "user_id", "side", NULL));
    error.constraint.name = "orders_key";
    ph_check(ph_is_unique_violation(&error, "orders_key", NULL) && !ph_is_unique_violation(&error, "orders_pkey", NULL));
    error.constraint.kind = PH_FOREIGN_KEY;
    ph_check(ph_is_foreign_key_violation(&error) && !ph_is_unique_violation(&error, "orders_key", NULL));
}

int main(void) {
    ph_error error = {0};
    ph_check(!ph_shared(&error) && error.kind == PH_INVALID);
    ph_host = &stand_in;
    transactions();
    statements();
    cursors();
    errors();
    return ph_checked();
}
