"""Kafka messages into judged events: valid, late or rejected, and why.

The judge is `segue.events.parse_event`, run on Arrow batches by the Python workers, so
that stream, web server and importers share one rule. Late is measured against the time
at which Kafka got the message: that does not depend on how messages fall into batches.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from segue.errors import InvalidEventError, Reason
from segue.events import PlaybackEvent, parse_event
from segue.settings import KafkaSettings, Settings, StreamSettings

_TASK_RECORDS: Final = 20_000


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
    spark: SparkSession,
    kafka: KafkaSettings,
    topics: Sequence[str],
    max_offsets_per_trigger: int,
) -> DataFrame:
    """Return the stream of messages of the topics, from their beginning."""
    options = {
        "kafka.bootstrap.servers": kafka.bootstrap,
        "subscribe": ",".join(topics),
        "startingOffsets": "earliest",
        "maxOffsetsPerTrigger": max_offsets_per_trigger,
        "kafka.fetch.max.wait.ms": 50,
        # a history of one listener lies in one partition, and is read by all cores
        "maxRecordsPerPartition": _TASK_RECORDS,
    }
    records = spark.readStream.format("kafka").options(**options).load()
    return records.select(
        "topic", "partition", "offset", F.col("timestamp").alias("ingested_at"), "value"
    )


def with_verdicts(
    records: DataFrame, settings: Settings, shape: StructType
) -> DataFrame:
    """Return a frame of `shape`, one of `streaming.schemas.judged`, a row a message."""
    history = settings.kafka.history_topic
    return records.mapInArrow(_judging(settings.stream, history, shape), shape)


def judge(
    raw: bytes | None,
    ingested_at: datetime,
    settings: StreamSettings,
    *,
    is_history: bool = False,
) -> Verdict:
    """Judge one message that Kafka got at `ingested_at` (aware).

    Parameters
    ----------
    is_history : bool
        It comes from the topic of histories, where no event is late.
    """
    try:
        event = parse_event(raw or b"")
    except InvalidEventError as error:
        return Verdict(Outcome.REJECTED, error.reason, None)
    ahead = event.event_time - ingested_at
    if ahead > timedelta(seconds=settings.future_tolerance_s):
        return Verdict(Outcome.REJECTED, Reason.FUTURE_TIME, None)
    if -ahead > timedelta(seconds=settings.watermark_s) and not is_history:
        return Verdict(Outcome.LATE, None, event)
    return Verdict(Outcome.VALID, None, event)


def _judging(
    settings: StreamSettings, history_topic: str, shape: StructType
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    names = [n for n in shape.fieldNames() if n in PlaybackEvent.__annotations__]

    def judged_row(row: dict[str, Any]) -> dict[str, Any]:
        row["raw"] = row.pop("value")
        is_history = row["topic"] == history_topic
        verdict = judge(row["raw"], row["ingested_at"], settings, is_history=is_history)
        row |= {"outcome": verdict.outcome, "reason": verdict.reason}
        if verdict.event is not None:
            row |= {name: _cell(getattr(verdict.event, name)) for name in names}
        return row

    def judged(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        schema = to_arrow_schema(shape, timezone="UTC")
        for batch in batches:
            rows = [judged_row(row) for row in batch.to_pylist()]
            yield pa.RecordBatch.from_pylist(rows, schema=schema)

    return judged


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value
