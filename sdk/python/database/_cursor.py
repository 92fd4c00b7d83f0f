"""Cursors: results of any size, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from . import _contract
from ._errors import Closed, of
from ._rows import ColumnInfo, Rows, batch_of, infos_of

T = TypeVar("T")


class Cursor(Generic[T]):
    """An open result, read once from its beginning to its end. It is closed at its end, by `close`, or by `with`.

    It also ends with the transaction or savepoint that it was opened in, and with the call; then it raises `Closed`.
    """

    def __init__(self, source: Any, into: type | None) -> None:
        self._source = source
        self._into = into
        self._before = 0
        self._at_end = False
        self.columns: list[ColumnInfo] = source.columns()
        """The columns' infos; the same for every batch."""

    def next_batch(self) -> Rows | None:
        """The next rows: at most 8,192, about a megabyte, and the plugin's limits. None at the end."""
        if self._source is None:
            # Closed before its end, it must not look as if that had been all.
            if not self._at_end:
                raise Closed("the cursor was closed before its end; open another")
            return None
        rows = self._source.next(self.columns, self._before)
        if rows is None:
            self._at_end = True
            self.close()
            return None
        self._before += len(rows)
        return rows

    def batches(self) -> Iterator[Rows]:
        """What is left, batch by batch."""
        while (rows := self.next_batch()) is not None:
            yield rows

    def __iter__(self) -> Iterator[T]:
        for rows in self.batches():
            yield from rows if self._into is None else rows.into(self._into)

    def close(self) -> None:
        """Cancels the rest and gives back what the cursor holds. Once is enough, and more does no harm."""
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def __enter__(self) -> Cursor[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class HostSource:
    """A cursor of the host's."""

    __slots__ = ("_handle", "_noted")

    def __init__(self, handle: Any, noted: Any) -> None:
        self._handle = handle
        # Tells the transaction of the errors that its statements met.
        self._noted = noted

    def columns(self) -> list[ColumnInfo]:
        return infos_of(self._handle.columns())

    def next(self, infos: list[ColumnInfo], before: int) -> Rows | None:
        try:
            batch = self._handle.next()
        except _contract.Err as error:
            raise self._noted(of(error.value)) from None
        return None if batch is None else batch_of(infos, batch, before)

    def close(self) -> None:
        # The generated way to drop a handle at once, not when the collector finds it.
        self._handle.__exit__(None, None, None)
