"""The catalogue: a music folder → documents of the collection `tracks`.

A file whose size and time of change are those of its document is not read again. A
track is known by its content, so that a moved or renamed file keeps its `track_id`;
a track whose file is gone is marked `missing`, and comes back with its file. A scan
sets the fields that it knows and keeps those of others, such as `recording_id`.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from pymongo.database import Database
from tqdm import tqdm

from segue import store
from segue.catalog import MIME_TYPES, content_sha256, iter_audio_files, track_id_of
from segue.clock import Clock
from segue.covers import find_cover, write_cover
from segue.discography import refresh_discography
from segue.errors import UnreadableAudioError
from segue.fma import FmaTracks, find_fma
from segue.names import artist_id_of, genre_id_of
from segue.store import Document
from segue.tags import read_tags_and_cover
from segue.track_names import name_id_of

OTHER_MIME: Final = "application/octet-stream"
# to be raised when a scan takes more from a file: then all files are read again
_READ_AS: Final = "3"

_KEPT_FIELDS: Final = (
    "path",
    "root",
    "cover_path",
    "mime",
    "size_bytes",
    "mtime_ns",
    "read_as",
    "missing",
    "recording_id",
)
_BATCH: Final = 200
_REDRAW_IN_LOG_S: Final = 5.0


class Outcome(StrEnum):
    """What a scan did with one file; the words are the fields of the summary."""

    NEW = "new"
    KNOWN = "known"
    CHANGED = "changed"
    DUPLICATE = "duplicate"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSummary:
    """What a scan did; `found` is the sum of the five counts after it.

    Attributes
    ----------
    found : int
        Audio files below the folder.
    new : int
        Contents that were not in the catalogue.
    known, changed : int
        Documents that stayed as they were; that were moved, touched or came back.
    duplicate : int
        Further files of the same content.
    unreadable : int
        Files of which no track could be made; `errors` says why.
    missing : int
        Tracks of the catalogue whose file is not in the folder (any more).
    """

    found: int
    new: int
    known: int
    changed: int
    duplicate: int
    unreadable: int
    missing: int
    errors: tuple[str, ...] = ()

    @property
    def adds_up(self) -> bool:
        """Whether every file found is accounted for."""
        outcomes = self.new + self.known + self.changed
        return self.found == outcomes + self.duplicate + self.unreadable

    def __str__(self) -> str:
        parts = ", ".join(f"{getattr(self, name)} {name}" for name in Outcome)
        return f"{self.found} files: {parts}; {self.missing} tracks are missing"


def scan_library(
    folder: Path,
    database: Database[Document],
    clock: Clock,
    report: Callable[[str], None],
    *,
    covers: Path,
) -> ScanSummary:
    """Bring `tracks`, `artists`, `albums` and `genres` up to date with a music folder.

    The catalogue is what lies in the folder that was scanned last.

    Parameters
    ----------
    report : callable
        Takes one line for each file of which no track could be made.
    covers : Path
        Folder for the covers that files carry, `segue.covers.covers_folder(home)`.

    Raises
    ------
    LibraryError
        When `folder` is no folder, or `covers` cannot be written to.
    """
    paths = list(iter_audio_files(folder))
    root = folder.resolve()
    reader = _Reader(root, covers.resolve(), find_fma(root, paths, report))
    scan = _Scan(reader, paths, database, clock)
    for path in _with_bar(paths):
        scan.take(path)
    scan.flush()
    n_missing = scan.mark_missing()
    refresh_discography(database)
    if n_missing or scan.counts[Outcome.NEW] or scan.counts[Outcome.CHANGED]:
        # who has looked in between has old artists with new tracks
        store.touch_catalogue(database)
    for line in scan.errors:
        report(line)
    counts = {str(outcome): scan.counts[outcome] for outcome in Outcome}
    return ScanSummary(
        found=len(paths), missing=n_missing, errors=tuple(scan.errors), **counts
    )


def _with_bar(paths: list[Path]) -> Iterable[Path]:
    redraw_s = 0.1 if sys.stderr.isatty() else _REDRAW_IN_LOG_S
    return tqdm(paths, "scanning", unit="file", mininterval=redraw_s)


class _Reader:
    """What a scan knows of a file: by looking at it, and by reading it."""

    def __init__(self, root: Path, covers: Path, fma: FmaTracks) -> None:
        self._root, self._covers, self._fma = root, covers, fma
        self._cover_of = cache(lambda folder: find_cover(folder, root))
        self._is_there = cache(Path.is_file)

    def facts(self, path: Path) -> Document:
        """Return what is known of a file without reading it."""
        str(path).encode("utf-8")  # other names cannot be stored
        status = path.stat()
        return {
            "path": str(path),
            "root": str(self._root),
            "mime": MIME_TYPES.get(path.suffix.lower(), OTHER_MIME),
            "size_bytes": status.st_size,
            "mtime_ns": status.st_mtime_ns,
            "read_as": _READ_AS + self._fma.stamp_of(path),
            "missing": False,
        }

    def is_same(self, document: Document, path: Path) -> bool:
        """Whether a file need not be read, as its document still tells what it is."""
        facts = self.facts(path)
        if any(document.get(name) != value for name, value in facts.items()):
            return False
        cover, found = document.get("cover_path"), self._cover_of(path.parent)
        if found is not None or cover is None:
            return cover == (None if found is None else str(found))
        kept = Path(cover)
        return kept.parent == self._covers and self._is_there(kept)

    def read(self, path: Path) -> Document:
        """Return what the tags say, and the cover, where it has to be written out."""
        found = self._cover_of(path.parent)
        tags, image = read_tags_and_cover(path, self._root, with_cover=found is None)
        tags = self._fma.told(path, tags)
        cover = found or write_cover(image, self._covers)
        return asdict(tags) | {
            "cover_path": None if cover is None else str(cover),
            "artist_id": artist_id_of(tags.main_artist),
            "name_id": name_id_of(tags.artist, tags.title),
            "genre_ids": list(map(genre_id_of, tags.genres)),
        }


class _Scan:
    """The state of one scan: what the catalogue holds, and what was seen so far."""

    def __init__(
        self,
        reader: _Reader,
        paths: list[Path],
        database: Database[Document],
        clock: Clock,
    ) -> None:
        self._reader, self._database, self._clock = reader, database, clock
        self._found = frozenset(map(str, paths))
        documents = list(database[store.TRACKS].find({}, _KEPT_FIELDS))
        self._by_id = {each["_id"]: each for each in documents}
        self._by_path = {d["path"]: d for d in documents if not d.get("missing")}
        self._seen: set[str] = set()
        self._pending: list[Document] = []
        self.counts = Counter[Outcome]()
        self.errors: list[str] = []

    def take(self, path: Path) -> None:
        """Decide what one file is, and keep its document for the next write."""
        try:
            outcome = self._outcome(path)
        except (UnreadableAudioError, OSError, UnicodeEncodeError) as error:
            outcome = Outcome.UNREADABLE
            self.errors.append(_explain(path, error))
        self.counts[outcome] += 1
        if len(self._pending) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the documents that wait."""
        if self._pending:
            store.merge(self._database, store.TRACKS, self._pending)
            store.touch_catalogue(self._database)
        self._pending = []

    def mark_missing(self) -> int:
        """Mark the tracks whose file was not seen; return how many."""
        gone = [track_id for track_id in self._by_id if track_id not in self._seen]
        self._database[store.TRACKS].update_many(
            {"_id": {"$in": gone}}, {"$set": {"missing": True}}
        )
        return len(gone)

    def _outcome(self, path: Path) -> Outcome:
        before = self._by_path.get(str(path))
        if before is not None and self._reader.is_same(before, path):
            return self._mark_seen(before["_id"], Outcome.KNOWN)
        facts, sha256 = self._reader.facts(path), content_sha256(path)
        track_id = track_id_of(sha256)
        if track_id in self._seen or self._lies_elsewhere(track_id, path):
            return Outcome.DUPLICATE
        known = self._by_id.get(track_id)
        own = {"_id": track_id, "content_sha256": sha256, "scanned_at": self._clock()}
        if known is None or "recording_id" not in known:
            own["recording_id"] = track_id  # until the features job has heard it
        self._pending.append(self._reader.read(path) | facts | own)
        return self._mark_seen(
            track_id, Outcome.NEW if known is None else Outcome.CHANGED
        )

    def _mark_seen(self, track_id: str, outcome: Outcome) -> Outcome:
        if track_id in self._seen:
            return Outcome.DUPLICATE
        self._seen.add(track_id)
        return outcome

    def _lies_elsewhere(self, track_id: str, path: Path) -> bool:
        """Whether the catalogue's file of this track is another one, and unchanged."""
        document = self._by_id.get(track_id)
        if document is None or document["path"] == str(path):
            return False
        if document["path"] not in self._found:
            return False
        return self._reader.is_same(document, Path(document["path"]))


def _explain(path: Path, error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return f"{path!r}: its name is not UTF-8; rename the file"
    return str(error)
