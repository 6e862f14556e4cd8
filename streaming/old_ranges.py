"""Ranges of Kafka offsets that are long over, added up: one document a date.

Each micro-batch counts its messages by range in `rejected_counts`, thousands a day, and
the ledger and `/metrics` add all of them up. A new checkpoint may read again what Kafka
still holds, so ranges stay apart for that long; of a date before, only sums are needed.
"""

import logging
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from pymongo import ASCENDING
from pymongo.database import Database
from pymongo.errors import PyMongoError

from segue import store
from segue.clock import Clock
from segue.shown import midnight
from segue.store import Document
from streaming.minutes import added

_LOG = logging.getLogger(__name__)
_DATE: Final = timedelta(days=1)
_RANGES: Final = {"is_date": {"$ne": True}}


class OldRanges:
    """Adds up the ranges of dates that are over for long.

    Parameters
    ----------
    retention_h : int
        Hours for which Kafka keeps messages. It deletes whole segments, which may hold
        what is twice as old.
    """

    def __init__(
        self, database: Database[Document], retention_h: int, clock: Clock
    ) -> None:
        self._database, self._clock = database, clock
        self._kept = timedelta(hours=2 * retention_h)

    def look(self) -> None:
        """Add up one date, if one is old enough; what fails is tried again."""
        try:
            add_up_oldest(self._database, self._clock() - self._kept)
        except PyMongoError as error:
            _LOG.warning("ranges of offsets are not added up yet: %s", error)


def add_up_oldest(database: Database[Document], before: datetime) -> datetime | None:
    """Make one document of each partition's ranges of the oldest date that has some.

    Returns
    -------
    datetime or None
        The date; None where no date that was over at `before` has any.
    """
    over = {"counted_at": {"$lt": midnight(before)}}
    first = database[store.REJECTED_COUNTS].find_one(
        over | _RANGES, ("counted_at",), sort=[("counted_at", ASCENDING)]
    )
    if first is None:
        return None
    date = midnight(first["counted_at"])
    add_up(database, date)
    return date


def add_up(database: Database[Document], date: datetime) -> None:
    """Make one document of each partition's ranges that were counted on a date.

    The sum is written before the ranges go. If this ends in between, both are there
    until it is called again: what lies within the sum is in it, and only goes.
    """
    counts = database[store.REJECTED_COUNTS]
    of_date = {"counted_at": {"$gte": date, "$lt": date + _DATE}}
    parts: dict[tuple[str, int], list[Document]] = defaultdict(list)
    for each in counts.find(of_date):
        parts[each["topic"], each["partition"]].append(each)
    for (topic, partition), found in parts.items():
        sums = [each for each in found if each.get("is_date")]
        # a clock that was set back counts on a date that was added up before
        new = [each for each in found if not any(_has(one, each) for one in sums)]
        if new:
            whole = _sum([*sums, *new], date)
            counts.replace_one({"_id": whole["_id"]}, whole, upsert=True)
        counts.delete_many(
            {**of_date, **_RANGES, "topic": topic, "partition": partition}
        )


def _has(one: Document, other: Document) -> bool:
    """Tell whether a range begins within another."""
    first: int = other["from_offset"]
    return bool(one["from_offset"] <= first < one["until_offset"])


def _sum(ranges: list[Document], date: datetime) -> Document:
    topic, partition = ranges[0]["topic"], ranges[0]["partition"]
    return {
        "_id": f"{topic}|{partition}|{date:%Y-%m-%d}",
        "is_date": True,
        "topic": topic,
        "partition": partition,
        "from_offset": min(each["from_offset"] for each in ranges),
        "until_offset": max(each["until_offset"] for each in ranges),
        "n_valid": sum(each["n_valid"] for each in ranges),
        **added(ranges),
        "counted_at": date,
        "updated_at": max(each["updated_at"] for each in ranges),
    }
