"""What each listener's archived events say of each track: what is learned from.

The rules are those of the stream: a play speaks once, by its last word, a like or a
dislike beside it, and a play of a name counts for the track that has it by now.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import numpy as np
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

from models.listens import PLAY_ACTIONS, REACTIONS, Entry, Listen, last_words
from models.recommenders.plays import tamed
from segue.settings import MongoSettings, Settings
from segue.track_names import find_by_name_id, is_name_id
from streaming.columns import dicts
from streaming.panes import entry_of
from streaming.schemas import EVENT_FIELDS
from streaming.session import settle_worker, worker_database
from streaming.tastes import as_known

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
    spark: SparkSession, settings: Settings, files: Sequence[str], n_events: int
) -> DataFrame:
    """Return the plays in some files, of shape `PLAYS`, a row a listener and track.

    The weight is the sum of what each listen says, `tamed`.

    Parameters
    ----------
    files : sequence of str
        Of the archive.
    n_events : int
        About how many there are; how many parts are made follows from it.
    """
    events = spark.read.schema(StructType([*EVENT_FIELDS])).parquet(*files)
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
            for _, entries in entries_of(events, settings.mongo):
                weights = _said(last_words(entries).listens)
                columns["listener"] += [number * n_parts + part] * len(weights)
                columns["track_id"] += weights.keys()
                columns["weight"] += tamed(np.array([*weights.values()])).tolist()
                number += 1
            yield pa.RecordBatch.from_pydict(columns, schema=schema)

    return step


def _part() -> int:
    context = TaskContext.get()
    return 0 if context is None else context.partitionId()


def _said(listens: Iterable[Listen]) -> dict[str, float]:
    """Return the sum of the weights of each track, 0 left out."""
    weights: dict[str, float] = defaultdict(float)
    for track_id, weight, _ in listens:
        weights[track_id] += weight
    return {name: weights[name] for name in sorted(weights) if weights[name] != 0}


def entries_of(
    events: pa.RecordBatch, mongo: MongoSettings
) -> Iterator[tuple[str, list[Entry]]]:
    """Yield each listener's entries, with the ids that the tracks have by now.

    Parameters
    ----------
    events : RecordBatch
        Rows of the archive, those of a listener together.
    mongo : MongoSettings
        Tells which tracks names are of; without a server names stay what they are.
    """
    rows = dicts(events)
    names = {row["track_id"] for row in rows if is_name_id(row["track_id"])}
    aliases: Mapping[str, str] = {}
    if names and mongo.uri is not None:
        aliases = find_by_name_id(worker_database(mongo), names)
    for user_id, of_listener in groupby(rows, key=itemgetter("user_id")):
        yield user_id, [as_known(entry_of(row), aliases) for row in of_listener]


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
