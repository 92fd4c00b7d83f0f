"""A database for a plugin's own tests, which run without the host: an SQLite in memory that knows SQL, not grants and limits."""

from __future__ import annotations

from typing import Any

from .. import _exports
from ..database import Session, _contract, _session
from . import _contract_types, _sqlite


class Database:
    """Stands in for the host's database: `with poolhouse.testing.Database(): …`.

    Within the block whatever the plugin does through `poolhouse.database` goes to an empty SQLite in memory, in which the
    migrations that the plugin exports have been applied. The whole package is at work as in the component, with the host's
    part played by Python's `sqlite3`: transactions, savepoints, cursors, kinds by declared types, constraint errors.

    What it can't tell, the host does: grants, limits, timeouts, isolation, connections of their own, and all of PostgreSQL.
    """

    def __init__(self) -> None:
        self.session = Session(separate=False)
        """For the test's own statements."""
        self._host: Any = None
        self._before: Any = None

    def __enter__(self) -> Database:
        self._before = (_contract.types, _contract.database, _contract.Err)
        self._host = _sqlite.Host()
        _contract.bind(_contract_types, self._host, _contract_types.Err)
        # A handle of another test's would still be its database's.
        _session._shared._opened = None
        migrations = _exports.exported.get("migrations")
        for step in getattr(migrations, "steps", ()):
            for statement in step.sqlite:
                self._host.connection.execute(statement)
        return self

    def __exit__(self, *_: object) -> None:
        self._host.connection.close()
        _session._shared._opened = None
        _contract.types, _contract.database, _contract.Err = self._before


__all__ = ["Database"]
