"""Plays of all listeners out of the archive, in sessions and in weeks: frames alone.

A play is one that has ended, as in `activity`. A session is a run of a listener's
plays of which none ends more than `SESSION_GAP_S` after the one before, over midnight
too; it lasts from the start of its first play to the end of its last. Days and weeks
(from Monday on) are numbers since 1970, in UTC.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from models.followers import SESSION_GAP_S
from segue.events import Action
from segue.population import EPOCH_WEEKDAY, LENGTHS_MIN
from streaming.counting import MOST_HEARD_MS, are_ends
from streaming.schemas import COORDINATES, EVENT_FIELDS, OTHER_FIELDS

_MS_PER_DAY: Final = 86_400_000
_MS_PER_MIN: Final = 60_000
_MS_PER_S: Final = 1_000
_DAYS_PER_WEEK: Final = 7
_EVENTS_PER_PART: Final = 500_000
_MAY_END: Final = [Action.COMPLETED, Action.SKIPPED, Action.PROGRESSED]
_TOLD: Final = """
    user_id string, event_id string, topic string, partition int, offset bigint,
    at_ms bigint, heard_ms bigint, is_skip boolean, is_end boolean
"""
_CLASSES_MS: Final = [m * _MS_PER_MIN for m in (0, *LENGTHS_MIN)]


def plays_in(spark: SparkSession, files: Sequence[str], n_events: int) -> DataFrame:
    """Return the plays in some files: `(user_id, at_ms, heard_ms, is_skip)`.

    Of copies the one counts that lies first in Kafka. Those of a listener are in one
    partition.

    Parameters
    ----------
    files : sequence of str
        Of the archive.
    n_events : int
        About how many there are; how many parts are made follows from it.
    """
    n_parts = max(
        spark.sparkContext.defaultParallelism, math.ceil(n_events / _EVENTS_PER_PART)
    )
    schema = StructType([*EVENT_FIELDS, *OTHER_FIELDS, *COORDINATES])
    events = spark.read.schema(schema).parquet(*files)
    told = events.where(F.col("action").isin([each.value for each in _MAY_END]))
    told = told.select(
        *("user_id", "event_id", "topic", "partition", "offset", "action", "source"),
        F.unix_millis("event_time").alias("at_ms"),
        F.greatest(F.coalesce("played_ms", F.lit(0)), F.lit(0)).alias("heard_ms"),
    )
    place = F.struct(
        *("topic", "partition", "offset", "at_ms", "heard_ms", "is_skip", "is_end")
    )
    first = (
        told.mapInArrow(_judged, _TOLD)
        .repartition(n_parts, "user_id")
        .groupBy("user_id", "event_id")
        .agg(F.min(place).alias("first"))
        .where("first.is_end")
    )
    heard_ms = F.least("first.heard_ms", F.lit(MOST_HEARD_MS)).alias("heard_ms")
    return first.select("user_id", "first.at_ms", heard_ms, "first.is_skip")


def sessions_in(plays: DataFrame) -> DataFrame:
    """Return a row a session: `(user_id, day, n_plays, heard_ms, length_ms)`.

    Its day is that of its start.
    """
    of_listener = Window.partitionBy("user_id").orderBy("at_ms")
    pause_ms = F.col("at_ms") - F.lag("at_ms").over(of_listener)
    begins = (pause_ms > SESSION_GAP_S * _MS_PER_S).cast("int")
    so_far = of_listener.rangeBetween(Window.unboundedPreceding, 0)
    sessions = (
        plays.withColumn("begins", F.coalesce(begins, F.lit(1)))
        .withColumn("session", F.sum("begins").over(so_far))
        .groupBy("user_id", "session")
        .agg(
            F.min(F.col("at_ms") - F.col("heard_ms")).alias("start_ms"),
            F.max("at_ms").alias("end_ms"),
            F.count("*").alias("n_plays"),
            F.sum("heard_ms").alias("heard_ms"),
        )
    )
    length_ms = (F.col("end_ms") - F.col("start_ms")).alias("length_ms")
    day = _day(F.col("start_ms")).alias("day")
    return sessions.select("user_id", day, "n_plays", "heard_ms", length_ms)


def sessions_by_day(sessions: DataFrame) -> DataFrame:
    """Return a row a day: numbers and sums, and sessions by class of length."""
    length_ms = F.col("length_ms")
    classes = [
        F.sum(((length_ms >= low) & (length_ms < high)).cast("long"))
        for low, high in pairwise(_CLASSES_MS)
    ]
    longest = F.sum((length_ms >= _CLASSES_MS[-1]).cast("long"))
    return sessions.groupBy("day").agg(
        F.count("*").alias("n_sessions"),
        F.count_distinct("user_id").alias("n_listeners"),
        *(F.sum(name).alias(name) for name in ("n_plays", "heard_ms", "length_ms")),
        F.array(*classes, longest).alias("lengths"),
    )


def listeners_in(plays: DataFrame) -> DataFrame:
    """Return a row a listener: `(user_id, first_week, weeks, n_plays, n_skipped)`."""
    week = F.floor((_day(F.col("at_ms")) + EPOCH_WEEKDAY) / _DAYS_PER_WEEK).cast("int")
    return (
        plays.withColumn("week", week)
        .groupBy("user_id")
        .agg(
            F.min("week").alias("first_week"),
            F.collect_set("week").alias("weeks"),
            F.count("*").alias("n_plays"),
            F.sum(F.col("is_skip").cast("long")).alias("n_skipped"),
        )
    )


def cohort_cells(listeners: DataFrame) -> DataFrame:
    """Return how many listeners of each first week played in each week.

    `(first_week, week, n_listeners)`
    """
    weeks = listeners.select("first_week", F.explode("weeks").alias("week"))
    return weeks.groupBy("first_week", "week").agg(F.count("*").alias("n_listeners"))


def _judged(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Say of each event whether a play ends with it, and whether by a skip."""
    for batch in batches:
        events = pa.Table.from_batches([batch])
        is_skip = pc.equal(events["action"], Action.SKIPPED.value)
        told = events.drop_columns(["action", "source"])
        told = told.append_column("is_skip", is_skip)
        told = told.append_column("is_end", pa.chunked_array([are_ends(events)]))
        yield from told.to_batches()


def _day(at_ms: Column) -> Column:
    return F.floor(at_ms / _MS_PER_DAY).cast("int")
