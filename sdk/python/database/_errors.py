"""What can go wrong between a plugin and the database, one class for each case; `str(error)` is a sentence for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from types import ModuleType
from typing import Any

from ..failure import DatabaseError


class Denied(DatabaseError):
    """The grant does not allow it. The sentence has the lines to add to host.toml."""


class Invalid(DatabaseError):
    """The host refused it before the database saw it: mend the plugin."""


class PoolExhausted(DatabaseError):
    """No connection became free in time, or none was free at once for a call chain that holds one.

    `waited` is a `timedelta`; `size`, `overflow`, `checked_out` and `waiting` are counts of connections.
    """

    waited: timedelta
    size: int
    overflow: int
    checked_out: int
    waiting: int


class Unavailable(DatabaseError):
    """The database can't be reached, or the connection broke under the statement.

    `reason` is `unreachable`, `authentication`, `no-database`, `tls`, `not-ready`, `file` or `other`. With
    `outcome_unknown` a commit was under way: look whether the work is there before doing it again.
    """

    reason: str
    outcome_unknown: bool


class Timeout(DatabaseError):
    """A deadline passed, and the work was rolled back.

    `kind` is `statement`, `transaction` or `call`; `limit` is a `timedelta`.
    """

    kind: str
    limit: timedelta


class ConstraintViolation(DatabaseError):
    """A rule of the table would have been broken.

    `kind` is `unique`, `foreign-key`, `not-null`, `check` or `exclusion`. `name`, `table` and the list `columns` are empty
    where the database does not tell.
    """

    kind: str
    name: str
    table: str
    columns: list[str]

    def is_unique(self, name: str, columns: Iterable[str]) -> bool:
        """Whether the unique constraint of that name, or of those columns in any order, would have been broken.

        PostgreSQL tells the name, SQLite the columns.
        """
        if self.kind != "unique":
            return False
        return self.name == name if self.name else sorted(self.columns) == sorted(columns)


class Conflict(DatabaseError):
    """Somebody else's work was in the way. The transaction is gone; run it again from its start, as `retry_conflicts` does.

    `kind` is `serialization`, `deadlock` or `busy`.
    """

    kind: str


class StatementFailed(DatabaseError):
    """The database refused the statement.

    `code` is PostgreSQL's SQLSTATE, or SQLite's extended result code in decimal. `detail` and `hint` are texts or None,
    `position` is in characters of the SQL text, from 1, or None.
    """

    code: str
    message: str
    detail: str | None
    hint: str | None
    position: int | None

    @property
    def sqlstate(self) -> str | None:
        """The five characters of PostgreSQL's code; None on SQLite."""
        return self.code if len(self.code) == 5 else None


class LimitExceeded(DatabaseError):
    """A limit of the plugin was hit.

    `kind` is `rows`, `bytes`, `connections`, `handles`, `sql-length`, `parameters` or `depth`; `maximum` is in its unit.
    """

    kind: str
    maximum: int

    @property
    def is_too_large(self) -> bool:
        """Whether an answer had too many rows or bytes, so that a cursor reads it."""
        return self.kind in ("rows", "bytes")


class Closed(DatabaseError):
    """The transaction or cursor had ended: committed, rolled back, or its call was over."""


class ParameterError(DatabaseError):
    """A value can't be a parameter; the message says which one and why."""


class CellError(DatabaseError):
    """A cell can't be read as the type asked for, or a column is not there; the message names column and row, from 1."""


class NoRow(DatabaseError):
    """There is no row where one is needed."""

    def __init__(self) -> None:
        super().__init__(
            "the query answered no row, and one is needed; where there may be none, use one_or_none or scalar_or_none"
        )


class ManyRows(DatabaseError):
    """There are `count` rows where one is needed."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"the query answered {count} rows, and one is needed; narrow its WHERE, add LIMIT 1, or read them all"
        )
        self.count = count


_CLASSES = {
    "Denied": Denied,
    "Invalid": Invalid,
    "PoolExhausted": PoolExhausted,
    "Unavailable": Unavailable,
    "Timeout": Timeout,
    "Constraint": ConstraintViolation,
    "Conflict": Conflict,
    "Statement": StatementFailed,
    "Limit": LimitExceeded,
    "Closed": Closed,
}

_by_case: dict[type, type[DatabaseError]] = {}


def bind(types: ModuleType) -> None:
    """Takes the classes of the contract's `error`."""
    _by_case.update((getattr(types, f"Error_{name}"), error) for name, error in _CLASSES.items())


def of(case: Any) -> DatabaseError:
    """The exception for an error of the contract."""
    error_class = _by_case[type(case)]
    value = case.value
    if error_class is Closed:
        return Closed(value)
    error = error_class(_sentence(value))
    for name, field in vars(value).items():
        if name != "message" or error_class is StatementFailed:
            setattr(error, name, _FIELDS.get(name, _plain)(field))
    if error_class is Timeout:
        error.limit = timedelta(microseconds=value.limit)
    return error


def _sentence(value: Any) -> str:
    more = [f" ({text})" for text in (getattr(value, "detail", None), getattr(value, "hint", None)) if text]
    return value.message + "".join(more)


def _plain(field: Any) -> Any:
    return field


def _word(case: Any) -> str:
    return case.name.lower().replace("_", "-")


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "kind": _word,
    "reason": _word,
    "waited": lambda microseconds: timedelta(microseconds=microseconds),
}
