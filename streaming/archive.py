"""The archive: every accepted event once, in Parquet, by the date of its event time.

One query writes it. A date is written by one task at a time, which leaves out what the
date already holds: so a batch that runs again, an event that was sent twice and a
history that was imported twice add nothing. Files are whole when they have their name.
Small files of a date are merged; what a crash leaves of that is finished the next time.
"""

import os
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import DateType, LongType, StructField, StructType

from segue.settings import Settings
from streaming.activity_spans import activity_of
from streaming.archive_files import (
    DATE_PREFIX,
    FOLDER,
    PLACE_ORDER,
    date_of,
    files_of,
    finish_merging,
    held,
    place_of,
    replace_files,
    write_file,
)
from streaming.forget_rules import Rules, is_forgotten, read_rules
from streaming.schemas import COORDINATES, ENTRY_FIELDS, EVENT_FIELDS, OTHER_FIELDS
from streaming.session import worker_database

ARCHIVED: Final = StructType(
    [
        StructField("event_date", DateType(), nullable=False),
        StructField("n_new", LongType(), nullable=False),
        StructField("n_known", LongType(), nullable=False),
    ]
)
"""What a task reports of each date."""

_SHAPE: Final = StructType([*EVENT_FIELDS, *OTHER_FIELDS, *COORDINATES])
_COLUMNS: Final = _SHAPE.fieldNames()
KEY: Final = ["user_id", "event_id"]
_BY_TIME: Final = [("event_time", "ascending"), *PLACE_ORDER]
_SORTED_BY: Final = [*KEY, *(name for name, _ in _BY_TIME)]
RULED: Final = ["user_id", *ENTRY_FIELDS]
_SMALL_BYTES: Final = 32 << 20
_COPY_APART: Final = pa.scalar(timedelta(hours=1))


def archived(accepted: DataFrame, settings: Settings) -> DataFrame:
    """Add events to the archive, but for forgotten ones.

    Parameters
    ----------
    accepted : DataFrame
        Valid and late events, of schema `JUDGED`.

    Returns
    -------
    DataFrame
        Of schema `ARCHIVED`.
    """
    dated = accepted.select(F.to_date("event_time").alias("event_date"), *_COLUMNS)
    step = _archiving(settings)
    return dated.groupBy("event_date").applyInArrow(step, ARCHIVED)


def read_archive(home: Path) -> ds.Dataset:
    """Return the archive; partitioned by `event_date`, a string like 2026-05-03."""
    by_date = pa.schema([("event_date", pa.string())])
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    hive = ds.partitioning(by_date, flavor="hive")
    return ds.dataset(folder, format="parquet", partitioning=hive)


def dates_of(folder: Path) -> list[date]:
    """Return the dates of which an archive's folder holds events."""
    places = folder.glob(f"{DATE_PREFIX}*")
    # of a date all may have been forgotten
    return sorted(date_of(place) for place in places if files_of(place))


def read_date(folder: Path, day: date, listener: str | None = None) -> pa.Table:
    """Return the events of one date by time, each once.

    Parameters
    ----------
    folder : Path
        Of the archive.
    listener : str, optional
        Only theirs.
    """
    files = files_of(place_of(folder, day))
    if not files:
        return to_arrow_schema(_SHAPE, timezone="UTC").empty_table()
    wanted = None if listener is None else pc.field("user_id") == listener
    events = ds.dataset(files, format="parquet").to_table(_COLUMNS, filter=wanted)
    return _distinct(events, _BY_TIME)


def event_files(home: Path, dates: Iterable[date]) -> list[str]:
    """Return the files of some dates; after a crash an event may be in two of them."""
    folder = home / FOLDER
    return [path for day in dates for path in files_of(place_of(folder, day))]


def link_events(home: Path, dates: Iterable[date], target: Path) -> list[str]:
    """Link the files of some dates into `target`, and return the links.

    Who reads the links is not in the way of the stream, which merges files, and it not
    in theirs.
    """
    days = list(dates)
    while True:
        files = event_files(home, days)
        links = [(path, target / f"{n}.parquet") for n, path in enumerate(files)]
        try:
            for path, link in links:
                os.link(path, link)
        except FileNotFoundError:  # merged meanwhile
            for _, link in links:
                link.unlink(missing_ok=True)
        else:
            return [str(link) for _, link in links]


