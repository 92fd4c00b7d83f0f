"""Rows over columns: a cell is decoded when it is asked for, and a row is no more than a place in its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, overload

from ._columns import Column
from ._errors import CellError, ManyRows, NoRow
from ._fit import fit, record
from ._values import Exact, conversion

T = TypeVar("T")


class ColumnInfo(NamedTuple):
    """What the database says of a result's column.

    `kind` is in `Exact`'s words. `database_type` is the database's own name, such as `int8` or `TIMESTAMP`; empty for an
    SQLite expression.
    """

    name: str
    kind: str
    database_type: str


class Row:
    """One row: `row.name`, `row["name"]`, `row[0]`, `name, balance = row`.

    Its own names begin with an underscore, so that every column can be read as an attribute. Rows are equal to rows and tuples
    of the same values. Reading a cell raises `CellError` where Python's type can't hold it.
    """

    __slots__ = ("_rows", "_at")

    def __init__(self, rows: Rows, at: int) -> None:
        self._rows = rows
        self._at = at

    def __getattr__(self, name: str) -> Any:
        rows = self._rows
        column = rows._index.get(name, -1)
        if column < 0:
            # Whoever copies or prints an object asks it for names that no column has.
            raise AttributeError(rows._no_column(name))
        try:
            return rows._columns[column].cell(self._at)
        except (ValueError, OverflowError):
            raise rows._unreadable(column, self._at) from None

    @overload
    def __getitem__(self, key: int | str) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Any, ...]: ...
    def __getitem__(self, key: Any) -> Any:
        rows = self._rows
        if type(key) is str:
            return rows._cell(rows._named(key), self._at)
        if isinstance(key, slice):
            return tuple(self)[key]
        width = len(rows.columns)
        if not -width <= key < width:
            raise IndexError(f"the row has {width} columns, from 0; there is no {key}")
        return rows._cell(key % width, self._at)

    def __iter__(self) -> Iterator[Any]:
        rows, at = self._rows, self._at
        try:
            return iter([column.cell(at) for column in rows._columns])
        except (ValueError, OverflowError):
            # One of them raises, and says which.
            return iter([rows._cell(column, at) for column in range(len(rows.columns))])

    def __len__(self) -> int:
        return len(self._rows.columns)

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, (Row, tuple)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        cells = []
        for column, info in enumerate(self._rows.columns):
            try:
                cells.append(f"{info.name}={self[column]!r}")
            except CellError:
                cells.append(f"{info.name}={self._exact(column)!r}")
        return f"Row({', '.join(cells)})"

    def _asdict(self) -> dict[str, Any]:
        """The cells by their columns' names."""
        return {info.name: cell for info, cell in zip(self._rows.columns, self)}

    def _exact(self, key: int | str) -> Exact | None:
        """The cell as the contract has it, for what Python's type can't hold: PostgreSQL's infinite timestamps, years before 1
        and after 9999, 24:00:00. None for NULL."""
        rows = self._rows
        return rows._columns[rows._named(key) if isinstance(key, str) else key].exact(self._at)


