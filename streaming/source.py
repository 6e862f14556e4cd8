"""Kafka messages into judged events: valid, late or rejected, and why.

The judge is `segue.events.parse_event`, run on Arrow batches by the Python workers, so
that stream, web server and importers share one rule. Late is measured against the time
at which Kafka got the message: that does not depend on how messages fall into batches.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from segue.errors import InvalidEventError
from segue.events import PlaybackEvent, Reason, parse_event
from segue.settings import KafkaSettings, StreamSettings
from streaming.schemas import EVENT_FIELDS, JUDGED


class Outcome(StrEnum):
    """What became of a message before de-duplication."""

    VALID = "valid"
    LATE = "late"
    REJECTED = "rejected"


class Verdict(NamedTuple):
    """The judgement of one message."""

    outcome: Outcome
    reason: str | None
    event: PlaybackEvent | None


def read_records(
    spark: SparkSession, kafka: KafkaSettings, max_offsets_per_trigger: int
) -> DataFrame:
    """Return the stream of messages of the events topic, from its beginning."""
    options = {
        "kafka.bootstrap.servers": kafka.bootstrap,
        "subscribe": kafka.events_topic,
        "startingOffsets": "earliest",
        "maxOffsetsPerTrigger": max_offsets_per_trigger,
        "kafka.fetch.max.wait.ms": 50,
    }
    records = spark.readStream.format("kafka").options(**options).load()
    return records.select(
        "topic", "partition", "offset", F.col("timestamp").alias("ingested_at"), "value"
    )


def with_verdicts(records: DataFrame, settings: StreamSettings) -> DataFrame:
    """Return a frame of schema `JUDGED`, one row a message."""
    return records.mapInArrow(_judging(settings), JUDGED)


def judge(
    raw: bytes | None, ingested_at: datetime, settings: StreamSettings
) -> Verdict:
    """Judge one message that Kafka got at `ingested_at` (aware)."""
    try:
        event = parse_event(raw or b"")
    except InvalidEventError as error:
        return Verdict(Outcome.REJECTED, error.reason, None)
    ahead = event.event_time - ingested_at
    if ahead > timedelta(seconds=settings.future_tolerance_s):
        return Verdict(Outcome.REJECTED, Reason.FUTURE_TIME, None)
    if -ahead > timedelta(seconds=settings.watermark_s):
        return Verdict(Outcome.LATE, None, event)
    return Verdict(Outcome.VALID, None, event)


def _judging(
    settings: StreamSettings,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def judged(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        schema = to_arrow_schema(JUDGED, timezone="UTC")
        for batch in batches:
            rows = [_judged_row(row, settings) for row in batch.to_pylist()]
            yield pa.RecordBatch.from_pylist(rows, schema=schema)

    return judged


def _judged_row(row: dict[str, Any], settings: StreamSettings) -> dict[str, Any]:
    row["raw"] = row.pop("value")
    verdict = judge(row["raw"], row["ingested_at"], settings)
    row |= {"outcome": verdict.outcome, "reason": verdict.reason}
    if verdict.event is not None:
        row |= {
            field.name: getattr(verdict.event, field.name) for field in EVENT_FIELDS
        }
    return row
