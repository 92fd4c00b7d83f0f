/* The ledger on a few accounts in memory that stand in for the database, natively; what SQL means, only a real database knows. */
#include "ph_test.h"

#include "plugin.c"

static struct account {
    const char *name, *balance;
} accounts[8];

static struct {
    const char *account, *amount, *note;
} movements[8];

static size_t movement_count;

static struct account *find(const char *name) {
    for (size_t i = 0; i < 8; i++) {
        if (accounts[i].name && strcmp(accounts[i].name, name) == 0) return &accounts[i];
    }
    return NULL;
}

static bool begins(const char *sql, const char *with) {
    return strncmp(sql, with, strlen(with)) == 0;
}

static bool query(ph_db *db, const char *sql, ph_params params, ph_rows *rows, ph_error *error) {
    (void)db, (void)error;
    const char *name = params.list[0].slice.data;
    struct account *account = find(name);
    if (!account && begins(sql, "INSERT INTO accounts")) {
        account = accounts;
        while (account->name) account++;
        *account = (struct account){name, params.list[1].slice.data};
    }
    ph_records records = {0};
    if (account) ph_records_add(&records, PH_PARAMS(ph_decimal(account->balance)));
    *rows = ph_rows_of(&records, "balance", NULL);
    return true;
}

static bool execute(ph_db *db, const char *sql, ph_params params, uint64_t *changed, ph_error *error) {
    (void)db, (void)error;
    const char *name = params.list[0].slice.data, *number = params.list[1].slice.data;
    if (begins(sql, "UPDATE accounts")) {
        find(name)->balance = number;
    } else {
        movements[movement_count].account = name;
        movements[movement_count].amount = number;
        movements[movement_count++].note = params.list[2].slice.data;
    }
    *changed = 1;
    return true;
}

static bool open_session(ph_sharing sharing, ph_session *session, ph_error *error) {
    (void)sharing, (void)error;
    session->handle = 1;
    return true;
}

static bool begin(ph_session *session, const ph_options *options, ph_transaction *tx, ph_error *error) {
    (void)session, (void)options, (void)error;
    tx->handle = 1;
    return true;
}

static bool end(ph_transaction *tx, bool commits, ph_error *error) {
    (void)tx, (void)commits, (void)error;
    return true;
}

static bool open_cursor(ph_db *db, const char *sql, ph_params params, ph_cursor *cursor, ph_error *error) {
    (void)db, (void)sql, (void)params, (void)error;
    cursor->handle = 1;
    return true;
}

/* All accounts with their movements, in one batch. */
static bool next(ph_cursor *cursor, ph_rows *rows, ph_error *error) {
    (void)error;
    if (cursor->context) return false;
    cursor->context = accounts;
    ph_records records = {0};
    for (size_t i = 0; i < 8 && accounts[i].name; i++) {
        ph_value name = ph_text(accounts[i].name), balance = ph_decimal(accounts[i].balance);
        for (size_t j = 0; j < movement_count; j++) {
            if (strcmp(movements[j].account, accounts[i].name) != 0) continue;
            ph_records_add(&records, PH_PARAMS(name, balance, ph_decimal(movements[j].amount)));
        }
    }
    *rows = ph_rows_of(&records, "name", "balance", "amount", NULL);
    return true;
}

static const ph_backend database = {
    .open = open_session,
    .query = query,
    .execute = execute,
    .begin = begin,
    .end = end,
    .open_cursor = open_cursor,
    .next = next,
};

/* What a deposit answers, or the failure's sentence. */
static const char *deposited(const char *account, const char *amount) {
    plugin_string_t to = ph_out(account), money = ph_out(amount), balance;
    exports_ledger_failure_t failure;
    return exports_ledger_deposit(&to, &money, &balance, &failure) ? ph_in(&balance) : ph_in(&failure.message);
}

/* The failure's sentence, or `done`. */
static const char *transferred(const char *source, const char *target, const char *amount) {
    plugin_string_t from = ph_out(source), to = ph_out(target), money = ph_out(amount);
    exports_ledger_failure_t failure;
    return exports_ledger_transfer(&from, &to, &money, &failure) ? "done" : ph_in(&failure.message);
}

static const char *audited(void) {
    uint64_t count;
    exports_ledger_failure_t failure;
    return exports_ledger_audit(&count, &failure) ? ph_format("%d movements", (int)count) : ph_in(&failure.message);
}

int main(void) {
    ph_host = &database;
    ph_check_text(deposited("alice", "1.50"), "1.50");
    ph_check_text(deposited("alice", "01"), "2.50");
    ph_check_text(deposited("alice", "1e3"), "amount `1e3` must be a decimal number above 0, such as 12.50");
    ph_check_text(deposited("alice", "-1"), "amount `-1` must be a decimal number above 0, such as 12.50");
    ph_check_text(transferred("alice", "bob", "1"), "account `bob` does not exist; make a deposit first");
    ph_check_text(transferred("alice", "alice", "1"), "source and target are both `alice`; name two accounts");
    ph_check_text(transferred("alice", "bob", "0.00"), "amount `0.00` must be a decimal number above 0, such as 12.50");
    ph_check_text(deposited("bob", "0.000000000000000000000000000001"), "0.000000000000000000000000000001");
    ph_check_text(transferred("alice", "bob", "2.51"), "account `alice` has 2.50, which is less than 2.51");
    ph_check_text(transferred("alice", "bob", "2.5"), "done");
    ph_check_text(find("alice")->balance, "0.00");
    ph_check_text(find("bob")->balance, "2.500000000000000000000000000001");
    ph_check_text(movements[3].amount, "-2.5");
    ph_check_text(movements[3].note, "to bob");
    ph_check_text(movements[4].note, "from alice");
    ph_check_text(audited(), "5 movements");
    find("bob")->balance = "3";
    ph_check_text(audited(), "account `bob` has a balance of 3, and its movements add up to 2.500000000000000000000000000001");
    return ph_checked();
}
