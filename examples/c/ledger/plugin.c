/* Cash accounts and every movement of money; who may move it is not its business. The functions that begin with `exports_` are those of
   wit/world.wit; `host build` writes their declarations to bindings/plugin.h. */
#include "ph_service.h"

#define ACCOUNTS PH_LIST("name", "balance")
#define MOVEMENTS PH_LIST("id", "account", "amount", "note", "at")
#define INDEX "CREATE INDEX IF NOT EXISTS movements_account ON movements (account, id)"

const ph_migrations ph_exported_migrations = {
    /* SQLite keeps decimals exact only in columns declared as text. */
    .sqlite = PH_MIGRATIONS({
        .number = 1,
        .name = "accounts and movements",
        .tables = PH_TABLES({"accounts", ACCOUNTS}, {"movements", MOVEMENTS}),
        .statements = PH_LIST(
            "CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance DECIMAL_TEXT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS movements ("
            "id INTEGER PRIMARY KEY, account TEXT NOT NULL, amount DECIMAL_TEXT NOT NULL, note TEXT NOT NULL, at TIMESTAMP NOT NULL)",
            INDEX
        ),
    }),
    .postgresql = PH_MIGRATIONS({
        .number = 1,
        .name = "accounts and movements",
        .tables = PH_TABLES({"accounts", ACCOUNTS}, {"movements", MOVEMENTS}),
        .statements = PH_LIST(
            "CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance NUMERIC NOT NULL)",
            "CREATE TABLE IF NOT EXISTS movements ("
            "id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account TEXT NOT NULL, amount NUMERIC NOT NULL, note TEXT NOT NULL, "
            "at TIMESTAMPTZ NOT NULL)",
            INDEX
        ),
    }),
};

/* What one call moves. */
struct movement {
    const char *source, *target, *amount;
    /* The target's balance afterwards. */
    const char *balance;
};

static bool read_amount(const char *text, const char **amount, ph_error *error) {
    if (!ph_is_decimal(text) || ph_decimal_sign(text) <= 0) {
        return ph_fail(error, "amount `%s` must be a decimal number above 0, such as 12.50", text);
    }
    /* Without zeros in front. */
    *amount = ph_decimal_add("0", text);
    return true;
}

/* Writes an account's new balance, and the movement that led to it. */
static bool change(
    ph_transaction *tx, const char *account, const char *balance, const char *amount, const char *note, ph_error *error
) {
    return ph_execute(
               tx, "UPDATE accounts SET balance = $2 WHERE name = $1", PH_PARAMS(ph_text(account), ph_decimal(balance)), NULL, error
           )
           && ph_execute(
               tx, "INSERT INTO movements (account, amount, note, at) VALUES ($1, $2, $3, $4)",
               PH_PARAMS(ph_text(account), ph_decimal(amount), ph_text(note), ph_timestamp(ph_now())), NULL, error
           );
}

static bool deposit(ph_transaction *tx, void *context, ph_error *error) {
    struct movement *it = context;
    /* Makes the account if it is not there, and locks it in any case: nobody else can change it before the commit. */
    const char *before = ph_query_decimal(
        tx,
        "INSERT INTO accounts (name, balance) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET balance = accounts.balance "
        "RETURNING balance",
        PH_PARAMS(ph_text(it->target), ph_decimal("0")), error
    );
    if (error->kind) return false;
    it->balance = ph_decimal_add(before, it->amount);
    return change(tx, it->target, it->balance, it->amount, "deposit", error);
}

/* The balance, which nobody else can change before the transaction's end. */
static bool lock(ph_transaction *tx, const char *account, const char **balance, ph_error *error) {
    ph_row row;
    bool found;
    if (!ph_query_optional(
            tx, "UPDATE accounts SET balance = balance WHERE name = $1 RETURNING balance", PH_PARAMS(ph_text(account)), &found, &row,
            error
        )) {
        return false;
    }
    if (!found) return ph_fail(error, "account `%s` does not exist; make a deposit first", account);
    *balance = ph_row_decimal(row, "balance", error);
    return !error->kind;
}

static bool transfer(ph_transaction *tx, void *context, ph_error *error) {
    struct movement *it = context;
    const char *source, *target;
    /* In order of name, so that two transfers never wait for each other. */
    bool locked = strcmp(it->source, it->target) < 0
                      ? lock(tx, it->source, &source, error) && lock(tx, it->target, &target, error)
                      : lock(tx, it->target, &target, error) && lock(tx, it->source, &source, error);
    if (!locked) return false;
    if (ph_decimal_compare(source, it->amount) < 0) {
        return ph_fail(error, "account `%s` has %s, which is less than %s", it->source, source, it->amount);
    }
    it->balance = ph_decimal_add(target, it->amount);
    return change(
               tx, it->source, ph_decimal_subtract(source, it->amount), ph_decimal_negate(it->amount), ph_format("to %s", it->target),
               error
           )
           && change(tx, it->target, it->balance, it->amount, ph_format("from %s", it->source), error);
}

