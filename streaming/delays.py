"""How long lists took, as documents of `list_delays`: one a minute.

A task adds to a minute once, with all its lists. It counts only lists that reflect a
newer event than the list before: a task or batch that runs again finds its own lists
and counts nothing, so a crash may lose counts of one task, and doubles none.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import UpdateOne
from pymongo.database import Database

from segue import store
from segue.clock import rfc3339
from segue.delays import KEPT, Slots, slots_of
from segue.store import Document


def delays_of(lists: Sequence[Document], before: Mapping[str, Document]) -> Slots:
    """Count lists that were written, but for those that reflect nothing newer.

    Parameters
    ----------
    before : mapping
        The list that each listener had.
    """
    return slots_of(
        (each["newest_event_at"], each["updated_at"])
        for each in lists
        if each["_id"] not in before
        or before[each["_id"]]["newest_event_at"] < each["newest_event_at"]
    )


def note_delays(database: Database[Document], slots: Slots) -> None:
    """Add counts to their minutes."""
    minutes: dict[datetime, dict[str, int]] = defaultdict(dict)
    for (start, number), n in slots.items():
        minutes[start][f"n.{number}"] = n
    requests = [
        UpdateOne(
            {"_id": rfc3339(start)},
            {
                "$inc": counts,
                "$setOnInsert": {"start": start, "expires_at": start + KEPT},
            },
            upsert=True,
        )
        for start, counts in minutes.items()
    ]
    if requests:
        database[store.LIST_DELAYS].bulk_write(requests, ordered=False)
