"""Which time is asked for, and the spans that answer for it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from dashboard.dates import moment
from dashboard.refusals import RefusedError
from segue.activity import Level
from segue.fields import EARLIEST_YEAR

PRESETS: Final[Mapping[str, timedelta | None]] = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "1y": timedelta(days=365),
    "all": None,
}
"""Ranges that end now, by name; None is as long as there is something."""

Levels = Sequence[tuple[Level, timedelta, timedelta]]
"""Of each level: the longest range that it serves, and for how long it is kept."""
_LEVELS: Final[Levels] = (
    (Level.MINUTE, timedelta(hours=6), timedelta(days=2)),
    (Level.HOUR, timedelta(days=14), timedelta(days=90)),
    (Level.DAY, timedelta(days=62), timedelta.max),
)
_EARLIEST: Final = datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC)
_CLOCKS_DIFFER: Final = timedelta(days=1)
_TIME: Final = re.compile(r"(\d{4}-?\d\d-?\d\d)(?:[T ](\d[\d:.,Z+ -]{1,28}))?")
_SHOWN_CHARS: Final = 24


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Whole spans of one level, from `start` until before `end`; UTC."""

    level: Level
    start: datetime
    end: datetime

    @property
    def starts(self) -> list[datetime]:
        """Where each of its spans begins."""
        found, at = [], self.start
        while at < self.end:
            found.append(at)
            at = self.level.end_of(at)
        return found

    @property
    def before(self) -> "TimeRange":
        """As many spans, just before."""
        at = self.start
        for _ in self.starts:
            at = self.level.start_of(at - timedelta(microseconds=1))
        return TimeRange(self.level, at, self.start)

    @property
    def words(self) -> str:
        """What is shown, as a sentence.

        Examples
        --------
        >>> at = datetime(2026, 5, 3, 22, tzinfo=UTC)
        >>> TimeRange(Level.HOUR, at, at + timedelta(hours=2)).words
        'From 3 May 2026, 22:00 to 4 May 2026, 00:00 UTC, by hours.'
        """
        return f"From {moment(self.start)} to {moment(self.end)} UTC, by {self.level}s."


@dataclass(frozen=True, slots=True)
class Wish:
    """The time that is asked for; without a `start` it is all there is."""

    start: datetime | None
    end: datetime

    @property
    def last_date(self) -> date:
        """The last date of which something belongs to it."""
        return (self.end - timedelta(microseconds=1)).date()


def wished(told: Mapping[str, str], preset: str, now: datetime) -> Wish:
    """Return the time that `from` and `to`, or else `range`, ask for.

    Parameters
    ----------
    preset : str
        Of `PRESETS`: what is meant where nothing is told.

    Raises
    ------
    RefusedError
        Where that is no time of which there can be something.
    """
    if not {"from", "to"} & told.keys():
        named = told.get("range", preset)
        if named not in PRESETS:
            raise _wrong(
                f"There is no range {_short(named)}; there are {', '.join(PRESETS)}."
            )
        length = PRESETS[named]
        return Wish(None if length is None else now - length, now)
    if "from" not in told:
        raise _wrong("The range has an end, but no beginning: say from when.")
    start = _moment("from", told["from"])
    end = _moment("to", told["to"], is_end=True) if "to" in told else now
    _check(start, end, now)
    return Wish(start, end)


def snapped(
    start: datetime, end: datetime, now: datetime, levels: Levels = _LEVELS
) -> TimeRange:
    """Return the spans that a time touches, of the finest level that still has it.

    Of a time that is not over, those up to now.
    """
    end = min(end, now) if start < now else end
    length = end - start
    for level, longest, kept in levels:
        first = level.start_of(start)
        if length <= longest and now - first < kept:
            return _whole(level, start, end)
    return _whole(Level.MONTH, start, end)


def is_kept(time: TimeRange, now: datetime) -> bool:
    """Whether the spans of a time are all still there."""
    kept = {level: kept for level, _, kept in _LEVELS}
    return now - time.start < kept.get(time.level, timedelta.max)


def hours_in(wish: Wish, now: datetime) -> TimeRange | None:
    """Return the hours of a time that are still kept; None where none is."""
    kept = {level: kept for level, _, kept in _LEVELS}[Level.HOUR]
    first = Level.HOUR.end_of(Level.HOUR.start_of(now - kept))
    start = first if wish.start is None else max(first, wish.start)
    return None if start >= wish.end else _whole(Level.HOUR, start, wish.end)


def _whole(level: Level, start: datetime, end: datetime) -> TimeRange:
    last = level.start_of(end)
    return TimeRange(
        level, level.start_of(start), last if last == end else level.end_of(last)
    )


def _check(start: datetime, end: datetime, now: datetime) -> None:
    if start > now:
        raise _wrong("The range begins in the future: nothing was played there yet.")
    if end <= start:
        raise _wrong("The range ends before it begins: from must be before to.")
    if start < _EARLIEST:
        raise _wrong(
            f"The range begins in {start.year}; nothing is older than {EARLIEST_YEAR}."
        )
    if end > now + _CLOCKS_DIFFER:
        raise _wrong("The range ends in the future: leave out to, and it ends now.")


def _moment(name: str, text: str, *, is_end: bool = False) -> datetime:
    """Return a time, in UTC, which is meant where no zone is told.

    Parameters
    ----------
    is_end : bool
        Of a date, that is the end of the day; else its beginning.
    """
    try:
        told = _TIME.fullmatch(text)
        if told is None:
            raise ValueError
        day, clock = told.groups()
        # a plus that was not written as %2B has become a space
        clock = (clock or "").replace(" ", "+")
        found = datetime.fromisoformat(f"{day}T{clock}" if clock else day)
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        at = found.astimezone(UTC)
        return Level.DAY.end_of(at) if is_end and not clock else at
    except (ValueError, OverflowError):
        raise _wrong(
            f"{name} is {_short(text)}; want a time as 2026-05-03T22:10Z, or a date."
        ) from None


def _short(text: str) -> str:
    is_long = len(text) > _SHOWN_CHARS
    return f"“{text[:_SHOWN_CHARS]}{'…' if is_long else ''}”"


def _wrong(detail: str) -> RefusedError:
    return RefusedError(400, "wrong_range", detail)
