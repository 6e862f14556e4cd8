"""What each query last did, as a document that the dashboard shows."""

import json
import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from pymongo.database import Database
from pymongo.errors import PyMongoError
from pyspark.sql.streaming.listener import (
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

from segue import store
from segue.clock import Clock
from segue.store import Document

_LOG = logging.getLogger(__name__)


class ProgressListener(StreamingQueryListener):
    """Writes `stream_progress` after every micro-batch.

    A batch that cannot be reported is logged and goes on: progress is for people,
    what must add up is counted by the batches themselves.
    """

    def __init__(self, database: Database[Document], clock: Clock) -> None:
        self._progress = database[store.STREAM_PROGRESS]
        self._clock = clock
        self._names: dict[UUID, str | None] = {}

    def onQueryStarted(self, event: QueryStartedEvent) -> None:  # noqa: N802
        """Say that the query has begun."""
        self._names[event.runId] = event.name
        self._write(event.name, {"state": "running"})

    def onQueryProgress(self, event: QueryProgressEvent) -> None:  # noqa: N802
        """Write the figures of the batch that has just ended."""
        progress = json.loads(event.progress.json)
        self._write(progress["name"], progress_document(progress))

    def onQueryIdle(self, event: QueryIdleEvent) -> None:  # noqa: N802
        """Say that the query lives: the last figures stand, the time moves on."""
        self._write(self._names.get(event.runId), {"state": "running"})

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:  # noqa: N802
        """Do nothing: the job ends with its queries, and says why."""

    def _write(self, name: str | None, fields: Document) -> None:
        try:
            self._progress.update_one(
                {"_id": name},
                {"$set": fields | {"updated_at": self._clock()}},
                upsert=True,
            )
        except PyMongoError as error:
            _LOG.warning("progress of query %s was not written: %s", name, error)


def progress_document(progress: dict[str, Any]) -> Document:
    """Return the figures of one micro-batch from Spark's own report."""
    operators = progress.get("stateOperators", [])
    return {
        "state": "running",
        "batch_id": progress["batchId"],
        "batch_started_at": _time(progress["timestamp"]),
        "n_input_rows": progress["numInputRows"],
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


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
