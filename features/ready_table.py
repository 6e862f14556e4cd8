"""The table of imported features: append-only Parquet, one folder per set of columns.

Below `<home>/features/ready-<hash of the columns>/tracks` lies a part for each import
that brought something new. A part appears whole or not at all. Of the rows of one
`track_id` the last one counts.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.ready_columns import Layout
from features.table import TRACKS

Matrix = NDArray[np.float32]

_FIELDS: Final = [
    ("track_id", pa.string()),
    ("title", pa.string()),
    ("artist", pa.string()),
    ("album", pa.string()),
    ("genre", pa.string()),
    ("year", pa.int32()),
    ("duration_s", pa.float64()),
    # hash of all the others
    ("content", pa.string()),
    ("imported_at", pa.timestamp("us", tz="UTC")),
]
_VECTOR: Final = "vector"
_FIELD_SCHEMA: Final = pa.schema(_FIELDS)
_SCHEMA: Final = pa.schema([*_FIELDS, (_VECTOR, pa.list_(pa.float32()))])


@dataclass(frozen=True)
class ReadyRows:
    """The rows of a table, one for each track, by ascending `track_id`.

    Attributes
    ----------
    tracks : Table
        All columns but the vectors.
    vectors : ndarray, float32, shape (n_tracks, n_dims)
    """

    tracks: pa.Table
    vectors: Matrix


@dataclass(frozen=True, slots=True)
class ReadyPart:
    """A part of the table that is being written."""

    writer: pq.ParquetWriter

    def append(self, rows: list[dict[str, Any]], vectors: Matrix) -> None:
        """Add rows, without their vectors, and their vectors."""
        columns = pa.Table.from_pylist(rows, _FIELD_SCHEMA).columns
        starts = np.arange(len(rows) + 1, dtype=np.int32) * vectors.shape[1]
        lists = pa.ListArray.from_arrays(starts, np.ascontiguousarray(vectors).ravel())
        self.writer.write_table(pa.Table.from_arrays([*columns, lists], schema=_SCHEMA))


@dataclass(frozen=True, slots=True)
class ReadyTable:
    """A folder of imported features of one layout."""

    folder: Path
    layout: Layout

    def read_contents(self) -> dict[str, str]:
        """Return the content of each track's last row, by `track_id`."""
        rows = self._read(["track_id", "content"])
        columns = (rows[name].to_pylist() for name in rows.column_names)
        return dict(zip(*columns, strict=True))

    def read(self) -> ReadyRows:
        """Return the last row of each track."""
        rows = self._read().sort_by("track_id")  # stable
        ids = rows["track_id"].to_numpy()
        is_last = np.ones(len(ids), dtype=bool)
        is_last[:-1] = ids[1:] != ids[:-1]
        rows = rows.filter(is_last)
        chunks = [chunk.flatten().to_numpy() for chunk in rows[_VECTOR].chunks]
        vectors = np.concatenate(chunks).reshape(rows.num_rows, -1)
        return ReadyRows(rows.drop_columns([_VECTOR]), vectors)

    @contextmanager
    def appending(self, build: str) -> Iterator[ReadyPart]:
        """Open a part; it is kept when it has rows and nothing went wrong."""
        folder = self.folder / TRACKS
        folder.mkdir(parents=True, exist_ok=True)
        number = len(list(folder.glob("*.parquet")))  # parts are read by name
        target = folder / f"{number:06d}-{build}.parquet"
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with temporary.open("wb") as file:
                with pq.ParquetWriter(file, _SCHEMA) as writer:
                    yield ReadyPart(writer)
                file.flush()
                os.fsync(file.fileno())
            if pq.read_metadata(temporary).num_rows:
                temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def _read(self, columns: list[str] | None = None) -> pa.Table:
        dataset = ds.dataset(self.folder / TRACKS, format="parquet", schema=_SCHEMA)
        return dataset.to_table(columns)
