"""The statements that sessions and transactions have alike, and what is built on them; where they run, the handle says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, overload

from ._cursor import Cursor
from ._errors import Invalid, LimitExceeded, ManyRows, NoRow
from ._rows import Row, Rows

T = TypeVar("T")


class Statements(ABC):
    """What a `Session`, a `Transaction` and a `poolhouse.testing.Database` have in common.

    A function that takes it runs in any of them. `params` is a list or tuple with one value for each placeholder. Where
    `into` is given, rows are read as objects of that dataclass or `NamedTuple`, and scalars as that type (see `Rows.into`).
    Every method raises a `DatabaseError`.
    """

    __slots__ = ()

    @abstractmethod
    def _query(self, sql: str, params: Sequence[Any]) -> Rows: ...

    @abstractmethod
    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Runs a statement and answers how many rows it changed."""

    @abstractmethod
    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]], kinds: Sequence[str | None] | None = None) -> int:
        """Runs one statement once for each row, in order, all of it or nothing; answers how many rows were changed in all.

        The values of a column are of one type, or None. `kinds`, in `Exact`'s words, says what columns are that have only
        None in them, where the database can't tell by itself. No rows are no statement, and 0.
        """

    @abstractmethod
    def _cursor(self, sql: str, params: Sequence[Any], into: type | None) -> Cursor[Any]: ...

    @overload
    def query(self, sql: str, params: Sequence[Any] = ()) -> Rows: ...
    @overload
    def query(self, sql: str, params: Sequence[Any] = (), *, into: type[T]) -> list[T]: ...
    def query(self, sql: str, params: Sequence[Any] = (), *, into: Any = None) -> Any:
        """Runs a statement and answers all its rows.

        Raises `LimitExceeded` with more rows or bytes than the plugin's limit, never a part of the rows; see `each`.
        """
        rows = self._query(sql, params)
        return rows if into is None else rows.into(into)

    @overload
    def one(self, sql: str, params: Sequence[Any] = ()) -> Row: ...
    @overload
    def one(self, sql: str, params: Sequence[Any] = (), *, into: type[T]) -> T: ...
    def one(self, sql: str, params: Sequence[Any] = (), *, into: Any = None) -> Any:
        """Runs a statement and answers its only row.

        Raises `NoRow` or `ManyRows`.
        """
        rows = self._query(sql, params)
        row = rows.one()
        return row if into is None else rows.into(into)[0]

    @overload
    def one_or_none(self, sql: str, params: Sequence[Any] = ()) -> Row | None: ...
    @overload
    def one_or_none(self, sql: str, params: Sequence[Any] = (), *, into: type[T]) -> T | None: ...
    def one_or_none(self, sql: str, params: Sequence[Any] = (), *, into: Any = None) -> Any:
        """Runs a statement and answers its only row, if there is one.

        Raises `ManyRows`.
        """
        rows = self._query(sql, params)
        row = rows.one_or_none()
        return row if row is None or into is None else rows.into(into)[0]

    def scalars(self, sql: str, params: Sequence[Any] = (), *, into: Any = None) -> list[Any]:
        """Runs a statement and answers the cells of its only column."""
        rows = self._query(sql, params)
        if len(rows.columns) != 1:
            raise Invalid(f"the query answered {len(rows.columns)} columns, and one is needed; name one in its SELECT")
        return rows.values(0, into)

    def scalar(self, sql: str, params: Sequence[Any] = (), *, into: Any = None) -> Any:
        """Runs a statement and answers the only cell of its only row.

        Raises `NoRow` or `ManyRows`.
        """
        cells = self.scalars(sql, params, into=into)
        if len(cells) == 1:
            return cells[0]
        raise NoRow() if not cells else ManyRows(len(cells))

    def scalar_or_none(self, sql: str, params: Sequence[Any] = (), *, into: Any = None) -> Any:
        """Runs a statement and answers the only cell of its only row; None without a row, and for NULL.

        Raises `ManyRows`.
        """
        cells = self.scalars(sql, params, into=into)
        if len(cells) > 1:
            raise ManyRows(len(cells))
        return cells[0] if cells else None

    @overload
    def cursor(self, sql: str, params: Sequence[Any] = ()) -> Cursor[Row]: ...
    @overload
    def cursor(self, sql: str, params: Sequence[Any] = (), *, into: type[T]) -> Cursor[T]: ...
    def cursor(self, sql: str, params: Sequence[Any] = (), *, into: Any = None) -> Any:
        """Opens a cursor over a query that only reads: `with db.cursor(sql) as rows: for row in rows: …`.

        Outside a transaction it holds a connection of its own until it is closed.
        """
        return self._cursor(sql, params, into)

    @overload
    def each(self, sql: str, params: Sequence[Any] = ()) -> Iterator[Row]: ...
    @overload
    def each(self, sql: str, params: Sequence[Any] = (), *, into: type[T]) -> Iterator[T]: ...
    def each(self, sql: str, params: Sequence[Any] = (), *, into: Any = None) -> Iterator[Any]:
        """Runs a query and iterates over any number of rows: in one answer where that is within the plugin's limits, through a
        cursor where it is not. A query that changes rows is not for it, for it may run twice.
        """
        try:
            rows = self._query(sql, params)
        except LimitExceeded as limit:
            if not limit.is_too_large:
                raise
            try:
                cursor = self._cursor(sql, params, into)
            except Invalid:
                # A query that can't have a cursor: the limit is what matters.
                raise limit from None
        else:
            return iter(rows if into is None else rows.into(into))
        return _closing(cursor)


def _closing(cursor: Cursor[T]) -> Iterator[T]:
    with cursor:
        yield from cursor
