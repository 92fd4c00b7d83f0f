"""Dates and times as texts, as the host stores them in SQLite: ISO 8601 with microseconds, in UTC."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from ..database._values import EPOCH_DAY, instant

_DAY = 86_400_000_000


def date_text(days: int) -> str:
    return date.fromordinal(days + EPOCH_DAY).isoformat()


def time_text(microseconds: int) -> str:
    seconds, fraction = divmod(microseconds, 1_000_000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}"


def timestamp_text(microseconds: int) -> str:
    days, rest = divmod(microseconds, _DAY)
    return f"{date_text(days)}T{time_text(rest)}Z"


def read_date(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH_DAY


def read_time(text: str) -> int:
    hours, minutes, seconds = (text + ":00:00").split(":")[:3]
    return (int(hours) * 60 + int(minutes)) * 60_000_000 + int(
        timedelta(seconds=float(seconds)) / timedelta(microseconds=1)
    )


def read_timestamp(text: str) -> int:
    # Before Python 3.11 `fromisoformat` knows no Z, and fractions of six digits alone.
    read = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "T"))
    return instant(read if read.tzinfo else read.replace(tzinfo=timezone.utc))
