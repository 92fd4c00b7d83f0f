"""Runs scripts of database operations through the SDK, handles kept in numbered slots; judges nothing."""

from poolhouse import export
from poolhouse.database import Cursor, DatabaseError, Session, Transaction
from wit_world.exports import script
from wit_world.imports import poolhouse_database

import outcomes
import values

# What the instance keeps over calls.
slots: dict[int, Session | Transaction | Cursor] = {}


@export
class Script:
    """The interface `script`."""

    def run(self, steps: list) -> list:
        return [outcome_of(step) for step in steps]


def outcome_of(step) -> object:
    try:
        return STEPS[type(step)](*([step.value] if hasattr(step, "value") else []))
    except DatabaseError as error:
        return script.Outcome_Error(outcomes.error(error))


def fill(slot: int, handle) -> object:
    drop(slot, missing_ok=True)
    slots[slot] = handle
    return script.Outcome_Done()


def handle(slot: int):
    if slot not in slots:
        raise LookupError(f"slot {slot} is empty")
    return slots[slot]


def take(slot: int):
    taken = handle(slot)
    del slots[slot]
    return taken


def drop(slot: int, missing_ok: bool = False) -> object:
    if missing_ok and slot not in slots:
        return script.Outcome_Done()
    dropped = take(slot)
    if isinstance(dropped, Transaction):
        # A transaction of the SDK's is left to the host where nobody ended it; here the handle is dropped, as the script says.
        raw, dropped._opened = dropped._opened, None
        if raw is not None:
            raw.__exit__(None, None, None)
    else:
        dropped.close()
    return script.Outcome_Done()


def open_session(opening) -> object:
    return fill(opening.into, Session(opening.sharing is poolhouse_database.Sharing.SEPARATE).open())


def open_many(count: int) -> object:
    opened = []
    try:
        for _ in range(count):
            opened.append(Session(False).open())
    finally:
        for session in opened:
            session.close()
    return script.Outcome_Done()


def query(statement) -> object:
    if values.lies(statement.params):
        # For the host to refuse.
        return script.Outcome_Answer(values.refused(handle(statement.on)._use().query, statement.sql, statement.params))
    rows = handle(statement.on).query(statement.sql, values.params(statement.params))
    return script.Outcome_Table(script.Table(outcomes.infos(rows.columns), outcomes.cells(rows)))


def query_columns(statement) -> object:
    params = [values.raw(value) for value in values.params(statement.params)]
    return script.Outcome_Answer(values.refused(handle(statement.on)._use().query, statement.sql, params))


def poll(statement) -> object:
    while True:
        outcome = query(statement)
        if outcome.value.rows:
            return outcome


def execute(statement) -> object:
    return script.Outcome_Changed(handle(statement.on).execute(statement.sql, values.params(statement.params)))


def execute_many(many) -> object:
    on = handle(many.on)
    rows = values.rows(many.columns)
    if rows is None:
        # Columns of which no rows can be made are for the host to refuse.
        return script.Outcome_Changed(values.refused(on._use().execute_many, many.sql, many.columns))
    return script.Outcome_Changed(on.execute_many(many.sql, *rows))


def begin(beginning) -> object:
    options = beginning.options
    transaction = handle(beginning.on).transaction(
        isolation=outcomes.word(options.isolation),
        read_only=options.read_only,
        timeout=None if options.timeout is None else outcomes.duration(options.timeout),
    )
    return fill(beginning.into, transaction)


def savepoint(saving) -> object:
    return fill(saving.into, handle(saving.on).savepoint())


def commit(slot: int) -> object:
    take(slot).commit()
    return script.Outcome_Done()


def rollback(slot: int) -> object:
    take(slot).rollback()
    return script.Outcome_Done()


def open_cursor(reading) -> object:
    statement = reading.statement
    return fill(reading.into, handle(statement.on).cursor(statement.sql, values.params(statement.params)))


def columns(slot: int) -> object:
    return script.Outcome_Columns(outcomes.infos(handle(slot).columns))


def next_rows(slot: int) -> object:
    rows = handle(slot).next_batch()
    return script.Outcome_Rows(None if rows is None else outcomes.cells(rows))


def next_columns(slot: int) -> object:
    return script.Outcome_Batch(values.refused(handle(slot)._source._handle.next))


def read_to_end(slot: int) -> object:
    summary = script.Summary(0, 0, 0, 0)
    for rows in handle(slot).batches():
        summary.rows += len(rows)
        summary.batches += 1
        summary.largest_batch = max(summary.largest_batch, len(rows))
        for at, info in enumerate(rows.columns):
            if info.kind == "int64":
                summary.checksum += sum(cell for cell in rows.values(at) if cell is not None)
            elif info.kind == "text":
                summary.checksum += sum("".join(cell for cell in rows.values(at) if cell is not None).encode())
    summary.checksum %= 2**64
    return script.Outcome_Summary(summary)


def allocate(mebibytes: int) -> object:
    b"\1" * (mebibytes << 20)
    return script.Outcome_Done()


def spin() -> object:
    while True:
        pass


def trap() -> object:
    raise RuntimeError("trapped on purpose")


STEPS = {
    script.Step_Open: open_session,
    script.Step_OpenMany: open_many,
    script.Step_Query: query,
    script.Step_QueryColumns: query_columns,
    script.Step_Poll: poll,
    script.Step_Execute: execute,
    script.Step_ExecuteMany: execute_many,
    script.Step_Begin: begin,
    script.Step_Savepoint: savepoint,
    script.Step_Commit: commit,
    script.Step_Rollback: rollback,
    script.Step_Drop: drop,
    script.Step_OpenCursor: open_cursor,
    script.Step_Columns: columns,
    script.Step_Next: next_rows,
    script.Step_NextColumns: next_columns,
    script.Step_ReadToEnd: read_to_end,
    script.Step_Health: lambda: script.Outcome_Health(poolhouse_database.health()),
    script.Step_Stats: lambda: script.Outcome_Stats(poolhouse_database.stats()),
    script.Step_Allocate: allocate,
    script.Step_Spin: spin,
    script.Step_Trap: trap,
}