def archived_events(
    spark: SparkSession, settings: Settings, dates: Iterable[date]
) -> DataFrame:
    """Return the events of some dates as a frame, each once."""
    events = spark.read.schema(_SHAPE).parquet(*event_files(settings.home, dates))
    return events.dropDuplicates(KEY)


def _archiving(settings: Settings) -> Callable[[pa.Table], pa.Table]:
    folder, max_small_files = settings.home / FOLDER, settings.stream.small_files

    def step(events: pa.Table) -> pa.Table:
        day = events["event_date"][0].as_py()
        database = worker_database(settings.mongo)
        rules = read_rules(database, set(events["user_id"].to_pylist()))
        kept = _remembered(events.select(_COLUMNS), rules)
        with held(folder, day.isoformat()):
            n_new = append(folder, day, kept, max_small_files)
            # where all is known, too: a batch that runs again repairs
            activity_of(settings, database).count_at(day, events["event_time"])
        counts = {"event_date": day, "n_new": n_new, "n_known": len(events) - n_new}
        return pa.Table.from_pylist([counts], schema=to_arrow_schema(ARCHIVED))

    return step


def _remembered(events: pa.Table, rules: Rules) -> pa.Table:
    if not rules:
        return events
    rows = events.select(RULED).to_pylist()
    return events.filter([not is_forgotten(row, rules) for row in rows])


def append(folder: Path, day: date, events: pa.Table, max_small_files: int) -> int:
    """Add the events of one date that it does not hold yet; return how many.

    Of several copies, the one that lies first in Kafka is kept. Copies whose times are
    more than an hour apart may both be in the files; who reads a date gets one.
    """
    place = place_of(folder, day)
    place.mkdir(parents=True, exist_ok=True)
    finish_merging(place)
    new = _without_known(place, _distinct(events, PLACE_ORDER))
    if len(new):
        write_file(place, new, "part")
        _merge_small(place, max_small_files)
    # a worker lives for months, and would keep what its largest merge has taken
    pa.default_memory_pool().release_unused()
    return len(new)


def _distinct(events: pa.Table, order: list[tuple[str, str]]) -> pa.Table:
    """Return in `order` of each event the row that lies first in Kafka.

    Whole rows are copied once: a merge has many of them.
    """
    rows = pa.array(range(len(events)), pa.int64())
    keyed = events.select(_SORTED_BY).append_column("row", rows)
    groups = keyed.sort_by(PLACE_ORDER).group_by(KEY, use_threads=False)
    first = groups.aggregate([("row", "first")])["row_first"]
    kept = keyed.take(first).sort_by(order)
    return events.take(kept["row"])


def _without_known(place: Path, events: pa.Table) -> pa.Table:
    """Return the events that the files of their date do not hold.

    A copy has about the time of its event: only what lies there is read, so that the
    hundredth micro-batch of a date costs as much as the first.
    """
    files = files_of(place)
    if not files:
        return events
    at, times = pc.field("event_time"), pc.min_max(events["event_time"])
    wanted = pc.field("event_id").isin(events["event_id"].combine_chunks())
    wanted &= at >= pc.subtract(times["min"], _COPY_APART)
    wanted &= at <= pc.add(times["max"], _COPY_APART)
    found = ds.dataset(files, format="parquet").to_table(columns=KEY, filter=wanted)
    return without(events, found).sort_by(PLACE_ORDER)


def without(events: pa.Table, found: pa.Table) -> pa.Table:
    """Return the events but for some, of which the keys are given."""
    left = events.join(found, keys=KEY, join_type="left anti")
    return left.select(_COLUMNS)


def _merge_small(place: Path, max_small_files: int) -> None:
    small = [each for each in files_of(place) if os.stat(each).st_size < _SMALL_BYTES]
    if len(small) <= max_small_files:
        return
    events = ds.dataset(small, format="parquet").to_table()
    events = _distinct(events, _BY_TIME)
    replace_files(place, [Path(path).name for path in small], events)
