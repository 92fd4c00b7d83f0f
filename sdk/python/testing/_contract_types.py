"""The classes of `poolhouse:database/types`, of the shape that the toolchain generates; without its documentation."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from enum import Enum
from typing import Any

from ..database._values import KINDS


class Err(Exception):
    """The error of a `result`."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


Uuid = make_dataclass("Uuid", ["high", "low"])
Packed = make_dataclass("Packed", ["offsets", "data"])
Column = make_dataclass("Column", ["validity", "values"])
Batch = make_dataclass("Batch", ["rows", "columns"])
ColumnInfo = make_dataclass("ColumnInfo", ["name", "kind", "database_type"])
Answer = make_dataclass("Answer", ["columns", "batch"])
Kind = Enum("Kind", [kind.upper() for kind in KINDS], start=0)


@dataclass
class Value_Null:
    """NULL."""


for _kind in KINDS:
    for _variant in ("Values", "Value"):
        _name = f"{_variant}_{_kind.capitalize()}"
        globals()[_name] = make_dataclass(_name, ["value"])
Value_Array = make_dataclass("Value_Array", ["value"])

ConstraintKind = Enum("ConstraintKind", ["UNIQUE", "FOREIGN_KEY", "NOT_NULL", "CHECK", "EXCLUSION"], start=0)
ConflictKind = Enum("ConflictKind", ["SERIALIZATION", "DEADLOCK", "BUSY"], start=0)
Denied = make_dataclass("Denied", ["message"])
Invalid = make_dataclass("Invalid", ["message"])
Constraint = make_dataclass("Constraint", ["kind", "message", "name", "table", "columns"])
Conflict = make_dataclass("Conflict", ["kind", "message"])
StatementFailed = make_dataclass("StatementFailed", ["code", "message", "detail", "hint", "position"])

for _case in (
    "Denied", "Invalid", "PoolExhausted", "Unavailable", "Timeout", "Constraint", "Conflict", "Statement", "Limit", "Closed"
):  # fmt: skip
    globals()[f"Error_{_case}"] = make_dataclass(f"Error_{_case}", ["value"])
