"""What a plugin exports: it is written down here when the plugin is imported, and read by the glue."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

C = TypeVar("C", bound=type)

# The exported class of each interface, by the interface's name as WIT writes it.
exported: dict[str, type] = {}


@overload
def export(target: C) -> C: ...
@overload
def export(target: str) -> Callable[[C], C]: ...
def export(target: Any) -> Any:
    """Exports a class: `@export` before a `Strategy`, or before the class that implements an interface of the world.

    The interface is the one of the class's name: `OrderBook` implements `order-book`. `@export("order-book")` names it
    where the class is called otherwise. The class has a method for each function, named as Python does
    (`place-order` is `place_order`), and is made once, without arguments. A resource of the interface is a class inside it.

    Parameters come, and answers are taken, as: `bool`; `int` for every integer type; `float`; `str` for string and char;
    `bytes` for `list<u8>`; `list`; `tuple`; `None` for an absent option. A record that is answered is any object with its
    fields as attributes, such as a dataclass of the plugin's own; an enum's case its name in lower case or an object of its
    class in `wit_world`, where records, enums and variants that are given come from. A `Decimal` may be answered for a string.

    A `Failure` or `DatabaseError` that is raised is the function's error where that is a `failure` or a string. What else is
    raised is a trap.
    """
    if isinstance(target, str):
        return lambda exported: _write_down(target, exported)
    if not isinstance(target, type):
        raise TypeError(f"@export stands before a class or takes the name of an interface; it was given {target!r}")
    # By the attribute, so that a plugin without a strategy need not load that module.
    is_strategy = any(base.__module__.endswith("poolhouse.strategy") for base in target.__mro__)
    return _write_down("strategy" if is_strategy else kebab(target.__name__), target)


def _write_down(interface: str, implementation: Any) -> Any:
    if not isinstance(implementation, type):
        raise TypeError(f'@export("{interface}") stands before a class; it was given {implementation!r}')
    before = exported.get(interface)
    # A test may load the same module twice.
    if before is not None and (before.__module__, before.__qualname__) != (
        implementation.__module__,
        implementation.__qualname__,
    ):
        raise TypeError(
            f"`{interface}` is exported by {before.__qualname__} and by {implementation.__qualname__}; "
            "export one class for each interface"
        )
    exported[interface] = implementation
    return implementation


def kebab(name: str) -> str:
    """`OrderBook` as WIT writes it: `order-book`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower()


@dataclass(frozen=True)
class Migration:
    """One step of the plugin's tables, in SQL for both databases.

    `number` rises from 1 and is never used again for something else; `name` is a few words for the log. `tables` are those
    that the step makes with CREATE TABLE IF NOT EXISTS, each with the columns that the plugin needs: where a table is
    there already and misses one, the migration fails by name. `sqlite` and `postgresql` have one SQL statement to a text.
    """

    number: int
    name: str
    sqlite: Sequence[str]
    postgresql: Sequence[str]
    tables: Mapping[str, Sequence[str]]


def export_migrations(*migrations: Migration) -> None:
    """Exports `poolhouse:plugin/migrations`: all steps, in order of number. The list only grows.

    The host applies each step once, when the plugin is loaded, and records it.
    """
    numbers = [migration.number for migration in migrations]
    if numbers != sorted(set(numbers)) or (numbers and numbers[0] < 1):
        raise ValueError(f"migrations have numbers that rise from 1; these are {numbers}")
    for migration in migrations:
        for dialect in ("sqlite", "postgresql"):
            if isinstance(getattr(migration, dialect), str):
                raise TypeError(f"migration {migration.number}: `{dialect}` is a list of statements, not a text")
    exported["migrations"] = type("Migrations", (_Migrations,), {"steps": migrations})


class _Migrations:
    steps: tuple[Migration, ...] = ()

    def migrations(self, dialect: Any) -> list[Any]:
        statements = {"SQLITE": "sqlite", "POSTGRESQL": "postgresql"}[dialect.name]
        return [
            _Applied(
                step.number,
                step.name,
                [_Table(name, list(columns)) for name, columns in step.tables.items()],
                list(getattr(step, statements)),
            )
            for step in self.steps
        ]


@dataclass
class _Table:
    name: str
    columns: list[str]


@dataclass
class _Applied:
    number: int
    name: str
    tables: list[_Table]
    statements: list[str]
