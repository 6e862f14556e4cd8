"""The catalogue: a music folder → documents of the collection `tracks`.

A file whose size and time of change are those of its document is not read again. A
track is known by its content, so that a moved or renamed file keeps its `track_id`;
a track whose file is gone is marked `missing`, and comes back with its file. A scan
sets the fields that it knows and keeps those of others, such as `recording_id`.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from pymongo.database import Database
from tqdm import tqdm

from segue import store
from segue.catalog import content_sha256, iter_audio_files, track_id_of
from segue.clock import Clock
from segue.discography import refresh_discography
from segue.errors import UnreadableAudioError
from segue.fma import find_fma
from segue.scanned_files import Reader
from segue.store import Document

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


class Progress(NamedTuple):
    """How far a scan is: files below the folder, those read, and those unreadable."""

    n_found: int
    n_read: int
    n_errors: int
    folder: Path


def scan_library(
    folder: Path,
    database: Database[Document],
    clock: Clock,
    report: Callable[[str], None],
    *,
    covers: Path,
    adds: bool = False,
    goes_on: Callable[[Progress], bool] | None = None,
) -> ScanSummary:
    """Bring `tracks`, `artists`, `albums` and `genres` up to date with a music folder.

    The catalogue is what lies in the folder that was scanned last, and in those that
    were ever added.

    Parameters
    ----------
    report : callable
        Takes one line for each file of which no track could be made.
    covers : Path
        Folder for the covers that files carry, `segue.covers.covers_folder(home)`.
    adds : bool
        Add the folder to the catalogue; what lies elsewhere stays.
    goes_on : callable, optional
        Told of each file before it is read, instead of a bar; where it answers False,
        the scan ends with what it has, and marks nothing as missing.

    Raises
    ------
    LibraryError
        When `folder` is no folder, or `covers` cannot be written to.
    """
    paths = list(iter_audio_files(folder))
    root = folder.resolve()
    reader = Reader(root, covers.resolve(), find_fma(root, paths, report))
    if adds:
        folder_document = {"_id": str(root), "added_at": clock()}
        store.upsert(database, store.MUSIC_FOLDERS, [folder_document])
    scan = _Scan(reader, paths, database, clock, keeps_others=adds)
    n_read = scan.take_all(paths, goes_on)
    scan.flush()
    n_missing = scan.mark_missing() if n_read == len(paths) else 0
    scan.date_old_tracks()
    refresh_discography(database)
    if n_missing or scan.counts[Outcome.NEW] or scan.counts[Outcome.CHANGED]:
        # who has looked in between has old artists with new tracks
        store.touch_catalogue(database)
    for line in scan.errors:
        report(line)
    counts = {str(outcome): scan.counts[outcome] for outcome in Outcome}
    return ScanSummary(
        found=n_read, missing=n_missing, errors=tuple(scan.errors), **counts
    )


def _with_bar(paths: list[Path], is_silent: bool) -> Iterable[Path]:
    if is_silent:
        return paths
    redraw_s = 0.1 if sys.stderr.isatty() else _REDRAW_IN_LOG_S
    return tqdm(paths, "scanning", unit="file", mininterval=redraw_s)


class _Scan:
    """The state of one scan: what the catalogue holds, and what was seen so far."""

    def __init__(
        self,
        reader: Reader,
        paths: list[Path],
        database: Database[Document],
        clock: Clock,
        keeps_others: bool,
    ) -> None:
        self._reader, self._database, self._clock = reader, database, clock
        self._found = frozenset(map(str, paths))
        self._keeps_others = keeps_others
        self._added = set(database[store.MUSIC_FOLDERS].distinct("_id"))
        documents = list(database[store.TRACKS].find({}, _KEPT_FIELDS))
        self._by_id = {each["_id"]: each for each in documents}
        self._by_path = {d["path"]: d for d in documents if not d.get("missing")}
        self._seen: set[str] = set()
        self._pending: list[Document] = []
        self.counts = Counter[Outcome]()
        self.errors: list[str] = []

    def take_all(
        self, paths: list[Path], goes_on: Callable[[Progress], bool] | None
    ) -> int:
        """Take the files one by one; return how many were taken before the end."""
        for n_read, path in enumerate(_with_bar(paths, goes_on is not None)):
            so_far = Progress(len(paths), n_read, len(self.errors), path.parent)
            if goes_on is not None and not goes_on(so_far):
                return n_read
            self.take(path)
        return len(paths)

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
        gone = [
            track_id
            for track_id, document in self._by_id.items()
            if track_id not in self._seen and not self._stays(document)
        ]
        self._database[store.TRACKS].update_many(
            {"_id": {"$in": gone}}, {"$set": {"missing": True}}
        )
        return len(gone)

    def date_old_tracks(self) -> None:
        """Say when tracks came of which it was not noted: when last read."""
        self._database[store.TRACKS].update_many(
            {"added_at": {"$exists": False}}, [{"$set": {"added_at": "$scanned_at"}}]
        )

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
        if known is None:
            own["added_at"] = own["scanned_at"]
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
        if self._stays(document):
            return not document.get("missing") and Path(document["path"]).is_file()
        if document["path"] not in self._found:
            return False
        return self._reader.is_same(document, Path(document["path"]))

    def _stays(self, document: Document) -> bool:
        """Whether a track belongs to another folder of the catalogue."""
        root = document["root"]
        if root == str(self._reader.root):
            return False
        return self._keeps_others or root in self._added


def _explain(path: Path, error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return f"{path!r}: its name is not UTF-8; rename the file"
    return str(error)
