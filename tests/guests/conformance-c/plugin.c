/* Runs scripts of operations on the SDK's database, handles kept in numbered slots; judges nothing but the layout of columns. */
#include "cells.h"

#include <stdlib.h>

/* A handle that a slot holds. */
struct held {
    uint32_t slot;
    enum { NOTHING, SESSION, TRANSACTION, CURSOR } what;
    ph_db db;
    ph_cursor cursor;
    struct held *next;
};

/* Slots outlive the call, so they are malloc's; the few there are stay for good. */
static struct held *slots;

static struct held *find(uint32_t slot) {
    struct held *held = slots;
    while (held && held->slot != slot) held = held->next;
    return held;
}

static void drop(struct held *held) {
    if (held->what == CURSOR) {
        ph_cursor_close(&held->cursor);
    } else if (held->what) {
        ph_close(&held->db);
    }
    held->what = NOTHING;
}

static struct held *fill(uint32_t slot) {
    struct held *held = find(slot);
    if (held) {
        drop(held);
        return held;
    }
    held = calloc(1, sizeof *held);
    if (!held) ph_panic("no memory is left for slot %u", slot);
    held->slot = slot;
    held->next = slots;
    return slots = held;
}

static struct held *full(uint32_t slot) {
    struct held *held = find(slot);
    if (!held || !held->what) ph_panic("slot %u is empty", slot);
    return held;
}

static ph_db *db(uint32_t slot) {
    struct held *held = full(slot);
    if (held->what == CURSOR) ph_panic("slot %u holds a cursor", slot);
    return &held->db;
}

static ph_transaction *transaction(uint32_t slot) {
    struct held *held = full(slot);
    if (held->what != TRANSACTION) ph_panic("slot %u holds no transaction", slot);
    return &held->db;
}

static ph_cursor *cursor(uint32_t slot) {
    struct held *held = full(slot);
    if (held->what != CURSOR) ph_panic("slot %u holds no cursor", slot);
    return &held->cursor;
}

/* A statement whose text has a zero byte, which no C string is: straight through the bindings, and refused. */
static void refused(const exports_script_statement_t *statement, exports_script_outcome_t *outcome) {
    poolhouse_database_database_borrow_session_t session = {db(statement->on)->handle};
    plugin_string_t sql = statement->sql;
    poolhouse_database_database_list_value_t none = {NULL, 0};
    uint64_t changed;
    outcome->tag = EXPORTS_SCRIPT_OUTCOME_ERROR;
    if (poolhouse_database_database_method_session_execute(session, &sql, &none, &changed, &outcome->val.error)) {
        ph_panic("SQL with a zero byte was taken");
    }
}

static bool has_zero(const exports_script_statement_t *statement) {
    return statement->sql.len && memchr(statement->sql.ptr, 0, statement->sql.len);
}

static bool query(const exports_script_statement_t *statement, ph_rows *rows, ph_error *error) {
    return ph_query(db(statement->on), ph_in(&statement->sql), cells_params(&statement->params), rows, error);
}

static void table(const ph_rows *rows, exports_script_outcome_t *outcome) {
    outcome->tag = EXPORTS_SCRIPT_OUTCOME_TABLE;
    outcome->val.table.columns = cells_infos(rows->infos, rows->column_count);
    outcome->val.table.rows = cells_rows(rows);
}

/* As the host laid it out, so through the bindings. */
static bool query_columns(const exports_script_statement_t *statement, exports_script_outcome_t *outcome) {
    ph_db *on = db(statement->on);
    plugin_string_t sql = statement->sql;
    poolhouse_database_database_list_value_t params = {statement->params.ptr, statement->params.len};
    exports_script_answer_t *answer = &outcome->val.answer;
    poolhouse_database_types_error_t failed;
    bool fine = on->is_transaction ? poolhouse_database_database_method_transaction_query(
                                         (poolhouse_database_database_borrow_transaction_t){on->handle}, &sql, &params, answer, &failed
                                     )
                                   : poolhouse_database_database_method_session_query(
                                         (poolhouse_database_database_borrow_session_t){on->handle}, &sql, &params, answer, &failed
                                     );
    outcome->tag = fine ? EXPORTS_SCRIPT_OUTCOME_ANSWER : EXPORTS_SCRIPT_OUTCOME_ERROR;
    if (!fine) outcome->val.error = failed;
    return fine;
}

static void next_columns(ph_cursor *cursor, exports_script_outcome_t *outcome) {
    poolhouse_database_types_error_t failed;
    poolhouse_database_database_option_batch_t batch;
    bool fine = poolhouse_database_database_method_cursor_next(
        (poolhouse_database_database_borrow_cursor_t){cursor->handle}, &batch, &failed
    );
    outcome->tag = fine ? EXPORTS_SCRIPT_OUTCOME_BATCH : EXPORTS_SCRIPT_OUTCOME_ERROR;
    if (fine) {
        outcome->val.batch = (exports_script_option_batch_t){batch.is_some, batch.val};
    } else {
        outcome->val.error = failed;
    }
}

