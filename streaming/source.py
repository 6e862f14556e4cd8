"""Kafka messages into judged events: valid, late or rejected, and why.

The judge is `segue.events.parse_event`, run on Arrow batches by the Python workers, so
that stream, web server and importers share one rule. Late is measured against the time
at which Kafka got the message: that does not depend on how messages fall into batches.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from segue.errors import InvalidEventError, Reason
from segue.events import Action, PlaybackEvent, parse_event
from segue.settings import KafkaSettings, Settings, StreamSettings
from segue.track_index import read_track_index
from segue.track_names import is_name_id
from streaming.cells import cell_of
from streaming.columns import moments
from streaming.schemas import COORDINATES, JUDGED, PLACE, VALID
from streaming.session import settle_worker

_TASK_RECORDS: Final = 20_000
_NO_EVENT: Final = (None,) * len(PlaybackEvent._fields)
_Step = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


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


def with_verdicts(records: DataFrame, settings: Settings) -> DataFrame:
    """Return a frame of shape `JUDGED`, a row a message.

    Events about tracks without features have the reason `unknown_track`, but their
    outcome stays `valid`: they rest in their pane and count once the track has
    features, and what is handed on as rejected is a copy.
    """

    def judged(batch: pa.RecordBatch) -> pa.RecordBatch:
        row_of = read_track_index(settings.home / "index").row_of
        verdicts = [_with_track(v, row_of) for v in _verdicts(batch, settings)]
        columns = {field.name: batch[field.name] for field in COORDINATES}
        columns["outcome"] = pa.array([v.outcome.value for v in verdicts])
        reasons = [v.reason for v in verdicts]
        columns["reason"] = pa.array(reasons, pa.string())
        is_told = pa.array([reason is not None for reason in reasons])
        nothing = pa.scalar(None, batch["value"].type)
        columns["raw"] = pc.if_else(is_told, batch["value"], nothing)
        columns |= _event_columns([v.event for v in verdicts], JUDGED)
        return _batch_of(columns, JUDGED)

    return records.mapInArrow(_each(judged), JUDGED)


def valid_events(records: DataFrame, settings: Settings) -> DataFrame:
    """Return a frame of shape `VALID`: the messages that are valid events."""

    def valid(batch: pa.RecordBatch) -> pa.RecordBatch:
        verdicts = _verdicts(batch, settings)
        places = [i for i, v in enumerate(verdicts) if v.outcome is Outcome.VALID]
        columns = {
            name: batch[name].take(pa.array(places, pa.int64())) for name in PLACE
        }
        events = [verdicts[i].event for i in places]
        return _batch_of(columns | _event_columns(events, VALID), VALID)

    return records.mapInArrow(_each(valid), VALID)


def _with_track(verdict: Verdict, known: Container[str]) -> Verdict:
    event = verdict.event
    if verdict.outcome is not Outcome.VALID or event is None:
        return verdict
    # a name is no track that went missing: it waits for one to come; and what is
    # forgotten need not be a track
    is_track = not is_name_id(event.track_id) and event.action is not Action.FORGOTTEN
    if is_track and event.track_id not in known:
        return verdict._replace(reason=Reason.UNKNOWN_TRACK)
    return verdict


def _each(step: Callable[[pa.RecordBatch], pa.RecordBatch]) -> _Step:
    def steps(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        settle_worker()
        yield from map(step, batches)

    return steps


def _verdicts(batch: pa.RecordBatch, settings: Settings) -> list[Verdict]:
    history = settings.kafka.history_topic
    rows = zip(
        batch["value"].to_pylist(),
        moments(batch["ingested_at"]),
        pc.equal(batch["topic"], history).to_pylist(),
        strict=True,
    )
    return [
        judge(raw, ingested_at, settings.stream, is_history=is_history)
        for raw, ingested_at, is_history in rows
    ]


def _event_columns(
    events: Sequence[PlaybackEvent | None], shape: StructType
) -> dict[str, pa.Array]:
    """Return the fields of events that `shape` has; null where there is none."""
    rows = zip(*(event or _NO_EVENT for event in events), strict=True)
    told = list(rows) if events else [()] * len(_NO_EVENT)
    by_name = dict(zip(PlaybackEvent._fields, told, strict=True))
    names = [name for name in shape.fieldNames() if name in by_name]
    for name in {"source", "extra"} & set(names):
        by_name[name] = tuple(map(cell_of, by_name[name]))
    types = to_arrow_schema(shape, timezone="UTC")
    return {name: pa.array(by_name[name], types.field(name).type) for name in names}


def _batch_of(columns: dict[str, pa.Array], shape: StructType) -> pa.RecordBatch:
    schema = to_arrow_schema(shape, timezone="UTC")
    arrays = [columns[name].cast(schema.field(name).type) for name in schema.names]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


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
    ahead_s = (event.event_time - ingested_at).total_seconds()
    if ahead_s > settings.future_tolerance_s:
        return Verdict(Outcome.REJECTED, Reason.FUTURE_TIME, None)
    if -ahead_s > settings.watermark_s and not is_history:
        return Verdict(Outcome.LATE, None, event)
    return Verdict(Outcome.VALID, None, event)
