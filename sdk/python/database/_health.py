"""How the database and the pool are doing, as the host tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from . import _contract

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Health:
    """What a round trip to the database found."""

    state: str
    """`up`; `degraded` where statements are answered, but connections broke or can't be opened; or `down`."""
    since: datetime
    backend: str
    """`sqlite` or `postgresql`."""
    version: str
    """The server's own, empty when down."""
    latency: timedelta
    message: str
    """Why it is down or degraded, or what else is worth knowing, for a person."""


@dataclass(frozen=True)
class Stats:
    """The pool and the plugin's share of it, in connections."""

    size: int
    """Kept when idle."""
    checked_in: int
    """Open and idle."""
    checked_out: int
    """Lent out."""
    overflow: int
    """Open beyond `size`; negative while fewer than `size` are open."""
    waiting: int
    """Callers in the queue."""
    state: str
    since: datetime
    message: str
    quota: int
    """How many the plugin may hold at once."""
    reserved: int
    """How many of these are kept from other plugins while the plugin holds fewer."""
    used: int
    """How many the plugin holds."""


def health() -> Health:
    """Asks the database, now; five seconds at most."""
    told = dict(vars(_contract.host().health()))
    told["latency"] = timedelta(microseconds=told["latency"])
    return Health(**_read(told))


def stats() -> Stats:
    """What is known already; asks nothing of the database."""
    return Stats(**_read(dict(vars(_contract.host().stats()))))


def _read(told: dict) -> dict:
    told["state"] = told["state"].name.lower()
    told["since"] = _EPOCH + timedelta(microseconds=told["since"])
    return told