/* The script's columns become rows, and the SDK makes columns of them; columns that are no rows go as they are. */
static bool execute_many(const exports_script_many_t *many, uint64_t *changed, ph_error *error) {
    const ph_column *columns = cells_columns(&many->columns);
    ph_records records = {0};
    if (cells_records(columns, many->columns.len, &records)) {
        return ph_execute_many(db(many->on), ph_in(&many->sql), &records, changed, error);
    }
    return ph_execute_columns(db(many->on), ph_in(&many->sql), columns, many->columns.len, changed, error);
}

/* Only the count of the rows stays: a million of them are more than the guest's memory. */
static bool read_to_end(ph_cursor *cursor, exports_script_summary_t *summary, ph_error *error) {
    *summary = (exports_script_summary_t){0};
    ph_rows rows;
    while (ph_cursor_next_batch(cursor, &rows, error)) {
        summary->rows += rows.count;
        summary->batches++;
        if (rows.count > summary->largest_batch) summary->largest_batch = (uint32_t)rows.count;
        summary->checksum += cells_checksum(&rows);
    }
    return !error->kind;
}

static bool begin(const exports_script_beginning_t *beginning, ph_error *error) {
    struct held *on = full(beginning->on);
    if (on->what != SESSION) ph_panic("slot %u holds no session", beginning->on);
    ph_options options = {
        .isolation = (ph_isolation)beginning->options.isolation,
        .read_only = beginning->options.read_only,
        .has_timeout = beginning->options.timeout.is_some,
        .timeout = beginning->options.timeout.val,
    };
    ph_transaction tx;
    if (!ph_begin(&on->db, &options, &tx, error)) return false;
    struct held *into = fill(beginning->into);
    into->what = TRANSACTION;
    into->db = tx;
    return true;
}

static bool savepoint(const exports_script_saving_t *saving, ph_error *error) {
    ph_transaction made;
    if (!ph_savepoint(transaction(saving->on), &made, error)) return false;
    struct held *into = fill(saving->into);
    into->what = TRANSACTION;
    into->db = made;
    return true;
}

static bool end(uint32_t slot, bool commits, ph_error *error) {
    ph_transaction *tx = transaction(slot);
    bool fine = commits ? ph_commit(tx, error) : ph_rollback(tx, error);
    full(slot)->what = NOTHING;
    return fine;
}

static bool open(uint32_t slot, uint8_t sharing, ph_error *error) {
    ph_session session;
    if (!ph_session_open((ph_sharing)sharing, &session, error)) return false;
    struct held *into = fill(slot);
    into->what = SESSION;
    into->db = session;
    return true;
}

static bool open_many(uint32_t count, ph_error *error) {
    ph_session *sessions = ph_alloc(count * sizeof *sessions);
    uint32_t opened = 0;
    while (opened < count && ph_session_open(PH_SHARED, &sessions[opened], error)) opened++;
    for (uint32_t i = 0; i < opened; i++) ph_close(&sessions[i]);
    return opened == count;
}

static bool open_cursor(const exports_script_reading_t *reading, ph_error *error) {
    const exports_script_statement_t *statement = &reading->statement;
    ph_cursor made;
    if (!ph_open_cursor(db(statement->on), ph_in(&statement->sql), cells_params(&statement->params), &made, error)) return false;
    struct held *into = fill(reading->into);
    into->what = CURSOR;
    into->cursor = made;
    return true;
}

static bool next(uint32_t slot, exports_script_outcome_t *outcome, ph_error *error) {
    ph_rows rows;
    outcome->tag = EXPORTS_SCRIPT_OUTCOME_ROWS;
    outcome->val.rows.is_some = ph_cursor_next_batch(cursor(slot), &rows, error);
    if (outcome->val.rows.is_some) outcome->val.rows.val = cells_rows(&rows);
    return !error->kind;
}

static bool poll(const exports_script_statement_t *statement, exports_script_outcome_t *outcome, ph_error *error) {
    for (;;) {
        ph_scope scope = ph_scope_begin();
        ph_rows rows;
        if (!query(statement, &rows, error)) return false;
        if (rows.count) {
            table(&rows, outcome);
            return true;
        }
        ph_scope_end(&scope);
    }
}

static void allocate(uint32_t mebibytes) {
    size_t size = (size_t)mebibytes << 20;
    volatile char *taken = malloc(size);
    if (!taken) ph_panic("no memory is left for %u MiB", mebibytes);
    for (size_t i = 0; i < size; i += 4096) taken[i] = 1;
    free((void *)taken);
}

