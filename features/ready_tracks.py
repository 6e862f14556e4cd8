"""What a file of ready features tells of its tracks, and their place in the catalogue.

Its tracks have no audio: their documents have no path. A track of the music folder
that happens to have the same id keeps its document.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pymongo.database import Database

from features.ready_columns import Layout, numbers
from features.ready_file import ReadyFile
from segue import store
from segue.catalog import AUDIO_SUFFIXES
from segue.discography import refresh_discography
from segue.fma import FmaTrack, find_tracks_csv, read_fma
from segue.names import artist_id_of, genre_id_of, main_artist, split_genres
from segue.recordings import mark_recordings
from segue.store import Document
from segue.tags import UNKNOWN_ALBUM, UNKNOWN_ARTIST, clean_text, parse_year
from segue.track_index import TrackIndex

_TEXTS: Final = ("title", "artist", "album", "genre")
_MAX_MEDIAN_S: Final = 7200
_ALL_NUMBERS: Final = range(10**9)
_ID: Final = frozenset({"track_id"})
_OTHER_SUFFIXES: Final = frozenset({".au"})
# fields of a document that are about its file
_OF_A_FILE: Final = (
    "path",
    "root",
    "cover_path",
    "mime",
    "size_bytes",
    "mtime_ns",
    "content_sha256",
    "track_no",
)
_BATCH: Final = 1000


@dataclass(frozen=True)
class Telling:
    """Reads what the columns of a file, or FMA's `tracks.csv` beside it, tell.

    Attributes
    ----------
    layout : Layout
    seconds : float
        What a duration of 1 in the file is in seconds; 0 when that is not known.
    fma : mapping
        Rows of `tracks.csv`, by `track_id`; empty for other files.
    """

    layout: Layout
    seconds: float
    fma: Mapping[str, FmaTrack]

    @classmethod
    def of(
        cls,
        file: ReadyFile,
        path: Path,
        first: pa.RecordBatch,
        layout: Layout,
        report: Callable[[str], None],
    ) -> "Telling":
        """Find out what the file tells; `first` are some of its rows."""
        fma: dict[str, FmaTrack] = {}
        beside = find_tracks_csv(path.parent) if file.is_fma else None
        if beside is not None:
            tracks = read_fma(beside, _ALL_NUMBERS)
            fma = {str(number): row for number, row in tracks.rows.items()}
            if tracks.error is not None:
                report(tracks.error)
        return cls(layout, _unit_s(first, layout, report), fma)

    def rows(self, batch: pa.RecordBatch) -> list[dict[str, Any]]:
        """Return the fields of each row; `track_id` is None where it has none."""
        layout = self.layout
        told = {
            name: _texts(batch[layout.texts[name]])
            for name in (*_TEXTS, "year")
            if name in layout.texts
        }
        if self.seconds:
            durations = numbers(batch[layout.texts["duration"]]) * self.seconds
            told["duration_s"] = durations.tolist()
        ids = _texts(batch[layout.id_column])
        return [
            self._row(track_id, {name: column[at] for name, column in told.items()})
            for at, track_id in enumerate(ids)
        ]

    def _row(self, track_id: str | None, told: dict[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {"track_id": track_id}
        row |= {name: clean_text(told.get(name)) for name in _TEXTS}
        row["year"] = parse_year(told.get("year"))
        duration_s = told.get("duration_s") or 0.0
        row["duration_s"] = duration_s if 0 < duration_s < math.inf else None
        fma = self.fma.get(track_id or "")
        if fma is not None:
            told_by_fma = {name: getattr(fma, name) for name in row.keys() - _ID}
            row |= {name: v for name, v in told_by_fma.items() if row[name] is None}
        row["title"] = row["title"] or _title_of(track_id or "")
        return row


def write_catalogue(
    database: Database[Document],
    source: str,
    tracks: pa.Table,
    index: TrackIndex,
    now: datetime,
) -> None:
    """Make the tracks of the index the catalogue; all others are marked missing.

    Parameters
    ----------
    source : str
        Kept with each document.
    tracks : Table
        The fields of each track.
    """
    collection = database[store.TRACKS]
    has_file = {"path": {"$ne": None}}
    own = {row["_id"] for row in collection.find(has_file, ("_id",))}
    for batch in tracks.to_batches(_BATCH):
        rows = (row for row in batch.to_pylist() if row["track_id"] not in own)
        documents = [_document(row, source, now) for row in rows]
        store.merge(database, store.TRACKS, documents)
    listed = (row["_id"] for row in collection.find({"missing": False}, ("_id",)))
    gone = [track_id for track_id in listed if track_id not in index.row_of]
    for start in range(0, len(gone), _BATCH):
        which = {"_id": {"$in": gone[start : start + _BATCH]}}
        collection.update_many(which, {"$set": {"missing": True}})
    refresh_discography(database)
    store.touch_catalogue(database)
    mark_recordings(database, index.track_ids, index.vectors)


def _document(row: Mapping[str, Any], source: str, now: datetime) -> Document:
    artist = row["artist"] or UNKNOWN_ARTIST
    genres = split_genres([row["genre"] or ""])
    return {
        "_id": row["track_id"],
        "title": row["title"],
        "artist": artist,
        "main_artist": main_artist(artist),
        "artist_id": artist_id_of(main_artist(artist)),
        "album": row["album"] or UNKNOWN_ALBUM,
        # no folder tells whose album it is
        "album_artist_tag": main_artist(artist),
        "genre": row["genre"],
        "genres": genres,
        "genre_ids": list(map(genre_id_of, genres)),
        "year": row["year"],
        "duration_s": row["duration_s"],
        "scanned_at": now,
        "read_as": source,
        "missing": False,
        **dict.fromkeys(_OF_A_FILE),
    }


def _texts(column: pa.Array) -> list[str | None]:
    return [_text(value) for value in column.to_pylist()]


def _text(value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():  # an id beside empty cells
        value = int(value)
    return None if value is None else str(value).strip() or None


def _title_of(track_id: str) -> str:
    path = PurePath(track_id)
    is_file = path.suffix.lower() in AUDIO_SUFFIXES | _OTHER_SUFFIXES
    return clean_text(path.stem if is_file else track_id) or track_id


def _unit_s(
    first: pa.RecordBatch, layout: Layout, report: Callable[[str], None]
) -> float:
    """Return the unit of durations in seconds; 0 where there is none, or unknown."""
    name = layout.texts.get("duration")
    if name is None:
        return 0.0
    if name.lower().endswith("_ms"):
        return 0.001
    values = numbers(first[name])
    middle = np.median(known) if len(known := values[np.isfinite(values)]) else 0.0
    if middle <= _MAX_MEDIAN_S:
        return 1.0
    report(
        f"durations stay unknown: {name!r} is about {middle:.0f}, which cannot be "
        "seconds; give duration_s or duration_ms"
    )
    return 0.0
