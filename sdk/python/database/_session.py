"""Sessions and transactions: the contract's handles with rows and `with` around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from . import _contract
from ._cursor import Cursor, HostSource
from ._errors import Closed, Conflict, DatabaseError, Invalid, Unavailable, of
from ._parameters import to_columns, to_values
from ._rows import Rows, rows_of
from ._statements import Statements

T = TypeVar("T")

_ISOLATIONS = ("default", "read-committed", "repeatable-read", "serializable")


class _Handle(Statements):
    """Statements on a handle of the host's."""

    __slots__ = ()

    def _use(self) -> Any:
        raise NotImplementedError

    def _noted(self, error: DatabaseError) -> DatabaseError:
        return error

    def _query(self, sql: str, params: Sequence[Any]) -> Rows:
        values, handle = to_values(params), self._use()
        try:
            return rows_of(handle.query(sql, values))
        except _contract.Err as error:
            raise self._noted(of(error.value)) from None

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        values, handle = to_values(params), self._use()
        try:
            return handle.execute(sql, values)
        except _contract.Err as error:
            raise self._noted(of(error.value)) from None

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]], kinds: Sequence[str | None] | None = None) -> int:
        columns = to_columns(rows, kinds)
        if not columns:
            return 0
        handle = self._use()
        try:
            return handle.execute_many(sql, columns)
        except _contract.Err as error:
            raise self._noted(of(error.value)) from None

    def _cursor(self, sql: str, params: Sequence[Any], into: type | None) -> Cursor[Any]:
        values, handle = to_values(params), self._use()
        try:
            opened = handle.open_cursor(sql, values)
        except _contract.Err as error:
            raise self._noted(of(error.value)) from None
        return Cursor(HostSource(opened, self._noted), into)