/* Answers false with the error, which is the outcome then. */
static bool step_on(const exports_script_step_t *step, exports_script_outcome_t *outcome, ph_error *error) {
    outcome->tag = EXPORTS_SCRIPT_OUTCOME_DONE;
    ph_rows rows;
    switch (step->tag) {
        case EXPORTS_SCRIPT_STEP_OPEN: return open(step->val.open.into, step->val.open.sharing, error);
        case EXPORTS_SCRIPT_STEP_OPEN_MANY: return open_many(step->val.open_many, error);
        case EXPORTS_SCRIPT_STEP_QUERY:
            if (has_zero(&step->val.query)) {
                refused(&step->val.query, outcome);
                return true;
            }
            if (!query(&step->val.query, &rows, error)) return false;
            table(&rows, outcome);
            return true;
        case EXPORTS_SCRIPT_STEP_QUERY_COLUMNS: query_columns(&step->val.query_columns, outcome); return true;
        case EXPORTS_SCRIPT_STEP_POLL: return poll(&step->val.poll, outcome, error);
        case EXPORTS_SCRIPT_STEP_EXECUTE: {
            const exports_script_statement_t *statement = &step->val.execute;
            if (has_zero(statement)) {
                refused(statement, outcome);
                return true;
            }
            outcome->tag = EXPORTS_SCRIPT_OUTCOME_CHANGED;
            return ph_execute(
                db(statement->on), ph_in(&statement->sql), cells_params(&statement->params), &outcome->val.changed, error
            );
        }
        case EXPORTS_SCRIPT_STEP_EXECUTE_MANY:
            outcome->tag = EXPORTS_SCRIPT_OUTCOME_CHANGED;
            return execute_many(&step->val.execute_many, &outcome->val.changed, error);
        case EXPORTS_SCRIPT_STEP_BEGIN: return begin(&step->val.begin, error);
        case EXPORTS_SCRIPT_STEP_SAVEPOINT: return savepoint(&step->val.savepoint, error);
        case EXPORTS_SCRIPT_STEP_COMMIT: return end(step->val.commit, true, error);
        case EXPORTS_SCRIPT_STEP_ROLLBACK: return end(step->val.rollback, false, error);
        case EXPORTS_SCRIPT_STEP_DROP: drop(full(step->val.drop)); return true;
        case EXPORTS_SCRIPT_STEP_OPEN_CURSOR: return open_cursor(&step->val.open_cursor, error);
        case EXPORTS_SCRIPT_STEP_COLUMNS: {
            const ph_cursor *of = cursor(step->val.columns);
            outcome->tag = EXPORTS_SCRIPT_OUTCOME_COLUMNS;
            outcome->val.columns = cells_infos(of->infos, of->column_count);
            return true;
        }
        case EXPORTS_SCRIPT_STEP_NEXT: return next(step->val.next, outcome, error);
        case EXPORTS_SCRIPT_STEP_NEXT_COLUMNS: next_columns(cursor(step->val.next_columns), outcome); return true;
        case EXPORTS_SCRIPT_STEP_READ_TO_END:
            outcome->tag = EXPORTS_SCRIPT_OUTCOME_SUMMARY;
            return read_to_end(cursor(step->val.read_to_end), &outcome->val.summary, error);
        case EXPORTS_SCRIPT_STEP_HEALTH:
            outcome->tag = EXPORTS_SCRIPT_OUTCOME_HEALTH;
            poolhouse_database_database_health(&outcome->val.health);
            return true;
        case EXPORTS_SCRIPT_STEP_STATS:
            outcome->tag = EXPORTS_SCRIPT_OUTCOME_STATS;
            poolhouse_database_database_stats(&outcome->val.stats);
            return true;
        case EXPORTS_SCRIPT_STEP_ALLOCATE: allocate(step->val.allocate); return true;
        case EXPORTS_SCRIPT_STEP_SPIN:
            for (volatile int spins = 0;; spins++) {}
        default: ph_panic("trapped on purpose");
    }
}

void exports_script_run(exports_script_list_step_t *steps, exports_script_list_outcome_t *outcomes) {
    outcomes->len = steps->len;
    outcomes->ptr = ph_alloc(steps->len * sizeof *outcomes->ptr);
    for (size_t i = 0; i < steps->len; i++) {
        ph_error error = {0};
        if (!step_on(&steps->ptr[i], &outcomes->ptr[i], &error)) {
            outcomes->ptr[i].tag = EXPORTS_SCRIPT_OUTCOME_ERROR;
            outcomes->ptr[i].val.error = cells_error(&error);
        }
    }
}
