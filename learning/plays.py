"""What each listener's archived events say of each track: what is learned from.

The rules are those of the stream: a play speaks once, by its last word, a like or a
dislike beside it, and a play of a name counts for the track that has it by now.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import (
    BooleanType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from models.listens import PLAY_ACTIONS, REACTIONS, Entry, last_words
from segue.settings import MongoSettings, Settings
from segue.track_names import find_by_name_id, is_name_id
from streaming.columns import dicts
from streaming.panes import entry_of
from streaming.schemas import EVENT_FIELDS
from streaming.session import settle_worker, worker_database
from streaming.tastes import as_known

_SAYING: Final = sorted({*PLAY_ACTIONS, *REACTIONS})
_EVENTS_PER_PART: Final = 500_000
_DECIMALS: Final = 9

LISTENS: Final = StructType(
    [
        StructField("listener", IntegerType(), nullable=False),
        StructField("track_id", StringType(), nullable=False),
        StructField("weight", DoubleType(), nullable=False),
        StructField("at_s", LongType(), nullable=False),
        StructField("is_play", BooleanType(), nullable=False),
    ]
)
"""What one play or one reaction says of a track; listeners have numbers."""


def listens_of(
    spark: SparkSession, settings: Settings, files: Sequence[str], n_events: int
) -> DataFrame:
    """Return the listens in some files that say something, of shape `LISTENS`.

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
    return by_listener.mapInArrow(_listening(settings, n_parts), LISTENS)


def plays_of(listens: DataFrame) -> DataFrame:
    """Return a row a listener and track: `(listener, track_id, weight)`.

    The weight is the sum of what each listen says, `tamed` as by `models.recommenders`;
    where it is 0 there is no row.
    """
    total = F.round(F.sum("weight"), _DECIMALS)
    summed = listens.groupBy("listener", "track_id").agg(total.alias("total"))
    tamed = F.signum("total") * F.log1p(F.abs("total"))
    said = summed.where(F.col("total") != 0)
    return said.select("listener", "track_id", tamed.alias("weight"))


def _listening(
    settings: Settings, n_parts: int
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the worker's step: of each listener's events the last words."""

    def step(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        settle_worker()
        part = _part()
        schema, number = to_arrow_schema(LISTENS), 0
        for events in whole_keys(batches, "user_id"):
            columns: dict[str, list[Any]] = {name: [] for name in schema.names}
            for _, entries in entries_of(events, settings.mongo):
                words = last_words(entries)
                for listens, is_play in ((words.plays, True), (words.reactions, False)):
                    said = [each for each in listens if each.weight != 0]
                    columns["listener"] += [number * n_parts + part] * len(said)
                    columns["track_id"] += [each.track_id for each in said]
                    columns["weight"] += [each.weight for each in said]
                    columns["at_s"] += [int(x.listened_at.timestamp()) for x in said]
                    columns["is_play"] += [is_play] * len(said)
                number += 1
            yield pa.RecordBatch.from_pydict(columns, schema=schema)

    return step


def _part() -> int:
    context = TaskContext.get()
    return 0 if context is None else context.partitionId()


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
