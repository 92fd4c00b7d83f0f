/* The host as the backend of sessions, transactions and cursors, where the plugin's world imports `poolhouse:database/database`. What
   errors and columns become on the way is in host_values.c. */
#include "plugin.h"

#ifdef POOLHOUSE_DATABASE_DATABASE_SHARING_SHARED

#include "host_values.h"

#include <string.h>

static poolhouse_database_database_borrow_session_t session_of(const ph_db *db) {
    return (poolhouse_database_database_borrow_session_t){db->handle};
}

static poolhouse_database_database_borrow_transaction_t transaction_of(const ph_db *db) {
    return (poolhouse_database_database_borrow_transaction_t){db->handle};
}

static bool open(ph_sharing sharing, ph_session *session, ph_error *error) {
    poolhouse_database_database_own_session_t opened;
    poolhouse_database_types_error_t failed;
    if (!poolhouse_database_database_static_session_open((poolhouse_database_database_sharing_t)sharing, &opened, &failed)) {
        return host_error(&failed, error);
    }
    session->handle = opened.__handle;
    return true;
}

static void close(ph_db *db) {
    if (!db->handle) return;
    if (db->is_transaction) {
        poolhouse_database_database_transaction_drop_own((poolhouse_database_database_own_transaction_t){db->handle});
    } else {
        poolhouse_database_database_session_drop_own((poolhouse_database_database_own_session_t){db->handle});
    }
}

static bool query(ph_db *db, const char *sql, ph_params params, ph_rows *rows, ph_error *error) {
    plugin_string_t text = host_string(sql);
    poolhouse_database_database_list_value_t values = host_params(params);
    poolhouse_database_types_answer_t answer;
    poolhouse_database_types_error_t failed;
    bool fine = db->is_transaction
                    ? poolhouse_database_database_method_transaction_query(transaction_of(db), &text, &values, &answer, &failed)
                    : poolhouse_database_database_method_session_query(session_of(db), &text, &values, &answer, &failed);
    if (!fine) return host_error(&failed, error);
    *rows = (ph_rows){
        .count = answer.batch.rows,
        .infos = host_infos(answer.columns.ptr, answer.columns.len),
        .columns = host_columns_in(&answer.batch.columns),
        .column_count = answer.columns.len,
    };
    return true;
}

static bool execute(ph_db *db, const char *sql, ph_params params, uint64_t *changed, ph_error *error) {
    plugin_string_t text = host_string(sql);
    poolhouse_database_database_list_value_t values = host_params(params);
    poolhouse_database_types_error_t failed;
    bool fine = db->is_transaction
                    ? poolhouse_database_database_method_transaction_execute(transaction_of(db), &text, &values, changed, &failed)
                    : poolhouse_database_database_method_session_execute(session_of(db), &text, &values, changed, &failed);
    return fine || host_error(&failed, error);
}

static bool execute_columns(
    ph_db *db, const char *sql, const ph_column *columns, size_t count, uint64_t *changed, ph_error *error
) {
    plugin_string_t text = host_string(sql);
    poolhouse_database_database_list_column_t list = host_columns_out(columns, count);
    poolhouse_database_types_error_t failed;
    bool fine =
        db->is_transaction
            ? poolhouse_database_database_method_transaction_execute_many(transaction_of(db), &text, &list, changed, &failed)
            : poolhouse_database_database_method_session_execute_many(session_of(db), &text, &list, changed, &failed);
    return fine || host_error(&failed, error);
}

static bool begin(ph_session *session, const ph_options *options, ph_transaction *tx, ph_error *error) {
    poolhouse_database_database_transaction_options_t given = {
        .isolation = (poolhouse_database_database_isolation_t)options->isolation,
        .read_only = options->read_only,
        .timeout = {options->has_timeout, options->timeout},
    };
    poolhouse_database_database_own_transaction_t begun;
    poolhouse_database_types_error_t failed;
    if (!poolhouse_database_database_method_session_begin(session_of(session), &given, &begun, &failed)) {
        return host_error(&failed, error);
    }
    tx->handle = begun.__handle;
    return true;
}

static bool savepoint(ph_transaction *tx, ph_transaction *savepoint, ph_error *error) {
    poolhouse_database_database_own_transaction_t begun;
    poolhouse_database_types_error_t failed;
    if (!poolhouse_database_database_method_transaction_savepoint(transaction_of(tx), &begun, &failed)) {
        return host_error(&failed, error);
    }
    savepoint->handle = begun.__handle;
    return true;
}

static bool end(ph_transaction *tx, bool commits, ph_error *error) {
    poolhouse_database_database_own_transaction_t ended = {tx->handle};
    poolhouse_database_types_error_t failed;
    bool fine = commits ? poolhouse_database_database_static_transaction_commit(ended, &failed)
                        : poolhouse_database_database_static_transaction_rollback(ended, &failed);
    return fine || host_error(&failed, error);
}

static bool open_cursor(ph_db *db, const char *sql, ph_params params, ph_cursor *cursor, ph_error *error) {
    plugin_string_t text = host_string(sql);
    poolhouse_database_database_list_value_t values = host_params(params);
    poolhouse_database_database_own_cursor_t opened;
    poolhouse_database_types_error_t failed;
    bool fine =
        db->is_transaction
            ? poolhouse_database_database_method_transaction_open_cursor(transaction_of(db), &text, &values, &opened, &failed)
            : poolhouse_database_database_method_session_open_cursor(session_of(db), &text, &values, &opened, &failed);
    if (!fine) return host_error(&failed, error);
    cursor->handle = opened.__handle;
    poolhouse_database_database_list_column_info_t infos;
    poolhouse_database_database_method_cursor_columns(
        poolhouse_database_database_borrow_cursor(opened), &infos
    );
    cursor->infos = host_infos(infos.ptr, infos.len);
    cursor->column_count = infos.len;
    return true;
}

static bool next(ph_cursor *cursor, ph_rows *rows, ph_error *error) {
    poolhouse_database_database_borrow_cursor_t borrowed = {cursor->handle};
    poolhouse_database_database_option_batch_t batch;
    poolhouse_database_types_error_t failed;
    ph_arena *before = ph_arena_use(cursor->arena);
    bool fine = poolhouse_database_database_method_cursor_next(borrowed, &batch, &failed);
    bool found = fine && batch.is_some;
    if (found) {
        rows->count = batch.val.rows;
        rows->columns = host_columns_in(&batch.val.columns);
    }
    ph_arena_use(before);
    /* Its texts are copied out of the cursor's memory, which ends with the cursor. */
    if (!fine) host_error(&failed, error);
    return found;
}

static void close_cursor(ph_cursor *cursor) {
    poolhouse_database_database_cursor_drop_own((poolhouse_database_database_own_cursor_t){cursor->handle});
}

static const ph_backend host = {
    .open = open,
    .close = close,
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

__attribute__((constructor)) static void use_host(void) {
    ph_host = &host;
}

#endif
