"""The host's part of the database, played by Python's `sqlite3`, for tests; knows one connection and no grants."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from enum import Enum
from typing import Any
from uuid import UUID

from ..database import _columns
from ..database._values import Exact
from . import _contract_types as contract
from ._times import date_text, read_date, read_time, read_timestamp, time_text, timestamp_text

# What a column's declared type makes of what is stored, as the host reads it.
_DECLARED: dict[str, Callable[[str], Exact]] = {
    "BOOLEAN": lambda text: Exact("boolean", bool(int(text))),
    "BOOL": lambda text: Exact("boolean", bool(int(text))),
    "DECIMAL_TEXT": lambda text: Exact("decimal", text),
    "UUID_TEXT": lambda text: Exact("uuid", UUID(text).int),
    "JSON_TEXT": lambda text: Exact("json", text),
    "JSON": lambda text: Exact("json", text),
    "DATE": lambda text: Exact("date", read_date(text)),
    "TIME": lambda text: Exact("time", read_time(text)),
    "TIMESTAMP": lambda text: Exact("timestamp", read_timestamp(text)),
    "TIMESTAMPTZ": lambda text: Exact("timestamp", read_timestamp(text)),
    "DATETIME": lambda text: Exact("timestamp", read_timestamp(text)),
}

# What is stored for a parameter of each kind; the others are stored as they are.
_STORED: dict[str, Callable[[Any], Any]] = {
    "boolean": int,
    "uuid": lambda value: str(UUID(int=value.high << 64 | value.low)),
    "date": date_text,
    "time": time_text,
    "timestamp": timestamp_text,
}

_PLACEHOLDER = re.compile(r"\$([0-9]+)|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*")
_CONTROL = re.compile(
    r"\s*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|ATTACH|CREATE|DROP|ALTER)\b", re.IGNORECASE
)
_BATCH = 100

Sharing = Enum("Sharing", ["SHARED", "SEPARATE"], start=0)
Isolation = Enum("Isolation", ["DEFAULT", "READ_COMMITTED", "REPEATABLE_READ", "SERIALIZABLE"], start=0)


class Host:
    """The functions of `poolhouse:database/database`."""

    def __init__(self) -> None:
        for declared, read in _DECLARED.items():
            sqlite3.register_converter(declared, lambda stored, read=read: read(stored.decode()))
        self.connection = sqlite3.connect(":memory:", isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES)
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.open: list[Transaction] = []
        host = self

        class Session(_Statements):
            """A session of this database."""

            @classmethod
            def open(cls, sharing: Any) -> Session:
                return cls(host)

            def begin(self, options: Any) -> Transaction:
                return Transaction(host)

        self.Session = Session
        self.Sharing, self.Isolation = Sharing, Isolation

    @staticmethod
    def TransactionOptions(isolation: Any, read_only: bool, timeout: int | None) -> None:
        """None of them means anything here."""

    def run(self, sql: str, params: list[Any]) -> sqlite3.Cursor:
        """Runs one statement; raises the contract's error."""
        if control := _CONTROL.match(sql):
            raise invalid(
                f"{control[1].upper()} is not for statements: transactions have functions, and tables migrations"
            )
        used = [int(found[1]) for found in _PLACEHOLDER.finditer(sql) if found[1]]
        if max(used, default=0) != len(params):
            raise invalid(f"the statement takes {max(used, default=0)} parameters and was given {len(params)}")
        values = {str(number): stored(value) for number, value in enumerate(params, 1)}
        try:
            return self.connection.execute(sql, values)
        except sqlite3.IntegrityError as error:
            raise contract.Err(contract.Error_Constraint(_constraint(str(error)))) from None
        except sqlite3.Error as error:
            failed = contract.StatementFailed(str(getattr(error, "sqlite_errorcode", 1)), str(error), None, None, None)
            raise contract.Err(contract.Error_Statement(failed)) from None


class _Statements:
    def __init__(self, host: Host) -> None:
        self._host = host

    def _check(self) -> None:
        """Refuses what the handle can't do now."""

    def query(self, sql: str, params: list[Any]) -> Any:
        self._check()
        cursor = self._host.run(sql, params)
        rows = cursor.fetchall()
        return contract.Answer(_infos(cursor, rows), _batch(cursor, rows))

    def execute(self, sql: str, params: list[Any]) -> int:
        self._check()
        cursor = self._host.run(sql, params)
        # sqlite3 counts the changes of a statement with RETURNING when its rows have been read.
        cursor.fetchall()
        return max(cursor.rowcount, 0)

    def execute_many(self, sql: str, columns: list[Any]) -> int:
        self._check()
        read = [_columns.Column(column).exact for column in columns]
        count = len(_columns_length(columns[0]))
        transaction, changed = Transaction(self._host), 0
        try:
            for row in range(count):
                changed += transaction.execute(sql, [_value(cell(row)) for cell in read])
        except contract.Err:
            Transaction.rollback(transaction)
            raise
        Transaction.commit(transaction)
        return changed

    def open_cursor(self, sql: str, params: list[Any]) -> Cursor:
        self._check()
        if not re.match(r"\s*(SELECT|WITH|VALUES)\b", sql, re.IGNORECASE):
            raise invalid("only a query that reads can have a cursor")
        return Cursor(self._host.run(sql, params))

    def __exit__(self, *_: object) -> None:
        """Nothing is to be given back."""


