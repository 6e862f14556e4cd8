"""Ready feature vectors → taste space and track index, for tracks without audio.

The vectors may be of any kind: published data sets, another program's descriptors, a
network's embeddings. All dimensions of a file count alike. What is imported stays in a
table by its columns; the index is made of all rows of that table, so a catalogue may
come in several files.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np
import pyarrow as pa
from pymongo.database import Database
from tqdm import tqdm

from features.audio_reporting import tell_only, write_import_report
from features.ready_columns import (
    Layout,
    Matrix,
    find_layout,
    read_dimensions,
)
from features.ready_file import ReadyFile, open_ready
from features.ready_table import ReadyPart, ReadyRows, ReadyTable
from features.ready_tracks import Telling, write_catalogue
from features.space import fit_space, hub_scales, space_version, transform, write_space
from features.table import hold_table
from segue import indexes, store
from segue.builds import current_version, hold
from segue.errors import LibraryError
from segue.settings import MongoSettings, Settings
from segue.store import Document
from segue.track_index import (
    TrackIndex,
    create_track_index,
    read_track_index,
    write_track_index,
)

MAX_ID_CHARS: Final = 128
_MAX_TOLD: Final = 100
_MAX_FITTED: Final = 50_000
_ROWS_AT_ONCE: Final = 8192
_HASH_CHARS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadySummary:
    """What an import did; `read` is the sum of the four counts after it.

    Attributes
    ----------
    read : int
        Rows of the file.
    imported : int
        Rows that are new in the table, or differ from those there.
    known : int
        Rows that the table has already.
    duplicate : int
        Further rows of a `track_id` that occurred in the file before.
    invalid : int
        Rows without a usable id, or with a value that is no finite number.
    n_tracks, n_dims : int
        Tracks of the index; dimensions of a row.
    index_version : str
    """

    read: int
    imported: int
    known: int
    duplicate: int
    invalid: int
    n_tracks: int
    n_dims: int
    index_version: str

    @property
    def adds_up(self) -> bool:
        """Whether every row is accounted for."""
        usable = self.imported + self.known
        return self.read == usable + self.duplicate + self.invalid


def import_features(
    settings: Settings, path: Path, now: datetime, report: Callable[[str], None]
) -> ReadySummary:
    """Read a CSV or Parquet file of feature vectors and make the index of it.

    A column names the tracks (`track_id`, else `id`, `filename` or `path`); some tell
    of them (`title artist album genre label year duration_s …`); each other column of
    numbers is a dimension, each column of lists of numbers several. The `features.csv`
    of the FMA data set, with its lines `feature`, `statistics`, `number`, is read as it
    is. Importing a file again adds nothing.

    Where MongoDB is set, the catalogue becomes these tracks; they have no audio, so
    that they are shown and recommended, but cannot be played.

    Parameters
    ----------
    report : callable
        Takes one line for each row that is not usable, and says when there are more.

    Raises
    ------
    LibraryError
        When the file cannot be read, no column names the tracks or holds numbers, or
        no row is usable; then nothing has changed.
    MongoUnreachableError
        When MongoDB is set and does not answer.
    """
    with _catalogue(settings.mongo) as database:
        with open_ready(path) as file:
            intake, rows = _take_in(settings.home, path, file, now, report)
        table = intake.table
        with hold(settings.home / "index"):
            index = _build_index(settings, table.layout, rows, now)
        if database is not None:
            write_catalogue(database, table.folder.name, rows.tracks, index, now)
            told = (settings.home / "index", index, table.layout, rows, now)
            tell_only(report, partial(write_import_report, database, *told))
    return intake.summary(index)


@contextmanager
def _catalogue(settings: MongoSettings) -> Iterator[Database[Document] | None]:
    """Open the database that is set, if any, and see that it answers."""
    if settings.uri is None:
        yield None
        return
    database = store.connect(settings)
    with database.client:
        indexes.prepare(database)
        yield database


def _take_in(
    home: Path,
    path: Path,
    file: ReadyFile,
    now: datetime,
    report: Callable[[str], None],
) -> tuple["_Intake", ReadyRows]:
    """Bring the table up to date with the file; return all its rows."""
    first = next(file.batches, None)
    if first is None or first.num_rows == 0:
        raise LibraryError(f"{path} has no rows; give one for each track")
    layout = find_layout(file.names, first)
    if layout.ignored:
        report(f"columns that are not used: {', '.join(layout.ignored)}")
    telling = Telling.of(file, path, first, layout, report)
    table = ReadyTable(home / "features" / f"ready-{layout.key}", layout)
    build = uuid4().hex[:_HASH_CHARS]
    with hold_table(table.folder, build):
        with table.appending(build) as part, tqdm(desc="rows", unit="") as bar:
            intake = _Intake(table, part, telling, now)
            for batch in chain([first], file.batches):
                intake.take(batch)
                bar.update(batch.num_rows)
            intake.finish(file.malformed, path, report)
        return intake, table.read()


@dataclass
class _Intake:
    """Takes the rows of one file into the table, and counts what becomes of them."""

    table: ReadyTable
    part: ReadyPart
    telling: Telling
    now: datetime
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("read", "imported", "known", "duplicate", "invalid"), 0
        )
    )
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._contents = self.table.read_contents()
        self._seen: set[str] = set()

    def take(self, batch: pa.RecordBatch) -> None:
        """Append the usable rows of a batch that the table does not have."""
        layout = self.table.layout
        vectors = read_dimensions(batch, layout)
        told = self.telling.rows(batch)
        new = [
            (at, row) for at, row in enumerate(told) if self._is_new(row, vectors[at])
        ]
        if new:
            places = [at for at, _ in new]
            self.part.append([row for _, row in new], vectors[places])

    def finish(
        self, malformed: list[str], path: Path, report: Callable[[str], None]
    ) -> None:
        """Count malformed lines, too, and tell of what was not usable."""
        self.counts["read"] += len(malformed)
        self.counts["invalid"] += len(malformed)
        complaints = [*malformed, *self.complaints]
        for line in complaints[:_MAX_TOLD]:
            report(f"not imported: {line}")
        if len(complaints) > _MAX_TOLD:
            report(f"… and {len(complaints) - _MAX_TOLD} rows more")
        if not self._seen:
            raise LibraryError(
                f"no row of {path} is usable, of {self.counts['read']}: each needs an "
                f"id in {self.table.layout.id_column!r} and "
                f"{self.table.layout.n_dims} finite numbers"
            )

    def summary(self, index: TrackIndex) -> ReadySummary:
        """Return what the import did."""
        return ReadySummary(
            **self.counts,
            n_tracks=len(index.track_ids),
            n_dims=self.table.layout.n_dims,
            index_version=index.version,
        )

    def _is_new(self, row: dict[str, Any], vector: Matrix) -> bool:
        """Count a row; complete and keep it when it is new."""
        outcome = self._outcome(row, vector)
        self.counts["read"] += 1
        self.counts[outcome] += 1
        return outcome == "imported"

    def _outcome(self, row: dict[str, Any], vector: Matrix) -> str:
        track_id, place = row["track_id"], f"row {self.counts['read'] + 1}"
        if not track_id or len(track_id) > MAX_ID_CHARS:
            column = self.table.layout.id_column
            want = f"1 to {MAX_ID_CHARS} characters"
            self.complaints.append(f"{place}: its {column!r} has not {want}")
            return "invalid"
        if not np.isfinite(vector).all():
            name = self.table.layout.label_of(int(np.argmin(np.isfinite(vector))))
            self.complaints.append(f"{place}, {track_id!r}: {name} is no finite number")
            return "invalid"
        if track_id in self._seen:
            self.complaints.append(f"{place}: {track_id!r} occurred before")
            return "duplicate"
        self._seen.add(track_id)
        row["content"] = _hash(repr(sorted(row.items())).encode(), vector.tobytes())
        row["imported_at"] = self.now
        is_known = self._contents.get(track_id) == row["content"]
        return "known" if is_known else "imported"


def _build_index(
    settings: Settings, layout: Layout, rows: ReadyRows, now: datetime
) -> TrackIndex:
    """Fit the space to the table and make its index the current one."""
    folder, n_tracks = settings.home / "index", len(rows.vectors)
    chosen = (
        np.linspace(0, n_tracks - 1, min(n_tracks, _MAX_FITTED)).round().astype(int)
    )
    # a dimension of a block counts by weight over size: so all count alike
    weights = {name: float(d.stop - d.start) for name, d in layout.blocks.items()}
    space = fit_space(layout.split(rows.vectors[chosen]), now, weights)
    contents = "\n".join(rows.tracks["content"].to_pylist())
    version = _hash(space_version(space).encode(), contents.encode())
    if version != current_version(folder):
        parts = [
            transform(space, layout.split(rows.vectors[start : start + _ROWS_AT_ONCE]))
            for start in range(0, n_tracks, _ROWS_AT_ONCE)
        ]
        points = np.concatenate(parts)
        ids = rows.tracks["track_id"].to_pylist()
        write_space(folder / version, space)
        index = create_track_index(version, ids, points, hub_scales(space, points))
        write_track_index(folder, index, settings.features.exact_tracks)
    return read_track_index(folder)


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:_HASH_CHARS]
