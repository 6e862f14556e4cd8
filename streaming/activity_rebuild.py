"""`activity` anew, out of the archive, beside the running stream or without it.

Each date is held while its spans are counted, so the stream waits with what it would
add to that date, and neither overwrites what the other has seen and it has not. It may
be killed at any moment, and run again.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from pymongo.database import Database
from tqdm import tqdm

from segue import store
from segue.activity import Level
from segue.clock import Clock, system_clock
from segue.settings import Settings
from segue.store import Document
from streaming.activity_due import every_due
from streaming.activity_spans import Activity, activity_of, counted_level
from streaming.archive import dates_of
from streaming.archive_files import held
from streaming.rolling import roll
from streaming.uncounted import note_uncounted

_HOURS: Final = tuple(timedelta(hours=hour) for hour in range(24))


def rebuild_activity(
    settings: Settings,
    database: Database[Document],
    first: date,
    last: date,
    clock: Clock = system_clock,
) -> int:
    """Write all spans of the archive's dates from `first` to `last`.

    Returns
    -------
    int
        Number of dates.
    """
    activity = activity_of(settings, database, clock)
    # dates, too, of which the archive has nothing any more
    counted = database[store.ACTIVITY].distinct("start", {"level": Level.DAY})
    dates = {*dates_of(activity.folder), *(start.date() for start in counted)}
    days = sorted(day for day in dates if first <= day <= last)
    for day in tqdm(days, "dates", unit="date"):
        _count(activity, day)
    for level in Level:
        due = every_due(database, level)
        for each in tqdm(due, f"{level}s", unit=level.value, disable=not due):
            roll(activity, each)
    note_uncounted(settings, database, clock)
    return len(days)


def _count(activity: Activity, day: date) -> None:
    level = counted_level(day, activity.clock())
    midnight = datetime.combine(day, time(), UTC)
    for starts in _starts(midnight, level):
        # no longer than an hour's events at a time: the stream may wait
        with held(activity.folder, day.isoformat()):
            activity.count(day, level, starts)


def _starts(midnight: datetime, level: Level) -> Iterable[list[datetime]]:
    if level is Level.DAY:
        yield [midnight]
        return
    step = level.end_of(midnight) - midnight
    n_steps = timedelta(hours=1) // step
    for hour in _HOURS:
        yield [midnight + hour + n * step for n in range(n_steps)]
