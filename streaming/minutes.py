"""What the queries did, minute by minute, as documents of `stream_minutes`.

Of each query there is a document a minute, made of what was looked at once a second,
and one, of `messages`, that says what became of those that were counted in it. Each is
written whole, by its `_id`: writing it again changes nothing. Of the minute in which a
job ends, or begins, there is what it saw of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ReplaceOne
from pymongo.database import Database

from segue import store
from segue.activity import Level
from segue.clock import rfc3339
from segue.delays import KEPT
from segue.store import Document

EVERY: Final = timedelta(seconds=10)
"""Between two writes of a minute that still runs."""
_MINUTE: Final = timedelta(minutes=1)
_COUNTS: Final = ("n_read", "n_late", "n_known")
# in Spark's report of each batch that ran, with rows or without
_RAN: Final = "addBatch"


def batch_of(known: Document) -> tuple[int | None, datetime | None]:
    """Return what tells a micro-batch from others.

    Its number alone does not: while a query waits, Spark reports now and then under the
    number of the batch that comes next.
    """
    return known.get("batch_id"), known.get("batch_started_at")


@dataclass
class Minute:
    """One query in one minute, so far.

    Attributes
    ----------
    since : datetime
        When it was last looked at before, and how many messages it had `taken` then.
    last, at : dict, datetime
        The last figures, and when they were looked at.
    batches : list
        The figures of the micro-batches that were seen to end in it.
    """

    start: datetime
    since: datetime
    taken: int
    last: Document
    at: datetime
    batches: list[Document] = field(default_factory=list)
    n_waiting: int = 0

    def look(self, known: Document, at: datetime) -> None:
        """Note the figures of the last micro-batch, as of `at`."""
        if batch_of(known) != batch_of(self.last):
            self.batches.append(known)
        self.last, self.at = known, at
        self.n_waiting = max(self.n_waiting, known["n_waiting"])

    def document(self, query: str) -> Document:
        """Return what the minute comes to."""
        seen, last = self.batches, self.last
        n_rows = last["n_taken"] - self.taken
        total_s = sum(_total_ms(each) for each in seen) / 1000
        n_processed = sum(each["n_input_rows"] for each in seen)
        observed_s = (self.at - self.since).total_seconds()
        watermark = last["watermark"]
        lag_s = None if watermark is None else (self.at - watermark).total_seconds()
        return _stamped(query, self.start) | {
            "n_rows": n_rows,
            "n_batches": len(seen),
            "input_rows_per_s": n_rows / observed_s if observed_s > 0 else 0.0,
            "processed_rows_per_s": n_processed / total_s if total_s > 0 else None,
            "duration_ms": _mean_by_phase(seen),
            "longest_ms": max(map(_total_ms, seen), default=0.0),
            "state_rows": last["state_rows"],
            "state_bytes": last["state_bytes"],
            "watermark_lag_s": lag_s,
            "n_waiting": self.n_waiting,
            "n_dropped": sum(each["n_dropped_by_watermark"] for each in seen),
        }


class Minutes:
    """Gathers what is looked at, and writes it every few seconds."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._running: dict[str, Minute] = {}
        self._over: list[Document] = []
        self._written_at: datetime | None = None

    def look(self, query: str, known: Document, at: datetime) -> None:
        """Note the figures that a query last reported."""
        start, before = Level.MINUTE.start_of(at), self._running.get(query)
        if _RAN not in known["duration_ms"]:
            # a query that waits is as its last batch left it, which set the watermark
            if before is None:
                return
            watermark = known["watermark"] or before.last["watermark"]
            known = {**before.last, "watermark": watermark}
        if before is None:
            # what this batch took, it took before it was looked at
            taken = known["n_taken"] - known["n_input_rows"]
            since = known["batch_started_at"] or at
            running = Minute(start, since, taken, known, at, [known])
        elif before.start != start:
            self._over.append(before.document(query))
            last = before.last
            running = Minute(start, before.at, last["n_taken"], last, before.at)
        else:
            running = before
        running.look(known, at)
        self._running[query] = running

    def write(self, at: datetime) -> None:
        """Write what was gathered, if it is time."""
        if self._written_at is not None and at - self._written_at < EVERY:
            return
        running = [m.document(query) for query, m in self._running.items()]
        start = Level.MINUTE.start_of(at)
        # what was counted at the end of a minute may come after it
        counts = [self._messages(start - _MINUTE), self._messages(start)]
        documents = [*self._over, *running, *counts]
        self._database[store.STREAM_MINUTES].bulk_write(
            [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in documents],
            ordered=False,
        )
        self._over, self._written_at = [], at

    def _messages(self, start: datetime) -> Document:
        """Return what became of the messages that were counted in a minute."""
        within = {"counted_at": {"$gte": start, "$lt": start + _MINUTE}}
        found = self._database[store.REJECTED_COUNTS].find(within)
        return _stamped(store.MESSAGES, start) | added(list(found))


def added(counts: list[Document]) -> Document:
    """Return the sums of documents of `rejected_counts`."""
    rejected: dict[str, int] = {}
    for each in counts:
        for reason, n in each["rejected"].items():
            rejected[reason] = rejected.get(reason, 0) + n
    sums = {name: sum(each.get(name, 0) for each in counts) for name in _COUNTS}
    return {**sums, "rejected": rejected}


def _stamped(query: str, start: datetime) -> Document:
    return {
        "_id": f"{query}|{rfc3339(start)}",
        "query": query,
        "start": start,
        "expires_at": start + KEPT,
    }


def _mean_by_phase(batches: list[Document]) -> dict[str, float]:
    phases = dict.fromkeys(name for each in batches for name in each["duration_ms"])
    return {
        name: sum(each["duration_ms"].get(name, 0) for each in batches) / len(batches)
        for name in phases
    }


def _total_ms(batch: Mapping[str, Any]) -> float:
    return float(batch["duration_ms"].get("triggerExecution", 0))