bool exports_ledger_deposit(
    plugin_string_t *account, exports_ledger_decimal_t *amount, exports_ledger_decimal_t *balance, exports_ledger_failure_t *failure
) {
    ph_error error = {0};
    struct movement it = {.target = ph_in(account)};
    if (!read_amount(ph_in(amount), &it.amount, &error) || !ph_in_transaction(NULL, deposit, &it, &error)) {
        return ph_failed(failure, &error);
    }
    *balance = ph_out(it.balance);
    return true;
}

bool exports_ledger_transfer(
    plugin_string_t *source, plugin_string_t *target, exports_ledger_decimal_t *amount, exports_ledger_failure_t *failure
) {
    ph_error error = {0};
    struct movement it = {.source = ph_in(source), .target = ph_in(target)};
    if (!read_amount(ph_in(amount), &it.amount, &error)) return ph_failed(failure, &error);
    if (strcmp(it.source, it.target) == 0) {
        ph_fail(&error, "source and target are both `%s`; name two accounts", it.source);
        return ph_failed(failure, &error);
    }
    if (!ph_in_transaction(NULL, transfer, &it, &error)) return ph_failed(failure, &error);
    ph_log_info("%s went from `%s` to `%s`", it.amount, it.source, it.target);
    return true;
}

bool exports_ledger_balance(
    plugin_string_t *account, exports_ledger_option_decimal_t *balance, exports_ledger_failure_t *failure
) {
    ph_error error = {0};
    ph_session *session = ph_shared(&error);
    ph_row row;
    if (!session
        || !ph_query_optional(
            session, "SELECT balance FROM accounts WHERE name = $1", PH_PARAMS(ph_text(ph_in(account))), &balance->is_some, &row, &error
        )) {
        return ph_failed(failure, &error);
    }
    if (balance->is_some) balance->val = ph_out(ph_row_decimal(row, "balance", &error));
    return !error.kind || ph_failed(failure, &error);
}

bool exports_ledger_statement(
    plugin_string_t *account, uint32_t limit, exports_ledger_list_movement_t *movements, exports_ledger_failure_t *failure
) {
    ph_error error = {0};
    ph_session *session = ph_shared(&error);
    ph_rows rows;
    if (!session
        || !ph_query(
            session, "SELECT id, amount, note, at FROM movements WHERE account = $1 ORDER BY id DESC LIMIT $2",
            PH_PARAMS(ph_text(ph_in(account)), ph_int64(limit)), &rows, &error
        )) {
        return ph_failed(failure, &error);
    }
    movements->len = rows.count;
    movements->ptr = ph_alloc(rows.count * sizeof *movements->ptr);
    for (size_t i = 0; i < rows.count; i++) {
        ph_row row = ph_row_at(&rows, i);
        movements->ptr[i] = (exports_ledger_movement_t){
            .id = ph_row_int64(row, "id", &error),
            .amount = ph_out(ph_row_decimal(row, "amount", &error)),
            .note = ph_out(ph_row_text(row, "note", &error)),
            .at = ph_row_timestamp(row, "at", &error),
        };
    }
    return !error.kind || ph_failed(failure, &error);
}

static bool check_sum(const char *account, const char *balance, const char *sum, ph_error *error) {
    if (!account || ph_decimal_compare(balance, sum) == 0) return true;
    return ph_fail(error, "account `%s` has a balance of %s, and its movements add up to %s", account, balance, sum);
}

static bool audit(ph_cursor *cursor, uint64_t *count, ph_error *error) {
    const char *account = NULL, *balance = "0", *sum = "0";
    ph_scope scope = ph_scope_begin();
    ph_row row;
    for (*count = 0; ph_cursor_next(cursor, &row, error);) {
        const char *name = ph_row_text(row, "name", error);
        if (!account || strcmp(account, name) != 0) {
            if (!check_sum(account, balance, sum, error)) return false;
            account = name;
            balance = ph_row_decimal(row, "balance", error);
            sum = "0";
        }
        /* Null where an account has no movement. */
        if (!ph_row_is_null(row, "amount", error)) {
            sum = ph_decimal_add(sum, ph_row_decimal(row, "amount", error));
            ++*count;
        }
        if (error->kind) return false;
        ph_scope_keep(&scope, &account, &balance, &sum, NULL);
    }
    return !error->kind && check_sum(account, balance, sum, error);
}

bool exports_ledger_audit(uint64_t *count, exports_ledger_failure_t *failure) {
    ph_error error = {0};
    ph_session *session = ph_shared(&error);
    ph_cursor cursor;
    /* One statement, so that balances and movements are of one moment; a cursor, for there may be any number of rows. */
    if (!session
        || !ph_open_cursor(
            session, "SELECT name, balance, amount FROM accounts LEFT JOIN movements ON account = name ORDER BY name", PH_NO_PARAMS,
            &cursor, &error
        )) {
        return ph_failed(failure, &error);
    }
    bool fine = audit(&cursor, count, &error);
    ph_cursor_close(&cursor);
    return fine || ph_failed(failure, &error);
}
