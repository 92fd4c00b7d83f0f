"""The host's side of the database, as the toolchain generates it; outside of a component there is none."""

from __future__ import annotations

from types import ModuleType
from typing import Any


class _Missing(Exception):
    """Stands where nothing can be raised yet."""


# The modules of `poolhouse:database/types` and `poolhouse:database/database`, and the exception of a `result`'s error.
types: Any = None
database: Any = None
Err: type[Exception] = _Missing


def bind(types_module: ModuleType, database_module: ModuleType, error: type[Exception]) -> None:
    """Takes the generated modules; called once, before the plugin is imported."""
    global types, database, Err
    types, database, Err = types_module, database_module, error
    # They make their tables of the generated classes once, not at each call.
    from . import _columns, _errors, _parameters

    for module in (_columns, _errors, _parameters):
        module.bind(types_module)


def host() -> Any:
    """The functions of the host.

    Raises `RuntimeError` outside of a component.
    """
    if database is None:
        raise RuntimeError(
            "there is no database here: a plugin has one inside the host, where its world imports "
            "poolhouse:database/database; a test brings its own, such as poolhouse.testing.Database"
        )
    return database
