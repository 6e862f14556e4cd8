"""Panes, tastes and lists anew out of the archive: `bin/submit recompute FROM TO`.

The same functions as in the stream, over the archived events of some dates: each pane
of theirs is written as the stream would write it, and each listen; then the days, then
taste and list of every listener who has events there. Panes that the stream may still
hold open are left to it. It may be killed at any moment, and run again.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

import click
import pyarrow as pa
from pymongo.database import Database
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from tqdm import tqdm

from segue import store
from segue.clock import Clock, rfc3339, system_clock
from segue.errors import SegueError
from segue.log import configure_logging
from segue.services import require_reachable
from segue.settings import Settings, load_settings
from segue.store import Document
from segue.track_index import open_track_index, read_track_index
from streaming.archive import archived_events, dates_of
from streaming.archive_files import FOLDER
from streaming.columns import in_groups
from streaming.forget_rules import read_rules
from streaming.known import remembered_panes, with_stored
from streaming.listens import write_listens
from streaming.panes import DAY_S, panes_in
from streaming.session import create_session, worker_database
from streaming.updating import refresh_list, windows_of
from streaming.windows import by_listener, day_panes, short_panes

_DONE: Final = "n long"
_AT_ONCE: Final = 500
_NOT_ARCHIVED: Final = ("n_forgotten", "n_duplicates", "n_over_limit")
_Step = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def recompute(
    spark: SparkSession,
    settings: Settings,
    first: date,
    last: date,
    clock: Clock = system_clock,
) -> dict[str, Any]:
    """Write what the events of `first` to `last` say.

    Returns
    -------
    dict
        `n_dates`, `n_panes` and `n_lists` that were written, and `left_since`: panes
        that begin later may still be open in the stream, and are left to it.
    """
    dates = [day for day in dates_of(settings.home / FOLDER) if first <= day <= last]
    version = read_track_index(settings.home / "index").version
    counts = {"n_dates": len(dates), "n_panes": 0, "n_lists": 0}
    left_since = _open_since(settings, clock())
    if not dates:
        return counts | {"left_since": rfc3339(left_since)}
    for day in tqdm(dates, "panes", unit="date"):
        events = archived_events(spark, settings, [day])
        panes = by_listener(_panes(events, settings, left_since))
        rewriting = _rewriting(settings, version, clock)
        counts["n_panes"] += _total(panes.mapInArrow(rewriting, _DONE))
        write_listens(events, settings)
    listeners = archived_events(spark, settings, dates).select("user_id").distinct()
    step = _refreshing(settings, version, frozenset(dates), clock)
    counts["n_lists"] = _total(listeners.mapInArrow(step, _DONE))
    return counts | {"left_since": rfc3339(left_since)}


def _open_since(settings: Settings, now: datetime) -> datetime:
    """Return when the oldest pane began that the stream may hold open."""
    ours = settings.stream
    return now - timedelta(seconds=ours.held_s + ours.pane_s)


def _total(done: DataFrame) -> int:
    return int(done.agg(F.sum("n")).collect()[0][0] or 0)


def _panes(events: DataFrame, settings: Settings, left_since: datetime) -> DataFrame:
    """Return the panes of archived events: short ones, and of what came late a day."""
    ours = settings.stream
    waited = F.expr(f"ingested_at - INTERVAL {ours.watermark_s} SECONDS")
    is_imported = F.col("topic") == settings.kafka.history_topic
    is_late = ~is_imported & (F.col("event_time") < waited)
    told = events.withColumn("is_late", is_late)
    live = short_panes(told.where(~(is_imported | is_late)), ours)
    past = day_panes(told.where(is_imported | is_late))
    # entries of both have the same fields
    on_time = F.transform(
        "entries", lambda each: each.withField("is_late", F.lit(False))
    )
    is_closed = F.col("window_start") < F.lit(left_since)
    return live.where(is_closed).withColumn("entries", on_time).union(past)


def _rewriting(settings: Settings, index_version: str, clock: Clock) -> _Step:
    """Return the step that writes whole panes, rows of `by_listener`."""

    def step(batch: pa.RecordBatch) -> int:
        database = worker_database(settings.mongo)
        index = open_track_index(settings.home / "index", index_version)
        arrived = panes_in(batch)
        stored = with_stored(database, arrived)
        panes = {
            user: [
                whole if pane.length_s == DAY_S else pane
                for pane, whole in zip(each, stored[user], strict=True)
            ]
            for user, each in arrived.items()
        }
        kept = remembered_panes(panes, read_rules(database, panes))
        windows = windows_of(database, kept, index, clock())
        _keep_counts(database, windows)
        store.upsert(database, store.TASTE_WINDOWS, windows)
        return len(windows)

    return _each_batch(step)


def _keep_counts(database: Database[Document], windows: list[Document]) -> None:
    """Keep the counts of messages that the archive does not have, of short panes."""
    short = {w["_id"]: w for w in windows if w["window_length_s"] != DAY_S}
    counted = database[store.TASTE_WINDOWS].find(
        {"_id": {"$in": list(short)}}, _NOT_ARCHIVED
    )
    for before in counted:
        short[before["_id"]].update({k: before.get(k, 0) for k in _NOT_ARCHIVED})


def _refreshing(
    settings: Settings, index_version: str, dates: frozenset[date], clock: Clock
) -> _Step:
    """Return the step that writes taste and list of listeners, rows of `user_id`."""

    def step(batch: pa.RecordBatch) -> int:
        database = worker_database(settings.mongo)
        index = open_track_index(settings.home / "index", index_version)
        users = batch["user_id"].to_pylist()
        for user_id in users:
            refresh_list(database, user_id, index, settings, clock, dates)
        return len(users)

    return _each_batch(step)


def _each_batch(step: Callable[[pa.RecordBatch], int]) -> _Step:
    def steps(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in in_groups(batches, "user_id", _AT_ONCE):
            yield pa.RecordBatch.from_pydict({"n": pa.array([step(batch)], pa.int64())})

    return steps


@click.command(help=__doc__)
@click.argument("first", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("last", type=click.DateTime(["%Y-%m-%d"]))
def main(first: datetime, last: datetime) -> None:
    """Run the job with the settings of the environment; print one line of JSON."""
    configure_logging()
    settings = load_settings(os.environ)
    try:
        require_reachable(settings)
        read_track_index(settings.home / "index")
        spark = create_session("segue-recompute")
        done = recompute(spark, settings, first.date(), last.date())
        spark.stop()
    except SegueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(done))


if __name__ == "__main__":
    sys.exit(main())
