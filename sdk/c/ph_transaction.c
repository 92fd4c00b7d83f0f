/* How work in a transaction ends: kept if it answers true, undone if it answers false, and run again after a conflict where that was
   asked for. */
#include "ph_database.h"

static bool end(ph_transaction *tx, bool commits, ph_error *error) {
    ph_transaction ended = *tx;
    /* The host takes the handle, whatever it answers. */
    tx->handle = 0;
    tx->backend = NULL;
    if (ended.backend && ended.is_transaction) return ended.backend->end(&ended, commits, error);
    return ph_fail_as(error, PH_CLOSED, "the transaction has ended; begin another");
}

bool ph_begin(ph_session *session, const ph_options *options, ph_transaction *tx, ph_error *error) {
    static const ph_options none;
    *tx = (ph_transaction){.backend = session->backend, .is_transaction = true, .context = session->context};
    if (!session->backend) return ph_fail_as(error, PH_CLOSED, "the session is closed; open another");
    if (session->backend->begin(session, options ? options : &none, tx, error)) return true;
    *tx = (ph_transaction){0};
    return false;
}

bool ph_savepoint(ph_transaction *tx, ph_transaction *savepoint, ph_error *error) {
    *savepoint = (ph_transaction){.backend = tx->backend, .is_transaction = true, .context = tx->context};
    if (!tx->backend) return ph_fail_as(error, PH_CLOSED, "the transaction has ended; begin another");
    if (tx->backend->savepoint(tx, savepoint, error)) return true;
    *savepoint = (ph_transaction){0};
    return false;
}

bool ph_commit(ph_transaction *tx, ph_error *error) {
    return end(tx, true, error);
}

bool ph_rollback(ph_transaction *tx, ph_error *error) {
    return end(tx, false, error);
}

/* Runs work that has begun to its end; `conflict` says whether somebody else's work was in the way. */
static bool run(ph_transaction *tx, ph_work work, void *context, bool *conflict, ph_error *error) {
    if (work(tx, context, error)) {
        bool committed = ph_commit(tx, error);
        *conflict = !committed && ph_is_conflict(error);
        return committed;
    }
    *conflict = tx->met_conflict || ph_is_conflict(error);
    if (!error->kind) ph_fail(error, "the work in a transaction failed, and does not say why");
    /* What went wrong is known already; a connection that is lost with its work has undone it, too. */
    ph_error lost = {0};
    ph_rollback(tx, &lost);
    return false;
}

bool ph_in_transaction(const ph_options *options, ph_work work, void *context, ph_error *error) {
    return ph_in_transaction_retrying(1, options, work, context, error);
}

bool ph_in_transaction_retrying(
    unsigned attempts, const ph_options *options, ph_work work, void *context, ph_error *error
) {
    ph_session *session = ph_shared(error);
    if (!session) return false;
    ph_error before = {0};
    for (unsigned left = attempts ? attempts : 1;;) {
        ph_transaction tx;
        bool conflict;
        *error = (ph_error){0};
        if (ph_begin(session, options, &tx, error)) {
            if (run(&tx, work, context, &conflict, error)) return true;
        } else if (before.kind && (error->kind == PH_CLOSED || error->kind == PH_INVALID)) {
            /* The conflict has ended the caller's transaction, too: only the caller can run that again. */
            *error = before;
            return false;
        } else {
            conflict = ph_is_conflict(error);
        }
        if (--left == 0 || !conflict) return false;
        before = *error;
    }
}

bool ph_in_separate(const ph_options *options, ph_work work, void *context, ph_error *error) {
    ph_session session;
    if (!ph_session_open(PH_SEPARATE, &session, error)) return false;
    ph_transaction tx;
    bool conflict;
    bool fine = ph_begin(&session, options, &tx, error) && run(&tx, work, context, &conflict, error);
    ph_close(&session);
    return fine;
}

bool ph_in_savepoint(ph_transaction *tx, ph_work work, void *context, ph_error *error) {
    ph_transaction savepoint;
    if (!ph_savepoint(tx, &savepoint, error)) return false;
    bool conflict;
    bool fine = run(&savepoint, work, context, &conflict, error);
    tx->met_conflict = tx->met_conflict || savepoint.met_conflict || conflict;
    return fine;
}
