"""Listeners whose panes are written and whose list is still to follow.

While a backlog is taken in, more listeners come in a micro-batch than lists can be made
in a moment, and each would come again in the next. So their lists may wait: a document
of `lists_due` says whose, and what has been written of them since. Each note gives it
another `note`, and only who has seen the last one may take the document away.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import NamedTuple
from uuid import uuid4

from pymongo import DeleteOne, UpdateOne
from pymongo.database import Database

from segue import store
from segue.store import Document


class Due(NamedTuple):
    """A list that is to follow.

    Attributes
    ----------
    dates : frozenset of date
        Dates whose panes have been written without bringing the listener up to date.
    """

    note: str
    newest_event_at: datetime
    dates: frozenset[date]


def note_due(
    database: Database[Document],
    newest: Mapping[str, datetime],
    dates: Mapping[str, frozenset[date]],
    at: datetime,
) -> None:
    """Say whose list is to follow; their panes have been written.

    Parameters
    ----------
    newest : mapping
        Time of the newest event, by `user_id`.
    dates : mapping
        Dates of the panes that have been written.
    """
    requests = [
        UpdateOne(
            {"_id": user_id},
            {
                "$set": {"note": uuid4().hex},
                "$max": {"newest_event_at": newest_at},
                "$addToSet": {
                    "dates": {"$each": sorted(map(_midnight, dates[user_id]))}
                },
                "$setOnInsert": {"since": at},
            },
            upsert=True,
        )
        for user_id, newest_at in newest.items()
    ]
    if requests:
        database[store.LISTS_DUE].bulk_write(requests, ordered=False)


def read_due(database: Database[Document], user_ids: Iterable[str]) -> dict[str, Due]:
    """Return what is due of these listeners."""
    found = database[store.LISTS_DUE].find({"_id": {"$in": list(user_ids)}})
    return {
        each["_id"]: Due(
            each["note"],
            each["newest_event_at"],
            frozenset(moment.date() for moment in each["dates"]),
        )
        for each in found
    }


def settle_due(database: Database[Document], done: Mapping[str, Due]) -> bool:
    """Take away what has been done; what was noted since stays.

    Returns
    -------
    bool
        Whether each was as it had been read, so that nobody else has come between.
    """
    requests = [
        DeleteOne({"_id": user_id, "note": due.note}) for user_id, due in done.items()
    ]
    if not requests:
        return True
    settled = database[store.LISTS_DUE].bulk_write(requests, ordered=False)
    return settled.deleted_count == len(requests)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
