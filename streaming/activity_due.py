"""Spans of `activity` that are to be written anew, and of what else is counted so.

A document of `activity_due` names one (`segue/due_spans.py`). Others have their notes
in a collection of their own, `place`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pymongo import DeleteOne
from pymongo.database import Database

from segue import store
from segue.activity import Level
from segue.due_spans import due_id, new_note, noting
from segue.store import Document

_WHOLE: Final[Document] = {
    "level": {"$in": [level.value for level in Level]},
    "start": {"$type": "date"},
    "note": {"$type": "string"},
}
"""What a note has; one that is damaged is passed over, in no other's way."""


class Due(NamedTuple):
    """A span that is to be written anew."""

    level: Level
    start: datetime
    note: str

    @property
    def document_id(self) -> str:
        """The `_id` of its note."""
        return due_id(self.level, self.start)


def note_due(
    database: Database[Document],
    level: Level,
    starts: Iterable[datetime],
    due_at: datetime,
    place: str = store.ACTIVITY_DUE,
) -> list[Due]:
    """Say that spans are to be written anew; what is due already stays due as it is."""
    due = [Due(level, start, new_note()) for start in starts]
    requests = [noting(each.level, each.start, due_at, each.note) for each in due]
    if requests:
        database[place].bulk_write(requests, ordered=False)
    return due


def first_due(
    database: Database[Document], now: datetime, place: str = store.ACTIVITY_DUE
) -> Due | None:
    """Return the span that has been due for longest, if one is."""
    found = database[place].find_one(
        {**_WHOLE, "due_at": {"$lte": now}}, sort=[("due_at", 1), ("start", 1)]
    )
    return None if found is None else _due_of(found)


def every_due(
    database: Database[Document], level: Level, place: str = store.ACTIVITY_DUE
) -> list[Due]:
    """Return all spans of a level of which there is a note, due or not."""
    found = database[place].find({**_WHOLE, "level": level.value}).sort("start")
    return [_due_of(each) for each in found]


def settle(
    database: Database[Document],
    done: Iterable[Due],
    place: str = store.ACTIVITY_DUE,
) -> None:
    """Take notes away, but for spans that somebody has noted since these were read."""
    requests = [DeleteOne({"_id": due.document_id, "note": due.note}) for due in done]
    if requests:
        database[place].bulk_write(requests, ordered=False)


def postpone(
    database: Database[Document],
    due: Due,
    until: datetime,
    place: str = store.ACTIVITY_DUE,
) -> None:
    """Leave a span for later, so that it is not in the way of others."""
    database[place].update_one({"_id": due.document_id}, {"$set": {"due_at": until}})


def when_due(level: Level, hours_wait_s: float, now: datetime) -> datetime:
    """Return when a span is to be written of which a shorter one has been."""
    waits = {Level.HOUR: 1, Level.DAY: 2, Level.MONTH: 4}
    return now + timedelta(seconds=waits.get(level, 0) * hours_wait_s)


def _due_of(document: Document) -> Due:
    return Due(Level(document["level"]), document["start"], document["note"])
