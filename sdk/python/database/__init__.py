"""The database as a plugin sees it: statements, rows, transactions, cursors, and errors that say what to do.

    from poolhouse import database

    with database.transaction() as tx:
        balance = tx.scalar_or_none("SELECT balance FROM accounts WHERE name = $1", [name])

SQL has one statement to a text, and placeholders are `$1`, `$2`… on both databases. Values are Python's own: `bool`, `int`
of 64 bits, `float`, `decimal.Decimal`, `str`, `bytes`, `uuid.UUID`, `datetime.date`, `datetime.time`, `datetime.datetime`
(always with a time zone, and in UTC when read), `Json`, and `None` for NULL.
"""

from ..failure import DatabaseError
from ._cursor import Cursor
from ._errors import (
    CellError,
    Closed,
    Conflict,
    ConstraintViolation,
    Denied,
    Invalid,
    LimitExceeded,
    ManyRows,
    NoRow,
    ParameterError,
    PoolExhausted,
    StatementFailed,
    Timeout,
    Unavailable,
)
from ._health import Health, Stats, health, stats
from ._rows import ColumnInfo, Row, Rows
from ._session import Session, Transaction, retry_conflicts, session, transaction
from ._statements import Statements
from ._values import Array, Exact, Json

__all__ = [
    "Array",
    "CellError",
    "Closed",
    "ColumnInfo",
    "Conflict",
    "ConstraintViolation",
    "Cursor",
    "DatabaseError",
    "Denied",
    "Exact",
    "Health",
    "Invalid",
    "Json",
    "LimitExceeded",
    "ManyRows",
    "NoRow",
    "ParameterError",
    "PoolExhausted",
    "Row",
    "Rows",
    "Session",
    "StatementFailed",
    "Statements",
    "Stats",
    "Timeout",
    "Transaction",
    "Unavailable",
    "health",
    "retry_conflicts",
    "session",
    "stats",
    "transaction",
]
