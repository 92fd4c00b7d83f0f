"""Poolhouse plugins in Python: this package is all that a plugin imports. The manual is README.md beside this file.

`poolhouse.strategy` is for strategies, `poolhouse.database` for whatever needs the database, `poolhouse.decimals` for
money, `poolhouse.log` for the host's log, `poolhouse.testing` for tests. Everything can be imported without the host, so
that a plugin's tests run under any Python from 3.10 on.
"""

from . import decimals, log
from ._exports import Migration, export, export_migrations
from .failure import Err, Failure

__all__ = ["Err", "Failure", "Migration", "decimals", "export", "export_migrations", "log"]
