"""What each query last did, as a document that the dashboard shows.

Asked for now and then: a listener that hears of every micro-batch costs a seventh of a
core, because PySpark fetches each of some hundred figures from the JVM by itself.
"""

import json
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo.database import Database
from pymongo.errors import PyMongoError
from pyspark.sql.streaming.query import StreamingQuery

from segue import store
from segue.clock import Clock
from segue.settings import StreamSettings
from segue.store import Document
from streaming.minutes import Minutes, batch_of

_LOG = logging.getLogger(__name__)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_Batch = tuple[int | None, datetime | None]
_DROPPED: Final = (
    "query %s leaves events out of panes and lists: they lie before its watermark, %s, "
    "as when clocks ran ahead and came back. They are archived; from %s on `segue "
    "recompute --from DATE --to DATE` brings them in"
)


class Progress:
    """Writes `stream_progress`: the last micro-batch of each query, and its minutes.

    What cannot be written is logged and goes on: progress is for people, what must add
    up is counted by the batches themselves.

    Parameters
    ----------
    queries : callable
        Returns the queries that run.
    """

    def __init__(
        self,
        database: Database[Document],
        settings: StreamSettings,
        queries: Callable[[], Iterable[StreamingQuery]],
        clock: Clock,
    ) -> None:
        self._progress = database[store.STREAM_PROGRESS]
        self._settings = settings
        self._queries, self._clock = queries, clock
        self._told: datetime | None = None
        self._minutes = Minutes(database)
        self._busy = Busy()

    def look(self) -> None:
        """Write the figures as of now; a query that waits for events lives, too."""
        for query in self._queries():
            last = query.lastProgress
            known = progress_document(json.loads(last.json)) if last else {}
            self._tell_of_dropped(query.name, known)
            now = self._clock()
            if known:
                self._minutes.look(query.name, known, now)
            fields = {
                "state": "running",
                **known,
                "busy_since": self._busy.since(
                    query.name, batch_of(known), now, is_busy=_is_busy(query)
                ),
                "updated_at": now,
            }
            try:
                self._progress.update_one(
                    {"_id": query.name}, {"$set": fields}, upsert=True
                )
            except PyMongoError as error:
                _LOG.warning("progress of query %s: %s", query.name, error)
        try:
            self._minutes.write(self._clock())
        except PyMongoError as error:
            _LOG.warning("minutes of the stream: %s", error)

    def _tell_of_dropped(self, name: str, known: Document) -> None:
        """Say when the batch that is looked at had events behind the watermark.

        The judge comes first and lets none through that are, unless the clocks of
        broker and clients ran ahead together and came back. Then it is so for many
        batches, and said once.
        """
        at = known.get("watermark")
        if at is not None and known["n_dropped_by_watermark"] and at != self._told:
            self._told = at
            open_s = self._settings.held_s + self._settings.pane_s
            _LOG.warning(_DROPPED, name, at, at + timedelta(seconds=open_s))


class Busy:
    """Remembers since when each query is at the micro-batch that it is at."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[_Batch, datetime]] = {}

    def since(
        self, query: str, last: _Batch, now: datetime, *, is_busy: bool
    ) -> datetime | None:
        """Return since when the one after `last` runs; None where none does."""
        if not is_busy:
            self._since.pop(query, None)
            return None
        before, since = self._since.get(query, (last, now))
        if before != last:
            since = now
        self._since[query] = last, since
        return since


def _is_busy(query: StreamingQuery) -> bool:
    status = query.status
    return bool(status["isTriggerActive"] and status["isDataAvailable"])


def is_behind(queries: Iterable[StreamingQuery], name: str) -> bool:
    """Whether more messages wait for a query than its last micro-batch could take."""
    for query in queries:
        if query.name == name:
            last = query.lastProgress
            # before its first batch has ended, nothing is known of what waits
            if last is None:
                return bool(query.status["isTriggerActive"])
            return bool(progress_document(json.loads(last.json))["n_waiting"])
    return False


def progress_document(progress: dict[str, Any]) -> Document:
    """Return the figures of one micro-batch from Spark's own report."""
    operators = progress.get("stateOperators", [])
    waiting = [
        each for source in progress.get("sources", []) for each in _waiting(source)
    ]
    return {
        "batch_id": progress["batchId"],
        "batch_started_at": _time(progress["timestamp"]),
        "n_input_rows": progress["numInputRows"],
        "n_taken": sum(map(_taken, progress.get("sources", []))),
        "n_waiting": sum(part["n"] for part in waiting),
        "waiting": waiting,
        "input_rows_per_s": progress.get("inputRowsPerSecond", 0.0),
        "processed_rows_per_s": progress.get("processedRowsPerSecond", 0.0),
        "duration_ms": progress.get("durationMs", {}),
        "state_rows": sum(operator["numRowsTotal"] for operator in operators),
        "state_bytes": sum(operator["memoryUsedBytes"] for operator in operators),
        "n_dropped_by_watermark": sum(
            operator["numRowsDroppedByWatermark"] for operator in operators
        ),
        "watermark": _watermark(progress.get("eventTime", {})),
    }


def _waiting(source: dict[str, Any]) -> list[Document]:
    """Return of each partition how many messages no micro-batch has taken yet."""
    taken, ends = source.get("endOffset") or {}, source.get("latestOffset") or {}
    if not isinstance(ends, dict):  # a source without partitions
        return []
    return [
        {
            "topic": topic,
            "partition": int(number),
            "n": last - taken.get(topic, {}).get(number, last),
        }
        for topic, partitions in ends.items()
        for number, last in partitions.items()
    ]


def _taken(source: dict[str, Any]) -> int:
    """Return how far all partitions were read, added up."""
    ends = source.get("endOffset") or {}
    if not isinstance(ends, dict):
        return 0
    return sum(offset for partitions in ends.values() for offset in partitions.values())


def _watermark(event_time: dict[str, str]) -> datetime | None:
    """Return the watermark; before the first event Spark has it at the epoch."""
    at = _time(event_time.get("watermark"))
    return None if at == _EPOCH else at


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