class Session(_Handle):
    """A way to the database. It holds no connection between statements: each takes one, commits by itself and gives it back.

    So a session may be kept as long as one likes, in a global, too: its handle is opened by the first statement. `session()`
    makes one.
    """

    __slots__ = ("separate", "_opened")

    def __init__(self, separate: bool) -> None:
        self.separate = separate
        """Whether it has a connection of its own."""
        self._opened: Any = None

    def open(self) -> Session:
        """Opens the handle now. Raises `Denied` without a grant, and `LimitExceeded` without room for one more."""
        self._use()
        return self

    def close(self) -> None:
        """Gives the handle back; the next statement would open another."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.__exit__(None, None, None)

    def transaction(
        self, *, isolation: str = "default", read_only: bool = False, timeout: timedelta | float | None = None
    ) -> Transaction:
        """Begins a transaction, or a savepoint where the call chain has one open: see the function `transaction`."""
        if isolation not in _ISOLATIONS:
            raise ValueError(f"isolation is {isolation!r}; it must be one of {', '.join(_ISOLATIONS)}")
        contract, session = _contract.host(), self._use()
        options = contract.TransactionOptions(
            contract.Isolation[isolation.upper().replace("-", "_")], read_only, _microseconds(timeout)
        )
        try:
            return Transaction(session.begin(options), _Met())
        except _contract.Err as error:
            raise of(error.value) from None

    def _use(self) -> Any:
        if self._opened is None:
            contract = _contract.host()
            sharing = contract.Sharing.SEPARATE if self.separate else contract.Sharing.SHARED
            try:
                self._opened = contract.Session.open(sharing)
            except _contract.Err as error:
                raise of(error.value) from None
        return self._opened


class _Met:
    """Whether a statement of a transaction, or of a savepoint in it, met a conflict."""

    __slots__ = ("conflict",)

    def __init__(self) -> None:
        self.conflict = False


class Transaction(_Handle):
    """An open transaction, or a savepoint: `with database.transaction() as tx:`.

    It is committed where the block ends, and rolled back where an exception leaves it. Without a `with` it is to be ended by
    `commit` or `rollback`; what is forgotten is rolled back with the call.
    """

    __slots__ = ("_opened", "_met")

    def __init__(self, opened: Any, met: _Met) -> None:
        self._opened = opened
        self._met = met

    def savepoint(self) -> Transaction:
        """A savepoint: `with tx.savepoint() as sp:`. It is kept where the block ends, and undone where an exception leaves it.

        The transaction itself is not to be used meanwhile. On PostgreSQL a failed statement ends its transaction; what may
        fail goes into a savepoint.
        """
        handle = self._use()
        try:
            return Transaction(handle.savepoint(), self._met)
        except _contract.Err as error:
            raise self._noted(of(error.value)) from None

    def commit(self) -> None:
        """Keeps the work.

        After `Unavailable` with `outcome_unknown` nobody knows; any other error means that it was rolled back.
        """
        handle = self._use()
        self._opened = None
        try:
            type(handle).commit(handle)
        except _contract.Err as error:
            raise self._noted(of(error.value)) from None

    def rollback(self) -> None:
        """Undoes the work. An error means that the connection is lost, and the work with it."""
        handle = self._use()
        self._opened = None
        try:
            type(handle).rollback(handle)
        except _contract.Err as error:
            raise self._noted(of(error.value)) from None

    def __enter__(self) -> Transaction:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._opened is None:
            return
        if kind is None:
            self.commit()
            return
        try:
            self.rollback()
        except DatabaseError:
            # The connection is lost and the work with it: why it was rolled back still is what matters.
            pass

    def _use(self) -> Any:
        if self._opened is None:
            raise Closed("the transaction has ended, by a commit or a rollback; begin another")
        return self._opened

    def _noted(self, error: DatabaseError) -> DatabaseError:
        if isinstance(error, Conflict):
            self._met.conflict = True
        return error


_shared = Session(separate=False)


def session(*, separate: bool = False) -> Session:
    """A session on the call chain's own connection: where a caller has a transaction open, the work joins it.

    A `separate` one has a connection of its own, for what must survive the caller's rollback, such as an audit record; it
    needs the grant `separate = true`. While the chain holds a connection, it is served at once or refused with `PoolExhausted`.
    """
    return Session(separate=True) if separate else _shared


def transaction(
    *,
    isolation: str = "default",
    read_only: bool = False,
    timeout: timedelta | float | None = None,
    separate: bool = False,
) -> Transaction:
    """Begins a transaction: `with database.transaction() as tx:`; a savepoint where the call chain has one open already.

    `isolation` is `default` (the database's own), `read-committed`, `repeatable-read` or `serializable` (what SQLite always
    gives). `timeout` is from its beginning to its commit, in seconds or as a `timedelta`; past it every statement raises
    `Timeout`. `separate` is as in `session`.
    """
    return session(separate=separate).transaction(isolation=isolation, read_only=read_only, timeout=timeout)


def retry_conflicts(
    work: Callable[[Transaction], T],
    *,
    attempts: int = 3,
    isolation: str = "default",
    read_only: bool = False,
    timeout: timedelta | float | None = None,
    separate: bool = False,
) -> T:
    """Runs `work(tx)` in a transaction and answers what it does; again from its start where somebody else's work was in the way.

    It runs `attempts` times at most, without a pause between. It is for work that does nothing outside the transaction, and for
    the outermost call: inside a caller's transaction the conflict has ended that, too, and is raised. A commit whose outcome is
    unknown is never run again.
    """
    conflict: Exception | None = None
    for left in reversed(range(max(attempts, 1))):
        tx = None
        try:
            tx = transaction(isolation=isolation, read_only=read_only, timeout=timeout, separate=separate)
            with tx:
                return work(tx)
        except Exception as error:
            if tx is None and conflict is not None and isinstance(error, (Closed, Invalid)):
                # The conflict has ended the caller's transaction, too: only the caller can run that again.
                raise conflict from None
            met = isinstance(error, Conflict) if tx is None else tx._met.conflict
            if left == 0 or not met or (isinstance(error, Unavailable) and error.outcome_unknown):
                raise
            conflict = error
    raise AssertionError("the last attempt answers or raises")


def _microseconds(timeout: timedelta | float | None) -> int | None:
    if timeout is None:
        return None
    seconds = timeout if isinstance(timeout, timedelta) else timedelta(seconds=timeout)
    if seconds < timedelta(0):
        raise ValueError(f"the timeout is {timeout}; it must be 0 or more")
    return seconds // timedelta(microseconds=1)
