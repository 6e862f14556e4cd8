"""What each query last did, as a document that the dashboard shows.

Asked for now and then: a listener that hears of every micro-batch costs a seventh of a
core, because PySpark fetches each of some hundred figures from the JVM by itself.
"""

import json
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.database import Database
from pymongo.errors import PyMongoError
from pyspark.sql.streaming.query import StreamingQuery

from segue import store
from segue.clock import Clock
from segue.settings import StreamSettings
from segue.store import Document

_LOG = logging.getLogger(__name__)
_DROPPED: Final = (
    "query %s leaves events out of panes and lists: they lie before its watermark, %s, "
    "as when clocks ran ahead and came back. They are archived; from %s on `segue "
    "recompute --from DATE --to DATE` brings them in"
)


class Progress:
    """Writes `stream_progress`: the last micro-batch of each query.

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

    def look(self) -> None:
        """Write the figures as of now; a query that waits for events lives, too."""
        for query in self._queries():
            last = query.lastProgress
            known = progress_document(json.loads(last.json)) if last else {}
            self._tell_of_dropped(query.name, known)
            fields = {"state": "running"} | known | {"updated_at": self._clock()}
            try:
                self._progress.update_one(
                    {"_id": query.name}, {"$set": fields}, upsert=True
                )
            except PyMongoError as error:
                _LOG.warning("progress of query %s: %s", query.name, error)

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
    return {
        "batch_id": progress["batchId"],
        "batch_started_at": _time(progress["timestamp"]),
        "n_input_rows": progress["numInputRows"],
        "n_waiting": sum(map(_n_waiting, progress.get("sources", []))),
        "input_rows_per_s": progress.get("inputRowsPerSecond", 0.0),
        "processed_rows_per_s": progress.get("processedRowsPerSecond", 0.0),
        "duration_ms": progress.get("durationMs", {}),
        "state_rows": sum(operator["numRowsTotal"] for operator in operators),
        "state_bytes": sum(operator["memoryUsedBytes"] for operator in operators),
        "n_dropped_by_watermark": sum(
            operator["numRowsDroppedByWatermark"] for operator in operators
        ),
        "watermark": _time(progress.get("eventTime", {}).get("watermark")),
    }


def _n_waiting(source: dict[str, Any]) -> int:
    """Return how many messages of its topics no micro-batch has taken yet."""
    taken = source.get("endOffset") or {}
    return sum(
        last - taken.get(topic, {}).get(number, last)
        for topic, ends in (source.get("latestOffset") or {}).items()
        for number, last in ends.items()
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
