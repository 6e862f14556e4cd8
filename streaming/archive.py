"""The archive: every accepted event once, in Parquet, by the date of its event time.

One query writes it. A date is written by one task at a time, which leaves out what the
date already holds: so a batch that runs again, an event that was sent twice and a
history that was imported twice add nothing. Files are whole when they have their name.
Small files of a date are merged; what a crash leaves of that is finished the next time.
"""

import hashlib
import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import DateType, LongType, StructField, StructType

from streaming.schemas import COORDINATES, EVENT_FIELDS, OTHER_FIELDS

FOLDER: Final = "events"
ARCHIVED: Final = StructType(
    [
        StructField("event_date", DateType(), nullable=False),
        StructField("n_new", LongType(), nullable=False),
        StructField("n_known", LongType(), nullable=False),
    ]
)
"""What a task reports of each date."""

_COLUMNS: Final = [f.name for f in (*EVENT_FIELDS, *OTHER_FIELDS, *COORDINATES)]
_KEY: Final = ["user_id", "event_id"]
_PLACE: Final = [(name, "ascending") for name in ("topic", "partition", "offset")]
_SMALL_BYTES: Final = 32 << 20
_JOURNAL: Final = "_merging.json"


def archived(accepted: DataFrame, home: Path, max_small_files: int) -> DataFrame:
    """Add events to the archive; return a frame of schema `ARCHIVED`.

    Parameters
    ----------
    accepted : DataFrame
        Valid and late events, of schema `JUDGED_WHOLE`.
    max_small_files : int
        A date with more of them has them merged.
    """
    dated = accepted.select(F.to_date("event_time").alias("event_date"), *_COLUMNS)
    step = _archiving(home / FOLDER, max_small_files)
    return dated.groupBy("event_date").applyInArrow(step, ARCHIVED)


def read_archive(home: Path) -> ds.Dataset:
    """Return the archive; partitioned by `event_date`, a string like 2026-05-03."""
    by_date = pa.schema([("event_date", pa.string())])
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    hive = ds.partitioning(by_date, flavor="hive")
    return ds.dataset(folder, format="parquet", partitioning=hive)


def _archiving(folder: Path, max_small_files: int) -> Callable[[pa.Table], pa.Table]:
    def step(events: pa.Table) -> pa.Table:
        day = events["event_date"][0].as_py()
        n_new = append(folder, day, events.select(_COLUMNS), max_small_files)
        counts = {"event_date": day, "n_new": n_new, "n_known": len(events) - n_new}
        return pa.Table.from_pylist([counts], schema=to_arrow_schema(ARCHIVED))

    return step


def append(folder: Path, day: date, events: pa.Table, max_small_files: int) -> int:
    """Add the events of one date that it does not hold yet; return how many.

    Of several copies, the one that lies first in Kafka is kept.
    """
    place = folder / f"event_date={day.isoformat()}"
    place.mkdir(parents=True, exist_ok=True)
    _finish_merging(place)
    new = _without_known(place, _distinct(events.sort_by(_PLACE)))
    if len(new):
        _write(place, new, "part")
        _merge_small(place, max_small_files)
    return len(new)


def _distinct(events: pa.Table) -> pa.Table:
    """Return the first row of each event."""
    rows = pa.array(range(len(events)), pa.int64())
    keyed = events.select(_KEY).append_column("row", rows)
    first = keyed.group_by(_KEY).aggregate([("row", "min")])["row_min"]
    return events.take(first.take(pc.sort_indices(first)))


def _without_known(place: Path, events: pa.Table) -> pa.Table:
    files = _files(place)
    if not files:
        return events
    wanted = pc.field("event_id").isin(events["event_id"].combine_chunks())
    found = ds.dataset(files, format="parquet").to_table(columns=_KEY, filter=wanted)
    left = events.join(found, keys=_KEY, join_type="left anti")
    return left.select(_COLUMNS).sort_by(_PLACE)


def _files(place: Path) -> list[str]:
    return sorted(str(path) for path in place.glob("[!._]*.parquet"))


def _write(place: Path, events: pa.Table, kind: str) -> Path:
    """Write a file, named after its events: doing it again replaces it."""
    names = "\n".join(map(str, sorted(events["event_id"].to_pylist())))
    digest = hashlib.sha256(names.encode("utf-8", "replace")).hexdigest()[:24]
    path = place / f"{kind}-{digest}.parquet"
    hidden = place / f".{path.name}.{os.getpid()}"
    pq.write_table(events, hidden, compression="zstd")
    os.replace(hidden, path)
    return path


def _merge_small(place: Path, max_small_files: int) -> None:
    small = [each for each in _files(place) if os.stat(each).st_size < _SMALL_BYTES]
    if len(small) <= max_small_files:
        return
    events = ds.dataset(small, format="parquet").to_table()
    events = _distinct(events.sort_by(_PLACE)).sort_by("event_time")
    journal = {"merged": [Path(path).name for path in small]}
    hidden = place / f".{_JOURNAL}"
    whole = _write(place, events, ".whole")
    hidden.write_text(json.dumps(journal | {"whole": whole.name}), encoding="utf-8")
    os.replace(hidden, place / _JOURNAL)
    _finish_merging(place)


def _finish_merging(place: Path) -> None:
    """Put the merged file in the place of the small ones, as the journal says."""
    journal = place / _JOURNAL
    if not journal.exists():
        return
    said: dict[str, Any] = json.loads(journal.read_text(encoding="utf-8"))
    hidden = place / said["whole"]
    whole = place / said["whole"].removeprefix(".")
    if hidden.exists():
        os.replace(hidden, whole)
    if whole.exists():
        for name in set(said["merged"]) - {whole.name}:
            (place / name).unlink(missing_ok=True)
    journal.unlink()
