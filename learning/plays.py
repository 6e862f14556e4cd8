"""What each listener's archived events say of each track: what is learned from.

The rules are those of the stream: a play speaks once, by its last word, a like or a
dislike beside it, and a play of a name counts for the track that has it by now.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import (
    DoubleType,
    IntegerType,
    StringType,
    StructField,
    StructType,
)

from models.listens import PLAY_ACTIONS, REACTIONS, Listen, last_words
from segue.settings import Settings
from segue.track_names import find_by_name_id, is_name_id
from streaming.archive import event_files
from streaming.columns import dicts
from streaming.panes import entry_of
from streaming.schemas import EVENT_FIELDS
from streaming.session import settle_worker, worker_database

_FIELDS: Final = [field.name for field in EVENT_FIELDS]
_SAYING: Final = sorted({*PLAY_ACTIONS, *REACTIONS})
_EVENTS_PER_PART: Final = 500_000

PLAYS: Final = StructType(
    [
        StructField("listener", IntegerType(), nullable=False),
        StructField("track_id", StringType(), nullable=False),
        StructField("weight", DoubleType(), nullable=False),
    ]
)
"""What one listener says of one track; listeners have numbers."""


def plays_of(
    spark: SparkSession, settings: Settings, dates: Sequence[date], n_events: int
) -> DataFrame:
    """Return the plays of some dates, of shape `PLAYS`, a row a listener and track.

    The weight is the logarithm of 1 and the sum of what each listen says, of its
    amount below 0: the tenth play says less than the second.

    Parameters
    ----------
    n_events : int
        About how many there are; how many parts are made follows from it.
    """
    wanted = StructType([*EVENT_FIELDS])
    events = spark.read.schema(wanted).parquet(*event_files(settings.home, dates))
    n_parts = max(
        spark.sparkContext.defaultParallelism, math.ceil(n_events / _EVENTS_PER_PART)
    )
    by_listener = (
        events.where(F.col("action").isin(_SAYING))
        .repartition(n_parts, "user_id")
        .sortWithinPartitions("user_id")
    )
    return by_listener.mapInArrow(_summing(settings, n_parts), PLAYS)


def _summing(
    settings: Settings, n_parts: int
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the worker's step: of each listener's events what they say of tracks."""

    def step(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        settle_worker()
        part = _part()
        schema, number = to_arrow_schema(PLAYS), 0
        for events in whole_keys(batches, "user_id"):
            columns: dict[str, list[Any]] = {name: [] for name in schema.names}
            for weights in _said(events, settings):
                columns["listener"] += [number * n_parts + part] * len(weights)
                columns["track_id"] += weights.keys()
                columns["weight"] += map(_tamed, weights.values())
                number += 1
            yield pa.RecordBatch.from_pydict(columns, schema=schema)

    return step


def _part() -> int:
    context = TaskContext.get()
    return 0 if context is None else context.partitionId()


def _said(events: pa.RecordBatch, settings: Settings) -> Iterator[dict[str, float]]:
    """Yield for each listener the sum of the weights of each track, 0 left out."""
    of_listener: dict[str, list[Any]] = defaultdict(list)
    for row in dicts(events):
        of_listener[row["user_id"]].append(entry_of(row))
    listens = [last_words(entries).listens for entries in of_listener.values()]
    aliases = _aliases(listens, settings)
    for each in listens:
        weights: dict[str, float] = defaultdict(float)
        for track_id, weight, _ in each:
            weights[aliases.get(track_id, track_id)] += weight
        yield {name: weights[name] for name in sorted(weights) if weights[name] != 0}


def _aliases(listens: Iterable[Iterable[Listen]], settings: Settings) -> dict[str, str]:
    names = {x.track_id for each in listens for x in each if is_name_id(x.track_id)}
    if not names or settings.mongo.uri is None:
        return {}
    return dict(find_by_name_id(worker_database(settings.mongo), names))


def _tamed(weight: float) -> float:
    return math.copysign(math.log1p(abs(weight)), weight)


def whole_keys(batches: Iterable[pa.RecordBatch], key: str) -> Iterator[pa.RecordBatch]:
    """Yield the same rows, which are sorted by `key`, those of one key together."""
    held = list[pa.RecordBatch]()
    for batch in batches:
        if not len(batch):
            continue
        last = batch[key][-1]
        n_before = pc.sum(pc.not_equal(batch[key], last)).as_py()
        if n_before or (held and held[-1][key][-1] != last):
            yield from _together([*held, batch.slice(0, n_before)])
            held = []
        held.append(batch.slice(n_before))
    yield from _together(held)


def _together(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    if not sum(map(len, batches)):
        return []
    return list(pa.Table.from_batches(batches).combine_chunks().to_batches())
