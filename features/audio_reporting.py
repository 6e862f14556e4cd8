"""Writes the report on the audio space of the current index to MongoDB.

Whoever has built an index has it reported on; a report that cannot be made is said, and
costs no build.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from pymongo import DESCENDING
from pymongo.database import Database

from features.audio_report import Material, make_report
from features.index import read_fitted
from features.library_files import read_failing
from features.ready_columns import Layout
from features.ready_table import ReadyRows
from features.space import read_space
from features.spec import FeatureSpec, spec_hash
from features.table import feature_rows, read_tracks, table_folder
from segue import indexes, store
from segue.audio_reports import KEPT, AudioReport, Failures
from segue.errors import LibraryError
from segue.settings import Settings
from segue.store import Document
from segue.track_index import TrackIndex

NO_FAILURES: Final = Failures(n_files=0, reasons=[], newest=[])
_BATCH: Final = 5000


def tell_only(report: Callable[[str], None], write: Callable[[], object]) -> None:
    """Write a report; say what goes wrong, and go on."""
    try:
        write()
    except Exception as error:  # the boundary: a build is done, with a report or not
        told = f"{type(error).__name__}: {error}"
        report(f"the report on the audio space was not written: {told}")


def write_library_report(
    settings: Settings, now: datetime, unless_known: bool = False
) -> AudioReport | None:
    """Report on the current index, which is of the feature table.

    Parameters
    ----------
    unless_known : bool
        Write nothing where there is a report on this index.

    Returns
    -------
    AudioReport, optional
        None where nothing was written.

    Raises
    ------
    IndexMissingError, LibraryError
        When there is no such index, or its tracks are not in the table.
    MongoUnreachableError
        When no MongoDB is set, or it does not answer.
    """
    fitted, spec = read_fitted(settings), FeatureSpec()
    database = store.connect(settings.mongo)
    with database.client:
        indexes.prepare(database)
        if unless_known and _is_known(database, fitted.index.version):
            return None
        material = _of_library(
            database, table_folder(settings.home, spec), fitted.index, spec_hash(spec)
        )
        report = make_report(fitted.index, fitted.space, fitted.n_placed, material, now)
        _write(database, report)
    return report


def write_import_report(
    database: Database[Document],
    folder: Path,
    index: TrackIndex,
    layout: Layout,
    rows: ReadyRows,
    now: datetime,
) -> AudioReport:
    """Report on an index of ready features.

    Parameters
    ----------
    folder : Path
        Of all indexes.
    """
    material = Material(
        spec=f"ready-{layout.key}",
        blocks=layout.split(rows.vectors),
        extracted_at=rows.tracks["imported_at"].to_numpy(),
        recordings=_recordings(database, index.track_ids),
        copies=[],
        failures=NO_FAILURES,
    )
    space = read_space(folder / index.version)
    # such a space is fitted anew to whatever is imported
    report = make_report(index, space, 0, material, now)
    _write(database, report)
    return report


def _of_library(
    database: Database[Document], table: Path, index: TrackIndex, spec: str
) -> Material:
    tracks = read_tracks(table)
    is_here = [track_id in index.row_of for track_id in tracks["track_id"].to_pylist()]
    tracks = tracks.filter(np.array(is_here, dtype=bool))
    if tracks.num_rows != len(index.track_ids):
        raise LibraryError(
            f"{table} has {tracks.num_rows} of the {len(index.track_ids)} tracks of "
            "the index; run `segue features build DIR` to bring both up to date"
        )
    failures, copies = read_failing(table, _roots(database))
    return Material(
        spec=spec,
        blocks=feature_rows(tracks).blocks,
        extracted_at=tracks["extracted_at"].to_numpy(),
        recordings=_recordings(database, index.track_ids),
        copies=copies,
        failures=failures,
    )


def _roots(database: Database[Document]) -> list[Path]:
    """Return the folders of the library."""
    told = database[store.TRACKS].distinct("root", {"missing": {"$ne": True}})
    return [Path(root) for root in told if isinstance(root, str) and root]


def _recordings(database: Database[Document], track_ids: Sequence[str]) -> list[str]:
    """Return the recording of each track; one outside the catalogue is its own."""
    found: dict[str, str] = {}
    for start in range(0, len(track_ids), _BATCH):
        wanted = {"_id": {"$in": list(track_ids[start : start + _BATCH])}}
        rows = database[store.TRACKS].find(wanted, {"recording_id": 1})
        found |= {row["_id"]: row.get("recording_id") or row["_id"] for row in rows}
    return [found.get(track_id, track_id) for track_id in track_ids]


def _is_known(database: Database[Document], version: str) -> bool:
    return database[store.AUDIO_REPORTS].find_one({"_id": version}, ()) is not None


def _write(database: Database[Document], report: AudioReport) -> None:
    """Write a report in the place of an earlier one; the oldest of many go."""
    reports = database[store.AUDIO_REPORTS]
    store.upsert(database, reports.name, [report.model_dump(by_alias=True)])
    old = reports.find({}, ()).sort("made_at", DESCENDING).skip(KEPT)
    reports.delete_many({"_id": {"$in": [each["_id"] for each in old]}})
