"""The feature table: append-only Parquet, one folder per feature spec.

Below `<home>/features/<spec hash>/` lie

- `tracks`, a row for each content that gave features,
- `failures`, a row for each try that did not,
- `files`, a row for each file that was hashed: its size and time of change tell whether
  it has to be read again.

Each task of a build writes parts of its own. A part appears whole, under its name, or
not at all; a task that runs again writes the same names. Rows are known by
`content_sha256`, and a row that occurs twice counts once.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.spec import FeatureSpec, spec_hash
from segue.errors import LibraryError

Row = dict[str, Any]

TRACKS: Final = "tracks"
FAILURES: Final = "failures"
STAMPS: Final = "files"

BLOCKS: Final = (
    "mfcc",
    "timbre",
    "mfcc_std",
    "mfcc_delta_std",
    "contrast",
    "centroid",
    "chroma",
    "onset",
    "tempo",
    "loudness",
)
"""Columns that hold vectors; see :mod:`features.descriptors`."""

_TEXT: Final = pa.string()
_TIME: Final = pa.timestamp("us", tz="UTC")

SCHEMAS: Final = {
    TRACKS: pa.schema(
        [
            ("track_id", _TEXT),
            ("path", _TEXT),
            ("content_sha256", _TEXT),
            ("sample_rate_hz", pa.int32()),
            ("n_channels", pa.int32()),
            ("duration_s", pa.float64()),
            *((name, pa.list_(pa.float32())) for name in BLOCKS),
            ("spec", _TEXT),
            ("extracted_at", _TIME),
        ]
    ),
    # `content_sha256` is null where the file could not be read at all
    FAILURES: pa.schema(
        [
            ("path", _TEXT),
            ("content_sha256", _TEXT),
            ("stage", _TEXT),
            ("error_class", _TEXT),
            ("message", _TEXT),
            ("failed_at", _TIME),
            ("retry", pa.bool_()),
        ]
    ),
    STAMPS: pa.schema(
        [
            ("path", _TEXT),
            ("size_bytes", pa.int64()),
            ("mtime_ns", pa.int64()),
            ("content_sha256", _TEXT),
            ("seen_at", _TIME),
        ]
    ),
}

MAX_TRIES: Final = 3
_LOCK: Final = "_LOCK"


def table_folder(home: Path, spec: FeatureSpec) -> Path:
    """Return the folder of the table that holds vectors of `spec`."""
    return home / "features" / spec_hash(spec)


@dataclass(frozen=True, slots=True)
class TableWriter:
    """Writes the parts of one task.

    Attributes
    ----------
    folder : Path
        From :func:`table_folder`.
    build : str
        The build that the task belongs to; when another one holds the table, a task
        that was left behind writes no more.
    part : str
        Name of the task's parts.
    """

    folder: Path
    build: str
    part: str

    def write(self, name: str, rows: Sequence[Row]) -> None:
        """Append rows to `tracks`, `failures` or `files`, all of them or none.

        Raises
        ------
        LibraryError
            When another build holds the table.
        """
        if not rows:
            return
        target = self.folder / name / f"{self.part}-{self.build}.parquet"
        target.parent.mkdir(exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with temporary.open("wb") as file:
                table = pa.Table.from_pylist(list(rows), schema=SCHEMAS[name])
                pq.write_table(table, file)
                file.flush()
                os.fsync(file.fileno())
            _require_held(self.folder, self.build)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def part_name(files: Sequence[Any]) -> str:
    """Return the name of the parts of a task: it follows from the task's files."""
    content = "\n".join(f"{file.path!r} {file.size_bytes}" for file in files)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@contextmanager
def hold_table(folder: Path, build: str) -> Iterator[None]:
    """Hold the table for one build, and sweep up what a killed one left behind.

    Raises
    ------
    LibraryError
        When another build writes to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LibraryError(
                f"another build writes to {folder}; wait until it has ended"
            ) from None
        lock.truncate(0)
        lock.write(build)
        lock.flush()
        for half in folder.glob("*/.*.parquet.*"):
            half.unlink(missing_ok=True)
        yield


def _require_held(folder: Path, build: str) -> None:
    if (folder / _LOCK).read_text("ascii") != build:
        raise LibraryError(f"another build has taken {folder}; this one writes no more")


@dataclass(frozen=True)
class FeatureRows:
    """The rows of a table, one for each content, by ascending `track_id`.

    Attributes
    ----------
    track_ids, paths : list of str
    durations_s : ndarray, float64, shape (n_tracks,)
    blocks : dict
        Float32 matrices by column, shape (n_tracks, size of the block).
    """

    track_ids: list[str]
    paths: list[str]
    durations_s: NDArray[np.float64]
    blocks: dict[str, NDArray[np.float32]]

    def __len__(self) -> int:
        return len(self.track_ids)


def read_tracks(folder: Path) -> pa.Table:
    """Return the rows of the table, one for each content, by ascending `track_id`.

    Parameters
    ----------
    folder : Path
        From :func:`table_folder`; it may not exist yet.
    """
    rows = _read(folder, TRACKS)
    order = [(name, "ascending") for name in ("track_id", "extracted_at", "path")]
    rows = rows.sort_by(order)
    ids = rows["track_id"].to_numpy()
    is_first = np.ones(len(ids), dtype=bool)
    is_first[1:] = ids[1:] != ids[:-1]
    return rows.filter(is_first)


def read_failures(folder: Path) -> pa.Table:
    """Return the failures, oldest first; every try is a row."""
    return _read(folder, FAILURES).sort_by("failed_at")


def feature_rows(tracks: pa.Table) -> FeatureRows:
    """Return what :func:`read_tracks` gives as matrices."""
    columns = {name: tracks[name].combine_chunks() for name in BLOCKS}
    return FeatureRows(
        track_ids=tracks["track_id"].to_pylist(),
        paths=tracks["path"].to_pylist(),
        durations_s=tracks["duration_s"].to_numpy(),
        blocks={
            name: column.flatten().to_numpy().reshape(tracks.num_rows, -1)
            if tracks.num_rows
            else np.empty((0, 0), dtype=np.float32)
            for name, column in columns.items()
        },
    )


def read_known(folder: Path) -> set[str]:
    """Return the contents that have features already."""
    return set(_read(folder, TRACKS, ["content_sha256"])["content_sha256"].to_pylist())


def read_hopeless(folder: Path) -> set[str]:
    """Return the contents that failed for good, or `MAX_TRIES` times."""
    rows = _read(folder, FAILURES, ["content_sha256", "retry"])
    tries = rows.group_by("content_sha256").aggregate(
        [("retry", "count"), ("retry", "all")]
    )
    over = pc.or_(
        pc.greater_equal(tries["retry_count"], MAX_TRIES),
        pc.invert(tries["retry_all"]),
    )
    return {sha for sha in tries.filter(over)["content_sha256"].to_pylist() if sha}


def read_stamps(folder: Path) -> dict[tuple[str, int, int], str]:
    """Return the SHA-256 of each file by path, size and time of change."""
    rows = _read(folder, STAMPS).sort_by("seen_at")
    columns = [rows[name].to_pylist() for name in ("path", "size_bytes", "mtime_ns")]
    return dict(
        zip(zip(*columns, strict=True), rows["content_sha256"].to_pylist(), strict=True)
    )


def _read(folder: Path, name: str, columns: list[str] | None = None) -> pa.Table:
    schema = SCHEMAS[name]
    if not (folder / name).is_dir():
        rows = schema.empty_table()
        return rows if columns is None else rows.select(columns)
    return ds.dataset(folder / name, format="parquet", schema=schema).to_table(columns)
