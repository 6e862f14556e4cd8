"""Tumbling panes of event time: what each listener did in each.

Spark's state holds the panes that its watermark keeps open, as small lists of entries;
every pane that changes comes out whole, so that writing it again changes nothing.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segue.settings import StreamSettings
from streaming.schemas import ENTRY_FIELDS, PLACE
from streaming.source import Outcome


def open_panes(judged: DataFrame, settings: StreamSettings) -> DataFrame:
    """Return `(user_id, window_start, entries)` of every pane that changed.

    Late events were taken out by the judge. The engine's watermark stands behind the
    judge's rule by what event times may run ahead and partitions may lag, so that it
    drops no event that the judge let through.
    """
    delay_s = (
        settings.watermark_s + settings.future_tolerance_s + settings.partition_skew_s
    )
    valid = judged.where(F.col("outcome") == Outcome.VALID.value)
    panes = (
        valid.withWatermark("event_time", f"{delay_s} seconds")
        .groupBy("user_id", F.window("event_time", f"{settings.pane_s} seconds"))
        .agg(F.collect_list(F.struct(*ENTRY_FIELDS, *PLACE)).alias("entries"))
    )
    return panes.select(
        "user_id", F.col("window.start").alias("window_start"), "entries"
    )


def by_listener(panes: DataFrame) -> DataFrame:
    """Return one row a listener: `(user_id, panes)`."""
    return panes.groupBy("user_id").agg(
        F.collect_list(F.struct("window_start", "entries")).alias("panes")
    )
