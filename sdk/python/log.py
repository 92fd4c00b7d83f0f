"""Lines for the host's log, where they stand under the plugin's name; outside of the host they go to standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable

LEVELS = ("trace", "debug", "info", "warn", "error", "critical")


def trace(message: str, context: str = "") -> None:
    """Logs each step, for whoever looks for a mistake. The context is a word for the part of the plugin."""
    _write("trace", context, message)


def debug(message: str, context: str = "") -> None:
    """Logs what is worth knowing when something is wrong."""
    _write("debug", context, message)


def info(message: str, context: str = "") -> None:
    """Logs what has happened."""
    _write("info", context, message)


def warn(message: str, context: str = "") -> None:
    """Logs what should not have happened, and did no harm."""
    _write("warn", context, message)


def error(message: str, context: str = "") -> None:
    """Logs what has failed."""
    _write("error", context, message)


def critical(message: str, context: str = "") -> None:
    """Logs what somebody must look at now."""
    _write("critical", context, message)


def _to_stderr(level: str, context: str, message: str) -> None:
    print(f"{level}: {context + ': ' if context else ''}{message}", file=sys.stderr)


# The glue puts one that calls the host here.
_write: Callable[[str, str, str], None] = _to_stderr
