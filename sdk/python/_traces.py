"""How an exception that nobody expected is written to standard error inside the component: with the plugin's lines, which
are no longer there as files, and without the frames of the glue."""

from __future__ import annotations

# Whatever prints a traceback or reads a time is imported now: inside the component there is nothing to import from.
import _strptime  # noqa: F401
import linecache
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType

# Where the build puts this package's folder and the plugin's, in the order of its search path.
_LIBRARY, _PLUGIN = "/0/", "/1/"


def install() -> None:
    """Keeps the plugin's lines and takes over the printing. After the plugin is imported."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(_PLUGIN):
            lines = linecache.getlines(file)
            # Without a time it is never compared with the file.
            linecache.cache[file] = (sum(map(len, lines)), None, lines, file)
    sys.excepthook = _write


def _write(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    try:
        told = traceback.TracebackException(kind, error, trace)
        for each in _chain(told):
            while each.stack and each.stack[0].filename.startswith(_LIBRARY) and len(each.stack) > 1:
                del each.stack[0]
            for frame in each.stack:
                if frame.filename.startswith((_LIBRARY, _PLUGIN)):
                    frame.filename = frame.filename[3:]
        text = "".join(told.format())
    except Exception:
        sys.__excepthook__(kind, error, trace)
        return
    sys.stderr.write(text)


def _chain(told: traceback.TracebackException | None) -> Iterator[traceback.TracebackException]:
    while told is not None:
        yield told
        told = told.__cause__ or told.__context__
