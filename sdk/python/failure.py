"""The errors that a call may end with; what each error of the database's own carries is in `poolhouse.database`."""

from __future__ import annotations

from typing import Any

FAILURE_KINDS = ("missing", "trapped", "timeout", "limit", "depth", "failed")


class Failure(Exception):
    """What a plugin raises to say that a call has failed, in one sentence for a person: what happened, and what to do.

    In a strategy it is the error of the bar or of the parameters. In a service it is the error of a function that
    answers `result<_, failure>` or `result<_, string>`. A call into another plugin that fails raises it, too.

    `kind` is one of `FAILURE_KINDS`. A plugin's own failures are `failed`; the other kinds are the host's, for calls into
    other plugins.
    """

    def __init__(self, message: str, kind: str = "failed") -> None:
        if kind not in FAILURE_KINDS:
            raise ValueError(f"a failure's kind is one of {', '.join(FAILURE_KINDS)}; it was given {kind!r}")
        super().__init__(message)
        self.message = message
        self.kind = kind


class DatabaseError(Exception):
    """What `poolhouse.database` raises. One that leaves the plugin is a failure with its sentence, which is `str(error)`."""


class Err(Exception):
    """The error of a function whose WIT type is neither `failure` nor `string`: `raise Err(value)`.

    `value` is as that type wants it: a number, a list, or an object of a class from `wit_world`. A call into another plugin
    raises it for such an error, too.
    """

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value
