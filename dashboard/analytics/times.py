"""Which time is asked for, and the spans that answer for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
_MOST_CHARS: Final = 40
_SHOWN_CHARS: Final = 24
_DATE_CHARS: Final = len("2026-05-03")


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
    end = _end(told["to"]) if "to" in told else now
    _check(start, end, now)
    return Wish(start, end)


def snapped(
    start: datetime, end: datetime, now: datetime, levels: Levels = _LEVELS
) -> TimeRange:
    """Return the spans that a time touches, of the finest level that still has it."""
    length = end - start
    for level, longest, kept in levels:
        first = level.start_of(start)
        if length <= longest and now - first < kept:
            return _whole(level, start, end)
    return _whole(Level.MONTH, start, end)


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


def _end(text: str) -> datetime:
    """Return the end of a time: of a date that is the end of the day."""
    end = _moment("to", text)
    return Level.DAY.end_of(end) if len(text) <= _DATE_CHARS else end


def _moment(name: str, text: str) -> datetime:
    """Return a time, in UTC, which is meant where no zone is told."""
    try:
        if len(text) > _MOST_CHARS:
            raise ValueError
        # a plus that was not written as %2B has become a space
        found = datetime.fromisoformat(text.replace(" ", "+"))
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(
            f"{name} is {_short(text)}; want a time as 2026-05-03T22:10Z, or a date."
        ) from None


def _short(text: str) -> str:
    is_long = len(text) > _SHOWN_CHARS
    return f"“{text[:_SHOWN_CHARS]}{'…' if is_long else ''}”"


def _wrong(detail: str) -> RefusedError:
    return RefusedError(400, "wrong_range", detail)
