"""Tumbling panes of event time: what each listener did in each.

Spark's state holds the panes that its watermark keeps open, as small lists of entries;
every pane that changes comes out whole, so that writing it again changes nothing.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segue.settings import StreamSettings
from streaming.panes import DAY_S
from streaming.schemas import ENTRY_FIELDS, PLACE
from streaming.source import Outcome


def open_panes(judged: DataFrame, settings: StreamSettings) -> DataFrame:
    """Return `(user_id, window_start, length_s, entries)` of every pane that changed.

    Late events were taken out by the judge. The engine's watermark stands behind the
    judge's rule by what event times may run ahead and partitions may lag, so that it
    drops no event that the judge let through.
    """
    delay_s = (
        settings.watermark_s + settings.future_tolerance_s + settings.partition_skew_s
    )
    valid = judged.where(F.col("outcome") == Outcome.VALID.value)
    timely = valid.withWatermark("event_time", f"{delay_s} seconds")
    return _panes(timely, settings.pane_s, [*ENTRY_FIELDS, *PLACE])


def day_panes(events: DataFrame) -> DataFrame:
    """Return the same of panes of a day, for rows that have `is_late`."""
    return _panes(events, DAY_S, [*ENTRY_FIELDS, *PLACE, "is_late"])


def _panes(events: DataFrame, length_s: int, fields: list[str]) -> DataFrame:
    panes = events.groupBy(
        "user_id", F.window("event_time", f"{length_s} seconds")
    ).agg(F.collect_list(F.struct(*fields)).alias("entries"))
    return panes.select(
        "user_id",
        F.col("window.start").alias("window_start"),
        F.lit(length_s).alias("length_s"),
        "entries",
    )


def by_listener(panes: DataFrame) -> DataFrame:
    """Return one row a listener: `(user_id, panes)`."""
    return panes.groupBy("user_id").agg(
        F.collect_list(F.struct("window_start", "length_s", "entries")).alias("panes")
    )
