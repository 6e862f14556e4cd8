"""Take what is forgotten out of the archive, and out of the spans of its dates."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyspark.sql import SparkSession

from segue.settings import Settings
from streaming.activity_due import Due, settle
from streaming.activity_spans import Activity, activity_of
from streaming.archive import KEY, RULED, without
from streaming.archive_files import (
    DATE_PREFIX,
    FOLDER,
    date_of,
    files_of,
    finish_merging,
    held,
    replace_files,
)
from streaming.forget_rules import Rules, is_forgotten
from streaming.session import worker_database


def forget_archived(spark: SparkSession, rules: Rules, settings: Settings) -> int:
    """Take what the rules cover out of the archive; return how many events.

    A date is rewritten by one task, file by file: those that hold something of it.
    """
    folder = settings.home / FOLDER
    dates = [(path.name,) for path in sorted(folder.glob(f"{DATE_PREFIX}*"))]
    if not dates:
        return 0

    def step(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            places = [folder / name for name in batch["place"].to_pylist()]
            activity = activity_of(settings, worker_database(settings.mongo))
            n_out = [forget_on(place, rules, activity) for place in places]
            yield pa.RecordBatch.from_pydict({"n": pa.array(n_out, pa.int64())})

    places = spark.createDataFrame(dates, "place string")
    taken_out = places.repartition("place").mapInArrow(step, "n long").collect()
    return sum(row["n"] for row in taken_out)


def forget_on(place: Path, rules: Rules, activity: Activity) -> int:
    """Take what rules cover out of one date and its spans; return how many events."""
    day = date_of(place)
    due: list[Due] = []
    with held(place.parent, day.isoformat()):
        # noted before the events go, which alone tell the spans: so a crash leaves them
        # due, and who writes what is due waits for this date
        n_out = forget_in(
            place, rules, lambda times: due.extend(activity.note_at(day, times))
        )
        if due:
            activity.count(day, due[0].level, [each.start for each in due])
            settle(activity.database, due)
    return n_out


def forget_in(
    place: Path,
    rules: Rules,
    before: Callable[[pa.ChunkedArray], None] = lambda times: None,
) -> int:
    """Take what the rules cover out of the files of one date; return how many events.

    A file is replaced by its journal: a crash leaves the old one or the new one.

    Parameters
    ----------
    before : callable
        Takes the times of what is taken out, before anything is.
    """
    finish_merging(place)
    found = [(path, _covered(path, rules)) for path in map(Path, files_of(place))]
    forgotten = [(path, events) for path, events in found if len(events)]
    if forgotten:
        before(pa.concat_tables(events for _, events in forgotten)["event_time"])
    for path, events in forgotten:
        _take_out(place, path, events.select(KEY))
    return sum(len(events) for _, events in forgotten)


def _covered(path: Path, rules: Rules) -> pa.Table:
    is_theirs = pc.field("user_id").isin(pa.array(sorted(rules), pa.string()))
    file = ds.dataset(path, format="parquet")
    events = file.to_table(filter=is_theirs, columns=RULED)
    covered = [is_forgotten(row, rules) for row in events.to_pylist()]
    return events.filter(pa.array(covered, pa.bool_()))


def _take_out(place: Path, path: Path, forgotten: pa.Table) -> None:
    kept = without(ds.dataset(path, format="parquet").to_table(), forgotten)
    if len(kept):
        replace_files(place, [path.name], kept)
    else:
        path.unlink()
