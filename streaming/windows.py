"""Tumbling panes of event time: what each listener did in each.

Spark's state holds the panes that its watermark keeps open, as small lists of entries;
every pane that changes comes out whole, so that writing it again changes nothing.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segue.settings import StreamSettings
from streaming.panes import DAY_S
from streaming.schemas import ENTRY_FIELDS, PLACE


def open_panes(valid: DataFrame, settings: StreamSettings) -> DataFrame:
    """Return every pane that changed.

    The columns are `(user_id, window_start, length_s, entries, n_messages)`; of more
    messages than `pane_events` the first are kept, and all are counted.

    Late events were taken out by the judge. The engine's watermark stands behind the
    judge's rule by what event times may run ahead and partitions may lag, so that it
    drops no event that the judge let through.
    """
    timely = valid.withWatermark("event_time", f"{settings.held_s} seconds")
    return short_panes(timely, settings)


def short_panes(valid: DataFrame, settings: StreamSettings) -> DataFrame:
    """Return the same of valid events that are all there is."""
    kept = F.struct(*PLACE, *ENTRY_FIELDS)
    # the state holds so many and no more, whatever one listener sends
    first = F.min_by(kept, F.struct(*PLACE), settings.pane_events)
    return _panes(valid, settings.pane_s, first)


def day_panes(events: DataFrame) -> DataFrame:
    """Return the same of panes of a day, for rows that have `is_late`."""
    kept = F.struct(*PLACE, *ENTRY_FIELDS, "is_late")
    return _panes(events, DAY_S, F.collect_list(kept))


def _panes(events: DataFrame, length_s: int, entries: Column) -> DataFrame:
    panes = events.groupBy(
        "user_id", F.window("event_time", f"{length_s} seconds")
    ).agg(entries.alias("entries"), F.count("*").alias("n_messages"))
    return panes.select(
        "user_id",
        F.col("window.start").alias("window_start"),
        F.lit(length_s).alias("length_s"),
        "entries",
        "n_messages",
    )


def by_listener(panes: DataFrame) -> DataFrame:
    """Return the same panes, those of a listener in one partition."""
    return panes.repartition("user_id")