class Rows(Sequence[Row]):
    """A complete result, or one batch of a cursor: a sequence of rows."""

    __slots__ = ("columns", "_columns", "_index", "_count", "_before")

    def __init__(self, columns: list[ColumnInfo], cells: Sequence[Any], count: int, before: int = 0) -> None:
        self.columns = columns
        """The columns' infos, in order; there with zero rows, too."""
        self._columns = cells
        self._count = count
        # How many rows came before, in other batches.
        self._before = before
        # -1 for a name that several columns have.
        self._index: dict[str, int] = {}
        for at, info in enumerate(columns):
            self._index[info.name] = -1 if info.name in self._index else at

    @staticmethod
    def of(columns: Mapping[str, Sequence[Any]]) -> Rows:
        """Rows of Python's values, for tests: `Rows.of({"name": ["alice", "bob"], "balance": [Decimal("1.50"), None]})`."""
        infos = []
        for name, values in columns.items():
            kinds = [conversion(value)[0] for value in values if value is not None]
            infos.append(ColumnInfo(name, kinds[0] if kinds else "text", ""))
        counts = {len(values) for values in columns.values()}
        if len(counts) > 1:
            raise ValueError(f"columns of one result are of one length; these are of {sorted(counts)}")
        return Rows(
            infos, [_Values(info.kind, list(values)) for info, values in zip(infos, columns.values())], *counts or {0}
        )

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [Row(self, each) for each in range(*at.indices(self._count))]
        if not -self._count <= at < self._count:
            raise IndexError(f"there are {self._count} rows, from 0; there is no {at}")
        return Row(self, at % self._count)

    def __iter__(self) -> Iterator[Row]:
        return (Row(self, at) for at in range(self._count))

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<{self._count} rows of {', '.join(info.name for info in self.columns) or 'no column'}>"

    def first(self) -> Row | None:
        """The first row, if there is one."""
        return Row(self, 0) if self._count else None

    def one(self) -> Row:
        """The only row.

        Raises `NoRow` or `ManyRows`.
        """
        if self._count == 1:
            return Row(self, 0)
        raise NoRow() if self._count == 0 else ManyRows(self._count)

    def one_or_none(self) -> Row | None:
        """The only row, if there is one.

        Raises `ManyRows`.
        """
        return self.one() if self._count else None

    def values(self, column: int | str = 0, into: Any = None) -> list[Any]:
        """All cells of a column, read as the type `into` where that is given.

        Raises `CellError` where one can't be.
        """
        at = self._named(column) if isinstance(column, str) else column
        return self._fitted(at, "", into)

    def into(self, kind: type[T]) -> list[T]:
        """All rows as objects of a dataclass or `NamedTuple`: a field takes the column of its name.

        A field's type says what it takes: `bool`, `int`, `float`, `Decimal`, `str`, `bytes`, `UUID`, `date`, `time`,
        `datetime`, `Json`, `Exact`, each with `| None` where it may be NULL, or `Any`. One with a default may have no column.

        Raises `CellError` where a column is missing or a cell does not fit; nothing is rounded or guessed.
        """
        fields, names, columns = record(kind), [], []
        for field in fields:
            if field.name in self._index:
                names.append(field.name)
                columns.append(self._fitted(self._named(field.name), f"{kind.__name__}.{field.name}", field.hint))
            elif field.required:
                raise CellError(f"{kind.__name__}.{field.name}: {self._no_column(field.name)}")
        if not columns:
            return [kind() for _ in range(self._count)]
        if names == [field.name for field in fields if field.positional][: len(names)]:
            return list(map(kind, *columns))
        return [kind(**dict(zip(names, cells))) for cells in zip(*columns)]

    def _fitted(self, at: int, owner: str, hint: Any) -> list[Any]:
        column = self._columns[at]
        if hint is Exact:
            return [column.exact(row) for row in range(self._count)]
        try:
            cells = column.cells(self._count)
        except (ValueError, OverflowError):
            # One of them raises, and says which.
            cells = [self._cell(at, row) for row in range(self._count)]
        if hint is None or hint is Any:
            return cells
        convert, takes_null = fit(hint, column.kind, owner or "`into`")
        if convert is None and (takes_null or None not in cells):
            return cells
        row = 0
        try:
            for row, cell in enumerate(cells):
                if cell is None:
                    if not takes_null:
                        raise ValueError(f"holds NULL, which {_name(hint)} does not take; ask for {_name(hint)} | None")
                elif convert is not None:
                    cells[row] = convert(cell)
        except ValueError as error:
            where = f"column `{self.columns[at].name}` of row {self._before + row + 1}"
            raise CellError(f"{owner + ': ' if owner else ''}{where} {error}") from None
        return cells

    def _cell(self, column: int, at: int) -> Any:
        try:
            return self._columns[column].cell(at)
        except (ValueError, OverflowError):
            raise self._unreadable(column, at) from None

    def _unreadable(self, column: int, at: int) -> CellError:
        exact, name = self._columns[column].exact(at), self.columns[column].name
        return CellError(
            f"column `{name}` of row {self._before + at + 1} holds the {exact.kind} {exact.value}, which Python's own type "
            f"can't hold; read it with row._exact({name!r})"
        )

    def _named(self, name: str) -> int:
        at = self._index.get(name)
        if at is None or at < 0:
            raise CellError(self._no_column(name))
        return at

    def _no_column(self, name: str) -> str:
        if name in self._index:
            return f"there are several columns `{name}`; read them by index, or give each a name with AS"
        return f"there is no column `{name}`; there is {', '.join(f'`{info.name}`' for info in self.columns) or 'none'}"


class _Values:
    """A column of Python's values."""

    __slots__ = ("kind", "cell")

    def __init__(self, kind: str, values: list[Any]) -> None:
        self.kind = kind
        self.cell = values.__getitem__

    def cells(self, count: int) -> list[Any]:
        return [self.cell(at) for at in range(count)]

    def exact(self, at: int) -> Exact | None:
        value = self.cell(at)
        if value is None:
            return None
        kind, convert = conversion(value)
        return Exact(kind, convert(value)) if kind else value


def rows_of(answer: Any) -> Rows:
    """The rows of the contract's `answer`."""
    return batch_of(infos_of(answer.columns), answer.batch, 0)


def batch_of(infos: list[ColumnInfo], batch: Any, before: int) -> Rows:
    """The rows of the contract's `batch`, so many of which came before it."""
    return Rows(infos, [Column(column) for column in batch.columns], batch.rows, before)


def infos_of(columns: list[Any]) -> list[ColumnInfo]:
    """The contract's infos, in Python's words."""
    return [ColumnInfo(info.name, info.kind.name.lower(), info.database_type) for info in columns]


def _name(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))
