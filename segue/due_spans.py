"""Spans of time that are to be counted anew: the notes that say so.

A document names one span, and from when on it is due. Each time it is noted it gets
another `note`, and only who has seen the last one may take the document away: so a span
of which more came while it was counted is counted once more.
"""

from datetime import datetime
from uuid import uuid4

from pymongo import UpdateOne

from segue.activity import Level
from segue.clock import rfc3339


def due_id(level: Level, start: datetime) -> str:
    """Return the `_id` of a span's note.

    Examples
    --------
    >>> from datetime import UTC
    >>> due_id(Level.HOUR, datetime(2026, 5, 3, 22, tzinfo=UTC))
    'hour|2026-05-03T22:00:00.000Z'
    """
    return f"{level}|{rfc3339(start)}"


def new_note() -> str:
    """Return a note that no other is like."""
    return uuid4().hex


def noting(level: Level, start: datetime, due_at: datetime, note: str) -> UpdateOne:
    """Return the write of a note; what is due already stays due as it is."""
    return UpdateOne(
        {"_id": due_id(level, start)},
        {
            "$set": {"note": note, "level": level.value, "start": start},
            "$setOnInsert": {"due_at": due_at},
        },
        upsert=True,
    )