class Transaction(_Statements):
    """A transaction, or a savepoint in the one that is open."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._name = f"level_{len(host.open)}"
        host.connection.execute(f"SAVEPOINT {self._name}")
        host.open.append(self)

    def _check(self) -> None:
        if self not in self._host.open:
            raise contract.Err(contract.Error_Closed("the transaction has ended"))
        if self._host.open[-1] is not self:
            raise invalid("the transaction has an open savepoint; end that first")

    def savepoint(self) -> Transaction:
        self._check()
        return Transaction(self._host)

    @classmethod
    def commit(cls, tx: Transaction) -> None:
        tx._check()
        try:
            tx._host.connection.execute(f"RELEASE {tx._name}")
        except sqlite3.IntegrityError as error:
            cls.rollback(tx)
            raise contract.Err(contract.Error_Constraint(_constraint(str(error)))) from None
        tx._host.open.pop()

    @classmethod
    def rollback(cls, tx: Transaction) -> None:
        tx._check()
        tx._host.connection.execute(f"ROLLBACK TO {tx._name}")
        tx._host.connection.execute(f"RELEASE {tx._name}")
        tx._host.open.pop()


class Cursor:
    """A cursor, in batches of a hundred rows, so that a test meets more than one."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        # The kinds of columns without a declared type are those of the first rows.
        self._first: list[Any] | None = cursor.fetchmany(_BATCH)
        self._infos = _infos(cursor, self._first)

    def columns(self) -> list[Any]:
        return self._infos

    def next(self) -> Any:
        rows, self._first = self._first, None
        if rows is None:
            rows = self._cursor.fetchmany(_BATCH)
        return _batch(self._cursor, rows) if rows else None

    def __exit__(self, *_: object) -> None:
        self._cursor.close()


def invalid(message: str) -> Exception:
    """The contract's `invalid`."""
    return contract.Err(contract.Error_Invalid(contract.Invalid(message)))


def stored(value: Any) -> Any:
    """What SQLite is given for one of the contract's values."""
    if isinstance(value, contract.Value_Null):
        return None
    if isinstance(value, contract.Value_Array):
        raise invalid("SQLite has no arrays; pass JSON and read it with json_each($1)")
    kind = type(value).__name__.partition("_")[2].lower()
    return _STORED.get(kind, lambda value: value)(value.value)


def _value(exact: Exact | None) -> Any:
    if exact is None:
        return contract.Value_Null()
    value = exact.value
    if exact.kind == "uuid":
        value = contract.Uuid(value >> 64, value & (2**64 - 1))
    return getattr(contract, f"Value_{exact.kind.capitalize()}")(value)


def _columns_length(column: Any) -> Any:
    values = column.values.value
    return values if isinstance(values, list) else values.offsets[1:]


def _batch(cursor: sqlite3.Cursor, rows: list[Any]) -> Any:
    width = len(cursor.description or ())
    columns = zip(*rows) if rows else [()] * width
    return contract.Batch(len(rows), [_columns.pack(values, None, "row") for values in columns])


def _infos(cursor: sqlite3.Cursor, rows: list[Any]) -> list[Any]:
    batch = _batch(cursor, rows)
    return [
        contract.ColumnInfo(described[0], contract.Kind[_columns.Column(column).kind.upper()], "")
        for described, column in zip(cursor.description or (), batch.columns)
    ]


_UNIQUE = re.compile(r"(UNIQUE|NOT NULL) constraint failed: (.+)")


def _constraint(message: str) -> Any:
    kinds = contract.ConstraintKind
    if found := _UNIQUE.match(message):
        columns = [column.partition(".") for column in found[2].split(", ")]
        kind = kinds.UNIQUE if found[1] == "UNIQUE" else kinds.NOT_NULL
        return contract.Constraint(kind, message, "", columns[0][0], [column[2] for column in columns])
    if message.startswith("CHECK"):
        return contract.Constraint(kinds.CHECK, message, message.partition(": ")[2], "", [])
    return contract.Constraint(kinds.FOREIGN_KEY, message, "", "", [])
